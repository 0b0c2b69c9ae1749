"""Where the zone is, and which certificates are trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_worker.node.own_certificate import own_web_certificate
from op_worker.zone.connection import UnusableCertificateError, ZoneAddress, load_trust


@pytest.mark.parametrize(
    ("domain", "address", "host", "target"),
    [
        ("zone.test", None, "zone.test", ("zone.test", 443)),
        ("zone.test:8443", None, "zone.test", ("zone.test", 8443)),
        ("zone.test", "127.0.0.2:9443", "zone.test", ("127.0.0.2", 9443)),
        ("zone.test:8443", "127.0.0.2", "zone.test", ("127.0.0.2", 8443)),
        ("zone.test", "127.0.0.2", "zone.test", ("127.0.0.2", 443)),
        ("zone.test", "[::1]:9443", "zone.test", ("::1", 9443)),
        ("zone.test", "::1", "zone.test", ("::1", 443)),
    ],
)
def test_zone_is_connected_at_its_address_and_verified_by_its_domain(
    domain: str, address: str | None, host: str, target: tuple[str, int]
) -> None:
    zone = ZoneAddress(domain=domain, address=address)
    assert (zone.host, zone.target) == (host, target)


def test_trusted_certificates_may_be_several_in_one_file(tmp_path: Path) -> None:
    cert, key = own_web_certificate(tmp_path, "127.0.0.1", 1_700_000_000.0)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("# first\n" + cert.read_text() + key.read_text() + cert.read_text())
    assert load_trust(str(bundle)) is not None
    assert load_trust(None) is not None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("", "holds no certificates"),
        ("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n", "not a certificate"),
    ],
)
def test_file_without_usable_certificates_is_refused_by_name(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnusableCertificateError, match=rf"ca\.pem.*{reason}"):
        load_trust(str(path))


def test_own_certificate_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    cert, key = own_web_certificate(tmp_path, "127.0.0.1", 1_700_000_000.0)
    first = cert.read_text()
    assert own_web_certificate(tmp_path, "127.0.0.1", 1_800_000_000.0) == (cert, key)
    assert cert.read_text() == first
    assert key.stat().st_mode & 0o077 == 0
