"""The commands of chapters, each with its expected output."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..config.models import PROJECT, Mode
from ..kinds.static import bundle
from ..targets.akash import KEY_VARIABLE, URL_VARIABLE
from ..targets.akash.rails.console_client import KEY_HEADER, ROUTES, URL
from ..web import http
from .case import RENTED
from .chapter import Check

if TYPE_CHECKING:
    from ..config.models import Store
    from ..topology import Site, WorkloadPlan
    from .case import Case, Course

#: Days of rent below which the account must be topped up first.
RUNWAY_DAYS = 30
#: Seconds that an update may take: CloudFront alone takes minutes.
_UPDATE_S = 3600
#: Seconds that one check of all sites may take, and for which it is repeated after a change.
_LOOK_S, _SETTLE_S = 120, 180
#: The beginning of a command that runs a few lines of Python.
PYTHON = ".venv/bin/python -c"
_CONSOLE = (
    f"printf '{KEY_HEADER}: %s\\n' \"${KEY_VARIABLE}\" | "
    f'curl -fsS --max-time 30 -H @- "${{{URL_VARIABLE}:-{URL}}}{ROUTES["balances"][1]}"'
)
_RUNWAY = (
    "import json, sys; held = json.load(sys.stdin)['data']; rent = float(sys.argv[1]); "
    "days = (held['balance'] + held['deployments']) * 30 / rent; "
    f"print(f'{{days:.0f}} days of rent at {{rent:.2f}} USD a month'); sys.exit(days < {RUNWAY_DAYS})"
)
_LEAKS = (
    "import os, sys; text = sys.stdin.read(); "
    "found = [name for name in sys.argv[1:] if os.environ.get(name) and os.environ[name] in text]; "
    "print(*found or ['no credential in the state']); sys.exit(bool(found))"
)


def stack(case: Case) -> str:
    """Return the option that names the stack."""
    return f"--stack {shlex.quote(case.stack)}"


def flip(case: Case, course: Course) -> str:
    """Return the command that puts a workload on a course; `active` is included where it has a meaning."""
    side = f" --active {course.active}" if course.mode is Mode.ACTIVE_STANDBY else ""
    return f"./unmoor flip {case.plan.name} {course.mode}{side} {stack(case)}"


def update(case: Case) -> str:
    """Return the command that deploys the stack file."""
    return f"pulumi up --yes --skip-preview {stack(case)}"


def up(case: Case, *flags: str) -> Check:
    """Deploy the stack file."""
    return Check(" ".join((update(case), *flags)), ("Updating (…):", "Resources:"), limit_s=_UPDATE_S)


def preview(case: Case, *flags: str, shows: tuple[str, ...] = ()) -> Check:
    """Show what an update would change."""
    return Check(" ".join(("pulumi preview", stack(case), *flags)), (*shows, "Resources:"), limit_s=600)


def plan(case: Case, of: WorkloadPlan) -> Check:
    """Read the stack file and verify the plan."""
    lines = [f"{role} {name} on …" for name, role in of.roles.items()]
    return Check(
        f"./unmoor plan {of.name} {stack(case)}",
        (f"{of.name} {of.kind}, {of.mode}, active side {of.active}, {of.host}", *lines),
    )


def planned(case: Case, of: WorkloadPlan) -> Check:
    """Read the plan as JSON and verify it."""
    return Check(
        f"./unmoor plan {of.name} {stack(case)} --json", (f'"mode": "{of.mode}",', f'"active": "{of.active}",')
    )


def status(case: Case, of: WorkloadPlan, *, gone: tuple[str, ...] = ()) -> Check:
    """Verify that every site serves the version; sites on a target that is `gone` do not."""
    short = of.release.short
    lost = {site.name for site in of.sites if site.target in gone}
    lines = [
        f"{role} {site} not well…" if site in lost else f"{role} {site} well {short}" for site, role in of.roles.items()
    ]
    return Check(
        f"./unmoor status {of.name} {stack(case)}",
        (f"{of.name} {of.url} should serve {short}", *lines),
        fails=bool(lost),
        within_s=_SETTLE_S,
        limit_s=_LOOK_S,
    )


def well(case: Case) -> Check:
    """Verify by the exit status that every site serves what the stack file names at that time."""
    shows = (f"{case.plan.name} {case.plan.url} should serve …",)
    return Check(f"./unmoor status {case.plan.name} {stack(case)}", shows, within_s=_SETTLE_S, limit_s=_LOOK_S)


def unwell(case: Case) -> Check:
    """Verify that at least one site is not well."""
    shows = (f"{case.plan.name} {case.plan.url} should serve …", "… not well…")
    return Check(
        f"./unmoor status {case.plan.name} {stack(case)}", shows, fails=True, within_s=_SETTLE_S, limit_s=_LOOK_S
    )


def visit(of: WorkloadPlan, without: str = "") -> Check:
    """Ask the host for its version, as any visitor could, within the time of a failover.

    The expected site is the primary, or the first site that is not on a target that is gone.
    """
    answers = next((site for site in of.sites if site.target != without), of.primary)
    return Check(_visit(answers.health_url), (of.release.id,), within_s=of.failover_s + 30, limit_s=20)


def answered(of: WorkloadPlan) -> Check:
    """Verify that visitors get an answer of any version."""
    return Check(_visit(of.primary.health_url), ("…",), within_s=of.failover_s + 30, limit_s=20)


def unanswered(of: WorkloadPlan) -> Check:
    """Verify that visitors get no answer."""
    return Check(_visit(of.primary.health_url), ("curl: …",), fails=True, within_s=of.failover_s + 30, limit_s=20)


def visit_site(of: WorkloadPlan, site: Site) -> Check:
    """Ask a site for its version at its own name."""
    url = http.url(site.site_host, http.HEALTH_PATH, site.scheme)
    return Check(_visit(url), (of.release.id,), within_s=of.failover_s + 30, limit_s=20)


def _visit(url: str) -> str:
    return f"curl -fsS --max-time 10 {shlex.quote(url)}"


def page(site: Site) -> Check:
    """Open a site's first page at its own name."""
    url = shlex.quote(http.url(site.site_host, scheme=site.scheme))
    return Check(f"curl -sS --max-time 10 -o /dev/null -w '%{{http_code}}\\n' {url}", ("200",), within_s=60, limit_s=20)


