"""The Lua scripts: each does one whole step of the engine in one round trip; no business rule in Lua.

``KEYS[1]`` is the scope's prefix ``{scope}:``; it carries the hash tag, so the
scripts run on the shard that has the scope. ``ARGV[1]`` is one msgpack list, and long answers are one
msgpack list too: both ends then build and take apart whole lists in C.
"""

from __future__ import annotations

from cluster_worker.persistence.lease_scripts import ACQUIRE, RELEASE
from cluster_worker.persistence.script import Script

# Checks every step against what is stored, then applies all of them, then numbers and announces the
# changed keys. Nothing after the checks can fail: types are ours, counters are in range, and a server
# that refuses writes refuses the first one. Step codes are those of layout._ENCODERS:
# 1 put  2 put if revision  3 delete field  4 delete document  5 check  6 link  7 unlink  8 empty  9 add.
# A document begins with its revision: one byte below 128, else the byte 128 and six more; of an earlier
# version, six bytes of which the first is 0.
# A third item that is true leaves a mark where nothing is announced, for replicas to confirm the checks.
# Answers the feed's newest number, or {index of the first step that failed, what was found}.
COMMIT = Script(
    r"""
local p, call, sub = KEYS[1], redis.call, string.sub
local batch = cmsgpack.unpack(ARGV[1])
local steps, announce, sums = batch[1], batch[2], nil

local function revision(v)
  local first = string.byte(v)
  if first == 0 then return struct.unpack('>I6', v) end
  if first < 128 then return first end
  return struct.unpack('>I6', v, 2)
end

local function written(n)
  if n < 128 then return string.char(n) end
  return '\128' .. struct.pack('>I6', n)
end

local function at_name(k, name)
  local m = call('ZRANGEBYLEX', k, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1)[1]
  return m and sub(m, #name + 2)
end

for i = 1, #steps do
  local s = steps[i]
  local op = s[1]
  if op <= 5 then
    local k = p .. 'f:' .. s[2]
    s[2] = k
    local expected = nil
    if op == 2 then expected = s[5] elseif op == 3 or op == 5 then expected = s[4] end
    if expected then
      local v = call('HGET', k, s[3])
      local found = v and written((revision(v))) or ''
      if found ~= expected then return {i, found} end
    end
  elseif op <= 8 then
    local k = p .. 'd:' .. s[2]
    s[2] = k
    if op == 6 then
      local v = at_name(k, s[3])
      if v and v ~= s[5] then return {i, v} end
    elseif op == 7 then
      s[4] = s[3] .. '\0' .. s[4]
      if not call('ZSCORE', k, s[4]) then return {i, at_name(k, s[3]) or false} end
    else
      local n = call('ZCARD', k)
      if n > 0 then return {i, n} end
    end
  else
    local v = tonumber(call('HGET', p .. 'u', s[2]) or 0)
    sums = sums or {}
    local r = v + (sums[s[2]] or 0) + s[3]
    if r > s[4] or r < -9007199254740991 then return {i, v} end
    sums[s[2]] = r - v
  end
end

for i = 1, #steps do
  local s = steps[i]
  local op = s[1]
  if op == 2 then
    call('HSET', s[2], s[3], s[4])
  elseif op == 1 then
    local v = call('HGET', s[2], s[3])
    call('HSET', s[2], s[3], written((v and revision(v) or 0) + 1) .. s[4])
  elseif op == 3 then
    call('HDEL', s[2], s[3])
  elseif op == 4 then
    call('DEL', s[2])
  elseif op == 6 then
    if s[5] then call('ZREM', s[2], s[3] .. '\0' .. s[5]) end
    call('ZADD', s[2], 0, s[3] .. '\0' .. s[4])
  elseif op == 7 then
    call('ZREM', s[2], s[4])
  elseif op == 9 then
    call('HINCRBY', p .. 'u', s[2], string.format('%.0f', s[3]))
  end
end

local n = #announce
if n == 0 then
  if batch[3] then call('SET', p .. 'w', '') end
  return tonumber(call('GET', p .. 'seq') or 0)
end
local seq = call('INCRBY', p .. 'seq', n) - n
for i = 1, n do call('ZADD', p .. 'c', seq + i, announce[i]) end
call('PUBLISH', 'feed', sub(p, 2, -3) .. '\0' .. string.format('%.0f', seq + n))
return seq + n
"""
)

# {root, fields, names, last} -> for the root and each component found: member of its directory ('' for the
# root), then each field's document or false; then, when every component was found, those of the last one's
# further fields.
RESOLVE = Script(
    r"""
local p, call = KEYS[1], redis.call
local a = cmsgpack.unpack(ARGV[1])
local k, fields, names, last = a[1], a[2], a[3], a[4]
local out, n, width = {''}, 1, #fields
for i = 0, #names do
  if i > 0 then
    local name = names[i]
    local m = call('ZRANGEBYLEX', p .. 'd:' .. k, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, 1)[1]
    if not m then return cmsgpack.pack(out) end
    n = n + 1
    out[n] = m
    local slash = string.find(m, '/', #name + 2, true)
    k = string.sub(m, #name + 2, slash and slash - 1 or -1)
  end
  if width > 0 then
    local d = call('HMGET', p .. 'f:' .. k, unpack(fields))
    for j = 1, width do out[n + j] = d[j] end
    n = n + width
  end
end
if #last > 0 then
  local d = call('HMGET', p .. 'f:' .. k, unpack(last))
  for j = 1, #last do out[n + j] = d[j] end
end
return cmsgpack.pack(out)
"""
)

