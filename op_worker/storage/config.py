"""The section ``[storage]`` of the configuration."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import gt


@frozen(kw_only=True)
class StorageSection:
    """How storages are used and watched. Durations in seconds."""

    check_interval_s: float = field(
        default=300.0,
        validator=gt(0),
        metadata={"help": "Each node writes and reads a small file on each storage so often."},
    )
    recheck_interval_s: float = field(
        default=5.0,
        validator=gt(0),
        metadata={"help": "The same for a storage that the last check found unusable."},
    )
    buffers: bool = field(
        default=False,
        metadata={"help": "Join small writes in memory and read ahead, on storages of other machines."},
    )
