"""The servers that a user would pick instead, started on loopback over TLS for one benchmark run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen {address}:{port} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
    root {folder}/data;
    location / {{ dav_methods PUT DELETE MKCOL; create_full_put_path on; }}
  }}
}}
"""

WSGIDAV = """
import sys
from cheroot.wsgi import Server
from cheroot.ssl.builtin import BuiltinSSLAdapter
from wsgidav.wsgidav_app import WsgiDAVApp
address, port, data, cert, key = sys.argv[1:]
app = WsgiDAVApp({"provider_mapping": {"/": data}, "simple_dc": {"user_mapping": {"*": True}},
                  "verbose": 0, "logging": {"enable": False}})
server = Server((address, int(port)), app, numthreads=16)
server.ssl_adapter = BuiltinSSLAdapter(cert, key)
server.start()
"""


@dataclass(frozen=True)
class Peer:
    """A running server: ``base`` is the URL of a writable folder."""

    name: str
    base: str
    headers: tuple[str, ...] = ()


def missing() -> list[str]:
    """Packages of peers and tools that are not installed; their columns are left out."""
    return [name for name in ("wrk", "nginx", "curl") if shutil.which(name) is None]


@contextmanager
def nginx(
    folder: Path, cert: Path, key: Path, address: str = "127.0.0.1", port: int = 18443
) -> Iterator[Peer]:
    """nginx with its WebDAV module, one worker process."""
    (folder / "data").mkdir(parents=True)
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    text = NGINX.format(folder=folder, address=address, port=port, cert=cert, key=key, user=user)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with _running(command, folder, address, port):
        yield Peer("nginx", f"https://{address}:{port}")


@contextmanager
def wsgidav(
    folder: Path, cert: Path, key: Path, address: str = "127.0.0.1", port: int = 18444
) -> Iterator[Peer]:
    """WsgiDAV on cheroot, 16 threads."""
    (folder / "data").mkdir(parents=True)
    command = [sys.executable, "-c", WSGIDAV, address, str(port), str(folder / "data"), str(cert), str(key)]
    with _running(command, folder, address, port):
        yield Peer("WsgiDAV", f"https://{address}:{port}")


@contextmanager
def _running(command: list[str], folder: Path, address: str, port: int) -> Iterator[None]:
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_port(process, address, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_port(process: subprocess.Popen[bytes], address: str, port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start")
