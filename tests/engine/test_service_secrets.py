"""Secrets of a service through the real engine: the application has them, and they are found nowhere else.

It cannot prove that the official plugins and AWS keep them as well as the sandbox's stand-ins do.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

from components import operator_key
from components.doctor import run
from components.plan.stack import from_file
from components.project import builtin
from sandbox.akash import inventory as akash
from sandbox.aws import calls, inventory
from sandbox.client import NotReached, get
from sandbox.state import REPOSITORY, VARIABLE

from . import service_stack
from .docs_stack import kill, runs, until
from .service_stack import Service, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(900)

#: Name → (variable of the shell, value): text that Caddy would expand, what a shell would, lines and blanks.
CANARIES = {
    "TOKEN": ("API_TOKEN", "canary-one-{env.HOME}-$HOME-`id`-5b1f"),
    "DATABASE_URL": ("API_DATABASE_URL", 'postgres://api:canary-two-77aa@db.example/x?y="z"\\n\n\n'),
}
KEY = "canary-of-the-operator-c0de-0123456789abcdef"
SECOND = "canary-three-of-a-rotation-90d2"
SEALED = "canary-four-of-the-configuration-e7b3"
LOOKED_FOR = [*(value for _, value in CANARIES.values()), SECOND, SEALED, KEY]
SECRETS = {name: variable for name, (variable, _) in CANARIES.items()}
#: The beginning of a line in which a release prints its own secrets.
BY_ITSELF = "no way in with"


def found(text: str) -> list[str]:
    """Return which canaries stand in a text: as they are, as JSON, or as base64."""

    def ways(value: str) -> list[str]:
        marked = value[value.index("canary") :][:14]
        return [marked, base64.b64encode(value.encode()).decode()[:16]]

    return [value for value in LOOKED_FOR if any(way in text for way in ways(value))]


@dataclass
class Watch:
    """Looks at every command line of the machine again and again."""

    lines: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self._over.wait(0.05):
            for process in psutil.process_iter():
                try:
                    self.lines.add(" ".join(process.cmdline()))
                except psutil.Error:
                    continue

    def end(self) -> None:
        self._over.set()


@pytest.fixture(scope="module")
def service(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))  # for the inventories
        made = service_stack.make(tmp_path_factory.mktemp("secrets"), sandbox.state, sandbox.environment, ("secrets",))
        options = made.workload["options"]
        options |= {
            "secrets": SECRETS,
            "env": {"CACHE": "cache", "GREETING": "one", "SECRETS": " ".join(SECRETS)},
            "command": ["python3", str(REPOSITORY / "sandbox" / "programs" / "examples.py"), "api"],
        }
        yield made
        made.end()


@pytest.fixture(scope="module")
def watched() -> Iterator[Watch]:
    watch = Watch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    yield watch
    watch.end()
    thread.join()


def shell(service: Service, **values: str) -> None:
    """Export variables to `pulumi`."""
    service.pulumi.environment = {**service.pulumi.environment, **values}


def digests(service: Service, site: str) -> dict[str, str]:
    """Return what the application has at a site: SHA-256 of each value, never the value."""
    shown: dict[str, str] = service.ask("/", service.site_address(site))["secrets"]
    return shown


def _has(service: Service, site: str, values: dict[str, str]) -> bool:
    """Return whether a site's application has these values; it answers nothing while it restarts with others."""
    try:
        return digests(service, site) == values
    except (NotReached, AssertionError):
        return False


def wanted(**changed: str) -> dict[str, str]:
    values = {name: value for name, (_, value) in CANARIES.items()} | changed
    return {name: service_stack.digest(value) for name, value in values.items()}


def test_a_canary_would_be_found() -> None:
    assert [found(f"x{value}x") for value in LOOKED_FOR] == [[value] for value in LOOKED_FOR]
    assert [found(base64.b64encode(value.encode()).decode()) for value in LOOKED_FOR] == [[each] for each in LOOKED_FOR]


