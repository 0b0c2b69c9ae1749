"""The requests of the load, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

from attrs import field, frozen

from tests.faults.attempts import Outcome
from tests.faults.connection import Reply

_CDMI = {"X-CDMI-Specification-Version": "1.1.1"}
_OBJECT = {**_CDMI, "Content-Type": "application/cdmi-object"}
_FRESH = {"Cache-Control": "no-cache"}
TAG = "tag"
"""The metadata item that is written."""


@frozen(kw_only=True)
class Ask:
    """One request. ``kind`` is the word for it in results."""

    kind: str
    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = {}


@frozen
class Requests:
    """Requests about files of one space."""

    space_name: str
    space_id: str

    def make_folder(self, path: str) -> Ask:
        """Make a folder; refused when it is there."""
        return Ask(kind="folder", method="PUT", path=f"{self._cdmi(path)}/")

    def upload(self, path: str, content: bytes) -> Ask:
        """Put the whole content of a file, which may be there already."""
        return Ask(kind="upload", method="PUT", path=self._cdmi(path), body=content)

    def create(self, path: str, content: bytes) -> Ask:
        """Make a file with its content by REST; refused when there is one."""
        rest = f"/api/v3/oneprovider/data/{self.space_id}/path/{quote(path)}"
        headers = {"Content-Type": "application/octet-stream"}
        return Ask(kind="upload", method="PUT", path=rest, body=content, headers=headers)

    def read(self, path: str) -> Ask:
        """Get the content."""
        return Ask(kind="read", method="GET", path=self._cdmi(path), headers=_FRESH)

    def put_tag(self, path: str, tag: str) -> Ask:
        """Set the metadata item."""
        body = json.dumps({"metadata": {TAG: tag}}).encode()
        where = f"{self._cdmi(path)}?metadata:{TAG}"
        return Ask(kind="metadata", method="PUT", path=where, body=body, headers=_OBJECT)

    def read_tag(self, path: str) -> Ask:
        """Get the metadata item."""
        where = f"{self._cdmi(path)}?metadata:{TAG}"
        return Ask(kind="metadata", method="GET", path=where, headers={**_CDMI, **_FRESH})

    def rename(self, path: str, goal: str) -> Ask:
        """Move a file to a name that is free."""
        body = json.dumps({"move": f"/{self.space_name}/{path}"}).encode()
        return Ask(kind="rename", method="PUT", path=self._cdmi(goal), body=body, headers=_OBJECT)

    def remove(self, path: str) -> Ask:
        """Remove a file."""
        return Ask(kind="remove", method="DELETE", path=self._cdmi(path))

    def _cdmi(self, path: str) -> str:
        return f"/cdmi/{self.space_name}/{quote(path)}"


def outcome(reply: Reply) -> Outcome:
    """Return what an answer tells: 2xx is done, 4xx is without effect, anything else leaves it open."""
    if reply.status < 300:
        return Outcome.DONE
    if b'"enospc"' in reply.body:
        return Outcome.UNABLE
    return Outcome.REFUSED if 400 <= reply.status < 500 else Outcome.UNKNOWN


def tag_in(body: bytes) -> str | None:
    """Return the metadata item of an answer to ``read_tag``."""
    found = json.loads(body)["metadata"].get(TAG)
    return None if found is None else str(found)
