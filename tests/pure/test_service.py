"""The kind `service`: what its options refuse, what is lost on a target, its release, its document and its bill."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import cli
from components.commands.plan import _text
from components.commands.schema import schema
from components.config.models import read
from components.doctor import run
from components.errors import ConfigError, PlanError
from components.kinds.service import losses
from components.kinds.service.document import document_for
from components.kinds.service.options import ServiceOptions
from components.kinds.static.document import document_for as static_document
from components.plan.stack import from_file, topology
from components.project import builtin
from components.review.comment import markdown
from components.review.review import review
from components.runbook.case import case
from components.runbook.table import chapters
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import price
from components.targets.aws import fargate
from tests.settings import settings

if TYPE_CHECKING:
    from components.topology import Topology

ROOT = Path(__file__).parents[2]
DIGEST = "4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/ours/1"
OPTIONS: dict[str, Any] = {"image": f"ghcr.io/dao/api:1.2@sha256:{DIGEST}", "port": 8080}


def stack(mode: str = "active-standby", **options: Any) -> dict[str, Any]:
    made = settings(mode)
    del made["stores"]
    made["workloads"] = {
        "api": {
            "kind": "service",
            "mode": mode,
            "host": "api.dao.example",
            "placement": {"centralized": "aws", "decentralized": ["akash"]},
            "options": {**OPTIONS, **options},
        }
    }
    return made


def planned(mode: str = "active-standby", **options: Any):
    return topology(stack(mode, **options), builtin(), None)


def faults(mode: str = "active-standby", **options: Any) -> dict[str, str]:
    with pytest.raises((ConfigError, PlanError)) as caught:
        planned(mode, **options)
    return {each.path.removeprefix("workloads.api."): each.message for each in caught.value.faults}


@pytest.mark.parametrize(
    "name",
    [
        "api",
        "ghcr.io/dao-example/api:v1.0-RC1",
        "localhost:5000/a/b_c:_x",
        "registry-1.example/a__b/c.d",
        "a---b:1",
    ],
)
def test_an_image_has_any_name_and_tag_of_a_registry(name: str) -> None:
    assert planned(image=f"{name}@sha256:{DIGEST}").workloads


@pytest.mark.parametrize("secrets", ["hunter2", ["hunter2"], {"PIN": "hunter2"}, {"PIN": ["hunter2"]}])
def test_no_fault_repeats_what_stands_in_place_of_secrets(secrets: Any) -> None:
    messages = faults(secrets=secrets).values()
    assert messages
    assert not any("hunter2" in each for each in messages)


#: What is wrong, at which path, and a part of the sentence.
REFUSED = {
    "image by tag": ({"image": "ghcr.io/dao/api:1.2"}, "options.image", "NAME:TAG@sha256:DIGEST"),
    "placeholder": (
        {"image": "ghcr.io/dao/api@sha256:" + "0" * 64},
        "options.image",
        "the digest of ghcr.io/dao/api is a placeholder",
    ),
    **{
        f"image named {name}": ({"image": f"{name}@sha256:{DIGEST}"}, "options.image", "no registry has an image")
        for name in (
            "a//b:::",
            "a/",
            "a:",
            "a:tag:tag",
            "ghcr.io/DAO/api",
            "a:.1",
            "a:" + "1" * 129,
            "a_.b",
            "h:/b",
            "",
        )
    },
    "port": ({"port": 70_000}, "options.port", "65535"),
    "command": ({"command": "sh -c x"}, "options.command", "must be a list"),
    "zero byte": ({"args": ["a\0b"]}, "options.args[0]", "a zero byte"),
    "secret in args": ({"args": ["--key=AKIAABCDEFGHIJKLMNOP"]}, "options.args[0]", "looks like a secret"),
    "secret by name": ({"env": {"BOT_TOKEN": "x"}}, "options.env.BOT_TOKEN", "looks like a secret by its name"),
    "secret by form": ({"env": {"DB": "postgres://u:hunter22@h/x"}}, "options.env.DB", "looks like a secret"),
    "variable": ({"env": {"A B": "x"}}, "options.env.A B", "letters, digits and underscores"),
    "variable of the machine": ({"env": {"AKASH_X": "x"}}, "options.env.AKASH_X", "is set by the machine"),
    "long variable": ({"env": {"A": "x" * 40_000}}, "options.env.A", "20,480 bytes"),
    "long word": ({"command": ["x" * 140_000]}, "options.command[0]", "20,480 bytes"),
    "many variables": (
        {"env": {f"A{number}": "é" * 500 for number in range(20)}},
        "options.env",
        "20,480 are allowed; put some of it into the image",
    ),
    "many words": ({"args": ["x" * 5_000] * 5}, "options.args", "to 25,016 bytes as JSON"),
    "words and variables": (
        {"command": ["x" * 9_000], "args": ["x" * 9_000], "env": {"A": "x" * 9_000}},
        "options.env",
        "to 27,0",
    ),
    "list of secrets": ({"secrets": ["DB_PASSWORD"]}, "options.secrets", "must be a mapping"),
    "name of a secret": ({"secrets": {"db": "DB"}}, "options.secrets.db", "capital letters"),
    "secret of the machine": ({"secrets": {"ECS_X": "X"}}, "options.secrets.ECS_X", "is set by the machine"),
    "value of a secret": ({"secrets": {"DB": "hunter22!"}}, "options.secrets.DB", "never stands here"),
    "secret in env too": ({"env": {"DB": "x"}, "secrets": {"DB": "X"}}, "options.secrets", "DB stands in `env` too"),
    "cpu": ({"cpu": 5}, "options.cpu", "10 or more"),
    "cpu of Fargate": ({"cpu": 300}, "options.cpu", "choose 250 or 500"),
    "memory of Fargate": ({"memory": 700}, "options.memory", "choose 512 or 1024"),
    "replicas": ({"replicas": 11}, "options.replicas", "10 or less"),
    "volume with replicas": (
        {"replicas": 2, "volume": {"path": "/data", "gib": 1, "persistent": True}},
        "options.volume",
        "replicas share no volume",
    ),
    "volume's place": ({"volume": {"path": "/proc/x", "gib": 1}}, "options.volume.path", "choose another"),
    "volume's path": ({"volume": {"path": "/a/../b", "gib": 1}}, "options.volume.path", "write it like /var/cache"),
    "volume's size": ({"volume": {"path": "/a", "gib": 500}}, "options.volume.gib", "choose 199 or less"),
    "health path": ({"health": {"path": "health"}}, "options.health.path", "write it like /health"),
    "health path of ours": ({"health": {"path": "/healthz"}}, "options.health.path", "choose another path"),
    "grace": ({"health": {"grace_s": 5}}, "options.health.grace_s", "10 or more"),
    "singleton beside": ({"singleton": True}, "options.update", "choose in-place"),
    "singleton with replicas": (
        {"singleton": True, "replicas": 2, "update": "in-place"},
        "options.replicas",
        "runs once",
    ),
    "signs with standby": ({"signs": True, "update": "in-place"}, "mode", "punished by the network"),
    "private address": ({"env": {"DB": "postgres://10.0.3.4/x"}}, "options.env.DB", "a private network"),
    "private name": ({"args": ["--db=db.prod.internal"]}, "options.args[0]", "a private network"),
    "private name with a dot at its end": ({"env": {"A": "http://db.svc.:80"}}, "options.env.A", "a private network"),
    "private address of an option": ({"args": ["-h10.0.3.4"]}, "options.args[0]", "a private network"),
    "private range": ({"env": {"A": "10.0.0.1-10.0.0.9"}}, "options.env.A", "a private network"),
    "metadata": ({"env": {"URL": "http://169.254.169.254/"}}, "options.env.URL", "a private network"),
    "role": ({"env": {"AWS_ROLE_ARN": "arn:aws:iam::1:role/x"}}, "options.env.AWS_ROLE_ARN", "from a role"),
    "private registry": (
        {"image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/x@sha256:{DIGEST}"},
        "options.image",
        "a private registry",
    ),
    "one subnet": ({"aws": {"vpc": "vpc-1", "subnets": ["subnet-1"]}}, "options.aws.subnets", "two or more"),
    "small with a load balancer": (
        {"aws": {"size": "small", "balancer": BALANCER}},
        "options.aws.balancer",
        "small services share a load balancer in the default VPC",
    ),
    "small in a VPC": (
        {"aws": {"size": "small", "vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"]}},
        "options.aws.vpc",
        "or `size: small`",
    ),
    "small with subnets": (
        {"aws": {"size": "small", "subnets": ["subnet-1", "subnet-2"]}},
        "options.aws.subnets",
        "or `size: small`",
    ),
    "subnets with a load balancer": (
        {"aws": {"balancer": BALANCER, "subnets": ["subnet-1", "subnet-2"]}},
        "options.aws.subnets",
        "take `vpc` and `subnets` out",
    ),
    "subnets without a VPC": ({"aws": {"subnets": ["subnet-1", "subnet-2"]}}, "options.aws.subnets", "go together"),
    "a subnet twice": (
        {"aws": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2", "subnet-2"]}},
        "options.aws.subnets",
        "subnet-2 stands twice in `subnets` and `private_subnets`; name each once",
    ),
    "one subnet twice": (
        {"aws": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-1"]}},
        "options.aws.subnets",
        "subnet-1 stands",
    ),
    "a private subnet twice": (
        {"aws": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3", "subnet-3"]}},
        "options.aws.private_subnets",
        "subnet-3 stands",
    ),
    "a subnet public and private": (
        {"aws": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-1"]}},
        "options.aws.private_subnets",
        "subnet-1 stands",
    ),
    "size": ({"aws": {"size": "tiny"}}, "options.aws.size", "choose own or small"),
    "VPC with a load balancer": (
        {"aws": {"balancer": BALANCER, "vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"]}},
        "options.aws.vpc",
        "take `vpc` and `subnets` out",
    ),
    "VPC alone": ({"aws": {"vpc": "vpc-1"}}, "options.aws.subnets", "go together"),
    "private subnets alone": ({"aws": {"private_subnets": ["subnet-1"]}}, "options.aws.private_subnets", "public"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_by_its_path_with_what_to_choose(case):
    options, path, words = REFUSED[case]
    found = faults(**options)
    assert words in found[path]
    assert "hunter22" not in str(found)
    assert "AKIA" not in str(found)


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
@pytest.mark.parametrize(
    ("option", "why"), [("singleton", "would run at the same time"), ("signs", "punished by the network")]
)
def test_a_second_decentralized_target_of_what_runs_once_is_refused_in_every_mode(mode, option, why):
    made = stack(mode, update="in-place", **{option: True})
    made["workloads"]["api"]["placement"]["decentralized"] = ["akash", "akash"]
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), None)
    found = {fault.path.removeprefix("workloads.api."): fault.message for fault in caught.value.faults}
    sentence = found.pop("placement.decentralized[1]")
    assert why in sentence
    assert sentence.endswith("; name one target")
    assert [*found] == (["mode"] if (option, mode) == ("signs", "active-standby") else [])


@pytest.mark.parametrize(
    ("active", "runs", "waits"), [("centralized", "aws", "akash"), ("decentralized", "akash", "aws")]
)
def test_the_standby_of_a_singleton_is_cold(active, runs, waits, tmp_path, monkeypatch):
    """It is planned and priced, and nothing is built for it."""
    made = stack("active-standby", singleton=True, update="in-place")
    made["workloads"]["api"]["active"] = active
    (plan,) = topology(made, builtin(), None).workloads
    assert [site.name for site in plan.sites] == [f"api-{runs}"]
    assert [site.name for site in plan.cold] == [f"api-{waits}"]
    assert [member.site for name in plan.names for member in name.members] == [f"api-{runs}"]
    alone = {"aws": planned("centralized"), "akash": planned("decentralized")}
    (other,) = alone[waits].workloads
    priced = sum(line.usd_month for line in other.bill if line.payee == waits)
    assert plan.cold_usd_month == pytest.approx(priced)
    (tmp_path / "stacks").mkdir()
    file = tmp_path / "stacks" / "Pulumi.prod.yaml"
    file.write_text(yaml.safe_dump({"config": {f"unmoor:{name}": value for name, value in made.items()}}))
    shown = CliRunner().invoke(cli, ["plan", "--stack", str(file)])
    assert shown.exit_code == 0, shown.output
    assert f"api-{waits}" in next(line for line in shown.output.splitlines() if line.startswith("  cold"))
    assert f"until you make api-{waits} active" in shown.output
    assert f"{priced:.2f} for the cold standby" in shown.output


def test_what_a_small_service_does_not_choose_is_named_in_one_run():
    network = {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3"]}
    found = faults(aws={"size": "small", "balancer": BALANCER, **network})
    assert set(found) == {f"options.aws.{name}" for name in ("balancer", *network)}
    assert len({*found.values()}) == 1


def test_all_faults_of_the_options_come_at_once():
    found = faults(image="x", port=0, env={"A B": "1"}, memory=1, volume={"path": "x", "gib": 0}, nope=1)
    assert set(found) == {
        *("options.image", "options.port", "options.env.A B", "options.memory", "options.volume.path"),
        *("options.volume.gib", "options.nope"),
    }


def test_what_runs_nowhere_is_refused_together_with_the_mode():
    found = faults(signs=True, update="in-place", cpu=300, env={"DB": "10.0.3.4"})
    assert set(found) == {"mode", "options.cpu", "options.env.DB"}


def test_what_runs_nowhere_is_refused_together_with_a_host_outside_the_zone():
    made = stack("active-standby", cpu=300, env={"DB": "10.0.3.4"})
    made["workloads"]["api"]["host"] = "api.other.example"
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), None)
    found = [fault.path.removeprefix("workloads.api.") for fault in caught.value.faults]
    assert sorted(found) == ["host", "options.cpu", "options.env.DB"]


def test_stores_that_hold_no_versions_are_no_copies_in_plan_and_runbook(tmp_path):
    made = stack("centralized")
    made["workloads"]["api"]["backup"] = {"stores": ["aws"]}
    config, _ = read(settings() | {"workloads": made["workloads"]})
    of = case("prod", config, "api", builtin(), tmp_path)
    printed = _text(of.plan, of.topology)
    assert ("every version" in printed, "every copy" in printed) == (False, False)
    assert "claim    api: " in printed
    named = {chapter.name for chapter in chapters(of)}
    assert not named & {"refill", "restore-drill", "store-gone-aws"}
    assert not any(".tar" in step.do.command for chapter in chapters(of) for step in chapter.steps)


def test_what_two_targets_refuse_alike_is_one_fault():
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/x@sha256:{DIGEST}"
    with pytest.raises(PlanError) as caught:
        topology(stack("active-standby", image=image), builtin(), None)
    assert [fault.path for fault in caught.value.faults] == ["workloads.api.options.image"]


def test_sizes_of_fargate_are_those_of_its_table():
    """ECS developer guide, "Task size": the table's corners, and what lies between its rows."""
    offered = [(250, 512), (250, 1024), (250, 2048), (500, 4096), (1000, 8192), (4000, 30720), (8000, 61440)]
    assert [fargate.cpu_fault(cpu) + fargate.memory_fault(cpu, memory) for cpu, memory in offered] == [""] * 7
    refused = [(250, 1536), (500, 512), (1000, 9216), (8000, 17408), (16000, 16384)]
    assert all(fargate.memory_fault(cpu, memory) for cpu, memory in refused)


