"""The process that is a network: a namespace with one tun for each host, and packets passed between them.

``python -m tests.support.network_switch`` reads one JSON line ``{"here": address, "hosts": {name:
address}}``, makes a namespace for each host (and a tun in its own, for ``here``) and answers ``{name:
descriptor}``, by which others enter: ``nsenter --net=/proc/<pid>/fd/<descriptor>``. Each further line is a
list of rules (see ``links.as_order``) that replaces all earlier ones, and is answered by the counts of
packets so far. At the end of its input it ends; the kernel then removes tuns and namespaces, as it does
after a kill -9.

There is no netem in every kernel; this is one in user space, with real TCP on both sides.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time
from typing import Any

from attrs import define, field

from tests.support.links import Links, Underway, ends, obey

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_HEADER = 0x1001
_LARGEST_PACKET_B = 65536
_PACKETS_AT_ONCE = 64
MTU_B = 1500

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _own_namespace() -> int:
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _make_tun(address: str) -> int:
    """Return the other end of a new device with this address, in the namespace of this moment."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH14x", b"host0", _IFF_TUN_WITHOUT_HEADER))
    for words in (
        ["link", "set", "lo", "up"],
        ["address", "add", f"{address}/16", "dev", "host0"],
        ["link", "set", "host0", "mtu", str(MTU_B), "txqueuelen", "5000", "up"],
    ):
        subprocess.run(["ip", *words], check=True)
    return tun


@define
class Switch:
    """Tuns by the address behind them, and what is on its way between them."""

    tuns: dict[bytes, int] = field(factory=dict)
    links: Links = field(factory=Links)
    underway: Underway = field(factory=Underway)
    random: random.Random = field(factory=lambda: random.Random(1))
    passed: int = 0
    lost: int = 0

    def add(self, address: str) -> None:
        """Connect the present namespace."""
        self.tuns[bytes(int(part) for part in address.split("."))] = _make_tun(address)

    def receive(self, tun: int, now_s: float) -> None:
        """Take what a host sends; pass on at once what is not delayed."""
        for _ in range(_PACKETS_AT_ONCE):
            try:
                packet = os.read(tun, _LARGEST_PACKET_B)
            except BlockingIOError:
                return
            found = ends(packet)
            if found is None or found[1] not in self.tuns:
                continue
            delay_s = self.links.condition(*found).delay(self.random.random())
            if delay_s is None:
                self.lost += 1
            elif delay_s > 0:
                self.underway.put(now_s + delay_s, found[1], packet)
            else:
                self.deliver(found[1], packet)

    def deliver(self, target: bytes, packet: bytes) -> None:
        """Hand a packet to its host."""
        self.passed += 1
        try:
            os.write(self.tuns[target], packet)
        except BlockingIOError:
            self.lost += 1  # the host's queue is full, as any network would say

    def counts(self) -> dict[str, int]:
        """How many packets were passed and lost."""
        return {"passed": self.passed, "lost": self.lost}


def _build(order: dict[str, Any], switch: Switch) -> dict[str, int]:
    """Make the namespaces; return their descriptors by host."""
    home = _own_namespace()
    switch.add(order["here"])
    namespaces = {}
    for name, address in order["hosts"].items():
        _checked(_libc.unshare(_CLONE_NEWNET))
        switch.add(address)
        namespaces[name] = _own_namespace()
    _checked(_libc.setns(home, _CLONE_NEWNET))
    return namespaces


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be the network until the input ends."""
    switch = Switch()
    _answer(_build(json.loads(sys.stdin.readline()), switch))
    selector = selectors.EpollSelector()
    for tun in switch.tuns.values():
        selector.register(tun, selectors.EVENT_READ)
    orders = sys.stdin.fileno()
    selector.register(orders, selectors.EVENT_READ)
    while True:
        due_s = switch.underway.next_due_s
        timeout = None if due_s is None else max(0.0, due_s - time.monotonic())
        for key, _ in selector.select(timeout):
            if key.fd != orders:
                switch.receive(key.fd, time.monotonic())
            elif line := sys.stdin.readline():
                switch.links.heal()
                for order in json.loads(line):
                    obey(switch.links, order)
                _answer(switch.counts())
            else:
                return
        for target, packet in switch.underway.due(time.monotonic()):
            switch.deliver(target, packet)


if __name__ == "__main__":
    main()
