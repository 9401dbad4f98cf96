"""A model of the Pulumi engine: what it calls of a resource, in which order, and what its state holds after a kill.

It follows `pkg/resource/deploy/step_generator.go` of v3.259.0: `check` with the old inputs, `diff`, and for a
replacement `check` again without them; creations and updates first, deletions last and only if nothing failed;
a replaced resource stays in the state until it is deleted, in this run or in a later one.
"""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from components.errors import MarketError, Unanswered
from components.provider.resource import Context, Partial, State
from components.targets.akash.account_resource import AccountResource
from components.targets.akash.rails.console import ConsoleRail
from components.targets.akash.rails.console_client import Console
from components.targets.akash.resource import DeploymentResource

from .console import Clock, World

if TYPE_CHECKING:
    from components.targets.akash.market.reconcile import Clock as AnyClock

ENVIRONMENT = {"AKASH_CONSOLE_URL": "https://console.example", "AKASH_CONSOLE_API_KEY": "key"}
DEPLOYMENT, ACCOUNT = "unmoor:akash:Deployment", "unmoor:akash:Account"
DRAIN_S = 60.0
#: A run that makes more calls than this goes round in circles.
MOST_CALLS = 1500


class RunError(Exception):
    """A run of the engine failed: what it did stands, what came after did not happen."""


@dataclass
class Entry:
    """One resource in the state."""

    urn: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    pending_delete: bool = False
    failed: bool = False


@dataclass
class Stack:
    """A stack's state, its program's sites, and the records that it keeps in the zone."""

    world: World
    project: str
    state: list[Entry] = field(default_factory=list)

    def urn(self, kind: str, name: str) -> str:
        return f"urn:pulumi:prod::{self.project}::{kind}::{name}"

    def host(self, name: str) -> str:
        return f"{name}.{self.project}.example"

    # -- runs

    def up(
        self,
        sites: dict[str, dict[str, Any]],
        *,
        dns: bool = True,
        answers: bool = True,
        replace: bool = False,
        target: bool = False,
    ) -> None:
        """Update: every site, its record, the account, and at last what is no longer wanted.

        With `target` only the sites' deployments are updated, and of the rest nothing is asked.
        """
        engine, operators = Engine(self, answers=answers), set[str]()
        for name, inputs in sites.items():
            avoid = sorted(operators.union(inputs["avoid"]))
            entry = engine.register(self.urn(DEPLOYMENT, name), {**inputs, "avoid": avoid}, replace=replace)
            operators.add(entry.outputs["provider"])
            if target:
                continue
            if not dns:
                raise RunError("the record could not be written")
            if address := entry.outputs.get("address"):
                self.world.records[self.host(name)] = address
        wanted = {self.urn(DEPLOYMENT, name) for name in sites}
        if target:
            for entry in [entry for entry in self.state if entry.pending_delete and entry.urn in wanted]:
                engine.delete(entry)
            return
        kept = [entry.id for entry in self.state if entry.urn in wanted and not entry.pending_delete]
        engine.register(self.urn(ACCOUNT, "account"), {"deployments": kept})
        self._deletes(engine, sites)

    def _deletes(self, engine: Engine, sites: dict[str, Any]) -> None:
        wanted = {*(self.urn(DEPLOYMENT, name) for name in sites), self.urn(ACCOUNT, "account")}
        ending = [entry for entry in self.state if entry.pending_delete or entry.urn not in wanted]
        if ending:
            self.world.sleep(DRAIN_S)
        for entry in reversed(ending):
            if entry.urn not in wanted and not entry.pending_delete and DEPLOYMENT in entry.urn:
                name = entry.urn.rpartition("::")[2]
                self.world.records.pop(self.host(name), None)
                self.world.sleep(DRAIN_S)
            engine.delete(entry)

    def refresh(self) -> None:
        """Read every resource."""
        engine = Engine(self)
        for entry in [entry for entry in self.state if not entry.pending_delete]:
            engine.read(entry)

    def destroy(self) -> None:
        """Remove the records, then everything."""
        engine = Engine(self)
        for host in [host for host in self.world.records if host.endswith(f".{self.project}.example")]:
            del self.world.records[host]
        self.world.sleep(DRAIN_S)
        for entry in reversed(self.state[:]):
            engine.delete(entry)


