"""`unmoor:akash:Deployment` as the provider runs it: inputs in, a leased deployment out, over any rail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, MarketError, NobodyBid, NotReady, Unanswered
from ...provider import schema
from ...provider.resource import Change, Diff, Failure, Partial, State
from ...provider.wire import UNKNOWN
from . import leads as leading
from . import words
from .closing import present, shut, unmoored
from .inputs import GENERATION, LOST, TOKEN, difference, faults, generation, group, version
from .market.lost import lost
from .market.names import Owner
from .market.observed import UNSEEN, Observed, hidden, places, usd_month
from .market.reconcile import LIMIT_S, TransientError, WallClock, reconcile
from .market.request import Patience, request
from .rails.console import ConsoleRail
from .screening import screened, why_nobody_bids
from .sdl.steady import taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...provider.resource import Context
    from .leads import Leads
    from .market.reconcile import Clock
    from .market.request import Request
    from .market.steps import Step
    from .rails.rail import Rail

#: Outputs that only the market knows.
_OUTPUTS = schema.outputs(TOKEN)
_ENDPOINT = ("address", "uris")
#: The beginning of `state` while a provider shows no status of a standing lease; the time follows.
SILENT_SINCE = "silent since "


class DeploymentResource:
    """One instance serves one run of the engine, and remembers which resource uses which deployment."""

    def __init__(
        self,
        rail: Callable[[Clock], Rail] = ConsoleRail,
        clock: Callable[[Context], Clock] = lambda ctx: WallClock(ctx.cancelled),
        leads: Leads = leading.public,
        served: Callable[[dict[str, Any]], bool | None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rail = rail
        self._clock = clock
        self._leads = leads
        self._served = served
        self._now = now
        self._generations: dict[str, int] = {}
        #: The deployment that each resource's state held when it was last asked about, or that was made for it since.
        self._live: dict[str, str] = {}
        #: Every deployment that the engine has mentioned: the engine closes these itself.
        self.in_use: set[str] = set()
        #: The groups of deployments that this run creates: one that a killed run left under such a name is adopted.
        self.awaited: set[str] = set()

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Return every fault at once; sort lists whose order has no meaning; number the deployments of a resource.

        A document from which only values that a running container learns by itself differ is kept.
        """
        given = {**schema.defaults(TOKEN), **{key: value for key, value in news.items() if value is not None}}
        found = faults(given)
        for key in ("avoid", "apart", "hosts"):
            if not found and isinstance(given.get(key), list) and UNKNOWN not in given[key]:
                given[key] = sorted(set(given[key]))
        if not found:
            given["sdl"] = taken((olds or {}).get("sdl"), given["sdl"], int(self._now().timestamp()))
        if olds:
            number = self._generations[ctx.urn] = generation(olds)
        else:
            number = self._generations.get(ctx.urn, -1) + 1
        given.pop(GENERATION, None)
        return {**given, **({GENERATION: number} if number else {})}, found

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        """Return what changes in place and what needs another lease; new before old.

        Before a lost lease is replaced the market is asked again, so that a lease that serves is kept.
        """
        self._mention(ctx, id)
        found = difference(old_inputs, old_outputs, news)
        if found.get("state") is Change.UPDATE_REPLACE and self._back(id, old_outputs, ctx):
            found["state"] = Change.UPDATE
        return Diff(found)

    def _mention(self, ctx: Context, id: str) -> None:
        self._live[ctx.urn] = id
        self.in_use.add(id)

    def _back(self, id: str, outputs: dict[str, Any], ctx: Context) -> bool:
        """Return whether a deployment that the state calls lost is back; False where the market cannot be asked."""
        try:
            with self._rail(self._clock(ctx)) as rail:
                seen = rail.look(id)
        except (MarketError, ConfigError) as fault:
            ctx.log("info", f"deployment {id} is replaced as it was last seen, {outputs['state']}; not asked: {fault}")
            return False
        alive = seen.open is not None and seen.lease is not None
        if not alive or lost(seen) or (seen.services is None and self._served(outputs) is False):
            return False
        ctx.log("info", f"deployment {id} is back, and is kept")
        return True

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        """Open, rent, deploy and wait; continue where an earlier run was killed."""
        owner = Owner.of(ctx.urn)
        if ctx.preview:
            name = group(inputs, owner)
            self.awaited.add(name)
            screened(inputs, ctx, self._rail, self._clock)
            return State(
                "", {**inputs, **dict.fromkeys(_OUTPUTS, UNKNOWN), "group": name, "version": version(inputs, name)}
            )
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            want = replace(_want(inputs, ctx, group(inputs, owner)), keep=frozenset(self.in_use))
            if not generation(inputs) and _hosts(inputs):
                rail.in_use = lambda dseq: self._led_to(rail, dseq, _hosts(inputs))
            try:
                seen = reconcile(want, rail, clock, _watcher(ctx), ctx.timeout_s or LIMIT_S)
            except MarketError as met:
                fault = _explained(met, rail, want, ctx)
                if not rail.id:
                    raise fault from met
                known = {"dseq": rail.id, "group": want.name, "price_uact_block": "0", "state": "pending"}
                pending = {**inputs, **schema.blank(TOKEN), **known}
                self._mention(ctx, rail.id)
                raise Partial(State(rail.id, pending), [str(fault)]) from met
            state = _state(rail, inputs, seen, want)
        self._mention(ctx, state.id)
        return state

    def _led_to(self, rail: Rail, dseq: str, hosts: list[str]) -> bool:
        """Return whether a deployment of the wanted name may be in use; then it is neither adopted nor closed.

        A forced replacement (`--replace`) is created without the old inputs, so the deployment that it replaces may
        have the same name. A record that leads to it distinguishes it from what a killed run left. Raises
        TransientError where the market lists it and does not show it, because it may then be in use.
        """
        seen = rail.look(dseq)
        if seen.deployment is None or seen.deployment.state == UNSEEN:
            raise TransientError(f"akash: the market lists deployment {dseq} and does not show it", took=False)
        addresses, names = places(seen)
        try:
            return hidden(seen) or bool((addresses or names) and self._leads(addresses, names, hosts))
        except Unanswered:
            return True

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        """Observe the deployment again; return None once it is closed.

        A lease that was lost while its deployment is open stays in the state, marked: its escrow is locked until it is
        closed, by the replacement that `diff` then asks for or by a destroy.
        """
        if not inputs.get("sdl"):
            raise MarketError(
                f"akash: deployment {id} cannot be imported, because the market keeps only a hash of its document; if "
                "this stack made it, write its resource with the same name and document, and `pulumi up` finds it; "
                "else deploy the document anew, move its names there, and close this one"
            )
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            seen = present(rail, id, str(outputs.get("owner") or ""), clock)
            if seen.open is None:
                return None
            since = self._silent_since(seen, outputs)
            silent_s = (self._now() - since).total_seconds() if since else 0.0
            why = lost(seen, silent_s, served=self._served(outputs) if since else True)
            if why:
                ctx.log("warning", f"deployment {id} is lost: {why}; the next `pulumi up` rents again")
                return State(id, {**outputs, "state": f"{LOST}: {why}"}, inputs)
            if since:
                ctx.log("warning", f"the provider of deployment {id} does not answer; it is kept")
                return State(id, {**outputs, "state": f"{SILENT_SINCE}{since.isoformat(timespec='seconds')}"}, inputs)
            if seen.lease is None:
                return State(id, outputs, inputs)
            return _state(rail, inputs, seen, _want(inputs, ctx, group(inputs, None, outputs)), outputs)

    def _silent_since(self, seen: Observed, outputs: dict[str, Any]) -> datetime | None:
        """Return the time since which a running lease has shown no status; None if it shows one."""
        if seen.services is not None or seen.lease is None or seen.lease.state != "active":
            return None
        state = str(outputs.get("state", ""))
        if not outputs.get("provider"):  # It never was ready, so visitors miss nothing.
            return None
        try:
            return datetime.fromisoformat(state.removeprefix(SILENT_SINCE)) if SILENT_SINCE in state else self._now()
        except ValueError:
            return self._now()

    def update(
        self,
        id: str,
        old_inputs: dict[str, Any],
        old_outputs: dict[str, Any],
        news: dict[str, Any],
        ctx: Context,
    ) -> State:
        """Put another manifest on the same lease, or finish what an earlier run left undone."""
        name = group(old_inputs, None, old_outputs)
        if ctx.preview:
            stays = old_outputs.get("state") == "active"
            outputs = {**old_outputs, **({} if stays else dict.fromkeys(_OUTPUTS, UNKNOWN)), **news}
            moved = {} if old_inputs["service"] == news["service"] else dict.fromkeys(_ENDPOINT, UNKNOWN)
            return State(id, {**outputs, **moved, "dseq": id, "group": name, "version": version(news, name)})
        self._mention(ctx, id)
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            want = _want(news, ctx, name, id)
            try:
                seen = reconcile(want, rail, clock, _watcher(ctx), ctx.timeout_s or LIMIT_S)
            except NotReady as met:
                raise _explained(met, rail, want, ctx) from met
            return _state(rail, news, seen, want, old_outputs)

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        """Close it once no record leads to it, and verify that it is closed; no Akash provider has to answer."""
        if self._live.get(ctx.urn) == id:
            ctx.log("warning", f"deployment {id} stays open: its replacement runs on it")
            return
        clock = self._clock(ctx)
        with self._rail(clock) as rail:
            if rail.is_open(id) is False:
                return
            addresses = [outputs["address"]] if outputs.get("address") else []
            unmoored(self._leads, id, addresses, list(outputs.get("uris") or ()), _hosts(inputs), clock)
            shut(rail, id, str(outputs.get("owner") or ""), clock)


