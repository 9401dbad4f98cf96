"""The docs workload on a stack of its own: the program of this repository, with the two longest waits made short."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import yaml

from components.kinds.static import bundle
from components.web import http as front
from sandbox.akash import inventory as akash
from sandbox.aws import inventory as aws
from sandbox.client import NotReached, Resolver, get
from sandbox.drive import EngineFailed, Pulumi, Run
from sandbox.state import REPOSITORY, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Sandbox

HOST = "docs.dao.example"
PRIMARY, STANDBY = f"{HOST}/primary", f"{HOST}/standby"
#: What compares the Console account with the stack: it changes with its leases.
ACCOUNT = "akash-account"
#: The addresses of the sandbox's CloudFront, and those that its Akash leases out.
AWS, AKASH = "192.0.2.", "203.0.113."
#: Seconds that a drain waits here: Route 53's 60 s for aliases would be most of what the tests take.
TTL = 5
#: Seconds after which a probe gives up here (300 s in earnest), so that a site that stays wrong can be waited for.
PROBE_VARIABLE, PROBE_S = "TESTS_PROBE_S", "90"
#: The longest that a test waits for something that happens by itself, in seconds.
PATIENCE_S = 120.0
#: The stores of the sandbox, and their buckets.
STORES = {"aws": "dao-example-aws", "storj": "dao-example-storj"}

_PROGRAM = f"""
import runpy, sys
sys.path.insert(0, {str(REPOSITORY)!r})
runpy.run_path({str(REPOSITORY / "__main__.py")!r})
"""
#: The project's own registry: the authority's aliases are kept for TTL seconds.
REGISTRY = f"""
from components.dns.route53 import Route53
from components.project import builtin
REGISTRY = builtin().with_(authorities=[Route53(alias_ttl={TTL})])
"""
_STEPS = f"""#!{sys.executable}
import os, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from components.probe import probe
probe._TIMEOUT = float(os.environ[{PROBE_VARIABLE!r}])
from components.__main__ import main
main()
"""


@dataclass
class Docs:
    """The stack `docs`: `setting` writes one line of its file, `up` makes it so."""

    pulumi: Pulumi
    state: State
    site: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def workload(self) -> dict[str, Any]:
        """What stands in the stack file of the workload; `write` puts changes in place."""
        found: dict[str, Any] = self.settings["unmoor:workloads"]["docs"]
        return found

    def write(self, **workload: Any) -> None:
        """Set lines of the workload (None takes one out) and write the stack file."""
        self.workload.update(workload)
        for name in [name for name, value in self.workload.items() if value is None]:
            del self.workload[name]
        committed = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
        kept = {"encryptionsalt": committed["encryptionsalt"], "config": self.settings}
        self.pulumi.config_file.write_text(yaml.safe_dump(kept))

    def up(self, *arguments: str, **workload: Any) -> Run:
        """Set lines, and update."""
        self.write(**workload)
        return self.pulumi.up(*arguments)

    def fails(self, *arguments: str, **workload: Any) -> Run:
        """Set lines and update, which must fail; return how far it came, and what it printed."""
        try:
            self.up(*arguments, **workload)
        except EngineFailed as failed:
            return failed.run
        raise AssertionError("the update did not fail")

    def again(self) -> Run:
        """Update once more with `--expect-no-changes`; return what changed in spite of that."""
        try:
            return self.pulumi.up("--expect-no-changes")
        except EngineFailed as failed:
            return failed.run

    def page(self, text: str, name: str = "index.html") -> None:
        """Write a page of the site."""
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<!doctype html><title>{text}</title>{text}")

    def version(self) -> str:
        """Return the version of the folder as it is."""
        return bundle.version(self.site)

    def records(self) -> dict[str, str]:
        """Return Route 53's records that lead visitors: `name/set identifier` to the address, alias or CNAME."""
        route53 = aws.client("route53")
        found = {}
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                # A name that begins with _ is a proof for an issuer, and leads no visitor anywhere.
                if record["Type"] in ("A", "CNAME") and not record["Name"].startswith("_"):
                    value = record.get("AliasTarget", {}).get("DNSName") or record["ResourceRecords"][0]["Value"]
                    name = record["Name"].rstrip(".")
                    found["/".join(filter(None, (name, record.get("SetIdentifier"))))] = value.rstrip(".")
        return found

    def served(
        self,
        host: str = HOST,
        path: str = front.HEALTH_PATH,
        address: str | None = None,
        scheme: str = front.SCHEME,
    ) -> str:
        """Return what a visitor gets: the page's text without the white space round it, or why there was none."""
        try:
            page = get(front.url(host, path, scheme), self.state, address=address)
        except NotReached as why:
            return f"not reached: {why}"
        text = page.body.decode()
        if page.status == 200 and path == front.HEALTH_PATH:  # the release; what follows is for operators
            return text.partition("\n")[0].strip()
        return text.strip() if page.status == 200 else f"{page.status}: {text[:200]}"

    def site_serves(self, site: str, path: str = front.HEALTH_PATH) -> str:
        """Return what a site serves under the public host, asked at its own address."""
        try:
            return self.served(path=path, address=Resolver(self.state).addresses(f"{site}.dao.example")[0])
        except NotReached as why:
            return f"not reached: {why}"

    def curl(self, host: str, address: str) -> str:
        """Return the output of `curl --resolve` with validation; without curl, ask from Python."""
        real = self.state.route(address, 443)
        if not shutil.which("curl") or real is None:
            return self.served(host, address=address)
        command = ["curl", "-sS", "--noproxy", "*", "--cacert", str(self.state.ca_bundle), "--max-time", "10"]
        place = ["--connect-to", f"{host}:443:{real[0]}:{real[1]}", f"https://{host}{front.HEALTH_PATH}"]
        done = subprocess.run([*command, *place], capture_output=True, text=True, check=False)
        return done.stdout.partition("\n")[0].strip() if done.returncode == 0 else done.stderr.strip()

    def shown(self) -> dict[str, str]:
        """Return what each site in DNS shows a visitor who validates, under the host's name and its own."""
        found = {}
        for name in sorted(self.records()):
            if name.startswith("docs-"):
                address = Resolver(self.state).addresses(name)[0]
                served = {host: self.curl(host, address) for host in (HOST, name)}
                wrong = {host: output for host, output in served.items() if output != self.version()}
                found[name.partition(".")[0]] = str(wrong) if wrong else "valid for both names"
        return found

    def unmoor(self, *words: str, well: bool = False) -> str:
        """Return what a command of `unmoor` prints about the stack; with `well` it has to find all well."""
        folder = self.site.parent / "stacks"  # where it looks for a project: paths start from its folder's parent
        folder.mkdir(exist_ok=True)
        file = folder / self.pulumi.config_file.name
        file.write_text(self.pulumi.config_file.read_text())
        command = [sys.executable, "-m", "components", *words, "--stack", str(file)]
        environment = {**os.environ, **self.pulumi.environment}
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=well
        ).stdout

    def address(self) -> str:
        """Return where DNS leads a visitor who comes for the first time."""
        return Resolver(self.state).addresses(HOST)[0]

    @staticmethod
    def leases() -> dict[str, str]:
        """Return the open deployments: dseq to the Akash provider of its newest lease, or nothing."""
        return {
            str(each["deployment"]["id"]["dseq"]): each["leases"][-1]["id"]["provider"] if each["leases"] else ""
            for each in akash.open_deployments()
        }

    @contextmanager
    def broken(self, *faults: str, **parameters: Any) -> Iterator[None]:
        """Break things for a while."""
        for fault in faults:
            self.state.start_fault(fault, parameters)
        try:
            yield
        finally:
            for fault in faults:
                self.state.end_fault(fault)

    def end(self) -> None:
        """End everything that a test left running."""
        for child in self.pulumi.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


