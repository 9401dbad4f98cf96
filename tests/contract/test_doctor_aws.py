"""What `unmoor doctor` sees at AWS and in DNS: each look against the sandbox's account, once well and once not."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from components import resolver
from components.dns.route53 import needs as route53
from components.dns.route53.authority import Route53
from components.doctor import run, stores
from components.errors import ConfigError
from components.needs import Grant, State
from components.plan.stack import topology
from components.project import builtin
from components.stores import s3
from components.stores.vendors import VENDORS
from components.targets.aws import STACK, WORKLOAD, shared
from components.targets.aws import account as aws
from components.targets.aws import needs as sites
from sandbox.aws.account import AWS_STORE
from tests.contract.authority import self_signed
from tests.settings import settings, site_folder

from .aws_account import Account

if TYPE_CHECKING:
    from pathlib import Path

HOST = "docs.dao.example"
READABLE = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}


@pytest.fixture(autouse=True)
def shell(signed_in: None, account: Account, monkeypatch: pytest.MonkeyPatch):
    """Set an environment that reaches the account; DNS gives the returned answers, by default those of the zone."""
    public = {("dao.example", "NS"): servers(account)}
    monkeypatch.setattr(resolver, "records", lambda name, kind: public.get((name, kind), []))
    return public


@pytest.fixture
def plan(tmp_path):
    """Plan the docs workload with other settings of the stack."""
    site_folder(tmp_path)

    def make(mode: str = "centralized", **changed):
        return topology(settings(mode) | changed, builtin(), tmp_path)

    return make


@pytest.fixture
def record(account: Account):
    """Write record sets, and remove them after the test."""
    client, written = account.client("route53"), {}

    def change(action: str, **one) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": one}]}
        client.change_resource_record_sets(HostedZoneId=zone_id(account), ChangeBatch=batch)

    def write(name: str, kind: str, *values: str, **more) -> None:
        one = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values], **more}
        change("UPSERT", **one)
        written[name, kind] = one

    yield write
    for one in written.values():
        change("DELETE", **one)


def zone_id(account: Account, name: str = "dao.example") -> str:
    zones = account.client("route53").list_hosted_zones()["HostedZones"]
    return next(zone["Id"].rpartition("/")[2] for zone in zones if zone["Name"] == f"{name}.")


def servers(account: Account) -> list[str]:
    return account.client("route53").get_hosted_zone(Id=zone_id(account))["DelegationSet"]["NameServers"]


def shown(stack, name: str):
    """Return what one check of a stack shows."""
    (check,) = [each for each in run.needs(stack, builtin())[0].checks if each.name == name]
    (looked,) = run.look([check])
    return looked


def mended(finding, program: str) -> dict:
    """Take a command that mends as a person would: its words, and the JSON in the last."""
    words = shlex.split(finding.mend[finding.mend.index(program) :])
    return json.loads(words[-1])


# A load balancer that services share

CLOSED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def empty_balancer(account: Account) -> str:
    """Make a load balancer without listeners; return its ARN."""
    nets = [one["SubnetId"] for one in account.client("ec2").describe_subnets()["Subnets"]][:2]
    (made,) = account.client("elbv2").create_load_balancer(Name="shared", Subnets=nets)["LoadBalancers"]
    return str(made["LoadBalancerArn"])


def test_an_update_names_a_rule_of_another_stack_by_path_before_it_builds(account, plan, monkeypatch) -> None:
    monkeypatch.setattr(run, "LOOKS", 1)
    elb, arn = account.client("elbv2"), empty_balancer(account)
    service = {"image": f"ghcr.io/dao/api@sha256:{'4c' * 32}", "port": 8080, "aws": {"balancer": arn}}
    workload = {"kind": "service", "mode": "centralized", "host": "api.dao.example", "options": service}
    stack = plan(workloads={"api": workload})
    try:
        given = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80}
        (plain,) = elb.create_listener(DefaultActions=CLOSED, **given)["Listeners"]
        theirs = {"Name": "api-aws", STACK: "unmoor/staging", WORKLOAD: "api"}
        elb.create_rule(
            ListenerArn=plain["ListenerArn"],
            Priority=7,
            Actions=CLOSED,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.dao.example"]}}],
            Tags=[{"Key": key, "Value": value} for key, value in theirs.items()],
        )
        with pytest.raises(ConfigError) as caught:
            run.demand(stack, builtin(), "unmoor/prod")
    finally:
        elb.delete_load_balancer(LoadBalancerArn=arn)
    found = [each.message for each in caught.value.faults if each.path == "workloads.api.options.aws.balancer"]
    assert [message for message in found if "leads api.dao.example elsewhere; remove it (aws elbv2" in message]


def test_a_shared_load_balancer_needs_both_listeners_and_no_older_rule_for_our_host(account: Account, tmp_path) -> None:
    elb, arn, hosts = account.client("elbv2"), empty_balancer(account), ("api.dao.example", "api-aws.dao.example")

    def look() -> list[tuple[State, str]]:
        return [(one.state, one.sentence) for one in shared.look(arn, "api-aws", "unmoor/prod", hosts)]

    try:
        assert [state for state, _ in look()] == [State.NOT_READY] * 2
        (plain,) = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=CLOSED)[
            "Listeners"
        ]
        ((state, sentence),) = look()
        assert (state, "HTTPS on port 443" in sentence) == (State.NOT_READY, True)
        (wrong,) = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=443, DefaultActions=CLOSED)[
            "Listeners"
        ]
        ((state, sentence),) = look()
        assert (state, "HTTPS on port 443" in sentence) == (State.NOT_READY, True)
        elb.delete_listener(ListenerArn=wrong["ListenerArn"])
        pem, key = self_signed("dao.example", tmp_path / "ours", days=30)
        given = {"Certificate": pem.read_bytes(), "PrivateKey": key.read_bytes()}
        certificate = account.client("acm").import_certificate(**given)["CertificateArn"]
        more = {"Certificates": [{"CertificateArn": certificate}], "Protocol": "HTTPS", "Port": 443}
        elb.create_listener(LoadBalancerArn=arn, DefaultActions=CLOSED, **more)
        assert [state for state, _ in look()] == [State.READY]
        given = {"ListenerArn": plain["ListenerArn"], "Priority": 1, "Actions": CLOSED}
        every = [{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.*.example"]}}]
        (rule,) = elb.create_rule(Conditions=every, **given)["Rules"]
        ((state, sentence),) = look()
        assert (state, "leads api.dao.example elsewhere" in sentence) == (State.NOT_READY, True)
        for stack, state in (("unmoor/staging", State.NOT_READY), ("unmoor/prod", State.READY)):
            ours = {"Name": "api-aws", STACK: stack}
            elb.add_tags(
                ResourceArns=[rule["RuleArn"]], Tags=[{"Key": key, "Value": value} for key, value in ours.items()]
            )
            assert [each for each, _ in look()] == [state], stack
    finally:
        elb.delete_load_balancer(LoadBalancerArn=arn)
    assert [(state, "there is no load balancer" in sentence) for state, sentence in look()] == [(State.NOT_READY, True)]


# The zone


def test_a_zone_of_the_account_is_offered_and_ready(plan) -> None:
    assert "dao.example" in Route53().zones()
    assert shown(plan(), "zone").state is State.READY


def test_a_zone_that_the_account_lacks_is_not_ready(plan) -> None:
    workloads = settings()["workloads"]
    workloads["docs"]["host"] = "docs.elsewhere.example"
    stack = plan(zone="elsewhere.example", workloads=workloads)
    looked = shown(stack, "zone")
    assert looked.state is State.NOT_READY
    assert "create-hosted-zone --name elsewhere.example" in looked.findings[0].mend
    assert shown(stack, "delegation").state is State.UNSEEN


def test_two_zones_of_one_name_want_an_id(account: Account, plan) -> None:
    client = account.client("route53")
    made = [
        client.create_hosted_zone(Name="two.example", CallerReference=each)["HostedZone"]["Id"].rpartition("/")[2]
        for each in "ab"
    ]
    workloads = settings()["workloads"]
    workloads["docs"]["host"] = "docs.two.example"
    looked = shown(plan(zone="two.example", workloads=workloads), "zone")
    assert looked.state is State.NOT_READY
    assert all(each in looked.findings[0].sentence for each in made)
    chosen = plan(zone="two.example", workloads=workloads, dns={"zone_id": made[0]})
    assert shown(chosen, "zone").state is State.READY


def test_a_zone_that_was_made_since_the_first_look_is_ready_at_the_second(account: Account, plan) -> None:
    workloads = settings()["workloads"]
    workloads["docs"]["host"] = "docs.late.example"
    stack = plan(zone="late.example", workloads=workloads)
    (check,) = [each for each in run.needs(stack, builtin())[0].checks if each.name == "zone"]
    assert run.look([check])[0].state is State.NOT_READY
    account.client("route53").create_hosted_zone(Name="late.example", CallerReference="late")
    assert run.look([check])[0].state is State.READY


def test_a_delegated_zone_is_ready(plan) -> None:
    assert shown(plan(), "delegation").state is State.READY


@pytest.mark.parametrize("public", [[], ["ns1.elsewhere.example"]])
def test_a_zone_that_the_public_does_not_find_here_is_not_ready(account, shell, plan, public) -> None:
    shell["dao.example", "NS"] = public
    looked = shown(plan(), "delegation")
    assert looked.state is State.NOT_READY
    assert all(server in looked.findings[0].mend for server in servers(account))


def test_resolvers_that_remember_too_long_are_a_caution_and_the_command_mends_it(account: Account, plan) -> None:
    looked = shown(plan(), "negative answers")
    assert looked.state is State.CAUTION
    assert "900 s" in looked.findings[0].sentence
    batch = mended(looked.findings[0], "aws route53")
    account.client("route53").change_resource_record_sets(HostedZoneId=zone_id(account), ChangeBatch=batch)
    assert shown(plan(), "negative answers").state is State.READY


# Records at the host


def test_a_free_host_is_ready(plan) -> None:
    assert shown(plan(), f"records of {HOST}").state is State.READY


def test_a_name_that_is_to_redirect_is_looked_at_as_the_host_is(plan, record) -> None:
    workloads = settings(redirect_from=["www.dao.example"])["workloads"]
    assert shown(plan(workloads=workloads), "records of www.dao.example").state is State.READY
    record("www.dao.example", "CNAME", "dao.gitbook.io")
    looked = shown(plan(workloads=workloads), "records of www.dao.example")
    assert looked.state is State.NOT_READY
    assert "www.dao.example has a record CNAME dao.gitbook.io" in looked.findings[0].sentence
    assert looked.findings[0].mend.startswith("unmoor adopt docs, which replaces it in one change; or remove it")
    named = [{"at": "www.dao.example", "type": "CNAME", "ttl": 60, "values": ["dao.gitbook.io"]}]
    workloads["docs"]["adopt"] = named
    assert shown(plan(workloads=workloads), "records of www.dao.example").state is State.READY
    assert shown(plan(workloads=workloads), f"records of {HOST}").state is State.READY


@pytest.mark.parametrize(
    ("kind", "value"),
    [("CNAME", "dao.gitbook.io"), ("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("CAA", '0 issue ";"')],
)
def test_a_record_at_the_host_is_not_ready_and_the_command_removes_it(account, plan, record, kind, value) -> None:
    record(HOST, kind, value)
    looked = shown(plan(), f"records of {HOST}")
    assert looked.state is State.NOT_READY
    assert f"{kind} {value}" in looked.findings[0].sentence
    (change,) = mended(looked.findings[0], "aws route53")["Changes"]
    assert (change["Action"], change["ResourceRecordSet"]["Type"]) == ("DELETE", kind)


def test_a_host_that_two_records_share_is_not_ready_with_what_to_do(account: Account, plan) -> None:
    client, id_ = account.client("route53"), zone_id(account)
    sets = [
        {"Name": HOST, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": f"192.0.2.{weight}"}]}
        | {"SetIdentifier": word, "Weight": weight}
        for word, weight in (("blue", 1), ("green", 2))
    ]
    for action in ("CREATE", "DELETE"):
        changes = [{"Action": action, "ResourceRecordSet": each} for each in sets]
        client.change_resource_record_sets(HostedZoneId=id_, ChangeBatch={"Changes": changes})
        if action == "CREATE":
            looked = shown(plan(), f"records of {HOST}")
    (finding,) = looked.findings
    assert finding.state is State.NOT_READY
    assert f"{HOST} is shared by 2 records with a routing policy" in finding.sentence
    assert "A blue, A green" in finding.sentence
    assert finding.mend == "make them one simple record, and then: unmoor adopt docs"


def test_a_record_that_is_adopted_is_ready_and_another_is_not(plan, record) -> None:
    record(HOST, "CNAME", "dao.gitbook.io")
    workloads = settings()["workloads"]
    for value, state in (("dao.gitbook.io", State.READY), ("other.gitbook.io", State.NOT_READY)):
        workloads["docs"]["adopt"] = [{"type": "CNAME", "ttl": 60, "values": [value]}]
        assert shown(plan(workloads=workloads), f"records of {HOST}").state is state


def test_a_set_of_ours_and_its_caa_are_ready(account: Account, plan, record) -> None:
    check = {"Type": "HTTPS", "FullyQualifiedDomainName": HOST}
    made = account.client("route53").create_health_check(CallerReference="1", HealthCheckConfig=check)["HealthCheck"]
    record(HOST, "A", "192.0.2.1", SetIdentifier="primary", Failover="PRIMARY", HealthCheckId=made["Id"])
    record(HOST, "CAA", '0 issue "letsencrypt.org"')
    assert shown(plan(), f"records of {HOST}").state is State.READY


def test_a_site_host_that_is_taken_is_not_ready(plan, record) -> None:
    record("docs-aws.dao.example", "A", "192.0.2.1")
    assert shown(plan(), f"records of {HOST}").state is State.NOT_READY


def test_a_site_host_that_an_interrupted_update_left_is_ready(plan, record) -> None:
    record("docs-aws.dao.example", "CAA", '0 issue "amazon.com"')
    record("docs-aws.dao.example", "A", "192.0.2.1")
    (check,) = [each for each in run.needs(plan(), builtin())[0].checks if each.name == f"records of {HOST}"]
    expected = route53.expected(plan().workloads[0], plan().zone)["docs-aws.dao.example"]
    assert run.look([check])[0].state is State.NOT_READY
    record("docs-aws.dao.example", "CAA", *expected)
    assert run.look([check])[0].state is State.READY


# CAA above


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([], State.READY),
        (['0 issue "amazon.com"', '0 issue "letsencrypt.org"'], State.READY),
        (['0 iodef "mailto:x@dao.example"'], State.READY),
        (['0 issue "amazontrust.com"', '0 issue "letsencrypt.org"'], State.READY),
        (['0 issue "letsencrypt.org"'], State.NOT_READY),
        (['0 issue ";"'], State.NOT_READY),
    ],
)
def test_caa_above_the_host_must_let_the_issuers_sign(shell, plan, values, state) -> None:
    shell["dao.example", "CAA"] = values
    looked = shown(plan(), f"CAA of {HOST}")
    assert looked.state is state
    if state is State.NOT_READY:
        assert 'add to the CAA records of dao.example: 0 issue "amazon.com"' in looked.findings[0].mend


def test_an_issuer_that_proves_by_http_needs_only_our_own_caa(shell, plan) -> None:
    shell["dao.example", "CAA"] = ['0 issue "amazon.com"']
    assert shown(plan("active-standby"), f"CAA of {HOST}").state is State.CAUTION


# The account


def test_an_identity_that_aws_knows_is_ready_and_no_identity_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.look([sites_check("AWS identity")])[0].state is State.READY
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    s3.session.cache_clear()
    looked = run.look([sites_check("AWS identity")])[0]
    assert (looked.state, "aws sso login" in looked.findings[0].mend) == (State.NOT_READY, True)


def sites_check(name: str):
    stack = topology(settings(), builtin(), None)
    return next(each for each in sites.of(stack).checks if each.name == name)


@pytest.mark.parametrize(
    ("more", "environ", "state"),
    [
        ({}, {}, State.READY),
        ({"aws:profile": "dao"}, {"AWS_PROFILE": "dao"}, State.READY),
        ({"aws:profile": "dao"}, {}, State.NOT_READY),
        ({"aws:assumeRole": '{"roleArn":"x"}'}, {}, State.NOT_READY),
    ],
)
def test_an_identity_that_only_the_plugin_reads_is_not_ready(more, environ, state) -> None:
    (finding,) = aws.profile(more, environ)
    assert finding.state is state


@pytest.fixture
def user(account: Account, monkeypatch: pytest.MonkeyPatch):
    """Sign in as a user with a policy."""
    iam = account.client("iam")

    def sign_in(*statements: dict) -> None:
        iam.put_user_policy(
            UserName="operator",
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )

    iam.create_user(UserName="operator")
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    s3.session.cache_clear()
    yield sign_in
    iam.delete_access_key(UserName="operator", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="operator", PolicyName="p")
    iam.delete_user(UserName="operator")


def test_rights_that_are_missing_are_named(user) -> None:
    wanted = [
        Grant("Read", ("route53:ListHostedZones", "route53:GetChange")),
        Grant("W", ("s3:PutObject",), ("arn:x/*",)),
    ]
    user({"Effect": "Allow", "Action": "route53:*", "Resource": "*"})
    (finding,) = aws.rights(wanted)
    assert finding.state is State.NOT_READY
    assert "may not s3:PutObject" in finding.sentence
    user({"Effect": "Allow", "Action": ["route53:*", "s3:PutObject"], "Resource": "*"})
    assert [each.state for each in aws.rights(wanted)] == [State.READY]


def test_rights_of_an_identity_that_iam_does_not_know_are_not_seen() -> None:
    (finding,) = aws.rights([Grant("Read", ("route53:GetChange",))])
    assert finding.state is State.UNSEEN
    assert "NoSuchEntity" in finding.sentence


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/ci/session", "arn:aws:iam::123456789012:role/ci"),
        ("arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:user/x"),
    ],
)
def test_a_session_of_a_role_is_asked_about_as_the_role(arn: str, principal: str) -> None:
    assert aws.principal_of(arn) == principal


#: A stand-in for the AWS command line, for the printed commands (docs.aws.amazon.com/cli).
AWS_CLI = """#!{python}
import json, os, sys
import boto3, jmespath
service, operation, *rest = sys.argv[1:]
options = dict(zip(rest[::2], rest[1::2], strict=True))
query, output = options.pop("--query", "@"), options.pop("--output", "json")
names = {{"--id": "Id", "--if-match": "IfMatch", "--distribution-config": "DistributionConfig"}}
given = {{names[name]: value for name, value in options.items()}}
for name, value in given.items():
    if value.startswith("file://"):
        given[name] = json.load(open(value.removeprefix("file://")))
