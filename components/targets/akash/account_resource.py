"""`unmoor:akash:Account` as the provider runs it: what a stack has in the account, compared with what it should have.

There is one per stack. It closes deployments that bear the stack's mark and belong to none of its resources, such as
that of a killed run that was rolled back. It also returns for how long every lease is paid.
"""

# ruff: noqa: ARG002 the names and arguments are the protocol's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, MarketError
from ...provider import schema
from ...provider.resource import Change, Diff, Failure, State
from ...provider.wire import UNKNOWN, holds_unknown
from ...text.escape import outside
from . import leads as leading
from .closing import shut, unmoored
from .market.names import Owner, label_of, owner_of
from .market.observed import hidden, places
from .market.reconcile import WallClock
from .rails.console import ConsoleRail

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ...provider.resource import Context
    from .leads import Leads
    from .market.observed import Standing
    from .market.reconcile import Clock
    from .rails.rail import Rail, Runway

TOKEN = "unmoor:akash:Account"  # noqa: S105 a type token
_INPUTS = ("deployments", "hosts")
#: Outputs that change with every block.
_MONEY = ("balance_usd", "escrow_usd")
#: Days of rent below which a preview warns.
RUNWAY_DAYS = 14.0


class AccountResource:
    """One instance serves one run of the engine. A failed observation is reported in a sentence and stops no update.

    `in_use` names deployments that the engine has mentioned in this run, `awaited` the groups of those that it will
    create: a creation adopts what a killed run left under its name. `held` among the outputs are open deployments that
    resources have or had: the engine closes them itself, after their drain.
    """

    def __init__(
        self,
        rail: Callable[[Clock], Rail] = ConsoleRail,
        clock: Callable[[Context], Clock] = lambda ctx: WallClock(ctx.cancelled),
        leads: Leads = leading.public,
        in_use: Collection[str] = (),
        awaited: Collection[str] = (),
    ) -> None:
        self._rail = rail
        self._clock = clock
        self._leads = leads
        self._in_use = in_use
        self._awaited = awaited

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Return every fault at once; sort lists whose order has no meaning."""
        given = {**schema.defaults(TOKEN), **{key: value for key, value in news.items() if value is not None}}
        found = schema.faults(TOKEN, given)
        for key in _INPUTS:
            if not found and not holds_unknown(given[key]):
                given[key] = sorted(set(given[key]))
        return given, found

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        """Return what an update would do: use another list of deployments, and close orphans."""
        found = {key: Change.UPDATE for key in _INPUTS if holds_unknown(news[key]) or old_inputs.get(key) != news[key]}
        orphans = self._warned(news, old_outputs, ctx)
        left = orphans or (orphans is not None and old_outputs.get("orphans"))
        return Diff({**found, **({"orphans": Change.UPDATE} if left else {})})

    def _warned(self, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> list[str] | None:
        """Warn of orphans and of leases that end soon; return the orphans, or None if they were not observed."""
        try:
            with self._rail(self._clock(ctx)) as rail:
                mine = self._mine(rail, ctx)
                orphans = self._orphans(mine, inputs, outputs)
                paid = rail.runway(mine)
        except (MarketError, ConfigError) as fault:
            _not_looked(fault, ctx)
            return None
        for each in orphans:
            ctx.log(
                "warning", f"deployment {_shown(each)} bears this stack's mark and no resource has it: it is closed"
            )
        self._warn_of_money(paid, ctx)
        return sorted(_shown(each) for each in orphans)

    @staticmethod
    def _warn_of_money(paid: Runway, ctx: Context) -> None:
        if paid.trial:
            ctx.log("warning", "the account is a trial: its deployments are closed after 24 hours; add credit to it")
        for dseq, days in sorted(paid.days.items()):
            if days < RUNWAY_DAYS:
                ctx.log("warning", f"deployment {dseq} is paid for {days:g} more days; add credit to the account")

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        """Close orphans, and describe the account."""
        mark = Owner.of(ctx.urn).stack
        if ctx.preview:
            self._warned(inputs, {}, ctx)
            return State("", {**inputs, **dict.fromkeys(schema.outputs(TOKEN), UNKNOWN)})
        return self._settled(mark, inputs, {}, ctx)

    def update(
        self,
        id: str,
        old_inputs: dict[str, Any],
        old_outputs: dict[str, Any],
        news: dict[str, Any],
        ctx: Context,
    ) -> State:
        """Close orphans, and describe the account."""
        if ctx.preview:
            return State(id, {**news, **dict.fromkeys(schema.outputs(TOKEN), UNKNOWN)})
        return self._settled(id, news, old_outputs, ctx)

    def _settled(
        self, id: str, inputs: dict[str, Any], old_outputs: dict[str, Any], ctx: Context, *, close: bool = True
    ) -> State:
        try:
            with self._rail(self._clock(ctx)) as rail:
                mine = self._mine(rail, ctx)
                orphans = self._orphans(mine, inputs, old_outputs)
                left = self._close(rail, orphans, inputs, ctx) if close else orphans
                gone = {each.deployment.id for each in orphans} - {each.deployment.id for each in left}
                mine = [each for each in mine if each.deployment.id not in gone]
                return State(id, self._outputs(rail, inputs, old_outputs, mine, left), inputs)
        except (MarketError, ConfigError) as fault:
            _not_looked(fault, ctx)
            held = {*(old_outputs.get("held") or ()), *self._in_use, *(inputs.get("deployments") or ())}
            return State(id, {**schema.blank(TOKEN), **old_outputs, **inputs, "held": sorted(held)}, inputs)

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        """Observe the account again; nothing is closed.

        The balance falls all the time. It counts as a change once fewer whole days are paid for, because otherwise no
        two reads would agree.
        """
        seen = self._settled(id, inputs, outputs, ctx, close=False)
        same = all(seen.outputs[key] == outputs.get(key) for key in schema.outputs(TOKEN) if key not in _MONEY)
        return State(id, outputs, inputs) if same else seen

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        """Close orphans; the engine closes what it has itself. Without a key, do nothing."""
        try:
            rail = self._rail(self._clock(ctx))
        except ConfigError as fault:
            _not_looked(fault, ctx)
            return
        with rail:
            self._close(rail, self._orphans(self._mine(rail, ctx), inputs, outputs), inputs, ctx)

    def _mine(self, rail: Rail, ctx: Context) -> list[Standing]:
        """List the open deployments that bear the stack's mark."""
        mark = Owner.of(ctx.urn).stack
        named = [(each, owner_of(each.deployment.group or "")) for each in rail.account()]
        return [each for each, owner in named if owner is not None and owner.stack == mark]

    def _orphans(self, mine: list[Standing], inputs: dict[str, Any], outputs: dict[str, Any]) -> list[Standing]:
        """Return deployments that no resource has, had at the end of the last run, or has in this run."""
        wanted = inputs.get("deployments", [])
        if holds_unknown(
            wanted
        ):  # A preview that creates or replaces: for now, what stands belongs to another resource.
            wanted = [each for each in wanted if each is not UNKNOWN] if isinstance(wanted, list) else []
        kept = {*wanted, *(outputs.get("held") or ()), *self._in_use}
        return [each for each in mine if each.deployment.id not in kept and each.deployment.group not in self._awaited]

    def _close(self, rail: Rail, orphans: list[Standing], inputs: dict[str, Any], ctx: Context) -> list[Standing]:
        """Close orphans to which no record leads; return those that stay open."""
        left = []
        for each in orphans:
            dseq = each.deployment.id
            try:
                seen = rail.look(dseq)
                if hidden(seen):
                    raise MarketError(f"akash: deployment {dseq} stays open: it is not shown where it serves")
                addresses, names = places(seen)
                unmoored(self._leads, dseq, addresses, names, list(inputs.get("hosts") or ()))
                shut(rail, dseq, each.deployment.owner, self._clock(ctx))
            except MarketError as fault:
                ctx.log("warning", str(fault))
                left.append(each)
            else:
                ctx.log("info", f"deployment {_shown(each)} belonged to no resource and is closed")
        return left

    def _outputs(
        self, rail: Rail, inputs: dict[str, Any], old: dict[str, Any], mine: list[Standing], orphans: list[Standing]
    ) -> dict[str, Any]:
        standing = {each.deployment.id for each in mine}
        held = {*(old.get("held") or ()), *self._in_use} & standing | set(inputs.get("deployments") or ())
        paid = rail.runway(mine)
        return {
            **inputs,
            "owner": rail.owner(),
            "held": sorted(held),
            "orphans": sorted(_shown(each) for each in orphans),
            "balance_usd": round(float(paid.balance_usd), 2),
            "escrow_usd": round(float(paid.escrow_usd), 2),
            "runway_days": {dseq: float(int(days)) for dseq, days in sorted(paid.days.items())},
            "trial": paid.trial,
        }


def _not_looked(fault: Exception, ctx: Context) -> None:
    """Report a missing key as information, and any other fault as a warning."""
    ctx.log("info" if isinstance(fault, ConfigError) else "warning", f"orphans: not looked: {fault}")


def _shown(each: Standing) -> str:
    return f"{each.deployment.id} ({outside(label_of(each.deployment.group or 'without a name'), 63)})"
