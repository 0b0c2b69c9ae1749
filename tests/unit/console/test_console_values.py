"""Words of the command line, and what is printed."""

from __future__ import annotations

import pytest

from op_worker.console import rendering
from op_worker.console.values import BadArgument, description, json_object, size_b


def no_file(name: str) -> str:
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500", 500),
        ("10GB", 10**10),
        ("10 gib", 10 * 2**30),
        ("2TiB", 2 * 2**40),
        ("1kb", 1000),
        ("7m", 7 * 10**6),
    ],
)
def test_sizes_are_read_with_units_of_1000_and_1024(text: str, number: int) -> None:
    assert size_b(text) == number


@pytest.mark.parametrize("text", ["", "GB", "-1", "1.5GB", "10XB", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        size_b(text)


def test_descriptions_are_read_from_words_and_secrets_from_files() -> None:
    words = [
        "mountPoint=/mnt/a=b",
        "secretKey=@key",
        "qos.tier=fast",
        "qos.speed=3",
        "qos.rate=0.5",
        "readonly=true",
    ]
    assert description(words, {"key": "s3cret\n"}.__getitem__) == {
        "mountPoint": "/mnt/a=b",
        "secretKey": "s3cret",
        "readonly": "true",
        "qosParameters": {"tier": "fast", "speed": 3, "rate": 0.5},
    }


@pytest.mark.parametrize("word", ["mountPoint", "=x", ""])
def test_word_that_is_no_parameter_is_refused(word: str) -> None:
    with pytest.raises(BadArgument):
        description([word], no_file)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_file_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(BadArgument, match="policy"):
        json_object(text, "policy")


@pytest.mark.parametrize(
    ("number_b", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (10**9, "1 GB"), (5 * 10**18, "5e+03 PB")],
)
def test_sizes_are_printed_for_people(number_b: int, text: str) -> None:
    assert rendering.size(number_b) == text


def test_rows_tell_flags_of_storages_and_storages_of_spaces() -> None:
    storage = {
        "id": "s",
        "name": "n",
        "type": "posix",
        "spaces": ["a"],
        "readonly": True,
        "verificationPassed": False,
    }
    assert rendering.storage_row(storage) == ("s", "n", "posix", "1", "readonly,UNUSABLE")
    space = {"id": "x", "name": "n", "size": 2000, "used": 5, "storages": [{"id": "s", "size": 2000}]}
    assert rendering.space_row(space) == ("x", "n", "2 kB", "5 B", "s:2 kB")
