"""``oneprovider storages|spaces ...``, also as ``python -m op_worker.console``.

    oneprovider storages add disk posix mountPoint=/mnt/disk qos.tier=fast
    oneprovider spaces support @token disk 10TB

Where the provider is and who asks: --url, --passphrase-file and --ca, or ONEPROVIDER_URL,
ONEPROVIDER_PASSPHRASE (or ONEPROVIDER_PASSPHRASE_FILE) and ONEPROVIDER_CA. Storages and spaces are named by
their ids or names.

Exits with 0 when it is done, 1 when the provider refuses (or a test of a storage fails), 2 when the command
line is wrong, 3 when the provider cannot be reached, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from op_worker.console.client import PanelClient
from op_worker.console.command import INTERRUPTED, USAGE, Command


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, ask, print; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        client = _client(parser, options, os.environ)
    except (OSError, ssl.SSLError) as problem:
        sys.stderr.write(f"{problem}\n")
        return USAGE
    command = Command(client=client, console=Console(), errors=sys.stderr, read=_read, as_json=options.json)
    try:
        return command.run(options)
    except KeyboardInterrupt:
        return INTERRUPTED


def _client(
    parser: argparse.ArgumentParser, options: argparse.Namespace, environment: Mapping[str, str]
) -> PanelClient:
    url = options.url or environment.get("ONEPROVIDER_URL")
    passphrase = environment.get("ONEPROVIDER_PASSPHRASE")
    file = options.passphrase_file or environment.get("ONEPROVIDER_PASSPHRASE_FILE")
    if options.passphrase_file or passphrase is None:
        passphrase = None if file is None else _read(file).rstrip("\n")
    if not url or passphrase is None:
        parser.error("give --url and --passphrase-file, or ONEPROVIDER_URL and ONEPROVIDER_PASSPHRASE")
    if not url.startswith("https://"):
        parser.error("the URL begins with https://")
    ca = options.ca or environment.get("ONEPROVIDER_CA")
    context = ssl.create_default_context(cafile=ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connect = None
    if options.connect is not None:
        host, _, port = options.connect.rpartition(":")
        if not host or not port.isdecimal():
            parser.error("--connect is HOST:PORT")
        connect = host.strip("[]"), int(port)
    return PanelClient(url=url, passphrase=passphrase, context=context, connect=connect)


def _read(name: str) -> str:
    return sys.stdin.read() if name == "-" else Path(name).read_text()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oneprovider", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="of the provider, https://host[:port]")
    parser.add_argument("--passphrase-file", help="file with the emergency passphrase")
    parser.add_argument("--ca", help="PEM file with the authority of its certificate; else the system's")
    parser.add_argument("--connect", metavar="HOST:PORT", help="connect there in the place of the URL's host")
    parser.add_argument("--json", action="store_true", help="print answers as JSON")
    subjects = parser.add_subparsers(dest="subject", required=True)
    _storages(subjects.add_parser("storages", help="storages of the provider"))
    _spaces(subjects.add_parser("spaces", help="spaces that the provider supports"))
    return parser


def _storages(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("list", help="all storages")
    add = commands.add_parser("add", help="add a storage after trying it")
    add.add_argument("name")
    add.add_argument("type", nargs="?", help="such as posix or s3; may stand in the file")
    add.add_argument("parameters", nargs="*", metavar="key=value", help="key=@file reads a file")
    add.add_argument("--file", help="JSON description, such as those in etc/storages; - is standard input")
    modify = commands.add_parser("modify", help="change a storage, which is tried before it counts")
    modify.add_argument("storage")
    modify.add_argument("parameters", nargs="+", metavar="key=value")
    for what, meaning in (
        ("show", "a storage, without secrets"),
        ("test", "try a storage step by step"),
        ("remove", "forget a storage that supports no space; its files stay"),
    ):
        commands.add_parser(what, help=meaning).add_argument("storage")
    drain = commands.add_parser("drain", help="move what is on a storage to the others of its spaces")
    drain.add_argument("storage")
    drain.add_argument("--off", action="store_true", help="let it take new content again")


def _spaces(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("list", help="all supported spaces")
    commands.add_parser("show", help="a support").add_argument("space")
    support = commands.add_parser("support", help="support a space, also with a further storage")
    support.add_argument("token", help="of the space; @file reads a file")
    support.add_argument("storage")
    support.add_argument("size", help="such as 500GB or 2TiB")
    resize = commands.add_parser("resize", help="change what a storage gives, down to what is used")
    resize.add_argument("space")
    resize.add_argument("size")
    resize.add_argument("--storage", help="the first one when none is named")
    revoke = commands.add_parser("revoke", help="end a support; files and metadata stay where they are")
    revoke.add_argument("space")
    revoke.add_argument("--storage", help="end the part of this storage only")
    revoke.add_argument("--force", action="store_true", help="also when files go out of reach")
    placement = commands.add_parser("placement", help="show or set where new content goes")
    placement.add_argument("space")
    placement.add_argument("file", nargs="?", help="JSON policy to set; - is standard input")
    importing = commands.add_parser("import", help="import what is on the storage already")
    importing.add_argument("space")
    importing.add_argument("action", choices=("config", "info", "start", "stop"))
    importing.add_argument("file", nargs="?", help="JSON configuration to set; - is standard input")


if __name__ == "__main__":
    sys.exit(main())
