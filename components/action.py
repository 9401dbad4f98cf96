"""Actions: the one list that a plan prints and that a deployment registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Ref:
    """A value that is known only during deployment, as plain data; also an edge.

    `of` is the name of an action. A site's create action has the site's name and gives `endpoint`, `at` (a list of
    addresses, or of one name), `zone` (that of an alias), `operator`, `identity` and what the implementation adds.
    Every other action gives `id`.
    """

    of: str
    output: str


#: The zone as each authority knows it: a list of mappings that a program can ask the authority with.
ZONES = Ref("", "zones")
#: The stack's name as other stacks see it: `PROJECT/STACK`.
STACK = Ref("", "stack")


def zone_at(authority: str) -> Ref:
    """Return the zone as one authority knows it: a mapping that a program can ask that authority with."""
    return Ref("", f"zone at {authority}")


def round_of(host: str) -> Ref:
    """Return how often an adopted host has been adopted: after it was given back, the next update adopts it again."""
    return Ref("", f"round of {host}")


class Phase(IntEnum):
    """When an action is registered; `wire` derives from it what the action waits for."""

    PREPARE = 0  #: copies in every store, credentials
    CREATE = 1  #: the site, and what fills it
    REACH = 2  #: the site's own name, before the check: HTTP-01 needs it
    CHECK = 3  #: a probe from outside, at the site's address
    PROMOTE = 4  #: the writer moves
    DRAIN = 5  #: acts on removal only: waits until no resolver keeps an answer
    ROUTE = 6  #: visitors' names and health checks
    CONFIRM = 7  #: a probe behind the record
    KEEP = 8  #: acts only on removal, before anything else is removed, and may refuse it


@dataclass(frozen=True)
class Create:
    """Register a site. `avoid` names operators of other sites that this one must not share.

    `apart` are the names of all such sites, made before it or after it: what any of them has at the moment of renting
    counts too, and the target looks it up. `shares` are sites of other workloads that it uses.
    """

    avoid: tuple[Ref, ...] = ()
    apart: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """Run a program of `steps` when `given` changes.

    With `on_delete` it runs only on removal, with the input from state; when a value of `renew` changes, it runs once
    with the old input. With `removes` it also runs once on removal and, if `renew` is set, once with the old input when
    that changes. A run on removal has `wait` in its input.
    """

    program: str
    given: Mapping[str, Any]
    on_delete: bool = False
    renew: tuple[Ref | str, ...] = ()
    removes: bool = False


@dataclass(frozen=True)
class Entry:
    """Put something into a zone: the authority makes the resource from `what`."""

    authority: str
    what: Mapping[str, Any]


@dataclass(frozen=True)
class Account:
    """Compare what a target's account holds with what the stack has there, once per stack.

    The target makes the resource from `what`: its `sites` by name, each with its identity, and all `hosts`.
    """

    target: str
    what: Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """One thing that will be done: exactly one resource of this name, directly below its Workload.

    An Account belongs to no workload: its resource stands at the same level as the Workloads.

    Names are unique in a stack. `site` is None for an action of the whole workload. `after` and `before` name actions
    where phases do not determine the order. The planner sets `workload` and `needs`, transitively reduced; deployment
    adds no edge.
    """

    name: str
    phase: Phase
    verb: str
    subject: str
    does: Create | Run | Entry | Account
    site: str | None = None
    detail: str = field(default="", metadata={"signed": False})
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    workload: str = ""

    def __str__(self) -> str:
        return f"{self.verb:<8} {self.subject}: {self.detail}" if self.detail else f"{self.verb:<8} {self.subject}"


def refs(data: Any) -> list[Ref]:
    """Return every Ref inside plain data, an action's `does` included."""
    match data:
        case Ref():
            return [data]
        case Create(avoid=avoid, shares=shares):
            inside: Iterable[Any] = (*avoid, *(Ref(name, "identity") for name in shares))
        case Run(_, given, _, renew, _):
            inside = (given, renew)
        case Entry(_, what) | Account(_, what):
            inside = (what,)
        case dict():
            inside = data.values()
        case list() | tuple():
            inside = data
        case _:
            inside = ()
    return [found for each in inside for found in refs(each)]
