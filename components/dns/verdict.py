"""Judge the answers of a zone's name servers, and of its parent's. Pure but for reading keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exposure import Reach
from ..text.escape import shown
from .beat import BEAT_S, Beat, beat_name
from .check import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..config.models import Delegation
    from .asking import Answer
    from .check import Answers, Seen
    from .zone import RRset

#: Asked of every server and not compared: each authority has its own serial, and keys are compared with the DS.
_NOT_COMPARED = ("SOA", "DNSKEY")
#: Seconds after which a silent keeper counts as dead: several of its records were due.
_LATE_S = 6 * BEAT_S


def differences(seen: Seen, sets: Sequence[RRset]) -> list[Difference]:
    """Return all that differs: servers that do not answer, a delegation that is not the zone's, names that disagree.

    A public name may lead to any of its members. What a vendor's alias answers changes, and is not compared.
    """
    return list(
        dict.fromkeys([*_servers(seen), *_parent(seen), *_delegation(seen), *keys(seen), *_answers(seen, sets)])
    )


def everything(seen: Seen, sets: Sequence[RRset], wanted: Delegation | None, now: float) -> list[Difference]:
    """Return all that differs, beginning with the stack's delegation and ending with the keepers."""
    named = undelegated(seen, wanted) if wanted else ()
    return [*named, *differences(seen, sets), *keepers(seen, now)]


def answers(seen: Seen, sets: Sequence[RRset]) -> list[Difference]:
    """Return what differs in the answers of the zone's own servers, regardless of the parent."""
    return list(dict.fromkeys([*_servers(seen), *_answers(seen, sets)]))


def signed(seen: Seen) -> bool:
    """Return whether a server answers keys."""
    return any(_held(values) for values in _by_way(seen, seen.zone, "DNSKEY").values())


def serial(answer: Answer) -> int | None:
    """Return the serial of an answer to SOA, None if it holds no SOA."""
    return next((int(value.split()[2]) for value in _held(answer.values)), None)


def _held(values: Iterable[str]) -> list[str]:
    """Return values without aliases, sorted: an alias in place of an SOA, keys or a DS is none of them."""
    return sorted(value for value in values if not value.startswith("CNAME "))


def keepers(seen: Seen, now: float) -> Iterator[Difference]:
    """Judge the records of own name servers' keepers, at `now` in seconds: dead ones, and those that disagree.

    A server whose clock is days wrong signs what validating resolvers refuse, so a time that is not now is named too.
    """
    beats: dict[str, Beat] = {}
    for way, given in seen.answers.items():
        answer = given.get((beat_name(seen.zone), "TXT"))
        found = [beat for value in (answer.values if answer else ()) if (beat := Beat.read(value))]
        if found:
            beats[str(way.server)] = found[0]
    for server, beat in beats.items():
        late = now - beat.t
        if late > _LATE_S:
            what = f"its keeper wrote {late:.0f} s ago: it is dead, and no name follows a failure there, or the clock"
            yield Difference(server, f"{what} of the machine is wrong; start it again")
        elif late < -_LATE_S:
            yield Difference(server, f"its clock is {-late:.0f} s ahead; set it, because signatures are dated by it")
    yield from _disagree(f"serial of {seen.zone}", {at: frozenset((str(beat.serial),)) for at, beat in beats.items()})
    for host in sorted({host for beat in beats.values() for host in beat.away}):
        led = {at: frozenset((beat.away.get(host, "where it leads while all is well"),)) for at, beat in beats.items()}
        yield from _disagree(f"{host}, by keepers", led)


def undelegated(seen: Seen, wanted: Delegation) -> Iterator[Difference]:
    """Compare the parent's records with the stack's: another key or server may be a stranger's."""
    above, who = seen.above or "the root", f"ask {shown(wanted.registrar)} who changed it"
    for type_, there, named in (
        ("NS", seen.delegated, frozenset(wanted.name_servers)),
        ("DS", frozenset(ds.lower() for ds in seen.ds), frozenset(wanted.ds)),
    ):
        given = [each[seen.zone, type_] for each in seen.parent.values() if (seen.zone, type_) in each]
        if all(answer.error for answer in given):  # the parent was not read, so nothing is known to have changed
            continue
        for value in sorted(there - named):
            yield Difference(
                f"{seen.zone} {type_} at {above}", f"has {shown(value)}, which the stack does not name; {who}"
            )
        for value in sorted(named - there):
            yield Difference(f"{seen.zone} {type_} at {above}", f"lacks {shown(value)}, which the stack names; {who}")


