"""The examples of docs/wire-protocol.md, parsed out of the page and executed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest
from attrs import field, frozen

from cluster_worker.wire.conversation import Conversation, Expectation, LinkOpened, SendBytes, Side
from cluster_worker.wire.frames import FrameDecoder
from cluster_worker.wire.link_messages import Hello, Role
from cluster_worker.wire.messages import (
    MESSAGE_CLASSES,
    MESSAGES_BY_TYPE,
    decode_message,
    encode_message,
)

PAGE = Path(__file__).parents[3] / "docs" / "wire-protocol.md"


@frozen
class Example:
    message: str
    correlation: int
    fields: Any = field(eq=False)
    data: bytes


def read_examples() -> list[Example]:
    pattern = r"```example\nmessage: (\w+)\ncorrelation: (\d+)\nfields: (.*)\nbytes: ([0-9a-f\s]+)```"
    return [
        Example(name, int(correlation), json.loads(fields), bytes.fromhex("".join(data.split())))
        for name, correlation, fields, data in re.findall(pattern, PAGE.read_text())
    ]


EXAMPLES = read_examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.message)
def test_bytes_of_an_example_are_its_message(example: Example) -> None:
    decoder = FrameDecoder(limit_b=16384)
    decoder.feed(example.data)
    frame = decoder.next_frame()
    assert frame is not None and decoder.buffered_b == 0
    assert MESSAGES_BY_TYPE[frame.kind].__name__ == example.message
    assert frame.correlation == example.correlation
    assert msgpack.unpackb(frame.body) == example.fields
    assert encode_message(decode_message(frame), frame.correlation, frame.version) == example.data


def test_every_message_has_an_example_in_the_page() -> None:
    assert {example.message for example in EXAMPLES} == {message.__name__ for message in MESSAGE_CLASSES}
    assert PAGE.read_text().count("```example") == len(EXAMPLES)


def test_every_message_type_has_a_row_in_the_page() -> None:
    rows = {
        int(number): name for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", PAGE.read_text(), re.M)
    }
    names = {
        kind: re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper() for kind, cls in MESSAGES_BY_TYPE.items()
    }
    assert rows == names


def test_documented_greeting_opens_a_link_on_both_sides() -> None:
    worker_hello, manager_hello = (example for example in EXAMPLES if example.message == "Hello")
    worker = conversation(worker_hello, Role.MANAGER, Side.CALLING)
    manager = conversation(manager_hello, Role.WORKER, Side.ANSWERING)
    assert worker.start("cm@cm.example") == (SendBytes(worker_hello.data),)
    assert manager.start("worker@w1.example") == ()
    answer, opened = manager.receive(frame_of(worker_hello.data))
    assert answer == SendBytes(manager_hello.data) and isinstance(opened, LinkOpened)
    (opened,) = worker.receive(frame_of(manager_hello.data))
    assert isinstance(opened, LinkOpened) and opened.peer.version == 1


def conversation(hello: Example, other: Role, side: Side) -> Conversation:
    own = decode_message(frame_of(hello.data))
    assert isinstance(own, Hello)
    return Conversation(own, Expectation(frozenset({other})), side)


def frame_of(data: bytes) -> Any:
    decoder = FrameDecoder(limit_b=16384)
    decoder.feed(data)
    return decoder.next_frame()
