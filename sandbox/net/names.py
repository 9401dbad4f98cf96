"""Resolve names of the sandbox's internet: the hosted zones, the edge, and names outside."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..faults import CLOSED
from . import delegated
from .answer import Answer, Question, Record, RecordSet, answer
from .known import Known, plain, record_set
from .parent import Parent, of_route53

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ..state import State
    from .cloud import Cloud

#: CloudFront domain name -> address of the edge.
Edges = Mapping[str, str]
Zones = dict[str, tuple[RecordSet, ...]]

#: A longer chain of CNAMEs is abandoned, as resolvers do.
LONGEST_CHAIN = 8
#: TTL in seconds of names outside the zones, which come and go with the sandbox's worlds.
OUTSIDE_TTL = 5
#: The TTL in seconds of Route 53's aliases to CloudFront.
ALIAS_TTL = 60
#: The variable that overrides it for faster tests; `{"alias_ttl": N}` in the state folder's dns.json does too.
ALIAS_TTL_VARIABLE = "UNMOOR_SANDBOX_ALIAS_TTL"


class Names:
    """Looks names up. `health` gives the verdicts, `edge` the address of each CloudFront domain name."""

    def __init__(
        self, state: State, cloud: Cloud, health: Callable[[], Mapping[str, bool]], edge: Callable[[], Awaitable[Edges]]
    ) -> None:
        self._state = state
        self._cloud = cloud
        self._health = health
        self._edge = edge
        self._zones: Known[Zones] = Known(self._read, {})
        self._rng = random.Random()
        self.parent = Parent(state, self.hosted)

    async def _read(self) -> Zones:
        return {plain(zone["Name"]): tuple(map(record_set, records)) for zone, records in await self._cloud.zones()}

    async def look_up(self, name: str, kind: str) -> Answer:
        """Return what a resolver finds for a name (in any case) and a type, following CNAMEs as far as they lead."""
        question = Question(plain(name), kind)
        if self._state.host(question.name):  # most questions, and AWS has no part in them
            return Answer(tuple(self._outside(question, {})))
        zones, edges = await self._zones.get(), await self._edge()
        found: list[Record] = []
        for _ in range(LONGEST_CHAIN):
            step = await self._step(zones, edges, question)
            found += step.records
            links = [record for record in step.records if record.type == "CNAME"]
            if kind == "CNAME" or not links or any(record.type == kind for record in step.records):
                return Answer(tuple(found), step.authority, step.exists or bool(found), step.refused and not found)
            question = Question(plain(links[-1].value), kind)
        return Answer(tuple(found))

    async def addresses(self, name: str) -> list[str]:
        """Return the IPv4 addresses of a name; none if it does not exist."""
        return [record.value for record in (await self.look_up(name, "A")).records if record.type == "A"]

    async def hosted(self) -> Mapping[str, Sequence[str]]:
        """Every zone of Route 53 with its name servers."""
        zones = await self._zones.get()
        return {
            apex: [plain(value) for each in sets if (each.name, each.type) == (apex, "NS") for value in each.values]
            for apex, sets in zones.items()
        }

    async def of_route53(self, name: str, kind: str) -> Answer:
        """Return the answer of Route 53's name servers; REFUSED for a zone that they do not have."""
        question = Question(plain(name), kind)
        return self._zone(await self._zones.get(), await self._edge(), question) or Answer(refused=True)

    async def _step(self, zones: Zones, edges: Edges, question: Question) -> Answer:
        zone = delegated.zone_of(self._state, question.name)
        if zone is not None and (question.name, question.type) != (zone, "DS"):
            return await delegated.resolve(self._state, zone, question.name, question.type)
        if question.type != "DS" and (given := self._zone(zones, edges, question)):
            return given
        exists = self._address(question.name, edges) is not None
        if exists:
            return Answer(tuple(self._outside(question, edges)))
        above = await self.parent.look_up(question.name, question.type)
        return Answer(exists=False) if above.refused else above

    def _zone(self, zones: Zones, edges: Edges, question: Question) -> Answer | None:
        zone = max((apex for apex in zones if f".{question.name}".endswith(f".{apex}")), key=len, default=None)
        if zone is None:
            return None
        if self._state.fault(CLOSED) is not None:
            # The name servers of a hosted zone that was deleted answer REFUSED, as for any zone they do not have.
            return Answer(refused=True)
        return answer(zones[zone], self._health(), question, self._rng, lambda target: self._outside(target, edges))

    def _outside(self, question: Question, edges: Edges) -> Sequence[Record]:
        address = self._address(question.name, edges) if question.type == "A" else None
        if address is None:
            return ()
        alias = question.name in edges or question.name.endswith(".elb.amazonaws.com")
        ttl = self._alias_ttl() if alias else OUTSIDE_TTL
        return (Record(question.name, "A", ttl, address),)

    def _address(self, name: str, edges: Edges) -> str | None:
        parent = name.partition(".")[2]
        return edges.get(name) or self._state.host(name) or self._state.host(f"*.{parent}") or of_route53(name)

    def _alias_ttl(self) -> int:
        try:
            return int(json.loads((self._state.root / "dns.json").read_text())["alias_ttl"])
        except (OSError, ValueError, KeyError):
            return int(os.environ.get(ALIAS_TTL_VARIABLE) or ALIAS_TTL)


class Route53:
    """The name servers of Route 53, without recursion."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def look_up(self, name: str, kind: str) -> Answer:
        """Return their answer; REFUSED for a zone that they do not have."""
        return await self._names.of_route53(name, kind)
