"""A service flips through every ordered pair of modes by the real engine, and no validated request fails.

Tasks of AWS and containers on Akash are local processes here; that their images run there is not proved.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.aws import inventory
from sandbox.state import VARIABLE

from . import service_stack
from .service_stack import HOST, Service, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.drive import Run

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(1500)

#: A walk over the four states in which each ordered pair of them is taken once.
A, B, C, D = (
    {"mode": "centralized", "active": None},
    {"mode": "active-standby", "active": None},
    {"mode": "active-standby", "active": "decentralized"},
    {"mode": "decentralized", "active": None},
)
WALK = (A, B, A, C, A, D, B, C, B, D, C, D, A)


@pytest.fixture(scope="module")
def service(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))  # for the inventories
        made = service_stack.make(tmp_path_factory.mktemp("service"), sandbox.state, sandbox.environment)
        yield made
        made.end()


@dataclass
class Seen:
    """What a flip did, and what its visitor saw."""

    run: Run
    asked: int
    failed: list[str]
    answers: dict[str, Any]


def test_the_walk_takes_every_ordered_pair_once() -> None:
    pairs = [(str(before), str(after)) for before, after in itertools.pairwise(WALK)]
    assert sorted(pairs) == sorted(itertools.permutations(map(str, (A, B, C, D)), 2))


def test_a_first_up_serves_on_aws(service: Service) -> None:
    service.up(**A)
    answer = service.ask("/hello")
    assert (answer["answer"], answer["greeting"]) == ("olleh/", "one")
    assert answer["seen"]["Host"] == HOST
    assert answer["seen"]["X-Forwarded-Proto"] == "https"
    assert service.again().changes() == {}


@pytest.fixture(scope="module")
def walk(service: Service) -> list[Seen]:
    """Take every step of the walk with a visitor at the name."""
    seen = []
    service.up(**A)
    for state in WALK[1:]:
        with Visitor(service) as visitor:
            run = service.up(**state)
        sites = service.pulumi.outputs()["workloads"]["api"]["sites"]
        answers = {site: service.ask("/", service.site_address(site)) for site in sites}
        seen.append(Seen(run, visitor.asked, visitor.failed, answers))
    return seen


every_step = pytest.mark.parametrize("step", range(len(WALK) - 1))


@every_step
def test_no_validated_request_fails_in_a_flip(step: int, walk: list[Seen]) -> None:
    assert walk[step].asked > 10
    assert walk[step].failed == []


@every_step
def test_every_site_serves_the_application_under_the_public_name(step: int, walk: list[Seen]) -> None:
    mode = WALK[step + 1]
    sites = {"api-aws"} if mode == A else {"api-akash"} if mode == D else {"api-aws", "api-akash"}
    assert set(walk[step].answers) == sites
    for answer in walk[step].answers.values():
        assert (answer["seen"]["Host"], answer["seen"]["X-Forwarded-Proto"]) == (HOST, "https")


@every_step
def test_a_flip_replaces_nothing(step: int, walk: list[Seen]) -> None:
    assert {op for op, _ in walk[step].run.steps()} <= {"same", "create", "update", "delete"}


#: Where releases are tried, in this order: the walk ends on AWS. What a bad release is there, and what is then said.
PLACES = {"aws": (A, "0"), "akash": (D, "500")}


@pytest.mark.parametrize("target", PLACES)
def test_releases_change_without_a_failed_request_and_a_bad_one_leaves_what_served(target, service, walk) -> None:
    """On AWS the bad release does not start; on Akash it starts and is ill."""
    assert walk
    state, health = PLACES[target]
    service.up(**state)
    options = service.workload["options"]
    options["env"] = {**options["env"], "GREETING": target}
    with Visitor(service) as visitor:
        service.up()
    assert (visitor.asked > 10, visitor.failed) == (True, [])
    assert service.ask("/")["greeting"] == target
    good = dict(options)
    options["env"] = {**options["env"], "GREETING": "bad", "HEALTH": health}
    options["health"] = {"match": '"ok"', "grace_s": 10}
    with Visitor(service) as visitor:
        shown = service.fails().output
    assert "is not well after 10 s" in shown
    assert (visitor.failed, service.ask("/")["greeting"]) == ([], target)
    options.update(good)


def test_destroy_leaves_nothing(service: Service, walk: list[Seen]) -> None:
    assert walk
    service.pulumi.destroy()
    assert (inventory.objects(), service.leases()) == ([], {})
