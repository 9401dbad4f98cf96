"""`unmoor:akash:Deployment` before anything happens: faults, differences and previews. No network."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest

from components.errors import ConfigError
from components.provider.resource import Change, Failure
from components.provider.wire import UNKNOWN, holds_unknown
from components.targets.akash.inputs import difference
from components.targets.akash.market import request
from components.targets.akash.resource import DeploymentResource

from .deployment_calls import DOCUMENT, context, inputs

OUTPUTS = {**inputs(), "dseq": "7", "provider": "akash1p", "address": "203.0.113.9", "uris": [], "state": "active"}


def standing(**changed: Any) -> dict[str, Any]:
    """Return the outputs of a deployment that runs by `inputs()`."""
    planned = DeploymentResource().create(inputs(), context(preview=True)).outputs
    return {**OUTPUTS, "group": planned["group"], "version": planned["version"], **changed}


def differs(news: dict[str, Any], outputs: dict[str, Any] | None = None, **old: Any) -> dict[str, Change]:
    return dict(DeploymentResource().diff("7", inputs(**old), outputs or standing(), news, context()).changes)


# Check


def test_inputs_without_a_fault_pass_with_their_defaults() -> None:
    news = {"name": "site.test", "sdl": DOCUMENT, "service": "web", "avoid": None}
    assert DeploymentResource().check(news, None, context()) == (inputs(), [])


def test_providers_to_avoid_are_sorted_so_that_their_order_is_no_change() -> None:
    checked, faults = DeploymentResource().check(inputs(avoid=["b", "a", "b"]), None, context())
    assert (checked["avoid"], faults) == (["a", "b"], [])


def of_release(version: str, **more: str) -> dict[str, Any]:
    """Return inputs whose container learns of later versions by itself."""
    document = copy.deepcopy(DOCUMENT)
    document["services"]["web"]["env"] = [
        "LEARNS=VERSION",
        f"VERSION={version}",
        *(f"{k}={v}" for k, v in more.items()),
    ]
    return {**inputs(), "sdl": document}


def test_a_version_that_the_container_learns_by_itself_is_no_change() -> None:
    old, new = of_release("a"), of_release("b")
    assert DeploymentResource().check(new, old, context()) == (old, [])
    assert DeploymentResource().diff("7", old, standing(), old, context()).changes.get("sdl") is None


def test_the_lowest_number_of_a_release_is_the_time_at_which_a_deployment_is_new() -> None:
    news = of_release("a", NUMBER="now")
    news["sdl"]["services"]["web"]["env"][0] = "LEARNS=VERSION NUMBER"
    old = DeploymentResource().check(news, None, context())[0]
    *_, number = old["sdl"]["services"]["web"]["env"]
    assert abs(int(number.removeprefix("NUMBER=")) - time.time()) < 60
    assert DeploymentResource().check(news, old, context())[0] == old


def test_a_new_deployment_and_any_other_change_take_the_newest_version_along() -> None:
    """The engine checks the inputs of a replacement without the old ones."""
    new = of_release("b", HOST="www.dao.example")
    assert DeploymentResource().check(new, None, context())[0] == new
    assert DeploymentResource().check(new, of_release("a", HOST="docs.dao.example"), context())[0] == new


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
    assert (
        Failure("region", "no such setting; choose from name, sdl, service, avoid, apart, hosts, screening") in faults
    )


@pytest.mark.parametrize(
    ("news", "fault"),
    [
        ({**inputs(), "service": "db"}, Failure("service", "'db' is not in the document; choose from web")),
        (
            {**inputs(), "sdl": "text"},
            Failure("sdl", "must be a map, not a string; give the whole SDL document as data, with one placement"),
        ),
        (
            {**inputs(), "avoid": "akash1p"},
            Failure("avoid", "must be a list, not a string; give the addresses of Akash providers not to rent from"),
        ),
        (
            {"sdl": DOCUMENT, "service": "web"},
            Failure("name", "is required; give the name by which the deployment is found again"),
        ),
        ({**inputs(), "avoid": [""]}, Failure("avoid[0]", "'' is not the address of an Akash provider")),
        ({**inputs(), "apart": ["a", ""]}, Failure("apart[1]", "'' is not the name of a resource")),
        (
            {**inputs(), "apart": "a"},
            Failure(
                "apart",
                "must be a list, not a string; give the names of the stack's resources of this type that are not to "
                "share an Akash provider with it",
            ),
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


@pytest.mark.parametrize("apart", [["docs-akash-2"], UNKNOWN, [UNKNOWN]])
def test_names_to_be_apart_from_change_nothing_that_stands(apart: Any) -> None:
    """Older states have no such input, and a preview shows no change because of it."""
    assert differs({**inputs(), "apart": apart}) == {}
    old = {name: value for name, value in inputs().items() if name != "apart"}
    assert difference(old, standing(), {**inputs(), "apart": apart}) == {}


def test_other_stores_of_a_site_that_learns_its_releases_are_a_new_lease_beside_the_old_one() -> None:
    """A new manifest would end the only container for the time of a start."""
    old, new = of_release("a", STORES="aws=x storj=y"), of_release("b", STORES="third=z storj=y")
    outputs = standing(version=request.version(standing()["group"], old["sdl"]))
    assert difference(old, outputs, new)["sdl.services.web.env[2]"] is Change.UPDATE_REPLACE
    assert difference(old, outputs, old) == {}


def test_a_lost_lease_replaces_and_gives_the_reason() -> None:
    assert differs(inputs(), standing(state="lost: its lease is closed (unstable)")) == {"state": Change.UPDATE_REPLACE}


def test_a_manifest_that_another_party_changed_is_put_back() -> None:
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
