"""Derive client certificates of leases and the signer of zones from the operator's key. Nothing derived is stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from .errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: The environment variable with the operator's key.
VARIABLE = "UNMOOR_OPERATOR_KEY"
#: The least number of characters of the key; `openssl rand -hex 32` prints 64.
SHORTEST = 32
#: The validity is fixed, because the same key must give the same certificate: the lease's document has its SHA-256.
_FROM, _UNTIL = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2126, 1, 1, tzinfo=dt.UTC)


class Certificate(NamedTuple):
    """A client certificate as PEM, its key, and the SHA-256 of the certificate in hexadecimal."""

    certificate: bytes
    key: Ed25519PrivateKey
    fingerprint: str


def certificate(lease: str) -> Certificate:
    """Return the certificate for one lease, named by project, stack and deployment.

    Ed25519 signatures are deterministic (RFC 8032), so it is equal every time. Raises ConfigError without a key.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    key = _derived(b"unmoor secrets 1", lease)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unmoor operator")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(lease.encode()).digest()[:16]) >> 1 | 1)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .sign(key, None)
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    return Certificate(pem, key, made.fingerprint(hashes.SHA256()).hex())


def zone_signer(zone: str) -> Ed25519PrivateKey:
    """Return the key that signs the bundles of one zone, equal every time. Raises ConfigError without a key."""
    return _derived(b"unmoor zone 1", zone)


def public_line(key: Ed25519PrivateKey) -> str:
    """Return a public key as OpenSSH writes it: `ssh-ed25519 AAAA…`."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(*form).decode()


def _derived(purpose: bytes, what: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    master = os.environ.get(VARIABLE, "")
    if len(master) < SHORTEST:
        raise ConfigError(f"the environment variable {VARIABLE} has fewer than {SHORTEST} characters; export it")
    return Ed25519PrivateKey.from_private_bytes(
        HKDF(hashes.SHA256(), 32, purpose, what.encode()).derive(master.encode())
    )
