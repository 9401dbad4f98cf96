"""A stack with an application and its database: three stores with TLS, and a client that posts continuously."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import yaml

from components.kinds.postgres import sites
from components.kinds.postgres.kind import KIND as POSTGRES
from components.plan.stack import topology
from components.postgres.settings import Settings
from components.project import builtin
from components.stores import s3
from components.stores.writer import Records
from sandbox.client import NotReached, Resolver, get
from sandbox.drive import Pulumi
from sandbox.engine import resolve
from sandbox.net.tls import Authority
from sandbox.pair.ground import free_port, unprivileged, until
from sandbox.state import REPOSITORY, State

from . import docs_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "forum.dao.example"
#: The project's own registry: the authority's aliases are kept for TTL seconds.
REGISTRY = f"""
from components.dns.route53 import Route53
from components.kinds.postgres.kind import KIND as POSTGRES
from components.project import builtin
REGISTRY = builtin().with_(kinds=[POSTGRES], authorities=[Route53(alias_ttl={docs_stack.TTL})])
"""
STORES = ("first", "second", "record")
DIGEST = "4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"
AMI = "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20241010-kernel-6.1-x86_64/image_id"
SECRETS = {
    "FORUM_PASSWORD": "the-password-of-the-database",
    "ARCHIVE_CIPHER": "the-pass-phrase-of-the-archive",
    "BOARD_TOKEN": "the-token-of-the-application",
}
#: The most seconds of a step.
GRACE_S = 400


def keys() -> dict[str, str]:
    """Return the operator's variables with keys of stores: its own, and those of each site and role."""
    found = {}
    for store in STORES:
        for what in ("KEY", "SECRET"):
            name = f"{store.upper()}_{what}"
            sited = [f"{name}_AWS", f"{name}_AKASH", f"{name}_AWS_READ", f"{name}_AKASH_READ"]
            found |= dict.fromkeys([name, *sited], f"{store}-{what.lower()}-value")
    return found


@contextlib.contextmanager
def stores(folder: Path, state: State) -> Iterator[dict[str, int]]:
    """Run three stores with certificates of this sandbox's issuer, each with its bucket; yield their ports."""
    certificate, key = Authority(state).certificate(["localhost"])
    (folder / "cert.pem").write_text(certificate)
    (folder / "key.pem").write_text(key)
    program = str(resolve.tool(resolve.VERSITYGW) / "versitygw")
    running: list[subprocess.Popen[bytes]] = []
    ports = {}
    try:
        for name in STORES:
            ports[name] = free_port()
            for each in ("data", "meta"):
                (folder / f"{name}-{each}").mkdir()
            (folder / f"{name}-data" / "dao-archive").mkdir()
            words = [program, "--port", f"127.0.0.1:{ports[name]}", "--quiet"]
            words += ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
            words += ["--access", f"{name}-key-value", "--secret", f"{name}-secret-value"]
            words += ["posix", "--sidecar", str(folder / f"{name}-meta"), str(folder / f"{name}-data")]
            with (folder / f"{name}.log").open("wb") as log:
                running.append(subprocess.Popen(words, stdout=log, stderr=log))
        for port in ports.values():
            until(lambda port=port: _answers(port, state), f"the store at {port}")
        yield ports
    finally:
        for each in running:
            each.kill()
            each.wait()


def _answers(port: int, state: State) -> bool:
    import ssl

    with contextlib.suppress(httpx.HTTPError):
        context = ssl.create_default_context(cafile=str(state.ca_bundle))
        httpx.get(f"https://localhost:{port}/", verify=context, trust_env=False)
        return True
    return False


