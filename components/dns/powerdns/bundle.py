"""The zone as a signed, content-addressed document, which is all that a name server takes from outside.

The name of a bundle is the SHA-256 of its bytes. Its signature is SSH's (PROTOCOL.sshsig) over those bytes. A bundle
holds only plain records: types that no zone file has are refused, and therefore every scripted record.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from ...config.models import DS, HostName, Setting, faults
from ...errors import ConfigError, Fault
from ...text.escape import outside
from ..plain import Row, together
from ..records import NAME, own, value
from ..zone import faults as zone_faults
from .judge import BOTH, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from . import rows

FORMAT = 1
#: The namespace of the signatures, and the signer's name in an allowed-signers file (ssh-keygen(1)).
NAMESPACE, PRINCIPAL = "unmoor-zone", "zone"
#: Seconds of the SOA record (RFC 1912 §2.2). No server transfers the zone, so only the last counts: it is the TTL of
#: absent names.
_SOA = "3600 600 1209600 60"
_NS_TTL = 3600
_LEADING = ("A", "AAAA", "CNAME")


class _Row(Setting):
    name: str = Field(pattern=NAME, max_length=253)
    type: str = Field(pattern=r"^[A-Z][A-Z0-9]*$")
    ttl: int = Field(ge=0, le=0x7FFFFFFF)
    # One line of a zone file, and no more.
    content: str = Field(pattern=r"^[ -~]+$")

    @property
    def row(self) -> Row:
        return Row(self.name, self.type, self.ttl, self.content)


class _Probe(Setting):
    scheme: str = Field(pattern=r"^https?$")
    host: str
    path: str = Field(pattern=r"^/")
    by_address: bool
    mark: str = Field(default="", pattern=r"^[ -~]*$")


class Judged(Setting):
    """A member of a public name: its rows while the name leads to it, and its probe, which connects to `connect`."""

    site: str
    rows: tuple[_Row, ...] = Field(min_length=1)
    probe: _Probe
    connect: str


class Switch(Setting):
    """A public name and its members, primary first. Its rows lead to one, or with `balance` to both if both are up."""

    host: str
    members: tuple[Judged, Judged]
    balance: bool = False

    def rows(self, leads: int) -> list[Row]:
        """Return the rows by which the name leads to a member, or to both."""
        led = self.members if leads == BOTH else (self.members[leads],)
        return [each.row for member in led for each in member.rows]

    @property
    def home(self) -> int:
        """Where the name leads while its members are up."""
        return BOTH if self.balance else PRIMARY


class Bundle(Setting):
    """A zone of one serial. `servers` are the host names of its name servers.

    `entries` are what a stack made the records from, by the name of the action that published each. Keepers ignore
    them.
    """

    format: int = Field(ge=FORMAT, le=FORMAT)
    zone: HostName
    serial: int = Field(ge=1, le=0xFFFFFFFF)
    servers: tuple[HostName, ...] = Field(min_length=1)
    records: tuple[_Row, ...]
    switches: tuple[Switch, ...] = ()
    entries: dict[str, dict[str, Any]] = Field(default_factory=dict)
    #: The DS records of the keys that the zone publishes; the first key signs. Without any, the keys do not change.
    keys: tuple[Annotated[str, Field(pattern=DS)], ...] = ()

    def text(self, more: Iterable[Row] = ()) -> str:
        """Return the zone file, with the SOA and NS records that name the servers."""
        zone = self.zone
        soa = f"{self.servers[0]}. hostmaster.{zone}. {self.serial} {_SOA}"
        rows = [Row(zone, "SOA", _NS_TTL, soa), *(Row(zone, "NS", _NS_TTL, f"{name}.") for name in self.servers)]
        rows += [*(each.row for each in self.records), *more]
        return "".join(f"{row.name}. {row.ttl} IN {row.type} {row.content}\n" for row in rows)


@dataclass(frozen=True)
class Made:
    """The bytes of a bundle, and its name."""

    raw: bytes

    @property
    def name(self) -> str:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.raw).hexdigest()


def make(
    zone: str,
    serial: int,
    servers: Sequence[str],
    records: Iterable[Row],
    switches: Iterable[rows.Switch],
    entries: Mapping[str, Any] | None = None,
    *,
    keys: Sequence[str] = (),
) -> Made:
    """Return the bundle of a zone. Raises ConfigError for everything that `read` refuses."""
    document = {
        "format": FORMAT,
        "zone": zone,
        "serial": serial,
        "servers": list(servers),
        "records": [asdict(row) for row in records],
        "switches": [asdict(switch) for switch in switches],
    }
    if entries:
        document["entries"] = dict(entries)
    if keys:
        document["keys"] = list(keys)
    made = Made(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    read(made.raw, zone)
    return made


def read(raw: bytes, zone: str) -> Bundle:
    """Parse a bundle of a zone. Raises ConfigError with every fault: another zone, a row that no zone may hold."""
    try:
        bundle = Bundle.model_validate_json(raw)
    except ValidationError as error:
        raise ConfigError("the bundle is not valid", faults(error, Bundle)) from None
    found = [] if bundle.zone == zone else [Fault("zone", f"is {bundle.zone}, and this server's is {zone}")]
    found += _row_faults(bundle)
    if found:
        raise ConfigError("the bundle is not valid", found)
    return bundle


def _row_faults(bundle: Bundle) -> list[Fault]:
    """Return the faults of all rows, before and after a switch: each state of the names must be a valid zone."""
    found: list[Fault] = []
    given = [each.row for each in bundle.records]
    others = [row.row for switch in bundle.switches for member in switch.members for row in member.rows]
    for row in dict.fromkeys((*given, *others)):
        if own(row.name, row.type, bundle.zone):
            found.append(Fault(row.name, f"has {row.type}, which the server makes itself; take it out"))
            continue
        try:
            value(row.type, row.content)
        except ValueError as error:
            found.append(Fault(row.name, str(error)))
    hosts = {switch.host for switch in bundle.switches}
    found += zone_faults(together(given), bundle.zone)
    kept = [row for row in given if not (row.name in hosts and row.type in _LEADING)]
    for switch in bundle.switches:
        primary, standby = ([row.row for row in member.rows] for member in switch.members)
        if any(row.name != switch.host or row.type not in _LEADING for row in (*primary, *standby)):
            found.append(Fault(switch.host, "has a member whose rows are not A, AAAA or CNAME records of this name"))
        if switch.balance and any(row.type == "CNAME" for row in (*primary, *standby)):
            found.append(Fault(switch.host, "is to be balanced, but a name has at most one CNAME; use addresses"))
        if set(switch.rows(switch.home)) != {row for row in given if row.name == switch.host and row.type in _LEADING}:
            found.append(Fault(switch.host, "has other rows in the zone than its members"))
        found += [each for each in zone_faults(together([*kept, *standby]), bundle.zone) if each.path == switch.host]
    return list(dict.fromkeys(found))


def sign(raw: bytes, key: Path) -> bytes:
    """Return the signature over a bundle by an SSH key. Raises ConfigError with ssh-keygen's reason."""
    words = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    done = subprocess.run(words, input=raw, capture_output=True, check=False)
    if done.returncode:
        raise ConfigError(f"{key}: ssh-keygen did not sign: {_last(done.stderr)}")
    return done.stdout


def verify(raw: bytes, signature: Path, signers: Path) -> None:
    """Check a bundle's signature against an allowed-signers file. Raises ConfigError with ssh-keygen's reason."""
    words = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", PRINCIPAL, "-n", NAMESPACE, "-s", str(signature)]
    done = subprocess.run(words, input=raw, capture_output=True, check=False)
    if done.returncode:
        raise ConfigError(f"the bundle is not signed by a signer of {signers}: {_last(done.stderr or done.stdout)}")


def _last(text: bytes) -> str:
    return outside((text.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1])
