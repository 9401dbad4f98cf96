"""The sandbox's account notes what it is asked for, as IAM would judge it: standard clients ask."""

from __future__ import annotations

from sandbox.aws import calls, inventory
from sandbox.aws.account import AWS_STORE

from .aws_account import Account

STORE = f"arn:aws:s3:::{AWS_STORE}"


def noted(account: Account) -> list[calls.Call]:
    return list(calls.read(account.state.root / calls.FILE))


def test_each_call_is_an_action_on_a_resource(account: Account) -> None:
    s3, route53, cloudfront = (account.client(each) for each in ("s3", "route53", "cloudfront"))
    s3.put_object(Bucket=AWS_STORE, Key="docs/a b.tar", Body=b"x")
    s3.list_objects_v2(Bucket=AWS_STORE, Prefix="docs/")
    s3.delete_objects(Bucket=AWS_STORE, Delete={"Objects": [{"Key": "docs/a b.tar"}]})
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    check = {"Type": "HTTPS", "FullyQualifiedDomainName": "docs.dao.example"}
    made = route53.create_health_check(CallerReference="1", HealthCheckConfig=check)["HealthCheck"]["Id"]
    route53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=made, AddTags=[{"Key": "a", "Value": "b"}])
    record = {"Name": "Docs.dao.example.", "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)
    cloudfront.list_distributions()
    account.client("sts").get_caller_identity()
    account.client("acm").list_certificates()
    zone_arn = f"arn:aws:route53:::{zone['Id'].strip('/')}"
    assert [(call.action, call.resource) for call in noted(account)] == [
        ("s3:PutObject", f"{STORE}/docs/a b.tar"),
        ("s3:ListBucket", STORE),
        ("s3:DeleteObject", f"{STORE}/docs/a b.tar"),
        ("route53:ListHostedZones", "*"),
        ("route53:CreateHealthCheck", "*"),
        ("route53:ChangeTagsForResource", f"arn:aws:route53:::healthcheck/{made}"),
        ("route53:ChangeResourceRecordSets", zone_arn),
        ("cloudfront:ListDistributions", "*"),
        ("sts:GetCallerIdentity", "*"),
        ("acm:ListCertificates", "*"),
    ]
    (change,) = [call for call in noted(account) if call.context]
    assert change.context == {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["docs.dao.example"]}


def test_a_call_is_noted_once_and_a_bystanders_never(account: Account, monkeypatch) -> None:
    account.client("route53").list_health_checks()
    before = noted(account)
    account.client("route53").list_health_checks()
    monkeypatch.setenv("UNMOOR_SANDBOX", str(account.state.root))
    inventory.client("route53").list_hosted_zones_by_name()
    assert noted(account) == before


def test_a_request_that_no_model_has_is_noted_as_unknown() -> None:
    environ = {
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=testing/20261126/us-east-1/cloudfront/aws4_request, …",
        "PATH_INFO": "/2020-05-31/nothing-of-the-kind/here/and/there",
        "REQUEST_METHOD": "PATCH",
    }
    found = calls.call_of(environ, b"")
    assert found is not None
    assert found.action.startswith("cloudfront:? PATCH")
    assert calls.call_of({**environ, "HTTP_AUTHORIZATION": ""}, b"") is None