found = jmespath.search(query, getattr(boto3.client(service), operation.replace("-", "_"))(**given))
print(found if output == "text" else json.dumps(found, default=str))
"""


def release(mend: str, folder: Path) -> None:
    """Run the printed commands in a shell as an operator would: the first, the edit of the file, the last."""
    (folder / "aws").write_text(AWS_CLI.format(python=sys.executable))
    (folder / "aws").chmod(0o755)
    region = os.environ["AWS_REGION"]  # which the command line reads, and boto3 does not
    variables = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "AWS_DEFAULT_REGION": region}
    first, last = re.findall(r"`(.*?)`", mend)
    assert f"take {HOST} out of Aliases.Items there and 1 from Aliases.Quantity" in mend
    subprocess.run(["sh", "-ec", first], cwd=folder, env=variables, check=True)
    config = json.loads((folder / "config.json").read_text())
    config["Aliases"]["Items"].remove(HOST)
    config["Aliases"]["Quantity"] -= 1
    (folder / "config.json").write_text(json.dumps(config))
    subprocess.run(["sh", "-ec", last], cwd=folder, env=variables, check=True)


def test_an_account_without_distributions_is_a_caution_and_one_with_our_alias_is_not_ready(
    account: Account, plan, tmp_path
) -> None:
    check = next(each for each in run.checks(plan(), builtin(), "unmoor/prod") if each.name == "CloudFront of docs-aws")
    assert [each.state for each in check.look()] == [State.READY, State.CAUTION]
    certificate, key = self_signed(HOST, tmp_path / "x", days=30)
    arn = account.client("acm").import_certificate(Certificate=certificate.read_bytes(), PrivateKey=key.read_bytes())
    config = {
        "CallerReference": "1",
        "Comment": "the old site",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": [HOST]},
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "c", "DomainName": "x.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "c",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "ViewerCertificate": {"ACMCertificateArn": arn["CertificateArn"], "SSLSupportMethod": "sni-only"},
    }
    made = account.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    (finding,) = check.look()
    assert finding.state is State.NOT_READY
    assert made["Id"] in finding.sentence
    release(finding.mend, tmp_path)
    assert [each.state for each in check.look()] == [State.READY]
    stands = account.client("cloudfront").get_distribution_config(Id=made["Id"])["DistributionConfig"]
    assert (stands["Aliases"]["Quantity"], stands["Comment"], stands["Enabled"]) == (0, "the old site", True)
    config["Comment"] = "unmoor docs-aws"
    account.client("cloudfront").update_distribution(
        Id=made["Id"],
        DistributionConfig=config,
        IfMatch=account.client("cloudfront").get_distribution(Id=made["Id"])["ETag"],
    )
    assert [each.state for each in check.look()] == [State.READY]


# Stores

#: The block that AWS offers as one switch.
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch):
    """Return the account's own block: asked below a name of the account, which no endpoint by address can have."""

    def client(service: str):
        made = aws.client(service)
        if service == "s3control":
            stub = Stubber(made)
            if block:
                answer = {"PublicAccessBlockConfiguration": block}
                stub.add_response("get_public_access_block", answer, {"AccountId": "123456789012"})
            else:
                stub.add_client_error("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
            stub.activate()
        return made

    block: dict[str, bool] = {}
    monkeypatch.setattr(stores, "client_of", client)
    return block


@pytest.fixture
def bucket(account: Account):
    """Make a bucket that is versioned and that anyone may read, and remove it after the test."""
    client = account.client("s3")
    client.create_bucket(Bucket="dao-store")
    client.put_bucket_versioning(Bucket="dao-store", VersioningConfiguration={"Status": "Enabled"})
    client.delete_public_access_block(Bucket="dao-store")
    statement = READABLE | {"Resource": "arn:aws:s3:::dao-store/*"}
    client.put_bucket_policy(Bucket="dao-store", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    yield client
    for each in client.list_object_versions(Bucket="dao-store").get("Versions", ()):
        client.delete_object(Bucket="dao-store", Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket="dao-store")


def store(account: Account, name: str = "dao-store", vendor: str = "aws", **more):
    given = {"vendor": vendor, "bucket": name, "public_url": f"{account.url()}/{name}", **more}
    return s3.settings({"store": given})["store"]


def states(found) -> set[State]:
    return {finding.state for finding in found}


def test_a_store_that_anyone_can_read_is_ready_empty_and_filled(account: Account, bucket) -> None:
    assert states(stores.look("aws", store(account))) == {State.READY}
    bucket.put_object(Bucket="dao-store", Key="docs/x.tar", Body=b"x")
    assert states(stores.look("aws", store(account))) == {State.READY}


@pytest.mark.parametrize("vendor", ["scaleway", "storj"])
def test_a_vendor_without_a_documented_promise_about_two_writers_is_warned_of(
    account: Account, bucket, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put_object(Bucket="dao-store", Key="docs/x.tar", Body=b"x")
    keys = {"access_key": "STORE_ACCESS_KEY", "secret_key": "STORE_SECRET_KEY"}
    for name in keys.values():
        monkeypatch.setenv(name, "x")
    found = list(stores.look("store", store(account, vendor=vendor, endpoint=account.url(), **keys)))
    warned = [each.sentence for each in found if "conditional writes" in each.sentence]
    assert len(warned) == (not VENDORS[vendor].decides), found


def test_the_store_of_the_sandbox_is_ready(account: Account) -> None:
    assert states(stores.look("aws", store(account, AWS_STORE))) == {State.READY}


def test_a_bucket_that_is_not_there_is_not_ready(account: Account) -> None:
    (finding,) = stores.look("aws", store(account, "dao-nowhere"))
    assert (finding.state, finding.mend) == (State.NOT_READY, "aws s3 mb s3://dao-nowhere")


def test_a_bucket_of_another_account_and_a_key_without_rights_are_one_sentence(account: Account, monkeypatch) -> None:
    """S3 answers both alike (API reference, "List of error codes")."""

    def client(settings):
        made = real(settings)
        stub = Stubber(made)
        stub.add_client_error("list_objects_v2", "AccessDenied", "Access Denied", 403)
        stub.activate()
        return made

    real = s3.client
    monkeypatch.setattr(s3, "client", client)
    (finding,) = stores.look("aws", store(account, "dao-theirs"))
    assert finding.state is State.NOT_READY
    assert "dao-theirs is another account's, or the key has no right to list it" in finding.sentence
    assert "`unmoor policy operator`" in finding.mend


@pytest.mark.parametrize("filled", [True, False])
def test_each_block_of_public_access_is_named_with_its_command(account: Account, bucket, filled) -> None:
    if filled:
        bucket.put_object(Bucket="dao-store", Key="docs/x.tar", Body=b"x")
    bucket.put_public_access_block(Bucket="dao-store", PublicAccessBlockConfiguration=BLOCKED)
    mends = [each.mend for each in stores.look("aws", store(account)) if each.state is State.NOT_READY]
    assert mends == ["aws s3api delete-public-access-block --bucket dao-store"]


def test_a_block_of_the_whole_account_is_named(account: Account, bucket, whole) -> None:
    whole.update(BLOCKED)
    found = [each for each in stores.look("aws", store(account)) if each.state is State.NOT_READY]
    assert ["account 123456789012 blocks public access" in each.sentence for each in found] == [True]


def test_a_block_of_the_account_that_cannot_be_asked_is_not_seen(account: Account, bucket, monkeypatch) -> None:
    monkeypatch.setattr(stores, "client_of", aws.client)
    assert states(stores.look("aws", store(account))) == {State.UNSEEN, State.READY}


def test_a_bucket_without_the_policy_is_not_ready_and_the_command_has_the_policy(account: Account, bucket) -> None:
    bucket.delete_bucket_policy(Bucket="dao-store")
    (finding,) = [each for each in stores.look("aws", store(account)) if each.state is State.NOT_READY]
    assert mended(finding, "aws s3api")["Statement"] == [READABLE | {"Resource": "arn:aws:s3:::dao-store/*"}]


def test_a_public_address_that_leads_elsewhere_is_not_ready(account: Account, bucket) -> None:
    bucket.put_object(Bucket="dao-store", Key="docs/x.tar", Body=b"x")
    wrong = store(account, public_url=f"{account.url()}/dao-other")
    assert "neither bucket nor account forbids it" in next(iter(stores.look("aws", wrong))).sentence


def test_a_bucket_that_keeps_no_versions_is_a_caution(account: Account, bucket) -> None:
    bucket.put_bucket_versioning(Bucket="dao-store", VersioningConfiguration={"Status": "Suspended"})
    (finding,) = [each for each in stores.look("aws", store(account)) if each.state is State.CAUTION]
    assert "put-bucket-versioning --bucket dao-store" in finding.mend


def test_a_vendor_whose_conditional_writes_are_not_known_is_a_caution(account: Account, bucket, monkeypatch) -> None:
    keys = {"endpoint": account.url(), "access_key": "OTHER_KEY", "secret_key": "OTHER_SECRET"}
    other = store(account, vendor="minio", **keys)
    assert {each.mend for each in stores.look("o", other)} == {"export the variable"}
    monkeypatch.setenv("OTHER_KEY", "testing")
    monkeypatch.setenv("OTHER_SECRET", "testing")
    assert states(stores.look("o", other)) == {State.UNSEEN, State.READY, State.CAUTION}
    bucket.put_object(Bucket="dao-store", Key="docs/x.tar", Body=b"x")
    assert states(stores.look("o", other)) == {State.READY, State.CAUTION}
    bucket.delete_bucket_policy(Bucket="dao-store")
    assert State.NOT_READY in states(stores.look("o", other))
