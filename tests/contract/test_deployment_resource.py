"""`unmoor:akash:Deployment` against the sandbox's Akash, called as the engine calls it.

The sandbox follows facts about the Console and the market; it cannot prove that they behave so today.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from components.errors import LeaseLost, MarketError, NoAcceptableBid, Unanswered
from components.provider.resource import Change, Partial, State
from components.targets.akash.closing import PROPAGATION_S
from components.targets.akash.leads import Shown
from components.targets.akash.market.reconcile import POLL_S
from components.targets.akash.resource import DeploymentResource
from sandbox.state import REPOSITORY

from .akash_world import OWNERS, AkashWorld, wait
from .deployment_calls import DOCUMENT, context, inputs, misfits

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as world:
        yield world


@pytest.fixture
def market(world: AkashWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[AkashWorld]:
    for name, value in environment(world).items():
        monkeypatch.setenv(name, value)
    yield world
    world.close(*open_ones(world))


def environment(world: AkashWorld) -> dict[str, str]:
    return {
        "AKASH_CONSOLE_URL": f"http://127.0.0.1:{world.state.port('console')}",
        "AKASH_CONSOLE_API_KEY": "sandbox-key",
        "NO_PROXY": "127.0.0.1",
    }


def open_ones(world: AkashWorld) -> list[str]:
    found = world.api.get("/v1/deployments").json()["data"]["deployments"]
    return [each["deployment"]["id"]["dseq"] for each in found]


def test_create_update_read_and_delete(market: AkashWorld) -> None:
    resource, reported = DeploymentResource(), []
    state = resource.create(inputs(), context(reported=reported))
    outputs = state.outputs
    assert misfits(dict(outputs)) == set()
    assert (outputs["dseq"], outputs["provider"], outputs["state"]) == (state.id, OWNERS["europa"], "active")
    assert outputs["address"].startswith("203.0.113.")
    assert outputs["host_uri"] == "https://provider.europa.example:8443"
    assert outputs["version"] == resource.create(inputs(), context(preview=True)).outputs["version"]
    assert 5 < outputs["usd_month"] < 15
    assert reported[-1].startswith(f"deployment {state.id} runs at {OWNERS['europa']}")
    assert market.get(outputs["address"]).text == "hello\n"

    news = inputs(args=["echo again > index.html; " + DOCUMENT["services"]["web"]["args"][0].partition("; ")[2]])
    updated = resource.update(state.id, inputs(), dict(outputs), news, context())
    assert updated.outputs["version"] != outputs["version"]
    assert {**updated.outputs, "version": "", "sdl": ""} == {**outputs, "version": "", "sdl": ""}
    wait(lambda: market.get(outputs["address"]).text == "again\n")

    assert resource.diff(state.id, news, dict(updated.outputs), news, context()).changes == {}
    assert DeploymentResource().read(state.id, news, dict(updated.outputs), context()) == State(
        state.id, updated.outputs, news
    )

    DeploymentResource().delete(state.id, news, dict(updated.outputs), context())
    DeploymentResource().delete(state.id, news, dict(updated.outputs), context())
    assert open_ones(market) == []
    assert resource.read(state.id, news, dict(updated.outputs), context()) is None


def test_a_lost_lease_is_marked_replaced_and_leaves_nothing_open(market: AkashWorld) -> None:
    resource = DeploymentResource()
    state = resource.create(inputs(), context())
    with market.fault("provider-gone-europa", hold=0.2):
        wait(lambda: market.show(state.id)["leases"][0]["state"] == "closed")
        lost = DeploymentResource().read(state.id, inputs(), dict(state.outputs), context())
        assert lost is not None
        assert lost.outputs["state"].startswith("lost: ")
        again = DeploymentResource()
        assert again.diff(state.id, inputs(), dict(lost.outputs), inputs(), context()).changes == {
            "state": Change.UPDATE_REPLACE
        }
        with pytest.raises(LeaseLost, match="pulumi up --refresh"):
            again.update(state.id, inputs(), dict(lost.outputs), inputs(env=["A=1"]), context())
        other = again.create(inputs(), context())
        assert other.outputs["provider"] == OWNERS["cascadia"]
        again.delete(state.id, inputs(), dict(lost.outputs), context())
        assert open_ones(market) == [other.id]
        DeploymentResource().delete(other.id, inputs(), dict(other.outputs), context())
        assert open_ones(market) == []


def test_a_lost_lease_can_be_destroyed_after_a_refresh(market: AkashWorld) -> None:
    state = DeploymentResource().create(inputs(), context())
    with market.fault("provider-gone-europa", hold=0.2):
        wait(lambda: market.show(state.id)["leases"][0]["state"] == "closed")
        lost = DeploymentResource().read(state.id, inputs(), dict(state.outputs), context())
    assert lost is not None
    assert lost.outputs["state"] == "lost: its lease is closed (lease_closed_reason_unstable)"
    assert open_ones(market) == [state.id]
    DeploymentResource().delete(state.id, inputs(), dict(lost.outputs), context())
    assert open_ones(market) == []


def test_a_silent_provider_loses_nothing_and_is_taken_back_when_it_speaks(market: AkashWorld) -> None:
    state = DeploymentResource().create(inputs(), context())
    reported: list[str] = []
    with market.fault("provider-silent-europa", hold=0.2):
        seen = DeploymentResource().read(state.id, inputs(), dict(state.outputs), context(reported=reported))
        assert seen is not None
        assert seen.outputs["state"].startswith("silent since ")
        again = DeploymentResource(served=lambda _: False).read(state.id, inputs(), dict(seen.outputs), context())
        assert again is not None
        assert again.outputs == seen.outputs
        assert DeploymentResource().diff(state.id, inputs(), dict(seen.outputs), inputs(), context()).changes == {}
        assert market.get(state.outputs["address"]).text == "hello\n"
    assert reported == [f"the provider of deployment {state.id} does not answer; it is kept"]
    back = DeploymentResource().read(state.id, inputs(), dict(seen.outputs), context())
    assert back is not None
    assert back.outputs == state.outputs


def test_a_lease_that_is_back_is_kept_instead_of_replaced(market: AkashWorld) -> None:
    """The market is asked again before anything is called a replacement."""
    state = DeploymentResource().create(inputs(), context())
    marked = {**state.outputs, "state": "lost: its provider has not answered"}
    changes = DeploymentResource().diff(state.id, inputs(), marked, inputs(), context()).changes
    assert changes == {"state": Change.UPDATE}
    updated = DeploymentResource().update(state.id, inputs(), marked, inputs(), context())
    assert updated.outputs == state.outputs


def test_nothing_is_closed_while_a_record_leads_to_it_or_while_that_is_unknown(market: AkashWorld) -> None:
    state = DeploymentResource().create(inputs(), context())
    asked: list[object] = []

    def leads(addresses: object, names: object, hosts: object) -> list[str]:
        asked.append((addresses, names, hosts))
        return Shown(["docs.dao.example"])

    def silent(*_: object) -> list[str]:
        raise Unanswered("the name servers of dao.example do not answer")

    given, outputs, clock = {**inputs(), "hosts": ["docs.dao.example"]}, dict(state.outputs), QuickClock()
    with pytest.raises(MarketError, match=r"stays open: docs.dao.example leads to it; point it elsewhere"):
        DeploymentResource(leads=leads, clock=lambda _: clock).delete(state.id, given, outputs, context())
    assert {str(each) for each in asked} == {
        str(([state.outputs["address"]], state.outputs["uris"], ["docs.dao.example"]))
    }
    assert len(asked) > 1
    assert PROPAGATION_S <= clock.time < PROPAGATION_S + 2 * POLL_S
    with pytest.raises(MarketError, match=rf"do not answer; `unmoor akash close {state.id}` closes it"):
        DeploymentResource(leads=silent).delete(state.id, given, outputs, context())
    assert open_ones(market) == [state.id]
    answers = iter([Shown(["docs.dao.example"]), Shown()])
    clock = QuickClock()
    going = DeploymentResource(leads=lambda *_: next(answers), clock=lambda _: clock)
    going.delete(state.id, given, outputs, context())
    assert 0 < clock.time < PROPAGATION_S, "a record that goes meanwhile is waited out"
    assert open_ones(market) == []


def test_an_authority_that_shows_a_record_is_not_asked_again(market: AkashWorld) -> None:
    """Only name servers lag behind their authority: its own list is the newest that there is."""
    state, clock = DeploymentResource().create(inputs(), context()), QuickClock()
    resource = DeploymentResource(leads=lambda *_: ["docs.dao.example"], clock=lambda _: clock)
    with pytest.raises(MarketError, match="leads to it; point it elsewhere, or delete it if a killed update left it"):
        resource.delete(state.id, inputs(), dict(state.outputs), context())
    assert clock.time == 0


def test_a_key_of_another_account_is_a_sentence_and_nothing_is_forgotten(market: AkashWorld) -> None:
    outputs = {**inputs(), "owner": "akash1somebodyelse", "provider": "akash1p", "state": "active"}
    clock = lambda _: QuickClock()  # noqa: E731 one expression
    for act in (
        lambda each: each.read("123", inputs(), outputs, context()),
        lambda each: each.delete("123", inputs(), outputs, context()),
    ):
        with pytest.raises(MarketError, match="belongs to akash1somebodyelse, and AKASH_CONSOLE_API_KEY is a key of"):
            act(DeploymentResource(clock=clock))


class QuickClock:
    """Time that sleeping moves at once."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_replacement_stands_before_the_old_one_goes(market: AkashWorld) -> None:
    resource = DeploymentResource()
    old = resource.create(inputs(), context())
    bigger = inputs()
    bigger["sdl"]["profiles"]["compute"]["web"]["resources"]["memory"]["size"] = "1Gi"
    new = resource.create(bigger, context())
    moved = resource.create(inputs(avoid=[OWNERS["europa"]]), context())
    assert moved.outputs["provider"] == OWNERS["cascadia"]
    assert sorted(open_ones(market)) == sorted({old.id, new.id, moved.id})


