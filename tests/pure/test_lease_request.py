"""The document as it is asked for: the same names on any machine, other names for what must be another deployment."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from components.targets.akash.market.observed import usd_month
from components.targets.akash.market.request import fingerprint, request
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest
from components.targets.akash.sdl.changes import changes

DOCS = sdl.load((Path(__file__).parents[2] / "sdl" / "docs.yaml").read_bytes()).data


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the document with one value set, or taken out when it is None."""
    data = copy.deepcopy(DOCS)
    *holders, last = [int(each) if each.isdigit() else each for each in path.split("/")]
    at: Any = data
    for each in holders:
        at = at[each]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return data


IN_PLACE = {
    "image": changed("services/web/image", "docker.io/library/caddy@sha256:" + "0" * 64),
    "env": changed("services/web/env", ["A=1"]),
    "command": changed("services/web/command", ["sh"]),
    "http options": changed("services/web/expose/0/http_options", {"max_body_size": 1000}),
    "mount": changed("services/web/params/storage/data/mount", "/else"),
    "container port": changed("services/web/expose/0/port", 8080),
}
ANOTHER = {
    "cpu": changed("profiles/compute/web/resources/cpu/units", "200m"),
    "memory": changed("profiles/compute/web/resources/memory/size", "256Mi"),
    "volume": changed("profiles/compute/web/resources/storage/1/size", "2Gi"),
    "price": changed("profiles/placement/docs/pricing/web/amount", 30),
    "attributes": changed("profiles/placement/docs/attributes", {"region": "eu"}),
    "auditors": changed("profiles/placement/docs/signedBy", None),
    "count": changed("deployment/web/docs/count", 2),
    "one port less": changed("services/web/expose", DOCS["services"]["web"]["expose"][:1]),
    "notice": changed("reclamation", {"min_window": "48h"}),
}
SAME = {
    "1 and 1.0": changed("deployment/web/docs/count", 1.0),
    "100m and 0.1": changed("profiles/compute/web/resources/cpu/units", 0.1),
}


@pytest.mark.parametrize("data", [*IN_PLACE.values(), *SAME.values()], ids=[*IN_PLACE, *SAME])
def test_what_changes_in_place_keeps_group_and_endpoint_names(data: dict[str, Any]) -> None:
    before, after = request("docs.test", DOCS, "web"), request("docs.test", data, "web")
    assert after.name == before.name
    assert after.data["endpoints"] == before.data["endpoints"]
    assert {change.kind for change in changes(DOCS, data)} <= {"update"}


@pytest.mark.parametrize("data", ANOTHER.values(), ids=list(ANOTHER))
def test_what_akash_cannot_change_gets_another_group_and_endpoint(data: dict[str, Any]) -> None:
    before, after = request("docs.test", DOCS, "web"), request("docs.test", data, "web")
    assert after.name != before.name
    assert set(after.data["endpoints"]).isdisjoint(before.data["endpoints"])
    assert "replace" in {change.kind for change in changes(DOCS, data)}


def test_the_hosts_are_those_that_the_service_accepts() -> None:
    accepting = changed("services/web/expose/0/accept", ["docs.dao.example", "docs-akash.dao.example"])
    assert request("docs.test", accepting, "web").hosts == {"docs.dao.example", "docs-akash.dao.example"}
    assert request("docs.test", DOCS, "web").hosts == frozenset()


def test_the_manifest_changes_with_what_changes_in_place() -> None:
    versions = {request("docs.test", data, "web").version for data in (DOCS, *IN_PLACE.values())}
    assert len(versions) == 1 + len(IN_PLACE)


def test_names_of_placement_and_endpoints_in_the_document_do_not_matter() -> None:
    renamed = copy.deepcopy(DOCS)
    renamed["profiles"]["placement"] = {"elsewhere": DOCS["profiles"]["placement"]["docs"]}
    renamed["deployment"]["web"] = {"elsewhere": DOCS["deployment"]["web"]["docs"]}
    assert request("docs.test", renamed, "web").version == request("docs.test", DOCS, "web").version


def test_two_deployments_of_one_document_share_no_name() -> None:
    one, other = request("docs-akash.test", DOCS, "web"), request("docs-akash-2.test", DOCS, "web")
    assert one.name != other.name
    assert set(one.data["endpoints"]).isdisjoint(other.data["endpoints"])


def test_the_completed_document_is_valid_and_carries_the_names() -> None:
    asked = request("docs.test", DOCS, "web", ["akash1x"], id="7")
    mark = fingerprint("docs.test", DOCS)
    assert sdl.check(sdl.Document(asked.data)).errors == ()
    assert asked.name == f"docs.test-{mark}"
    assert list(asked.data["profiles"]["placement"]) == [asked.name]
    assert list(asked.data["endpoints"]) == [f"docs-{mark}"]
    assert manifest.manifest(asked.data)[0]["name"] == asked.name
    assert (asked.avoid, asked.id, asked.leased_ip) == (frozenset({"akash1x"}), "7", True)
    assert DOCS["endpoints"] == {"docs": {"kind": "ip"}}


def test_the_ceiling_is_that_of_the_whole_group() -> None:
    asked = request("docs.test", changed("deployment/web/docs/count", 3), "web")
    assert asked.ceiling == Decimal("27.9") * 3
    assert f"{usd_month(Decimal('27.9')):.2f}" == "11.99"


def test_a_service_without_an_address_of_its_own_asks_for_none() -> None:
    data = copy.deepcopy(DOCS)
    del data["endpoints"]
    for expose in data["services"]["web"]["expose"]:
        del expose["to"][0]["ip"]
    assert request("docs.test", data, "web").leased_ip is False
