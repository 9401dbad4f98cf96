"""A plan's notes on a static site: how new content comes to a container, and which size is not known."""

from __future__ import annotations

import pytest

from components.config import models as config
from components.kinds.static import sizes
from components.kinds.static.document import document
from components.kinds.static.kind import Content
from components.kinds.static.routes import Routes
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from components.targets.akash.ingress import Ingress
from tests.settings import settings

FOLDER = Release("ab" * 32, Content("site", 1, Routes({"index.html": 1})), pinned=False)
OUTAGE, FROZEN, UNKNOWN = "an outage of seconds", "can hold back what is new", "the size of version abababababab is not"


def output(mode: str, stores: list[str], release: Release = FOLDER, **options: str) -> list[str]:
    made = settings(mode, backup={"stores": stores})
    made["stores"]["second"] = made["stores"]["aws"] | {"bucket": "dao-second"}
    stack, found = config.read(made)
    assert found == []
    (workload,) = plan(stack, builtin(), {"docs": release}).workloads
    return [note for note in workload.losses if OUTAGE in note or FROZEN in note or UNKNOWN in note]


@pytest.mark.parametrize("stores", [["aws"], ["aws", "second"]])
def test_with_one_vendor_new_content_is_an_outage_of_seconds_on_akash(stores) -> None:
    for mode in ("active-standby", "decentralized"):
        (note,) = output(mode, stores)
        assert note.startswith("docs-akash: new content restarts the container, an outage of seconds")


def test_with_two_vendors_either_can_hold_back_what_is_new() -> None:
    (note,) = output("decentralized", ["aws", "storj"])
    assert FROZEN in note


def test_without_a_container_there_is_nothing_to_say() -> None:
    assert output("centralized", ["aws"], Release("ab" * 32)) == []


def test_the_size_of_a_pinned_version_is_not_known_and_the_shipped_room_is_named() -> None:
    notes = output("decentralized", ["aws", "storj"], Release("ab" * 32))
    assert UNKNOWN in notes[1]
    (resources,) = [each["resources"] for each in document(Ingress.DEDICATED).data["profiles"]["compute"].values()]
    disk = {each.get("name", "default"): each["size"] for each in resources["storage"]}
    assert disk["data"] == "1Gi"
    assert sizes.sizes(400_000_000, 1000).disk_mib <= 1024
    assert output("decentralized", ["aws", "storj"]) == notes[:1]
