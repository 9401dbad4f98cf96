"""Checks of text, numbers and addresses from the Console and from providers before they are used anywhere.

Anyone can be a provider, and the Console may answer wrongly. What is not of the expected form is left out or refused
here, so that no other module has to check it again. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from ...limits import CONSOLE_FIELDS as MOST
from ...limits import QUOTE_CHARS
from ...text.escape import shown

#: Documentation blocks (RFC 5737) lead nowhere and are harmless; the sandbox leases them.
_DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_DSEQ = re.compile(r"[0-9]{1,20}")
#: Above every price of the market: the chain takes at most 10,000,000 uact a block and unit, and 50 replicas.
_DEAREST = Decimal(10) ** 12


class BadAnswer(ValueError):  # noqa: N818 it names the answer, and is turned into a MarketError where it is caught
    """An answer that is not what the API describes."""


def identity(value: object) -> str:
    """Return the address of an account or a provider: an opaque string of plain characters."""
    if isinstance(value, str) and _IDENTITY.fullmatch(value):
        return value
    raise BadAnswer(f"{shown(value, 80)} is not the address of an account")


def dseq(value: object) -> str:
    """Return a deployment's sequence number as text, because it may exceed the numbers of JSON."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _DSEQ.fullmatch(text):
        return text
    raise BadAnswer(f"{shown(value, 80)} is not a deployment's number")


def amount(value: object) -> Decimal:
    """Return an amount of money or a price: finite, not negative, and below any price of the market."""
    try:
        found = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found <= _DEAREST:
        raise BadAnswer(f"{shown(value, 80)} is not an amount")
    return found


def whole(value: object) -> int:
    """Return a count."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise BadAnswer(f"{shown(value, 80)} is not a count")
    return value


def address(value: object) -> str:
    """Return a public IPv4 address, or "" for anything else: loopback, private networks, metadata services, names."""
    try:
        found = ipaddress.IPv4Address(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    if found is None or not (found.is_global or any(found in each for each in _DOCUMENTATION)):
        return ""
    return "" if found.is_multicast else str(found)


def name(value: object) -> str:
    """Return a DNS name of at least two labels in lower case (RFC 1123), or "" for anything else."""
    if not isinstance(value, str) or len(value) > 253:
        return ""
    labels = value.lower().removesuffix(".").split(".")
    good = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return ".".join(labels) if good else ""


def gateway(value: object) -> str:
    """Return the https address of a provider's gateway, or "" for anything else."""
    if not isinstance(value, str) or len(value) > QUOTE_CHARS or not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return ""
    host = name(parts.hostname) or address(parts.hostname)
    if parts.scheme != "https" or not host or parts.username or parts.password:
        return ""
    return f"https://{host}" + (f":{port}" if port else "")


def mapping(value: object) -> dict[str, Any]:
    """Return an object of JSON."""
    if isinstance(value, dict) and len(value) <= MOST:
        return value
    raise BadAnswer(f"{shown(value, 80)} is not an object")


def sequence(value: object, most: int = MOST) -> list[Any]:
    """Return a list of JSON."""
    if isinstance(value, list) and len(value) <= most:
        return value
    raise BadAnswer(f"{shown(value, 80)} is not a list")