def _explained(fault: MarketError, rail: Rail, want: Request, ctx: Context) -> MarketError:
    """Return a fault with its explanation: demands that exclude providers, or logs of a lease that is not ready."""
    if isinstance(fault, NotReady):
        stack, project = ctx.urn.split("::")[:2]
        lines = words.of(rail, rail.id or want.id, want.data["services"], f"{project}/{stack.rpartition(':')[2]}")
        return NotReady(f"{fault.title}. Its containers logged last", lines)
    if not isinstance(fault, NobodyBid):
        return fault
    return NobodyBid(f"{fault.title} {why_nobody_bids(rail, want)}".rstrip())


def _want(inputs: dict[str, Any], ctx: Context, name: str, id: str = "") -> Request:
    patience = Patience()
    if ctx.timeout_s:
        patience = replace(
            patience,
            bidding=min(patience.bidding, ctx.timeout_s / 2),
            ready=min(patience.ready, ctx.timeout_s),
        )
    return request(
        inputs["name"],
        inputs["sdl"],
        inputs["service"],
        inputs["avoid"],
        apart=(Owner.named(ctx.urn, each) for each in inputs.get("apart") or ()),
        group=name,
        id=id,
        patience=patience,
    )


def _hosts(inputs: dict[str, Any]) -> list[str]:
    """Return the names of the zone that may lead to a deployment: its `hosts`, and those that its ingress serves."""
    services = (inputs.get("sdl") or {}).get("services") or {}
    exposed = [expose for service in services.values() for expose in (service or {}).get("expose") or ()]
    accepted = [host for expose in exposed for host in expose.get("accept") or ()]
    return list(dict.fromkeys([*(inputs.get("hosts") or ()), *accepted]))


