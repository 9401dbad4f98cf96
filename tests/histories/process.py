"""A site of a history: its machine, and its process behind a network that loses and delays requests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from components.stores import tenure

from .database import Failed, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from components.stores.record import Record

    from .world import World

#: The most seconds that a client waits for the store, and the range of seconds that each order to the database takes.
TIMEOUT = 5.0
DEED_S = {"freeze": (0.1, 1.0), "archive": (0.5, 3.0), "promote": (0.5, 4.0), "demote": (1.0, 5.0)}


@dataclass
class Place:
    """A site: its machine with the data, its clock, and its process."""

    name: str
    data: Site
    rate: float
    wall: float = 0.0
    process: Process | None = None
    starts: int = 0
    #: The time at which each fault ends, by its name.
    wrong: dict[str, float] = field(default_factory=dict)
    lag: float = 0.0
    armed: dict[str, Any] | None = None


class Process:
    """The process of a site: it takes actions and receives events until it is killed."""

    def __init__(self, world: World, place: Place, instance: str) -> None:
        self.world, self.place = world, place
        plan = world.plan
        self.me = tenure.Me(
            world.records.workload, place.name, instance, world.times, plan.kind == "singleton", plan.strict
        )
        self.mind = tenure.Mind()
        self.stopping = False

    @property
    def alive(self) -> bool:
        """Whether it has not been killed."""
        return self.place.process is self

    def later(self, after: float, event: Callable[[], tenure.Event]) -> None:
        """Deliver an event after so many seconds, or when a pause ends."""

        def arrive() -> None:
            resumes = self.place.wrong.get("pause", -1)
            if resumes > self.world.now:
                self.world.at(resumes, arrive)
            elif self.alive:
                self.feed(event())

        self.world.at(self.world.now + after, arrive)

    def now(self) -> float:
        """Return the time of the clock that decisions use, in seconds."""
        return self.world.now + self.place.wall if self.world.clock == "wall" else self.world.monotonic(self.place)

    def feed(self, event: tenure.Event) -> None:
        """Decide on an event and act, unless a fault is armed for that moment."""
        if self.stopping and not self.mind.stopping:
            event = tenure.Stopping()
        self.mind, action = tenure.step(self.me, self.mind, event)
        armed = self.place.armed
        if armed and armed["moment"] == _moment(action):
            self.place.armed = None
            self.hit(action, armed)
        else:
            self.take(action)

    def hit(self, action: tenure.Action, armed: dict[str, Any]) -> None:
        """Kill or pause the process: before an action, or between it and its answer."""
        world, place = self.world, self.place
        if "pause" in armed:
            world.log(f"{place.name} is paused {'after' if armed['after'] else 'before'} {armed['moment']}")
            if armed["after"]:
                self.take(action)
            place.wrong["pause"] = world.now + armed["pause"]
            if not armed["after"]:
                world.at(place.wrong["pause"], lambda: self.take(action) if self.alive else None)
            return
        if armed["after"]:
            self.take(action, answered=False)
        after = TIMEOUT + 1 if armed["after"] else 0  # no action takes longer
        world.at(
            world.now + after,
            lambda: (
                world.kill(place, armed["down"], machine=armed["machine"], lost=armed.get("lost", False))
                if self.alive
                else None
            ),
        )

    def take(self, action: tenure.Action, *, answered: bool = True) -> None:
        """Take an action. Without `answered` it has its effect, but no answer."""
        answer = self.later if answered else lambda _after, _event: None
        match action:
            case tenure.Look():
                self.look(answer)
            case tenure.Write():
                self.write(action, answer)
            case tenure.Permit(until):
                if not self.place.data.primary:
                    self.world.violations.append(f"{self.place.name} permits writes to a copy that was not promoted")
                shift = self.world.monotonic(self.place) - self.now()
                self.place.data.permit(until + shift)
                answer(0.01, tenure.Started)
            case tenure.Do():
                took = self.world.chance.uniform(*DEED_S[action.deed.value])
                self.world.at(self.world.now + took, lambda: self.do(action, answer))
            case tenure.Sleep(seconds):
                answer(seconds / self.place.rate, tenure.Started)
            case tenure.End():
                self.world.log(f"{self.place.name} ends in order")
                self.place.process = None

    def do(self, action: tenure.Do, answer: Any) -> None:
        """Carry out an order to the database, unless the process was killed meanwhile."""
        data, world, deed = self.place.data, self.world, action.deed
        if not self.alive:
            return
        position = None
        try:
            if deed is not tenure.Deed.FREEZE and world.plan.kind == "writer" and not world.archives(self.place):
                raise Failed("the archive cannot be reached")
            if deed is tenure.Deed.FREEZE:
                data.freeze()
            elif deed is tenure.Deed.ARCHIVE:
                position = data.archived(world.now)
            elif deed is tenure.Deed.PROMOTE:
                data.promote(action.epoch)
            else:
                data.demote()
        except Failed as error:
            world.log(f"{self.place.name} cannot {deed}: {error}")
            answer(0, lambda: tenure.Did(deed, done=False))
            return
        world.log(f"{self.place.name} has done: {deed}")
        answer(0, lambda: tenure.Did(deed, done=True, position=position))

    # requests

    def fails(self) -> bool:
        """Return whether the store does not answer this site."""
        return self.world.store_down >= self.world.now or self.place.wrong.get("cut", -1) >= self.world.now

    def travel(self) -> tuple[float, bool]:
        """Return after how many seconds a request arrives, and whether its answer is lost."""
        world, wrong = self.world, self.place.wrong
        if wrong.get("delay", -1) >= world.now and world.chance.random() < 0.5:
            return world.chance.uniform(TIMEOUT, 25), True
        return world.chance.uniform(0.02, 0.3), wrong.get(
            "lose_answers", -1
        ) >= world.now and world.chance.random() < 0.6

    def look(self, answer: Any) -> None:
        """Read the record."""
        arrives, lost = self.travel()
        sent = self.world.now

        def silent() -> tenure.Event:
            return tenure.Silent(self.now(), self.copy(None))

        def arrive() -> None:
            if self.fails() or lost:
                answer(max(0.0, sent + TIMEOUT - self.world.now), silent)
                return
            record, etag = self.read()

            def looked() -> tenure.Event:
                position = record.position if record else None
                return tenure.Looked(self.now(), record, etag, self.copy(position))

            answer(self.world.chance.uniform(0.02, 0.3), looked)

        self.world.at(self.world.now + arrives, arrive)

    def copy(self, position: str | None) -> tenure.Copy:
        """Describe the copy. `newest` is unknown, so False, if the archive does not answer."""
        copy = self.place.data.copy(position, self.world.monotonic(self.place))
        return copy if self.world.archives(self.place) else replace(copy, newest=False)

    def read(self) -> tuple[Record | None, str]:
        """Read the store's record, or with a lag an older one."""
        world = self.world
        world.requests += 1
        if self.place.wrong.get("lag", -1) >= world.now:
            return next(seen for at, seen in reversed(world.reads) if at <= world.now - self.place.lag)
        world.reads.append((world.now, world.records.read()))
        return world.reads[-1][1]

    def write(self, action: tenure.Write, answer: Any) -> None:
        """Write the record on its condition. The request may arrive after the client's time-out."""
        world, record = self.world, action.record
        arrives, lost = self.travel()
        sent, begun = self.now(), world.now

        def ended(outcome: tenure.Outcome) -> Callable[[], tenure.Event]:
            return lambda: tenure.Wrote(outcome, record, sent)

        in_time = arrives <= TIMEOUT
        if not in_time:
            answer(TIMEOUT, ended(tenure.Outcome.LOST))

        def arrive() -> None:
            outcome = tenure.Outcome.LOST
            if not self.fails() and self.place.wrong.get("unwritable", -1) < world.now:
                world.requests += 1
                outcome = world.records.write(record, action.etag)[0]
                if outcome is tenure.Outcome.TOOK:
                    world.noted(record)
            if lost:
                outcome = tenure.Outcome.LOST
            if in_time:
                silent = outcome is tenure.Outcome.LOST
                answer(begun + TIMEOUT - world.now if silent else world.chance.uniform(0.02, 0.3), ended(outcome))

        world.at(begun + arrives, arrive)


def _moment(action: tenure.Action) -> str:
    match action:
        case tenure.Write(record, _):
            return record.state.value
        case tenure.Do(deed):
            return deed.value
        case tenure.Permit():
            return "permit"
    return ""