def make(folder: Path, state: State, environment: dict[str, str], registry: str = REGISTRY) -> Docs:
    """Make a site, a project and a stack in a folder; the stack file is that of the sandbox, with a short TTL."""
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]
    settings["unmoor:ttl"] = TTL
    file = folder / "Pulumi.docs.yaml"
    runner = Pulumi(state, {**environment, PROBE_VARIABLE: PROBE_S}, "docs", file, project(folder, registry))
    made = Docs(runner, state, folder / "site", settings)
    made.page("the first page")
    made.page("another page", "guide/index.html")
    made.page("no such page", "404.html")
    made.workload["options"]["site"] = str(made.site)
    made.write()
    runner.init()
    return made


def project(folder: Path, registry: str = REGISTRY, program: str = _PROGRAM) -> Path:
    """Make a Pulumi project with our plugin, steps, program and a registry in a folder; return where it is."""
    made = folder / "project"
    made.mkdir()
    (made / "Pulumi.yaml").write_text((REPOSITORY / "Pulumi.yaml").read_text())
    (made / ".venv").symlink_to(sys.prefix)
    (made / "components").symlink_to(REPOSITORY / "components")  # where the plugin is looked for
    (made / "__main__.py").write_text(program)
    (made / "project.py").write_text(registry)
    (made / "unmoor").write_text(_STEPS)
    (made / "unmoor").chmod(0o755)
    return made