def _servers(seen: Seen) -> Iterator[Difference]:
    for way, answers in seen.answers.items():
        first = answers[seen.zone, "SOA"]
        if first.error:
            yield Difference(str(way), f"{first.error}; see that the server stands and its port 53 is open")
        elif why := _without(first):
            yield Difference(str(way), f"{why}; load the zone {seen.zone} there, or take the server out of the NS set")
        if any(answer.recursive for answer in answers.values()):
            yield Difference(str(way), "offers recursion to strangers; turn it off")


def _without(soa: Answer) -> str:
    """Return why a server with such an answer does not have the zone; "" if it has."""
    if soa.rcode != "NOERROR":
        return f"answers {soa.rcode}"
    if not soa.authoritative:
        return "answers without authority"
    return f"answers {_list(soa.values)} for the SOA" if serial(soa) is None else ""


def _parent(seen: Seen) -> Iterator[Difference]:
    for way, answers in seen.parent.items():
        ds = answers[seen.zone, "DS"].values if (seen.zone, "DS") in answers else frozenset()
        if error := answers[seen.zone, "NS"].error:
            yield Difference(str(way), f"{error}; the delegation could not be read there")
        elif ds.difference(_held(ds)):
            yield Difference(str(way), f"answers {_list(ds)} for the DS, which may not be an alias; ask who runs it")
    for type_ in ("NS", "DS"):
        given = {
            str(way): answers[seen.zone, type_].values | answers[seen.zone, type_].names
            for way, answers in seen.parent.items()
            if (seen.zone, type_) in answers and not answers[seen.zone, type_].error
        }
        yield from _disagree(f"{seen.zone} {type_} at {seen.above or 'the root'}", given)
    if not seen.delegated:
        yield Difference(f"{seen.zone} NS", f"{seen.above or 'the root'} delegates nothing; set the name servers there")


def _delegation(seen: Seen) -> Iterator[Difference]:
    """Compare the parent's records with the zone's: NS, and the addresses of servers inside the zone."""
    own = _by_way(seen, seen.zone, "NS")
    for where, values in own.items():
        names = {value.rstrip(".").lower() for value in values}
        for name in sorted(seen.delegated - names):
            yield Difference(where, f"its NS set lacks {name}, to which {seen.above or 'the root'} delegates")
        for name in sorted(names - seen.delegated):
            yield Difference(where, f"its NS set has {name}, to which {seen.above or 'the root'} does not delegate")
    for name in sorted(name for name in seen.delegated if name.endswith(f".{seen.zone}")):
        glue = seen.glue.get(name, frozenset())
        if not glue:
            yield Difference(f"{name} A", "has no glue at the parent, so it cannot be found; add its address there")
        for where, values in _by_way(seen, name, "A").items():
            if glue and values != glue:
                there = f"the parent's glue is {_list(glue)}, and the zone answers {_list(values)}"
                yield Difference(f"{name} A at {where}", f"{there}; the glue may lead to a stranger: change it first")


def keys(seen: Seen) -> Iterator[Difference]:
    """Compare the DS at the parent with the keys that each server answers."""
    for where, values in _by_way(seen, seen.zone, "DNSKEY").items():
        for ds in _held(seen.ds):
            if not vouched(seen.zone, ds, values):
                yield Difference(where, f"answers no key for the parent's DS {shown(ds)}; validating resolvers fail")


def vouched(zone: str, ds: str, keys: Iterable[str]) -> bool:
    """Return whether a DS record is of one of the keys, which are DNSKEY records."""
    import dns.dnssec
    import dns.dnssectypes
    import dns.exception
    import dns.name
    import dns.rdata

    for each in keys:
        try:
            key, digest = dns.rdata.from_text("IN", "DNSKEY", each), dns.dnssectypes.DSDigest(int(ds.split()[2]))
            made = dns.dnssec.make_ds(dns.name.from_text(zone), key, digest, validating=True)
        except (dns.exception.DNSException, ValueError):  # a digest or an algorithm that is not known here
            continue
        if made.to_text().lower() == ds.lower():
            return True
    return False


