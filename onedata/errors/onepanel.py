"""Errors of a cluster's administration."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from attrs import define, field

from onedata.errors.base import NESTED, OnedataError


@define(slots=False)
class ErrorOnNodes(OnedataError):
    text: ClassVar[str] = "Error on the nodes {hostnames}: {error}"
    http_status = 500

    error: OnedataError = field(metadata=NESTED)
    hostnames: Collection[str]

    def __attrs_post_init__(self) -> None:
        self.http_status = self.error.http_status


@define(slots=False)
class DnsServersUnreachable(OnedataError):
    text: ClassVar[str] = "The DNS servers cannot be reached: {servers}."
    http_status = 503

    servers: Collection[str]


class LetsEncryptNotReachable(OnedataError):
    text: ClassVar[str] = "The certificate authority cannot be reached."
    http_status = 503


@define(slots=False)
class LetsEncryptResponse(OnedataError):
    text: ClassVar[str] = "The certificate authority refused: {error_message}"

    problem_document: object
    error_message: str


@define(slots=False)
class NodeAlreadyInCluster(OnedataError):
    text: ClassVar[str] = "The node {hostname} is a member of a cluster already."

    hostname: str


@define(slots=False)
class NoConnectionToNewNode(OnedataError):
    text: ClassVar[str] = "There is no connection to the new node {hostname}."

    hostname: str


@define(slots=False)
class NodeNotCompatible(OnedataError):
    text: ClassVar[str] = "The node {hostname} belongs to a cluster of another type: {cluster_type}."

    hostname: str
    cluster_type: str


@define(slots=False)
class NoServiceNodes(OnedataError):
    text: ClassVar[str] = "No node runs the service {service}."

    service: str


class UserNotInCluster(OnedataError):
    text: ClassVar[str] = "The user is not a member of this cluster."
    http_status = 403


@define(slots=False)
class FileAllocation(OnedataError):
    text: ClassVar[str] = "The file could not be allocated: {actual_size} of {target_size} bytes."
    http_status = 500

    actual_size: int
    target_size: int
