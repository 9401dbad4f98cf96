"""Read a zone where it stands today, and name what cannot be carried over."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..limits import ZONE_BYTES, ZONE_SET_VALUES
from .records import LONGEST_TTL_S, NAME, own, value
from .zone import RRset

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import dns.name
    import dns.rdataset
    import dns.transaction

#: Seconds for a zone transfer, and for one message of it.
_TRANSFER_S, _MESSAGE_S = 60.0, 10.0
#: What to do with a record that octoDNS does not read at a vendor.
_BY_HAND = "octoDNS does not read it there; add it to the file by hand"
_NO_VALUE = "take it out there, or add the set to the file by hand"
#: What a zone file may direct: not to read another file, and not to make records, which one line does without end.
_DIRECTIVES = ("$ORIGIN", "$TTL", "$UNICODE")


@dataclass(frozen=True)
class Listed:
    """One value as the vendor's own API lists it. `why` and `choose` are set if it is more than a plain value."""

    host: str
    type: str
    value: str
    why: str = ""
    choose: str = ""


@dataclass(frozen=True)
class Found:
    """The content of a source: sets that can be carried, and listed values that cannot."""

    sets: tuple[RRset, ...]
    lost: tuple[Listed, ...] = ()


def from_file(path: Path, zone: str) -> Found:
    """Read a zone file. Raises ConfigError when it is not one; nothing that it includes or generates is read."""
    import dns.exception
    import dns.name
    import dns.rdataclass
    import dns.tokenizer
    import dns.zone
    import dns.zonefile

    if path.stat().st_size > ZONE_BYTES:
        raise ConfigError(f"{path}: is larger than {ZONE_BYTES >> 20} MiB; give the file of one zone")
    read = dns.zone.Zone(dns.name.from_text(zone), relativize=False)
    single: dict[tuple[str, str], dict[str, None]] = {}
    try:
        tokens = dns.tokenizer.Tokenizer(path.read_text(encoding="utf-8-sig"), path.name)
        with read.writer(replacement=True) as writing:
            writing.check_put_rdataset(functools.partial(_possible, single))
            reader = dns.zonefile.Reader(tokens, dns.rdataclass.IN, writing, allow_directives=_DIRECTIVES)
            reader.zone_origin = dns.name.root  # it skips what is outside of it without a word
            reader.read()
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not text; give a zone file") from None
    except KeyError:
        raise ConfigError(
            f"{path}: {reader.last_name} is not below {zone}; give the file of that zone, without records of others"
        ) from None
    except (dns.exception.DNSException, ValueError) as error:
        why = str(error).rstrip(".") or type(error).__name__
        if isinstance(error, dns.zonefile.CNAMEAndOtherData):
            why = f"{reader.last_name} has a CNAME beside other records"
        raise ConfigError(
            f"{path}: is not a zone file of {zone}: {why}; mend it, or give a file with every record written out"
        ) from None
    found = [
        (name.to_text(), rdataset.rdtype.name, rdataset.ttl, [rdata.to_text() for rdata in rdataset])
        for name, rdataset in read.iterate_rdatasets()
    ]
    if not found:
        raise ConfigError(f"{path}: has no record of {zone}; give the file of that zone")
    return _carried(
        zone, ((name, type_, ttl, [*single.get((name, type_), values)]) for name, type_, ttl, values in found)
    )


def _possible(
    single: dict[tuple[str, str], dict[str, None]],
    _: dns.transaction.Transaction,
    name: dns.name.Name,
    values: dns.rdataset.Rdataset,
) -> None:
    """Refuse a set that a zone cannot hold. Put each value of a type that has one into `single`: the last one is read.

    The time to read a set that no answer could hold rises with the square of its size.
    """
    import dns.rdatatype

    if len(values) > ZONE_SET_VALUES:
        raise ValueError(f"{name} {values.rdtype.name} has more than {ZONE_SET_VALUES:,} values")
    if dns.rdatatype.is_singleton(values.rdtype):
        single.setdefault((name.to_text(), values.rdtype.name), {}).update((each.to_text(), None) for each in values)


def from_transfer(server: str, zone: str) -> Found:
    """Read a zone by a transfer (AXFR) from `server`, an address, or ADDRESS:PORT.

    Raises ConfigError when the server refuses or fails.
    """
    import dns.exception
    import dns.query
    import dns.rdatatype

    from .asking import endpoint

    address, port = endpoint(server)
    sets: dict[tuple[str, str], tuple[int, list[str]]] = {}
    size = 0
    try:
        for message in dns.query.xfr(
            address, f"{zone}.", port=port, relativize=False, timeout=_MESSAGE_S, lifetime=_TRANSFER_S
        ):
            for each in message.answer:
                there = sets.setdefault((each.name.to_text(), dns.rdatatype.to_text(each.rdtype)), (each.ttl, []))
                there[1].extend(rdata.to_text() for rdata in each)
                size += sum(map(len, there[1][-len(each) :]))
            if size > ZONE_BYTES:
                raise ConfigError(f"{server}: gives a zone larger than {ZONE_BYTES >> 20} MiB; give a zone file")
    except (dns.exception.DNSException, OSError, EOFError) as error:
        why = str(error) or type(error).__name__
        raise ConfigError(
            f"{server}: gives no transfer of {zone}: {why}; allow transfers to this machine there, or give a zone file"
        ) from None
    return _carried(zone, ((name, type_, ttl, values) for (name, type_), (ttl, values) in sets.items()))


