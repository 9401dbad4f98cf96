"""The order of actions: what each phase waits for, and one list for the whole stack."""

from __future__ import annotations

import dataclasses
import heapq
from typing import TYPE_CHECKING, NamedTuple

from ..action import Action, Create, Phase, refs
from ..errors import Fault, PlanError
from ..kind import Rollout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..topology import WorkloadPlan


class Waits(NamedTuple):
    """What the actions of a phase wait for, by phase: of their own site, of the previous site in turn, of the workload.

    `later` are phases of the workload that every site but the first waits for.
    """

    own: tuple[Phase, ...] = ()
    before: tuple[Phase, ...] = ()
    whole: tuple[Phase, ...] = ()
    later: tuple[Phase, ...] = ()


#: The complete rule. An action without a site counts as the first site's in turn. The second site is checked only after
#: the first was confirmed: HTTP-01 of a standby needs a host that answers.
WAITS: Mapping[Phase, Waits] = {
    Phase.PREPARE: Waits(),
    Phase.CREATE: Waits(whole=(Phase.PREPARE,)),
    Phase.REACH: Waits(own=(Phase.CREATE,)),
    Phase.CHECK: Waits(own=(Phase.CREATE, Phase.REACH), before=(Phase.CONFIRM,), later=(Phase.PROMOTE,)),
    Phase.PROMOTE: Waits(own=(Phase.CREATE, Phase.REACH, Phase.CHECK), whole=(Phase.PREPARE,)),
    Phase.DRAIN: Waits(own=(Phase.CREATE, Phase.REACH), whole=(Phase.PREPARE,)),
    Phase.ROUTE: Waits(own=(Phase.CHECK, Phase.DRAIN), whole=(Phase.PROMOTE,)),
    Phase.CONFIRM: Waits(own=(Phase.ROUTE,), whole=(Phase.PROMOTE,)),
}


def wire(plan: WorkloadPlan, actions: Sequence[Action], rollout: Rollout) -> list[Action]:
    """Return the actions of a workload with their dependencies: their phase's rule, their Refs, `after` and `before`.

    With Rollout.ONE_BY_ONE a site is created or changed only after the previous one was confirmed, so that a bad
    release does not reach both.
    """
    turn = [site.name for site in plan.sites]

    def of(phases: Sequence[Phase], site: str | None = None) -> set[str]:
        return {a.name for a in actions if a.phase in phases and site in {None, a.site}}

    def by_phase(action: Action) -> set[str]:
        if action.phase is Phase.KEEP:
            return of([phase for phase in Phase if phase < Phase.KEEP])
        if action.phase is Phase.CONFIRM and action.site is None:
            return of([phase for phase in Phase if phase < Phase.CONFIRM]) | {
                a.name for a in actions if a.phase is Phase.CONFIRM and a.site
            }
        rule, index = WAITS[action.phase], turn.index(action.site) if action.site else 0
        needs = of(rule.whole) | (of(rule.own, turn[index]) if turn else set())
        if index:
            first_then = (*rule.before, *_one_by_one(action, rollout))
            needs |= of(first_then, turn[index - 1]) | of(rule.later)
        if action.phase is Phase.CREATE and not isinstance(action.does, Create):
            needs.add(turn[index])
        return needs

    following = {(later, action.name) for action in actions for later in action.before}
    return [
        dataclasses.replace(
            action,
            workload=plan.name,
            needs=tuple(
                sorted(
                    by_phase(action)
                    .union(ref.of for ref in refs(action.does) if ref.of)
                    .union(action.after, (earlier for later, earlier in following if later == action.name))
                    .difference({action.name})
                )
            ),
        )
        for action in actions
    ]


def _one_by_one(action: Action, rollout: Rollout) -> tuple[Phase, ...]:
    created = isinstance(action.does, Create) and rollout is Rollout.ONE_BY_ONE
    # A workload without a public name has no action in `confirm`, so its check is the last one.
    return (Phase.CHECK, Phase.CONFIRM) if created else ()


def ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the actions of a stack in one order that every edge agrees with, their edges transitively reduced.

    Among those that may go next, the first in the given order is taken. Raises PlanError that names a circle, a name
    that two actions share, or a reference to an action that does not exist.
    """
    given = list(actions)
    place = {action.name: index for index, action in enumerate(given)}
    if len(place) != len(given):
        twice = sorted({a.name for a in given if sum(a.name == b.name for b in given) > 1})
        raise PlanError("the plan has a mistake", [Fault(name, "two actions have this name") for name in twice])
    if lost := [Fault(a.name, f"needs {n!r}, which does not exist") for a in given for n in a.needs if n not in place]:
        raise PlanError("the plan has a mistake", lost)
    left = {a.name: len(a.needs) for a in given}
    followers: dict[str, list[str]] = {}
    for action in given:
        for name in action.needs:
            followers.setdefault(name, []).append(action.name)
    ready = [place[name] for name, count in left.items() if not count]
    heapq.heapify(ready)
    done: list[Action] = []
    behind: dict[str, frozenset[str]] = {}
    while ready:
        action = given[heapq.heappop(ready)]
        beyond = frozenset().union(*(behind[name] for name in action.needs))
        behind[action.name] = beyond | set(action.needs)
        done.append(dataclasses.replace(action, needs=tuple(sorted(set(action.needs) - beyond))))
        for name in followers.get(action.name, ()):
            left[name] -= 1
            if not left[name]:
                heapq.heappush(ready, place[name])
    if len(done) != len(given):
        circle = _circle({a.name: a.needs for a in given if left[a.name]})
        raise PlanError("the plan has a circle", [Fault("", " waits for ".join(circle))])
    return tuple(done)


def _circle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one circle among actions that all wait for one another, its first name repeated at the end."""
    path = [next(iter(needs))]
    while True:
        following = next(name for name in needs[path[-1]] if name in needs)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)
