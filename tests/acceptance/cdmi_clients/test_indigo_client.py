"""Every command of INDIGO's interactive CDMI client, against a real site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cdmi_cli import CdmiCli, install, interpreters
from tests.support.environments import Raised

COMMANDS = {"?", "help", "open", "close", "query", "qos", "exit", "quit", "auth"}
INTERPRETERS = interpreters()


@pytest.fixture(scope="module", params=list(INTERPRETERS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An interpreter, and the folder with the client for it."""
    python, folder = INTERPRETERS[request.param], tmp_path_factory.mktemp("cdmi-client")
    install(python, folder)
    return python, folder


@pytest.fixture
def cli(installed: tuple[str, Path]) -> Iterator[CdmiCli]:
    """A client that was just started."""
    started = CdmiCli(*installed)
    yield started
    started.kill()


@pytest.fixture
def home(environment: Raised, token: str) -> Iterator[str]:
    """A container with an object, by its path on the host."""
    session, base = environment.session(token), f"https://{environment.address('krk')}"
    session.put(f"{base}/cdmi/first/indigo/")
    session.put(f"{base}/cdmi/first/indigo/test.txt", data=b"text", headers={"Content-Type": "text/plain"})
    yield "cdmi/first/indigo/"
    session.delete(f"{base}/cdmi/first/indigo/")


@pytest.fixture
def opened(cli: CdmiCli, environment: Raised) -> CdmiCli:
    """A client that knows the host."""
    host, _, port = environment.address("krk").partition(":")
    assert cli.type(f"open {host} {port or 443}") == ""
    return cli


def test_queries_show_every_member_the_client_knows(opened: CdmiCli, home: str, token: str) -> None:
    assert opened.type(f"auth oidc {token}") == ""
    container = shown(opened.type(f"query {home}"))
    assert container["Object name"] == "indigo/"
    assert container["Object type"] == "application/cdmi-container"
    assert container["Capabilities URI"] == "cdmi_capabilities/container/"
    assert container["Completion status"] == "Complete"
    assert "test.txt" in opened.type(f"query {home} all")
    found = shown(opened.type(f"query /{home}test.txt"))
    assert found["MIME type"] == "text/plain"
    assert found["Parent URI"] == "/first/indigo/"
    asked = {"Object ID", "Parent ID", "Parent URI", "Domain URI", "Capabilities URI", "Completion status"}
    assert all(each[name] not in ("None", "") for each in (container, found) for name in asked)


def test_query_without_the_slash_is_led_to_the_container(opened: CdmiCli, home: str, token: str) -> None:
    opened.type(f"auth oidc {token}")
    assert json.loads(opened.type(f"query {home.rstrip('/')} json"))["objectName"] == "indigo/"


def test_capabilities_can_be_queried(opened: CdmiCli, token: str) -> None:
    opened.type(f"auth oidc {token}")
    tree = json.loads(opened.type("query cdmi/cdmi_capabilities/ json"))
    assert {"container/", "dataobject/"} <= set(tree["children"])
    plain = shown(opened.type("query cdmi/cdmi_capabilities/dataobject/ all"))
    assert plain["Object type"] == "application/cdmi-capability"


def test_quality_of_service_is_set_to_what_an_object_has(opened: CdmiCli, home: str, token: str) -> None:
    opened.sign_in("anna", token)
    for path, uri in ((home, "container"), (f"{home}test.txt", "dataobject")):
        assert "transition committed" in opened.type(f"qos {path} cdmi_capabilities/{uri}")
    assert "wrong capabilities URI format" in opened.type(f"qos {home} cdmi_capabilities/nothing")


def test_refusals_are_told_as_the_client_expects_them(opened: CdmiCli, home: str, token: str) -> None:
    assert "provide authorization first" in opened.type(f"query {home}")
    opened.type("auth oidc nonsense")
    assert opened.type(f"query {home}") == "!not authorized\n"
    opened.type(f"auth oidc {token}")
    assert opened.type(f"query {home}nothing") == "!not found\n"
    # with a token the client names the header "Authentication", which means nothing in HTTP
    assert opened.type(f"qos {home} cdmi_capabilities/container") == "!not authorized\n"
    opened.sign_in("anna", "wrong")
    assert opened.type(f"query {home}") == "!not authorized\n"


def test_help_and_the_other_commands_work(cli: CdmiCli) -> None:
    assert all(f"{command:6} -" in cli.type("?") for command in COMMANDS)
    assert all(cli.type(f"help {command}") for command in COMMANDS)
    assert "usage:" in cli.type("open") and "usage:" in cli.type("query") and "usage:" in cli.type("qos")
    assert "unknown command" in cli.type("nonsense")
    assert cli.type("close") == ""
    assert "open a connection" in cli.type("query /")
    assert cli.leave("quit") == 0


def test_address_can_be_given_when_it_is_started(
    installed: tuple[str, Path], environment: Raised, home: str, token: str
) -> None:
    host, _, port = environment.address("krk").partition(":")
    cli = CdmiCli(*installed, ["-d", "-s", host, "-p", port or "443"])
    cli.type(f"auth oidc {token}")
    assert "status code: 200" in cli.type(f"query {home}")
    assert cli.leave("exit") == 0


def shown(printed: str) -> dict[str, str]:
    """Return what a query prints, by its label."""
    lines = [line.partition(":") for line in printed.splitlines() if ":" in line]
    return {label.strip(): value.strip() for label, _, value in lines}
