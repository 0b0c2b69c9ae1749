"""A ring of 1 000 nodes: how long the owners of a million keys take, and how many of them a join moves.

python -m benchmarks.ring
"""

from __future__ import annotations

import random
import time
from collections import Counter

from cluster_worker.node.ring import Ring
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import NodeAddress, RingUpdate
from cluster_worker.wire.messages import encode_message

NODES = 1_000
KEYS = 1_000_000


def made_keys() -> list[str]:
    """Half of them with a label, half without."""
    source = random.Random(5)
    labelled = [f"{source.getrandbits(128):032x}ch{source.getrandbits(16):04x}" for _ in range(KEYS // 2)]
    return labelled + [f"{source.getrandbits(128):032x}" for _ in range(KEYS // 2)]


def run() -> None:
    """Measure and print."""
    names = [f"worker@node{number}.p1.example.test" for number in range(NODES)]
    keys = made_keys()
    began = time.perf_counter()
    ring = Ring.of(names)
    owners = [ring.owner(key) for key in keys]
    print(f"{NODES} nodes, {KEYS} keys: {time.perf_counter() - began:.2f} s (target below 1 s)")
    counts = Counter(owners).values()
    print(f"keys of a node: {min(counts)} to {max(counts)}, {KEYS // NODES} on average")
    began = time.perf_counter()
    joined = ring.join("worker@one-more.p1.example.test")
    took_ms = (time.perf_counter() - began) * 1e3
    moved = sum(owner != joined.owner(key) for owner, key in zip(owners, keys, strict=True)) / KEYS
    print(f"a join: {took_ms:.0f} ms, moves {moved * NODES:.2f}/n of the keys (target at most 1.1/n)")
    print(f"the ring in a frame: {len(frame(joined)) / 1024:.0f} KiB")


def frame(ring: Ring) -> bytes:
    """The message that carries ``ring``."""
    nodes = tuple(NodeAddress(node, "192.168.100.100", 65535) for node in ring.nodes)
    return encode_message(RingUpdate(Epoch(1), Epoch(1), 1, nodes, (), (), ring.table), 0, 1)


if __name__ == "__main__":
    run()
