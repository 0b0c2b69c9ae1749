"""Certificates: what is in them, and the command that makes them."""

from __future__ import annotations

import json
import stat
from io import StringIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from cluster_worker.wire.certificates import Authority, CertificateProblem, main
from cluster_worker.wire.tls import BadCredentials, NodeCredentials, TlsFiles

NOW_S = 1_700_000_000.0


def names_of(pem: bytes) -> tuple[list[str], list[str]]:
    cert = x509.load_pem_x509_certificate(pem)
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName), [
        str(ip) for ip in names.get_values_for_type(x509.IPAddress)
    ]


def test_node_certificate_carries_node_name_hosts_and_addresses() -> None:
    issued = Authority.make("Test", NOW_S).issue_node("worker@w1.example", ["127.0.0.5", "w1"], NOW_S)
    cert = x509.load_pem_x509_certificate(issued.cert)
    assert cert.subject.get_attributes_for_oid(NameOID.USER_ID)[0].value == "worker@w1.example"
    assert names_of(issued.cert) == (["w1.example", "w1"], ["127.0.0.5"])


def test_certificates_are_signed_by_their_authority() -> None:
    authority = Authority.make("Test", NOW_S)
    for issued in (authority.issue_node("a@b", [], NOW_S), authority.issue_web(["b"], NOW_S)):
        x509.load_pem_x509_certificate(issued.cert).verify_directly_issued_by(authority.cert)
        assert issued.chain == authority.cert_pem


def test_certificate_is_valid_from_shortly_before_until_the_days_are_over() -> None:
    cert = x509.load_pem_x509_certificate(Authority.make("T", NOW_S).issue_web(["h"], NOW_S, days=3).cert)
    assert cert.not_valid_before_utc.timestamp() == NOW_S - 3600
    assert cert.not_valid_after_utc.timestamp() == NOW_S + 3 * 86400


def test_node_names_longer_than_a_common_name_are_kept_whole() -> None:
    node = "worker@" + "long." * 20 + "example"
    cert = x509.load_pem_x509_certificate(Authority.make("T", NOW_S).issue_node(node, [], NOW_S).cert)
    assert cert.subject.get_attributes_for_oid(NameOID.USER_ID)[0].value == node


def test_web_certificate_carries_international_names_in_ascii() -> None:
    assert names_of(Authority.make("T", NOW_S).issue_web(["gdańsk.example", "::1"], NOW_S).cert) == (
        ["xn--gdask-y7a.example"],
        [str(ip_address("::1"))],
    )


@pytest.mark.parametrize("node", ["worker", "@host", "worker@", "work er@host", "a@b@c"])
def test_name_that_is_no_node_is_refused(node: str) -> None:
    with pytest.raises(CertificateProblem, match="is not name@host"):
        Authority.make("T", NOW_S).issue_node(node, [], NOW_S)


def test_command_makes_an_authority_and_node_files(tmp_path: Path) -> None:
    ca, out = str(tmp_path / "ca"), tmp_path / "node"
    assert main(["ca", "--out", ca], NOW_S) == 0
    assert (
        main(["node", "--ca", ca, "--node", "worker@w", "--host", "127.0.0.1", "--out", str(out)], NOW_S) == 0
    )
    assert stat.S_IMODE((out / "node_key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca" / "ca_key.pem").stat().st_mode) == 0o600
    files = TlsFiles(ca=tmp_path / "ca" / "ca.pem", cert=out / "node_cert.pem", key=out / "node_key.pem")
    NodeCredentials(files).load()


def test_command_makes_web_files_with_their_chain(tmp_path: Path) -> None:
    ca = str(tmp_path / "ca")
    main(["ca", "--out", ca, "--name", "OneData Test"], NOW_S)
    assert main(["web", "--ca", ca, "--host", "p1.test", "--host", "127.0.0.2", "--out", ca], NOW_S) == 0
    assert names_of((tmp_path / "ca" / "web_cert.pem").read_bytes()) == (["p1.test"], ["127.0.0.2"])
    assert (tmp_path / "ca" / "web_chain.pem").read_bytes() == (tmp_path / "ca" / "ca.pem").read_bytes()


def test_batch_runs_commands_in_order_until_one_fails(tmp_path: Path) -> None:
    ca = str(tmp_path)
    commands = [["ca", "--out", ca], ["node", "--ca", ca, "--node", "a@b", "--out", ca]]
    assert main(["batch"], NOW_S, StringIO(json.dumps(commands))) == 0
    assert (tmp_path / "node_cert.pem").exists()
    failing = [
        ["node", "--ca", ca, "--node", "no name", "--out", ca],
        ["web", "--ca", ca, "--host", "h", "--out", ca],
    ]
    assert main(["batch"], NOW_S, StringIO(json.dumps(failing))) == 1
    assert not (tmp_path / "web_cert.pem").exists()


@pytest.mark.parametrize("text", ["{", "{}", "[1]", '[["batch"]]', "[[1]]"])
def test_batch_of_anything_else_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch"], NOW_S, StringIO(text)) == 1
    assert "orders" in capsys.readouterr().err


def test_command_says_what_is_wrong_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["node", "--ca", str(tmp_path / "none"), "--node", "a@b", "--out", str(tmp_path)]
    assert main(arguments, NOW_S) == 1
    assert "no usable authority" in capsys.readouterr().err


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority.make("T", NOW_S)
    one, two = (authority.issue_node("a@b", [], NOW_S) for _ in range(2))
    (tmp_path / "ca").write_bytes(authority.cert_pem)
    (tmp_path / "cert").write_bytes(one.cert)
    (tmp_path / "key").write_bytes(two.key)
    with pytest.raises(BadCredentials, match="cert"):
        NodeCredentials(TlsFiles(ca=tmp_path / "ca", cert=tmp_path / "cert", key=tmp_path / "key")).load()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadCredentials, match="none"):
        NodeCredentials(TlsFiles(ca=tmp_path / "none", cert=tmp_path / "x", key=tmp_path / "y")).load()


def test_private_keys_are_not_in_representations() -> None:
    authority = Authority.make("T", NOW_S)
    assert "PRIVATE" not in repr(authority.issue_node("a@b", [], NOW_S)) + repr(authority)
