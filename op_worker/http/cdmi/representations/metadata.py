"""CDMI metadata as doors need it: what is shown, what an update changes, which limits hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from op_worker.files.acl import Acl
from op_worker.files.model import (
    REMOVED,
    UNSET,
    CreateOptions,
    FileStat,
    Json,
    MetadataChange,
    Removed,
    Unset,
)
from op_worker.files.rights.acl_forms import parse_cdmi_acl
from op_worker.files.rules.moments import timestamp as timestamp
from op_worker.http.cdmi.representations.data_system_items import (
    immutability_change,
    is_data_system_item,
    refuse_not_offered,
    wish_changes,
)
from op_worker.http.cdmi.representations.properties import COMPLETE as COMPLETE
from op_worker.http.cdmi.representations.properties import COMPLETION as COMPLETION
from op_worker.http.cdmi.representations.properties import DEFAULT_MIMETYPE as DEFAULT_MIMETYPE
from op_worker.http.cdmi.representations.properties import ENCODING as ENCODING
from op_worker.http.cdmi.representations.properties import MIMETYPE as MIMETYPE
from op_worker.http.cdmi.representations.properties import OTHERS as OTHERS
from op_worker.http.cdmi.representations.properties import PROCESSING as PROCESSING
from op_worker.http.cdmi.representations.properties import completion_of as completion_of
from op_worker.http.cdmi.representations.properties import encoding_of as encoding_of
from op_worker.http.cdmi.representations.properties import merged as merged
from op_worker.http.cdmi.representations.properties import mimetype_of as mimetype_of
from op_worker.http.cdmi.representations.properties import others_of as others_of
from op_worker.http.cdmi.representations.properties import retyped as retyped
from op_worker.http.cdmi.representations.properties import with_others as with_others
from op_worker.http.cdmi.representations.properties import with_properties as with_properties
from op_worker.http.cdmi.representations.properties import written as written
from op_worker.http.cdmi.representations.system_items import system_items
from op_worker.http.cdmi.representations.user_items import MAX_ITEM_B as MAX_ITEM_B
from op_worker.http.cdmi.representations.user_items import MAX_ITEMS as MAX_ITEMS
from op_worker.http.cdmi.representations.user_items import MAX_NAME_B as MAX_NAME_B
from op_worker.http.cdmi.representations.user_items import MAX_TOTAL_B as MAX_TOTAL_B
from op_worker.http.cdmi.representations.user_items import after as after
from op_worker.http.cdmi.representations.user_items import check_limits as check_limits
from op_worker.http.cdmi.representations.user_items import named, replaced
from op_worker.http.cdmi.representations.user_items import user_items as user_items
from op_worker.http.cdmi.requests.addresses import RESERVED_PREFIX

ACL = "cdmi_acl"


def shown_items(stat: FileStat, xattrs: Mapping[str, Json], prefixes: tuple[str, ...]) -> dict[str, Json]:
    """Return the ``metadata`` member: user items, then those of the system; with prefixes what starts so.

    ``xattrs`` holds what ``Locator`` adds to the attributes, too: the list, and data system metadata.
    """
    items = {**user_items(xattrs), **system_items(stat)}
    items.update((name, value) for name, value in xattrs.items() if is_data_system_item(name))
    if ACL in xattrs:
        items[ACL] = xattrs[ACL]
    if not prefixes:
        return items
    return {name: value for name, value in items.items() if name.startswith(prefixes)}


def update(sent: Mapping[str, Json] | None, names: Iterable[str]) -> MetadataChange:
    """Return what a request changes by the rules of clause 16.6.

    Args:
        sent: the ``metadata`` member; ``None`` when there was none.
        names: the items named in the URI; without any, ``sent`` replaces all user items.

    An access control list, and each item of data system metadata, stays unless it is sent, or named and not
    sent.

    Raises:
        Posix: EPERM for a name that belongs to the system; E2BIG for an ACL of too many entries.
        BadData: RDF that is no text, an item or all of them beyond the limits (key ``metadata``); an ACL that
            is none (key ``acl``); an item of the system that is not offered, or wrong (its name).
    """
    wanted = tuple(names)
    items = {} if sent is None else sent
    if wanted:
        chosen = {name: items[name] for name in wanted if name in items}
        change = named(items, [name for name in wanted if not name.startswith(RESERVED_PREFIX)])
        change = evolve(change, acl=_acl(items, when_missing=REMOVED)) if ACL in wanted else change
        return _with_rules(change, chosen, [name for name in wanted if name not in items])
    if sent is None:
        return MetadataChange()
    change = evolve(replaced(user_items(items)), acl=_acl(items, when_missing=UNSET))
    return _with_rules(change, items, ())


def at_creation(change: MetadataChange) -> tuple[CreateOptions, MetadataChange]:
    """Return how to create a file that gets this change, and what is left to change then."""
    acl = change.acl if isinstance(change.acl, tuple) else None
    return CreateOptions(acl=acl), evolve(change, acl=UNSET)


def _with_rules(change: MetadataChange, items: Mapping[str, Json], removed: Iterable[str]) -> MetadataChange:
    refuse_not_offered(items.keys())
    gone = frozenset(removed)
    return evolve(change, immutability=immutability_change(items, gone), wishes=wish_changes(items, gone))


def _acl(items: Mapping[str, Json], when_missing: Unset | Removed) -> Acl | Unset | Removed:
    return parse_cdmi_acl(items[ACL]) if ACL in items else when_missing
