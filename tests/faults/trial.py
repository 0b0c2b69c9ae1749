"""Tries the network out: ``python -m tests.faults.trial``, isolated, prints what each condition does as JSON.

``answered``: how long a round trip took in seconds, or None when nothing came back; ``mb_s``: how fast a
large transfer was.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping

from tests.support.links import CUT, Condition
from tests.support.network import HERE, Direction, Network, both_ways

HOST, ADDRESS, PORT = "host", "10.77.0.2", 5000
PATIENCE_S = 2.0
TRANSFER_B = 20_000_000

SERVER = f"""
import socket
server = socket.create_server(("{ADDRESS}", {PORT}))
while True:
    link, _ = server.accept()
    size = 0
    while data := link.recv(1 << 20):
        size += len(data)
    link.sendall(str(size).encode())
    link.close()
"""


def answered(data: bytes = b"x") -> float | None:
    """Send data and wait until all of it was counted; return the seconds, None when nothing came back."""
    began = time.monotonic()
    try:
        with socket.create_connection((ADDRESS, PORT), timeout=PATIENCE_S) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            assert link.recv(100) == str(len(data)).encode()
    except TimeoutError:
        return None
    return time.monotonic() - began


def main() -> None:
    """Try each condition."""
    network = Network("10.77.0.1", {HOST: ADDRESS})
    server = subprocess.Popen([*network.inside(HOST), sys.executable, "-c", SERVER])
    while True:
        try:
            answered()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    both = list(both_ways([HERE], [HOST]))
    cases: Mapping[str, Mapping[Direction, Condition]] = {
        "good": {},
        "late": dict.fromkeys(both, Condition(delay_s=0.2)),
        "cut": dict.fromkeys(both, CUT),
        "cut there": {(HERE, HOST): CUT},
        "cut back": {(HOST, HERE): CUT},
        "healed": {},
    }
    found: dict[str, float | None] = {}
    for name, conditions in cases.items():
        network.shape(conditions)
        found[name] = answered()
    before = network.shape(dict.fromkeys(both, Condition(loss=0.05)))
    lossy = answered(bytes(TRANSFER_B // 10))
    after = network.shape({})
    clean = answered(bytes(TRANSFER_B))
    server.kill()
    lost, passed = (after[key] - before[key] for key in ("lost", "passed"))
    figures = {"lossy": lossy, "lost": lost / (lost + passed), "mb_s": TRANSFER_B / 1e6 / (clean or 1e9)}
    print(json.dumps({"answered": found, **figures}))


if __name__ == "__main__":
    main()
