"""The type of storage behind an SSH server; what it needs is loaded when one is made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from op_worker.storage.helpers.sftp.host_keys import HostKey
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import (
    BadStorageError,
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    StorageType,
)

if TYPE_CHECKING:
    from op_worker.storage.helpers.sftp.connecting import Login
    from op_worker.storage.helpers.sftp.helper import SftpHelper
    from op_worker.storage.helpers.sftp.tree import Tree

EXTRA = "sftp"


def _made(parameters: Parameters, surroundings: HelperSurroundings) -> SftpHelper:
    try:
        from op_worker.storage.helpers.sftp import connecting, helper, sessions, tree
    except ImportError as error:
        words = f"storages of type sftp need the extra: pip install 'oneprovider[{EXTRA}]' ({error})"
        raise BadStorageError(words) from error
    root = parameters.text("path")
    if not root.startswith("/"):
        raise BadStorageError("the path of an sftp storage must be absolute")
    server = connecting.Server(
        host=parameters.text("host"),
        port=parameters.integer("port"),
        host_key=HostKey.parse(parameters.text("hostKey")),
        timeout_s=timeout_s(parameters),
    )
    size = parameters.integer("connectionPoolSize")

    def seen_by(credentials: Mapping[str, str]) -> Tree:
        login = _login({**parameters.credentials, **credentials})

        connect = partial(connecting.connect, surroundings.reactor, server, login)
        return tree.Tree(sessions.Sessions(connect, size), root.rstrip("/") or "/")

    return helper.SftpHelper(seen_by({}), seen_by)


def _login(given: Mapping[str, str]) -> Login:
    from op_worker.storage.helpers.sftp.connecting import Login, private_key

    username, key = given["username"], given.get("privateKey", "")
    if key:
        return Login(username=username, key=private_key(key, given.get("passphrase", "")))
    if not given.get("password"):
        raise BadStorageError("an sftp storage needs a password or a privateKey")
    return Login(username=username, password=given["password"])


SFTP = StorageType(
    name="sftp",
    arguments=[
        Parameter(name="host"),
        Parameter(name="port", kind=Kind.INTEGER, default="22", minimum=1),
        Parameter(name="path"),
        Parameter(name="hostKey"),
        Parameter(name="connectionPoolSize", kind=Kind.INTEGER, default="4", minimum=1),
    ],
    credentials=[
        Parameter(name="username"),
        Parameter(name="password", is_optional=True, is_secret=True),
        Parameter(name="privateKey", is_optional=True, is_secret=True),
        Parameter(name="passphrase", is_optional=True, is_secret=True),
    ],
    make=_made,
    extra=EXTRA,
)
