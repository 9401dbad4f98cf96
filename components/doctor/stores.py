"""Checks of a stack's stores: whether they exist, are readable by everyone (and if not, why), and keep versions."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from ..limits import DOCTOR_STORE_S as _PUBLIC_S
from ..needs import Check, Finding, Grant, State, caution, not_ready, ready, unseen
from ..stores import claims as claimed
from ..stores import s3
from ..stores.vendors import known
from ..targets.aws.account import client as client_of
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config.models import Store
    from ..topology import Topology

_READS = ("s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning")
#: S3's answers to a key without rights, or to an unknown key (API reference, "List of error codes").
_REFUSED = frozenset({"AccessDenied", "403", "AllAccessDisabled", "AccountProblem"})


def of(topology: Topology) -> dict[str, Store]:
    """Return the stores that the stack's workloads use, by name."""
    return {name: store for plan in topology.workloads for name, store in sorted(plan.stores.items())}


def checks(topology: Topology, stack: str) -> Iterator[Check]:
    """Return the checks of each store, and of the claims in it; `stack` is the stack as `PROJECT/STACK`."""
    for name, store in of(topology).items():
        yield Check(f"store {name}", functools.partial(look, name, store))
        names = [each for plan in topology.workloads if name in plan.stores for each in plan.claimed]
        yield Check(f"claims in store {name}", functools.partial(claims, name, store, names, stack), late=True)


def claims(name: str, store: Store, names: list[str], stack: str) -> Iterator[Finding]:
    """Check for names of ours that another stack has."""
    if s3.missing_credentials({name: store}):
        yield unseen(f"store {name} cannot be opened", "export its variables")
        return
    opened, free = s3.OpenStore(name, store), True
    for each in names:
        other = claimed.holder(opened, each)
        if other not in {None, stack}:
            free = False
            yield not_ready(
                claimed.clash(name, each, str(other), stack), "`unmoor plan` shows every name of this stack"
            )
    if free:
        yield ready(f"no other stack has one of the {len(names)} names")


def grants(topology: Topology) -> tuple[Grant, ...]:
    """Return the rights on the stores at AWS: only objects of our workloads."""
    made: list[Grant] = []
    for name, store in of(topology).items():
        if store.vendor != "aws" or store.endpoint is not None:
            continue
        bucket = f"arn:aws:s3:::{store.bucket}"
        plans = [plan for plan in topology.workloads if name in plan.stores]
        claims = [f"{bucket}/{claimed.key(each)}" for plan in plans for each in plan.claimed]
        ours = (*(f"{bucket}/{plan.identity}/*" for plan in plans), *claims)
        word = name.title().replace("-", "")
        made += [
            Grant(f"ListStore{word}", ("s3:ListBucket", *_READS), (bucket,)),
            Grant(f"ReadStore{word}", ("s3:GetObject",), ours),
            Grant(f"WriteStore{word}", ("s3:DeleteObject", "s3:PutObject"), ours, writes=True),
        ]
    return tuple(made)


def look(name: str, store: Store) -> Iterator[Finding]:
    """Check one store, with its credentials and without."""
    if missing := s3.missing_credentials({name: store}):
        for fault in missing:
            yield not_ready(str(fault), "export the variable")
        return
    client, command = s3.client(store), _command(store)
    try:
        first = client.list_objects_v2(Bucket=store.bucket, MaxKeys=1).get("Contents") or []
    except Exception as error:  # noqa: BLE001 an exception of boto3 becomes a finding
        if _code(error) in {"NoSuchBucket", "404"}:
            yield not_ready(f"bucket {store.bucket} does not exist", f"{command} s3 mb s3://{store.bucket}")
        elif _code(error) in _REFUSED:
            yield not_ready(
                f"bucket {store.bucket} is another account's, or the key has no right to list it: {outside(error)}",
                f"give the key the rights of `unmoor policy operator`; a bucket of another account has to allow it in "
                f"its own policy too, or name a bucket of your own: {command} s3 mb s3://…",
            )
        else:
            yield not_ready(f"bucket {store.bucket} cannot be listed: {outside(error)}", "look at endpoint and region")
        return
    yield from _public(store, client, command, first[0]["Key"] if first else "")
    yield from _versions(store, client, command)
    if not known(store.vendor).decides:
        yield caution(
            f"whether {store.vendor} honours conditional writes is not known; claims of workloads with state need it",
            "ask the vendor about If-None-Match in PutObject",
        )


