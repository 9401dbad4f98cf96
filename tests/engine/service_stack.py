"""A service on a stack of its own: the API with a cache of `sandbox/images.yaml`, and a visitor who never stops."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import yaml

from sandbox.client import NotReached, Resolver, get
from sandbox.drive import Pulumi
from sandbox.state import REPOSITORY, State
from tests.engine import docs_stack
from tests.engine.conftest import ALIAS_TTL_S

if TYPE_CHECKING:
    from pathlib import Path

HOST = "api.dao.example"
#: Any digest: the sandbox looks at names alone.
IMAGE = "ghcr.io/dao-example/api:1.0@sha256:4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"
OPTIONS = {
    "image": IMAGE,
    "port": 8080,
    "env": {"CACHE": "cache", "GREETING": "one"},
    "health": {"match": '"ok"', "grace_s": 90},
    "volume": {"path": "/var/cache/api", "gib": 1},
}


#: The project's own registry: aliases are kept for as long as this sandbox says, and its DNS is half a second behind.
REGISTRY = f"""
from components.dns.route53 import Route53
from components.project import builtin
REGISTRY = builtin().with_(authorities=[Route53(alias_ttl={ALIAS_TTL_S + 1})])
"""


class Service(docs_stack.Docs):
    """The stack `service`."""

    @property
    def workload(self) -> dict[str, Any]:
        """What stands in the stack file of the workload."""
        found: dict[str, Any] = self.settings["unmoor:workloads"]["api"]
        return found

    def ask(self, path: str = "/", address: str | None = None) -> dict[str, Any]:
        """Return what the API answers a visitor who validates, at an address or where DNS leads."""
        page = get(f"https://{HOST}{path}", self.state, address=address)
        assert page.status == 200, page.body
        found: dict[str, Any] = json.loads(page.body)
        return found

    def site_address(self, site: str) -> str:
        """Return where a site's own name leads."""
        return Resolver(self.state).addresses(f"{site}.dao.example")[0]


def make(folder: Path, state: State, environment: dict[str, str]) -> Service:
    """Make a project and a stack in a folder, with one service and no stores."""
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]
    settings["unmoor:ttl"] = docs_stack.TTL
    settings["unmoor:workloads"] = {
        "api": {
            "kind": "service",
            "mode": "centralized",
            "host": HOST,
            "placement": {"centralized": "aws", "decentralized": ["akash"]},
            "options": dict(OPTIONS),
        }
    }
    variables = {**environment, docs_stack.PROBE_VARIABLE: docs_stack.PROBE_S}
    runner = Pulumi(state, variables, "service", folder / "Pulumi.service.yaml", docs_stack.project(folder, REGISTRY))
    made = Service(runner, state, folder, settings)
    made.write()
    runner.init()
    return made


class Visitor:
    """Asks the public name again and again, as browsers do, and notes what went wrong.

    It validates HTTPS, and keeps answers of DNS for their TTL.
    """

    #: Seconds between two requests.
    PAUSE_S = 0.1

    def __init__(self, service: Service) -> None:
        self._service, self._resolver = service, Resolver(service.state)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self.asked = 0
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)

    def _visit(self) -> None:
        while not self._over.is_set():
            self.asked += 1
            try:
                self._service.ask("/again", self._resolver.addresses(HOST)[0])
            except (NotReached, AssertionError, ValueError) as why:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {str(why)[:200]}")
            self._over.wait(self.PAUSE_S)
