"""Requests to a CDMI door as nobody should send them: strategies for hypothesis."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen
from hypothesis import strategies as st

from onedata.ids import FileGuid, FileUuid, SpaceId

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PROPFIND")
KINDS = ("object", "container", "capability", "domain", "queue", "nonsense")
FIELDS = (
    "objectType", "objectID", "objectName", "parentURI", "parentID", "domainURI", "capabilitiesURI",
    "completionStatus", "percentComplete", "mimetype", "metadata", "valuerange", "valuetransferencoding",
    "value", "values", "children", "childrenrange", "exports", "snapshots", "queueValues", "capabilities",
)  # fmt: skip
MEMBERS = (
    "value", "valuetransferencoding", "mimetype", "metadata", "copy", "move", "reference", "serialize",
    "deserialize", "deserializevalue", "domainURI", "exports", "snapshot", "capabilitiesURI", "children",
    "objectID", "own",
)  # fmt: skip
SYSTEM_ITEMS = (
    "cdmi_acl", "cdmi_size", "cdmi_owner", "cdmi_hold_id", "cdmi_retention_period", "cdmi_retention_id",
    "cdmi_retention_autodelete", "cdmi_value_hash", "cdmi_queue_type", "cdmi_scope_specification",
    "cdmi_results_specification", "cdmi_notification_events", "cdmi_domain_enabled", "onedata_json",
    "onedata_rdf", "cdmi_versioning", "cdmi_geographic_placement", "cdmi_mimetype",
)  # fmt: skip
_RAW = "raw:"
_NUMBERS = (
    "1e400",
    "-1e400",
    "1" * 5000,
    "0." + "1" * 5000,
    "1E-99999",
    "NaN",
    "-Infinity",
    "01",
    "1.",
    "- 1",
)


@frozen
class Asked:
    """One request. ``path`` is as it is sent, with its query."""

    method: str
    path: bytes
    headers: Mapping[str, bytes]
    body: bytes

    def raw(self, *, keep: bool) -> bytes:
        """Return the bytes that go over the wire; ``keep`` leaves the connection open."""
        headers = {"Host": b"localhost", **self.headers, "Connection": b"keep-alive" if keep else b"close"}
        if self.body or self.method in ("PUT", "POST"):
            headers["Content-Length"] = b"%d" % len(self.body)
        lines = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in headers.items())
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (self.method.encode(), self.path, lines, self.body)


def _texts() -> st.SearchStrategy[str]:
    odd = (
        "",
        "/",
        "\0",
        "..",
        "%",
        "%zz",
        "\ud800",
        "\udfff\ud800",
        "\u202e",
        "e\u0301",
        "\U0001f600",
        "a" * 300,
    )
    return st.one_of(st.sampled_from(odd), st.text(max_size=12), st.text("az/.-_:;?#%", max_size=20))


def _uris(paths: Sequence[str]) -> st.SearchStrategy[str]:
    known = st.sampled_from([path.removeprefix("/cdmi") for path in paths])
    around = (
        "",
        "/cdmi",
        "https://localhost/cdmi",
        "http://[",
        "https://elsewhere/cdmi",
        "ftp://x",
        "?value:1-0",
    )
    prefixed = st.builds(lambda prefix, path: prefix + path, st.sampled_from(around), known)
    return st.one_of(known, prefixed, st.builds(lambda path, text: path + text, known, _texts()), _texts())


def _json(paths: Sequence[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([_RAW + number for number in _NUMBERS]),
        st.floats(allow_nan=False),
        _texts(),
        _uris(paths),
        st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode()),
        st.sampled_from(["utf-8", "base64", "json", "====", "YQ=", "text/plain", "0-1", "SHA256", "true"]),
        st.sampled_from(["2026-01-01T00:00:00Z/2027-01-01T00:00:00Z", "9999-99-99T99:99:99Z/x", "P1D"]),
    )
    names = st.one_of(_texts(), st.sampled_from([*SYSTEM_ITEMS, *MEMBERS, *FIELDS, "acetype", "identifier"]))
    ace = st.fixed_dictionaries(
        {
            "acetype": st.sampled_from(["ALLOW", "0x0", "0xZZ", "DENY", 5]),
            "identifier": st.one_of(st.sampled_from(["OWNER@", "EVERYONE@", "x#y", ""]), leaves),
            "aceflags": st.sampled_from(["0x0", "NO_FLAGS", "0x" + "F" * 99, []]),
            "acemask": st.sampled_from(["0x7019B", "READ_OBJECT", "RW_ALL, NOTHING", None]),
        }
    )
    deep = st.integers(1, 3000).map(lambda depth: _RAW + "[" * depth + "]" * depth)
    return st.recursive(
        st.one_of(leaves, ace, deep),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
        max_leaves=6,
    )


def _bodies(paths: Sequence[str]) -> st.SearchStrategy[bytes]:
    metadata = st.dictionaries(st.one_of(st.sampled_from(SYSTEM_ITEMS), _texts()), _json(paths), max_size=3)
    references = st.sampled_from(("copy", "move", "reference", "serialize", "deserialize", "domainURI"))
    document = st.one_of(
        st.fixed_dictionaries({}, optional={member: _json(paths) for member in MEMBERS[:4]}),
        st.fixed_dictionaries({"metadata": metadata}, optional={"value": _json(paths)}),
        st.dictionaries(st.sampled_from(MEMBERS), _json(paths), max_size=3),
        st.dictionaries(references, _uris(paths), min_size=1, max_size=2),
        st.fixed_dictionaries({"value": st.lists(_json(paths), max_size=3)}),
        _json(paths),
    ).map(_dumped)
    cut = st.builds(lambda text, at: text[: at % (len(text) + 1)], document, st.integers(0, 10**6))
    flipped = st.builds(_flipped, document, st.integers(0, 10**6), st.integers(0, 255))
    return st.one_of(document, document, cut, flipped, st.binary(max_size=40), _multipart(document))


def _multipart(document: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    heads = st.sampled_from(
        (
            b"Content-Type: application/cdmi-object",
            b"Content-Type: application/cdmi-queue",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Type: application/octet-stream\r\nContent-Range: bytes 0-1/*",
            b"Content-Range: bytes 9-1/5",
            b"Content-Transfer-Encoding: base64",
            b"Content-Length: 99999",
            b"X: " + b"y" * 20000,
            b"\xff\x00",
            b"",
        )
    )
    part = st.builds(lambda head, text: b"--B\r\n" + head + b"\r\n\r\n" + text + b"\r\n", heads, document)
    ends = st.sampled_from((b"--B--\r\n", b"--B--", b"--B\r\n", b"", b"--C--"))
    return st.builds(lambda parts, end: b"".join(parts) + end, st.lists(part, max_size=4), ends)


def _object_ids(known: Sequence[str]) -> st.SearchStrategy[str]:
    some = st.sampled_from(known)
    made = st.builds(
        lambda uuid, space: FileGuid(FileUuid(uuid), SpaceId(space)).object_id(),
        st.text("0123456789abcdef_", min_size=1, max_size=40),
        st.text("0123456789abcdef", min_size=1, max_size=40),
    )
    return st.one_of(
        some,
        some.map(str.lower),
        st.builds(lambda text, at: text[: at % (len(text) + 1)], some, st.integers(0, 999)),
        st.builds(lambda text, at: _digit_changed(text, at), some, st.integers(0, 999)),
        st.text("0123456789ABCDEFabcdef", max_size=700),
        made,
        _texts().map(lambda text: quote(text, safe="", errors="surrogatepass")),
    )


def _paths(paths: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[str]:
    known = st.sampled_from(paths)
    segment = _texts().map(lambda text: quote(text, safe="", errors="surrogatepass"))
    reserved = st.sampled_from(
        (
            "cdmi_capabilities/",
            "cdmi_capabilities/container",
            "cdmi_domains/",
            "cdmi_objectid/",
            "cdmi_snapshots/x/",
        )
    )
    return st.one_of(
        known,
        known.map(lambda path: path + "/"),
        known.map(lambda path: path.rstrip("/")),
        st.builds(lambda path, name: f"{path}/{name}", known, segment),
        st.builds(lambda path, name: f"{path}/{name}/", known, segment),
        st.builds(lambda path, name: f"{path}/{name}", known, reserved),
        st.builds(
            lambda object_id, rest: f"/cdmi/cdmi_objectid/{object_id}{rest}",
            _object_ids(ids),
            st.sampled_from(("", "/", "/f", "/f/", "//x")),
        ),
        reserved.map(lambda path: "/cdmi/" + path),
    )


def _queries() -> st.SearchStrategy[bytes]:
    span = st.one_of(
        st.builds(lambda first, last: b"%d-%d" % (first, last), st.integers(0, 20), st.integers(0, 20)),
        st.sampled_from(
            (b"0-" + b"9" * 400, b"-", b"a-b", b"1-2-3", b"", b"5", b"9" * 18 + b"-" + b"9" * 18)
        ),
    )
    escaped = _texts().map(lambda text: quote(text, safe="", errors="surrogatepass").encode())
    item = st.one_of(
        st.sampled_from(FIELDS).map(str.encode),
        st.builds(
            lambda name, at: name + b":" + at, st.sampled_from((b"value", b"children", b"values")), span
        ),
        st.builds(
            lambda name: b"metadata:" + name,
            st.one_of(escaped, st.sampled_from(SYSTEM_ITEMS).map(str.encode)),
        ),
        st.sampled_from((b":", b"::", b"%", b"%FF", b"a=b&c", b"exports:protocol=x,user=", b"x" * 3000)),
        escaped,
    )
    joined = st.lists(item, min_size=1, max_size=3).map(b";".join)
    return st.one_of(st.just(b""), st.just(b""), joined.map(lambda text: b"?" + text))


def _mostly(usual: bytes, others: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return nine times in ten what lets the rest of a request be looked at."""
    return st.integers(0, 9).flatmap(lambda die: st.just(usual) if die else st.sampled_from(others))


