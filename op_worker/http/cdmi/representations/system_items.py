"""Storage system metadata of CDMI (clause 16.3): read-only, told by the file itself. Pure."""

from __future__ import annotations

from op_worker.files.model import FileStat, Json
from op_worker.files.rules.moments import timestamp


def system_items(stat: FileStat) -> dict[str, Json]:
    """Return the storage system metadata of a file."""
    return {
        "cdmi_size": str(stat.size_b),
        "cdmi_ctime": timestamp(stat.created_s),
        "cdmi_atime": timestamp(stat.atime_s),
        "cdmi_mtime": timestamp(stat.mtime_s),
        "cdmi_owner": stat.owner,
    }
