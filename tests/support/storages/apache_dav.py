"""Apache with mod_dav: WebDAV with basic authentication and TLS, and ``PUT`` with ``Content-Range``."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.storages.certificates import self_signed
from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.web_folder import PASSWORD, USER, WebFolder, responds
from tests.support.system_packages import require

PORT, SECURE_PORT = 8080, 8443
_MODULES = "mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs mime ssl setenvif"
_CONFIGURATION = """
{modules}
ServerRoot {folder}
ServerName {address}
Listen {address}:{port}
Listen {address}:{secure_port}
PidFile {folder}/run/httpd.pid
ErrorLog {folder}/log/error.log
Mutex file:{folder}/run
DefaultRuntimeDir {folder}/run
User www-data
Group www-data
ServerLimit 1
ThreadLimit 50
ThreadsPerChild 50
MaxRequestWorkers 50
StartServers 1
MinSpareThreads 1
MaxSpareThreads 50
TypesConfig /etc/mime.types
MaxKeepAliveRequests 0
DavLockDB {folder}/run/DavLock
DocumentRoot {folder}/www
<Directory {folder}/www/dav>
Dav On
DavDepthInfinity on
AuthType Basic
AuthName dav
AuthUserFile {folder}/users
Require valid-user
</Directory>
<Directory {folder}/www/dav/readonly>
<LimitExcept GET HEAD OPTIONS PROPFIND>
Require all denied
</LimitExcept>
</Directory>
<VirtualHost {address}:{secure_port}>
SSLEngine on
SSLCertificateFile {folder}/cert.pem
SSLCertificateKeyFile {folder}/key.pem
</VirtualHost>
"""


@contextmanager
def apache_dav(folder: Path) -> Iterator[WebFolder]:
    """Run it; its log-in is ``USER`` with ``PASSWORD``, and ``readonly`` takes no writes.

    It serves a folder of its own, because it runs as a user who must not pass through those of tests.
    """
    require(["apache2", "openssl"], ["apache2", "openssl"])
    with TemporaryDirectory(prefix="apache-dav-") as own, _running(Path(own)) as server:
        yield server


@contextmanager
def _running(folder: Path) -> Iterator[WebFolder]:
    address = own_address(PORT, SECURE_PORT)
    folder.chmod(0o755)
    served = folder / "www" / "dav"
    for each in (served / "readonly", folder / "run", folder / "log"):
        each.mkdir(parents=True)
    _make_users(folder / "users")
    certificate, _ = self_signed(folder, address)
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in f"{_MODULES} socache_shmcb headers".split()
    )
    configuration = folder / "httpd.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder, address=address, port=PORT, secure_port=SECURE_PORT, modules=modules
        )
    )
    for each in (folder / "www", folder / "run"):
        subprocess.run(["chown", "-R", "www-data", str(each)], check=True, timeout=30)
    program = shutil.which("apache2", path="/usr/sbin") or "apache2"
    command = [program, "-d", str(folder), "-f", str(configuration), "-DFOREGROUND"]
    url = f"http://{address}:{PORT}/dav/"
    server = Foreground(command, folder / "log" / "out.log", lambda: responds(url))
    server.start()
    try:
        secure = f"https://{address}:{SECURE_PORT}/dav/"
        yield WebFolder(server, served, url, USER, PASSWORD, secure, str(certificate))
    finally:
        server.stop()


def _make_users(file: Path) -> None:
    command = ["openssl", "passwd", "-apr1", PASSWORD]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    file.write_text(f"{USER}:{done.stdout.strip()}\n")
