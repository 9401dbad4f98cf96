"""Decide what Route 53 answers: records and health in, an answer out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

#: The longest chain of aliases that is followed; Route 53 has a limit too, and no sensible zone is deeper.
DEEPEST_ALIAS = 8
#: At most this many multivalue records in one answer (Route 53 developer guide, "Multivalue answer routing").
MOST_VALUES = 8


@dataclass(frozen=True)
class RecordSet:
    """One resource record set as Route 53 keeps it. Names are in lower case without the last dot."""

    name: str
    type: str
    ttl: int = 0
    values: tuple[str, ...] = ()
    alias: str = ""
    evaluate_target: bool = False
    failover: Literal["", "PRIMARY", "SECONDARY"] = ""
    weight: int | None = None
    multivalue: bool = False
    health_check: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked: a name in lower case without the last dot, and a record type."""

    name: str
    type: str


@dataclass(frozen=True)
class Record:
    """One record of an answer, its TTL in seconds."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True)
class Answer:
    """The zone's answer: `exists` is False for NXDOMAIN; no records and `exists` is NODATA.

    `refused` is the answer of name servers that do not have the zone. `referral` names the servers that have it, with
    their addresses in `additional`.
    """

    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    exists: bool = True
    refused: bool = False
    referral: bool = False
    additional: tuple[Record, ...] = ()


def answer(
    records: Sequence[RecordSet],
    health: Mapping[str, bool],
    question: Question,
    rng: random.Random,
    outside: Callable[[Question], Sequence[Record]] = lambda _: (),
) -> Answer:
    """Answer `question` from the record sets of the zone that holds its name.

    `health` is whether a health check is healthy; a check that is not in it has no verdict yet and counts as healthy.
    `outside` answers aliases that leave the zone (CloudFront). A CNAME is answered as such: following it is the
    resolver's work. Source: Route 53's developer guide, "How Amazon Route 53 chooses records when health checking is
    configured".
    """
    apex = min((item.name for item in records if item.type == "SOA"), key=len, default="")
    here, exists = _at(records, question.name, apex)
    kind = question.type
    if kind != "CNAME" and not _of(here, kind) and _of(here, "CNAME"):
        kind = "CNAME"
    chosen = choose(_of(here, kind), lambda item: _healthy(item, records, health, DEEPEST_ALIAS), rng)
    found: list[Record] = []
    for item in chosen:
        if item.alias:
            found += _follow(item, records, health, question, rng, outside)
        else:
            found += [Record(question.name, item.type, item.ttl, value) for value in item.values]
    return Answer(tuple(found), () if found else _negative(records, apex), exists)


def choose(
    candidates: Sequence[RecordSet], healthy: Callable[[RecordSet], bool], rng: random.Random
) -> tuple[RecordSet, ...]:
    """Return the record sets that Route 53 answers out of those of one name and type, by their routing policy."""
    if any(item.failover for item in candidates):
        return _failover(candidates, healthy)
    if any(item.weight is not None for item in candidates):
        return _weighted(candidates, healthy, rng)
    if any(item.multivalue for item in candidates):
        fit = [item for item in candidates if healthy(item)] or list(candidates)
        return tuple(rng.sample(fit, min(len(fit), MOST_VALUES)))
    return tuple(candidates)


#: (primary healthy, secondary healthy) → the role that answers. None stands for a role without a record.
FAILOVER: Mapping[tuple[bool | None, bool | None], Literal["PRIMARY", "SECONDARY"]] = {
    (True, True): "PRIMARY",
    (True, False): "PRIMARY",
    (True, None): "PRIMARY",
    (False, True): "SECONDARY",
    (False, False): "PRIMARY",  # the last resort is the primary, not the secondary
    (False, None): "PRIMARY",  # all unhealthy counts as all healthy
    (None, True): "SECONDARY",
    (None, False): "SECONDARY",
}


def _failover(candidates: Sequence[RecordSet], healthy: Callable[[RecordSet], bool]) -> tuple[RecordSet, ...]:
    by_role = {item.failover: item for item in reversed(candidates)}
    primary, secondary = by_role.get("PRIMARY"), by_role.get("SECONDARY")
    state = (healthy(primary) if primary else None, healthy(secondary) if secondary else None)
    return (by_role[FAILOVER[state]],)


def _weighted(
    candidates: Sequence[RecordSet], healthy: Callable[[RecordSet], bool], rng: random.Random
) -> tuple[RecordSet, ...]:
    heavy = [item for item in candidates if item.weight]
    fit = [item for item in heavy if healthy(item)]
    # Records of weight 0 are used only when every other one is unhealthy, and then only the healthy ones.
    fit = fit or [item for item in candidates if not item.weight and healthy(item)] or heavy or list(candidates)
    return (rng.choices(fit, weights=[item.weight or 1 for item in fit])[0],)


def _healthy(item: RecordSet, records: Sequence[RecordSet], health: Mapping[str, bool], depth: int) -> bool:
    if item.health_check and not health.get(item.health_check, True):
        return False
    if not (item.alias and item.evaluate_target and depth):
        return True
    targets = [target for target in records if (target.name, target.type) == (item.alias, item.type)]
    return not targets or any(_healthy(target, records, health, depth - 1) for target in targets)


def _follow(
    item: RecordSet,
    records: Sequence[RecordSet],
    health: Mapping[str, bool],
    question: Question,
    rng: random.Random,
    outside: Callable[[Question], Sequence[Record]],
) -> list[Record]:
    """Return what an alias answers: the records of its target under the asked name, with the target's TTL."""
    for _ in range(DEEPEST_ALIAS):
        # An alias has the type of its target, a CNAME's too (developer guide, "Values specific for alias records").
        targets = [target for target in records if (target.name, target.type) == (item.alias, item.type)]
        if not targets:
            return [replace(record, name=question.name) for record in outside(Question(item.alias, question.type))]
        chosen = choose(targets, lambda target: _healthy(target, records, health, DEEPEST_ALIAS), rng)
        if not chosen[0].alias:
            return [
                Record(question.name, target.type, target.ttl, value) for target in chosen for value in target.values
            ]
        item = chosen[0]
    return []


def _at(records: Sequence[RecordSet], name: str, apex: str) -> tuple[list[RecordSet], bool]:
    """Return the record sets at a name, by wildcard if it does not exist, and whether the name exists."""
    names = {item.name for item in records}
    if any(known == name or known.endswith(f".{name}") for known in names):
        return [item for item in records if item.name == name], True
    parent = name
    while parent != apex and "." in parent:
        parent = parent.partition(".")[2]
        if f"*.{parent}" in names:
            return [item for item in records if item.name == f"*.{parent}"], True
        if any(known == parent or known.endswith(f".{parent}") for known in names):
            break  # RFC 4592: the closest name that exists hides wildcards above it
    return [], False


def _of(records: Sequence[RecordSet], kind: str) -> list[RecordSet]:
    return [item for item in records if item.type == kind]


def _negative(records: Sequence[RecordSet], apex: str) -> tuple[Record, ...]:
    """Return the SOA that lets a resolver keep the absence, for the lower of its TTL and its minimum (RFC 2308)."""
    return tuple(
        Record(item.name, "SOA", min(item.ttl, int(item.values[0].split()[-1])), item.values[0])
        for item in records
        if item.type == "SOA" and item.name == apex
    )
