"""The account of a stack, and `unmoor akash`, against the sandbox's Akash."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from components.commands.akash import cli
from components.errors import MarketError
from components.provider import schema
from components.provider.resource import Change, Context
from components.provider.wire import UNKNOWN
from components.targets.akash.account_resource import TOKEN, AccountResource
from components.targets.akash.resource import DeploymentResource

from .akash_world import AkashWorld, sdl, wait
from .deployment_calls import inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = yaml.safe_load((Path(__file__).parents[2] / "Pulumi.yaml").read_text())["name"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path) as running:
        monkeypatch.setenv("AKASH_CONSOLE_URL", str(running.api.base_url))
        monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "sandbox-key")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def context(
    stack: str, kind: str = "Account", name: str = "account", reported: list[str] | None = None, project: str = PROJECT
) -> Context:
    def log(_: str, message: str) -> None:
        if reported is not None:
            reported.append(message)

    urn = f"urn:pulumi:{stack}::{project}::unmoor:akash:{kind}::{name}"
    return Context(urn, name, f"unmoor:akash:{kind}", False, b"", threading.Event(), 60.0, log)


def rented(stack: str, name: str = "site", project: str = PROJECT) -> str:
    return DeploymentResource().create(inputs(), context(stack, "Deployment", name, project=project)).id


def open_ones(world: AkashWorld) -> set[str]:
    time.sleep(1)  # reads lag
    found = world.api.get("/v1/deployments").json()["data"]["deployments"]
    return {each["deployment"]["id"]["dseq"] for each in found}


def test_two_projects_with_the_same_stack_name_never_touch_each_others(world: AkashWorld) -> None:
    """The same document, name and stack, in one account: two deployments, and each goes alone."""
    mine, theirs = rented("prod"), rented("prod", project="another")
    assert mine != theirs
    resource = DeploymentResource()
    outputs: dict[str, Any] = {"owner": "", "address": "", "uris": []}
    resource.delete(theirs, inputs(), outputs, context("prod", "Deployment", "site", project="another"))
    assert open_ones(world) == {mine}


def test_what_a_rolled_back_run_left_is_shown_and_closed_and_nothing_else(world: AkashWorld) -> None:
    ours, left, theirs = rented("prod"), rented("prod", "rolled-back"), rented("staging")
    clicked = world.create(sdl())["dseq"]
    time.sleep(2)  # names become known late
    account, reported = AccountResource(), []
    given = {"deployments": [ours], "hosts": []}
    changes = account.diff("x", given, {"held": [ours]}, given, context("prod", reported=reported)).changes
    assert changes == {"orphans": Change.UPDATE}
    warning = f"deployment {left} (site.test) bears this stack's mark and no resource has it: it is closed"
    assert warning in reported
    state = account.update("x", given, {"held": [ours]}, given, context("prod"))
    assert open_ones(world) == {ours, theirs, clicked}
    assert (state.outputs["orphans"], state.outputs["held"]) == ([], [ours])
    assert set(state.outputs["runway_days"]) == {ours}
    assert state.outputs["runway_days"][ours] > 1
    assert account.diff("x", given, dict(state.outputs), given, context("prod")).changes == {}


def test_what_the_stack_held_or_a_record_leads_to_is_not_closed(world: AkashWorld) -> None:
    held, led = rented("prod"), rented("prod", "led")
    time.sleep(2)
    given = {"deployments": [], "hosts": ["docs.dao.example"]}
    reported: list[str] = []
    state = AccountResource(leads=lambda *_: ["docs.dao.example"]).update(
        "x", given, {"held": [held]}, given, context("prod", reported=reported)
    )
    assert open_ones(world) == {held, led}
    assert (state.outputs["held"], state.outputs["orphans"]) == ([held], [f"{led} (site.test)"])
    advice = "point it elsewhere, or delete it if a killed update left it, and run again"
    assert reported == [f"akash: deployment {led} stays open: docs.dao.example leads to it; {advice}"]
    gone = AccountResource(leads=lambda *_: []).diff("x", given, dict(state.outputs), given, context("prod")).changes
    assert gone == {"orphans": Change.UPDATE}


GIVEN: dict[str, Any] = {"deployments": [], "hosts": []}


def test_a_first_preview_shows_what_is_left_over_and_what_will_be_taken_over(world: AkashWorld) -> None:
    """A killed run whose account was never made: its deployment is taken over where a resource of its name is made."""
    left, again, reported = rented("prod", "rolled-back"), rented("prod"), []
    time.sleep(2)
    made = DeploymentResource()
    made.create(inputs(), dataclasses.replace(context("prod", "Deployment", "site"), preview=True))
    account = AccountResource(in_use=made.in_use, awaited=made.awaited)
    preview = dataclasses.replace(context("prod", reported=reported), preview=True)
    state = account.create({**GIVEN, "deployments": UNKNOWN}, preview)
    assert (state.id, state.outputs["orphans"], state.outputs["runway_days"]) == ("", UNKNOWN, UNKNOWN)
    shown = [each for each in reported if "no resource has it" in each]
    assert shown == [f"deployment {left} (site.test) bears this stack's mark and no resource has it: it is closed"]
    assert open_ones(world) == {left, again}


def test_what_an_earlier_run_left_open_and_is_gone_leaves_the_outputs(world: AkashWorld) -> None:
    account, outputs = AccountResource(), {"held": [], "orphans": ["1795 (site.test)"]}
    assert account.diff("x", GIVEN, outputs, GIVEN, context("prod")).changes == {"orphans": Change.UPDATE}
    state = account.update("x", GIVEN, outputs, GIVEN, context("prod"))
    assert state.outputs["orphans"] == []
    assert account.diff("x", GIVEN, dict(state.outputs), GIVEN, context("prod")).changes == {}


def test_without_a_key_nothing_is_looked_at_and_no_update_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that is on other targets alone has an account too, and needs no key."""
    monkeypatch.delenv("AKASH_CONSOLE_API_KEY", raising=False)
    account, reported = AccountResource(), []
    ctx = context("prod", reported=reported)
    account.create(GIVEN, dataclasses.replace(ctx, preview=True))
    state = account.create(GIVEN, ctx)
    assert set(state.outputs) == {*GIVEN, *schema.outputs(TOKEN)}
    assert account.diff(state.id, GIVEN, dict(state.outputs), GIVEN, ctx).changes == {}
    assert account.read(state.id, GIVEN, dict(state.outputs), ctx) == state
    before = {**state.outputs, "held": ["1"], "balance_usd": 3.0}
    after = account.update(state.id, GIVEN, before, {**GIVEN, "deployments": ["2"]}, ctx)
    assert after.outputs == {**before, "deployments": ["2"], "held": ["1", "2"]}
    account.delete(state.id, GIVEN, before, ctx)
    assert {each.partition(": akash")[0] for each in reported} == {"orphans: not looked"}
    assert len(reported) == 6


