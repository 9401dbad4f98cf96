"""What a rule is: a name, a sentence, the remedy, who enforces it, and how it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import price
from ..groups import groups
from .switch import allowed

if TYPE_CHECKING:
    from decimal import Decimal

Path = tuple[str | int, ...]


class Level(StrEnum):
    """The severity of a finding."""

    ERROR = "error"  # refused by the network
    WARNING = "warning"  # accepted, and unwise


class By(StrEnum):
    """Who enforces a rule."""

    SCHEMA = "schema"  # the official JSON schema
    VALIDATOR = "validator"  # the official validator's checks beyond the schema
    NEWER = "newer validator"  # checks of the official validator after release 1.0.0-alpha.25
    PARSER = "parser"  # the official Go parser
    MANIFEST = "manifest"  # the manifest's own validation, at the provider
    CHAIN = "chain"  # limits that the chain sets
    ADVICE = "advice"  # enforced by no tool: the network takes it, and it ends badly


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken. `about` is its subject; `line` is its line where the path has none."""

    path: Path
    message: str
    about: Path | None = None
    line: int | None = None


@dataclass(frozen=True)
class Placed:
    """A service in a placement, with everything that its names lead to; empty where they lead nowhere."""

    name: str
    placement: str
    deployed: dict[str, Any]
    service: dict[str, Any]
    compute: dict[str, Any]
    infra: dict[str, Any]

    @property
    def profile(self) -> str:
        """The name of the compute profile."""
        return str(self.deployed.get("profile", ""))

    @property
    def path(self) -> Path:
        """The path of the placement in the document."""
        return ("deployment", self.name, self.placement)


@dataclass(frozen=True)
class View:
    """A document laid out for rules: present values have the right types, and any value may be missing."""

    data: dict[str, Any]
    text: str
    budget_usd_month: float | None
    whole: bool
    services: dict[str, Any]
    compute: dict[str, Any]
    placement: dict[str, Any]
    placed: tuple[Placed, ...]
    volumes: dict[str, list[tuple[Path, dict[str, Any]]]]
    exposes: list[tuple[str, Path, dict[str, Any]]]
    targets: list[tuple[str, Path, dict[str, Any], dict[str, Any]]]

    @cached_property
    def allowed(self) -> dict[str, str]:
        """The rules that the text switches off, with the reason, which may be empty."""
        return allowed(self.text)

    @cached_property
    def formula_usd(self) -> Decimal:
        """The formula price of a valid document, in USD a month."""
        return price.usd_month(self.data, self.groups).usd

    @cached_property
    def ceiling_usd(self) -> Decimal:
        """The most that the ceiling of a valid document lets providers charge, in USD a month."""
        return price.ceiling_usd_month(self.data, self.groups)

    @cached_property
    def groups(self) -> list[dict[str, Any]]:
        """The groups of a valid document."""
        return groups(self.data, "go")


def view(data: dict[str, Any], text: str, budget: float | None, *, whole: bool) -> View:
    """Lay a document out for rules; `whole` is true if no value was left out for a wrong shape."""
    profiles = data.get("profiles") or {}
    services, compute = data.get("services") or {}, profiles.get("compute") or {}
    placement = profiles.get("placement") or {}
    placed = tuple(
        Placed(
            name,
            where,
            deployed,
            services.get(name) or {},
            (compute.get(deployed.get("profile")) or {}).get("resources") or {},
            placement.get(where) or {},
        )
        for name, places in (data.get("deployment") or {}).items()
        for where, deployed in places.items()
    )
    exposes: list[tuple[str, Path, dict[str, Any]]] = [
        (name, ("services", name, "expose", index), expose)
        for name, service in services.items()
        for index, expose in enumerate(service.get("expose") or ())
    ]
    return View(
        data,
        text,
        budget,
        whole,
        services,
        compute,
        placement,
        placed,
        {name: list(_volumes(name, profile.get("resources") or {})) for name, profile in compute.items()},
        exposes,
        [
            (name, (*path, "to", index), expose, to)
            for name, path, expose in exposes
            for index, to in enumerate(expose.get("to") or ())
        ],
    )


def _volumes(profile: str, resources: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    path: Path = ("profiles", "compute", profile, "resources", "storage")
    storage = resources.get("storage")
    if isinstance(storage, dict):
        yield path, storage
    else:
        yield from (((*path, index), volume) for index, volume in enumerate(storage or ()))


Find = Callable[[View], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule, and the function that finds where it is broken."""

    name: str
    level: Level
    by: By
    claim: str
    do: str
    sound: bool  # only for a document without errors
    find: Find = field(repr=False, compare=False)


class Rules:
    """The rules of one module, collected in the order of their definition."""

    def __init__(self) -> None:
        self.all: list[Rule] = []

    def error(self, name: str, by: By, claim: str, do: str) -> Callable[[Find], Find]:
        """Declare a rule that the network enforces."""
        return self._declare(name, Level.ERROR, by, claim, do)

    def warning(self, name: str, claim: str, do: str, *, sound: bool = False) -> Callable[[Find], Find]:
        """Declare a rule on what the network accepts and is unwise."""
        return self._declare(name, Level.WARNING, By.ADVICE, claim, do, sound=sound)

    def _declare(
        self, name: str, level: Level, by: By, claim: str, do: str, *, sound: bool = False
    ) -> Callable[[Find], Find]:
        def declare(find: Find) -> Find:
            self.all.append(Rule(name, level, by, claim, do, sound, find))
            return find

        return declare
