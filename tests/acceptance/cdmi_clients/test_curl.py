"""The documented examples as they are typed: each is a ``curl`` command, sent over TLS to a real site."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.support.documented_examples import PAGES, PAUSE_S, Message, check, examples, is_as_shown
from tests.support.environments import EXAMPLES, Raised, raise_environment

SPACES = {"Science": "5" * 32, "Other Space": "6" * 32}
"""What the pages are written for: names and ids of spaces."""
OWNER, MEMBER = "a" * 32, "b" * 32
"""And their users."""


@frozen
class Answer:
    """What curl received."""

    status: int
    headers: dict[str, str]
    body: bytes


def own_names(number: int) -> dict[str, str]:
    """Return what the spaces of a page, their ids and users are called instead."""
    names = {name: name[:-1] + chr(ord("A") + number) for name in SPACES}
    return names | {each: f"{each[0]}{number:031}" for each in (*SPACES.values(), OWNER, MEMBER)}


def description() -> dict[str, Any]:
    """Return an environment in which each page has spaces and users of its own."""
    made: dict[str, Any] = json.loads((EXAMPLES / "single_oz_and_provider.json").read_text())
    (first, *_) = made["global_setup"]["spaces"].values()
    spaces, users = {}, dict.fromkeys(made["global_setup"]["users"])
    for number in range(len(PAGES)):
        names = own_names(number)
        users |= dict.fromkeys((names[OWNER], names[MEMBER]))
        members = [names[OWNER], names[MEMBER]]
        for name, space_id in SPACES.items():
            own = {"displayed_name": names[name], "users": members, "groups": []}
            spaces[names[space_id]] = {**first, **own}
    made["global_setup"]["spaces"], made["global_setup"]["users"] = spaces, users
    made["global_setup"]["groups"] = {}
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """A zone and a provider."""
    folder = tmp_path_factory.mktemp("curl")
    (folder / "description.json").write_text(json.dumps(description()))
    raised = raise_environment(folder / "description.json", folder / "site")
    yield raised
    raised.stop()


@pytest.mark.parametrize("number", range(len(PAGES)), ids=[page.name for page in PAGES])
def test_every_example_works_from_the_command_line(site: Raised, number: int, tmp_path: Path) -> None:
    assert shutil.which("curl"), "curl is needed"
    names = own_names(number)
    token = site.token(names[OWNER])
    for asked, shown in examples(PAGES[number]):
        asked, shown = asked.renamed(names), shown.renamed(names)
        reply = curl(site, asked, token, tmp_path)
        for _ in range(asked.tries - 1):
            if is_as_shown(asked, shown, reply):
                break
            time.sleep(PAUSE_S)
            reply = curl(site, asked, token, tmp_path)
        check(asked, shown, reply)


def curl(site: Raised, asked: Message, token: str, folder: Path) -> Answer:
    """Send an example by the command that people would type."""
    method, path = asked.line.split(" ")
    sent = {name: value.replace("TOKEN", token) for name, value in asked.headers.items()}
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--http1.1",
        "--path-as-is",
        "--globoff",
        "--max-time",
        "20",
    ]
    command += [
        "--cacert",
        site.ca_cert,
        "--dump-header",
        str(folder / "head"),
        "--output",
        str(folder / "body"),
    ]
    command += ["--head"] if method == "HEAD" else ["--request", method]
    for name, value in sent.items():
        command += ["--header", f"{name}: {value}"]
    if asked.body:
        command += ["--data-binary", "@-"]
        command += [] if "Content-Type" in sent else ["--header", "Content-Type:"]
    (folder / "body").write_bytes(b"")
    command.append(f"https://{site.address('krk')}{path}")
    done = subprocess.run(command, input=asked.payload, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, (asked, done.stderr)
    return answer((folder / "head").read_bytes().decode("latin-1"), (folder / "body").read_bytes())


def answer(heads: str, body: bytes) -> Answer:
    """Return the last answer of those that came, such as one after ``100 Continue``."""
    line, *lines = heads.strip().split("\r\n\r\n")[-1].split("\r\n")
    pairs = [each.partition(":") for each in lines]
    return Answer(int(line.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
