"""``serialize``: a data object whose value is the canonical JSON of another resource."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import BadData
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import Answer, representation
from op_worker.http.cdmi.bodies.members import Encoding, ObjectBody
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import object_members, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest
from op_worker.http.cdmi.serialization.canonical import CanonicalStream

_MIMETYPE = "application/json"


@frozen(eq=False)
class Serializing:
    """Creates of data objects with a ``serialize`` member."""

    _files: FileService
    _locator: Locator

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        present: FileStat | None,
        body: ObjectBody,
        change: MetadataChange,
    ) -> Answer:
        """Answer a PUT with a ``serialize`` member; the object appears when its value is whole.

        Without metadata in the request it gets those of what is serialised.

        Raises:
            BadData: something is there already (key ``serialize``).
            Refused: 400, when the source is missing.
        """
        if present is not None:
            raise BadData("serialize", "only a new object can be made of what is serialised")
        source = await self._locator.whole_source(caller, body.serialize or "", request.host)
        if body.metadata is None:
            items = metadata.user_items(await self._locator.xattrs(caller, source))
            change = metadata.update(items, ())
        change = metadata.with_properties(
            change, mimetype=body.mimetype or _MIMETYPE, encoding=body.encoding or Encoding.UTF8
        )
        stream = CanonicalStream(self._files, self._locator, caller, Target(source.guid), request.is_gone)
        try:
            stat, _ = await self._files.replace_content(
                caller, target, stream, expected_b=None, create=CreateOptions(), metadata=change
            )
        finally:
            await stream.close()
        xattrs = await self._locator.changed_xattrs(caller, stat)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), 201)