def test_a_replacement_forced_without_a_change_does_not_close_what_it_runs_on(market: AkashWorld) -> None:
    old = DeploymentResource().create(inputs(), context())
    resource, reported = DeploymentResource(), []
    new = resource.create(inputs(), context())
    resource.delete(old.id, inputs(), dict(old.outputs), context(reported=reported))
    assert (new.id, open_ones(market)) == (old.id, [old.id])
    assert reported == [f"deployment {old.id} stays open: its replacement runs on it"]


def test_no_bid_leaves_nothing_open_and_gives_the_reason(market: AkashWorld) -> None:
    with (
        market.fault("no-bids"),
        pytest.raises(NoAcceptableBid, match=r"no provider bid on deployment .* is closed again"),
    ):
        DeploymentResource().create(inputs(), context(timeout_s=6.0))
    assert open_ones(market) == []


def test_an_unfinished_creation_keeps_its_id_and_is_finished_by_update(market: AkashWorld) -> None:
    resource = DeploymentResource()
    with pytest.raises(Partial) as caught:
        resource.create(inputs(image="ghcr.io/nobody/nothing:1"), context(timeout_s=9.0))
    state = caught.value.state
    assert (open_ones(market), state.outputs["state"]) == ([state.id], "pending")
    assert misfits(dict(state.outputs)) == set()
    assert "akash: " in caught.value.reasons[0]
    done = resource.update(state.id, inputs(image="x"), dict(state.outputs), inputs(), context())
    assert (done.id, done.outputs["state"]) == (state.id, "active")


