"""``reference`` members: objects that lead clients to another URI, kept as symbolic links."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import BadData
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import CREATED, Answer
from op_worker.http.cdmi.requests.references import reference_uri
from op_worker.http.cdmi.requests.request import CdmiRequest


@frozen(eq=False)
class References:
    """Makes references."""

    _files: FileService

    async def make(
        self, caller: Caller, request: CdmiRequest, target: Target, present: FileStat | None, sent: str
    ) -> Answer:
        """Answer a request with a ``reference`` member.

        Args:
            present: what is at the target already.

        Raises:
            BadData: something is there, or ``sent`` is no URI to refer to (key ``reference``).
        """
        if present is not None:
            raise BadData("reference", "what is there already cannot become a reference")
        uri = reference_uri(sent, request.origin)
        await self._files.create_symlink(caller, target, CreateOptions(symlink_target=uri))
        return CREATED
