"""Leases through the real engine, with what hurt them: silence, lag, a kill that is rolled back, an update of a part.

The tests run in order on stacks of their own. It proves nothing about the real Console beyond what the stand-in cites.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox.akash import inventory
from sandbox.aws import inventory as aws
from sandbox.client import Resolver
from sandbox.drive import EngineFailed, Pulumi
from sandbox.state import REPOSITORY, VARIABLE

from ..contract.akash_world import SDL
from .docs_stack import kill, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.drive import Run

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(900)

HOST = "web.leases.example"
RECORD = "::aws:route53/record:Record::"
PROGRAM = f"""
import asyncio, sys
sys.path.insert(0, {str(REPOSITORY)!r})
import pulumi
from pulumi_aws import route53
from components.targets.akash.account import Account
from components.targets.akash.deployment import Deployment

config = pulumi.Config()
zone = route53.Zone("zone", name="leases.example", force_destroy=True)
ids, first = [], []

async def held(address):  # until the run is killed: no record is made
    await asyncio.Event().wait()

for number in range(2 if config.get_bool("broken") else 0):  # of one name and type there is one record: this fails
    twice = dict(zone_id=zone.zone_id, name="twice.leases.example", type="A", ttl=30, records=["203.0.113.99"])
    first.append(route53.Record(f"twice-{{number}}", **twice, opts=pulumi.ResourceOptions(depends_on=first[-1:])))
for name in config.require_object("sites"):
    host = f"{{name}}.leases.example"
    made = Deployment(name, name=f"{{name}}.test", sdl=config.require_object("sdl"), service="web", hosts=[host])
    after = pulumi.ResourceOptions(depends_on=first)
    address = made.address.apply(held) if config.get_bool("held") else made.address
    route53.Record(name, zone_id=zone.zone_id, name=host, type="A", ttl=1, records=[address], opts=after)
    ids.append(made.id)
