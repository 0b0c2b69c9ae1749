"""The type of storage ``s3``."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.s3.place import SCHEMES, Place
from op_worker.storage.helpers.s3.service import S3Service
from op_worker.storage.helpers.s3.signing import Signer
from op_worker.storage.helpers.s3.store import S3Store
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.helpers.web.session import Session
from op_worker.storage.helpers.web.urls import Endpoint
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.objects.listing import Modes
from op_worker.storage.types import (
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    PathType,
    StorageType,
)

_MAXIMUM = "maximumCanonicalObjectSize"


def _make(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    place = Place.parse(
        parameters.text("hostname"), parameters.arguments.get("scheme", ""), parameters.text("bucketName")
    )
    signer = Signer(
        parameters.text("accessKey"),
        parameters.text("secretKey"),
        parameters.text("region"),
        surroundings.blocking,
        is_encrypted=place.is_encrypted,
    )
    connections = Connections(
        surroundings.reactor,
        parameters.integer("maxConnections"),
        verifies=parameters.boolean("verifyServerCertificate"),
    )
    session = Session(
        Endpoint(place.origin, "/"), connections, surroundings.reactor, parameters.integer("timeout") / 1000
    )
    return object_helper(
        S3Store(S3Service(place, session, signer)),
        parameters.integer("blockSize"),
        maximum_b=parameters.integer(_MAXIMUM),
        modes=Modes(int(parameters.text("fileMode"), 8), int(parameters.text("dirMode"), 8)),
        random_bytes=surroundings.random_bytes,
    )


S3 = StorageType(
    name="s3",
    arguments=(
        Parameter(name="hostname"),
        Parameter(name="bucketName"),
        Parameter(name="scheme", is_optional=True, choices=SCHEMES),
        Parameter(name="signatureVersion", default="4", choices=("4",)),
        Parameter(name="verifyServerCertificate", kind=Kind.BOOLEAN, default="true"),
        Parameter(name="region", default="us-east-1"),
        Parameter(name=_MAXIMUM, kind=Kind.INTEGER, default="67108864", minimum=1),
        Parameter(name="maxConnections", kind=Kind.INTEGER, default="25", minimum=1),
        Parameter(name="fileMode", kind=Kind.OCTAL, default="0664"),
        Parameter(name="dirMode", kind=Kind.OCTAL, default="0775"),
        Parameter(name="blockSize", kind=Kind.INTEGER, default="10485760", is_fixed=True),
    ),
    credentials=(
        Parameter(name="accessKey"),
        Parameter(name="secretKey", is_secret=True),
    ),
    make=_make,
    path_types=(PathType.FLAT, PathType.CANONICAL),
    extra="s3",
    is_object_storage=True,
)