def _answers(seen: Seen, sets: Sequence[RRset]) -> Iterator[Difference]:
    wanted = {(each.host, "A" if each.members else each.type): each for each in sets}
    asked = dict.fromkeys(question for answers in seen.answers.values() for question in answers)
    for host, type_ in asked:
        if type_ in _NOT_COMPARED or (host, type_) in {(seen.zone, "NS"), (beat_name(seen.zone), "TXT")}:
            continue
        rrset, given = wanted.get((host, type_)), _by_way(seen, host, type_)
        if rrset and any(member.site.exposure.reach is Reach.ALIAS for member in rrset.members):
            empty = [where for where, values in given.items() if not values]
            yield from (Difference(f"{host} {type_} at {where}", "is not answered") for where in empty)
        elif rrset and any(member.role for member in rrset.members):
            yield from _members(seen, rrset, given)
        elif rrset and rrset.values:
            right = frozenset(rrset.values)
            for where, values in given.items():
                if values != right:
                    yield Difference(f"{host} {type_} at {where}", f"answers {_list(values)}, not {_list(right)}")
        else:
            yield from _disagree(f"{host} {type_}", given, needed=bool(rrset))


def _members(seen: Seen, rrset: RRset, given: Mapping[str, frozenset[str]]) -> Iterator[Difference]:
    """Yield answers of a public name that are none of its members', as the same server answers for those."""
    own = {member.site.site_host: _by_way(seen, member.site.site_host, "A") for member in rrset.members}
    for where, values in given.items():
        allowed = [answers[where] for answers in own.values() if where in answers]
        if all(member.weight is not None for member in rrset.members):
            allowed.append(frozenset().union(*allowed))
        if not values or values not in allowed:
            members = " or ".join(own)
            what = f"answers {_list(values)}, which is neither member; it should lead to {members}"
            yield Difference(f"{rrset.host} A at {where}", what)


def _by_way(seen: Seen, host: str, type_: str) -> dict[str, frozenset[str]]:
    """Return what each server answers, over each transport; a truncated datagram is left to TCP."""
    found: dict[str, Answer] = {
        str(way): each[host, type_] for way, each in seen.answers.items() if (host, type_) in each
    }
    return {where: answer.values for where, answer in found.items() if not (answer.error or answer.truncated)}


def by_way(seen: Seen, host: str, type_: str) -> Iterator[tuple[str, Answer]]:
    """Yield every server's answer over each transport, including errors."""
    for way, each in seen.answers.items():
        first = next(iter(each.values()))
        answer = first if first.error else each.get((host, type_))
        if answer and not answer.truncated:
            yield str(way), answer


def ttl(answers: Answers, zone: str, type_: str) -> int:
    """Return the longest TTL, in seconds, of the answers for a type at the apex."""
    return max((each[zone, type_].ttl for each in answers.values() if (zone, type_) in each), default=0)


def _disagree(what: str, given: Mapping[str, frozenset[str]], *, needed: bool = False) -> Iterator[Difference]:
    groups: dict[frozenset[str], list[str]] = {}
    for where, values in given.items():
        groups.setdefault(values, []).append(where)
    if len(groups) > 1:
        listed = "; ".join(f"{', '.join(wheres)}: {_list(values)}" for values, wheres in groups.items())
        yield Difference(what, f"servers disagree: {listed}")
    elif needed and frozenset() in groups:
        yield Difference(what, "no server answers it")


def _list(values: Iterable[str]) -> str:
    return ", ".join(shown(value) for value in sorted(values)) or "nothing"


def notes(seen: Seen) -> Iterator[str]:
    """Yield what is worth knowing and is no fault, one sentence each."""
    ds = _held(seen.ds)
    if signed(seen) and not ds:
        yield f"{seen.zone} is signed, and {seen.above or 'the root'} has no DS: no resolver validates it"
    if not signed(seen) and not ds:
        yield f"{seen.zone} is not signed: who answers at the address of a lost name server is believed"
    serials = {str(way.server): serial(answers[seen.zone, "SOA"]) for way, answers in seen.answers.items()}
    yield "serials: " + ", ".join(f"{server} {number}" for server, number in serials.items() if number is not None)
