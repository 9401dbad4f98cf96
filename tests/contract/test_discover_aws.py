"""Discovery of an AWS account, against moto.

moto knows no Cost Explorer of its own (its answers are put there by the test), no load balancer serves anything,
and nothing here proves how a real account throttles.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto.server import ThreadedMotoServer

from components.assess import reading
from components.assess.discover import aws, looks, merge, seen
from components.assess.discover.account import Account
from components.errors import ConfigError

from . import filled_account

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
ON = date(2026, 11, 22)
MANY = 100
#: moto's own clocks and its server's sockets, none of them ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Yield an account with a few dozen resources, and a bill by tag."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    filled_account.fill(address, MANY)
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def environment(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def look(tag: str = "workload") -> tuple[seen.Findings, list[str]]:
    told: list[str] = []
    return aws.discover(Account("us-east-1", tag), ON, told.append), told


def test_every_resource_is_seen_and_reported(endpoint: str):
    filled_account.bill(endpoint, {"workload$forum": "101.5", "workload$": "20.1"})
    findings, told = look()
    assert len(findings.seen) == MANY
    assert findings.unseen == []
    assert {line.split(":")[0] for line in told} == {one.title for one in (aws.TAGS, *aws.LOOKS)} | {
        "costs of the last month"
    }
    drafts = seen.drafts(findings, "workload", "2026-10")
    assert list(drafts) == ["bots-faucet", "docs", "explorer-api", "forum", "aws-untagged"]
    assert drafts["forum"]["hosts"] == ["talk.dao.example"]
    assert drafts["docs"]["hosts"] == ["docs.dao.example"]
    assert drafts["docs"]["parties"] == {"dns": "route53", "edge": "cloudfront", "compute": "aws"}
    assert drafts["forum"]["state"] == "database"
    assert drafts["forum"]["data"] == {"gb": 20}
    assert drafts["forum"]["cost"] == {
        "measured": {"usd_month": 101.5, "source": "Cost Explorer, tag workload, 2026-10"}
    }
    kinds = [part["what"] for one in drafts.values() for part in one["parts"]]
    assert kinds.count("zone") == 1
    sizes = drafts["forum"]["size"]
    assert (sizes["cpu"], sizes["memory_gib"], sizes["disk_gib"]) == (5 * 2 + 2 + 0.25, 5 * 4 + 2 + 0.5, 5 * 8 + 20)


def test_without_a_tag_the_bill_is_shown_by_service(endpoint: str):
    filled_account.bill(endpoint, {"nothing$": "5.0"})
    filled_account.bill(endpoint, {"Amazon EC2": "70.0", "Amazon S3": "3.5"})
    findings, _ = look("nothing")
    assert findings.usd_by_service == {"Amazon EC2": 70.0, "Amazon S3": 3.5}
    drafts = seen.drafts(findings, "nothing", "2026-10")
    assert list(drafts) == ["aws-untagged"]
    assert drafts["aws-untagged"]["cost"]["measured"] == {
        "usd_month": 73.5,
        "source": "Cost Explorer, all services, 2026-10",
    }


def test_the_draft_is_a_valid_inventory(tmp_path: Path):
    findings, _ = look()
    document = merge.load(tmp_path / "inventory.yaml", ON)
    merge.merge(document, seen.drafts(findings, "workload", "2026-10"), "unmoor discover aws", ON)
    merge.save(document, tmp_path / "inventory.yaml")
    read = reading.load(tmp_path / "inventory.yaml", ON)
    assert "forum" in read.workloads
    assert "drafted by unmoor discover aws on 2026-11-22" in (tmp_path / "inventory.yaml").read_text()


def test_a_permission_that_is_denied_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch):
    def denied(*_: object) -> int:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeDBInstances")

    def gone(*_: object) -> int:
        raise EndpointConnectionError(endpoint_url="https://cloudfront.amazonaws.com")

    changed = [
        aws.Look(
            one.title,
            one.permission,
            {"RDS databases": denied, "CloudFront distributions": gone}.get(one.title, one.look),
        )
        for one in aws.LOOKS
    ]
    monkeypatch.setattr(aws, "LOOKS", tuple(changed))
    findings, told = look()
    assert findings.unseen == [
        "RDS databases: AccessDenied; it needs rds:DescribeDBInstances",
        'CloudFront distributions: Could not connect to the endpoint URL: "https://cloudfront.amazonaws.com"',
    ]
    assert "RDS databases: could not be seen" in told
    assert any(one.kind == "ec2" for one in findings.seen)


def test_no_credentials_are_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def none(*_: object) -> int:
        raise NoCredentialsError

    monkeypatch.setattr(aws, "TAGS", aws.Look("tags", "tag:GetResources", none))
    with pytest.raises(ConfigError, match="no AWS credentials; set AWS_PROFILE"):
        look()


def test_no_region_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="no AWS region"):
        Account(None, "workload")


def test_an_empty_account_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Account, "pages", lambda *_, **__: iter(()))
    assert looks.ec2(Account("us-east-1", "workload"), seen.Findings()) == 0


def test_the_size_of_a_bucket_is_what_was_counted(endpoint: str):
    watch = boto3.client("cloudwatch", region_name="us-east-1")
    watch.put_metric_data(
        Namespace="AWS/S3",
        MetricData=[{
            "MetricName": "BucketSizeBytes", "Value": 5e9,
            "Dimensions": [
                {"Name": "BucketName", "Value": "dao-0"}, {"Name": "StorageType", "Value": "StandardStorage"},
            ],
        }],
    )  # fmt: skip
    account, findings = Account("us-east-1", "workload"), seen.Findings()
    looks.s3(account, findings)
    assert next(one.part["gb"] for one in findings.seen if one.id == "dao-0") == 5.0


@pytest.mark.parametrize(
    ("text", "name"),
    [("Bots & Faucet", "bots-faucet"), ("2048", "w-2048"), ("--", "aws-untagged"), ("x" * 60, "x" * 40), ("Ünï", "n")],
)
def test_any_tag_becomes_a_name(text: str, name: str):
    assert seen.workload_name(text) == name


@pytest.mark.parametrize(
    ("name", "work"),
    [("dao-docs", "docs"), ("discourse", "forum"), ("tg-bot", "bot"), ("thing", "other"), ("status", "status")],
)
def test_a_name_suggests_the_work(name: str, work: str):
    assert seen.guess_work(name) == work


def test_the_last_whole_month_ends_where_this_one_begins():
    assert looks.last_month(date(2026, 1, 15)) == (date(2025, 12, 1), date(2026, 1, 1))


def test_the_command_shows_what_it_saw_added_and_could_not_see(tmp_path: Path):
    environment = {**os.environ, "AWS_REGION": "us-east-1"}
    command = [
        sys.executable,
        "-m",
        "components",
        "discover",
        "aws",
        "-i",
        str(tmp_path / "i.yaml"),
        "--date",
        "2026-11-22",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "+ workloads.forum: Forum (1 alb, 5 ec2, 1 elasticache, 1 rds)" in done.stdout
    assert f"{MANY} resources, 1 zones, 2 names" in done.stdout
    assert "EC2 machines: 60" in done.stderr
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert "nothing to add" in again.stderr
