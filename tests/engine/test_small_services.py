"""Services move between a load balancer of their own and the stack's, and no visitor notices."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from sandbox.aws import inventory
from sandbox.state import VARIABLE

from . import service_stack
from .service_stack import HOST, Service, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(900)

OTHER = "web.dao.example"
SMALL = {"size": "small"}


@pytest.fixture
def service(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))  # for the inventories
        folder = tmp_path_factory.mktemp("small")
        made = service_stack.make(folder, sandbox.state, sandbox.environment, ("service",))
        workloads = made.settings["unmoor:workloads"]
        workloads["web"] = {**copy.deepcopy(workloads["api"]), "host": OTHER}
        yield made
        made.end()


def balancers() -> set[str]:
    """Return the load balancers of the account by their tag Name."""
    elb = inventory.client("elbv2")
    arns = [one["LoadBalancerArn"] for one in elb.describe_load_balancers()["LoadBalancers"]]
    tags = elb.describe_tags(ResourceArns=arns)["TagDescriptions"] if arns else []
    return {tag["Value"] for one in tags for tag in one["Tags"] if tag["Key"] == "Name"}


def moves(service: Service) -> list[str]:
    """Update while a visitor asks each name; return what failed."""
    with ExitStack() as visits:
        visitors = [visits.enter_context(Visitor(service, host)) for host in service.hosts]
        service.up()
    assert min(each.asked for each in visitors) > 10
    return [why for each in visitors for why in each.failed]


def test_a_service_moves_between_its_own_load_balancer_and_the_stacks_without_a_failed_request(
    service: Service,
) -> None:
    """The stack's is made with the first small service, and removed with the last."""
    options = {name: each["options"] for name, each in service.settings["unmoor:workloads"].items()}
    options["web"]["aws"] = SMALL
    service.up()
    assert balancers() == {"api-aws", "balancer-aws"}
    options["api"]["aws"] = SMALL
    assert moves(service) == []
    assert balancers() == {"balancer-aws"}
    assert [service.ask("/hello", host=host)["seen"]["Host"] for host in (HOST, OTHER)] == [HOST, OTHER]
    assert service.again().changes() == {}
    for each in options.values():
        del each["aws"]
    assert moves(service) == []
    assert balancers() == {"api-aws", "web-aws"}
