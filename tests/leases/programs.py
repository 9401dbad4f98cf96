"""Programs over one or two stacks in one account, and what has to hold of each of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from components.targets.akash.market.names import Owner, owner_of

from ..contract.akash_world import SDL
from .console import EVENTS, FOREIGN, Killed, World
from .engine import DEPLOYMENT, RunError, Stack

SITES = ("docs-akash", "docs-akash-2")
AVOID = "akash1pa"
#: Faults at one call; the events happen just before it.
FAULTS = ("busy", "unanswered", "kill-before", "kill-after", "missing", *EVENTS)


@dataclass(frozen=True)
class Up:
    """`pulumi up` of a stack with these settings; a fault by the number of the call at which it strikes.

    `dns` False: the first record cannot be written. `answers` False: the zone's authority is not reached when it is
    asked where records lead. `replace`: every deployment is replaced by force. `target`: deployments alone are updated.
    """

    stack: int = 0
    sites: int = 1
    amount: int = 10
    content: str = "a"
    avoid: bool = False
    dns: bool = True
    answers: bool = True
    replace: bool = False
    target: bool = False
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Refresh:
    """`pulumi refresh` of a stack."""

    stack: int = 0
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Destroy:
    """`pulumi destroy` of a stack."""

    stack: int = 0
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Wait:
    """Time passes, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Happens:
    """Something happens between two runs."""

    event: str


Op = Up | Refresh | Destroy | Wait | Happens


def programs(stacks: int = 1) -> st.SearchStrategy[list[Op]]:
    """Return programs of up to six runs."""
    which = st.integers(0, stacks - 1)
    faults = st.lists(st.tuples(st.integers(1, 60), st.sampled_from(FAULTS)), max_size=3).map(tuple)
    up = st.builds(
        Up,
        which,
        st.integers(0, 2),
        st.sampled_from([10, 11]),
        st.sampled_from("ab"),
        st.booleans(),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([False, False, False, True]),
        faults,
    )
    others = st.one_of(
        st.builds(Refresh, which, faults),
        st.builds(Destroy, which, faults),
        st.builds(Wait, st.sampled_from([5.0, 60.0, 400.0])),
        st.builds(Happens, st.sampled_from(EVENTS)),
    )
    return st.lists(st.one_of(up, up, others), min_size=1, max_size=6)


@lru_cache(maxsize=16)
def _document(amount: int, content: str) -> dict[str, Any]:
    made = copy.deepcopy(SDL)
    web = made["services"]["web"]
    web["env"] = [f"CONTENT={content}"]
    web["expose"][0]["to"][0]["ip"] = "site"
    made["endpoints"] = {"site": {"kind": "ip"}}
    made["profiles"]["placement"]["site"]["pricing"]["web"]["amount"] = amount
    return made


def inputs(name: str, op: Up) -> dict[str, Any]:
    """Return the program's inputs of one site."""
    avoid = [AVOID] if op.avoid else []
    hosts = [f"{name}.dao{op.stack}.example"]
    document = _document(op.amount, op.content)
    apart = [other for other in SITES if other != name]
    made = {"name": f"{name}.prod", "sdl": document, "service": "web", "hosts": hosts}
    return made | {"avoid": avoid, "apart": apart}


@dataclass
class History:
    """What became of a program."""

    world: World = field(default_factory=World)
    stacks: list[Stack] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    last: dict[int, Up] = field(default_factory=dict)


def run(program: list[Op], stacks: int = 1) -> History:
    """Run a program, then settle every stack without faults, and collect what was violated."""
    history = History()
    world = history.world
    history.stacks = [Stack(world, f"dao{number}") for number in range(stacks)]
    for op in program:
        _take(history, op)
    world.event("voice")
    world.faults, world.placeholders, world.read_lag = {}, False, 0.5
    world.sleep(400.0)
    for number, stack in enumerate(history.stacks):
        final = history.last.get(number, Up(number, 0))
        calm = Up(number, final.sites, final.amount, final.content, final.avoid)
        for op in (Refresh(number), calm):
            if error := _take(history, op):
                world.violations.append(f"2: a run without faults failed: {error}")
        world.sleep(60.0)
        _settled(history, stack, calm)
    for dseq in FOREIGN:
        if world.ledger.get(dseq).state != "active":
            world.violations.append(f"3: {dseq} of another owner is not open any more")
    return history


def _take(history: History, op: Op) -> str:
    world = history.world
    history.log.append(str(op))
    if isinstance(op, Wait):
        world.sleep(op.seconds)
        return ""
    if isinstance(op, Happens):
        world.event(op.event)
        return ""
    stack = history.stacks[op.stack]
    world.faults = dict(op.faults)
    before = world.opened
    try:
        match op:
            case Up():
                history.last[op.stack] = op
                sites = {name: inputs(name, op) for name in SITES[: op.sites]}
                stack.up(sites, dns=op.dns, answers=op.answers, replace=op.replace, target=op.target)
            case Refresh():
                stack.refresh()
            case Destroy():
                history.last[op.stack] = Up(op.stack, 0)
                stack.destroy()
    except Killed:
        history.log.append("  killed")
        return "killed"
    except RunError as failed:
        history.log.append(f"  failed: {failed}")
        return str(failed)
    finally:
        opened = world.opened - before
        if opened > 3 * len(SITES):
            world.violations.append(f"5: one run opened {opened} deployments")
    return ""


def _settled(history: History, stack: Stack, op: Up) -> None:
    """See that a settled stack has one deployment a site, as it is wanted, and nothing else bears its mark."""
    world, wanted = history.world, set(SITES[: op.sites])
    live = {e.urn.rpartition("::")[2]: e for e in stack.state if DEPLOYMENT in e.urn and not e.pending_delete}
    mark = Owner.of(stack.urn(DEPLOYMENT, "x")).stack
    open_ones = {
        each.dseq
        for each in world.ledger.deployments.values()
        if each.state == "active"
        and (owner := owner_of(each.groups[0].spec["name"])) is not None
        and owner.stack == mark
    }
    if set(live) != wanted:
        world.violations.append(f"2: the state of {stack.project} has {sorted(live)} instead of {sorted(wanted)}")
    if open_ones != {each.id for each in live.values()}:
        held = sorted(each.id for each in live.values())
        world.violations.append(f"2: {stack.project} has {sorted(open_ones)} open, and {held} in its state")
    for name, each in live.items():
        found = world.ledger.get(each.id)
        if not world.serving(found):
            world.violations.append(f"2: {each.id} of {name} does not serve")
        elif world.records.get(stack.host(name)) != world.addresses.get(each.id):
            world.violations.append(f"2: the record of {name} does not lead to {each.id}")
        elif found.hash.hex() != each.outputs["version"]:
            world.violations.append(f"2: {each.id} of {name} runs another manifest than the state says")
        if op.avoid and found.live() and found.live()[0].provider == AVOID:
            world.violations.append(f"2: {each.id} is at a provider to avoid")


__all__ = ["Destroy", "Happens", "Refresh", "Up", "Wait", "programs", "run"]
