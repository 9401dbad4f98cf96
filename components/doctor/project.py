"""Checks of what an update needs here: engine, plug-ins, virtual environment, state, built site, issuer."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

from ..coding import PLAIN, beginning
from ..deadline import followed, within
from ..errors import ConfigError
from ..exposure import Proof
from ..limits import DOCTOR_PROGRAM_S as _WITHIN_S
from ..limits import PAGE_BYTES
from ..needs import Check, Finding, caution, not_ready, ready, unseen
from ..release import NOT_BUILT
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx

    from ..topology import Topology

#: The oldest engine that works with the library's range of the SDK.
OLDEST_ENGINE = (3, 240, 0)
_INSTALL = "curl -fsSL https://get.pulumi.com | sh"
#: Packages whose plug-ins the engine needs, by the plug-in's name.
_PLUGINS = {"aws": "pulumi-aws", "command": "pulumi-command"}
_VERSIONS = """import importlib.metadata as m, json
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return ""
print(json.dumps({name: version(name) for name in %r}))"""


def checks(folder: Path, document: Mapping[str, Any], topology: Topology) -> Iterator[Check]:
    """Return the checks of a project's folder; `document` is the whole stack file."""
    project = settings(folder)
    yield Check("engine", functools.partial(engine, folder, project))
    yield Check("virtual environment", functools.partial(environment, folder, project))
    yield Check("plug-ins", functools.partial(plugins, folder, project))
    yield Check("state", functools.partial(state, folder, document))
    yield Check("site", functools.partial(built, topology))
    if any(
        site.exposure.proof in {Proof.PASSED_ON, Proof.HOST_ONLY} for plan in topology.workloads for site in plan.sites
    ):
        yield Check("issuer", functools.partial(issuer, topology.acme.directory, topology.acme.issuer))


def settings(folder: Path) -> dict[str, Any]:
    """Return Pulumi.yaml as plain data; nothing if it does not exist. Raises ConfigError when it cannot be read."""
    from ..config import yaml_text

    try:
        found = yaml_text.load_file(folder / "Pulumi.yaml")
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def backend(project: Mapping[str, Any]) -> str:
    """Return where Pulumi keeps the state, by environment and Pulumi.yaml; empty where `pulumi login` decides."""
    named = project.get("backend")
    return os.environ.get("PULUMI_BACKEND_URL") or str((named if isinstance(named, dict) else {}).get("url") or "")