def _watcher(ctx: Context) -> Callable[[Step, Observed], None]:
    return lambda step, _: ctx.log("info", str(step))


def _state(
    rail: Rail, inputs: dict[str, Any], seen: Observed, want: Request, before: dict[str, Any] | None = None
) -> State:
    """Return a leased deployment as outputs. Raises MarketError for a price above the ceiling."""
    found, lease, before = seen.deployment, seen.lease, before or {}
    if found is None or lease is None:
        raise AssertionError("only a leased deployment has a state")
    if lease.price > want.ceiling:
        raise MarketError(
            f"akash: the Console shows deployment {found.id} at ${usd_month(lease.price):.2f} a month, over its "
            f"ceiling of ${usd_month(want.ceiling):.2f}; the network takes no such bid, so nothing is recorded"
        )
    same = before.get("provider") == lease.provider and before.get("host_uri")
    service = inputs["service"]
    outputs = {
        **inputs,
        "dseq": found.id,
        "owner": found.owner,
        "group": want.name,
        "provider": lease.provider,
        "host_uri": before["host_uri"] if same else rail.gateway(lease.provider),
        "version": found.version or want.version,
        "address": next(iter(seen.ips.get(service, ())), ""),
        "uris": list(seen.uris.get(service, ())),
        "usd_month": round(float(usd_month(lease.price)), 4),
        "price_uact_block": f"{lease.price.normalize():f}",
        "state": "active",
    }
    return State(found.id, outputs, inputs)