def _headers() -> st.SearchStrategy[dict[str, bytes]]:
    cdmi = st.sampled_from(KINDS).map(lambda kind: f"application/cdmi-{kind}".encode())
    types = st.one_of(
        cdmi,
        cdmi,
        st.sampled_from(
            (b"multipart/mixed; boundary=B", b"multipart/mixed", b"multipart/form-data; boundary=B")
        ),
        st.sampled_from((b"text/plain", b"text/plain;charset=utf-8", b"application/cdmi-object+json")),
        st.sampled_from((b";;;=", b"\xff\xfe", b"x" * 5000)),
    )
    versions = _mostly(b"1.1.1", (b"1.1", b"2.0, 1.1.1", b"1.0.2", b"", b",", b"\xff", b"1" * 3000))
    ranges = (
        b"bytes=0-1",
        b"bytes=-",
        b"bytes=9-1",
        b"bytes=" + b"0-0," * 2000,
        b"\xff",
        b"bytes=0-" + b"9" * 500,
        b"x",
    )
    spans = (
        b"bytes 0-1/*",
        b"bytes 5-1/*",
        b"bytes 0-" + b"9" * 500 + b"/*",
        b"\xff",
        b"bytes 0-0/0",
        b"bytes 3-4/9",
    )
    tokens = _mostly(b"owner", (b"member", b"reader", b"stranger", b"bad", b"\xff", b"t" * 9000))
    odd = (b"*", b'"x"', b"W/", b"sha-256=:YQ==:", b"md5=", b"Tue, 99 Nov 2026", b"\xff" * 99, b"y" * 9000)
    optional = {
        "Content-Type": types,
        "X-CDMI-Specification-Version": versions,
        "Accept": st.one_of(
            types, st.sampled_from((b"*/*", b",,,", b"*/*;q=x", b"application/*;q=0", b"multipart/mixed"))
        ),
        "Range": st.sampled_from(ranges),
        "Content-Range": st.sampled_from(spans),
        "X-CDMI-Partial": st.sampled_from((b"true", b"false", b"\xff")),
        "Authorization": st.sampled_from(
            (b"Basic", b"Basic =", b"Bearer", b"Basic b3duZXI6b3duZXI=", b"Digest x")
        ),
        "Host": st.sampled_from((b"localhost", b"a b", b"\xff", b"[::1]:99", b"")),
        "Expect": st.sampled_from((b"100-continue", b"nothing")),
        **{
            name: st.sampled_from(odd)
            for name in ("If-Match", "If-None-Match", "If-Range", "Digest", "Content-MD5")
        },
        **{
            name: st.sampled_from(odd)
            for name in ("X-CDMI-MustEqual", "X-CDMI-Odd", "Prefer", "Want-Repr-Digest")
        },
    }
    usual = {"X-Auth-Token": tokens}
    typed = {**usual, "X-CDMI-Specification-Version": versions, "Content-Type": types}
    rest = {name: strategy for name, strategy in optional.items() if name not in typed}
    few = st.lists(st.sampled_from(sorted(rest)), max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: rest[name] for name in names})
    )
    base = st.one_of(st.fixed_dictionaries(typed), st.fixed_dictionaries(typed), st.fixed_dictionaries(usual))
    return st.builds(lambda one, other: {**one, **other}, base, few)


