"""Bad input from outside: each kind has a documented answer, and nothing half-done stays visible."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import requests

from tests.support.environments import Raised, wait_until

API = "/api/v3/oneprovider"


class Asker:
    """Requests to the provider, by path below the API or CDMI root."""

    def __init__(self, environment: Raised, token: str | None) -> None:
        self.environment = environment
        self.base = f"https://{environment.address('krk')}"
        self.session = environment.session(token)

    def __call__(self, method: str, path: str, **options: object) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=20, **options)  # type: ignore[arg-type]

    def file_id(self, path: str) -> str:
        """The id of a file of the space ``first``."""
        answer = self("POST", f"{API}/lookup-file-id/first/{path}")
        assert answer.status_code == 200, answer.text
        file_id: str = answer.json()["fileId"]
        return file_id


@pytest.fixture
def ask(environment: Raised, token: str) -> Asker:
    return Asker(environment, token)


@pytest.fixture
def file_id(ask: Asker) -> Iterator[str]:
    """A file with the content ``0123456789``."""
    ask("PUT", "/cdmi/first/victim", data=b"0123456789")
    yield ask.file_id("victim")
    ask("DELETE", "/cdmi/first/victim")


def confined(environment: Raised, *caveats: dict[str, object]) -> str:
    """A token of anna with caveats added."""
    body = {"token": environment.token(), "caveats": list(caveats)}
    answer = environment.zone().request("POST", "/api/v3/onezone/tokens/confine", body)
    return str(answer.json()["token"])


def test_request_without_a_token_is_unauthorized_on_every_door(environment: Raised) -> None:
    nobody = Asker(environment, None)
    for path in (f"{API}/spaces", "/cdmi/first/", f"{API}/data/s1/children"):
        answer = nobody("GET", path, headers={"X-CDMI-Specification-Version": "1.1.1"})
        assert (answer.status_code, answer.json()["error"]["id"]) == (401, "unauthorized")


@pytest.mark.parametrize("token", ["nonsense", "x" * 5000, "MDAx"])
def test_undecodable_token_is_refused_as_a_bad_token(environment: Raised, token: str) -> None:
    answer = Asker(environment, token)("GET", f"{API}/spaces")
    assert answer.status_code == 401
    assert answer.json()["error"]["details"]["authError"]["id"] == "badToken"


def test_tampered_token_is_refused(environment: Raised) -> None:
    token = environment.token()
    answer = Asker(environment, token[:-6] + ("A" * 6 if token[-6:] != "A" * 6 else "B" * 6))(
        "GET", f"{API}/spaces"
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["details"]["authError"]["id"] in ("tokenInvalid", "badToken")


@pytest.mark.parametrize(
    "caveat",
    [
        {"type": "time", "validUntil": 1_000_000_000},
        {"type": "ip", "whitelist": ["192.0.2.1"]},
        {"type": "interface", "interface": "oneclient"},
        {"type": "service", "whitelist": ["opw-another"]},
        {"type": "consumer", "whitelist": ["usr-bert"]},
    ],
    ids=lambda caveat: str(caveat["type"]),
)
def test_token_whose_caveat_does_not_hold_is_refused(environment: Raised, caveat: dict[str, object]) -> None:
    answer = Asker(environment, confined(environment, caveat))("GET", f"{API}/spaces")
    assert answer.status_code == 401
    cause = answer.json()["error"]["details"]["authError"]
    assert cause["id"] in ("tokenCaveatUnverified", "tokenServiceForbidden")


def test_revoked_token_is_refused_within_seconds(environment: Raised) -> None:
    zone = environment.zone().as_user("anna", "password")
    made = zone.request("POST", "/api/v3/onezone/user/tokens/named", {"name": "to be revoked"}).json()
    ask = Asker(environment, made["token"])
    assert ask("GET", f"{API}/spaces").status_code == 200
    zone.request("PATCH", f"/api/v3/onezone/tokens/named/{made['tokenId']}", {"revoked": True})
    wait_until(lambda: ask("GET", f"{API}/spaces").status_code == 401, 5, "the revoked token is still good")


def test_path_confined_token_sees_and_writes_only_below_its_path(environment: Raised, ask: Asker) -> None:
    import base64

    ask("PUT", "/cdmi/first/open/")
    ask("PUT", "/cdmi/first/closed", data=b"secret")
    path = base64.b64encode(b"/s1/open").decode()
    guest = Asker(environment, confined(environment, {"type": "data.path", "whitelist": [path]}))
    assert guest("PUT", "/cdmi/first/open/mine", data=b"mine").status_code == 201
    assert guest("GET", "/cdmi/first/closed").status_code in (403, 404)
    assert guest("PUT", "/cdmi/first/other", data=b"x").status_code == 403
    listed = guest("GET", f"{API}/data/s1/children").json()["children"]
    assert [child["name"] for child in listed] == ["open"]


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "error"),
    [
        ("GET", "/data/{id}/children", {"data": b"{not json"}, 400, "malformedData"),
        ("GET", "/data/{id}", {"json": {"attributes": ["weather"]}}, 400, "badValueNotAllowed"),
        ("PUT", "/data/{id}/content?offset=-1", {"data": b"x"}, 400, "badValueTooLow"),
        ("PUT", "/data/{id}", {"json": {"mode": "9999"}}, 400, "badValueInteger"),
        ("PUT", "/data/{id}", {"json": {}}, 400, "missingRequiredValue"),
        ("GET", "/data/garbage", {}, 400, "spaceNotSupportedBy"),
        ("GET", "/data/{id}/children?limit=0", {}, 400, "badValueNotInRange"),
        ("PUT", "/data/{id}/metadata/json", {"data": b"{"}, 400, "badValueJSON"),
        ("PUT", "/data/s1/path/victim/below?type=REG", {}, 400, "posix"),
        ("PUT", f"/data/s1/path/{'n' * 256}?type=REG", {}, 400, "posix"),
        ("GET", "/spaces/nothing", {}, 403, "forbidden"),
    ],
)
def test_bad_rest_request_gets_its_typed_error(
    ask: Asker, file_id: str, method: str, path: str, options: dict[str, object], status: int, error: str
) -> None:
    if "json" in options or "data" in options:
        options = {**options, "headers": {"Content-Type": "application/json"}}
    if "content" in path:
        options = {**options, "headers": {"Content-Type": "application/octet-stream"}}
    answer = ask(method, API + path.format(id=file_id), **options)
    assert (answer.status_code, answer.json()["error"]["id"]) == (status, error), answer.text
    assert ask("GET", f"{API}/data/{file_id}/content").content == b"0123456789"


@pytest.mark.parametrize("value", ["unicorns", "bytes=5-2", "bytes=100-", "bytes:1-2"])
def test_unsatisfiable_range_is_416_with_the_size(ask: Asker, file_id: str, value: str) -> None:
    answer = ask("GET", f"{API}/data/{file_id}/content", headers={"Range": value})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10"


def test_unknown_method_and_media_type_are_405_and_415(ask: Asker, file_id: str) -> None:
    answer = ask("DELETE", f"{API}/data/{file_id}/content")
    assert answer.status_code == 405
    assert {"GET", "PUT"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
    wrong = ask("PUT", f"{API}/data/{file_id}/content", data=b"{}", headers={"Content-Type": "text/xml"})
    assert wrong.status_code == 415


def raw_upload(environment: Raised, token: str, name: str, announced: int, sent: bytes) -> None:
    """Announce a body, send only a part of it, and hang up."""
    host, _, port = environment.address("krk").partition(":")
    context = ssl.create_default_context(cafile=environment.ca_cert)
    with socket.create_connection((host, int(port or 443)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as link:
            head = f"PUT /cdmi/first/{name} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
            link.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + sent)
            time.sleep(0.3)  # the daemon is in the middle of the body


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_client_gone_in_the_middle_leaves_the_old_content_and_no_new_file(
    environment: Raised, ask: Asker, token: str, file_id: str, size: int
) -> None:
    raw_upload(environment, token, "victim", size + 1000, b"x" * size)
    raw_upload(environment, token, "newcomer", size + 1000, b"x" * size)
    staging = environment.storage() / "s1" / ".__onedata__staging"
    wait_until(
        lambda: not staging.exists() or all(file.name.startswith("~") for file in staging.iterdir()),
        10,
        "the broken upload stays staged",  # names with ~ belong to resumable uploads
    )
    assert ask("GET", f"{API}/data/{file_id}/content").content == b"0123456789"
    assert ask("GET", "/cdmi/first/newcomer").status_code == 404
    assert not (environment.storage() / "s1" / "newcomer").exists()


def test_refused_upload_is_answered_before_its_body_is_sent(environment: Raised) -> None:
    host, _, port = environment.address("krk").partition(":")
    context = ssl.create_default_context(cafile=environment.ca_cert)
    with socket.create_connection((host, int(port or 443)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as link:
            head = "PUT /cdmi/first/x HTTP/1.1\r\nHost: x\r\nX-Auth-Token: bad\r\n"
            link.sendall(f"{head}Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n".encode())
            assert link.recv(4096).startswith(b"HTTP/1.1 401")


def test_space_of_the_user_that_is_not_supported_here_is_listed_but_refused(
    environment: Raised, ask: Asker
) -> None:
    zone = environment.zone().as_user("anna", "password")
    made = zone.request("POST", "/api/v3/onezone/user/spaces", {"name": "elsewhere"})
    space_id = made.headers["location"].rpartition("/")[2]

    def is_listed() -> bool:
        return space_id in [space["spaceId"] for space in ask("GET", f"{API}/spaces").json()]

    wait_until(is_listed, 10, "the new space is not listed")
    for method, path in (
        ("GET", f"{API}/spaces/{space_id}"),
        ("POST", f"{API}/lookup-file-id/elsewhere/x"),
        ("GET", f"{API}/data/{space_id}/children"),
    ):
        answer = ask(method, path)
        assert (answer.status_code, answer.json()["error"]["id"]) == (400, "spaceNotSupportedBy"), answer.text
