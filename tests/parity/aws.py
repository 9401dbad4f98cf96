"""The AWS half: the component of the program in the sandbox's AWS, and its edge; published by the step itself."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import pulumi
from pulumi.runtime import mocks

from components.kinds.static import bundle, objects, publish
from components.kinds.static.kind import StaticOptions
from components.kinds.static.routes import Routes
from components.provider.server import Context
from components.targets.aws import edge
from sandbox.state import State

from .ask import HOST, OTHERS, SITE_HOST, Line, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.authority import ProofRecord

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
#: Longest wait for what happens by itself, in seconds; and for how long the edge may know what was before.
PATIENCE_S, FRESH_S = 60, 0.6


class Aws:
    """A distribution of the sandbox, and how to put a folder behind it."""

    name, scheme = "aws", "https"

    def __init__(self, root: Path, options: StaticOptions) -> None:
        self._state = State(root)
        self._state.prepare()
        self._options = options
        variables = {**os.environ, "UNMOOR_SANDBOX": str(root)}
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", f"sandbox.{name}"],
                env=variables,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in ("aws", "net")
        ]
        try:
            _until(lambda: {"aws", "storj", "dns", "proxy"} <= self._state.ports().keys())
            self._before = {name: os.environ.get(name) for name in (*KEYS, "AWS_ENDPOINT_URL")}
            os.environ |= KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._state.port('aws')}"}
            publish.session.cache_clear()
            self._made = _deploy(self._state, options)
            self.port = self._served_at()
            self._line = Line(self.port, HOST, ssl.create_default_context(cafile=self._state.ca_bundle))
        except BaseException:
            self.close()
            raise

    def publish(self, folder: Path, options: StaticOptions | None = None) -> bundle.Bundle:
        """Publish a folder and wait until it is served; other options are those that a release brings with it."""
        options = options or self._options
        read = options.reading()
        made = bundle.survey(folder, read)
        given = {name: list(one) if isinstance(one, tuple) else one for name, one in options.settings().items()}
        publish.take(
            {
                "workload": "docs",
                "version": made.version,
                "folder": str(folder),
                "options": given | {"include": list(read.include)},
                "stores": {},
                "site": f"https://{HOST}",
                "redirect_from": list(OTHERS),
                **self._made,
            },
            lambda _: None,
        )
        _until(lambda: self._serves(made.version))
        time.sleep(FRESH_S)
        return made

    def _serves(self, version: str) -> bool:
        """Return whether the edge serves a release; until it knows the distribution, it ends each connection."""
        try:
            return self.ask("/healthz").body.decode().strip() == version
        except OSError:
            self._line.close()
            return False

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """Ask the edge at the site's host."""
        return self._line.ask(target, method, headers)

    def close(self) -> None:
        """End everything that was started."""
        if line := getattr(self, "_line", None):
            line.close()
        for name, value in getattr(self, "_before", {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        publish.session.cache_clear()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(10)

    def _served_at(self) -> int:
        """Return the port of this machine at which the edge answers."""
        client = boto3.client("cloudfront", region_name="us-east-1")
        client.get_distribution(Id=self._made["distribution"])
        address = "192.0.2.10"
        _until(lambda: self._state.route(address, 443))
        return self._state.route(address, 443)[1]


def _until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"the world of AWS did not change in {PATIENCE_S} s")
        time.sleep(0.1)


def _deploy(state: State, options: StaticOptions) -> dict[str, Any]:
    """Run the component against the sandbox's AWS, and return what the step that publishes has to know."""
    from sandbox.aws.plugin.connection import Connection
    from sandbox.aws.plugin.resource import AwsResource
    from sandbox.aws.plugin.schema import Schemas
    from sandbox.aws.plugin.types import TYPES

    connection = Connection()
    connection.configure({"region": "us-east-1"})
    schemas = Schemas(list(TYPES))
    made = _Made({token: AwsResource(token, row, schemas, connection) for token, row in TYPES.items()})
    found: dict[str, Any] = {}
    make, loops = asyncio.new_event_loop, []

    def looped() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    loop = looped()
    asyncio.set_event_loop(loop)
    # The SDK's mock monitor makes a loop in each of its threads and closes none.
    asyncio.new_event_loop = looped
    try:
        mocks.set_mocks(made, "unmoor", "parity", preview=False)
        from pulumi.runtime.stack import run_pulumi_func

        loop.run_until_complete(run_pulumi_func(lambda: _program(state, options, found)))
    finally:
        asyncio.new_event_loop = make
        asyncio.set_event_loop(None)
        for one in loops:
            one.close()
    return found


def _program(state: State, options: StaticOptions, found: dict[str, Any]) -> None:
    import pulumi_aws

    from components.targets.aws.static_site import StaticSite

    client = boto3.client("route53", endpoint_url=f"http://127.0.0.1:{state.port('aws')}", region_name="us-east-1")
    (zone,) = (one["Id"].rpartition("/")[2] for one in client.list_hosted_zones()["HostedZones"])

    def prove(name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> list[pulumi.Output[str]]:
        made = pulumi_aws.route53.Record(
            name, zone_id=zone, name=record.name, type=record.type, records=[record.value], ttl=60, opts=opts
        )
        return [made.fqdn]

    rules = objects.edge_rules(Routes({}))
    static = StaticSite(
        "docs-aws",
        hosts=(HOST, SITE_HOST, *OTHERS),
        prove=prove,
        challenge_peer="",
        headers=options.headers("https"),
        functions={
            "viewer-request": edge.viewer_request(rules, site=f"https://{HOST}", redirect_from=OTHERS),
            "viewer-response": edge.viewer_response(rules),
        },
        error_page=f"/{objects.MISSING_PAGE}",
    )
    pulumi.Output.all(
        bucket=static.bucket,
        region=static.region,
        distribution=static.distribution_id,
        functions=static.function_names,
    ).apply(found.update)


class _Made(pulumi.runtime.Mocks):
    """Makes each resource in the sandbox's AWS, as its plug-in does for the engine."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = types

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ not in self._types:
            return f"{args.name}-id", dict(args.inputs)
        context = Context(
            urn=f"urn:pulumi:parity::unmoor::{args.typ}::{args.name}",
            name=args.name,
            type=args.typ,
            preview=False,
            seed=os.urandom(16),
            cancelled=threading.Event(),
            timeout_s=0,
            log=lambda *_: None,
        )
        inputs, faults = self._types[args.typ].check(_whole(args.inputs), None, context)
        assert [] == faults
        state = self._types[args.typ].create(inputs, context)
        return state.id, dict(state.outputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


def _whole(value: Any) -> Any:
    """Return plain data with whole numbers as such: the SDK makes every number a float."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
