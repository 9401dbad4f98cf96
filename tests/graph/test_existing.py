"""What exists at AWS is used as it is: no resource of the stack makes, changes or deletes it."""

from __future__ import annotations

import pytest

from components.config import models as config
from components.doctor import run as doctor
from components.errors import PlanError
from components.plan.canonical import plan_hash
from components.plan.stack import topology
from components.project import builtin
from tests.graph.monitor import run
from tests.settings import settings, site_folder

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/docs/0a1b"
EXISTING = {"certificate": CERTIFICATE, "bucket": "dao-docs"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


def made(**options):
    return settings("centralized", options={"site": "site", **options})


def test_a_bucket_that_exists_is_read_and_nothing_but_its_policy_is_made(root):
    graph = run(made(existing=EXISTING), root)
    types = {one.type for one in graph.resources.values() if one.type.startswith(("aws:s3", "aws:acm"))}
    assert types == {"aws:s3/bucketPolicy:BucketPolicy"}
    assert graph.named("docs-aws-policy").inputs["bucket"] == "dao-docs"
    certificate = graph.named("docs-aws-distribution").inputs["viewerCertificate"]
    assert certificate["acmCertificateArn"] == CERTIFICATE
    assert not [one.name for one in graph.resources.values() if "proof" in one.name]


def test_without_it_everything_is_as_before(root):
    graph = run(made(), root)
    distribution = graph.named("docs-aws-distribution").inputs
    assert (distribution["priceClass"], "webAclId" in distribution, "loggingConfig" in distribution) == (
        "PriceClass_100",
        False,
        False,
    )
    assert graph.named("docs-aws-bucket").inputs["forceDestroy"] is True


def test_a_distribution_serves_as_the_options_say(root):
    graph = run(made(aws={"price_class": "all", "logs": "dao-logs", "web_acl": WEB_ACL}), root)
    inputs = graph.named("docs-aws-distribution").inputs
    assert (inputs["priceClass"], inputs["webAclId"]) == ("PriceClass_All", WEB_ACL)
    assert inputs["loggingConfig"] == {"bucket": "dao-logs.s3.amazonaws.com", "prefix": "docs-aws/"}


def test_rights_on_a_bucket_that_exists_are_fewer(root):
    grants = {one.name: one for one in doctor.grants(topology(made(existing=EXISTING), builtin(), root), builtin())}
    assert "WriteBuckets" not in grants
    assert grants["UseBuckets"].resources == ("arn:aws:s3:::dao-docs",)
    assert "s3:DeleteBucket" not in {action for one in grants.values() for action in one.actions}
    assert grants["WriteObjects"].resources == ("arn:aws:s3:::dao-docs/*",)


def test_options_that_are_left_out_leave_the_hash_as_it_was(root):
    """Signers agreed to a plan before these settings existed."""
    plan = topology(made(), builtin(), root)
    more = topology(made(existing={}, aws={}), builtin(), root)
    assert plan_hash(plan) != plan_hash(more)
    from components.plan.canonical import signed

    options = signed(plan)["workloads"]["docs"]["options"]
    assert {"existing", "aws"} & set(options) == set()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"existing": {"distribution": "E1"}}, "distribution: a distribution that serves visitors cannot be used"),
        ({"existing": {"zone": "Z1"}}, "zone: a zone is named for the whole stack: `unmoor:dns: {zone_id"),
        ({"existing": {"certificate": CERTIFICATE.replace("us-east-1", "eu-west-1")}}, "existing.certificate"),
        ({"existing": {"buckt": "x"}}, "did you mean bucket?"),
        ({"existing": {"bucket": "Docs"}}, "existing.bucket"),
        ({"existing": {"bucket": "a..b"}}, "existing.bucket: a..b is not the name of a bucket: S3 takes none with .."),
        ({"existing": {"bucket": "192.168.0.1"}}, "existing.bucket: 192.168.0.1 is not the name of a bucket"),
        ({"aws": {"logs": "dao--x-s3"}}, "aws.logs: dao--x-s3 is not the name of a bucket"),
        ({"aws": {"price_class": "300"}}, "choose 100, 200 or all"),
        ({"aws": {"price_class": 300}}, "choose 100, 200 or all"),
        ({"aws": {"web_acl": WEB_ACL.replace("global", "regional")}}, "aws.web_acl"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(root, options, sentence):
    with pytest.raises(PlanError) as refused:
        topology(made(**options), builtin(), root)
    assert sentence in str(refused.value)
    assert config.read(made(**options))[0] is not None, "the kind's own options"


def test_everything_that_cannot_be_used_is_named_in_one_run(root):
    with pytest.raises(PlanError) as refused:
        topology(made(existing={"distribution": "E1", "zone": "Z1", "bucket": "X", "buckt": "x"}), builtin(), root)
    paths = [fault.path.removeprefix("workloads.docs.options.existing.") for fault in refused.value.faults]
    assert sorted(paths) == ["bucket", "buckt", "distribution", "zone"]


@pytest.mark.parametrize("given", ["200", 200])
def test_a_price_class_may_be_a_number(root, given):
    graph = run(made(aws={"price_class": given}), root)
    assert graph.named("docs-aws-distribution").inputs["priceClass"] == "PriceClass_200"


def test_the_bucket_of_a_store_is_no_bucket_for_a_site(root):
    """The other store has an endpoint, so its bucket of that name is another one."""
    assert topology(made(existing={"bucket": "dao-storj"}), builtin(), root).workloads
    with pytest.raises(PlanError) as refused:
        topology(made(existing={"bucket": "dao-aws"}), builtin(), root)
    (fault,) = refused.value.faults
    assert fault.path == "workloads.docs.options.existing.bucket"
    assert fault.message.startswith("is the bucket of store aws, and publishing removes what a release does not have")
