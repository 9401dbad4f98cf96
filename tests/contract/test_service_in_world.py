"""The document of a service with secrets on the sandbox's Akash: what is handed over reaches the application.

The sandbox stands for Console and Kubernetes; Caddy and the scripts are real. There is no authority here, so the test
writes what Caddy would: that it does is in test_web_server_secrets.py.
"""

from __future__ import annotations

import json

import psutil
import pytest
import yaml

from components.kinds.service.document import WEB, document_for
from components.probe import handover
from components.probe.handover import written
from components.targets.akash import KEY_VARIABLE, URL_VARIABLE
from sandbox.images import SANDBOX, find_caddy
from tests.pure.test_service import DIGEST, planned

from .akash_world import AkashWorld, wait

pytestmark = pytest.mark.skipif(find_caddy() is None, reason="no caddy: set CADDY, or let the sandbox build it once")

VALUES = {"TOKEN": 'canary {env.HOME} "$HOME" `id`\n\n', "DATABASE_URL": "postgres://canary@db.example/x"}


def document() -> str:
    """Return the document of a lease, as the kind makes it."""
    (plan,) = planned(
        image=f"ghcr.io/dao-example/api:1.0@sha256:{DIGEST}",
        command=["python3", str(SANDBOX / "programs" / "examples.py"), "api"],
        secrets={name: f"API_{name}" for name in VALUES},
        env={"CACHE": "cache"},
        budget_usd_month=1_000,
    ).workloads
    site = next(each for each in plan.sites if each.target == "akash")
    return yaml.safe_dump(document_for(site, plan.release, "ab" * 32))


def had(world: AkashWorld) -> dict[str, str]:
    """Return the secrets that the application's process has."""
    found = {}
    for each in psutil.Process(world.process.pid).children(recursive=True):
        try:
            if each.cmdline()[-1:] == ["api"] and "examples.py" in each.cmdline()[1]:
                found = {name: value for name, value in each.environ().items() if name in VALUES}
        except (psutil.Error, IndexError):
            continue
    return found


def place(world: AkashWorld, dseq: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, tuple[str, ...]]:
    """Return what the step is given of a lease: states of deployment and lease, and its addresses."""
    monkeypatch.setenv(URL_VARIABLE, str(world.api.base_url))
    monkeypatch.setenv(KEY_VARIABLE, "sandbox-key")
    seen = handover._look(dseq)
    assert seen.deployment is not None
    assert seen.lease is not None
    return seen.deployment.state, seen.lease.state, seen.ips[WEB]


def test_an_application_in_a_lease_waits_for_its_secrets_and_starts_with_them(tmp_path, monkeypatch) -> None:
    body, digest = written(VALUES)
    with AkashWorld(tmp_path / "akash") as world:
        dseq = world.run(document())
        address = world.status(dseq)["ips"]["web"][0]["IP"]
        wait(lambda: "were not handed over yet" in world.get(address, "/healthz").text)
        assert had(world) == {}
        assert place(world, dseq, monkeypatch) == ("active", "active", (address,))
        (lease,) = (world.state.root / "akash" / "leases").iterdir()
        with (lease / "web-0" / "srv" / "inbox").open("a") as inbox:
            inbox.write(
                json.dumps({"level": "info", "status": 202, "values": body.decode()}, separators=(",", ":")) + "\n"
            )
        wait(lambda: had(world) == VALUES)
        wait(lambda: "there is no certificate" in world.get(address, "/healthz").text)
        kept = {path.name for path in (lease / "volumes" / "web-data" / "unmoor" / "secrets" / digest).iterdir()}
        assert kept == set(VALUES)
        logs = "".join(path.read_text() for path in (tmp_path / "akash").rglob("*.log"))
        assert ("took the application's secrets" in logs, "canary" in logs) == (True, False)
        world.close(dseq)