#: Each row of the table of losses, and options at which it counts.
LOST = {
    "probes": {},
    "ports": {},
    "limits": {},
    "outgoing address": {},
    "IPv6": {},
    "header names": {},
    "readers": {},
    "private network": {"env": {"A": "192.168.1.1:5432"}},
    "instance role": {"env": {"AWS_PROFILE": "x"}},
    "volume": {"volume": {"path": "/a", "gib": 1, "persistent": True}},
    "volume of a task": {"volume": {"path": "/a", "gib": 1, "persistent": True}},
    "private image": {"image": f"1.dkr.ecr.us-east-1.amazonaws.com/x@sha256:{DIGEST}"},
    "outgoing address of a task": {},
    "volume at a release": {"volume": {"path": "/a", "gib": 1, "persistent": True}},
    "load balancer": {"aws": {"balancer": BALANCER}},
    "certificates": {},
    "updates": {"update": "in-place"},
    "replicas": {"replicas": 2},
    "secrets on AWS": {"secrets": {"TOKEN": "API_TOKEN"}},
    "secrets on Akash": {"secrets": {"TOKEN": "API_TOKEN"}},
    "secrets without a command": {"secrets": {"TOKEN": "API_TOKEN"}},
    "secrets without a shell": {"secrets": {"TOKEN": "API_TOKEN"}, "shell": False},
    "singleton": {"singleton": True, "update": "in-place"},
    "two at a flip": {"signs": True, "update": "in-place"},
}
#: Options at which a row does not count, for those that do not count always.
KEPT = {
    "private network": {
        "env": {"A": "8.8.8.8", "B": "0.0.0.0:80", "C": "1.10.0.0.1.2", "D": "v10.0.0.1", "E": ".internal"},
        "args": ["release-10.1.2.3", "10.1.2.3-alpine", "api-10.1.2.3.tar.gz"],
        "command": ["https://api.internal.example.com", "https://api.local.net/", "http://x.lan.dao.example"],
    },
    "instance role": {"env": {"AWS_REGION": "us-east-1"}},
    "volume": {"volume": {"path": "/a", "gib": 1}},
    "volume of a task": {},
    "private image": {},
    "outgoing address of a task": {
        "aws": {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3"]}
    },
    "volume at a release": {"update": "in-place", "volume": {"path": "/a", "gib": 1, "persistent": True}},
    "load balancer": {},
    "certificates": {"update": "in-place"},
    "updates": {},
    "replicas": {},
    "secrets on AWS": {},
    "secrets on Akash": {},
    "secrets without a command": {"secrets": {"TOKEN": "API_TOKEN"}, "command": ["api"]},
    "secrets without a shell": {"shell": False},
    "singleton": {"singleton": True, "signs": True, "update": "in-place"},
    "two at a flip": {},
}
ROWS = {row.name: row for row in losses.TABLE}


def test_every_loss_has_a_case():
    assert set(LOST) == set(ROWS)


@pytest.mark.parametrize("name", LOST)
def test_a_loss_is_named_or_refused_where_it_counts(name):
    row, options = ROWS[name], ServiceOptions(**{**OPTIONS, **LOST[name]})
    for target in row.targets:
        said = losses.sentences(options, target)
        refused = [fault.message for fault in losses.faults(options, target)]
        assert (row.sentence in refused, row.sentence in said) == (row.refused, not row.refused)


@pytest.mark.parametrize("mode", ["centralized", "decentralized"])
def test_what_a_lease_refuses_is_refused_in_every_mode_with_what_helps_there(mode):
    found = faults(mode, env={"A": "10.0.0.1"}, secrets={"TOKEN": "API_TOKEN"}, shell=False, command=["api"])
    assert set(found) == {"options.env.A", "options.shell"}
    assert all("leave the workload out of the stack file" in sentence for sentence in found.values())


@pytest.mark.parametrize("name", KEPT)
def test_a_loss_is_not_named_where_it_does_not_count(name):
    assert ROWS[name].at(ServiceOptions(**{**OPTIONS, **KEPT[name]})) == []


def test_plan_and_review_print_what_is_lost(tmp_path):
    folder = tmp_path / "stacks"
    folder.mkdir()
    made = stack("decentralized")
    (folder / "Pulumi.x.yaml").write_text(yaml.safe_dump({"config": {f"unmoor:{k}": v for k, v in made.items()}}))
    printed = CliRunner().invoke(cli, ["plan", "--stack", str(folder / "Pulumi.x.yaml")]).output
    found = review("x", "main", (None, topology(made, builtin(), None)), builtin())
    for sentence in losses.sentences(ServiceOptions(**OPTIONS), "akash"):
        assert f"note     api-akash: {sentence}" in printed
        assert f"api-akash: {sentence}" in found.plain()["losses"]["api"]
        assert sentence.split("`")[0][:60] in markdown([found])


def test_the_release_changes_with_what_the_application_notices_and_with_nothing_else():
    first = planned().workloads[0].release
    assert first.pinned
    for more in ({"env": {"A": "1"}}, {"cpu": 500, "memory": 1024}, {"health": {"path": "/h"}}, {"args": ["x"]}):
        assert planned(**more).workloads[0].release.id != first.id
    for more in ({"budget_usd_month": 30}, {"notice": 24}, {"aws": {"cluster": "arn:aws:ecs:us-east-1:1:cluster/x"}}):
        assert planned(**more).workloads[0].release.id == first.id


def document(**options: Any) -> dict[str, Any]:
    (plan,) = planned(**options).workloads
    site = next(each for each in plan.sites if each.target == "akash")
    return document_for(site, plan.release, "ab" * 32)


def test_the_document_is_valid_and_has_both_services():
    made = document(command=["api"], args=["--x"], env={"A": "1"}, replicas=2)
    assert sdl.check(sdl.Document(made)).errors == ()
    web, app = made["services"]["web"], made["services"]["app"]
    assert app["expose"] == [{"port": 8080, "as": 8080, "proto": "TCP", "to": [{"service": "web"}]}]
    assert (app["image"], app["command"], app["args"], app["env"]) == (OPTIONS["image"], ["api"], ["--x"], ["A=1"])
    assert "UPSTREAM=app:8080" in web["env"]
    assert made["deployment"]["app"]["service"]["count"] == 2
    assert made["deployment"]["web"]["service"]["count"] == 1


def test_dollar_signs_are_written_so_that_kubernetes_leaves_them():
    """Kubernetes makes `$$` one dollar sign and expands `$(NAME)` (third_party/forked/golang/expansion/expand.go)."""
    app = document(args=["$(HOME) $$ $x"], env={"A": "$(B)"})["services"]["app"]
    assert (app["args"], app["env"]) == (["$$(HOME) $$$$ $$x"], ["A=$$(B)"])


def test_a_persistent_volume_is_rented_and_mounted_and_a_scratch_one_is_part_of_the_disk():
    kept = document(update="in-place", volume={"path": "/v", "gib": 3, "persistent": True})
    assert kept["services"]["app"]["params"]["storage"] == {"kept": {"mount": "/v", "readOnly": False}}
    assert [each["size"] for each in kept["profiles"]["compute"]["app"]["resources"]["storage"]] == ["1Gi", "3Gi"]
    scratch = document(volume={"path": "/v", "gib": 3})
    assert "params" not in scratch["services"]["app"]
    assert [each["size"] for each in scratch["profiles"]["compute"]["app"]["resources"]["storage"]] == ["4Gi"]


def test_notice_is_demanded_of_bidders_where_it_is_asked_for_and_nowhere_else():
    static = settings("decentralized")
    for notice in (None, 24):
        wanted = None if notice is None else {"min_window": "24h"}
        assert document(notice=notice).get("reclamation") == wanted
        static["workloads"]["docs"]["options"] = {"version": "ab" * 32, "notice": notice}
        (plan,) = topology(static, builtin(), None).workloads
        assert static_document(plan.primary, plan).get("reclamation") == wanted
    assert faults(notice=0) == {"options.notice": "0 must be 1 or more"}
    assert faults(notice=721) == {"options.notice": "721 must be 720 or less"}


def test_the_ceiling_of_a_lease_is_the_budget():
    assert 19.9 < float(price.ceiling_usd_month(document(budget_usd_month=20))) <= 20


def test_the_bill_on_aws_names_everything_that_is_billed():
    """By the price book: 730 h of a load balancer, 0.25 vCPU and 0.5 GB, three addresses, and 1 GB of logs."""
    lines = {line.source: line.usd_month for line in planned("centralized").workloads[0].bill if line.payee == "aws"}
    assert lines["aws/alb_hour"] == pytest.approx(0.0225 * 730)
    assert lines["aws/fargate_hour/x86_vcpu, aws/fargate_hour/x86_gb"] == pytest.approx(
        730 * (0.25 * 0.04048 + 0.5 * 0.004445)
    )
    assert lines["aws/public_ipv4_hour"] == pytest.approx(3 * 730 * 0.005)
    assert lines["aws/cloudwatch_logs_gb"] == pytest.approx(0.5)


def test_private_tasks_have_no_address_and_replicas_have_one_each():
    def addresses(**options: Any) -> str:
        return next(line.what for line in planned("centralized", **options).workloads[0].bill if "IPv4" in line.what)

    assert addresses(replicas=3) == "public IPv4 addresses, 5"
    network = {"vpc": "vpc-1", "subnets": ["subnet-1", "subnet-2"], "private_subnets": ["subnet-3"]}
    assert addresses(replicas=3, aws=network) == "public IPv4 addresses, 2"


def smalls(*modes: str) -> Topology:
    """Plan a stack of small services, one for each mode."""
    made = stack(modes[0], aws={"size": "small"})
    first = made["workloads"]["api"]
    made["workloads"] = {
        f"api{number}": {**first, "mode": mode, "host": f"api{number}.dao.example"} for number, mode in enumerate(modes)
    }
    return topology(made, builtin(), None)


def test_the_load_balancer_of_small_services_is_billed_once_and_by_itself():
    (alone,) = planned("centralized").workloads
    *services, balancer = smalls("centralized", "active-standby", "decentralized").workloads
    shown = [(line.what, round(line.usd_month, 2)) for line in balancer.bill]
    assert shown == [("load balancer of the small services", 16.43), ("public IPv4 addresses, 2", 7.30)]
    assert [line.what for plan in services for line in plan.bill if "load balancer" in line.what] == []
    assert alone.usd_month - services[0].usd_month == pytest.approx(balancer.usd_month)
    assert (balancer.name, balancer.host, balancer.mode) == ("balancer", None, "centralized")
    assert [site.site_host for site in balancer.everywhere] == ["balancer-aws.dao.example"]


def test_no_load_balancer_is_planned_where_no_small_service_stands_on_aws():
    assert "balancer" not in [plan.name for plan in smalls("decentralized", "decentralized").workloads]
    assert "balancer" not in [plan.name for plan in planned("active-standby").workloads]


def test_a_review_shows_the_load_balancer_that_becomes_shared():
    before, after = planned("centralized"), planned("centralized", aws={"size": "small"})
    shown = markdown([review("prod", "main", (before, after), builtin())])
    assert "balancer" in shown
    assert "load balancer of the small services (new)" in shown


def test_a_workload_must_not_have_the_name_of_the_load_balancer():
    made = stack("centralized", aws={"size": "small"})
    made["workloads"]["balancer"] = {**made["workloads"]["api"], "host": "b.dao.example"}
    with pytest.raises(PlanError, match=r"workloads\.balancer: is what the balancer is called that workloads of this"):
        topology(made, builtin(), None)
    made["workloads"]["balancer"]["kind"] = "balancer"
    with pytest.raises(PlanError, match="no kind 'balancer'"):
        topology(made, builtin(), None)


def test_a_host_that_is_the_name_of_the_load_balancer_is_refused_where_the_file_has_it():
    made = stack("centralized", aws={"size": "small"})
    made["workloads"]["api"]["host"] = "balancer-aws.dao.example"
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), None)
    why = "balancer-aws.dao.example is the site host of balancer-aws already; choose another host or another workload"
    assert [str(fault) for fault in caught.value.faults] == [f"workloads.api.host: {why} name"]


