"""Shares: the list of a space, the list of their ends, their records and the files that mention them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve, frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Check,
    Document,
    Engine,
    Key,
    Link,
    Put,
    Scope,
    Step,
    Unlink,
)
from onedata.ids import SpaceId
from op_worker.files.stored.documents import META
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.share_records import DUE, RECORD, SHARES, Share
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.mend import Mend
from op_worker.fsck.rules import readable

_PAGE = 1000


@frozen(eq=False)
class ShareLooks:
    """Looks at the shares of a space. Every method may raise PersistenceError."""

    _engine: Engine
    _space_id: SpaceId

    async def suspects(self) -> AsyncIterator[Finding]:
        """Tell every entry of both lists that is worth a look."""
        for directory in (SHARES, DUE):
            after: bytes | None = None
            while page := await self._engine.page(self._scope, directory, after, _PAGE, (RECORD,)):
                after = page[-1].entry.name
                for item in page:
                    yield Finding(Code.SHARE, item.key, directory, item.entry.name)

    async def look(self, finding: Finding) -> Mend | None:
        """Return how an entry of a list, or a file's mention, is repaired; ``None`` when it is right."""
        record = (await self._engine.get(self._scope, Key(finding.key), [RECORD])).get(RECORD)
        if finding.place == DUE:
            return await self._end(finding, record)
        if finding.place == SHARES:
            return await self._listed(finding, record)
        return await self._mentioned(finding, record)

    @property
    def _scope(self) -> Scope:
        return Scope(self._space_id)

    def _decoded(self, finding: Finding, record: Document) -> Share:
        return Share.decode(self._space_id, finding.key.removeprefix("share_"), record.data)

    async def _end(self, finding: Finding, record: Document | None) -> Mend | None:
        value = await self._engine.lookup(self._scope, DUE, finding.name)
        share = None if record is None else self._decoded(finding, record)
        if value is None or (share is not None and share.due_name == finding.name):
            return None
        as_read = Check(Key(finding.key), RECORD, ABSENT if record is None else record.revision)
        return Mend(steps=[Unlink(DUE, finding.name, value), as_read])

    async def _listed(self, finding: Finding, record: Document | None) -> Mend | None:
        value = await self._engine.lookup(self._scope, SHARES, finding.name)
        if value is None:
            return None
        if record is None:
            unlisted = Unlink(SHARES, finding.name, value)
            return Mend(steps=[unlisted, Check(Key(finding.key), RECORD, ABSENT)])
        share = self._decoded(finding, record)
        steps: list[Step] = []
        file = Node(share.file_key, "", await self._engine.get(self._scope, share.file_key, [META]))
        if (
            file.exists
            and readable(file.key, file.documents) is None
            and share.share_id not in file.meta.shares
        ):
            meta = evolve(file.meta, shares=(*file.meta.shares, share.share_id)).encode()
            steps.append(Put(file.key, META, meta, file.revision(META)))
        due = share.due_name
        if due is not None and await self._engine.lookup(self._scope, DUE, due) is None:
            steps.append(Link(DUE, due, share.key.encode()))
        if not steps:
            return None
        return Mend(steps=[*steps, Check(share.key, RECORD, record.revision)])

    async def _mentioned(self, finding: Finding, record: Document | None) -> Mend | None:
        key, share_id = Key(finding.place), finding.name.decode()
        file = Node(key, "", await self._engine.get(self._scope, key, [META]))
        if not file.exists or share_id not in file.meta.shares:
            return None
        if record is None:
            meta = evolve(file.meta, shares=tuple(one for one in file.meta.shares if one != share_id))
            put = Put(key, META, meta.encode(), file.revision(META))
            return Mend(steps=[put, Check(Key(finding.key), RECORD, ABSENT)], announce=[key])
        if await self._engine.lookup(self._scope, SHARES, finding.name) is not None:
            return None
        listed = Link(SHARES, finding.name, finding.key.encode())
        return Mend(steps=[listed, Check(Key(finding.key), RECORD, record.revision)])
