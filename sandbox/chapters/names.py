"""The decisive drill: the AWS account is closed, and the stack's own name servers answer for the zone."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from components import operator_key
from components.dns.powerdns import csk

from ..akash import inventory as akash
from ..akash.providers import PROVIDERS
from ..client import Resolver, Sample, Visitor
from ..faults import CLOSED
from ..net import registrar
from ..validating import validating
from .chapter import DOCS, NOTHING, Chapter, Stage, committed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..story import Story

ZONE, WORKLOAD = "dao.example", "handbook"
OLD = ("ns-1.awsdns-01.org", "ns-2.awsdns-02.com")
SITES = ("ns-akash", "ns-akash-2")
NEW = tuple(f"{site}.{ZONE}" for site in SITES)
#: Any digest: the sandbox looks at names alone (`sandbox/images.yaml`).
IMAGE = "ghcr.io/dao-example/nameserver@sha256:4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"
#: The least number of requests while the account is closed, the number of visitors, and each one's seconds between two.
REQUESTS, VISITORS, PERIOD_S = 500, 3, 0.4
#: The bucket at a third vendor that replaces the one at AWS, and the object in the second store with the state.
THIRD, COPY = "dao-example-third", "state/sandbox.json"
STORE = """\
    aws:
      vendor: aws
      bucket: dao-example-aws
      public_url: https://s3.us-east-1.amazonaws.com/dao-example-aws
"""
INSTEAD = f"""\
    third:
      vendor: filebase
      bucket: {THIRD}
      endpoint: https://s3.filebase.com
      region: us-east-1
      public_url: https://s3.filebase.com/{THIRD}
      access_key: STORJ_ACCESS_KEY
      secret_key: STORJ_SECRET_KEY
"""


def dns(authorities: str, names: tuple[str, ...], ds: str = "") -> str:
    """Return the lines of the stack file about the zone's authorities and its delegation."""
    return f"""\
  unmoor:dns:
    authorities: [{authorities}]
    servers:
      placement: [akash, akash]
      image: {IMAGE}
    delegation:
      registrar: Gandi
      name_servers: [{", ".join(names)}]
      ds: [{ds and json.dumps(ds)}]
"""


def text() -> str:
    """Return the sandbox's stack file with another name for its site, and with own name servers."""
    named = committed().replace("    docs:\n", f"    {WORKLOAD}:\n")
    return named.replace("  unmoor:stores:\n", dns("route53, powerdns", OLD) + "  unmoor:stores:\n")


STAGE = Stage(WORKLOAD, DOCS.host, DOCS.path, text)


def play(story: Story) -> None:
    """Move the zone to own servers, close the account, and regain control without it."""
    key = csk.make()
    ds = csk.ds(key, ZONE, Path("key"))
    shell = dict(story.pulumi.environment)
    story.pulumi.environment = {**shell, operator_key.VARIABLE: "ab" * 32, csk.VARIABLE: key}
    registrar.change(story.state, ZONE, dict.fromkeys(OLD, ""))
    try:
        _move(story, ds)
        with validating(story.state, ZONE, story.state.root / "unbound") as resolver, ExitStack() as ends:
            story.visitor = Visitor(STAGE.url, story.state, PERIOD_S, resolver)
            others = [Visitor(STAGE.url, story.state, PERIOD_S, resolver) for _ in range(VISITORS - 1)]
            for each in (story.visitor, *others):
                each.start()
                ends.callback(each.stop)
            story.until("validated answers", lambda: bool(story.seen.samples) and story.seen.samples[-1].ok)
            _closed(story, ds, [story.visitor, *others])
    finally:
        registrar.change(story.state, ZONE, dict.fromkeys(OLD, ""))
    story.put_away()
    # A later chapter uses the first state again, so what the laptop's state still holds is moved there.
    left = story.state.root / "laptop" / "left.json"
    left.write_text(story.pulumi.export(), encoding="utf-8")
    story.pulumi.environment = shell
    story.pulumi.restore(left)


def _move(story: Story, ds: str) -> None:
    """Deploy with both authorities, change the delegation at the registrar, and keep only the own servers."""
    story.edit("mode: centralized", "mode: decentralized")
    story.up()
    registrar.change(story.state, ZONE, _glue(story), [ds])
    story.show(f"the registrar names {' and '.join(NEW)}, with their addresses and the key")
    story.edit(dns("route53, powerdns", OLD), dns("powerdns", NEW, ds))
    story.up()
    _store(story, "storj").put_object(Bucket="dao-example-storj", Key=COPY, Body=story.pulumi.export().encode())
    story.show("a copy of the state is in the store of the other vendor")


