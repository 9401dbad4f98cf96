"""`python -m tests`: the gates, then every tier that this machine can run, in one run of pytest.

A tier that cannot run is skipped with one line that names what to install. Where CI is set, no tier may be skipped
that this machine can run. The exit code is 0 only if every gate and every test passed.

`python -m tests NAME` runs one of NAMED alone: tests for which a plain run has no time, or which it runs in part.
"""

# ruff: noqa: T201  it is a program

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UnmoorError
from sandbox.chapters import forum
from sandbox.engine import resolve
from sandbox.environment import find_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: What prints where a worker crashed, and lets the others continue.
WORKERS = ("-p", "tests.workers", "-p", "no:faulthandler")
#: Most tests of the clouds wait, so four processes take no longer than the longest file. The files start in our order:
#: xdist would start with the files that have most tests, and end with the longest file alone.
SIDE_BY_SIDE = ("-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", *WORKERS)
GATES: dict[str, list[str]] = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy": ["mypy", "--no-error-summary", "-p", "components", "-p", "sandbox"],
    "lint-imports": ["lint-imports", "--no-cache"],
    "lint-imports at run time": ["lint-imports", "--no-cache", "--config", "tests/import_contracts.toml"],
    "commit subjects": ["python", "-m", "tests.subjects"],
    "words": ["python", "-m", "tests.words"],
}


class Skip(Exception):  # noqa: N818 the name is the situation
    """A tier cannot run here; the message names what to install."""


@dataclass(frozen=True)
class Tier:
    """A folder of tests, and what it needs: `prepare` gets it, or raises Skip."""

    name: str
    prepare: Callable[[], None] = lambda: None


def oracle() -> None:
    """Install the official validator at the version in its lock file."""
    if not (shutil.which("npm") and shutil.which("node")):
        raise Skip("Node.js with npm")
    folder = ROOT / "tests" / "oracle"
    made, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if made.exists() and made.stat().st_mtime >= lock.stat().st_mtime:
        return
    words = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        unless_ci(f"the official validator: `{' '.join(words)}` failed ({done.stderr.strip().splitlines()[-1:]})")
    made.touch()


def engine() -> None:
    """Get the engine and Caddy."""
    try:
        resolve.engine()
        resolve.tool(resolve.CADDY)
    except UnmoorError as error:
        unless_ci(str(error))


def histories() -> None:
    """Get the second make of object store."""
    try:
        resolve.tool(resolve.VERSITYGW)
    except UnmoorError as error:
        unless_ci(str(error))


def stateful() -> None:
    """Get the second make of object store; PostgreSQL and pgBackRest are the distribution's."""
    if not (shutil.which("pgbackrest") and any(Path("/usr/lib/postgresql").glob("15/bin/pg_amcheck"))):
        raise Skip("postgresql-15 and pgbackrest")
    histories()


def database() -> None:
    """Install the programs of a database, the engine, and the software of a forum."""
    stateful()
    engine()
    try:
        forum.get()
    except UnmoorError as error:
        unless_ci(str(error))


#: The tiers in the order of their runs: those that wait most come first, so that quick tests fill their pauses.
TIERS = (
    Tier("engine", engine), Tier("stateful", stateful), Tier("parity", engine), Tier("contract"),
    Tier("fuzz"), Tier("oracle", oracle), Tier("histories", histories), Tier("leases"), Tier("graph"), Tier("pure"),
)  # fmt: skip


@dataclass(frozen=True)
class Named:
    """Tests that are run by name: the variable that selects them, its default, their files and their needs."""

    variable: str
    files: tuple[str, ...]
    prepare: Callable[[], None]
    value: str = "1"


NAMED = {
    # Every generator's site made where it is not kept (some minutes), crawled on both halves, opened in a browser.
    "sites": Named("TESTS_SITES", ("tests/parity/test_builds.py", "tests/parity/test_browser.py"), engine),
    # Every door for a minute, with inputs that are made up; a plain run has ten seconds for each.
    "fuzz": Named("TESTS_FUZZ", ("tests/fuzz/test_fuzz.py",), lambda: None),
    # Two real PostgreSQLs, hurt in more ways than a plain run has time for.
    "stateful": Named("TESTS_STATEFUL", ("tests/stateful",), stateful),
    # An application with a database moves by the engine: an update, restores, and back (ten minutes). A third party's
    # forum gets posts while its database moves.
    "database": Named("TESTS_DATABASE", ("tests/engine/test_postgres.py", "tests/stateful/test_forum.py"), database),
    # A closed AWS account, with the zone in Route 53 and on own name servers: two chapters of the demo; the runbook of
    # own servers, and a roll-over of their key on leases; and a validating resolver with strangers, cold servers, other
    # keys and other clocks.
    "drills": Named(
        "TESTS_DRILLS",
        ("tests/contract/test_own_names_drills.py", "tests/engine/test_own_servers.py", "tests/engine/test_drills.py"),
        engine,
    ),
    # A site of 590 MiB through all modes.
    "large": Named("TESTS_LARGE", ("tests/engine/test_large_site.py",), engine),
    # Updates whose disk becomes full at each sort of step, and updates killed at the same moments many times (more than
    # an hour); TESTS_KILLS is the number of rounds.
    "kills": Named("TESTS_KILLS", ("tests/engine/test_full_disk.py", "tests/engine/test_kills.py"), engine, "50"),
}