def store(base: Docs, name: str) -> Any:
    """Return a client of a store, past every fault of it."""
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{base.state.port(name)}",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def tamper(base: Docs) -> dict[tuple[str, str], bytes]:
    """Write something else over every bundle in every store; return what was there."""
    found = {}
    for name, bucket in STORES.items():
        s3 = store(base, name)
        for each in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            found[name, each["Key"]] = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            s3.put_object(Bucket=bucket, Key=each["Key"], Body=b"something else")
    return found


def mend(base: Docs, right: dict[tuple[str, str], bytes]) -> None:
    """Write the bundles again."""
    for (name, key), body in right.items():
        store(base, name).put_object(Bucket=STORES[name], Key=key, Body=body)


def kill(runner: Pulumi, sandbox: Sandbox, when: Callable[[], bool]) -> None:
    """Start an update, kill its whole process group at a moment, see that nothing of it runs on, and take its lock."""
    before = {each.pid for each in sandbox.processes()}
    child = runner.start("up", "--yes", "--skip-preview")
    until(lambda: when() or child.poll() is not None, "the moment to kill")
    assert child.poll() is None, "it ended before it could be killed"
    os.killpg(child.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([each for each in sandbox.processes() if each.pid not in before], timeout=30)
    child.communicate()
    runner.children.remove(child)
    assert [line(each) for each in alive] == []
    runner.cancel()


def runs(sandbox: Sandbox, words: str) -> bool:
    """Return whether a process with these words in its command line runs."""
    return any(words in line(each) for each in sandbox.processes())


def line(process: psutil.Process) -> str:
    """Return a process's command line, or nothing once it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def until(look: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait for something that happens by itself."""
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, f"{what}: not seen within {seconds} s"
        time.sleep(0.1)


def started(run: Run, name: str, operation: str = "") -> int:
    """Return when a resource's step (the first, or that of an operation) began, as a place in the run's events."""
    return _place(run, "resourcePreEvent", name, operation)


def finished(run: Run, name: str, operation: str = "") -> int:
    """Return when a resource's step (the first, or that of an operation) was done, as a place in the run's events."""
    return _place(run, "resOutputsEvent", name, operation)


def _place(run: Run, kind: str, name: str, operation: str) -> int:
    for place, event in enumerate(run.events):
        found = event[kind]["metadata"] if kind in event else {"op": "refresh"}
        right = found["op"] == operation if operation else found["op"] != "refresh"
        if right and found["urn"].endswith(f"::{name}"):
            return place
    raise AssertionError(f"the run has no {kind} of {operation} {name}")
