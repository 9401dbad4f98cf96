"""Read the text of `inventory.yaml` as an Inventory, or report every fault in it with its path."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..config import yaml_text
from ..config.models import did_you_mean, faults, join
from ..errors import ConfigError, Fault
from ..text.escape import shown
from . import agreement
from .inventory import Inventory
from .parts import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path


_TITLE = "the inventory is not valid"
_TAG = re.compile(r"(parts\[\d+\])\.[a-z0-9-]+")
#: Stand-ins for required settings that are missing or wrong, so that the checks across settings still run.
_STAND_INS: dict[str, Any] = {
    "dao": {"name": "x"},
    "name": "x",
    "as_of": "2000-01-01",
    "title": "x",
    "state": "none",
    "importance": "moderate",
    "parties": {"compute": "own"},
    "compute": "own",
    "cpu": 1,
    "memory_gib": 1,
    "gb": 0,
    "usd_month": 0,
    "source": "x",
    "class": "scoped",
    "mode": "centralized",
    "needed": 1,
    "of": 1,
}
_REPAIRS = 6


def load(path: Path, today: date) -> Inventory:
    """Read an inventory file. Raises ConfigError with every fault."""
    try:
        text = yaml_text.file_text(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such inventory; `unmoor inventory init` writes one") from None
    return parse(text, today, str(path))


def parse(text: str, today: date, name: str = "inventory") -> Inventory:
    """Read an inventory from text. Raises ConfigError with every fault, those across settings included."""
    document = yaml_text.load(text, name)
    if document is None:
        raise ConfigError(f"{name}: the file is empty; `unmoor inventory init` writes an inventory")
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: an inventory has `dao`, `as_of` and `workloads`; see docs/inventory.md")
    try:
        inventory = Inventory.model_validate(document)
    except ValidationError as error:
        found = [*_sentences(error)]
        seen = {fault.path for fault in found}
        found += [fault for fault in _salvaged(document, error, today) if fault.path not in seen]
        raise ConfigError(_TITLE, found) from None
    if found := [*agreement.faults(inventory, today)]:
        raise ConfigError(_TITLE, found)
    return inventory


def _salvaged(document: Any, error: ValidationError, today: date) -> list[Fault]:
    """Return further faults: put valid values in place of faulty ones, and check the agreement of the rest."""
    rest = copy.deepcopy(document)
    repaired: set[str] = set()
    for _ in range(_REPAIRS):
        wrong = {_place(item["loc"]): item["type"] == "missing" for item in error.errors(include_url=False)}
        # from the end of every list, so that the indexes of other faults stay valid
        for place in sorted(wrong, key=_backwards, reverse=True):
            repaired.add(join(place))
            _repair(rest, place, missing=wrong[place])
        try:
            return [*agreement.faults(Inventory.model_validate(rest), today, frozenset(repaired))]
        except ValidationError as again:
            error = again
    return []


def _backwards(place: tuple[str | int, ...]) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, part) for part in place]


def _place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return a location in the document's terms: without the marks of keys and of the part's kind."""
    place = [part for part in loc if part != "[key]"]
    found: list[str | int] = []
    for index, part in enumerate(place):
        tag = index >= 2 and place[index - 2] == "parts" and isinstance(place[index - 1], int)
        if not tag:
            found.append(part)
    return tuple(found)


def _repair(rest: Any, place: tuple[str | int, ...], *, missing: bool) -> None:
    """Remove a faulty value from a document, or insert a valid one where a value is missing."""
    here = rest
    for part in place[:-1]:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return
    last = place[-1]
    if missing and isinstance(here, dict):
        here[last] = copy.deepcopy(_STAND_INS.get(str(last), {}))
    elif isinstance(here, dict):
        found = last if last in here else next((key for key in here if str(key) == str(last)), None)
        here.pop(found, None)
    elif isinstance(here, list) and isinstance(last, int) and last < len(here):
        del here[last]


def _sentences(error: ValidationError) -> Iterator[Fault]:
    """Yield the shared sentences, with the paths and the words that only an inventory needs."""
    for item, fault in zip(error.errors(include_url=False), faults(error, Inventory), strict=True):
        yield Fault(_TAG.sub(r"\1", fault.path), _message(item, fault.message))


def _message(item: Any, message: str) -> str:
    """Return the sentence for one of pydantic's findings; the shared one where an inventory needs no other."""
    kind, context, value = item["type"], item.get("ctx", {}), item["input"]
    if kind in {"union_tag_invalid", "literal_error"}:
        part = kind == "union_tag_invalid"
        what = "part" if part else "layer" if "parties" in item["loc"] else "choice"
        word = context["tag"] if part else value
        return _choice(what, str(word)[:99], str(context["expected_tags" if part else "expected"]))
    if kind == "too_short":
        empty = (
            "no workload is described; add one" if item["loc"][-1] == "workloads" else "the list is empty; add an item"
        )
        return f"{empty}, as in docs/inventory.md"
    if kind.startswith("date"):
        return f"{shown(value)} is not a date; write year, month and day, as 2026-11-20"
    if kind == "union_tag_not_found":
        message = "the kind of part is missing; `what` is required, as `what: ec2`"
    elif kind == "float_parsing" and isinstance(value, str) and "," in value:
        message += f"; write the decimals after a point, as {shown(value.replace(',', '.'))[1:-1]}"
    elif kind == "less_than_equal" and context["le"] == MOST:
        message = f"{shown(value)} is more than any DAO pays or keeps; correct it, {MOST:,.0f} is the most"
    return message


def _choice(what: str, word: str, expected: str) -> str:
    choices = re.findall(r"'([^']+)'", expected)
    choices = sorted(choices) if what == "part" else choices
    return f"no {what} {shown(word)}{did_you_mean(word, choices)}; choose from {', '.join(choices)}"
