"""The rules on amounts: what the parser reads, and the limits that the chain sets."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from .. import quantity
from ..resources import gpu_key
from .orders import ATTRIBUTE
from .rule import By, Finding, Path, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

rules = Rules()

MIB, TIB = 1024**2, 1024**4
#: chain-sdk go/node/deployment/v1beta4/validation_config.go: a unit's least and most, and a group's most.
CPU = (10, 384_000, 19_200_000)
MEMORY = (MIB, 2 * TIB, 100 * TIB)
STORAGE = (5 * MIB, 32 * TIB, 1600 * TIB)
GPU = (0, 24, 1200)
VOLUMES = 4
CLASSES = ("default", "beta1", "beta2", "beta3", "ram")


def _resources(view: View) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    for name, profile in view.compute.items():
        yield name, ("profiles", "compute", name, "resources"), profile.get("resources") or {}


def _cpus(view: View) -> Iterator[tuple[Path, Any, Fraction | None]]:
    for _, path, resources in _resources(view):
        units = (resources.get("cpu") or {}).get("units")
        if units is not None:
            yield (*path, "cpu", "units"), units, quantity.millicpu(units)


def _sizes(view: View) -> Iterator[tuple[str, Path, str]]:
    for _, path, resources in _resources(view):
        if "size" in (resources.get("memory") or {}):
            yield "memory", (*path, "memory", "size"), resources["memory"]["size"]
    for path, volume in chain.from_iterable(view.volumes.values()):
        if "size" in volume:
            yield "storage", (*path, "size"), volume["size"]


@rules.error(
    "cpu-amount", By.PARSER, "CPU is a whole number of thousandths: 500m, 0.5 or 1.", "Write it with m, such as 250m."
)
def _cpu_amount(view: View) -> Iterator[Finding]:
    for path, units, amount in _cpus(view):
        if amount is None or amount.denominator != 1:
            yield Finding(
                path, f"{str(units)[:40]!r} is not a whole number of thousandths of a CPU; write 500m, 0.5 or 1"
            )


@rules.error("cpu-limit", By.CHAIN, "CPU is 10m to 384 cores a replica.", "Choose an amount between.")
def _cpu_limit(view: View) -> Iterator[Finding]:
    for path, units, amount in _cpus(view):
        if amount is not None and not CPU[0] <= amount <= CPU[1]:
            yield Finding(path, f"{str(units)[:40]} is outside 10m to 384 cores a replica")


@rules.error("cpu-attribute", By.PARSER, "The one attribute of CPU is `arch`.", "Take the others out.")
def _cpu_attribute(view: View) -> Iterator[Finding]:
    for _, path, resources in _resources(view):
        for key, value in ((resources.get("cpu") or {}).get("attributes") or {}).items():
            if key != "arch" or not isinstance(value, str):
                yield Finding(
                    (*path, "cpu", "attributes", key), "is not an attribute of CPU; the only one is arch, a word"
                )


@rules.error(
    "size-amount",
    By.VALIDATOR,
    "A size is a number with a suffix: k, Ki, M, Mi, G, Gi, T, Ti, P, Pi, E or Ei.",
    "Write 512Mi or 2Gi.",
)
def _size_amount(view: View) -> Iterator[Finding]:
    for _, path, written in _sizes(view):
        if quantity.size(written) is None:
            yield Finding(path, f"{written[:40]!r} is not a size; write a number and Ki, Mi, Gi or Ti, such as 512Mi")


@rules.warning(
    "size-spelling",
    "A size is spelled as every tool reads it; capitals count.",
    "Write what the message names; `fix` does where only one thing can be meant. Console takes other spellings, and "
    "the Go tools (akt, provider-services) refuse them.",
)
def _size_spelling(view: View) -> Iterator[Finding]:
    for _, path, written in _sizes(view):
        amount, spelled = quantity.size(written), quantity.exact(written)
        if amount is not None and spelled != written:
            meant = f", or {_binary(spelled)} if that was meant" if doubtful(written) else ""
            yield Finding(
                path,
                f"{written[:40]} is {quantity.whole(amount):,} bytes to Console, and the Go tools refuse it; "
                f"write {spelled}{meant}",
            )


def _binary(spelled: str) -> str:
    return f"{spelled[:-1]}{spelled[-1].upper()}i"


def doubtful(written: str) -> bool:
    """Return whether a size has an `i` and is not read in powers of 1024: `1Gib` is 1,000,000,000 bytes."""
    letters = written.lstrip("0123456789.").lower()
    return letters[1:] != "i" and "i" in letters[1:]


@rules.error("size-limit", By.CHAIN, "Memory is 1 MiB to 2 TiB, a volume 5 MiB to 32 TiB.", "Choose a size between.")
def _size_limit(view: View) -> Iterator[Finding]:
    for kind, path, written in _sizes(view):
        amount = quantity.size(written)
        low, high, _ = MEMORY if kind == "memory" else STORAGE
        if amount is not None and not low <= amount <= high:
            yield Finding(path, f"{written[:40]} is outside {low // MIB} MiB to {high // TIB} TiB of {kind}")


@rules.error(
    "volume-twice",
    By.PARSER,
    "Each volume of a compute profile has a name of its own; one may have none.",
    "Rename it.",
)
def _volume_twice(view: View) -> Iterator[Finding]:
    for volumes in view.volumes.values():
        seen = set()
        for path, volume in volumes:
            name = volume.get("name") or "default"
            if name in seen:
                yield Finding(path, f"there is another volume {name!r} in this profile; rename one")
            seen.add(name)


@rules.error(
    "storage-class",
    By.PARSER,
    "A class of storage is default, beta1, beta2, beta3 or ram.",
    "Choose one: beta3 is NVMe, beta2 SSD.",
)
def _storage_class(view: View) -> Iterator[Finding]:
    for path, volume in chain.from_iterable(view.volumes.values()):
        kind = (volume.get("attributes") or {}).get("class", "default")
        if kind not in CLASSES:
            yield Finding(
                (*path, "attributes", "class"), f"{kind[:40]!r} is not a class; choose from {', '.join(CLASSES)}"
            )


@rules.error("persistent-word", By.PARSER, "`persistent` is true or false.", "Write true or false, without quotes.")
def _persistent_word(view: View) -> Iterator[Finding]:
    for path, volume in chain.from_iterable(view.volumes.values()):
        value = (volume.get("attributes") or {}).get("persistent", False)
        if isinstance(value, str) and value not in {"true", "false"}:
            yield Finding((*path, "attributes", "persistent"), f"{value[:40]!r} is neither true nor false")


@rules.error(
    "gpu-model",
    By.CHAIN,
    "A GPU model makes an attribute that the chain takes: letters, digits, _ . and -, a lone * for any; none twice.",
    "Correct the name, leave `ram` and `interface` out next to *, or take the second one out.",
)
def _gpu_model(view: View) -> Iterator[Finding]:
    for _, path, resources in _resources(view):
        vendors = ((resources.get("gpu") or {}).get("attributes") or {}).get("vendor") or {}
        for vendor, models in vendors.items():
            seen: set[str] = set()
            for index, model in enumerate(models or ()):
                key = gpu_key(vendor, model)
                at = (*path, "gpu", "attributes", "vendor", vendor, index)
                if not ATTRIBUTE.fullmatch(key):
                    plain = "*" in key and (model.get("ram") or model.get("interface"))
                    do = "leave ram and interface out next to *" if plain else "write it as rtx4090"
                    yield Finding(at, f"{key[:80]!r} is not an attribute that the chain takes; {do}")
                elif key in seen:
                    yield Finding(at, "stands there already; take one out")
                seen.add(key)


@rules.error("gpu-amount", By.PARSER, "GPUs come in whole pieces, at most 24 a replica.", "Write a whole number.")
def _gpu_amount(view: View) -> Iterator[Finding]:
    for _, path, resources in _resources(view):
        units = (resources.get("gpu") or {}).get("units")
        written = quantity.text(units) if units is not None else "0"
        if not written.isdecimal() or not written.isascii() or int(written[:20]) > GPU[1]:
            yield Finding((*path, "gpu", "units"), f"{written[:40]!r} is not a whole number from 0 to {GPU[1]}")


@rules.error(
    "group-limit",
    By.CHAIN,
    "A placement asks for at most 19,200 cores, 100 TiB of memory, 1,600 TiB of storage and 1,200 GPUs.",
    "Ask for less, or for two placements.",
)
def _group_limit(view: View) -> Iterator[Finding]:
    limits = {"CPU": CPU[2], "memory": MEMORY[2], "storage": STORAGE[2], "GPU": GPU[2]}
    totals: dict[tuple[str, str], int] = {}
    for each in view.placed:
        count = int(each.deployed.get("count") or 0)
        for kind, amount in _asked(each.compute, view.volumes.get(each.profile, [])):
            key = (each.placement, kind)
            totals[key] = totals.get(key, 0) + amount * count
    for (placement, kind), total in totals.items():
        if total > limits[kind]:
            yield Finding(
                ("profiles", "placement", placement), f"asks for more {kind} in all than the chain allows a group"
            )


def _asked(resources: dict[str, Any], volumes: list[tuple[Path, dict[str, Any]]]) -> Iterator[tuple[str, int]]:
    yield "CPU", quantity.thousandths((resources.get("cpu") or {}).get("units"))
    yield "memory", quantity.count((resources.get("memory") or {}).get("size") or "")
    for _, volume in volumes:
        yield "storage", quantity.count(volume.get("size") or "")
    written = quantity.text((resources.get("gpu") or {}).get("units") or 0)
    yield "GPU", int(written[:20]) if written.isdecimal() else 0


@rules.warning(
    "many-volumes", "A compute profile has at most 4 volumes.", "Join some: providers decline more by default."
)
def _many_volumes(view: View) -> Iterator[Finding]:
    for name, volumes in view.volumes.items():
        if len(volumes) > VOLUMES:
            yield Finding(
                ("profiles", "compute", name, "resources", "storage"),
                f"{len(volumes)} volumes; providers take {VOLUMES}",
            )