Account("account", deployments=ids, hosts=["web.leases.example"])
"""


def document(ceiling: int = 100, *, notice: bool = False) -> dict[str, Any]:
    made = copy.deepcopy(SDL) | ({"version": "2.1", "reclamation": {"min_window": "24h"}} if notice else {})
    made["services"]["web"]["expose"][0]["to"][0]["ip"] = "site"
    made["endpoints"] = {"site": {"kind": "ip"}}
    made["profiles"]["placement"]["site"]["pricing"]["web"]["amount"] = ceiling
    return made


class Leases:
    """A stack of one lease and its record."""

    def __init__(self, runner: Pulumi, sandbox: Sandbox) -> None:
        self.runner, self.sandbox = runner, sandbox
        project = runner.project / "Pulumi.yaml"
        settings = yaml.safe_load(project.read_text())
        settings["plugins"] = {"providers": [{"name": "unmoor", "path": str(REPOSITORY / "components/provider/bin")}]}
        project.write_text(yaml.safe_dump(settings))

    def write(
        self,
        ceiling: int = 100,
        sites: tuple[str, ...] = ("web",),
        *,
        broken: bool = False,
        held: bool = False,
        notice: bool = False,
    ) -> None:
        """Set what the program reads."""
        settings = yaml.safe_load(self.runner.config_file.read_text())
        given = {"sdl": document(ceiling, notice=notice), "sites": list(sites)}
        given |= {"broken": str(broken).lower(), "held": str(held).lower()}
        project = yaml.safe_load((self.runner.project / "Pulumi.yaml").read_text())["name"]
        settings["config"] = {f"{project}:{key}": value for key, value in given.items()} | {"aws:region": "us-east-1"}
        self.runner.config_file.write_text(yaml.safe_dump(settings))

    def up(self, *arguments: str, ceiling: int = 100, sites: tuple[str, ...] = ("web",), broken: bool = False) -> Run:
        """Update."""
        self.write(ceiling, sites, broken=broken)
        return self.runner.up(*arguments)

    def open(self) -> dict[str, bool]:
        """Return the open deployments, and whether each is leased."""
        return {each["deployment"]["id"]["dseq"]: bool(each["leases"]) for each in inventory.open_deployments()}

    def answers(self) -> str:
        """Return what a visitor gets at the record, coming again while the name servers may not have it yet.

        The sandbox's name servers answer from their last reading while a busy AWS does not answer them.
        """
        end = time.monotonic() + 15
        while (got := self._answers()).startswith("not reached") and time.monotonic() < end:
            time.sleep(0.5)
        return got

    def _answers(self) -> str:
        from sandbox.client import NotReached, get

        try:
            address = Resolver(self.sandbox.state).addresses(HOST)[0]
            return get(f"http://{HOST}/", self.sandbox.state, address=address).body.decode().strip()
        except NotReached as why:
            return f"not reached: {why}"


def kill_between_lease_and_state(leases: Leases, sandbox: Sandbox) -> None:
    """Kill an update that has rented and whose resource is in no state: the Console does not answer its changes."""

    def rented() -> bool:
        if found := leases.open():
            sandbox.state.start_fault("api-timeout", {"hold": 300})
        return any(found.values())

    kill(leases.runner, sandbox, rented)
    sandbox.state.end_fault("api-timeout")


@pytest.fixture
def leases(
    sandbox: Sandbox, pulumi: Callable[..., Pulumi], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Leases]:
    monkeypatch.setenv(VARIABLE, str(sandbox.state.root))
    stack = "".join(each for each in request.node.name if each.isalnum())[-25:]
    made = Leases(pulumi({}, PROGRAM, stack), sandbox)
    yield made
    for fault in ("provider-silent-europa", "read-lag", "list-lag", "other-account", "reclaim", "api-timeout"):
        sandbox.state.end_fault(fault)
    made.write()
    made.runner.destroy()
    assert made.open() == {}


def test_a_silent_provider_and_a_failed_run_close_nothing_that_serves(leases: Leases, sandbox: Sandbox) -> None:
    leases.up()
    before = leases.open()
    sandbox.state.start_fault("provider-silent-europa", {"hold": 2.0})
    with pytest.raises(EngineFailed):
        leases.up("--refresh", broken=True)
    assert leases.open() == before
    sandbox.state.end_fault("provider-silent-europa")
    leases.up("--refresh")
    leases.up("--refresh")
    assert leases.open() == before
    assert leases.answers() == "hello"


def test_a_killed_run_that_is_rolled_back_leaves_nothing(leases: Leases, sandbox: Sandbox) -> None:
    """The program makes no record until it is killed: one that the state does not know would keep the lease open."""
    leases.up(sites=())
    leases.write(held=True)
    kill_between_lease_and_state(leases, sandbox)
    (left,) = leases.open()
    shown = leases.runner.preview
    leases.write(sites=())
    assert f"deployment {left} (web.test) bears this stack's mark and no resource has it" in shown().output
    leases.up(sites=())
    assert leases.open() == {}


def test_a_record_that_the_state_does_not_know_keeps_its_lease_open(leases: Leases, sandbox: Sandbox) -> None:
    """A run that is killed between Route 53's answer and the engine's state leaves such a record."""
    leases.up()
    before = leases.open()
    record = next(
        each for each in json.loads(leases.runner.export())["deployment"]["resources"] if RECORD in each["urn"]
    )
    leases.runner.forget(record["urn"])
    with pytest.raises(EngineFailed, match=rf"stays open: {HOST} leads to it; .* delete it if a killed update left it"):
        leases.up(sites=())
    assert leases.open() == before
    assert leases.answers() == "hello"
    route53, (zone, *_) = aws.client("route53"), record["id"].split("_")
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (left,) = [each for each in found if each["Name"].rstrip(".") == HOST]
    batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": left}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    leases.up(sites=())
    assert leases.open() == {}


@pytest.mark.parametrize("cut", ["note", "state"])
def test_a_truncated_state_is_repaired_and_no_lease_is_lost(leases: Leases, sandbox: Sandbox, cut: str) -> None:
    """A kill leaves an empty note, a loss of power a short state; the copy is older than the lease."""
    leases.up(sites=())
    leases.write(held=True)
    kill_between_lease_and_state(leases, sandbox)
    before = leases.open()
    state = sandbox.state.root / "state" / ".pulumi" / "stacks" / "tiny" / f"{leases.runner.stack}.json"
    if cut == "note":
        state.with_name(f"{state.name}.attrs").write_bytes(b"")
    else:
        state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(EngineFailed, match="failed to load checkpoint"):
        leases.up()
    unmoor = [sys.executable, "-m", "components", "mend", "--stack", str(leases.runner.config_file)]
    environment = {**os.environ, **sandbox.environment, "PYTHONPATH": str(REPOSITORY)}
    for printed in (
        f"{state.name}{'.attrs' if cut == 'note' else ''} was cut off",
        "nothing to mend: the state is whole",
    ):
        done = subprocess.run(
            unmoor, cwd=leases.runner.project, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(printed)
    leases.up("--refresh")
    assert leases.open() == before
    assert leases.answers() == "hello"


@pytest.mark.parametrize(("lag", "seconds"), [("read-lag", 8), ("list-lag", 60)])
def test_reads_that_lag_open_nothing_twice(leases: Leases, sandbox: Sandbox, lag: str, seconds: int) -> None:
    sandbox.state.start_fault(lag, {"seconds": seconds})
    leases.up()
    sandbox.state.end_fault(lag)
    assert list(leases.open().values()) == [True]
    assert leases.answers() == "hello"


def test_two_projects_with_one_stack_name_never_touch_each_others(
    leases: Leases, sandbox: Sandbox, tmp_path: Path
) -> None:
    leases.up()
    before = leases.open()
    theirs = neighbour(leases, sandbox, tmp_path)
    theirs.up()
    assert len(leases.open()) == 2
    assert before.items() < leases.open().items()
    theirs.runner.destroy()
    assert leases.open() == before
    assert leases.answers() == "hello"
    assert leases.runner.up("--expect-no-changes").changes() == {}


def test_a_key_of_another_account_forgets_and_closes_nothing(leases: Leases, sandbox: Sandbox) -> None:
    leases.up()
    before = leases.open()
    sandbox.state.start_fault("other-account")
    for act in (leases.runner.refresh, leases.runner.destroy):
        with pytest.raises(EngineFailed, match="and AKASH_CONSOLE_API_KEY is a key of"):
            act()
    sandbox.state.end_fault("other-account")
    assert leases.open() == before
    leases.up()  # a destroy that failed may have taken the record
    assert leases.open() == before
    assert leases.answers() == "hello"


def test_a_lease_that_is_reclaimed_while_it_is_made_leaves_one_deployment(leases: Leases, sandbox: Sandbox) -> None:
    leases.up(sites=())
    leases.write(notice=True)
    child = leases.runner.start("up", "--yes", "--skip-preview")
    until(lambda: any(leases.open().values()) or child.poll() is not None, "a lease")
    (first,) = leases.open()
    sandbox.state.start_fault("reclaim")
    until(lambda: lease_states() != {first: "active"}, "the lease is reclaimed")
    child.communicate()
    leases.runner.children.remove(child)
    leases.runner.up("--refresh")
    ((left, state),) = lease_states().items()
    assert (left != first, state) == (True, "active")
    assert leases.answers() == "hello"


def lease_states() -> dict[str, str]:
    """Return the state of the newest lease of each open deployment."""
    return {
        each["deployment"]["id"]["dseq"]: each["leases"][-1]["state"] if each["leases"] else ""
        for each in inventory.open_deployments()
    }


def neighbour(leases: Leases, sandbox: Sandbox, folder: Path) -> Leases:
    """Make another project in the same account, whose stack has the same name; its zone is another one."""
    project = folder / "other"
    shutil.copytree(leases.runner.project, project, symlinks=True)
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text()) | {"name": "other"}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    (project / "__main__.py").write_text(PROGRAM.replace("leases.example", "others.example"))
    file = folder / f"other.{leases.runner.config_file.name}"
    file.write_text(leases.runner.config_file.read_text())
    runner = Pulumi(sandbox.state, sandbox.environment, leases.runner.stack, file, project)
    runner.init()
    return Leases(runner, sandbox)


def test_an_update_of_the_deployment_alone_does_not_close_what_the_record_leads_to(leases: Leases) -> None:
    leases.up()
    (before,) = leases.open()
    with pytest.raises(EngineFailed, match=rf"deployment {before} stays open: {HOST} leads to it"):
        leases.up("--target", "**unmoor:akash:Deployment::web", ceiling=90)
    assert before in leases.open()
    assert leases.answers() == "hello"
    leases.up(ceiling=90)
    assert before not in leases.open()
    assert list(leases.open().values()) == [True]
    assert leases.answers() == "hello"
