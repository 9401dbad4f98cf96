"""What `unmoor init` asks, and the stack file that the answers make. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config.models import PROJECT, did_you_mean
from ..errors import Fault
from ..stores.vendors import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The kind that a folder of files makes.
KIND = "static"
#: Settings of a store that `--store` may set, after the bucket.
_SETTINGS = ("public_url", "endpoint", "region", "access_key", "secret_key")


@dataclass(frozen=True)
class Question:
    """A question whose answer has no default: its flag, its words, and an example of an answer."""

    flag: str
    words: str
    example: str


#: In the order in which they are asked; an answer that was found is offered.
QUESTIONS = (
    Question("host", "Public name of the site", "docs.dao.example"),
    Question("zone", "Zone that the name lies in", "dao.example"),
    Question("site", "Folder of the built site, relative to the project", "site"),
    Question("store", "Store for every version, VENDOR=BUCKET; name two vendors", "aws=dao-example-bundles"),
)


@dataclass(frozen=True)
class Answers:
    """Everything in a first stack file. `stores` are texts as `--store` takes them; `options` are the kind's own.

    `label` is the stack's in names that another stack of the project could use; empty where it is the only stack.
    """

    host: str
    zone: str
    site: str
    stores: tuple[str, ...]
    workload: str
    region: str
    mode: str
    options: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Found:
    """An answer that was found, and where."""

    value: str
    source: str


def missing(given: Mapping[str, Any], found: Mapping[str, Found]) -> list[Fault]:
    """Return each question that has neither an answer nor a found one."""
    return [
        Fault(f"--{each.flag}", f"{each.words[0].lower()}{each.words[1:]}; such as --{each.flag} {each.example}")
        for each in QUESTIONS
        if not given.get(each.flag) and each.flag not in found
    ]


def zone_of(host: str, zones: Iterable[str]) -> str | None:
    """Return the zone that a host lies in, the longest of several; None where there is none."""
    inside = [zone for zone in zones if host == zone or host.endswith(f".{zone}")]
    return max(inside, key=len, default=None)


def stores(texts: Iterable[str], region: str) -> tuple[dict[str, dict[str, str]], list[Fault]]:
    """Parse the values of `--store`, by vendor: `VENDOR=BUCKET`, then `,setting=value` for each setting.

    `region` is the default region of a store at AWS.
    """
    made: dict[str, dict[str, str]] = {}
    found: list[Fault] = []
    for text in texts:
        first, *rest = text.split(",")
        vendor, _, bucket = first.partition("=")
        place = f"--store {vendor}"
        if not vendor or not bucket:
            found.append(Fault("--store", f"{text!r} is not a store; write VENDOR=BUCKET, such as aws=dao-bundles"))
            continue
        if vendor in made:
            found.append(Fault(place, "is given twice; keep one, and add another in the stack file"))
            continue
        settings = {"vendor": vendor, "bucket": bucket}
        for each in rest:
            name, _, value = each.partition("=")
            if name not in _SETTINGS or not value:
                choices = ", ".join(_SETTINGS)
                found.append(Fault(place, f"no setting {name!r}{did_you_mean(name, _SETTINGS)}; choose from {choices}"))
            settings[name] = value
        at = settings.get("region", region if vendor == "aws" else "")
        row = {key: value for key, value in known(vendor).settings.items() if key not in settings}
        if not at and any("{region}" in value for value in row.values()):
            found.append(Fault(place, f"needs region; write --store {first},region=…: the vendor's own name of it"))
        made[vendor] = {key: value.format(region=at, bucket=bucket) for key, value in row.items()} | settings
        if vendor != "aws":
            named = vendor.upper().replace("-", "_")
            for key in ("access_key", "secret_key"):
                made[vendor].setdefault(key, f"{named}_{key.upper()}")
            found += [
                Fault(place, f"needs {key}; write --store {first},{key}=https://…: {why}")
                for key, why in (
                    ("endpoint", "its S3 endpoint"),
                    ("public_url", "where anyone can read the bucket's objects without credentials"),
                )
                if key not in made[vendor]
            ]
    return made, found


def settings(answers: Answers) -> tuple[dict[str, Any], list[Fault]]:
    """Return the settings of the stack file, without our prefix, and what is wrong with the stores."""
    made, found = stores(answers.stores, answers.region)
    workload = {
        "kind": KIND,
        "mode": answers.mode,
        "host": answers.host,
        "backup": {"stores": sorted(made)},
        "options": {"site": answers.site, **answers.options},
    }
    named = {"label": answers.label} if answers.label else {}
    return {**named, "zone": answers.zone, "stores": made, "workloads": {answers.workload: workload}}, found


def text(answers: Answers) -> str:
    """Return the stack file."""
    import yaml

    made, _ = settings(answers)
    config = {"aws:region": answers.region, **{f"{PROJECT}:{key}": value for key, value in made.items()}}
    body = yaml.safe_dump({"config": config}, sort_keys=False, width=120, allow_unicode=True)
    return (
        "# yaml-language-server: $schema=schema.json\n"
        "# Every setting is explained by `unmoor schema --markdown`; `unmoor plan` checks this file offline.\n"
        "# Secrets stand in the environment: names of variables may stand here, values never.\n"
        f"{body}"
    )
