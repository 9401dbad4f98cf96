"""The zone's one signing key (CSK), as PowerDNS reads and writes keys, and the DS that its parent has to hold.

A name server needs it, because answers change and are signed as they change. Algorithm 13 is the one to sign with
(RFC 8624 §3.1); its key is a number of 32 bytes (RFC 6605 §6).
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

#: The variable of the process that holds the key while an update runs.
VARIABLE = "UNMOOR_ZONE_KEY"
#: The file that BIND and PowerDNS exchange keys by.
_FORMAT = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {}\n"
_SIZE = 32
#: A key that signs keys and records (RFC 4034 §2.1.1), and how its digest is made (RFC 4509).
_FLAGS, _DIGEST = 257, "SHA256"


def make() -> str:
    """Return a new key."""
    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _FORMAT.format(base64.b64encode(number.to_bytes(_SIZE, "big")).decode())


def split(text: str) -> list[str]:
    """Return the keys of a text, each as a file of its own: during a roll-over there are two, one after the other."""
    parts = re.split(r"(?m)^(?=Private-key-format:)", text)
    return [part for part in parts if part.strip()] or [text]


def by_ds(text: str, zone: str, source: Path) -> dict[str, str]:
    """Return each key of a text by its DS record. Raises ConfigError, naming `source`, if one is none."""
    return {ds(each, zone, source): each for each in split(text)}


def ds(text: str, zone: str, source: Path) -> str:
    """Return the DS record of a key, without the zone's name. Raises ConfigError, naming `source`, if it is none."""
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
        # Nothing of the file is repeated: it may be another secret.
        raise ConfigError(
            f"{source}: is no key of algorithm 13 as `pdnsutil export-zone-key` prints it; name another file, or one "
            "that is not there yet"
        ) from None
