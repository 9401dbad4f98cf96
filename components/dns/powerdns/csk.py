"""The zone's only signing key (CSK) in PowerDNS' format, and the DS record that the parent needs.

A name server needs the key, because answers change and are then signed again. RFC 8624 §3.1 recommends algorithm 13,
whose private key is a number of 32 bytes (RFC 6605 §6).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from ...errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

#: The environment variable that holds the key during an update.
VARIABLE = "UNMOOR_ZONE_KEY"
#: The file format in which BIND and PowerDNS exchange keys.
_FORMAT = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {}\n"
_SIZE = 32
#: The flags of a key that signs keys and records (RFC 4034 §2.1.1), and the DS record's digest (RFC 4509).
_FLAGS, _DIGEST = 257, "SHA256"


def make() -> str:
    """Return a new key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _FORMAT.format(base64.b64encode(number.to_bytes(_SIZE, "big")).decode())


def split(text: str) -> list[str]:
    """Return the keys of a text, each as the text of one file. During a roll-over the text holds two."""
    parts = re.split(r"(?m)^(?=Private-key-format:)", text)
    return [part for part in parts if part.strip()] or [text]


def by_ds(text: str, zone: str, source: Path) -> dict[str, str]:
    """Return the keys of a text by their DS records. Raises ConfigError, naming `source`, if one is invalid."""
    return {ds(each, zone, source): each for each in split(text)}


def ds(text: str, zone: str, source: Path) -> str:
    """Return the DS record of a key, without the zone's name. Raises ConfigError, naming `source`, if it is invalid."""
    import dns.dnssec

    key = dns.dnssec.make_dnskey(_read(text, source).public_key(), "ECDSAP256SHA256", _FLAGS)
    return dns.dnssec.make_ds(f"{zone}.", key, _DIGEST).to_text()


def _read(text: str, source: Path) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    fields = dict(line.partition(":")[::2] for line in text.splitlines())
    try:
        number = base64.b64decode(fields["PrivateKey"].strip(), validate=True)
        if fields["Algorithm"].split()[:1] != ["13"] or len(number) != _SIZE:
            raise ValueError
        return ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())
    except (KeyError, ValueError, binascii.Error):
        # The message repeats nothing of the file, which may be another secret.
        raise ConfigError(
            f"{source}: is not a key of algorithm 13 as `pdnsutil export-zone-key` prints it; name another file, or "
            "one that does not exist yet"
        ) from None
