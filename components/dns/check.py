"""Ask every name server of a zone and of its parent, over UDP and TCP, and name what differs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigError
from . import asking
from .asking import Answer
from .beat import beat_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .asking import Resolver
    from .zone import RRset

#: Concurrent questions.
_AT_ONCE = 16
#: The questions to every server besides the sets of the stack.
_APEX = ("SOA", "NS", "CAA", "DNSKEY")

Question = tuple[str, str]


class Server(NamedTuple):
    """A name server at one address; empty if no address was found for it."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


class Way(NamedTuple):
    """A server over one transport."""

    server: Server
    tcp: bool

    def __str__(self) -> str:
        return f"{self.server} over {'TCP' if self.tcp else 'UDP'}"


class Difference(NamedTuple):
    """What differs, and where: a server, or a name and a type."""

    where: str
    what: str


Answers = dict[Way, dict[Question, Answer]]


@dataclass(frozen=True)
class Seen:
    """All answers: those of the servers of `above`, the zone that delegates, and those of the zone's own."""

    zone: str
    above: str
    parent: Answers
    answers: Answers

    @property
    def delegated(self) -> frozenset[str]:
        """Return the name servers that the parent names."""
        return frozenset().union(*(each.names | _hosts(each.values) for each in self._of("NS")))

    @property
    def glue(self) -> dict[str, frozenset[str]]:
        """Return the addresses that the parent gives with the name servers."""
        found: dict[str, frozenset[str]] = {}
        for each in self._of("NS"):
            for name, addresses in each.glue.items():
                found[name] = found.get(name, frozenset()) | addresses
        return found

    @property
    def ds(self) -> frozenset[str]:
        """Return the keys that the parent vouches for."""
        return frozenset().union(*(each.values for each in self._of("DS")))

    def _of(self, type_: str) -> list[Answer]:
        return [each[self.zone, type_] for each in self.parent.values() if (self.zone, type_) in each]


def look(
    zone: str, sets: Sequence[RRset], resolver: Resolver, also: Sequence[Server], report: Callable[[str], None]
) -> Seen:
    """Ask every server every question. `also` are servers to which nothing is delegated yet."""
    above = resolver.parent(zone)
    parents = [Server(name, at) for name in resolver.find(above, "NS") for at in resolver.find(name, "A")]
    if not parents:
        raise ConfigError(f"the resolver finds no name server of {above or 'the root'}, which delegates {zone}")
    report(f"asking {len(parents)} name servers of {above or 'the root'}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        parent = _all(pool, parents, [(zone, "NS"), (zone, "DS")])
        seen = Seen(zone, above, parent, {})
        named = _servers(seen.delegated, seen.glue, resolver)
        own = frozenset().union(
            *(_hosts(each[zone, "NS"].values) for each in _all(pool, named, [(zone, "NS")]).values())
        )
        others = own - seen.delegated - {server.name for server in also}
        servers = list(dict.fromkeys([*named, *_servers(others, seen.glue, resolver), *also]))
        questions = list(dict.fromkeys(_questions(zone, sets, servers)))
        report(f"asking {len(servers)} name servers of {zone}: {len(questions)} questions each, over UDP and TCP")
        return Seen(zone, above, parent, _all(pool, servers, questions))


def _questions(zone: str, sets: Iterable[RRset], servers: Iterable[Server]) -> Iterator[Question]:
    yield from ((zone, type_) for type_ in _APEX)
    yield beat_name(zone), "TXT"
    yield from ((each.host, "A" if each.members else each.type) for each in sets)
    yield from ((server.name, "A") for server in servers if server.name.endswith(f".{zone}"))


def _hosts(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value.rstrip(".").lower() for value in values)


def _servers(names: Iterable[str], glue: Mapping[str, frozenset[str]], resolver: Resolver) -> list[Server]:
    found = {name: sorted(glue.get(name) or resolver.find(name, "A")) for name in sorted(names)}
    return [Server(name, at) for name in found for at in found[name] or [""]]


def _all(pool: ThreadPoolExecutor, servers: Iterable[Server], questions: Sequence[Question]) -> Answers:
    """Ask every server over both transports; one that does not answer the first question gets no other."""

    def one(asked: tuple[Way, Question]) -> Answer:
        way, (host, type_) = asked
        if not way.server.address:
            return Answer("", error="has no address")
        return asking.ask(way.server.address, host, type_, tcp=way.tcp)

    ways = [Way(server, tcp) for server in servers for tcp in (False, True)]
    first = questions[:1]
    found: Answers = {
        way: dict(zip(first, [answer], strict=True))
        for way, answer in zip(ways, pool.map(one, [(way, each) for way in ways for each in first]), strict=True)
    }
    rest = [(way, each) for way in ways if not found[way][first[0]].error for each in questions[1:]]
    for (way, each), answer in zip(rest, pool.map(one, rest), strict=True):
        found[way][each] = answer
    return found
