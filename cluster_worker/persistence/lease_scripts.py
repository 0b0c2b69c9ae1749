"""The Lua scripts of leases. ``KEYS[1]`` is the lease's key, ``ARGV[1]`` one msgpack list."""

from __future__ import annotations

from cluster_worker.persistence.script import Script

# {owner, milliseconds} -> the lease's token, or 0 while somebody else holds it. The token outlives the
# lease, so that each new holder gets a greater one. It is not below the server's time in milliseconds, so
# that tokens grow even when a failover lost the last ones.
ACQUIRE = Script(
    r"""
local k, a = KEYS[1], cmsgpack.unpack(ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = redis.call('HMGET', k, 'owner', 'token', 'until')
if h[1] and h[1] ~= a[1] and tonumber(h[3]) > now then return 0 end
local token = tonumber(h[2] or 0)
if h[1] ~= a[1] then token = math.max(token + 1, now) end
local written = string.format('%.0f', token)
redis.call('HSET', k, 'owner', a[1], 'token', written, 'until', string.format('%.0f', now + a[2]))
return token
"""
)

# {owner, token} -> 1 when the lease was given back, 0 when it was somebody else's.
RELEASE = Script(
    r"""
local k, a = KEYS[1], cmsgpack.unpack(ARGV[1])
local h = redis.call('HMGET', k, 'owner', 'token')
if h[1] ~= a[1] or tonumber(h[2]) ~= a[2] then return 0 end
return redis.call('HDEL', k, 'owner')
"""
)
