"""`unmoor:akash:Deployment` as the provider runs it: inputs in, a leased deployment out, through the Console rail."""

# ruff: noqa: A002, ARG002 the names and arguments are the protocol's

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...errors import MarketError
from ...provider import schema
from ...provider.resource import Diff, Failure, Partial, State
from ...provider.wire import UNKNOWN
from .inputs import LOST, TOKEN, difference, faults, version
from .market.observed import RUNNING, Observed, usd_month
from .market.reconcile import LIMIT_S, POLL_S, STUMBLES, Stumble, WallClock, settle
from .market.request import Patience, request
from .rails.console import ConsoleRail
from .sdl.steady import taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...provider.resource import Context
    from .market.reconcile import Clock
    from .market.request import Request
    from .market.steps import Step

_ENDPOINT = ("address", "uris")
#: What only the market can say.
_OUTPUTS = schema.outputs(TOKEN)
#: How often `read` asks again before it believes that a provider is silent.
_LOOKS = 3


class DeploymentResource:
    """One instance serves one operation of the engine: it remembers what this operation created."""

    def __init__(
        self,
        rail: Callable[[Clock], ConsoleRail] = ConsoleRail,
        clock: Callable[[Context], Clock] = lambda ctx: WallClock(ctx.cancelled),
    ) -> None:
        self._rail = rail
        self._clock = clock
        self._created: set[str] = set()

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Name every fault at once; sort the list of providers to avoid; keep a document that a container outgrew."""
        inputs = {**schema.defaults(TOKEN), **{key: value for key, value in news.items() if value is not None}}
        found = faults(inputs)
        if not found and isinstance(inputs["avoid"], list) and UNKNOWN not in inputs["avoid"]:
            inputs["avoid"] = sorted(set(inputs["avoid"]))
        if not found:
            inputs["sdl"] = taken((olds or {}).get("sdl"), inputs["sdl"], int(time.time()))
        return inputs, found

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        """Say what changes in place and what needs another lease; new before old."""
        return Diff(difference(old_inputs, old_outputs, news))

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        """Open, rent, deploy, wait; or go on where an earlier run was killed."""
        if ctx.preview:
            return State("", {**inputs, **dict.fromkeys(_OUTPUTS, UNKNOWN), "version": version(inputs)})
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            try:
                seen = settle(_want(inputs, ctx), rail, clock, _teller(ctx), ctx.timeout_s or LIMIT_S)
            except MarketError as fault:
                if not rail.id:
                    raise
                known = {"dseq": rail.id, "price_uact_block": "0", "state": "pending"}
                pending = {**inputs, **schema.blank(TOKEN), **known}
                raise Partial(State(rail.id, pending), [str(fault)]) from fault
            state = _state(rail, inputs, seen)
        self._created.add(state.id)
        return state

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        """Look again; None once it is closed.

        A lease that was lost while its deployment is open stays in the state, marked: its escrow is locked until it
        is closed, which the replacement that `diff` then asks for, or a destroy, takes care of.
        """
        if not inputs.get("sdl"):
            raise MarketError(
                f"akash: deployment {id} cannot be imported, because the market keeps only a hash of its document; if "
                "this stack made it, write its resource with the same name and document, and `pulumi up` finds it; "
                "else deploy the document anew, move its names there, and close this one"
            )
        clock = self._clock(ctx)
        want = _want(inputs, ctx, id)
        with self._rail(clock) as rail:
            seen = rail.observe(want)
            for _ in range(_LOOKS):
                if seen.open is None or seen.services is not None or not seen.lease or seen.lease.state != "active":
                    break
                clock.sleep(POLL_S)
                seen = rail.observe(want)
            if seen.open is None:
                return None
            why = _loss(seen)
            if why:
                ctx.log("warning", f"deployment {id} is lost: {why}; the next `pulumi up` rents again")
                return State(id, {**outputs, "state": f"{LOST}: {why}"}, inputs)
            if seen.lease is None:
                return State(id, outputs, inputs)
            return _state(rail, inputs, seen, outputs)

    def update(
        self,
        id: str,
        old_inputs: dict[str, Any],
        old_outputs: dict[str, Any],
        news: dict[str, Any],
        ctx: Context,
    ) -> State:
        """Put another manifest on the same lease, or finish what an earlier run left undone."""
        if ctx.preview:
            stays = old_outputs.get("state") == "active"
            outputs = {**old_outputs, **({} if stays else dict.fromkeys(_OUTPUTS, UNKNOWN)), **news}
            moved = {} if old_inputs["service"] == news["service"] else dict.fromkeys(_ENDPOINT, UNKNOWN)
            return State(id, {**outputs, **moved, "dseq": id, "version": version(news)})
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            seen = settle(_want(news, ctx, id), rail, clock, _teller(ctx), ctx.timeout_s or LIMIT_S)
            return _state(rail, news, seen, old_outputs)

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        """Close it, and see that it is closed; no Akash provider is asked."""
        if id in self._created:  # a replacement that was forced without a change found this very deployment
            ctx.log("warning", f"deployment {id} stays open: its replacement runs on it")
            return
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            for wait in (*STUMBLES, None):
                try:
                    rail.close(id)
                    if not rail.is_open(id):
                        return
                    trouble = MarketError(f"akash: deployment {id} is still open after it was closed; try again")
                except Stumble as fault:
                    trouble = fault
                if wait is None:
                    raise trouble
                clock.sleep(wait)


def _want(inputs: dict[str, Any], ctx: Context, id: str = "") -> Request:
    patience = Patience()
    if ctx.timeout_s:
        patience = replace(
            patience,
            bidding=min(patience.bidding, ctx.timeout_s / 2),
            ready=min(patience.ready, ctx.timeout_s),
        )
    return request(inputs["name"], inputs["sdl"], inputs["service"], inputs["avoid"], id=id, patience=patience)


def _teller(ctx: Context) -> Callable[[Step, Observed], None]:
    return lambda step, _: ctx.log("info", str(step))


def _loss(seen: Observed) -> str:
    if seen.lease is None:
        return ""
    if seen.lease.state == "reclaiming":
        return f"{seen.lease.provider} is taking it back"
    if seen.lease.state not in RUNNING:
        return f"its lease is {seen.lease.state}" + f" ({seen.lease.reason})" * bool(seen.lease.reason)
    return "" if seen.services is not None else f"{seen.lease.provider} does not answer"


def _state(rail: ConsoleRail, inputs: dict[str, Any], seen: Observed, before: dict[str, Any] | None = None) -> State:
    """Tell a leased deployment as outputs."""
    found, lease, before = seen.deployment, seen.lease, before or {}
    if found is None or lease is None:
        raise AssertionError("only a leased deployment has a state")
    same = before.get("provider") == lease.provider and before.get("host_uri")
    service = inputs["service"]
    outputs = {
        **inputs,
        "dseq": found.id,
        "owner": found.owner,
        "provider": lease.provider,
        "host_uri": before["host_uri"] if same else rail.host_uri(lease.provider),
        "version": found.version,
        "address": next(iter(seen.ips.get(service, ())), ""),
        "uris": list(seen.uris.get(service, ())),
        "usd_month": round(float(usd_month(lease.price)), 4),
        "price_uact_block": f"{lease.price.normalize():f}",
        "state": "active",
    }
    return State(found.id, outputs, inputs)
