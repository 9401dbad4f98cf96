"""The sandbox's Akash and the library's Console rail, each written by its own reading of the API, fit each other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.provider.resource import Context
from components.targets.akash.resource import DeploymentResource

from .akash_world import OWNERS, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path) as running:
        monkeypatch.setenv("AKASH_CONSOLE_URL", str(running.api.base_url))
        monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "sandbox-key")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def inputs(who: str, **varied: Any) -> dict[str, Any]:
    return {
        "sdl": yaml.safe_load(sdl(ip="rail", env=(f"WORLD={who}",))),
        "name": "site",
        "service": "web",
        "avoid": [],
        **varied,
    }


def test_a_deployment_is_rented_changed_lost_and_given_back(world: AkashWorld) -> None:
    ctx = Context(
        "urn:pulumi:test::rail::unmoor:akash:Deployment::site",
        "site",
        "unmoor:akash:Deployment",
        False,
        b"",
        threading.Event(),
        60,
        lambda *_: None,
    )
    first = DeploymentResource().create(inputs("one"), ctx)
    assert OWNERS["europa"] == first.outputs["provider"]  # the cheapest with an address
    assert "hello\n" == world.get(first.outputs["address"]).text

    changed = DeploymentResource().update(first.id, inputs("one"), first.outputs, inputs("two"), ctx)
    assert (first.id, first.outputs["address"]) == (changed.id, changed.outputs["address"])
    assert first.outputs["version"] != changed.outputs["version"]

    with world.fault(f"provider-gone-{OWNERS['europa']}", hold=0.2):
        wait(lambda: world.show(first.id)["leases"][0]["state"] == "closed")
        lost = DeploymentResource().read(first.id, inputs("two"), changed.outputs, ctx)
        assert lost is not None
        assert "lost: its lease is closed (lease_closed_reason_unstable)" == lost.outputs["state"]
        DeploymentResource().delete(first.id, inputs("two"), changed.outputs, ctx)
    assert [] == world.api.get("/v1/deployments").json()["data"]["deployments"]
