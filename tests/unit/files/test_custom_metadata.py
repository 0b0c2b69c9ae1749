"""Which attribute names may be set and removed."""

from __future__ import annotations

import pytest

from onedata.errors import Errno, Posix
from op_worker.files.metadata.custom import changed_xattrs, normalised
from op_worker.files.model import REMOVED, UNSET, Json, MetadataChange


@pytest.mark.parametrize(
    ("change", "errno"),
    [
        (MetadataChange(set_xattrs={"onedata_x": 1}), Errno.EPERM),
        (MetadataChange(set_xattrs={"cdmi_x": 1}), Errno.EPERM),
        (MetadataChange(replace_user_xattrs={"cdmi_acl": []}), Errno.EPERM),
        (MetadataChange(set_xattrs={"cdmi_acl": [{}] * 1025}), Errno.E2BIG),
        (MetadataChange(set_xattrs={"onedata_rdf": 5}), Errno.EINVAL),
        (MetadataChange(set_xattrs={"": 1}), Errno.EINVAL),
        (MetadataChange(set_xattrs={"a\0b": 1}), Errno.EINVAL),
        (MetadataChange(set_xattrs={"\ud800": 1}), Errno.EINVAL),
        (MetadataChange(set_xattrs={"x" * 256: 1}), Errno.ENAMETOOLONG),
        (MetadataChange(replace_user_xattrs={"cdmi_mimetype": 1}), Errno.EPERM),
        (MetadataChange(remove_xattrs=["cdmi_mimetype"]), Errno.EPERM),
        (MetadataChange(remove_xattrs=["onedata_x"]), Errno.EPERM),
    ],
)
def test_reserved_and_impossible_names_are_refused(change: MetadataChange, errno: Errno) -> None:
    with pytest.raises(Posix) as refused:
        normalised(change)
    assert refused.value.errno is errno


def test_names_that_stand_for_documents_become_documents() -> None:
    given: dict[str, Json] = {"onedata_json": [1], "onedata_rdf": "<r/>", "cdmi_acl": [], "k": 1}
    change = normalised(MetadataChange(set_xattrs=given))
    assert (change.json, change.rdf, change.acl, change.set_xattrs) == ([1], b"<r/>", (), {"k": 1})
    change = normalised(MetadataChange(remove_xattrs=["onedata_json", "onedata_rdf", "cdmi_acl", "k"]))
    assert (change.json, change.rdf, change.acl) == (REMOVED, REMOVED, REMOVED)
    assert change.remove_xattrs == ("k",)
    assert normalised(MetadataChange()).json is UNSET
    assert normalised(MetadataChange()).acl is UNSET


def test_replacing_drops_user_names_only() -> None:
    stored: dict[str, Json] = {"a": 1, "cdmi_mimetype": "m"}
    change = MetadataChange(replace_user_xattrs={"b": 2}, set_xattrs={"c": 3})
    assert changed_xattrs(stored, change) == {"cdmi_mimetype": "m", "b": 2, "c": 3}