def engine(folder: Path, project: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that the engine is there, and that its version fits library and project."""
    if not project:
        yield not_ready(f"{folder} has no Pulumi.yaml", "unmoor init")
    done = _run(["pulumi", "version"], folder)
    if done is None:
        yield not_ready("pulumi is not on PATH", _INSTALL)
        return
    found = _version(done.stdout)
    asked = re.match(r"\s*>=\s*v?(\d+\.\d+\.\d+)", str(project.get("requiredPulumiVersion") or ""))
    oldest = max(OLDEST_ENGINE, _version(asked[1]) if asked else OLDEST_ENGINE)
    words = ".".join(map(str, found))
    if found < oldest:
        yield not_ready(f"pulumi {words} is older than {'.'.join(map(str, oldest))}", _INSTALL)
    else:
        yield ready(f"pulumi {words}")


def environment(folder: Path, project: Mapping[str, Any]) -> Iterator[Finding]:
    """Check the environment in which the engine runs the program."""
    name, python = _python(folder, project)
    if not python.exists():
        yield not_ready(f"{name} is no virtual environment", "pulumi install")
        return
    there = _packages(folder, python, ("pulumi", *_PLUGINS.values()))
    missing = [package for package, version in there.items() if not version]
    if missing:
        yield not_ready(f"{name} has no {', '.join(missing)}", f"{name}/bin/pip install 'unmoor[pulumi]'")
    else:
        yield ready(f"{name} has pulumi {there['pulumi']} and pulumi-aws {there['pulumi-aws']}")


def plugins(folder: Path, project: Mapping[str, Any]) -> Iterator[Finding]:
    """Check for our provider where Pulumi.yaml names it, and for the other plug-ins that the engine has."""
    named = (project.get("plugins") or {}).get("providers") or []
    path = next((str(each.get("path")) for each in named if each.get("name") == "unmoor"), None)
    if path is None or not os.access(folder / path / "pulumi-resource-unmoor", os.X_OK):
        where = "Pulumi.yaml names no folder for the provider unmoor" if path is None else f"{path} has no provider"
        yield not_ready(where, "pulumi install, and see the manual's `Set up a project`")
    _, python = _python(folder, project)
    wanted = _packages(folder, python, tuple(_PLUGINS.values())) if python.exists() else {}
    done = _run(["pulumi", "plugin", "ls", "--json"], folder)
    if done is None:
        yield unseen("pulumi is not on PATH, and knows which others there are")
        return
    have = {(each["name"], str(each.get("version", "")).lstrip("v")) for each in json.loads(done.stdout or "[]")}
    missing = [
        (name, wanted[package])
        for name, package in _PLUGINS.items()
        if wanted.get(package) and (name, wanted[package]) not in have
    ]
    off = os.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "").lower() in {"1", "true"}
    for name, version in missing:
        if off:
            yield not_ready(f"plug-in {name} {version} is not here", f"pulumi plugin install resource {name} {version}")
    if path is not None and not (missing and off):
        fetched = f"; the engine fetches {' and '.join(name for name, _ in missing)}" if missing else ""
        yield ready(f"the provider unmoor is in {path}{fetched}")


def state(folder: Path, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Check where the state is kept, and whether losing AWS loses it."""
    done = _run(["pulumi", "whoami", "--json", "--non-interactive"], folder)
    if done is None:
        yield unseen("pulumi is not on PATH, and knows where the state is")
        return
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        yield not_ready(f"Pulumi is not logged in: {outside(last)}", "pulumi login")
        return
    url = str(json.loads(done.stdout).get("url", ""))
    yield from where(url)
    if str(document.get("secretsprovider", "")).startswith("awskms:"):
        yield caution(
            "the stack's secrets are sealed with a key at AWS: losing AWS loses them",
            "pulumi stack change-secrets-provider passphrase",
        )


def where(url: str) -> Iterator[Finding]:
    """Judge a place of state by its address."""
    shown = outside(url, 120)
    if url.startswith("s3:"):
        yield caution(
            f"the state is at {shown}; losing AWS loses it, and with it the way out of AWS",
            "keep `pulumi stack export` at another vendor after each update, or move: pulumi login ANOTHER",
        )
    elif url.startswith("file:"):
        yield caution(f"the state is on this machine alone ({shown})", "pulumi login, at a vendor that is not AWS")
    else:
        yield ready(f"the state is at {shown}; losing AWS does not lose it")


def built(topology: Topology) -> Iterator[Finding]:
    """Check that what the workloads serve is built."""
    missing = [plan.name for plan in topology.workloads if plan.release == NOT_BUILT]
    for name in missing:
        yield not_ready(
            f"what {name} serves is not built yet", "run the site's build; `unmoor content recognise` names it"
        )
    if not missing:
        yield ready("what is served is built")


def issuer(directory: str, name: str) -> Iterator[Finding]:
    """Ask the issuer's directory who it is in CAA records (RFC 8555 §7.1.1)."""
    answer, content = _asked(directory)
    meta = json.loads(content).get("meta") or {} if answer.is_success else {}
    if not answer.is_success:
        yield not_ready(f"{directory} answers {answer.status_code}", "correct unmoor:acme: {directory: …}")
    elif name not in (meta.get("caaIdentities") or [name]):
        yield not_ready(
            f"{directory} signs as {', '.join(meta['caaIdentities'])}, and the stack's CAA records would name {name}",
            f"write unmoor:acme: {{issuer: {meta['caaIdentities'][0]}}} into the stack file",
        )
    else:
        limits = "; 5 certificates a week for the same names, 5 failures an hour for a name" * (
            name == "letsencrypt.org"
        )
        yield ready(f"{name} answers{limits}")


def _asked(url: str) -> tuple[httpx.Response, bytes]:
    """Return an answer behind its redirects, and the beginning of its body. Raises httpx.HTTPError."""
    import httpx

    with within(_WITHIN_S) as deadline, httpx.Client(timeout=_WITHIN_S / 2) as client:
        request = client.build_request("GET", url, headers=PLAIN, extensions={"trace": deadline.trace})
        answer = followed(client, request)
        return answer, beginning(answer, PAGE_BYTES)


def _python(folder: Path, project: Mapping[str, Any]) -> tuple[str, Path]:
    """Return the environment as Pulumi.yaml names it, and its Python."""
    runtime = project.get("runtime")
    options = (runtime.get("options") or {}) if isinstance(runtime, dict) else {}
    name = str(options.get("virtualenv") or ".venv")
    return name, folder / name / "bin" / "python"


def _packages(folder: Path, python: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of packages in an environment, "" for one that it lacks."""
    done = _run([str(python), "-I", "-c", _VERSIONS % (names,)], folder)
    if done is None or done.returncode:
        raise ConfigError(f"{python} does not run: {outside(done.stderr if done else 'it is missing')}")
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:3])


def _run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str] | None:
    """Run a program, and return what it printed; None where it is not on PATH."""
    try:
        return subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except FileNotFoundError:
        return None
