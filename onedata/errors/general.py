"""What can happen to any request: refusals, missing things, trouble inside or on the way."""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError


@define(slots=False)
class BadMessage(OnedataError):
    text: ClassVar[str] = "Bad message: {message}"

    message: object


class NotSupported(OnedataError):
    text: ClassVar[str] = "This operation is not supported here."


@define(slots=False)
class LimitReached(OnedataError):
    text: ClassVar[str] = "Limit of {limit} reached for: {resource_description}."

    limit: int
    resource_description: str


@define(slots=False)
class Unauthorized(OnedataError):
    text: ClassVar[str] = "You must authenticate yourself to perform this operation."
    http_status = 401

    auth_error: OnedataError | None = field(default=None, metadata=NESTED)

    @property
    def description(self) -> str:
        """The text with what is known about it."""
        return self.text if self.auth_error is None else f"{self.text} {self.auth_error}"


@define(slots=False)
class Forbidden(OnedataError):
    text: ClassVar[str] = "You are not authorized to perform this operation."
    http_status = 403

    hint: str | None = None

    @property
    def description(self) -> str:
        """The text with what is known about it."""
        return self.text if self.hint is None else f"{self.text} {self.hint}"


@define(slots=False)
class ForbiddenWithHint(OnedataError):
    text: ClassVar[str] = "You are not authorized to perform this operation. {hint}"
    http_status = 403

    hint: str


class NotFound(OnedataError):
    text: ClassVar[str] = "The resource could not be found."
    http_status = 404


class AlreadyExists(OnedataError):
    text: ClassVar[str] = "The resource already exists."
    http_status = 409


class PreconditionNotMet(OnedataError):
    text: ClassVar[str] = "The content is not the one that the request was made for."
    http_status = 412


@define(slots=False)
class ChecksumMismatch(OnedataError):
    text: ClassVar[str] = "The body does not have the {algorithm} digest that came with it."

    algorithm: str
    expected: str
    computed: str


@define(slots=False)
class UploadOffsetMismatch(OnedataError):
    text: ClassVar[str] = "The upload goes on at byte {offset}."
    http_status = 409

    offset: int


class UploadBusy(OnedataError):
    text: ClassVar[str] = "Another request is writing to this upload; try again later."
    http_status = 423
    retryable = True


@define(slots=False)
class InternalServerError(OnedataError):
    text: ClassVar[str] = "The server has encountered an error while processing this request."
    http_status = 500

    reference: str | None = None

    @property
    def description(self) -> str:
        """The text with what is known about it."""
        return self.text if self.reference is None else f"{self.text} Reference: {self.reference}."


@define(slots=False)
class FileAccess(OnedataError):
    text: ClassVar[str] = "Cannot access the file {path}: {errno}."
    http_status = 500

    path: str
    errno: str


class OperationNotImplemented(OnedataError):
    id: ClassVar[str] = "notImplemented"
    text: ClassVar[str] = "This operation is not implemented."
    http_status = 501


class ServiceUnavailable(OnedataError):
    text: ClassVar[str] = "The service is not available at the moment; try again later."
    http_status = 503
    retryable = True


class Timeout(OnedataError):
    text: ClassVar[str] = "The operation took too long."
    http_status = 503
    retryable = True


class TemporaryFailure(OnedataError):
    text: ClassVar[str] = "Temporary failure; try again later."
    http_status = 503
    retryable = True


class UnregisteredOneprovider(OnedataError):
    text: ClassVar[str] = "This Oneprovider is not registered in any Onezone."
    http_status = 503


@define(slots=False)
class NoConnectionToOnezone(OnedataError):
    text: ClassVar[str] = "There is no connection to Onezone at the moment; try again later."
    http_status = 503
    retryable = True

    zone_domain: str | None = None


@define(slots=False)
class NoConnectionToPeerOneprovider(OnedataError):
    text: ClassVar[str] = "There is no connection to the peer Oneprovider at the moment; try again later."
    http_status = 503
    retryable = True

    provider_id: str | None = None
    provider_domain: str | None = None


@define(slots=False)
class NoConnectionToClusterNode(OnedataError):
    text: ClassVar[str] = "There is no connection to a node of the cluster at the moment; try again later."
    http_status = 503
    retryable = True

    node_name: str | None = None


@define(slots=False)
class ExternalServiceOperationFailed(OnedataError):
    text: ClassVar[str] = "The external service {service_name} failed to perform the operation."
    http_status = 503

    service_name: str