def run_named(name: str) -> int:
    """Run what a name stands for; 0 if everything passed, or if it cannot run here, which is printed."""
    named = NAMED[name]
    packages()
    try:
        named.prepare()
    except Skip as reason:
        print(f"skipped: {name}, which needs {reason}", file=sys.stderr, flush=True)
        return 0
    words = [sys.executable, "-m", "pytest", "-rs", "--durations=10", *named.files]
    return subprocess.run(words, cwd=ROOT, env={named.variable: named.value, **os.environ}, check=False).returncode


def unless_ci(reason: str) -> None:
    """Skip the tier, or fail where nothing may be skipped."""
    if os.environ.get("CI"):
        sys.exit(f"tests: {reason}")
    raise Skip(reason)


def gates() -> list[str]:
    """Run every gate; return the names of those that found something."""
    failed = []
    for name, words in GATES.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        done = subprocess.run([BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout + done.stderr, flush=True)
            failed.append(name)
    return failed


def folders(tiers: Iterable[Tier]) -> list[str]:
    """Prepare the tiers that exist; return their folders, and print which are skipped."""
    chosen = []
    for tier in tiers:
        folder = ROOT / "tests" / tier.name
        if not any(folder.glob("test_*.py")):
            continue
        try:
            tier.prepare()
        except Skip as reason:
            print(f"skipped: tests/{tier.name}, which needs {reason}", file=sys.stderr, flush=True)
        else:
            chosen.append(str(folder.relative_to(ROOT)))
    return chosen


@dataclass(frozen=True)
class Package:
    """A program that some tests use, by the names it may have, and what is not tested without it.

    `starts` means that its installation starts a service where systemd runs; there it is left to the operator.
    """

    name: str
    programs: tuple[str, ...]
    without: str
    starts: bool = False

    @property
    def there(self) -> bool:
        """Whether it is on PATH."""
        return any(map(shutil.which, self.programs))


PACKAGES = (
    Package("postgresql-15", ("/usr/lib/postgresql/15/bin/pg_amcheck",), "databases at two sites", True),
    Package("pgbackrest", ("pgbackrest",), "databases at two sites, and their archive"),
    Package(
        "chromium",
        ("chromium", "chromium-browser", "google-chrome"),
        "how the report and built sites look in a browser",
    ),
    Package("pdns-backend-sqlite3", ("pdns_server",), "own name servers with their keeper, on a real PowerDNS", True),
    Package("unbound", ("unbound",), "names looked up by a resolver that validates", True),
    Package("busybox", ("busybox",), "the container's script with BusyBox's tools; this machine's stand in for them"),
)


def _root() -> list[str] | None:
    """Return the words that run a program as root without a password; None if that is not possible."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    able = shutil.which("sudo") and not subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode
    return sudo if able else None


def packages() -> None:
    """Install missing packages from the distribution if permitted, or print what is not tested without them."""
    missing = [package for package in PACKAGES if not package.there]
    if missing and shutil.which("apt-get") and (become := _root()) is not None:
        started = Path("/run/systemd/system").exists()
        names = [package.name for package in missing if not (package.starts and started)]
        print(f"{', '.join(names)}: installing from the distribution", file=sys.stderr, flush=True)
        for words in (["update"], ["install", "-y", "--no-install-recommends", *names]):
            subprocess.run([*become, "apt-get", "-qq", *words], stdout=subprocess.DEVNULL, check=False)
    for package in missing:
        if not package.there:
            print(f"skipped: {package.without}, which needs {package.name}", file=sys.stderr, flush=True)


def main(words: list[str]) -> int:
    """Run it all; 0 if everything passed."""
    # A shell that starts us in the background has SIGINT ignored, and every child would inherit that: tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    find_servers()
    if unknown := [word for word in words if word not in {"--gates-only", *NAMED}]:
        sys.exit(f"tests: no {' or '.join(unknown)}; choose from --gates-only, {', '.join(NAMED)}, or nothing")
    if chosen := [word for word in words if word in NAMED]:
        return max(run_named(name) for name in chosen)
    failed = gates()
    if "--gates-only" not in words:
        packages()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", *SIDE_BY_SIDE, *folders(TIERS)], cwd=ROOT, check=False
        )
        failed += ["pytest"] if done.returncode else []
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
