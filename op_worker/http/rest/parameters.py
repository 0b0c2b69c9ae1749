"""The parameters of the door's routes."""

from __future__ import annotations

from cluster_worker.http.params import (
    AnyText,
    Boolean,
    Choice,
    Integer,
    IntegerOr,
    JsonObject,
    Octal,
    Param,
    Text,
    TextList,
)
from op_worker.metrics.kinds import KINDS
from op_worker.metrics.series import STEPS
from op_worker.shares.rules import LATEST_END_S

ATTRIBUTES = (
    Param("attributes", TextList(), "Attributes to show."),
    Param("attribute", TextList(), "Deprecated: attributes to show, by their old names."),
)
LIMIT = Param("limit", Integer(1, 10000), "The most entries in the reply.", default=1000)
TOKEN = Param("token", Text(), "Continue after the reply that had this nextPageToken.")
FOLLOW = Param("follow_symlinks", Boolean(), "Use what a symbolic link leads to.", default=True)
OFFSET = Param("offset", Integer(low=0), "Write from this byte on.")
APPEND = Param("append", Boolean(), "Add the body at the end, in one piece.", default=False)
SIZE = (Param("size", Integer(low=0), "The new size in bytes.", required=True),)

MOST_LINKS = Param("limit", Integer(low=1), "The most ids in the reply.")

CHILDREN = (
    LIMIT,
    TOKEN,
    Param("index", Text(), "Start at the entry with this index or name."),
    Param("offset", Integer(-500, 500), "Move the start by this many entries.", default=0),
    Param("inclusive", Boolean(), "Whether the entry at index is shown.", default=True),
    Param(
        "tuneForLargeContinuousListing",
        Boolean(),
        "A hint that the whole directory will be listed.",
        default=False,
        aliases=("tune_for_large_continuous_listing",),
    ),
    *ATTRIBUTES,
)
RECURSIVE = (
    LIMIT,
    TOKEN,
    Param("prefix", Text(), "Show only paths that begin so."),
    Param("glob", Text(), "Show only paths that match: *, ? and [a-z] in a name, ** for any directories."),
    Param("start_after", Text(), "Start after this path."),
    Param("include_directories", Boolean(), "Show directories too.", default=False),
    *ATTRIBUTES,
)
CREATE = (
    Param("type", Choice(("REG", "DIR", "LNK", "SYMLNK")), "What to create.", default="REG"),
    Param("mode", Octal(0, 0o1777), "Permission bits in octal."),
    OFFSET,
    Param("target_file_id", Text(), "The file that a hard link is made to."),
    Param("target_file_path", Text(), "What a symbolic link holds."),
    Param("update_existing", Boolean(), "Keep an existing file and set its mode.", default=False),
)
CREATE_CHILD = (Param("name", Text(), "The name of the new file.", required=True), *CREATE)
CREATE_PARENTS = Param("create_parents", Boolean(), "Make missing directories on the way.", default=False)
CREATE_AT_PATH = (*CREATE, CREATE_PARENTS)
RESTORE = (
    Param("path", Text(), "Where to, below the root of the space; by default where it was."),
    CREATE_PARENTS,
)
MODE = (Param("mode", Octal(0, 0o1777), "Permission bits in octal.", required=True),)

RESOLVE = Param("resolve_symlink", Boolean(), "Use what a symbolic link leads to.", default=True)
INHERITED = Param("inherited", Boolean(), "Merge what ancestors have.", default=False)
XATTRS = (
    RESOLVE,
    Param("attribute", Text(), "Show only this one."),
    INHERITED,
    Param("show_internal", Boolean(), "Show those of the system too.", default=False),
)
KEYS = (RESOLVE, Param("keys", TextList(or_one=False), "Names to remove.", required=True))
FILTER = (
    RESOLVE,
    Param("filter_type", Choice(("keypath",)), "How filter is written."),
    Param("filter", Text(), "A part of the document, such as a.b.[2].c."),
)
JSON_READ = (*FILTER, INHERITED)

_FLAGS = "data_protection, metadata_protection"
PROTECTION = (
    Param("set", TextList(), f"Flags to set: {_FLAGS}."),
    Param("unset", TextList(), f"Flags to unset: {_FLAGS}."),
)
HOLDS = (Param("hold", TextList(), "Holds to release."),)
EXPLAIN = (
    Param("operation", TextList(), "Operations to explain, such as read_object; all by default."),
    Param("userId", Text(), "The user to explain for; oneself by default."),
)

SPACE_SETTINGS = (
    Param("accessTimes", Choice(("never", "relative")), "When reading changes the access time."),
    Param("recycleDays", Integer(0, 3650), "How long removed files can be restored; 0 is not at all."),
    Param("statistics", Boolean(), "Whether statistics of directories are kept."),
    Param("search", Boolean(), "Whether the space can be searched."),
)

CHANGES = (
    Param("timeout", IntegerOr("infinity", low=0), "End after so many milliseconds without a change."),
    Param("last_seq", IntegerOr("now", low=0), "Begin after this number; by default with what comes."),
)
SEARCH = (
    Param("query", Text(), "What the files are like, in the language of docs/search.md.", required=True),
    Param("limit", Integer(1, 1000), "The most files in the reply.", default=100),
    TOKEN,
    Param(
        "order",
        Choice(tuple(sign + order for order in ("name", "size", "mtime", "created") for sign in ("", "-"))),
        "What the files are ordered by; with - the greatest first.",
        default="name",
    ),
    *ATTRIBUTES,
)
_SHARE_TERMS = (
    Param("description", AnyText(), "Text in Markdown."),
    Param("expires", Integer(0, LATEST_END_S), "When it ends, in seconds since the epoch; 0 is never."),
    Param("password", AnyText(), "What guests have to know; empty is nothing."),
)
SHARE_CREATE = (
    Param("name", Text(), "The name of the share.", required=True),
    Param("rootFileId", Text(), "The file or directory to share."),
    Param("fileId", Text(), "Deprecated: the same as rootFileId."),
    *_SHARE_TERMS,
)
SHARE_CHANGE = (Param("name", Text(), "The name of the share."), *_SHARE_TERMS)
SHARES = (Param("limit", Integer(1, 200), "The most entries in the reply.", default=100), TOKEN)
_SIZES = 2**53 - 1
QUOTA = (
    Param("size", Integer(0, _SIZES), "The most bytes."),
    Param("files", Integer(0, _SIZES), "The most regular files."),
)
STATISTICS = (
    Param(
        "mode", Choice(("layout", "slice")), "Which series there are, or values of some.", default="layout"
    ),
    Param("layout", JsonObject(), "The series wanted, each with a list of its metrics."),
    Param("startTimestamp", Integer(low=0), "The newest window begins then or before, in seconds."),
    Param("stopTimestamp", Integer(low=0), "The oldest window begins then or later, in seconds."),
    Param("windowLimit", Integer(1, 1000), "The most windows of each metric.", default=1000),
    Param("extendedInfo", Boolean(), "Show the first and the last change of each window too.", default=False),
)
_STEP = Param("step", Choice(tuple(STEPS)), "The resolution: 1m is a month of 31 days.", default="5m")
METRICS = (
    Param("metric", Choice(tuple(KINDS)), "Which metric.", required=True),
    _STEP,
)
USER_METRICS = (
    Param(
        "metric",
        Choice(tuple(name for name, kind in KINDS.items() if kind.is_per_user)),
        "Which metric.",
        required=True,
    ),
    _STEP,
)
