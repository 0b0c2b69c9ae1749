"""Who calls and what there is in the tests of the CDMI door."""

from __future__ import annotations

from onedata.ids import ProviderId, SpaceId, StorageId, UserId
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller

PROVIDER = ProviderId("p" * 32)
SPACE, OTHER = SpaceId("5" * 32), SpaceId("6" * 32)
STORAGE = StorageId("7" * 32)
OWNER, MEMBER, STRANGER = UserId("a" * 32), UserId("b" * 32), UserId("c" * 32)
READ_ONLY = DataLimits(readonly=True, paths=(), object_ids=())
CALLERS = {
    "owner": Caller(OWNER),
    "member": Caller(MEMBER),
    "stranger": Caller(STRANGER),
    "reader": Caller(OWNER, READ_ONLY),
}
