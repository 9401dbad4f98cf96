"""The zone's plain records, which are not the stack's: the file `zone.yaml`, with values as zone files write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints, ValidationError

from ..config.models import HostName, Setting, faults
from ..errors import ConfigError, Fault
from ..text.escape import shown
from .zone import RRset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

#: In the folder of the stack files.
FILE = "zone.yaml"
#: Sets that every authority makes by itself.
OWN_TYPES = frozenset(("SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDNSKEY", "CDS", "ZONEMD"))
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
#: The form of a record's full name, which may lie below a wildcard, or have an underscore.
NAME = rf"^(\*\.)?({_LABEL}\.)*{_LABEL}$"
#: The longest time-to-live (RFC 2181, 8).
LONGEST_TTL_S = 0x7FFFFFFF
_HEAD = """\
# The records of the zone that are not the stack's own, as `unmoor zone import` found them. Yours to edit.
# Values stand as in a zone file; names in them end in a dot.
"""


class _Set(Setting):
    host: str = Field(max_length=253)
    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,15}$")]
    ttl: int = Field(ge=0, le=LONGEST_TTL_S)
    values: tuple[str, ...] = Field(min_length=1)


class _File(Setting):
    zone: HostName
    records: tuple[_Set, ...] = ()


def value(type_: str, text: str, *, full: bool = False) -> str:
    """Return a value in the one form that equal values share. Raises ValueError with a sentence when it is invalid.

    With `full` a name is complete even without a dot at its end, as vendors' APIs write names.
    """
    import dns.exception
    import dns.name
    import dns.rdata

    if not text.isprintable():
        raise ValueError(f"{shown(text)} is more than one line of a zone file")

    def parsed(origin: str) -> str:
        return dns.rdata.from_text("IN", type_, text, dns.name.from_text(origin), relativize=False).to_text()

    try:
        first, second = parsed("."), parsed("." if full else "a.")
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"{shown(text)} is no value of {type_} ({str(error) or type(error).__name__})") from None
    if first != second:
        raise ValueError(
            f"{shown(text)} has a name without a dot at its end; write names in full, as mail.dao.example."
        )
    return first


def own(host: str, type_: str, zone: str) -> bool:
    """Return whether each authority makes the set by itself: SOA, the apex's NS, and what signing adds."""
    return type_ in OWN_TYPES or (type_ == "NS" and host == zone)


def load(path: Path, zone: str) -> list[RRset]:
    """Return the sets of a file. Raises ConfigError with every fault, and FileNotFoundError if there is none."""
    from ..config import yaml_text

    document = yaml_text.load_file(path)
    try:
        read = _File.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{path} is not valid", faults(error, _File)) from None
    found: list[Fault] = []
    if read.zone != zone:
        found.append(Fault("zone", f"is {read.zone}, and the stack's zone is {zone}; give the file of that zone"))
    sets = [_checked(each, f"records[{index}]", zone, found) for index, each in enumerate(read.records)]
    if found:
        raise ConfigError(f"{path} is not valid", found)
    return sets


def _checked(each: _Set, path: str, zone: str, found: list[Fault]) -> RRset:
    if not re.fullmatch(NAME, each.host):
        found.append(Fault(f"{path}.host", f"{shown(each.host)} is not a name; write it in full and in lower case"))
    if own(each.host, each.type, zone):
        found.append(Fault(f"{path}.type", f"{each.type} is made by each authority itself; take the set out"))
    values = []
    for index, text in enumerate(each.values):
        try:
            values.append(value(each.type, text))
        except ValueError as error:
            found.append(Fault(f"{path}.values[{index}]", f"{error}; write it as a zone file does"))
    return RRset(each.host, each.type, each.ttl, tuple(values))


def text(zone: str, sets: Iterable[RRset]) -> str:
    """Return the text of a file with these sets, sorted."""
    import yaml

    ordered = sorted(sets, key=lambda each: (each.host.split(".")[::-1], each.type))
    records: list[dict[str, Any]] = [
        {"host": each.host, "type": each.type, "ttl": each.ttl, "values": sorted(each.values)} for each in ordered
    ]
    document = {"zone": zone, "records": records}
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=120)
