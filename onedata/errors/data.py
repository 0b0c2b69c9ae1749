"""Values of a request that are missing, of the wrong type or out of bounds."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError, phrase


class MalformedData(OnedataError):
    text: ClassVar[str] = "The data could not be decoded."


@define(slots=False)
class MissingRequiredValue(OnedataError):
    text: ClassVar[str] = "Missing required value: {key}."

    key: str


@define(slots=False)
class MissingAtLeastOneValue(OnedataError):
    text: ClassVar[str] = "Missing value; at least one of these must be given: {keys}."

    keys: Collection[str]


@define(slots=False)
class BadData(OnedataError):
    text: ClassVar[str] = "Bad value: {key} is not acceptable."

    key: str
    hint: str | None = None
    specific_error: OnedataError | None = field(default=None, metadata=NESTED)

    @property
    def description(self) -> str:
        """The text, then the hint and the reason where they are known."""
        reasons = [super().description, self.hint, self.specific_error]
        return " ".join(phrase(reason) for reason in reasons if reason is not None)


@define(slots=False)
class BadValueOfKey(OnedataError):
    """A value that is wrong in itself."""

    key: str


class BadValueEmpty(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must not be empty."


class BadValueBoolean(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a boolean."


class BadValueString(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a string."


class BadValueListOfStrings(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a list of strings."


class BadValueInteger(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be an integer."


class BadValueFloat(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a number."


class BadValueJSON(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be valid JSON of the expected kind."


class BadValueXML(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be valid XML."


class BadValueTokenType(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a token type."


class BadValueInviteType(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a type of invite token."


class BadValueIPv4Address(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be an IPv4 address."


class BadValueListOfIPv4Addresses(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be a list of IPv4 addresses."


class BadValueIdNotFound(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} names nothing that exists."


class BadValueAmbiguousId(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} names more than one thing."


class BadValueIdentifier(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} is not a valid identifier."


class BadValueIdentifierOccupied(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} is taken already."


class BadValueOctal(BadValueOfKey):
    text: ClassVar[str] = "Bad value: {key} must be an octal number."


@define(slots=False)
class BadValueBeyondLimit(OnedataError):
    """A value on the wrong side of a limit."""

    key: str
    limit: object


class BadValueTextTooLarge(BadValueBeyondLimit):
    text: ClassVar[str] = "Bad value: {key} must not be larger than {limit} bytes."


class BadValueTooLow(BadValueBeyondLimit):
    text: ClassVar[str] = "Bad value: {key} must be at least {limit}."


class BadValueTooHigh(BadValueBeyondLimit):
    text: ClassVar[str] = "Bad value: {key} must be at most {limit}."


@define(slots=False)
class BadValueNotInRange(OnedataError):
    text: ClassVar[str] = "Bad value: {key} must be between {low} and {high}."

    key: str
    low: object
    high: object


@define(slots=False)
class BadValueOutsideSet(OnedataError):
    """A value outside a closed set."""

    key: str
    allowed: Collection[object]


class BadValueNotAllowed(BadValueOutsideSet):
    text: ClassVar[str] = "Bad value: {key} must be one of: {allowed}."


class BadValueListNotAllowed(BadValueOutsideSet):
    text: ClassVar[str] = "Bad value: {key} may contain only: {allowed}."


@define(slots=False)
class BadValueToken(OnedataError):
    text: ClassVar[str] = "Bad value: {key} is not a usable token. {token_error}"

    key: str
    token_error: OnedataError = field(metadata=NESTED)


class BadValueFilePath(OnedataError):
    text: ClassVar[str] = "Bad value: the file path is not valid."


class BadValueFullName(OnedataError):
    text: ClassVar[str] = "Bad value: the full name is not valid."


class BadValueUsername(OnedataError):
    text: ClassVar[str] = "Bad value: the user name is not valid."


class BadValuePassword(OnedataError):
    text: ClassVar[str] = "Bad value: the password is not acceptable."


class BadValueEmail(OnedataError):
    text: ClassVar[str] = "Bad value: the e-mail address is not valid."


class BadValueDomain(OnedataError):
    text: ClassVar[str] = "Bad value: the domain is not valid."


class BadValueSubdomain(OnedataError):
    text: ClassVar[str] = "Bad value: the subdomain is not valid."


class BadValueQoSParameters(OnedataError):
    text: ClassVar[str] = "Bad value: the QoS parameters must be a JSON object of strings and numbers."


class BadGuiPackage(OnedataError):
    text: ClassVar[str] = "The GUI package could not be understood."


class GuiPackageTooLarge(OnedataError):
    text: ClassVar[str] = "The GUI package is too large."


@define(slots=False)
class BadValueName(OnedataError):
    text: ClassVar[str] = "Bad value: the name is not valid."

    key: str | None = None

    @property
    def description(self) -> str:
        """The text with what is known about it."""
        return self.text if self.key is None else f"Bad value: the name in {self.key} is not valid."


@define(slots=False)
class BadValueCaveat(OnedataError):
    text: ClassVar[str] = "Bad value: this is not a caveat: {caveat}."

    caveat: object


@define(slots=False)
class InvalidQosExpression(OnedataError):
    text: ClassVar[str] = "The QoS expression is not valid: {reason}."

    reason: str


@define(slots=False)
class TimeSeriesCollectionMissingLayout(OnedataError):
    text: ClassVar[str] = "The time series collection lacks: {missing_layout}."

    missing_layout: object


@define(slots=False)
class TimeSeriesCollectionTooManyMetrics(OnedataError):
    text: ClassVar[str] = "The time series collection may have at most {limit} metrics."

    limit: int


@define(slots=False)
class BadValueTimeSeriesCollectionConflictingMetricConfig(OnedataError):
    text: ClassVar[str] = (
        "The metric {metric_name} of the time series {time_series_name} exists already with another "
        "configuration."
    )

    time_series_name: str
    metric_name: str
    existing_metric_config: object
    conflicting_metric_config: object


@define(slots=False)
class GuiPackageUnverified(OnedataError):
    text: ClassVar[str] = "The GUI package with the checksum {sha_sum} is not a known one."

    sha_sum: str


@define(slots=False)
class IllegalSupportStageTransition(OnedataError):
    text: ClassVar[str] = (
        "The support cannot change its stage from {current_provider_stage} / {current_storage_stage}."
    )

    current_provider_stage: str
    current_storage_stage: str