def test_no_more_services_are_small_than_a_load_balancer_has_room_for():
    assert smalls(*["centralized"] * 25)
    with pytest.raises(PlanError, match=r"workloads\.api25\.options: 26 sites share one balancer, and it has room for"):
        smalls(*["centralized"] * 26)


def test_the_policy_lets_a_stack_of_small_services_make_its_load_balancer():
    made = {grant.name for grant in run.grants(smalls("centralized"), builtin())}
    assert {"ReadServices", "WriteServices", "MakeRolesOfServices"} <= made


def test_two_stacks_of_small_services_need_a_label():
    one = {"zone": "dao.example", "workloads": stack("centralized", aws={"size": "small"})["workloads"]}
    other = copy.deepcopy(one)
    other["workloads"]["web"] = {**other["workloads"].pop("api"), "host": "web.dao.example"}
    theirs, _ = read(other)
    with pytest.raises(PlanError, match=r"balancer-aws\.dao\.example is used by stack staging too"):
        topology(one, builtin(), None, neighbouring={"staging": theirs})
    labelled, _ = read({**other, "label": "staging"})
    assert topology(one, builtin(), None, neighbouring={"staging": labelled}).workloads


def test_a_shared_load_balancer_is_in_no_line_of_the_bill():
    (alone,), (shared,) = (planned("centralized", aws=aws).workloads for aws in ({}, {"balancer": BALANCER}))
    kept = {line.what for line in shared.bill if line.payee == "aws"}
    gone = {line.what for line in alone.bill if line.payee == "aws"} - kept
    assert gone == {"load balancer", "public IPv4 addresses, 3"}
    assert "public IPv4 addresses, 1" in kept


