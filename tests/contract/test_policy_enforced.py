"""The policies in force: moto refuses what they do not allow, in the services whose rights it enforces."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from components.doctor import rights, run, stores
from components.plan.stack import topology
from components.project import builtin
from tests.settings import settings

BUCKET = "docs-aws-bucket-1234567"
#: Call → (service, operation, arguments).
CALLS = {
    "make our bucket": ("s3", "create_bucket", {"Bucket": BUCKET}),
    "make another bucket": ("s3", "create_bucket", {"Bucket": "other"}),
    "write into our bucket": ("s3", "put_object", {"Bucket": BUCKET, "Key": "index.html", "Body": b""}),
    "empty the store": ("s3", "delete_object", {"Bucket": "dao-aws", "Key": "docs/x.tar"}),
    "empty another's store": ("s3", "delete_object", {"Bucket": "dao-aws", "Key": "other/x.tar"}),
    "ask for a certificate": ("acm", "request_certificate", {"DomainName": "docs.dao.example"}),
    "list users": ("iam", "list_users", {}),
    "list machines": ("ec2", "describe_instances", {}),
}
ALLOWED = {
    "operator": {"make our bucket", "write into our bucket", "empty the store", "ask for a certificate"},
    "preview": set(),
    "writer": {"empty the store"},
}


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize("role", ALLOWED)
@mock_aws
def test_a_role_may_do_what_its_policy_names_and_nothing_else(role: str) -> None:
    stack = topology(settings(), builtin(), None)
    document = rights.policy(rights.chosen(role, run.grants(stack, builtin()), stores.grants(stack)))
    iam, s3 = boto3.client("iam"), boto3.client("s3")
    for bucket in ("dao-aws", *([] if role == "operator" else [BUCKET])):
        s3.create_bucket(Bucket=bucket)
    iam.create_user(UserName=role)
    iam.put_user_policy(UserName=role, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=role)["AccessKey"]
    signed = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}

    @set_initial_no_auth_action_count(0)
    def allowed(service: str, operation: str, arguments: dict) -> bool:
        try:
            getattr(boto3.client(service, **signed), operation)(**arguments)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            return False
        return True

    assert {name for name, call in CALLS.items() if allowed(*call)} == ALLOWED[role]
