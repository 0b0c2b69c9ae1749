"""The client library of XRootD, and what it reads from its environment when it is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from attrs import frozen

from op_worker.storage.types import BadStorageError

_WINDOWS = {
    "XRD_CONNECTIONWINDOW": "10",
    "XRD_CONNECTIONRETRY": "1",
    "XRD_STREAMERRORWINDOW": "1",
    "XRD_TIMEOUTRESOLUTION": "1",
}
"""Seconds to connect, tries, seconds until a lost server is tried again, and seconds between looks."""


@frozen
class Client:
    """The parts of the library that we use."""

    File: Any
    FileSystem: Any
    flags: Any


@cache
def client() -> Client:
    """Load the library. Raises: BadStorageError when it is not installed."""
    for name, value in _WINDOWS.items():
        os.environ.setdefault(name, value)
    try:
        library = import_module("XRootD.client")
        flags = import_module("XRootD.client.flags")
    except ImportError as error:
        raise BadStorageError(
            f"an xrootd storage needs the Python package xrootd: install the extra xrootd ({error})"
        ) from error
    return Client(library.File, library.FileSystem, flags)


def log_in_as(credentials: Mapping[str, str]) -> None:
    """Tell the library as whom to log in. It has one user in a process.

    Raises: BadStorageError.
    """
    if credentials["credentialsType"] == "none":
        return
    user, colon, password = credentials.get("credentials", "").partition(":")
    if not (user and colon):
        raise BadStorageError("credentials have to be user:password when credentialsType is pwd")
    wanted = {"XrdSecPROTOCOL": "pwd", "XrdSecUSER": user, "XrdSecCREDS": password}
    if any(os.environ.get(name, value) != value for name, value in wanted.items()):
        raise BadStorageError("all xrootd storages of a process log in as the same user")
    os.environ.update(wanted)