def requests(paths: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[Asked]:
    """Return requests about what there is at ``paths`` and has these ``ids``, and about what there is not."""
    return st.builds(
        _asked,
        st.sampled_from((*METHODS, *("PUT",) * 6, *("POST",) * 3, "GET", "GET")),
        _paths(paths, ids),
        _queries(),
        _headers(),
        st.one_of(st.just(b""), _bodies(paths)),
        st.integers(0, 3),
    )


def _asked(method: str, path: str, query: bytes, headers: dict[str, bytes], body: bytes, die: int) -> Asked:
    if die and method in ("PUT", "POST") and b"cdmi" in headers.get("Content-Type", b""):
        kind = b"container" if path.endswith("/") and method == "PUT" else b"object"
        headers = {**headers, "Content-Type": b"application/cdmi-" + kind}
    sent = path.encode("ascii", "replace").replace(b" ", b"%20")
    return Asked(method, sent + query, headers, body)


def _dumped(value: object) -> bytes:
    text = json.dumps(value)
    pieces = text.split(f'"{_RAW}')
    return "".join([pieces[0], *(piece.replace('"', "", 1) for piece in pieces[1:])]).encode()


def _flipped(text: bytes, at: int, byte: int) -> bytes:
    at %= len(text) + 1
    return text[:at] + bytes([byte]) + text[at + 1 :]


def _digit_changed(text: str, at: int) -> str:
    at %= len(text)
    return text[:at] + "0123456789ABCDEF"[(int(text[at], 16) + 1) % 16] + text[at + 1 :]