def _closed(story: Story, ds: str, visitors: list[Visitor]) -> None:
    story.chapter("your AWS account was closed at 14:02")
    since, clock = time.time(), time.monotonic()
    with _fault(story, CLOSED):
        _laptop(story)
        lost = _lose(story, SITES[0])
        story.up("--refresh")
        addresses = _glue(story)
        story.claim(addresses[NEW[0]] != lost, f"{NEW[0]} is rented again, at {addresses[NEW[0]]} instead of {lost}")
        registrar.change(story.state, ZONE, addresses, [ds])
        story.figures["own_names_control_s"] = round(time.monotonic() - clock, 1)
        story.show(f"in control again after {story.figures['own_names_control_s']} s of machine time")
        story.until(f"{REQUESTS} requests", lambda: sum(len(_since(each, since)) for each in visitors) >= REQUESTS)
        seen = [one for each in visitors for one in _since(each, since)]
        failed = [one for one in seen if not one.ok]
        story.figures |= {"own_names_requests": len(seen), "own_names_lost_requests": len(failed)}
        first = f": {failed[0].error or failed[0].status}" if failed else ""
        story.claim(not failed, f"{len(seen)} validated requests since, {len(failed)} failed{first}")


def _laptop(story: Story) -> None:
    """Copy the state from the second store to a machine without credentials of AWS, and deploy from there.

    The store at AWS is gone, and an update writes to every store, so another vendor's takes its place.
    """
    folder = story.state.root / "laptop"
    folder.mkdir()
    copy = _store(story, "storj").get_object(Bucket="dao-example-storj", Key=COPY)["Body"].read()
    (folder / "state.json").write_bytes(copy)
    nothing = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "")
    home = {"PULUMI_BACKEND_URL": f"file://{folder}"}
    story.pulumi.environment = {**story.pulumi.environment, **nothing, **home}
    story.pulumi.init()
    story.pulumi.restore(folder / "state.json")
    _third(story)
    story.edit(STORE, INSTEAD)
    story.edit("stores: [aws, storj]", "stores: [third, storj]")
    story.up()


def _lose(story: Story, site: str) -> str:
    """Make the Akash provider of a name server disappear until its lease is closed; return the lost address."""
    address = _glue(story)[f"{site}.{ZONE}"]
    owner = next(each.owner for each in PROVIDERS if address in each.addresses)
    story.state.start_fault(f"provider-gone-{owner}")
    story.until(
        "the network closes the lease",
        lambda: all(each["leases"][-1]["state"] != "active" for each in akash.open_deployments() if _of(each, owner)),
    )
    story.state.end_fault(f"provider-gone-{owner}")
    return address


def _of(deployment: dict[str, Any], owner: str) -> bool:
    return bool(deployment["leases"]) and deployment["leases"][-1]["id"]["provider"] == owner


def _glue(story: Story) -> dict[str, str]:
    """Return the addresses of the name servers that the zone has now."""
    return {name: Resolver(story.state).addresses(name)[0] for name in NEW}


def _since(visitor: Visitor, since: float) -> list[Sample]:
    return [one for one in list(visitor.samples) if one.time >= since]


def _third(story: Story) -> None:
    """Make a bucket at a third vendor that is public for reading."""
    store = _store(story, "storj")
    store.create_bucket(Bucket=THIRD)
    store.delete_public_access_block(Bucket=THIRD)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{THIRD}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    store.put_bucket_policy(Bucket=THIRD, Policy=policy)


def _store(story: Story, name: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{story.state.port(name)}",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 the sandbox's
    )


@contextmanager
def _fault(story: Story, name: str) -> Iterator[None]:
    """Start a fault, and end all faults after the block."""
    story.state.start_fault(name)
    try:
        yield
    finally:
        for each in story.state.faults():
            story.state.end_fault(each)


CHAPTER = Chapter(
    "own-names", "the AWS account is closed, and names go on: the zone stands on the stack's own servers", play,
    NOTHING, NOTHING, STAGE,
    figures=("own_names_requests", "own_names_lost_requests", "own_names_control_s"),
    needs=("pdns_server", "unbound", "ssh-keygen"),
)  # fmt: skip
