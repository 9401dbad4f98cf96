"""The account of a target: one resource a stack, in every mode, that knows every site and waits for all of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from components.project import builtin
from tests.graph.monitor import Graph, run
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "unmoor:akash:Account"
MODES = ["centralized", "active-standby", "decentralized"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


def two_workloads(mode: str) -> dict[str, Any]:
    made = settings(mode, decentralized=("akash", "akash"))
    made["workloads"]["blog"] = {**made["workloads"]["docs"], "host": "blog.dao.example"}
    return made


@pytest.fixture(scope="module")
def graphs(root: Path) -> dict[str, Graph]:
    return {mode: run(two_workloads(mode), root) for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
def test_a_stack_has_one_account_of_all_its_leases_and_names(graphs: dict[str, Graph], mode: str) -> None:
    (account,) = graphs[mode].of_type(ACCOUNT)
    leases = [each.name for each in graphs[mode].of_type("unmoor:akash:Deployment")]
    assert sorted(account.inputs["deployments"]) == sorted(f"{name}-id" for name in leases)
    sites = ("", "-aws", "-akash", "-akash-2")
    assert account.inputs["hosts"] == sorted(f"{each}{site}.dao.example" for each in ("docs", "blog") for site in sites)


@pytest.mark.parametrize("mode", MODES)
def test_the_account_is_compared_after_everything_else(graphs: dict[str, Graph], mode: str) -> None:
    graph = graphs[mode]
    (account,) = graph.of_type(ACCOUNT)
    custom = {r.urn for r in graph.resources.values() if r.request.custom and not r.request.type.startswith("pulumi:")}
    assert custom - graph.behind(account.urn) == {account.urn}


def test_the_stack_gives_the_days_that_each_site_is_paid_for(graphs: dict[str, Graph]) -> None:
    paid = {f"{each}-{site}": 41.5 for each in ("docs", "blog") for site in ("akash", "akash-2")}
    found = known(graphs["decentralized"].outputs["accounts"])
    assert found == {"akash": {"balance_usd": 12.5, "escrow_usd": 5.0, "runway_days": paid}}


def known(outputs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Read Outputs that have resolved."""
    import asyncio

    async def wait() -> dict[str, dict[str, Any]]:
        return {target: {name: await each.future() for name, each in of.items()} for target, of in outputs.items()}

    return asyncio.run(wait())


def test_a_target_without_an_account_registers_none(root: Path) -> None:
    plain = dataclasses.replace(builtin().targets["akash"], account=None)
    graph = run(settings("active-standby"), root, registry=builtin().with_(targets=[plain]))
    assert graph.of_type(ACCOUNT) == []
    assert set(graph.outputs) == {"workloads"}


def test_a_stack_that_names_no_lease_anywhere_has_no_account(root: Path) -> None:
    """Without a placement a stack may move to Akash any day, and one whose targets are all others never does."""
    own = dataclasses.replace(builtin().targets["akash"], name="elsewhere")
    on = {("static", "elsewhere"): builtin().implementations("static")["akash"]}
    registry = builtin().with_(targets=[dataclasses.replace(own, account=None)], on=on)
    graph = run(settings("centralized", decentralized=("elsewhere",)), root, registry=registry)
    assert graph.of_type(ACCOUNT) == []
