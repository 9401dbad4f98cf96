"""What the core must not know or touch: kinds, targets, authorities, the disk."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from components.config import models as config
from components.errors import PlanError
from components.exposure import Exposure, Proof, Reach
from components.kinds.static.akash import OnAkash
from components.plan.canonical import plan_hash
from components.plan.planner import plan
from components.plan.stack import releases, topology
from components.project import builtin
from tests.settings import settings, site_folder

COMPONENTS = Path(__file__).parents[2] / "components"
CORE = [
    *(
        COMPONENTS / f"{name}.py"
        for name in ("action", "authority", "exposure", "kind", "registry", "release", "target")
    ),
    COMPONENTS / "topology.py",
    *sorted((COMPONENTS / "plan").glob("*.py")),
    *sorted((COMPONENTS / "deploy").glob("*.py")),
]
#: Where an authority may be named: its own folder, and what prices, assesses or describes the world as it is.
ROUTE53 = {"dns/route53", "assess", "runbook", "prices", "commands"}


def code(path: Path) -> str:
    """Return the text of a module without its docstrings and comments."""
    return re.sub(r'""".*?"""|#.*', "", path.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(COMPONENTS)))
def test_the_core_names_no_kind_target_or_authority(path: Path) -> None:
    registry = builtin()
    known = [*registry.kinds, *registry.targets, *registry.authorities]
    assert [name for name in known if re.search(rf"['\"]{name}['\"]", code(path))] == []


def test_one_folder_knows_the_first_authority() -> None:
    found = [
        str(path.relative_to(COMPONENTS))
        for path in COMPONENTS.rglob("*.py")
        if re.search(r"route ?53", path.read_text(), re.IGNORECASE)
    ]
    assert [path for path in found if not any(path.startswith(f"{folder}/") for folder in ROUTE53)] == []
    assert found


def test_planning_opens_nothing(tmp_path: Path) -> None:
    registry = builtin()
    site_folder(tmp_path)
    stack, _ = config.read(settings("active-standby"))
    assert stack
    made, faults = releases(stack, registry, tmp_path)
    assert faults == []
    plan(stack, registry, made)  # prices are read once
    seen: list[str] = []
    watching = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if watching and event.split(".", maxsplit=1)[0] in {"open", "os", "socket", "subprocess", "import", "shutil"}:
            seen.append(f"{event} {args}")

    sys.addaudithook(hook)
    try:
        plan_hash(plan(stack, registry, made))
    finally:
        watching = False
    assert seen == []


class Fronted(OnAkash):
    """A container behind a name of a vendor's that has certificates for the public host."""

    def exposure(self, options, acme):
        return Exposure(Reach.NAME, "sectigo.com", Proof.HOST_ONLY)

    def losses(self, options):
        return ()

    def notes(self, plan):
        return ()


def test_a_name_behind_a_front_door_with_certificates_is_https() -> None:
    registry = builtin().with_(on={("static", "akash"): Fronted()})
    (workload,) = topology(settings("decentralized"), registry, None).workloads
    assert [site.health_url for site in workload.sites] == ["https://docs.dao.example/healthz"]
    assert workload.losses == ()
    assert any("https" in line.what and "docs-akash" in line.what for line in workload.bill)


def test_a_site_that_proves_only_by_its_host_is_no_standby() -> None:
    registry = builtin().with_(on={("static", "akash"): Fronted()})
    with pytest.raises(PlanError) as caught:
        topology(settings("active-standby"), registry, None)
    assert [fault.path for fault in caught.value.faults] == ["workloads.docs.mode"]
