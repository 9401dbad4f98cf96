"""From the text of `inventory.yaml` to an Inventory, or to every fault in it, each with its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..config import yaml_text
from ..config.models import did_you_mean, faults
from ..errors import ConfigError, Fault
from ..text.escape import shown
from .inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path


_QUOTES = "'"
_TITLE = "the inventory is not valid"
_TAG = re.compile(r"(parts\[\d+\])\.[a-z0-9-]+")


def load(path: Path, today: date) -> Inventory:
    """Read an inventory file. Raises ConfigError with every fault."""
    try:
        text = yaml_text.file_text(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such inventory; copy stacks/inventory.yaml or run `unmoor discover`") from None
    return parse(text, today, str(path))


def parse(text: str, today: date, name: str = "inventory") -> Inventory:
    """Read an inventory from text. Raises ConfigError with every fault."""
    document = yaml_text.load(text, name)
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: an inventory has `dao`, `as_of` and `workloads`; see stacks/inventory.yaml")
    try:
        inventory = Inventory.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_TITLE, [*_sentences(error)]) from None
    if found := [*_across(inventory, today)]:
        raise ConfigError(_TITLE, found)
    return inventory


def _sentences(error: ValidationError) -> Iterator[Fault]:
    """Yield the shared sentences, with the paths and the words that only an inventory needs."""
    for item, fault in zip(error.errors(include_url=False), faults(error, Inventory), strict=True):
        kind, context, message = item["type"], item.get("ctx", {}), fault.message
        if kind == "union_tag_invalid":
            choices = sorted(re.findall(r"'([^']+)'", str(context["expected_tags"])))
            word = str(context["tag"])[:99]
            message = f"no part {shown(word)}{did_you_mean(word, choices)}; choose from {', '.join(choices)}"
        elif kind == "literal_error":
            choices = re.findall(r"'([^']+)'", str(context["expected"]))
            what, word = "layer" if "parties" in item["loc"] else "choice", shown(item["input"])
            message = f"no {what} {word}{did_you_mean(word.strip(_QUOTES), choices)}; choose from {', '.join(choices)}"
        elif kind == "union_tag_not_found":
            message = "say what it is: `what` is required, as `what: ec2`"
        yield Fault(_TAG.sub(r"\1", fault.path), message)


def _across(inventory: Inventory, today: date) -> Iterator[Fault]:
    """Yield what no single model can see."""
    if inventory.as_of > today:
        yield Fault("as_of", f"{inventory.as_of} lies in the future; it is {today}")
    for name, workload in inventory.workloads.items():
        path = f"workloads.{name}"
        if workload.data and workload.data.restore_proved and workload.data.restore_proved > today:
            yield Fault(
                f"{path}.data.restore_proved", f"{workload.data.restore_proved} lies in the future; it is {today}"
            )
        if workload.exit_rehearsed and workload.exit_rehearsed > today:
            yield Fault(f"{path}.exit_rehearsed", f"{workload.exit_rehearsed} lies in the future; it is {today}")
        for index, other in enumerate(workload.after):
            if other not in inventory.workloads:
                known = inventory.workloads
                yield Fault(f"{path}.after[{index}]", f"no workload {other!r}{did_you_mean(other, known)}")
    yield from _circles(inventory)


def _circles(inventory: Inventory) -> Iterator[Fault]:
    """Yield one fault for the workloads that wait for each other."""
    waiting = {name: {*one.after} & {*inventory.workloads} for name, one in inventory.workloads.items()}
    while ready := [name for name, others in waiting.items() if not others]:
        waiting = {name: others.difference(ready) for name, others in waiting.items() if name not in ready}
    if waiting:
        yield Fault(
            f"workloads.{min(waiting)}.after", f"{', '.join(sorted(waiting))} wait for each other; drop one `after`"
        )