def test_a_preview_demands_no_secret_and_an_update_names_each_that_is_not_set(service: Service) -> None:
    service.write(mode="centralized")
    assert service.pulumi.preview().changes()["api-aws-TOKEN-value"] == "create"
    shown = service.fails().output
    for name, variable in SECRETS.items():
        assert f"workloads.api.options.secrets.{name}: the environment variable {variable} is not set" in shown
    assert inventory.objects() == []


def test_the_application_on_aws_has_every_value(service: Service, watched: Watch) -> None:
    shell(service, **dict(CANARIES.values()))
    service.up(mode="centralized")
    assert digests(service, "api-aws") == wanted()
    assert service.again().changes() == {}


def test_a_release_whose_secrets_are_missing_leaves_what_served(service: Service, watched: Watch) -> None:
    options = service.workload["options"]
    before = dict(options)
    options["env"] = {**options["env"], "GREETING": "without"}
    options["health"] = {"match": '"ok"', "grace_s": 10}
    with service.broken("secret-missing"):
        shown = service.fails().output
    assert "api-aws: ECS has taken the release back" in shown
    assert "task: ResourceInitializationError: unable to pull secrets" in shown
    assert service.ask("/")["greeting"] == "one"
    options |= before


def test_a_release_that_logs_a_secret_and_ends_shows_its_last_lines_without_the_value(service: Service) -> None:
    options = service.workload["options"]
    before = dict(options)
    options["env"] = {**options["env"], "HEALTH": "0", "MESSAGE": f"{BY_ITSELF} {{TOKEN}} at {{DATABASE_URL}}"}
    options["health"] = {"match": '"ok"', "grace_s": 10}
    shown = service.fails().output
    assert f"app: {BY_ITSELF} *** at ***" in shown
    assert "app: it does not start" in shown
    assert found(shown) == []
    assert service.ask("/")["greeting"] == "one"
    options.clear()
    options.update(before)


def test_a_lease_needs_the_operators_own_key(service: Service) -> None:
    shown = service.fails(mode="active-standby").output
    assert (
        f"akash needs the environment variable {operator_key.VARIABLE} with 32 characters or more; export it" in shown
    )


def test_the_application_in_a_lease_has_every_value(service: Service, watched: Watch) -> None:
    shell(service, **{operator_key.VARIABLE: KEY})
    service.up(mode="active-standby")
    assert digests(service, "api-akash") == wanted()
    (deployment,) = akash.open_deployments()
    assert found(json.dumps(deployment)) == []
    assert service.again().changes() == {}


def test_a_preview_without_the_key_shows_no_change(service: Service) -> None:
    kept = service.pulumi.environment
    service.pulumi.environment = {name: value for name, value in kept.items() if name != operator_key.VARIABLE}
    assert service.pulumi.preview().changes() == {}
    service.pulumi.environment = kept


