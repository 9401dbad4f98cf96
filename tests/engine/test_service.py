"""Each example of a service flips through every ordered pair of modes by the real engine, and no request fails.

Tasks of AWS and containers on Akash are local processes here; that their images run there is not proved.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.aws import inventory
from sandbox.client import NotReached
from sandbox.state import VARIABLE

from . import service_stack
from .docs_stack import until
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
    asked: dict[str, int]
    failed: dict[str, list[str]]
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


def test_a_task_that_is_killed_is_started_again(service: Service) -> None:
    """The platform restarts it without an update, and the stack does not change."""
    ecs = inventory.client("ecs")

    def tasks(status: str) -> set[str]:
        clusters = ecs.list_clusters()["clusterArns"]
        return {arn for each in clusters for arn in ecs.list_tasks(cluster=each, desiredStatus=status)["taskArns"]}

    def answers() -> bool:
        with contextlib.suppress(NotReached, AssertionError):
            return all(service.ask("/", host=host)["seen"]["Host"] == host for host in service.hosts)
        return False

    running, stopped = tasks("RUNNING"), tasks("STOPPED")
    with service.broken("task-killed"):
        until(lambda: bool(tasks("STOPPED") - stopped), "the end of a task")
        until(lambda: len(tasks("RUNNING")) == len(running) and answers(), "a new task that serves")
    assert len(tasks("RUNNING") - running) == 1
    assert service.again().changes() == {}


@pytest.fixture(scope="module")
def walk(service: Service) -> list[Seen]:
    """Take every step of the walk with a visitor at each name."""
    seen = []
    service.up(**A)
    for state in WALK[1:]:
        with contextlib.ExitStack() as visits:
            visitors = {host: visits.enter_context(Visitor(service, host)) for host in service.hosts}
            run = service.up(**state)
        made = service.pulumi.outputs()["workloads"]
        sites = {site: f"{name}.dao.example" for name, each in made.items() for site in each["sites"]}
        answers = {site: service.ask("/", service.site_address(site), host) for site, host in sites.items()}
        asked = {host: each.asked for host, each in visitors.items()}
        seen.append(Seen(run, asked, {host: each.failed for host, each in visitors.items()}, answers))
    return seen


every_step = pytest.mark.parametrize("step", range(len(WALK) - 1))


@every_step
def test_no_validated_request_fails_in_a_flip(step: int, walk: list[Seen]) -> None:
    assert min(walk[step].asked.values()) > 10
    assert [why for failed in walk[step].failed.values() for why in failed] == []
    assert len(walk[step].asked) == 3


@every_step
def test_every_site_serves_the_application_under_the_public_name(step: int, walk: list[Seen]) -> None:
    mode = WALK[step + 1]
    targets = ["aws"] if mode == A else ["akash"] if mode == D else ["aws", "akash"]
    running = {f"{name}-{target}" for name in ("api", "explorer") for target in targets}
    bot = "bot-akash" if mode in (C, D) else "bot-aws"  # its standby is cold
    assert set(walk[step].answers) == running | {bot}
    for site, answer in walk[step].answers.items():
        host = f"{site.partition('-')[0]}.dao.example"
        assert (answer["seen"]["Host"], answer["seen"]["X-Forwarded-Proto"]) == (host, "https")


@every_step
def test_a_flip_replaces_nothing(step: int, walk: list[Seen]) -> None:
    assert {op for op, _ in walk[step].run.steps()} <= {"same", "create", "update", "delete"}


#: The targets of the releases in order, which ends on AWS, with a bad release there and texts of its error.
PLACES = {
    "aws": (A, "0", ("api-aws: ECS has taken the release back", "container app:", "app: it does not start")),
    "akash": (
        D,
        "404",
        (
            "is not well after 10 s",
            "its application logged last",
            "app: this one is bad",
            "workloads.api.options.health.path: the application answers 404 to /health",
        ),
    ),
}


@pytest.mark.parametrize("target", PLACES)
def test_releases_change_without_a_failed_request_and_a_bad_one_leaves_what_served(target, service, walk) -> None:
    """On AWS the bad release does not start; on Akash it starts and is ill."""
    assert walk
    state, health, words = PLACES[target]
    service.up(**state)
    options = service.workload["options"]
    options["env"] = {**options["env"], "GREETING": target}
    with Visitor(service) as visitor:
        service.up()
    assert (visitor.asked > 10, visitor.failed) == (True, [])
    assert service.ask("/")["greeting"] == target
    good = dict(options)
    options["env"] = {**options["env"], "GREETING": "bad", "HEALTH": health, "MESSAGE": "this one is bad"}
    options["health"] = {"match": '"ok"', "grace_s": 10}
    with Visitor(service) as visitor:
        shown = service.fails().output
    assert [each for each in words if each not in shown] == []
    assert (visitor.failed, service.ask("/")["greeting"]) == ([], target)
    options.update(good)


def test_destroy_leaves_nothing(service: Service, walk: list[Seen]) -> None:
    assert walk
    service.pulumi.destroy()
    theirs = {"certificate theirs.example", "load balancer theirs", "security group theirs"}
    assert (set(inventory.objects()), service.leases()) == (theirs, {})
    elb, shared = inventory.client("elbv2"), service.settings["unmoor:workloads"]["explorer"]["options"]["aws"]
    listeners = elb.describe_listeners(LoadBalancerArn=shared["balancer"])["Listeners"]
    rules = [one for each in listeners for one in elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"]]
    assert [one["IsDefault"] for one in rules] == [True, True]
