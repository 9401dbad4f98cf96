"""A service's resources: what a flip may change, who may reach a task, and what a task may do."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from components import operator_key
from components.limits import RUN_BYTES
from tests.graph.monitor import Graph, run
from tests.pure.test_service import stack

if TYPE_CHECKING:
    from pathlib import Path

STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]


def made(root: Path, mode: str, active: str = "centralized", **options: Any) -> Graph:
    settings = stack(mode, **options)
    settings["workloads"]["api"]["active"] = active
    return run(settings, root)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Graph]:
    root = tmp_path_factory.mktemp("project")
    return {state: made(root, *state) for state in STATES}


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(STATES, 2)])
def test_a_flip_renames_nothing_and_changes_no_site(graphs, before, after):
    old, new = graphs[before], graphs[after]
    names = {r.name for r in old.resources.values()} & {r.name for r in new.resources.values()}
    assert {urn.rsplit("::", 1)[1] for urn in old.urns & new.urns} == names
    changed = {
        new.resources[urn].name for urn in old.urns & new.urns if old.resources[urn].inputs != new.resources[urn].inputs
    }
    looks = {f"api-{target}-{look}" for target in ("aws", "akash") for look in ("probe", "confirm")}
    names = ("api.dao.example/primary", "api.dao.example/standby", "api.dao.example-exchange")
    leased = [len(each.of_type("unmoor:akash:Deployment")) for each in (old, new)]
    assert changed <= {*names, *looks} | ({"akash-account"} if leased[0] != leased[1] else set())


@pytest.fixture(scope="module")
def central(graphs) -> Graph:
    return graphs[STATES[0]]


def test_tasks_admit_the_load_balancer_alone(central):
    (rule,) = central.named("api-aws-tasks").inputs["ingress"]
    assert (rule["securityGroups"], rule["fromPort"], rule["toPort"]) == (["api-aws-visitors-id"], 80, 80)
    assert "cidrBlocks" not in rule


def test_only_challenges_are_not_led_to_https(central):
    (action,) = central.named("api-aws-http").inputs["defaultActions"]
    assert (action["type"], action["redirect"]["protocol"]) == ("redirect", "HTTPS")
    rule = central.named("api-aws-challenges").inputs
    assert rule["conditions"] == [{"pathPattern": {"values": ["/.well-known/acme-challenge/*"]}}]
    assert rule["actions"][0]["type"] == "forward"


def test_the_one_role_writes_the_logs_of_this_service_and_nothing_else(central):
    (role,) = central.of_type("aws:iam/role:Role")
    (policy,) = central.of_type("aws:iam/rolePolicy:RolePolicy")
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == "arn:aws:logs:us-east-1:1:log-group:api-aws-log:*"
    assert "ecs-tasks.amazonaws.com" in role.inputs["assumeRolePolicy"]
    assert "taskRoleArn" not in central.named("api-aws-task").inputs
    assert central.named("api-aws-log").inputs["retentionInDays"] == 30


SECRETS = {"DATABASE_URL": "API_DATABASE_URL", "TOKEN": "API_TOKEN"}


def test_a_secret_is_registered_without_a_value_and_filled_before_a_task_can_ask_for_it(tmp_path, monkeypatch):
    for variable in SECRETS.values():
        monkeypatch.setenv(variable, "the-value-itself")
    graph = made(tmp_path, "centralized", secrets=SECRETS, command=["api"])
    assert "the-value-itself" not in str([each.inputs for each in graph.resources.values()])
    arns = {name: f"arn:aws:secretsmanager:us-east-1:1:secret:api-aws-{name}-Ab12Cd" for name in SECRETS}
    behind = graph.behind(graph.named("api-aws-task").urn)
    for name, variable in SECRETS.items():
        assert set(graph.named(f"api-aws-{name}").inputs) == {"description", "recoveryWindowInDays", "tags"}
        filled = graph.named(f"api-aws-{name}-value")
        given = {"arn": arns[name], "region": "us-east-1", "stack": "unmoor/test", "variable": variable}
        assert (json.loads(filled.inputs["stdin"]), filled.urn in behind) == (given, True)
    web, app = json.loads(graph.named("api-aws-task").inputs["containerDefinitions"])
    assert app["secrets"] == [{"name": name, "valueFrom": f"{arn}:::v1"} for name, arn in arns.items()]
    assert "secrets" not in web


def test_the_start_of_a_task_reads_the_secrets_of_its_service_alone(tmp_path):
    graph = made(tmp_path, "centralized", secrets=SECRETS, command=["api"])
    (statement,) = json.loads(graph.named("api-aws-reads-secrets").inputs["policy"])["Statement"]
    wanted = [graph.named(f"api-aws-{name}").urn for name in SECRETS]
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert statement["Resource"] == sorted(
        f"arn:aws:secretsmanager:us-east-1:1:secret:api-aws-{name}-Ab12Cd" for name in SECRETS
    )
    assert set(wanted) <= graph.behind(graph.named("api-aws-reads-secrets").urn)


def test_secrets_are_handed_over_between_the_lease_and_its_probe(tmp_path, monkeypatch):
    monkeypatch.setenv(operator_key.VARIABLE, "k" * 32)
    for variable in SECRETS.values():
        monkeypatch.setenv(variable, "the-value-itself")
    graph = made(tmp_path, "active-standby", secrets=SECRETS, command=["api"])
    assert "the-value-itself" not in str([each.inputs for each in graph.resources.values()])
    step, probe = graph.named("api-akash-secrets"), graph.named("api-akash-probe")
    given = json.loads(step.inputs["stdin"])
    assert given["secrets"] == SECRETS
    assert (given["host"], given["dseq"]) == ("api-akash.dao.example", "api-akash-id")
    assert step.urn in graph.behind(probe.urn)
    (leading,) = [
        each.urn
        for each in graph.of_type("aws:route53/record:Record")
        if each.inputs["name"] == "api-akash.dao.example" and each.inputs["type"] == "A"
    ]
    assert {graph.named("api-akash").urn, leading} <= graph.behind(step.urn)
    front = graph.named("api-akash").inputs["sdl"]["services"]["web"]["env"]
    assert front[0] == f"OPERATOR={operator_key.certificate(given['lease']).fingerprint}"


def test_a_bad_deployment_is_taken_back_and_a_step_waits_for_its_end_before_the_probe(central):
    """The plug-in could wait too, but would fail without the containers' logs."""
    service = central.named("api-aws-service")
    assert service.inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert "waitForSteadyState" not in service.inputs
    step = central.named("api-aws-rollout")
    given = json.loads(step.inputs["stdin"])
    assert given["tasks"] == "api-aws-service-id"
    assert given["stack"] == "unmoor/test"
    assert given["timeout_s"] == 1_200 + 5 * 300
    assert {service.urn, central.named("api-aws-task").urn} <= central.behind(step.urn)
    assert step.urn in central.behind(central.named("api-aws-probe").urn)
    behind = central.behind(service.urn)
    assert {central.named(f"api-aws-{name}").urn for name in ("https", "http", "challenges", "writes-logs")} <= behind