def test_a_console_that_is_away_stops_no_update_and_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKASH_CONSOLE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "x")
    account = AccountResource(clock=lambda _: Still())
    state = account.create(GIVEN, context("prod"))
    kept = {**state.outputs, "held": ["1"]}
    assert account.update(state.id, GIVEN, kept, GIVEN, context("prod")).outputs == kept
    with pytest.raises(MarketError, match="cannot be reached"):
        account.delete(state.id, GIVEN, kept, context("prod"))


class Still:
    """A clock whose sleeping takes no time."""

    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        return None


def test_the_list_shows_the_owner_of_each_deployment_and_close_asks_first(world: AkashWorld) -> None:
    ours, theirs, clicked = rented("sandbox"), rented("prod", project="another"), world.create(sdl())["dseq"]
    time.sleep(2)
    done = CliRunner().invoke(cli, ["list", "--json"])
    rows = {each["dseq"]: each for each in json.loads(done.output)["deployments"]}
    assert rows[ours]["whose"] == f"{PROJECT}/sandbox"
    assert rows[theirs]["whose"].startswith("another stack's (")
    assert rows[clicked]["whose"] == "no stack's mark"
    assert (rows[ours]["name"], rows[ours]["lease"], rows[clicked]["lease"]) == ("site.test", "active", "none")
    assert rows[ours]["runway_days"] > 1
    text = CliRunner().invoke(cli, ["list"]).output
    assert all(dseq in text for dseq in rows)

    assert CliRunner().invoke(cli, ["close", clicked], input="n\n", standalone_mode=False).return_value == 1
    assert clicked in open_ones(world)
    done = CliRunner().invoke(cli, ["close", clicked], input="y\n", standalone_mode=False)
    assert done.return_value == 0
    assert open_ones(world) == {ours, theirs}
    done = CliRunner().invoke(cli, ["close", "1234"], standalone_mode=False)
    assert (done.return_value, open_ones(world)) == (1, {ours, theirs})


def test_a_hundred_deployments_are_listed_in_three_seconds(world: AkashWorld) -> None:
    for _ in range(100):
        world.api.post("/v1/deployments", json={"data": {"sdl": sdl()}})
    wait(lambda: len(open_ones(world)) == 100)
    time.sleep(1.5)
    begun = time.monotonic()
    done = CliRunner().invoke(cli, ["list", "--json"])
    took = time.monotonic() - begun
    assert len(json.loads(done.output)["deployments"]) == 100
    assert took < 10, "three seconds on an idle machine; others may use this one"
