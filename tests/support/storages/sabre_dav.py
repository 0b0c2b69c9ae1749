"""sabre/dav on the server that comes with PHP: WebDAV with ``PATCH`` of ranges, and quotas."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.web_folder import WebFolder, responds
from tests.support.system_packages import require

PORT = 8080
_PROGRAM = """<?php
error_reporting(0);
ini_set('display_errors', '0');
require_once 'Sabre/autoload.php';
$server = new Sabre\\DAV\\Server(new Sabre\\DAV\\FSExt\\Directory(__DIR__.'/www'));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\\DAV\\PartialUpdate\\Plugin());
$server->exec();
"""


@contextmanager
def sabre_dav(folder: Path) -> Iterator[WebFolder]:
    """Run it below ``folder``, with nobody to log in."""
    require(["php"], ["php-sabre-dav", "php-cli", "php-xml", "php-mbstring"])
    address = own_address(PORT)
    served = folder / "www"
    served.mkdir()
    program = folder / "index.php"
    program.write_text(_PROGRAM)
    url = f"http://{address}:{PORT}/"
    command = ["php", "-S", f"{address}:{PORT}", str(program)]
    server = Foreground(command, folder / "out.log", lambda: responds(url), {"PHP_CLI_SERVER_WORKERS": "4"})
    server.start()
    group = server.pid
    try:
        yield WebFolder(server, served, url)
    finally:
        server.stop()
        end_group(group)


def end_group(group: int) -> None:
    """End the workers of PHP, which survive their parent."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
