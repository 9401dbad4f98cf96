"""Reads of a Console account: the list of 100 deployments, a refresh of 20 sites, and who could bid in a preview.

The Console is the sandbox's, on the same machine: it shares the processor with what is measured. How long a lost lease
takes to be served elsewhere is a figure of the demo.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from components.probe.client import Page
from components.targets.akash import visitors
from components.targets.akash.resource import DeploymentResource
from tests.contract import deployment_calls
from tests.contract.akash_world import OWNERS, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.resource import Context, State

ROOT = Path(__file__).parents[1]
LISTED, SITES, RUNS = 100, 20, 3
#: Concurrent reads of the engine on two cores (`pulumi refresh --help`: --parallel).
ABREAST = 8
LEASED = [name for name in OWNERS if name != "bargain"]
#: A preview of one deployment in a process of its own, as the engine asks for it; prints the seconds.
_PREVIEW = """
import sys, time
from components.targets.akash.resource import DeploymentResource
from tests.contract.deployment_calls import context, inputs
given = {**inputs(), "screening": sys.argv[1] == "yes"}
reported, begin = [], time.perf_counter()
DeploymentResource().create(given, context(preview=True, reported=reported))
print(time.perf_counter() - begin)
assert bool(reported) == given["screening"] and "not known" not in str(reported), reported
"""


def main() -> Iterator[dict[str, Any]]:
    """Yield the figures."""
    yield from _in_a_world(_list)
    yield from _in_a_world(_reads)


def _in_a_world(measured: Any) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, AkashWorld(Path(folder) / "S") as world:
        os.environ |= {
            "AKASH_CONSOLE_URL": f"http://127.0.0.1:{world.state.port('console')}",
            "AKASH_CONSOLE_API_KEY": "sandbox-key",
            "NO_PROXY": "127.0.0.1",
        }
        yield from measured(world)


def _list(world: AkashWorld) -> Iterator[dict[str, Any]]:
    """Measure `unmoor akash list` in a new process, and what a preview with screening costs more than one without."""

    def rent(number: int) -> None:
        opened = world.create(yaml.safe_dump(_small("exec sleep 100000")))
        provider = LEASED[number % len(LEASED)]
        wait(lambda: provider in world.bids(opened["dseq"]))
        assert world.take(opened, provider).is_success

    with ThreadPoolExecutor(ABREAST) as pool:
        list(pool.map(rent, range(LISTED)))
    took = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        command = [sys.executable, "-m", "components", "akash", "list", "--json"]
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        took.append(time.perf_counter() - begin)
        rows = json.loads(printed)["deployments"]
        assert (len(rows), {row["lease"] for row in rows}) == (LISTED, {"active"})
        assert all(row["name"] and row["runway_days"] is not None for row in rows)
    yield _figure("akash_list_100_s", statistics.median(took), 3)
    screened, plain = (statistics.median(_preview(word) for _ in range(RUNS)) for word in ("yes", "no"))
    yield _figure("preview_screening_more_s", screened - plain, 1)


def _preview(screening: str) -> float:
    command = [sys.executable, "-c", _PREVIEW, screening]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


def _reads(world: AkashWorld) -> Iterator[dict[str, Any]]:
    """Measure `read` of sites at four providers, as a refresh does: with all of them there, and with one dead.

    A visit of a dead machine takes all the time that it may.
    """

    def visit(_url: str, _place: str, within_s: float) -> Page:
        time.sleep(within_s)
        return Page(0, "", None)

    resource = DeploymentResource(served=visitors.by(visit))

    def made(number: int) -> State:
        there = LEASED[number % len(LEASED)]
        avoid = sorted(OWNERS[each] for each in LEASED if each != there)
        given = deployment_calls.inputs(f"site-{number}.test", avoid) | {"sdl": _small()}
        return resource.create(given, _context(number))

    def read(numbered: tuple[int, State]) -> str:
        number, state = numbered
        found = resource.read(state.id, state.inputs, state.outputs, _context(number))
        assert found
        return str(found.outputs["state"]).partition(" ")[0]

    def measured() -> tuple[float, list[str]]:
        begin = time.perf_counter()
        with ThreadPoolExecutor(ABREAST) as pool:
            seen = list(pool.map(read, enumerate(states)))
        return time.perf_counter() - begin, seen

    with ThreadPoolExecutor(ABREAST) as pool:
        states = list(pool.map(made, range(SITES)))
    took, seen = measured()
    assert seen == ["active"] * SITES
    yield _figure("read_20_sites_s", took, 3)
    with world.fault(f"provider-silent-{LEASED[0]}"):
        took, seen = measured()
    assert sorted(seen) == ["active"] * (SITES - len(states[:: len(LEASED)])) + ["silent"] * len(states[:: len(LEASED)])
    yield _figure("read_20_sites_one_provider_dead_s", took, 75)


def _small(script: str | None = None) -> dict[str, Any]:
    """Return a document of which every provider can run many."""
    made: dict[str, Any] = yaml.safe_load(sdl(script, ceiling=1000))
    resources = made["profiles"]["compute"]["web"]["resources"]
    resources |= {"cpu": {"units": 0.1}, "memory": {"size": "64Mi"}, "storage": [{"size": "64Mi"}]}
    return made


def _context(number: int) -> Context:
    urn = f"urn:pulumi:bench::leases::unmoor:akash:Deployment::site-{number}"
    return replace(deployment_calls.context(timeout_s=300.0), urn=urn, name=f"site-{number}")


def _figure(name: str, value: float, reach: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 2), "unit": "s", "reach": reach}