def rotate(service: Service, *names: str) -> str:
    words = ["rotate", "api", *names, "--stack", str(service.pulumi.config_file), "--yes"]
    done = subprocess.run(
        [str(service.pulumi.project / "unmoor"), *words],
        cwd=service.pulumi.project,
        env={**os.environ, **service.pulumi.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_rotation_gives_both_sites_the_new_value_without_a_failed_request(service: Service, watched: Watch) -> None:
    shell(service, API_TOKEN=SECOND)
    with Visitor(service) as visitor:
        shown = rotate(service, "TOKEN")
    assert found(shown) == []
    assert (visitor.asked > 10, visitor.failed) == (True, [])
    for site in ("api-aws", "api-akash"):
        until(lambda site=site: _has(service, site, wanted(TOKEN=SECOND)), f"{site} has the new value")


def test_a_value_of_pulumis_secret_configuration_reaches_both_sites(service: Service, watched: Watch) -> None:
    """It is set on standard input, as an operator types it, and no variable of the shell holds it."""
    key, file = "unmoor-secret:API_TOKEN", service.pulumi.config_file
    words = ["pulumi", "config", "set", "--secret", key, "--stack", service.pulumi.stack, "--config-file", str(file)]
    environment = {**os.environ, **service.pulumi.environment}
    subprocess.run(words, cwd=service.pulumi.project, env=environment, input=SEALED, text=True, check=True)
    kept = yaml.safe_load(file.read_text())["config"][key]
    assert set(kept) == {"secure"}
    service.settings[key] = kept
    service.pulumi.environment = {
        name: value for name, value in service.pulumi.environment.items() if name != "API_TOKEN"
    }
    service.write()
    assert found(rotate(service, "TOKEN")) == []
    for site in ("api-aws", "api-akash"):
        until(lambda site=site: _has(service, site, wanted(TOKEN=SEALED)), f"{site} has the value")


def test_a_lease_that_loses_its_volume_reports_it_and_gets_the_values_by_a_rotation(service: Service) -> None:
    address = service.site_address("api-akash")
    with service.broken("volume-lost"):
        until(lambda: "were not handed over" in health(service, address), "the lease names what it misses")
    rotate(service)
    until(lambda: health(service, address).startswith("200"), "the lease is well")


def health(service: Service, address: str) -> str:
    try:
        page = get(f"https://{service_stack.HOST}/healthz", service.state, address=address)
    except NotReached as why:
        return str(why)
    return f"{page.status} {page.body.decode()}"


def test_a_new_lease_is_given_the_values_even_if_the_update_was_killed(
    service: Service, sandbox: Sandbox, watched: Watch
) -> None:
    before = set(service.leases())
    options = service.workload["options"]
    options["env"] = {**options["env"], "GREETING": "two"}
    service.write(mode="decentralized")
    kill(service.pulumi, sandbox, lambda: runs(sandbox, "step handover"))
    rented = set(service.leases())
    service.pulumi.up()
    assert digests(service, "api-akash") == wanted(TOKEN=SEALED)
    assert service.ask("/")["greeting"] == "two"
    (left,) = service.leases()
    assert left in rented - before


def test_no_canary_is_an_argument_of_a_process(watched: Watch) -> None:
    assert all(any(f"step {step}" in line for line in watched.lines) for step in ("secret", "handover", "rollout"))
    assert [line for line in watched.lines if found(line)] == []


def test_no_canary_stands_in_state_logs_events_journals_or_stores(service: Service) -> None:
    folders = (service.state.root, service.pulumi.project)
    kept = {
        Path(root, name): Path(root, name).read_bytes().decode("latin-1")
        for folder in folders
        for root, _, names in os.walk(folder)
        for name in names
        if Path(root, name).is_file() and not Path(root, name).is_symlink()
    }
    assert {"world.json", f"events-{service.pulumi.stack}.jsonl"} <= {path.name for path in kept}
    assert [path for path in kept if "state" in path.parts and "backups" in path.parts]
    assert "api-akash-secrets" in service.pulumi.export()
    # The web server keeps them there for its own restart, and nothing else may.
    volumes = [path for path in kept if "web-data" in path.parts and path.parent.parent.name == "secrets"]
    assert sorted(path.name for path in volumes) == sorted(SECRETS)
    for path in volumes:
        del kept[path]
    # The application's own prints are in its container's log. The update shows none of them, as tested above.
    printed = [path for path in kept if path.match("log/task-*-app.log") and BY_ITSELF in kept[path]]
    assert printed
    for path in printed:
        kept[path] = "".join(line for line in kept[path].splitlines(keepends=True) if BY_ITSELF not in line)
    assert found(service.pulumi.export()) == []
    assert {str(path): canaries for path, text in kept.items() if (canaries := found(text))} == {}


def test_every_call_to_aws_is_one_that_the_operators_policy_allows(service: Service) -> None:
    """By name: which resource a call of these services is about stands in its body, in a form of its own for each."""
    plan = from_file(service.pulumi.config_file, builtin(), built=False)
    granted = [action for grant in run.grants(plan, builtin()) for action in grant.actions]
    seen = {call.action for call in calls.read(service.state.root / calls.FILE)} - {"sts:GetCallerIdentity"}
    assert {"secretsmanager:PutSecretValue", "ecs:UpdateService", "iam:PutRolePolicy"} <= seen
    assert "secretsmanager:GetSecretValue" not in seen
    assert sorted(action for action in seen if not any(fnmatchcase(action, each) for each in granted)) == []


def test_destroy_leaves_no_secret(service: Service) -> None:
    service.pulumi.destroy()
    assert (inventory.objects(), service.leases()) == ([], {})
