"""`unmoor:akash:Deployment` against the sandbox's Akash, called as the engine calls it.

The sandbox follows facts about the Console and the market; it cannot prove that they behave so today.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.akash.resource import DeploymentResource
from components.errors import ConfigError, LeaseLost, MarketError, NoAcceptableBid
from components.provider.resource import Change, Context, Failure, Partial, State
from components.provider.wire import UNKNOWN, holds_unknown
from sandbox.state import REPOSITORY

from .akash_world import OWNERS, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: dict[str, Any] = yaml.safe_load(sdl(ip="site"))


def context(preview: bool = False, timeout_s: float = 60.0, said: list[str] | None = None) -> Context:
    def log(_severity: str, message: str) -> None:
        if said is not None:
            said.append(message)

    return Context("urn", "site", "unmoor:akash:Deployment", preview, b"", threading.Event(), timeout_s, log)


def inputs(name: str = "site.test", avoid: Any = (), **changed: Any) -> dict[str, Any]:
    """Give inputs as check returns them; `changed` sets fields of the service."""
    document = copy.deepcopy(DOCUMENT)
    document["services"]["web"] |= changed
    return {"name": name, "sdl": document, "service": "web", "avoid": avoid if avoid is UNKNOWN else list(avoid)}


OUTPUTS = {**inputs(), "dseq": "7", "provider": "akash1p", "address": "203.0.113.9", "uris": [], "state": "active"}


def standing(**changed: Any) -> dict[str, Any]:
    """Give the outputs of a deployment that runs by `inputs()`."""
    resource = DeploymentResource()
    version = resource.create(inputs(), context(preview=True)).outputs["version"]
    return {**OUTPUTS, "version": version, **changed}


def differs(news: dict[str, Any], outputs: dict[str, Any] | None = None, **old: Any) -> dict[str, Change]:
    return dict(DeploymentResource().diff("7", inputs(**old), outputs or standing(), news, context()).changes)


# Check


def test_inputs_without_a_fault_pass_with_their_defaults() -> None:
    news = {"name": "site.test", "sdl": DOCUMENT, "service": "web", "avoid": None}
    assert DeploymentResource().check(news, None, context()) == (inputs(), [])


def test_providers_to_avoid_are_sorted_so_that_their_order_is_no_change() -> None:
    checked, faults = DeploymentResource().check(inputs(avoid=["b", "a", "b"]), None, context())
    assert (checked["avoid"], faults) == (["a", "b"], [])


def test_every_fault_is_named_at_once_by_its_path() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["services"]["web"]["image"] = ""
    document["profiles"]["placement"]["site"]["pricing"]["web"]["denom"] = "uakt"
    news = {"name": "Not A Name", "sdl": document, "service": "web", "avoid": ["ok", 7], "region": "eu"}
    faults = DeploymentResource().check(news, None, context())[1]
    assert {fault.property for fault in faults} == {
        "region",
        "name",
        "avoid[1]",
        "sdl.services.web.image",
        "sdl.profiles.placement.site.pricing.web.denom",
    }
    assert Failure("region", "no such setting; choose from sdl, name, service, avoid") in faults


@pytest.mark.parametrize(
    ("news", "fault"),
    [
        ({**inputs(), "service": "db"}, Failure("service", "'db' is not in the document; choose from web")),
        ({**inputs(), "sdl": "text"}, Failure("sdl", "is not a document; give the whole SDL as data")),
        (
            {**inputs(), "avoid": "akash1p"},
            Failure("avoid", "is not a list; give the addresses of the Akash providers not to rent from"),
        ),
    ],
)
def test_each_input_has_its_sentence(news: dict[str, Any], fault: Failure) -> None:
    assert fault in DeploymentResource().check(news, None, context())[1]


def test_two_placements_are_two_deployments() -> None:
    news = inputs()
    placement = news["sdl"]["profiles"]["placement"]
    placement["other"] = placement["site"]
    news["sdl"]["services"]["more"] = {
        **news["sdl"]["services"]["web"],
        "expose": [{"port": 80, "to": [{"global": True}]}],
    }
    news["sdl"]["deployment"]["more"] = {"other": news["sdl"]["deployment"]["web"]["site"]}
    faults = DeploymentResource().check(news, None, context())[1]
    assert [fault.property for fault in faults] == ["sdl.profiles.placement"]


@pytest.mark.parametrize(
    "news", [{**inputs(), "sdl": UNKNOWN}, inputs(image=UNKNOWN), inputs(avoid=UNKNOWN), inputs(avoid=[UNKNOWN])]
)
def test_what_is_not_known_yet_is_no_fault(news: dict[str, Any]) -> None:
    assert DeploymentResource().check(news, None, context())[1] == []


# Diff and previews


def test_nothing_differs_from_itself() -> None:
    assert differs(inputs()) == {}


def test_an_image_is_an_update_of_the_image_alone() -> None:
    assert differs(inputs(image="docker.io/library/python:3.14")) == {"sdl.services.web.image": Change.UPDATE}


def test_a_variable_is_an_update_of_that_variable() -> None:
    assert differs(inputs(env=["WHO=somebody"])) == {"sdl.services.web.env[0]": Change.UPDATE}


def test_what_appears_and_disappears_is_shown_as_that() -> None:
    without = inputs()
    del without["sdl"]["services"]["web"]["env"]
    resource = DeploymentResource()
    assert differs(without) == {"sdl.services.web.env": Change.DELETE}
    assert dict(resource.diff("7", without, standing(), inputs(), context()).changes) == {
        "sdl.services.web.env": Change.ADD
    }


def test_resources_price_and_count_replace() -> None:
    news = inputs()
    news["sdl"]["profiles"]["compute"]["web"]["resources"]["memory"]["size"] = "4Gi"
    news["sdl"]["profiles"]["placement"]["site"]["pricing"]["web"]["amount"] = 99
    news["sdl"]["deployment"]["web"]["site"]["count"] = 2
    assert differs(news) == {
        "sdl.profiles.compute.web.resources.memory.size": Change.UPDATE_REPLACE,
        "sdl.profiles.placement.site.pricing.web.amount": Change.UPDATE_REPLACE,
        "sdl.deployment.web.site.count": Change.UPDATE_REPLACE,
    }


def test_a_placement_or_endpoint_that_is_only_renamed_changes_nothing() -> None:
    news = inputs()
    news["sdl"]["profiles"]["placement"] = {"elsewhere": news["sdl"]["profiles"]["placement"]["site"]}
    news["sdl"]["deployment"]["web"] = {"elsewhere": news["sdl"]["deployment"]["web"]["site"]}
    news["sdl"]["endpoints"] = {"other": {"kind": "ip"}}
    news["sdl"]["services"]["web"]["expose"][0]["to"][0]["ip"] = "other"
    assert {change for change in differs(news).values() if change.replaces} == set()


def test_another_name_replaces_and_another_service_does_not() -> None:
    assert differs(inputs("other.test")) == {"name": Change.UPDATE_REPLACE}
    assert differs({**inputs(), "service": "db"}) == {"service": Change.UPDATE}


@pytest.mark.parametrize(
    ("avoid", "changes"),
    [
        (["akash1q"], {}),
        (["akash1p", "akash1q"], {"avoid": Change.UPDATE_REPLACE}),
        (UNKNOWN, {"avoid": Change.UPDATE}),
        ([UNKNOWN], {"avoid": Change.UPDATE}),
        (["akash1p", UNKNOWN], {"avoid": Change.UPDATE_REPLACE}),
    ],
)
def test_a_provider_to_avoid_matters_only_where_it_holds_the_lease(avoid: Any, changes: dict[str, Change]) -> None:
    assert differs(inputs(avoid=avoid)) == changes


def test_a_lost_lease_replaces_and_says_why() -> None:
    assert differs(inputs(), standing(state="lost: its lease is closed (unstable)")) == {"state": Change.UPDATE_REPLACE}


def test_a_manifest_that_somebody_else_changed_is_put_back() -> None:
    assert differs(inputs(), standing(version="00")) == {"version": Change.UPDATE}


def test_an_unknown_in_the_document_is_an_update_of_that_place() -> None:
    assert differs(inputs(image=UNKNOWN)) == {"sdl.services.web.image": Change.UPDATE}
    assert differs(inputs(env=["WHO=nobody", UNKNOWN]))["sdl.services.web.env[1]"] == Change.UPDATE
    assert differs({**inputs(), "sdl": UNKNOWN}) == {"sdl": Change.UPDATE}


def test_a_preview_of_creation_knows_the_hash_and_nothing_of_the_market() -> None:
    state = DeploymentResource().create(inputs(), context(preview=True))
    unknown = {key for key, value in state.outputs.items() if value is UNKNOWN}
    assert (state.id, len(state.outputs["version"])) == ("", 64)
    assert unknown == {
        *("dseq", "owner", "provider", "host_uri", "address", "uris", "usd_month", "price_uact_block", "state")
    }


def test_a_preview_of_an_update_keeps_the_endpoint() -> None:
    old, news = inputs(), inputs(env=["A=1"])
    state = DeploymentResource().update("7", old, standing(), news, context(preview=True))
    assert not holds_unknown(state.outputs)
    assert (state.outputs["address"], state.outputs["sdl"]) == ("203.0.113.9", news["sdl"])
    assert state.outputs["version"] != standing()["version"]


def test_a_preview_with_an_unknown_document_does_not_know_its_hash() -> None:
    state = DeploymentResource().update("7", inputs(), standing(), inputs(image=UNKNOWN), context(preview=True))
    assert state.outputs["version"] is UNKNOWN
    assert state.outputs["address"] == "203.0.113.9"


def test_a_preview_of_finishing_an_unfinished_one_promises_no_endpoint() -> None:
    state = DeploymentResource().update("7", inputs(), standing(state="pending"), inputs(), context(preview=True))
    assert (state.outputs["address"], state.outputs["dseq"]) == (UNKNOWN, "7")


def test_a_preview_of_another_service_does_not_know_its_address() -> None:
    state = DeploymentResource().update("7", inputs(), standing(), {**inputs(), "service": "db"}, context(preview=True))
    assert state.outputs["address"] is UNKNOWN


def test_without_credentials_a_preview_works_and_creation_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AKASH_CONSOLE_API_KEY", raising=False)
    DeploymentResource().create(inputs(), context(preview=True))
    with pytest.raises(ConfigError, match="AKASH_CONSOLE_API_KEY is not set"):
        DeploymentResource().create(inputs(), context())


# Against the sandbox's Akash


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
    resource, said = DeploymentResource(), []
    state = resource.create(inputs(), context(said=said))
    outputs = state.outputs
    assert (outputs["dseq"], outputs["provider"], outputs["state"]) == (state.id, OWNERS["europa"], "active")
    assert outputs["address"].startswith("203.0.113.")
    assert outputs["host_uri"] == "https://provider.europa.example:8443"
    assert outputs["version"] == resource.create(inputs(), context(preview=True)).outputs["version"]
    assert 5 < outputs["usd_month"] < 15
    assert said[-1].startswith(f"deployment {state.id} runs at {OWNERS['europa']}")
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
    with market.fault("provider-gone-europa"):
        wait(lambda: market.status(state.id) is None)
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


def test_a_replacement_stands_beside_what_it_replaces(market: AkashWorld) -> None:
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
    resource, said = DeploymentResource(), []
    new = resource.create(inputs(), context())
    resource.delete(old.id, inputs(), dict(old.outputs), context(said=said))
    assert (new.id, open_ones(market)) == (old.id, [old.id])
    assert said == [f"deployment {old.id} stays open: its replacement runs on it"]


def test_no_bid_leaves_nothing_open_and_says_why(market: AkashWorld) -> None:
    with market.fault("no-bids"), pytest.raises(NoAcceptableBid, match=r"nobody bid on deployment .* is closed again"):
        DeploymentResource().create(inputs(), context(timeout_s=6.0))
    assert open_ones(market) == []


def test_an_unfinished_creation_keeps_its_id_and_is_finished_by_update(market: AkashWorld) -> None:
    resource = DeploymentResource()
    with pytest.raises(Partial) as caught:
        resource.create(inputs(image="docker.io/library/nothing:1"), context(timeout_s=9.0))
    state = caught.value.state
    assert (open_ones(market), state.outputs["state"]) == ([state.id], "pending")
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
        DeploymentResource().read("7", inputs(), standing(), context())


def test_a_closed_deployment_is_gone(market: AkashWorld) -> None:
    state = DeploymentResource().create(inputs(), context())
    market.close(state.id)
    assert DeploymentResource().read(state.id, inputs(), dict(state.outputs), context()) is None


def test_a_deployment_cannot_be_imported_without_its_document() -> None:
    with pytest.raises(MarketError, match="cannot be imported"):
        DeploymentResource().read("7", {}, {}, context())


PROGRAM = """
import json, sys, threading
from components.akash.resource import DeploymentResource
from components.provider.resource import Context
def log(severity, message): print(message, flush=True)
ctx = Context("u", "n", "t", False, b"", threading.Event(), 60.0, log)
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
