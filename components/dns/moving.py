"""Move a zone's delegation to other name servers: seven steps, and which of them the answers show to be done. Pure.

No resolver ever asks a server that answers differently: until the last step both sides serve the same. A key at the
parent that one side does not have makes every name fail for as long as resolvers remember it, so it is removed before
servers are changed at the registrar.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ..text.escape import shown
from . import verdict
from .asking import Answer
from .check import Seen, Server, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .zone import RRset

#: The TTL in seconds of the NS set while the delegation moves.
LOWERED_S = 300
#: Seconds for which the old zone is kept, because some resolvers remember for longer than the TTL.
KEPT_S = 2 * 86_400


class State(StrEnum):
    """The progress of a step."""

    DONE = "done"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True)
class Step:
    """One step: what a person does, how many seconds to wait after it, and what is still missing."""

    what: str
    wait_s: int
    wait_for: str
    missing: tuple[str, ...] = ()
    state: State = State.LATER


def steps(seen: Seen, sets: Sequence[RRset], to: Mapping[str, frozenset[str]]) -> list[Step]:
    """Return the seven steps of a move to the servers `to`, each with its addresses.

    The first step that misses something is next; none after it may be taken.
    """
    return in_order(list(_steps(seen, sets, to)))


def in_order(found: Sequence[Step]) -> list[Step]:
    """Return steps with their states: the first that misses something is next, and those after it are later."""
    first = next((index for index, step in enumerate(found) if step.missing), len(found))
    states = [State.DONE] * first + [State.NEXT] + [State.LATER] * len(found)
    return [
        Step(step.what, step.wait_s, step.wait_for, step.missing if index == first else (), state)
        for index, (step, state) in enumerate(zip(found, states, strict=False))
    ]


def outline(zone: str, old: Iterable[str], new: Iterable[str]) -> list[Step]:
    """Return the seven steps of a move between servers, by name, as they are before any server is asked."""
    above = zone.partition(".")[2]
    parent = {Way(Server(above, ""), tcp=False): {(zone, "NS"): Answer("NOERROR", names=frozenset(old))}}
    to = {name: frozenset[str]() for name in new}
    return [Step(step.what, 0, step.wait_for) for step in _steps(Seen(zone, above, parent, {}), (), to)]


def _steps(seen: Seen, sets: Sequence[RRset], to: Mapping[str, frozenset[str]]) -> Iterator[Step]:
    above, new = seen.above or "the root", frozenset(to)
    old, left = _named(seen) - new, seen.delegated - new
    parent_s, ds_s, zone_s = (
        verdict.ttl(seen.parent, seen.zone, "NS"),
        verdict.ttl(seen.parent, seen.zone, "DS"),
        verdict.ttl(seen.answers, seen.zone, "NS"),
    )
    lowered = f"lower the TTL of the NS set to {LOWERED_S} s at {_list(old) or 'the old servers'}"
    yield Step(lowered, zone_s, "the old TTL of the NS set", tuple(_long(seen, old) if left else ()))
    same = tuple(f"{each.where}: {each.what}" for each in verdict.answers(seen, sets))
    yield Step(f"let {_list(new)} answer all names as {_list(old) or 'the zone'} does", 0, "all answers", same)
    yield Step(f"take keys that one side does not have out at {above}", ds_s, "the TTL of the DS", tuple(_keys(seen)))
    yield Step(
        "name old and new servers in the NS set, at the old and at the new",
        zone_s,
        "the TTL of the NS set",
        tuple(_incomplete(seen, old | new) if left else ()),
    )
    yield Step(
        f"name {_list(new)} at the registrar, with glue for those in the zone",
        parent_s,
        f"the TTL of the NS set at {above}",
        tuple(_unnamed(seen, to)),
    )
    yield Step(
        f"take {_list(left) or 'the old servers'} out at the registrar, and go on serving at both",
        parent_s,
        f"the TTL of the NS set at {above}",
        tuple(f"{above} still names {each}" for each in sorted(left)),
    )
    yield Step(
        f"name {_list(new)} alone in the NS set, and the DS of its key at the registrar",
        KEPT_S,
        "resolvers that remember too long, before the old zone is deleted",
        tuple(_rest(seen, new)),
    )


def _named(seen: Seen) -> frozenset[str]:
    """Return every name server that the parent or the zone itself names."""
    return seen.delegated.union(*(names for _, names in _sets(seen)))


def _sets(seen: Seen) -> Iterator[tuple[Way, frozenset[str]]]:
    """Yield the NS set that each server answers."""
    for way, answers in seen.answers.items():
        answer = answers.get((seen.zone, "NS"))
        if answer and not answer.error and not answer.truncated:
            yield way, frozenset(value.rstrip(".").lower() for value in answer.values)


def _long(seen: Seen, old: frozenset[str]) -> Iterator[str]:
    for way, answers in seen.answers.items():
        answer = answers.get((seen.zone, "NS"))
        if answer and way.server.name in old and answer.ttl > LOWERED_S:
            yield f"{way} gives the NS set a TTL of {answer.ttl} s"


def _keys(seen: Seen) -> Iterator[str]:
    """Return each key that the parent vouches for and a server does not have."""
    for each in verdict.keys(seen):
        yield f"{each.where}: {each.what} until it is taken out and its TTL has passed"


def _incomplete(seen: Seen, every: frozenset[str]) -> Iterator[str]:
    for way, names in _sets(seen):
        if lacking := every - names:
            yield f"{way} does not name {_list(lacking)}"


def _unnamed(seen: Seen, to: Mapping[str, frozenset[str]]) -> Iterator[str]:
    above = seen.above or "the root"
    for name, addresses in sorted(to.items()):
        if name not in seen.delegated:
            yield f"{above} does not name {name}"
        elif name.endswith(f".{seen.zone}") and seen.glue.get(name, frozenset()) != addresses:
            yield f"{above} gives {name} the glue {_list(seen.glue.get(name, ())) or 'nothing'}, not {_list(addresses)}"


def _rest(seen: Seen, new: frozenset[str]) -> Iterator[str]:
    for way, names in _sets(seen):
        if way.server.name in new and (extra := names - new):
            yield f"{way} still names {_list(extra)}"
    if verdict.signed(seen) and not seen.ds:
        yield f"{seen.above or 'the root'} has no DS, so no resolver validates the zone"


def _list(values: Iterable[str]) -> str:
    return ", ".join(shown(value) for value in sorted(values))
