"""nginx as a plain web server of files, by HTTP and TLS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.certificates import self_signed
from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.web_folder import WebFolder, responds
from tests.support.system_packages import require

PORT, SECURE_PORT = 8080, 8443
_CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/tmp/body;
    proxy_temp_path {folder}/tmp/proxy;
    fastcgi_temp_path {folder}/tmp/fastcgi;
    uwsgi_temp_path {folder}/tmp/uwsgi;
    scgi_temp_path {folder}/tmp/scgi;
    server {{
        listen {address}:{port};
        listen {address}:{secure_port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        root {folder}/www;
        location / {{ autoindex on; autoindex_format json; }}
        location /rangeless/ {{ max_ranges 0; }}
        location /moved/ {{ rewrite ^/moved/(.*) /$1 redirect; }}
    }}
}}
"""


@contextmanager
def nginx_files(folder: Path) -> Iterator[WebFolder]:
    """Run it below ``folder``; what is below ``rangeless`` is sent as a whole only."""
    require(["nginx", "openssl"], ["nginx", "openssl"])
    address = own_address(PORT, SECURE_PORT)
    served = folder / "www"
    for each in (served / "rangeless", folder / "tmp"):
        each.mkdir(parents=True)
    certificate, _ = self_signed(folder, address)
    configuration = folder / "nginx.conf"
    text = _CONFIGURATION.format(folder=folder, address=address, port=PORT, secure_port=SECURE_PORT)
    configuration.write_text(text)
    program = shutil.which("nginx", path="/usr/sbin") or "nginx"
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
    url = f"http://{address}:{PORT}/"
    server = Foreground(command, folder / "out.log", lambda: responds(url))
    server.start()
    try:
        secure = f"https://{address}:{SECURE_PORT}/"
        yield WebFolder(server, served, url, "", "", secure, str(certificate))
    finally:
        server.stop()
