"""The sandbox's certificate authority: made once in the state folder, and what it issues."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import ipaddress
import os
import ssl
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..state import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..state import State

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90
#: Certificates are valid from a little before they are made, as public authorities do against clock skew.
BACKDATED = dt.timedelta(hours=1)
#: Longer names do not fit a common name (RFC 5280 ub-common-name); verifiers look at the alternative names anyway.
LONGEST_COMMON_NAME = 64


class Authority:
    """Issues certificates that everything in the sandbox trusts. The first user makes the authority."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.root.mkdir(parents=True, exist_ok=True)
        with _alone(state.root / "ca.lock"):
            if not state.ca_key.exists():
                self._make()
        self._key = _private(serialization.load_pem_private_key(state.ca_key.read_bytes(), None))
        self._certificate = x509.load_pem_x509_certificate(state.ca.read_bytes())

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "unmoor sandbox"),
                x509.NameAttribute(NameOID.COMMON_NAME, "unmoor sandbox root"),
            ]
        )
        now = _now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        write(self._state.ca, pem)
        write(self._state.ca_bundle, pem)
        # Last, since its existence means that the authority is whole; `write` makes files of mode 0600.
        write(self._state.ca_key, _pem(key).decode())

    def trust(self, pem: str) -> None:
        """Let everything in the sandbox trust another root too; the same one twice is in the bundle once."""
        with _alone(self._state.root / "ca.lock"):
            bundle = self._state.ca_bundle.read_text()
            if pem.strip() not in bundle:
                write(self._state.ca_bundle, f"{bundle.rstrip()}\n{pem.strip()}\n")

    def certificate(
        self, names: Sequence[str], *, days: float = CERTIFICATE_DAYS, since: dt.datetime | None = None
    ) -> tuple[str, str]:
        """Issue a certificate for DNS names (`*.` too) or IP addresses: (certificate, key), both PEM.

        It is valid for `days` from `since` (now, a little backdated), so `since` in the past gives an expired one.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        start = since or _now() - BACKDATED
        common = names[0] if len(names[0]) <= LONGEST_COMMON_NAME else "unmoor sandbox"
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key).decode()

    def context(
        self, names: Sequence[str], *, days: float = CERTIFICATE_DAYS, since: dt.datetime | None = None
    ) -> ssl.SSLContext:
        """A server's TLS (1.2 and up, HTTP/1.1) with a fresh certificate for the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        handle, path = tempfile.mkstemp(prefix=".tls-", dir=self._state.root)  # OpenSSL takes keys from files only
        try:
            with os.fdopen(handle, "w") as file:
                file.write("".join(self.certificate(names, days=days, since=since)))
            context.load_cert_chain(path)
        finally:
            Path(path).unlink()
        return context

    @cached_property
    def client(self) -> ssl.SSLContext:
        """A client's TLS that trusts this authority alone."""
        return ssl.create_default_context(cafile=self._state.ca)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time, the first to start."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private(key: object) -> ec.EllipticCurvePrivateKey:
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it
    return key