def test_the_largest_task_definition_fits_into_64_kib(tmp_path):
    """ECS service quotas, "Task definition size"; the ARN of a secret's version has up to 230 characters."""
    secrets = {f"S{number:063d}": "A" for number in range(30)}
    health = {"path": "/" + "a" * 500, "match": '"' * 200}
    graph = made(
        tmp_path, "centralized", env={"A": "x" * (RUN_BYTES - 100)}, secrets=secrets, command=["x"], health=health
    )
    containers = json.loads(graph.named("api-aws-task").inputs["containerDefinitions"])
    for secret in containers[1]["secrets"]:
        secret["valueFrom"] = "x" * 230
    assert len(json.dumps(containers)) < 64 << 10


def test_private_subnets_hold_the_tasks_which_then_have_no_address(tmp_path):
    network = {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3"]}
    arn = "arn:aws:ecs:us-east-1:1:cluster/ours"
    graph = made(tmp_path, "centralized", aws={**network, "cluster": arn})
    place = graph.named("api-aws-service").inputs
    assert place["cluster"] == arn
    assert place["networkConfiguration"]["subnets"] == ["subnet-3"]
    assert place["networkConfiguration"]["assignPublicIp"] is False
    assert graph.named("api-aws-balancer").inputs["subnets"] == ["subnet-1", "subnet-2"]
    assert graph.of_type("aws:ecs/cluster:Cluster") == []


def test_a_shared_load_balancer_gets_rules_for_our_names_and_is_not_made(tmp_path):
    arn = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/ours/1"
    graph = made(tmp_path, "centralized", aws={"balancer": arn})
    assert graph.of_type("aws:lb/loadBalancer:LoadBalancer") == graph.of_type("aws:lb/listener:Listener") == []
    hosts = {"hostHeader": {"values": ["api.dao.example", "api-aws.dao.example"]}}
    challenges = {"pathPattern": {"values": ["/.well-known/acme-challenge/*"]}}
    at = f"api-aws-{hashlib.sha256(arn.encode()).hexdigest()[:8]}"
    rules = {name: graph.named(f"{at}-{name}") for name in ("https", "challenges", "http")}
    assert {name: rule.inputs["listenerArn"] for name, rule in rules.items()} == {
        "https": "listener-443",
        "challenges": "listener-80",
        "http": "listener-80",
    }
    assert {name: rule.inputs["conditions"] for name, rule in rules.items()} == {
        "https": [hosts],
        "challenges": [hosts, challenges],
        "http": [hosts],
    }
    assert all("priority" not in rule.inputs and rule.inputs["tags"]["Name"] == "api-aws" for rule in rules.values())
    assert rules["http"].inputs["actions"][0]["redirect"]["protocol"] == "HTTPS"
    assert rules["challenges"].urn in graph.behind(rules["http"].urn), "the one that matches more comes after it"
    assert graph.named(f"{at}-shown").inputs["listenerArn"] == "listener-443"
    place = graph.named(f"{at}-service").inputs["networkConfiguration"]
    assert (place["subnets"], place["assignPublicIp"]) == (["subnet-8", "subnet-9"], True)
    (admitted,) = graph.named(f"{at}-tasks").inputs["ingress"]
    assert admitted["securityGroups"] == ["sg-9"]
    (record,) = [one for one in graph.of_type("aws:route53/record:Record") if one.name == "api.dao.example/primary"]
    assert record.inputs["aliases"][0]["name"] == "shared.elb.amazonaws.com"


SMALL = {"aws": {"size": "small"}}
#: What a service keeps wherever it stands behind: its logs, its secrets, what its tasks run, and its certificate.
KEPT = {"log", "starts", "writes-logs", "task", "cluster", "certificate", "certificate-valid"}


def small(root: Path, *modes: str) -> Graph:
    """Make a stack of small services, one for each mode."""
    settings = stack(modes[0], **SMALL)
    first = settings["workloads"]["api"]
    settings["workloads"] = {
        name: {**first, "mode": mode, "host": f"{name}.dao.example"}
        for name, mode in zip(("api", "web", "chat"), modes, strict=False)
    }
    return run(settings, root)


def test_small_services_share_one_load_balancer_that_the_stack_has(tmp_path):
    graph = small(tmp_path, "centralized", "active-standby")
    (balancer,) = graph.of_type("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.name == "balancer-aws-balancer"
    secure, plain = graph.named("balancer-aws-https"), graph.named("balancer-aws-http")
    assert secure.inputs["defaultActions"][0]["fixedResponse"]["statusCode"] == "404"
    assert secure.inputs["certificateArn"], "no listener for HTTPS is without one"
    (itself,) = graph.named("balancer-aws-itself").inputs["conditions"]
    assert itself["hostHeader"]["values"] == ["balancer-aws.dao.example"]
    arn = "arn:aws:elasticloadbalancing:us-east-1:1"
    for name in ("api", "web"):
        hosts = [f"{name}.dao.example", f"{name}-aws.dao.example"]
        served = graph.named(f"{name}-aws-small-https").inputs
        assert served["conditions"] == [{"hostHeader": {"values": hosts}}]
        assert served["actions"][0]["targetGroupArn"] == f"{arn}:targetgroup/{name}-aws-small-targets/1"
        assert (
            graph.named(f"{name}-aws-small-shown").inputs["listenerArn"] == f"{arn}:listener/app/balancer-aws-https/1"
        )
        (admitted,) = graph.named(f"{name}-aws-small-tasks").inputs["ingress"]
        assert admitted["securityGroups"] == ["balancer-aws-visitors-id"]
        behind = graph.behind(graph.named(f"{name}-aws-small-service").urn)
        assert {secure.urn, plain.urn, balancer.urn} <= behind


def test_the_load_balancer_of_small_services_goes_with_the_last_that_stands_there(tmp_path):
    def there(*modes: str) -> int:
        return len(small(tmp_path, *modes).of_type("aws:lb/loadBalancer:LoadBalancer"))

    assert [there("centralized", "decentralized"), there("decentralized", "decentralized")] == [1, 0]


@pytest.mark.parametrize(
    "aws", [{"size": "small"}, {"balancer": "arn:aws:elasticloadbalancing:x:1:loadbalancer/app/a/1"}]
)
def test_behind_another_load_balancer_stands_another_service_before_the_old_one_goes(tmp_path, aws):
    """A target group belongs to one load balancer, and tasks that changed theirs would leave the old one empty."""
    own, other = made(tmp_path, "centralized"), made(tmp_path, "centralized", aws=aws)
    of_site = {
        resource.name for urn, resource in own.resources.items() if urn in other.urns and "api-aws-" in resource.name
    }
    kept = {name.removeprefix("api-aws-") for name in of_site}
    steps = {"rollout", "host", "caa", "probe", "confirm", "drain", "health"}
    assert {name for name in kept if not name.startswith("proof-")} <= KEPT | steps
    gone = {resource.name for urn, resource in own.resources.items() if urn not in other.urns}
    assert {f"api-aws-{each}" for each in ("service", "targets", "tasks", "https", "http", "balancer")} <= gone
    for graph in (own, other):
        held = {urn.rpartition("::")[2] for urn in graph.named("api-aws-drain").dependencies}
        last = ("service", "https", "http", "challenges")
        assert [name for name in last if not any(each.endswith(name) for each in held)] == [], "removed after the drain"


def test_in_the_default_vpc_two_zones_are_used_and_tasks_have_addresses(central):
    place = central.named("api-aws-service").inputs["networkConfiguration"]
    assert (place["subnets"], place["assignPublicIp"]) == (["subnet-1", "subnet-2"], True)


def test_command_and_arguments_are_those_of_the_image_unless_given(tmp_path):
    def words(**options: Any) -> Any:
        graph = made(tmp_path, "centralized", **options)
        _, app = json.loads(graph.named("api-aws-task").inputs["containerDefinitions"])
        return app.get("entryPoint"), app.get("command"), app["environment"]

    assert words() == (None, None, [])
    given = words(command=["api"], args=["$(HOME)"], env={"A": "$$"})
    assert given == (["api"], ["$(HOME)"], [{"name": "A", "value": "$$"}])


def test_an_application_on_port_80_leaves_another_to_the_web_server(tmp_path):
    graph = made(tmp_path, "centralized", port=80)
    assert graph.named("api-aws-targets").inputs["port"] == 8080
    assert graph.named("api-aws-tasks").inputs["ingress"][0]["fromPort"] == 8080


@pytest.mark.parametrize(("update", "same"), [("beside", False), ("in-place", True)])
def test_a_release_is_another_deployment_only_if_it_begins_next_to_the_old_one(tmp_path, update, same):
    names = {
        made(tmp_path, "decentralized", update=update, env={"A": value}).named("api-akash").inputs["name"]
        for value in "12"
    }
    assert (len(names) == 1) is same
