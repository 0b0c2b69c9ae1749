"""Certificates of a cluster: an authority, nodes, and web doors signed by a test authority.

As a command: ``python -m cluster_worker.wire.certificates ca|node|web|batch --help``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TextIO

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cluster_worker.runtime.clock import system_wall_clock

CA_CERT, CA_KEY = "ca.pem", "ca_key.pem"
DEFAULT_DAYS = 3650
WEB_DAYS = 397
"""Browsers refuse web certificates that live longer."""

_NODE_NAME = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9_.:-]+")
_CLOCK_SKEW = timedelta(hours=1)
_COMMON_NAME_MAX = 64


class CertificateProblem(Exception):
    """A certificate cannot be made; the text says why."""


@frozen
class Issued:
    """A certificate and its private key, both PEM; ``chain`` is what leads to the root."""

    cert: bytes
    key: bytes = field(repr=False)
    chain: bytes = b""


@frozen
class Authority:
    """A certificate authority of our own."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls, name: str, now_s: float, days: int = DEFAULT_DAYS) -> Authority:
        """Make a new authority, valid for ``days`` from ``now_s`` (seconds since the epoch)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        usage = _key_usage(signs_certificates=True)
        builder = _builder(subject, subject, key, now_s, days).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        return cls(builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, directory: Path) -> Authority:
        """Read what ``save`` wrote. Raises: CertificateProblem."""
        try:
            cert = x509.load_pem_x509_certificate((directory / CA_CERT).read_bytes())
            key = load_pem_private_key((directory / CA_KEY).read_bytes(), password=None)
        except (OSError, ValueError) as problem:
            raise CertificateProblem(f"no usable authority in {directory}: {problem}") from problem
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateProblem(f"the key in {directory} is not an elliptic curve key")
        return cls(cert, key)

    def save(self, directory: Path) -> None:
        """Write ``ca.pem`` and ``ca_key.pem`` (mode 0600)."""
        _write(directory / CA_CERT, self.cert_pem, 0o644)
        _write(directory / CA_KEY, _pem(self.key), 0o600)

    @property
    def cert_pem(self) -> bytes:
        return self.cert.public_bytes(Encoding.PEM)

    def issue_node(self, node: str, hosts: Sequence[str], now_s: float, days: int = DEFAULT_DAYS) -> Issued:
        """Make the certificate of a node, for both ends of links.

        Args:
            node: ``name@host``; the host part is among the names it is valid for.
            hosts: further host names and addresses it listens on.
        """
        if not _NODE_NAME.fullmatch(node):
            raise CertificateProblem(f"{node!r} is not name@host")
        names = [node.partition("@")[2], *hosts]
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(_subject(node, node), names, both, now_s, days)

    def issue_web(self, hosts: Sequence[str], now_s: float, days: int = WEB_DAYS) -> Issued:
        """Make the certificate of a web door with these host names and addresses, the first as its name."""
        if not hosts:
            raise CertificateProblem("a web certificate needs a host name")
        return self._issue(_subject(hosts[0]), hosts, [ExtendedKeyUsageOID.SERVER_AUTH], now_s, days)

    def _issue(
        self,
        subject: x509.Name,
        hosts: Sequence[str],
        purposes: list[x509.ObjectIdentifier],
        now_s: float,
        days: int,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            _builder(subject, self.cert.subject, key, now_s, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(issuer_id, critical=False)
            .add_extension(x509.SubjectAlternativeName(_general_names(hosts)), critical=False)
        )
        cert = builder.sign(self.key, hashes.SHA256())
        return Issued(cert.public_bytes(Encoding.PEM), _pem(key), self.cert_pem)


def save_issued(issued: Issued, directory: Path, prefix: str) -> None:
    """Write ``<prefix>_cert.pem``, ``<prefix>_key.pem`` (mode 0600) and ``<prefix>_chain.pem``."""
    _write(directory / f"{prefix}_key.pem", issued.key, 0o600)
    _write(directory / f"{prefix}_cert.pem", issued.cert, 0o644)
    _write(directory / f"{prefix}_chain.pem", issued.chain, 0o644)


def _subject(name: str, node: str | None = None) -> x509.Name:
    """``name`` is for people, and cut; ``node`` is the identity that links check."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME_MAX])]
    if node is not None:
        attributes.append(x509.NameAttribute(NameOID.USER_ID, node))
    return x509.Name(attributes)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now_s: float, days: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_s, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(host) for host in dict.fromkeys(hosts)]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.encode("idna").decode("ascii") if not host.isascii() else host)
    except (ValueError, UnicodeError) as problem:
        raise CertificateProblem(f"{host!r} is neither a host name nor an address") from problem


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replace the file in one step, so that a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
    new.chmod(mode)
    new.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster_worker.wire.certificates", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    authority = kinds.add_parser("ca", help=f"make an authority: {CA_CERT} and {CA_KEY}")
    authority.add_argument("--name", default="Cluster authority", help="its common name")
    node = kinds.add_parser(
        "node", help="make a node's certificate: node_cert.pem, node_key.pem, node_chain.pem"
    )
    node.add_argument("--node", required=True, help="the node's name, such as worker@host.example")
    node.add_argument(
        "--host", action="append", default=[], help="a further name or address, may be repeated"
    )
    web = kinds.add_parser("web", help="make a web certificate: web_cert.pem, web_key.pem, web_chain.pem")
    web.add_argument(
        "--host", action="append", default=[], required=True, help="name or address, may be repeated"
    )
    kinds.add_parser("batch", help="read a JSON list of such command lines from standard input, do them all")
    for kind, days in ((authority, DEFAULT_DAYS), (node, DEFAULT_DAYS), (web, WEB_DAYS)):
        kind.add_argument("--out", type=Path, required=True, help="directory to write to")
        kind.add_argument("--days", type=int, default=days, help="days of validity")
    for kind in (node, web):
        kind.add_argument("--ca", type=Path, required=True, help="directory of the authority")
    return parser


def main(arguments: Sequence[str], now_s: float, orders: TextIO = sys.stdin) -> int:
    """Run the command; return its exit status. ``orders`` is read by ``batch`` only."""
    options = _parser().parse_args(arguments)
    try:
        if options.kind == "batch":
            return _run_batch(orders.read(), now_s)
        _run(options, now_s)
    except (CertificateProblem, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _run(options: argparse.Namespace, now_s: float) -> None:
    if options.kind == "ca":
        Authority.make(options.name, now_s, options.days).save(options.out)
        return
    authority = Authority.load(options.ca)
    if options.kind == "node":
        save_issued(
            authority.issue_node(options.node, options.host, now_s, options.days), options.out, "node"
        )
    else:
        save_issued(authority.issue_web(options.host, now_s, options.days), options.out, "web")


def _run_batch(text: str, now_s: float) -> int:
    """Run commands in order, as long as they succeed."""
    try:
        commands = json.loads(text)
    except ValueError as problem:
        raise CertificateProblem(f"the orders are not JSON: {problem}") from problem
    if not isinstance(commands, list) or not all(_is_command(command) for command in commands):
        raise CertificateProblem("the orders are not a list of lists of arguments, none of them batch")
    return next((status for command in commands if (status := main(command, now_s))), 0)


def _is_command(command: object) -> bool:
    return (
        isinstance(command, list)
        and all(isinstance(word, str) for word in command)
        and "batch" not in command[:1]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], system_wall_clock()))
