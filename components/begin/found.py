"""What can be found instead of asked: zones, where a host leads, the generator, a workload of the inventory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..assess.planned import kinds_of
from ..config.models import did_you_mean
from ..errors import ConfigError, UnmoorError
from ..text.escape import outside
from .answers import KIND, Found, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from ..registry import Registry


@dataclass
class Findings:
    """Answers by flag, matching settings of the kind, the command that builds the site, and sentences for a person."""

    answers: dict[str, Found] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    build: str = ""
    notes: list[str] = field(default_factory=list)


def from_inventory(path: Path, name: str, today: date) -> dict[str, Found]:
    """Return the inventory's facts about a workload. Raises ConfigError if there is none, or none of this kind."""
    from ..assess import reading

    workloads = reading.load(path, today).workloads
    if name not in workloads:
        choices = ", ".join(workloads)
        raise ConfigError(f"{path}: no workload {name!r}{did_you_mean(name, workloads)}; choose from {choices}")
    workload = workloads[name]
    if KIND not in kinds_of(workload.work, workload.state):
        fit = ", ".join(each for each, one in workloads.items() if KIND in kinds_of(one.work, one.state))
        raise ConfigError(
            f"{path}: {name} is a {workload.work}, and `unmoor init` begins with a site from a folder; "
            f"choose from {fit or 'none: describe one, or start without the inventory'}"
        )
    source = f"workload {name} of {path}"
    found = {"workload": Found(name, source)}
    if workload.hosts:
        found["host"] = Found(workload.hosts[0], source)
    return found


def project(findings: Findings, folder: Path) -> None:
    """Add what the project's generator determines: the folder that it builds, its command, and matching settings."""
    from ..content.generators import recognise

    made = recognise(folder)
    if made is None:
        return
    findings.notes += [*made.notes, *(f"no equivalent here: {line}" for line in made.rules.missing)]
    if made.generator == "GitBook":
        findings.notes.append(f"GitBook builds no folder; import the space first: {made.build}")
        return
    findings.options.update(made.options)
    findings.build = made.build.strip()
    if holds(folder / made.folder, folder):
        findings.notes.append(
            f"{made.generator}: its pages are in the project's own folder, which holds more than a site; move them "
            "into a folder of their own, and name that one with --site"
        )
    else:
        findings.answers["site"] = Found(made.folder, f"{made.generator} builds it")
    if made.rules.redirects or made.rules.headers:
        findings.notes.append(
            f"{len(made.rules.redirects)} redirects and {len(made.rules.headers)} headers of the vendor's files: "
            "`unmoor content recognise --write FOLDER` writes them where the generator copies them from"
        )


def holds(site: Path, folder: Path) -> bool:
    """Return whether a folder of a site holds the project, so that it would publish the project's own files."""
    return folder.resolve().is_relative_to(site.resolve())


def zones(findings: Findings, registry: Registry) -> list[str]:
    """Return the zones that this process can change, of every authority; a failed request becomes a note."""
    found: list[str] = []
    for authority in registry.authorities.values():
        try:
            found += authority.zones()
        except Exception as error:  # noqa: BLE001 an offer that cannot be made stops nothing
            findings.notes.append(f"the zones at {authority.name} cannot be listed: {outside(error)}; give --zone")
    return sorted(set(found))


def zone(findings: Findings, host: str, there: list[str]) -> None:
    """Offer the zone that a host lies in, or list the zones that exist."""
    fits = zone_of(host, there)
    if fits:
        findings.answers["zone"] = Found(fits, "it is in the account")
    elif there:
        findings.notes.append(f"no zone of the account holds {host or 'the host'}; there are {', '.join(there[:10])}")


def today(findings: Findings, host: str, resolver: str | None) -> None:
    """Add where a host leads today, if anywhere."""
    from ..assess.discover import dns

    try:
        behind = dns.behind(dns.Asker(resolver), host)
    except UnmoorError as error:
        findings.notes.append(str(error))
        return
    if not behind.chain and not behind.addresses:
        findings.notes.append(f"{host} leads nowhere today")
        return
    where = " -> ".join((*behind.chain, *behind.addresses[:1]))
    who = behind.compute or behind.edge
    findings.notes.append(
        f"{host} leads to {where}{f' ({who})' if who else ''} today; "
        "`unmoor doctor` shows what has to happen to its records before the first update"
    )


def chosen(given: Mapping[str, Any], found: Mapping[str, Found], flag: str) -> Any:
    """Return the answer that was given, else the one that was found."""
    return given.get(flag) or (found[flag].value if flag in found else None)
