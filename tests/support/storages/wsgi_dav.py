"""wsgidav: WebDAV in Python, which writes whole files only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.python_servers import server_environment
from tests.support.storages.web_folder import WebFolder, responds

PORT = 8080
REQUIREMENTS = ("wsgidav == 4.4.*", "cheroot")


@contextmanager
def wsgi_dav(folder: Path) -> Iterator[WebFolder]:
    """Run it below ``folder``, with nobody to log in."""
    program = server_environment("wsgidav", REQUIREMENTS) / "wsgidav"
    address = own_address(PORT)
    served = folder / "www"
    served.mkdir()
    url = f"http://{address}:{PORT}/"
    command = [str(program), "--host", address, "--port", str(PORT), "--root", str(served)]
    command += ["--auth", "anonymous", "--server", "cheroot", "--quiet"]
    server = Foreground(command, folder / "out.log", lambda: responds(url))
    server.start()
    try:
        yield WebFolder(server, served, url)
    finally:
        server.stop()
