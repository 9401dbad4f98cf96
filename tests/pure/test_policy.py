"""`unmoor policy`: the rights of each role are those of the plan and no more, and GitHub's jobs get them by subject."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from botocore.session import Session
from click.testing import CliRunner

from components.__main__ import cli
from components.begin import files
from components.doctor import rights, run, stores
from components.errors import ConfigError
from components.plan.stack import topology
from components.project import builtin
from sandbox.aws import calls
from sandbox.aws.simulation import decision
from tests.settings import settings, site_folder

#: Beginnings of the names of operations that change something.
CHANGES = ("Abort", "Add", "Change", "Create", "Delete", "Publish", "Put", "Request", "Tag", "Untag", "Update")
#: What a managed policy may have, white space not counted (IAM user guide, "IAM and AWS STS quotas").
MOST_CHARACTERS = 6144
RECORDS = "route53:ChangeResourceRecordSets"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: dao\n")
    site_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)

    def write(**changed) -> None:
        config = {f"unmoor:{key}": value for key, value in (settings("active-standby") | changed).items()}
        (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))

    write()
    return write


def printed(*words: str):
    done = CliRunner().invoke(cli, ["policy", *words, "--stack", "prod"], standalone_mode=False)
    assert done.exception is None, done.exception
    return json.loads(done.output)


def refused(*words: str) -> str:
    done = CliRunner().invoke(cli, ["policy", *words, "--stack", "prod"], standalone_mode=False)
    assert isinstance(done.exception, ConfigError), done.output
    return str(done.exception)


def actions(policy) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_a_preview_may_change_nothing(project) -> None:
    found = [action for action in actions(printed("preview")) if action.partition(":")[2].startswith(CHANGES)]
    assert found == []
    assert actions(printed("preview")) < actions(printed("operator"))


def test_every_action_exists(project) -> None:
    names = {"s3": "s3 s3control", "iam": "iam", "acm": "acm", "route53": "route53", "cloudfront": "cloudfront"}
    session = Session()
    known = {f"s3:{name}" for name in calls._S3.values()} | {"s3:GetBucketPublicAccessBlock"}
    for prefix, services in names.items():
        for service in services.split():
            known |= {f"{prefix}:{name}" for name in session.get_service_model(service).operation_names}
    known |= {
        "s3:DeleteObjectVersion",
        "s3:GetAccountPublicAccessBlock",
        "s3:ListMultipartUploadParts",
    }  # actions without an operation of their own
    wanted = {each for each in actions(printed("operator")) if not each.endswith("*")}
    assert wanted - known == set()


def test_records_may_be_changed_under_our_own_names_alone(project) -> None:
    def judged(*names: str) -> str:
        context = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names}
        return decision([printed("operator")], RECORDS, "arn:aws:route53:::hostedzone/Z1", context)

    ours = ("docs.dao.example", "docs-aws.dao.example", "docs-akash.dao.example", "_x1.docs.dao.example")
    assert {judged(each) for each in ours} == {"allowed"}
    assert {judged(each) for each in ("dao.example", "www.dao.example", "xdocs.dao.example")} == {"implicitDeny"}
    assert judged("docs.dao.example", "www.dao.example") == "implicitDeny"


def test_a_zone_by_id_is_the_only_one(project) -> None:
    project(dns={"zone_id": "Z1"})
    context = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["docs.dao.example"]}
    decided = [
        decision([printed("operator")], RECORDS, f"arn:aws:route53:::hostedzone/{zone}", context)
        for zone in ("Z1", "Z2")
    ]
    assert decided == ["allowed", "implicitDeny"]


def test_a_writer_has_the_objects_of_our_workloads_in_stores_at_aws(project) -> None:
    writer = printed("writer")
    assert {action.partition(":")[0] for action in actions(writer)} == {"s3"}
    assert decision([writer], "s3:PutObject", "arn:aws:s3:::dao-aws/docs/x.tar", {}) == "allowed"
    for action, resource in (
        ("s3:PutObject", "arn:aws:s3:::dao-aws/other/x.tar"),
        ("s3:PutObject", "arn:aws:s3:::dao-storj/docs/x.tar"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::dao-aws"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::dao-aws/docs/x.tar"),
    ):
        assert decision([writer], action, resource, {}) == "implicitDeny", action


def test_a_stack_without_a_store_at_aws_has_no_writer(project) -> None:
    workloads = settings()["workloads"]
    workloads["docs"]["backup"]["stores"] = ["storj"]
    project(workloads=workloads)
    assert "no store of the stack is at AWS" in refused("writer")


def test_a_stack_that_never_stands_at_aws_has_no_rights_on_sites_there(project) -> None:
    workloads = settings("decentralized")["workloads"]
    found = topology(settings() | {"workloads": workloads}, builtin(), Path.cwd())
    assert any(grant.name == "WriteCloudFront" for grant in run.grants(found, builtin()))  # its placement has AWS
    assert {grant.name for grant in stores.grants(found)} == {"ListStoreAws", "ReadStoreAws", "WriteStoreAws"}


def test_a_state_in_s3_may_be_kept_by_both_and_another_place_needs_no_right(
    project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://dao-state/unmoor?region=eu-west-1")
    kept = "arn:aws:s3:::dao-state/unmoor/.pulumi/stacks/dao/prod.json"
    for role in ("operator", "preview"):
        assert decision([printed(role)], "s3:PutObject", kept, {}) == "allowed"
        assert decision([printed(role)], "s3:PutObject", "arn:aws:s3:::dao-state/x", {}) == "implicitDeny"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
    assert "dao-state" not in json.dumps(printed("operator"))


def test_a_policy_fits_into_a_managed_one(project) -> None:
    assert len("".join(json.dumps(printed("operator")).split())) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("role", "subjects"),
    [
        ("operator", ["repo:dao/infra:environment:prod"]),
        ("writer", ["repo:dao/infra:environment:prod"]),
        ("preview", ["repo:dao/infra:pull_request", "repo:dao/infra:ref:refs/heads/main"]),
    ],
)
def test_the_trust_is_for_jobs_of_one_repository_by_their_subject(project, role: str, subjects: list[str]) -> None:
    (statement,) = printed(role, "--trust", "dao/infra", "--account", "123456789012")["Statement"]
    condition = statement["Condition"]["StringEquals"]
    assert condition == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": subjects,
    }
    provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    assert statement["Principal"] == {"Federated": provider}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--trust", "infra", "--account", "123456789012"), "is not a repository; write OWNER/NAME"),
        (("--trust", "dao/*", "--account", "123456789012"), "is not a repository"),
        (("--trust", "dao/infra", "--account", "12"), "twelve digits"),
    ],
)
def test_a_trust_that_is_not_one_is_refused(project, words, message: str) -> None:
    assert message in refused("operator", *words)


def test_the_jobs_that_take_a_role_are_those_of_the_workflows() -> None:
    made = files.workflows(files.Facts("dao", "prod", "us-east-1", "", ("STORJ_ACCESS_KEY",)))
    up, preview = (yaml.safe_load(made[f".github/workflows/unmoor-{name}-prod.yml"]) for name in ("up", "preview"))
    (operator,) = rights.SUBJECTS["operator"]
    assert operator.replace("$", up["jobs"]["up"]["environment"]) == "repo:%:environment:prod"
    others = [up["jobs"]["drift"], preview["jobs"]["preview"]]
    assert [job for job in others if "environment" in job] == []
    # `on` is a word for true in YAML 1.1.
    assert [f"repo:%:ref:refs/heads/{each}" for each in up[True]["push"]["branches"]] == [rights.SUBJECTS["preview"][1]]