class Forum(docs_stack.Docs):
    """The stack `forum`."""

    @property
    def workload(self) -> dict[str, Any]:
        """The workload's settings in the stack file."""
        found: dict[str, Any] = self.settings["unmoor:workloads"]["forum"]
        return found

    @property
    def database(self) -> Settings:
        """The operator's settings of the database."""
        ours = {name.removeprefix("unmoor:"): value for name, value in self.settings.items() if "unmoor:" in name}
        return sites.settings_of(topology(ours, builtin().with_(kinds=[POSTGRES]), None).workloads[0])

    def writer(self) -> tuple[str, int]:
        """Return the holder of the record, and its epoch."""
        settings = self.database
        with self.shell():
            store = settings.witness.store
            key = f"{settings.prefix}/writer.json"
            record = Records(store, settings.stores[store], key, settings.workload).read()[0]
        assert record is not None
        return record.holder, record.epoch

    def counted(self, after: float = 0.0) -> bool:
        """Return whether both stores have a backup whose rows were counted since then."""
        settings = self.database
        with self.shell():
            for name in settings.archive:
                found = s3.OpenStore(name, settings.stores[name]).read(f"{settings.prefix}/counted.json", 1 << 20)
                if found is None or json.loads(found)["at"] < after:
                    return False
        return True

    @contextlib.contextmanager
    def shell(self) -> Iterator[None]:
        """Set the operator's variables in this process."""
        kept = dict(os.environ)
        os.environ.update(self.pulumi.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command about the database as a user that can run PostgreSQL."""
        folder = self.site.parent / "stacks"
        folder.mkdir(exist_ok=True)
        file = folder / self.pulumi.config_file.name
        file.write_text(self.pulumi.config_file.read_text())
        return subprocess.run(
            [*unprivileged(), sys.executable, "-P", "-m", "components", *words, "--stack", str(file)],
            cwd=self.site.parent / "project",  # whose registry has the kind
            env={**os.environ, **self.pulumi.environment, "HOME": "/tmp", "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )

    def posts(self) -> list[tuple[int, str]]:
        """Return every post at the writer's site, by number."""
        page = until(self._page, "the posts")
        return [(number, text) for number, text in json.loads(page)]

    def _page(self) -> bytes:
        with contextlib.suppress(NotReached):
            page = get(f"https://{HOST}/posts", self.state)
            return page.body if page.status == 200 else b""
        return b""


def make(folder: Path, state: State, environment: dict[str, str], ports: dict[str, int]) -> Forum:
    """Make a project and a stack in a folder."""
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]
    settings["unmoor:ttl"] = docs_stack.TTL
    del settings["unmoor:stores"]
    settings["unmoor:workloads"] = {"forum": _workload(ports)}
    variables = {
        **environment,
        **keys(),
        **SECRETS,
        "UNMOOR_OPERATOR_KEY": "k" * 40,
        docs_stack.PROBE_VARIABLE: docs_stack.PROBE_S,
    }
    runner = Pulumi(state, variables, "forum", folder / "Pulumi.forum.yaml", docs_stack.project(folder, REGISTRY))
    made = Forum(runner, state, folder / "none", settings)
    made.write()
    runner.init()
    return made


def _workload(ports: dict[str, int]) -> dict[str, Any]:
    return {
        "kind": "postgres",
        "mode": "centralized",
        "host": HOST,
        "placement": {"centralized": "aws", "decentralized": ["akash"]},
        "options": {
            "image": f"ghcr.io/dao-example/board:1.0@sha256:{DIGEST}",
            "port": 8000,
            "command": ["board"],
            "secrets": {"TOKEN": "BOARD_TOKEN"},
            "health": {"path": "/health", "grace_s": GRACE_S},
            "budget_usd_month": 40,
            "aws": {"ami": AMI},
            "database": {
                "image": f"ghcr.io/dao-example/postgres@sha256:{DIGEST}",
                "database": "forum",
                "user": "forum",
                "password": "FORUM_PASSWORD",
                "cipher": "ARCHIVE_CIPHER",
                "stores": {
                    name: {
                        "vendor": f"vendor-{name}",
                        "bucket": "dao-archive",
                        "endpoint": f"https://localhost:{port}",
                        "region": "us-east-1",
                        "access_key": f"{name.upper()}_KEY",
                        "secret_key": f"{name.upper()}_SECRET",
                    }
                    for name, port in ports.items()
                },
                "archive": ["first", "second"],
                "witness": {"store": "record", "ttl_s": 20, "hand_over_s": 300},
                "archive_timeout_s": 10,
            },
        },
    }


class Poster:
    """A thread that posts numbered texts where DNS leads, and keeps the acknowledgements."""

    PAUSE_S = 0.05

    def __init__(self, state: State) -> None:
        self._state, self._resolver = state, Resolver(state)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._post, daemon=True)
        self.acknowledged: list[tuple[int, str]] = []
        self.failed = 0
        #: The longest time between two acknowledged posts, in seconds.
        self.frozen_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _post(self) -> None:
        number, last = 0, time.monotonic()
        while not self._over.wait(self.PAUSE_S):
            number += 1
            text = f"post-{number}"
            answer = self._sent(text)
            if answer is None:
                self.failed += 1
                continue
            self.acknowledged.append((answer, text))
            self.frozen_s, last = max(self.frozen_s, time.monotonic() - last), time.monotonic()

    def _sent(self, text: str) -> int | None:
        with contextlib.suppress(NotReached, ValueError, KeyError, TypeError, IndexError):
            page = get(
                f"https://{HOST}/posts/{text}", self._state, address=self._resolver.addresses(HOST)[0], method="POST"
            )
            return int(json.loads(page.body)["id"]) if page.status == 200 else None
        return None