def test_the_probe_goes_on_for_as_long_as_a_release_may_take():
    made = planned(health={"grace_s": 700})
    probe = next(action for action in made.actions if action.name == "api-aws-probe")
    assert json.loads(json.dumps(probe.does.given["timeout_s"])) == 700


#: Each example: its file, its workload, its image, and the sites that stand.
EXAMPLES = [
    ("service", "api", "ghcr.io/dao-example/api:1.0", ["api-aws", "api-akash"]),
    ("explorer", "explorer", "ghcr.io/dao-example/explorer-frontend:2.3", ["explorer-aws", "explorer-akash"]),
    ("bot", "bot", "ghcr.io/dao-example/bot:1.0", ["bot-aws"]),
    ("secrets", "api", "ghcr.io/dao-example/api:1.0", ["api-aws", "api-akash"]),
]


@pytest.mark.parametrize(("example", "workload", "image", "sites"), EXAMPLES)
def test_an_example_is_whole_but_for_the_image_that_only_its_owner_can_choose(example, workload, image, sites):
    jsonschema = pytest.importorskip("jsonschema")
    file = ROOT / "stacks" / f"{example}.example.yaml"
    jsonschema.validate(yaml.safe_load(file.read_text()), schema())
    with pytest.raises((ConfigError, PlanError)) as caught:
        from_file(file, builtin())
    (fault,) = caught.value.faults
    assert fault.path == f"workloads.{workload}.options.image"
    assert f"the digest of {image} is a placeholder" in fault.message
    made = yaml.safe_load(file.read_text().replace("0" * 64, DIGEST))["config"]
    plan = topology(
        {key.removeprefix("unmoor:"): value for key, value in made.items() if "unmoor" in key}, builtin(), None
    )
    assert [site.name for site in plan.workloads[0].sites] == sites


