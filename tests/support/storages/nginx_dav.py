"""nginx with its two WebDAV modules, which write whole files only, and tell no tags in lists."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.web_folder import WebFolder, responds
from tests.support.system_packages import require

PORT = 8080
MOST_UPLOAD_B = 1 << 30
_CONFIGURATION = """
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
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
    client_max_body_size {most_upload_b};
    dav_ext_lock_zone zone=locks:1m;
    server {{
        listen {address}:{port};
        root {folder}/www;
        location / {{
            dav_methods PUT DELETE MKCOL COPY MOVE;
            dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
            dav_ext_lock zone=locks;
            create_full_put_path on;
        }}
        location /small/ {{
            client_max_body_size 1000;
            dav_methods PUT DELETE MKCOL COPY MOVE;
            dav_ext_methods PROPFIND OPTIONS;
        }}
    }}
}}
"""


@contextmanager
def nginx_dav(folder: Path) -> Iterator[WebFolder]:
    """Run it below ``folder``; ``small`` takes no more than 1000 bytes."""
    require(["nginx"], ["nginx", "libnginx-mod-http-dav-ext"])
    address = own_address(PORT)
    served = folder / "www"
    for each in (served / "small", folder / "tmp"):
        each.mkdir(parents=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, address=address, port=PORT, most_upload_b=MOST_UPLOAD_B)
    )
    program = shutil.which("nginx", path="/usr/sbin") or "nginx"
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
    url = f"http://{address}:{PORT}/"
    server = Foreground(command, folder / "out.log", lambda: responds(url))
    server.start()
    try:
        yield WebFolder(server, served, url)
    finally:
        server.stop()
