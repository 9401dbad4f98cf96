"""Carry out what `decide` returns until the market shows what was asked for. A run may be killed and repeated."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ....errors import MarketError, NotReady
from .decide import decide, learn
from .observed import Observed, Since, remember
from .steps import WAITS, AwaitReady, CloseDeployment, Done, GiveUp, SendManifest, Step

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from .request import Request

#: Seconds between two observations of a market that has nothing new.
POLL_S = 1.5
#: Seconds of one run: three openings with their bids, and the wait for readiness.
LIMIT_S = 900.0
#: How often in a row the market may fail, and the waits between, in seconds.
RETRIES = (1.0, 2.0, 4.0, 8.0)


class TransientError(MarketError):
    """A call failed in a way that may pass. `took` is False if it had no effect, None if that is not known."""

    def __init__(self, title: str, *, took: bool | None = None) -> None:
        super().__init__(title)
        self.took = took


class Market(Protocol):
    """The only door to the network. Both methods raise TransientError for what may pass, else another MarketError."""

    def observe(self, want: Request) -> Observed:
        """Observe the deployment, by its id when one is pinned or known, else by name."""
        ...

    def perform(self, want: Request, step: Step) -> None:
        """Take one step; never repeat an opening."""
        ...


class Clock(Protocol):
    """Time, in seconds of any origin."""

    def now(self) -> float:
        """Return the time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. Raises MarketError when the run is cancelled meanwhile."""
        ...


@dataclass(frozen=True)
class WallClock:
    """The machine's clock, with waits that end when the engine cancels."""

    cancelled: threading.Event

    def now(self) -> float:
        """Return the time since some start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, unless cancelled. Raises MarketError when cancelled."""
        if self.cancelled.wait(seconds):
            raise MarketError("akash: interrupted; the next `pulumi up` goes on from here")


def reconcile(
    want: Request,
    market: Market,
    clock: Clock,
    watch: Callable[[Step, Observed], None],
    limit_s: float = LIMIT_S,
) -> Observed:
    """Take steps until the market shows what is wanted, and return that observation.

    `watch` gets every step that differs from the one before. Raises the error that `decide` ends with, a Refused of the
    market at once, and a MarketError when the market keeps failing or `limit_s` seconds are over. Nothing open is lost:
    the next run finds it by its name.
    """
    since, end, failures = Since(), clock.now() + limit_s, 0
    shown: Step | None = None
    taken: Step | None = None
    while True:
        try:
            seen = remember(since, market.observe(want))
        except TransientError as fault:
            failures = _retry(failures, fault, clock)
            continue
        since, step = seen.since, decide(want, seen)
        if step != shown:
            watch(step, seen)
            shown = step
        if isinstance(step, Done):
            return seen
        if isinstance(step, GiveUp):
            _give_up(want, step, market, clock)
        if clock.now() >= end:
            late = f"akash: out of time after {limit_s:.0f} s; the last step was: {step}"
            raise NotReady(late) if isinstance(step, AwaitReady) else MarketError(late)
        if isinstance(step, WAITS):
            failures = 0
            clock.sleep(POLL_S)
            continue
        if step == taken:  # The market does not show the step's effect yet.
            clock.sleep(POLL_S)
        since, failures = _take(want, step, market, clock, since, failures)
        taken = step


def _take(want: Request, step: Step, market: Market, clock: Clock, since: Since, failures: int) -> tuple[Since, int]:
    """Take one step; return the memory after it, and the number of failures in a row."""
    try:
        market.perform(want, step)
    except TransientError as fault:
        since = learn(since, step, clock.now(), took=fault.took)
        if isinstance(step, SendManifest):  # `decide` judges a provider's silence.
            clock.sleep(POLL_S)
            return since, failures
        return since, _retry(failures, fault, clock)
    return learn(since, step, clock.now(), took=True), 0


def _retry(failures: int, fault: TransientError, clock: Clock) -> int:
    if failures >= len(RETRIES):
        raise fault
    clock.sleep(RETRIES[failures])
    return failures + 1


def _give_up(want: Request, step: GiveUp, market: Market, clock: Clock) -> None:
    if not step.close:
        raise step.error(step.why)
    closed, failures = f"Deployment {step.close} is closed again", 0
    while True:
        try:
            market.perform(want, CloseDeployment(step.close, step.why))
            break
        except TransientError as fault:
            try:
                failures = _retry(failures, fault, clock)
            except MarketError:
                closed = f"Deployment {step.close} is still open ({fault})"
                break
    raise step.error(f"{step.why}. {closed}; {step.advice}.")