def from_octodns(provider: Any, zone: str) -> Iterator[RRset]:
    """Yield what a provider of octoDNS reads; types that no zone file has are left out."""
    import dns.rdatatype
    from octodns.zone import Zone

    read = Zone(f"{zone}.", [])
    provider.populate(read, lenient=True)
    for record in read.records:
        type_ = record._type  # noqa: SLF001 its only name
        if hasattr(dns.rdatatype.RdataType, type_):
            rrset = record.to_rrset()
            yield from _carried(zone, [(rrset.name, type_, rrset.ttl, rrset.rdatas)]).sets


def _carried(zone: str, read: Iterable[tuple[str, str, int, Sequence[str]]]) -> Found:
    """Return the sets that were read; one that the file of plain records cannot hold is lost as a whole."""
    sets, lost = [], []
    for name, type_, ttl, values in read:
        host = name.rstrip(".").lower()
        why, choose = _unfit(zone, host, type_, ttl, len(set(values)))
        try:
            plain = dict.fromkeys(value(type_, text, full=True) for text in values)
        except ValueError as error:
            why, choose = why or str(error), choose or _NO_VALUE
        if why:
            lost += [Listed(host, type_, text, f"is not carried: {why}", choose) for text in values]
        else:
            sets.append(RRset(host, type_, ttl, tuple(plain)))
    return Found(tuple(sets), tuple(lost))


def _unfit(zone: str, host: str, type_: str, ttl: int, count: int) -> tuple[str, str]:
    """Return why the file of plain records cannot hold a set, and what to choose; empty if it can."""
    import dns.rdatatype

    if not re.fullmatch(NAME, host):
        return "its name has other signs than letters, digits, hyphens and underscores", "give it another name there"
    if ttl > LONGEST_TTL_S:
        return f"its TTL is more than {LONGEST_TTL_S:,} s", "lower it there"
    if type_ == "CNAME" and host == zone:
        return "an alias cannot stand beside the apex's SOA", "add A records by hand"
    if count > 1 and dns.rdatatype.is_singleton(dns.rdatatype.from_text(type_)):
        return f"a name has one {type_}, and this one has {count}", "take the others out there"
    return "", ""


def compare(sets: Iterable[RRset], listed: Sequence[Listed]) -> Found:
    """Return what was read and agrees with the vendor's list; everything else in the list is lost, with a reason.

    A set with a value that is more than plain is not carried at all: half a failover set would change the zone's
    meaning.
    """
    special = {(each.host, each.type) for each in listed if each.why}
    there: dict[tuple[str, str], set[str]] = {}
    lost = [each for each in listed if each.why]
    read = {(each.host, each.type): each for each in sets if (each.host, each.type) not in special}
    for each in listed:
        key = (each.host, each.type)
        if key in special:
            lost += [] if each.why else [Listed(*key, each.value, "is in one set with the others", "decide on the set")]
            continue
        try:
            plain = value(each.type, each.value, full=True)
        except ValueError:
            plain = each.value
        there.setdefault(key, set()).add(plain)
        if key not in read or plain not in read[key].values:
            lost.append(Listed(*key, each.value, "is lost", _BY_HAND))
    kept = []
    for key, rrset in read.items():
        values = tuple(one for one in rrset.values if one in there.get(key, ()))
        lost += [
            Listed(*key, one, "is what octoDNS made of it", "the vendor does not list it")
            for one in rrset.values
            if one not in values
        ]
        if values:
            kept.append(RRset(*key, rrset.ttl, values))
    return Found(tuple(kept), tuple(lost))


def without(found: Found, zone: str, ours: Collection[str]) -> tuple[Found, list[tuple[str, str]]]:
    """Return what is to be carried or lost, and separately the host and type of sets that are made anew.

    Those are the authorities' own sets, and all sets of the hosts `ours`.
    """

    def anew(each: RRset | Listed) -> bool:
        return own(each.host, each.type, zone) or each.host in ours

    every: list[RRset | Listed] = [*found.sets, *found.lost]
    made = dict.fromkeys((each.host, each.type) for each in every if anew(each))
    sets = tuple(each for each in found.sets if not anew(each))
    return Found(sets, tuple(each for each in found.lost if not anew(each))), list(made)