def test_an_answer_that_never_came_opens_no_second_deployment(market: AkashWorld) -> None:
    with market.fault("api-timeout", times=2, hold=0.2):
        state = DeploymentResource().create(inputs(), context())
    assert open_ones(market) == [state.id]


def test_a_crowded_api_is_borne(market: AkashWorld) -> None:
    with market.fault("api-429", share=0.4):
        state = DeploymentResource().create(inputs(), context())
        DeploymentResource().delete(state.id, inputs(), dict(state.outputs), context())
    assert open_ones(market) == []


def test_an_api_that_cannot_be_reached_is_an_error_and_never_a_lost_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKASH_CONSOLE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "x")
    with pytest.raises(MarketError, match="cannot be reached"):
        DeploymentResource().read("7", inputs(), {}, context())


def test_a_closed_deployment_is_gone(market: AkashWorld) -> None:
    state = DeploymentResource().create(inputs(), context())
    market.close(state.id)
    assert DeploymentResource().read(state.id, inputs(), dict(state.outputs), context()) is None


def test_a_deployment_cannot_be_imported_without_its_document() -> None:
    with pytest.raises(MarketError, match="cannot be imported"):
        DeploymentResource().read("7", {}, {}, context())


PROGRAM = """
import json, sys, threading
from components.targets.akash.resource import DeploymentResource
from components.provider.resource import Context
def log(severity, message): print(message, flush=True)
kind = "unmoor:akash:Deployment"
urn = f"urn:pulumi:test::tests::{kind}::site"
ctx = Context(urn, "site", kind, False, b"", threading.Event(), 60.0, log)
print("=", DeploymentResource().create(json.load(sys.stdin), ctx).id, flush=True)
"""


@pytest.mark.parametrize("at", ["open deployment", "wait for bids", "take the bid"])
def test_killed_and_run_again_it_reaches_the_same_end_with_one_deployment(at: str, market: AkashWorld) -> None:
    process = start(market)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(at):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    state = DeploymentResource().create(inputs(), context())
    assert open_ones(market) == [state.id]


def start(world: AkashWorld) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **environment(world)},
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(inputs()))
    process.stdin.close()
    process.stdin = None
    return process
