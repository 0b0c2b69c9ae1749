"""The page about the zone tells the truth: its frames can be read, its routes are the ones there are."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from onedata.graphsync import decode, encode
from oz_worker.config import ZoneSection
from oz_worker.throttle import ThrottleLimits
from oz_worker.zone import ZoneMeans, ZoneService

PAGE = (Path(__file__).parents[3] / "docs" / "onezone.md").read_text()
FRAMES = [line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_of_the_page_is_read_and_written_the_same(frame: str) -> None:
    assert json.loads(encode(decode(frame))) == json.loads(frame)


def test_routes_of_the_page_are_those_that_are_served() -> None:
    clock = Clock()
    means = ZoneMeans(
        reactor=clock,
        engine=MemoryEngine(clock),
        blocking=Inline(),
        wall_clock=lambda: 0.0,
        random_bytes=os.urandom,
    )
    service = ZoneService(means, ZoneSection(dev_mode=True), ThrottleLimits())
    served: dict[str, set[str]] = defaultdict(set)
    for rule in service.door.app.url_map.iter_rules():
        served[str(rule)] |= (rule.methods or set()) - {"HEAD"}
    [block] = re.findall(r"```routes\n(.*?)```", PAGE, re.DOTALL)
    told: dict[str, set[str]] = {}
    for line in block.splitlines():
        *methods, path = line.split()
        told[path] = set(methods)
    assert told == served