class Engine:
    """One run: one plug-in process, with its memory."""

    def __init__(self, stack: Stack, *, answers: bool = True) -> None:
        self.stack = stack
        self.world = stack.world
        self.world.calls = self.world.opened_in_run = 0
        self.answers = answers
        clock = Clock(self.world)
        now = lambda: datetime.fromtimestamp(self.world.now, UTC)  # noqa: E731 it is one expression
        deployments = DeploymentResource(self._rail, lambda _: clock, self._leads, self._served, now)
        self.resources: dict[str, Any] = {
            DEPLOYMENT: deployments,
            ACCOUNT: AccountResource(self._rail, lambda _: clock, self._leads, deployments.in_use, deployments.awaited),
        }

    def _rail(self, clock: AnyClock) -> ConsoleRail:
        return ConsoleRail(clock, Console(clock, ENVIRONMENT, httpx.MockTransport(self._answer)))

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        if self.world.calls > MOST_CALLS:
            self.world.violations.append(f"5: a run made more than {MOST_CALLS} calls")
            raise RunError("the update takes the same steps again and again")
        return self.world.answer(asked)

    def _leads(self, addresses: Any, names: Any, hosts: Any) -> list[str]:
        if not self.answers:
            raise Unanswered("the zone's authority does not answer")
        return self.world.leads(addresses, names, hosts)

    def _served(self, outputs: dict[str, Any]) -> bool | None:
        found = self.world.ledger.deployments.get(outputs.get("dseq", ""))
        return None if found is None else self.world.serving(found)

    def context(self, urn: str) -> Context:
        kind, name = urn.split("::")[2:]
        return Context(urn, name, kind, False, b"", threading.Event(), 0.0, lambda *_: None)

    def register(self, urn: str, program: dict[str, Any], *, replace: bool = False) -> Entry:
        """Create, update, replace or leave one resource, and give what the state holds of it then.

        A replacement that is forced is asked for without the old inputs, and without a diff.
        """
        ctx, resource = self.context(urn), self.resources[urn.split("::")[2]]
        old = next((entry for entry in self.stack.state if entry.urn == urn and not entry.pending_delete), None)
        inputs = self._check(resource, program, old.inputs if old and not replace else None, ctx)
        if old is None or replace:
            return self._create(resource, inputs, ctx, old, forced=replace)
        with failing():
            changes = resource.diff(old.id, old.inputs, old.outputs, copy.deepcopy(inputs), ctx).changes
        if any(change.replaces for change in changes.values()):
            return self._create(resource, self._check(resource, program, None, ctx), ctx, old)
        if changes or old.failed:
            with failing():
                made = resource.update(old.id, old.inputs, old.outputs, copy.deepcopy(inputs), ctx)
            old.inputs, old.outputs, old.failed = inputs, dict(made.outputs), False
        return old

    def _check(self, resource: Any, program: dict[str, Any], olds: Any, ctx: Context) -> dict[str, Any]:
        inputs, failures = resource.check(copy.deepcopy(program), copy.deepcopy(olds), ctx)
        assert not failures, failures
        return inputs

    def _create(
        self, resource: Any, inputs: dict[str, Any], ctx: Context, old: Entry | None, *, forced: bool = False
    ) -> Entry:
        try:
            with failing():
                made: State = resource.create(copy.deepcopy(inputs), ctx)
        except Partial as partial:
            self._put(ctx.urn, partial.state, inputs, old, forced=forced).failed = True
            raise RunError(str(partial)) from partial
        return self._put(ctx.urn, made, inputs, old, forced=forced)

    def _put(self, urn: str, made: State, inputs: dict[str, Any], old: Entry | None, *, forced: bool) -> Entry:
        """Put a resource into the state.

        One whose replacement was forced looks like one that a killed run left, unless a record leads to it.
        """
        if old is not None:
            led = self.world.leads([old.outputs.get("address")], [], [])
            if old.id == made.id and DEPLOYMENT in urn and (led or not forced):
                self.world.violations.append(f"1: create returned {made.id}, which it replaces")
            old.pending_delete = True
        entry = Entry(urn, made.id, inputs, dict(made.outputs))
        self.stack.state.append(entry)
        return entry

    def read(self, entry: Entry) -> None:
        """Refresh one resource."""
        resource = self.resources[entry.urn.split("::")[2]]
        with failing():
            found = resource.read(entry.id, entry.inputs, entry.outputs, self.context(entry.urn))
        if found is None:
            self.stack.state.remove(entry)
        else:
            entry.outputs = dict(found.outputs)

    def delete(self, entry: Entry) -> None:
        """Delete one resource, and forget it if that went well."""
        resource = self.resources[entry.urn.split("::")[2]]
        with failing():
            resource.delete(entry.id, entry.inputs, entry.outputs, self.context(entry.urn))
        self.stack.state.remove(entry)


class failing:  # noqa: N801 it is used as a word
    """Turn an error of a resource into a failed run."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, MarketError):
            raise RunError(str(fault)) from fault