def outputs(case: Case, of: WorkloadPlan) -> Check:
    """Read the stack's outputs after an update."""
    return Check(
        f"pulumi stack output workloads --json {stack(case)}",
        (f'"{of.name}": {{', f'"active": "{of.active}",', f'"mode": "{of.mode}",', f'"url": "{of.url}",'),
    )


def bundle_url(of: WorkloadPlan, store: Store) -> str:
    """Return the public URL of a version's bundle, quoted for the shell."""
    return shlex.quote(f"{store.public_url}/{bundle.key(of.identity, of.release.id)}")


def kept(of: WorkloadPlan, store: Store) -> Check:
    """Fetch a bundle as a container does, without credentials, and hash it: the hash is its name."""
    command = f"curl -fsS --max-time 600 {bundle_url(of, store)} | openssl dgst -sha256 -r"
    return Check(command, (f"{of.release.id}…",), within_s=60, limit_s=660)


def unreadable(of: WorkloadPlan, store: Store) -> Check:
    """Verify that a store does not return a bundle."""
    return Check(f"curl -fsS --max-time 30 -o /dev/null {bundle_url(of, store)}", ("curl: …",), fails=True)


def listed(of: WorkloadPlan, store: Store) -> Check:
    """Verify that a bundle can be unpacked."""
    command = f"curl -fsS --max-time 600 {bundle_url(of, store)} | tar -tf -"
    return Check(command, ("index.html",), within_s=60, limit_s=660)


def zone(case: Case, *, differs: str = "", within_s: int = 0) -> Check:
    """Return a check that all servers of the zone agree, or that a difference ends with the text `differs`."""
    shows = f"! …{differs}" if differs else "… all agree"
    command = f"./unmoor zone check {stack(case)}"
    return Check(command, (shows,), fails=bool(differs), within_s=within_s, limit_s=600)


def names_set(case: Case) -> Check:
    """Verify that the credentials are in the environment, by name; without any, that Pulumi has a login."""
    if not case.secrets:
        return Check("pulumi whoami", ("…",))
    wanted = " ".join(f"-e {name}" for name in case.secrets)
    return Check(f"env | cut -d= -f1 | LC_ALL=C sort | grep -x {wanted}", case.secrets)


def balance() -> Check:
    """Ask for the balance of the account at Akash Console; the key is passed on standard input, not as an argument."""
    return Check(_CONSOLE, ('{"data":…"balance":…',))


def runway(case: Case) -> Check:
    """Compute how many days of rent the account can pay; fewer than RUNWAY_DAYS are an error."""
    command = f"{_CONSOLE} | {PYTHON} {shlex.quote(_RUNWAY)} {case.rent_usd_month:.2f}"
    return Check(command, (f"… days of rent at {case.rent_usd_month:.2f} USD a month",))


def no_leak(case: Case, *more: str) -> Check:
    """Verify that no credential of the environment stands in the stack's state."""
    names = " ".join((*case.secrets, *more))
    return Check(
        f"pulumi stack export {stack(case)} | {PYTHON} {shlex.quote(_LEAKS)} {names}", ("no credential in the state",)
    )


def refill(case: Case) -> Check:
    """Put the version into every store again, after a refresh from the clouds."""
    step = f"urn:pulumi:{case.stack}::{PROJECT}::unmoor:index:Workload$command:local:Command::{case.plan.name}-keep"
    return up(case, "--refresh", "--replace", shlex.quote(step))


def rents(of: WorkloadPlan) -> bool:
    """Return whether a site stands on a lease."""
    return any(site.target == RENTED for site in of.sites)
