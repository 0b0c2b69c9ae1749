from typing import Any
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import sleep, system_wall_clock
from op_worker.zone.client import ZoneClient
from op_worker.zone.channel import ZoneChannel, ChannelTimes
from op_worker.zone.link import WebSocketConnector
from op_worker.zone.backoff import Backoff
from op_worker.zone.store import ZoneStore
from op_worker.zone.authenticator import ZoneAuthenticator
from op_worker.zone.registration import Registration
from op_worker.zone.authority import Presented
import inspect

@ensureDeferred
async def test_h(zone: Any) -> None:
    anna = await zone.user("anna"); bob = await zone.user("bob")
    p = await zone.provider(anna)
    space = await zone.space(anna)
    inv = (await anna("POST", f"/spaces/{space}/providers/token")).body["token"]
    root = p.auth["X-Auth-Token"]
    conn = WebSocketConnector(reactor, TCP4ClientEndpoint(reactor, "127.0.0.1", zone.port), f"ws://127.0.0.1:{zone.port}/graph_sync/provider")
    print(inspect.signature(ZoneStore.__init__), inspect.signature(Backoff.__init__), inspect.signature(ZoneAuthenticator.__init__))
    def mk(registration, on_ready, on_push):
        return ZoneChannel(conn.connect, registration, clock=reactor, backoff=Backoff(first_s=0.1, factor=1.1, limit_s=1.0, jitter=lambda: 0.5) if True else None, on_ready=on_ready, on_push=on_push, times=ChannelTimes())
    async def reg(request):
        return Registration(provider_id="krk", name="krk", domain="krk.example.org", zone_domain="x", root_token=root)
    store = ZoneStore(MemoryEngine(reactor))
    zc = ZoneClient(store, clock=reactor, make_channel=mk, register=reg, version="21.02.8")
    await zc.load()
    zc.startService()
    await zc.register(None)
    print("supported", await zc.support_space("d1", inv, 10**9), zc.supported_spaces())
    auth = ZoneAuthenticator(zc, store, clock=reactor, wall_clock=system_wall_clock)
    auth.startService()
    c = await auth.authenticate(anna.auth["X-Auth-Token"], peer_ip="127.0.0.1", interface="rest")
    print(c)
    try:
        print(await auth.authenticate(bob.auth["X-Auth-Token"], peer_ip="127.0.0.1", interface="rest"))
    except Exception as e: print("bob", repr(e))
    tid = (await anna("GET", "/user/tokens/named")).body["tokens"][0]
    await zone.client.basic("anna")("PATCH", f"/tokens/named/{tid}", {"revoked": True})
    await sleep(reactor, 0.2)
    try:
        print(await auth.authenticate(anna.auth["X-Auth-Token"], peer_ip="127.0.0.1", interface="rest"))
    except Exception as e: print("anna", repr(e))
    print(await zc.space(space))
    await auth.stopService(); await zc.stopService()