@pytest.mark.parametrize(("place", "example"), [*enumerate(EXAMPLES)])
def test_the_manual_shows_the_options_of_each_example(place, example):
    shown = (ROOT / "docs" / "services.md").read_text().split("```yaml\n")[1 + place].partition("```")[0]
    file, workload = ROOT / "stacks" / f"{example[0]}.example.yaml", example[1]
    given = yaml.safe_load(file.read_text())["config"]["unmoor:workloads"][workload]
    assert yaml.safe_load(shown)["workloads"][workload]["options"] == given["options"]


def test_the_rights_of_a_service_at_aws_are_looked_at_and_no_distribution_is_asked_for() -> None:
    """A load balancer meets no alias of CloudFront."""
    asked = {check.name for check in run.checks(planned("centralized"), builtin(), "unmoor/prod")}
    assert {"AWS identity", "AWS profile", "rights of sites at AWS"} <= asked
    assert not [name for name in asked if "CloudFront" in name]


def rights(**options: Any) -> dict[str, tuple[str, ...]]:
    """Return the resources of each action that the stack's policy names."""
    made = run.grants(planned("centralized", **options), builtin())
    return {action: grant.resources for grant in made for action in grant.actions}


def test_the_policy_names_what_a_service_makes_and_lets_no_value_of_a_secret_be_read() -> None:
    plain, kept = rights(), rights(secrets={"DB": "API_DB"}, command=["api"])
    assert plain["iam:PassRole"] == ("arn:aws:iam::*:role/api-aws-starts-*",)
    assert "arn:aws:ecs:*:*:service/api-aws*" in plain["ecs:CreateService"]
    assert not [action for action in plain if action.startswith("secretsmanager:")]
    assert kept["secretsmanager:PutSecretValue"] == ("arn:aws:secretsmanager:*:*:secret:api-aws-*",)
    assert "secretsmanager:GetSecretValue" not in kept


def test_a_cluster_that_there_is_already_may_get_this_service_alone() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/ours"
    found = rights(aws={"cluster": arn})["ecs:CreateService"]
    assert {arn, "arn:aws:ecs:us-east-1:123456789012:service/ours/api-aws-*"} <= set(found)