# {directory, bound, offset, limit, fields} -> for each entry: member, then each field's document or false.
# Without an offset the entries above the bound. With one, those from the place that is so many entries
# after all members below the bound: places are counted by the sorted set, so a deep one costs no more.
PAGE = Script(
    r"""
local p, call = KEYS[1], redis.call
local a = cmsgpack.unpack(ARGV[1])
local k, offset, limit, fields, members = p .. 'd:' .. a[1], a[3], a[4], a[5], nil
if offset then
  local first = math.max(0, call('ZLEXCOUNT', k, '-', a[2]) + offset)
  members = call('ZRANGE', k, string.format('%.0f', first), string.format('%.0f', first + limit - 1))
else
  members = call('ZRANGEBYLEX', k, a[2], '+', 'LIMIT', 0, limit)
end
local out, n, width = {}, 0, #fields
for _, m in ipairs(members) do
  n = n + 1
  out[n] = m
  if width > 0 then
    local start = string.find(m, '\0', 1, true) + 1
    local slash = string.find(m, '/', start, true)
    local d = call('HMGET', p .. 'f:' .. string.sub(m, start, slash and slash - 1 or -1), unpack(fields))
    for j = 1, width do out[n + j] = d[j] end
    n = n + width
  end
end
return cmsgpack.pack(out)
"""
)

# {keys, fields, most bytes} -> for each key: each field's document or false. Ends with the key whose
# documents bring the answer above that many bytes (without revisions), if there is a bound.
GET_MANY = Script(
    r"""
local p, call = KEYS[1], redis.call
local a = cmsgpack.unpack(ARGV[1])
local keys, fields, left = a[1], a[2], a[3] or math.huge
local out, n, width = {}, 0, #fields
for i = 1, #keys do
  local d = call('HMGET', p .. 'f:' .. keys[i], unpack(fields))
  for j = 1, width do
    out[n + j] = d[j]
    if d[j] then
      local first = string.byte(d[j])
      left = left - #d[j] + (first == 0 and 6 or first < 128 and 1 or 7)
    end
  end
  n = n + width
  if left < 0 then break end
end
return cmsgpack.pack(out)
"""
)

# {key, parent field, fields, limit, first} -> for the key and each ancestor: key, then each field's document
# or false; then those of the key's own further fields. The data of a document begins after its revision, so
# a parent's key does.
ANCESTORS = Script(
    r"""
local p, call = KEYS[1], redis.call
local a = cmsgpack.unpack(ARGV[1])
local k, parent, fields, first_k, first = a[1], a[2], a[3], a[1], a[5]
local out, n, width = {}, 0, #fields
for _ = 1, a[4] do
  local d = call('HMGET', p .. 'f:' .. k, parent, unpack(fields))
  n = n + 1
  out[n] = k
  for j = 1, width do out[n + j] = d[j + 1] end
  n = n + width
  if not d[1] then break end
  local head = string.byte(d[1])
  k = string.sub(d[1], head == 0 and 7 or head < 128 and 2 or 8)
  if k == '' then break end
end
if #first > 0 then
  local d = call('HMGET', p .. 'f:' .. first_k, unpack(first))
  for j = 1, #first do out[n + j] = d[j] end
end
return cmsgpack.pack(out)
"""
)

# {bound, limit, mark} -> the feed's newest number or false, then key and number of each change above the
# bound. The mark is a write of nothing: replicas that confirm it have what was read.
CHANGES = Script(
    r"""
local p, call = KEYS[1], redis.call
local a = cmsgpack.unpack(ARGV[1])
if a[3] then call('SET', p .. 'w', '') end
local out = {}
if a[2] > 0 then out = call('ZRANGEBYSCORE', p .. 'c', a[1], '+inf', 'WITHSCORES', 'LIMIT', 0, a[2]) end
table.insert(out, 1, call('GET', p .. 'seq'))
return cmsgpack.pack(out)
"""
)

# {{key, seq}, ...} -> how many entries of the feed were dropped, those whose number is not above seq.
FORGET = Script(
    r"""
local k, call, n = KEYS[1] .. 'c', redis.call, 0
for _, entry in ipairs(cmsgpack.unpack(ARGV[1])) do
  local seq = call('ZSCORE', k, entry[1])
  if seq and tonumber(seq) <= entry[2] then n = n + call('ZREM', k, entry[1]) end
end
return n
"""
)

ALL = (COMMIT, RESOLVE, PAGE, GET_MANY, ANCESTORS, CHANGES, FORGET, ACQUIRE, RELEASE)
