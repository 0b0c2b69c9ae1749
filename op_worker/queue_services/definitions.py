"""What makes a queue one that the provider fills: its metadata items, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from attrs import field, frozen

from onedata.errors import (
    BadValueListNotAllowed,
    BadValueListOfStrings,
    BadValueNotAllowed,
    MissingRequiredValue,
    NotSupported,
)
from op_worker.files.model import Json
from op_worker.queue_services.events import Event
from op_worker.queue_services.expressions import KEY as SCOPE
from op_worker.queue_services.results import KEY as RESULTS
from op_worker.queue_services.results import Selection, parse_results
from op_worker.queue_services.scope import ScopeSpecification, parse_scope

TYPE = "cdmi_queue_type"
EVENTS = "cdmi_notification_events"
_LOGGING = "cdmi_logging_queue"


class ServiceType(StrEnum):
    """What fills a queue."""

    QUERY = "cdmi_query_queue"
    NOTIFICATION = "cdmi_notification_queue"

    @property
    def items(self) -> tuple[str, ...]:
        """The metadata items that a queue of this type has, besides its type."""
        return (SCOPE, RESULTS) if self is ServiceType.QUERY else (SCOPE, RESULTS, EVENTS)

    @property
    def status_item(self) -> str:
        return "cdmi_query_status" if self is ServiceType.QUERY else "cdmi_notification_status"


ITEMS = (TYPE, SCOPE, RESULTS, EVENTS)


@frozen
class Definition:
    """A checked definition. ``given`` are the items as they were sent, besides the type."""

    type: ServiceType
    given: Mapping[str, Json]
    scope: ScopeSpecification = field(eq=False)
    results: Selection = field(eq=False)
    events: frozenset[Event] = field(default=frozenset(), eq=False)

    @property
    def asks_for(self) -> frozenset[str]:
        """The members that are asked about by their names."""
        return self.scope.members | frozenset(self.results.names or ())


def parse_definition(items: Mapping[str, Json]) -> Definition:
    """Return the definition in metadata items, which have a ``cdmi_queue_type``.

    Raises:
        BadValueNotAllowed: a type that there is not; NotSupported for logging queues.
        MissingRequiredValue: an item that the type needs.
        BadData, BadValueListOfStrings, BadValueListNotAllowed: one of them is wrong (its name is the key).
    """
    sort = items[TYPE]
    if sort == _LOGGING:
        raise NotSupported
    if sort not in list(ServiceType):
        raise BadValueNotAllowed(TYPE, [one.value for one in ServiceType])
    type_ = ServiceType(str(sort))
    for name in type_.items:
        if name not in items:
            raise MissingRequiredValue(name)
    return Definition(
        type_,
        {name: items[name] for name in type_.items},
        parse_scope(items[SCOPE]),
        parse_results(items[RESULTS]),
        _events(items[EVENTS]) if type_ is ServiceType.NOTIFICATION else frozenset(),
    )


def _events(given: Json) -> frozenset[Event]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadValueListOfStrings(EVENTS)
    if not all(isinstance(one, str) for one in given):
        raise BadValueListOfStrings(EVENTS)
    if not set(given) <= set(Event):
        raise BadValueListNotAllowed(EVENTS, [event.value for event in Event])
    return frozenset(Event(str(one)) for one in given) or frozenset(Event)