def _public(store: Store, client: Any, command: str, key: str) -> Iterator[Finding]:
    """Check that anyone can read an object; in an empty bucket at AWS, that policy and blocks would allow it."""
    instead = ""
    if key:
        _, instead = s3.read_public(f"{store.public_url}/{key}", None, within_s=_PUBLIC_S)
        if not instead:
            yield ready(f"bucket {store.bucket} is there, and anyone can read its objects")
            return
    if store.vendor != "aws":
        if key:
            yield not_ready(
                f"{store.public_url}/{key} {instead} to readers without credentials, and containers are such readers",
                f"share the bucket, for Storj: uplink share --url --not-after=none sj://{store.bucket}",
            )
        else:
            yield unseen(f"bucket {store.bucket} is there and empty, so whether anyone can read it is not seen")
        return
    blocks = [*_blocks(store, client, command), *_account_blocks(store.bucket)]
    yield from blocks
    stopped = any(each.state is State.NOT_READY for each in blocks)
    policy = _read(lambda: client.get_bucket_policy(Bucket=store.bucket)["Policy"], "NoSuchBucketPolicy", "{}")
    if not _everyone_reads(policy):
        yield not_ready(
            f"bucket {store.bucket} has no policy by which anyone may read its objects",
            f"{command} s3api put-bucket-policy --bucket {store.bucket} --policy '{_policy(store.bucket)}'",
        )
    elif instead and not stopped:
        yield not_ready(
            f"{store.public_url}/{key} {instead} to readers without credentials, and neither bucket nor account "
            "forbids it",
            "look at public_url, and at the organisation's policies: aws organizations list-policies",
        )
    elif not stopped:
        yield ready(f"bucket {store.bucket} is there and empty, and anyone will be able to read its objects")


def _blocks(store: Store, client: Any, command: str) -> Iterator[Finding]:
    """Name the bucket's own block of public access."""
    bucket = _read(
        lambda: client.get_public_access_block(Bucket=store.bucket)["PublicAccessBlockConfiguration"],
        "NoSuchPublicAccessBlockConfiguration",
        {},
    )
    if bucket.get("RestrictPublicBuckets") or bucket.get("BlockPublicPolicy"):
        yield not_ready(
            f"bucket {store.bucket} blocks public access",
            f"{command} s3api delete-public-access-block --bucket {store.bucket}",
        )


def _account_blocks(bucket: str) -> Iterator[Finding]:
    """Name the account's block of public access, which outweighs every bucket's."""
    from botocore.exceptions import BotoCoreError, ClientError

    account = client_of("sts").get_caller_identity()["Account"]
    try:
        block = _read(
            lambda: client_of("s3control").get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"],
            "NoSuchPublicAccessBlockConfiguration",
            {},
        )
    except (BotoCoreError, ClientError) as error:
        yield unseen(f"whether account {account} blocks public access is not seen: {outside(error, 120)}")
        return
    if block.get("RestrictPublicBuckets") or block.get("BlockPublicPolicy"):
        yield not_ready(
            f"account {account} blocks public access to every bucket, {bucket} too",
            f"aws s3control delete-public-access-block --account-id {account}, or keep the store in another account",
        )


def _versions(store: Store, client: Any, command: str) -> Iterator[Finding]:
    status = _read(lambda: client.get_bucket_versioning(Bucket=store.bucket).get("Status", ""), "", "")
    if status == "Enabled":
        yield ready(f"bucket {store.bucket} keeps old versions of its objects")
    else:
        yield caution(
            f"bucket {store.bucket} keeps no old versions: what a key deletes is gone",
            f"{command} s3api put-bucket-versioning --bucket {store.bucket} --versioning-configuration Status=Enabled",
        )


def _everyone_reads(policy: str) -> bool:
    """Return whether a bucket policy lets anyone read objects."""
    statements = json.loads(policy).get("Statement") or []
    for each in statements if isinstance(statements, list) else [statements]:
        actions = each.get("Action")
        if (
            each.get("Effect") == "Allow"
            and each.get("Principal") in ("*", {"AWS": "*"})
            and not each.get("Condition")
            and {"s3:GetObject", "s3:*", "s3:Get*"} & set([actions] if isinstance(actions, str) else actions or ())
        ):
            return True
    return False


def _policy(bucket: str) -> str:
    """Return the policy by which anyone may read objects, and list none."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _read(ask: Any, none: str, otherwise: Any) -> Any:
    """Return an answer, or `otherwise` where the service has none, known by its code. Raises what boto3 raises."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if _code(error) != none:
            raise
        return otherwise


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _command(store: Store) -> str:
    """Return the beginning of a command line for a store."""
    return f"aws --endpoint-url {store.endpoint}" if store.endpoint else "aws"
