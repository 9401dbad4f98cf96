"""Put a version of a workload's content into every store, verify that anyone can fetch it, and prune old versions."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ...errors import ConfigError, Fault, StepError
from ...files import scratch
from ...limits import RELEASE_BYTES
from ...stores import s3 as stores
from . import bundle, memory, releases
from .folder import Options
from .routes import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ...stores.s3 import OpenStore, Stored

Result = TypeVar("Result")

_BUNDLE = re.compile(r"[0-9a-f]{64}\.tar")


def take(given: Mapping[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    """Keep `version` of `workload` in each of `stores`, and at least `retain` versions.

    The content comes from `folder` read with `options`, or without one from any store that has it. Every store is tried
    even if another fails. Raises StepError that names each failed store, because a backup in fewer stores than
    requested is none. If the stores are of several vendors, the release is then named the newest in each, and `number`
    is its number: containers take it from there.
    """
    opened = open_stores(given["stores"])
    workload, version = given["workload"], given["version"]
    with scratch() as tar:
        packed = obtain(tar, given, opened, progress)
        done, failed = in_each(
            opened, lambda store: _keep(store, tar, packed, workload, int(given["retain"]), progress)
        )
    if failed:
        raise StepError(f"version {version[:12]} of {workload} is not in every store", failed)
    if given.get("folder"):
        noted = memory.Packed(packed.version, packed.size, packed.undated)
        memory.keep(memory.published(Path(given["folder"])), noted)
    kept = {"version": version, "size": packed.size, "files": len(packed.entries), "stores": done}
    if not releases.several_vendors(store.vendor for store in opened):
        return kept
    return kept | {"number": _name_newest(opened, workload, packed, progress)}


def _name_newest(
    opened: Sequence[OpenStore], workload: str, packed: bundle.Bundle, progress: Callable[[str], None]
) -> int:
    """Name a release the newest in every store, all of which have it, and return its number."""
    key, longest = releases.key(workload), RELEASE_BYTES
    found, failed = in_each(opened, lambda store: releases.read(store.read(key, longest) or b"", workload))
    if failed:
        raise StepError(f"the order of {workload}'s releases cannot be read", failed)
    record = releases.next_record(found, workload, packed.version, packed.size, int(time.time()))
    behind = [store for store in opened if found[store.name] != record]
    if behind:
        progress(f"release {packed.version[:12]} of {workload} is number {record.number}")
        _, failed = in_each(behind, lambda store: store.write(key, record.content()))
    if failed:
        raise StepError(f"release {packed.version[:12]} of {workload} is not named in every store", failed)
    return record.number


def open_stores(given: Mapping[str, Any]) -> list[OpenStore]:
    """Open the stores of a step's input. Raises ConfigError with every missing credential."""
    named = stores.settings(given)
    if missing := stores.missing_credentials(named):
        raise ConfigError("the stores cannot be opened", missing)
    return [stores.OpenStore(name, settings) for name, settings in named.items()]


def obtain(
    tar: IO[bytes], given: Mapping[str, Any], opened: Iterable[OpenStore], progress: Callable[[str], None]
) -> bundle.Bundle:
    """Write a version's bundle into `tar`: packed from `folder`, or fetched from the first store that has it whole.

    `given` is a step's input: `workload`, `version`, and `folder` with its `options`, or neither. Raises StepError if
    the folder is no longer what was planned, or no store has the version.
    """
    workload, version, folder = given["workload"], given["version"], given.get("folder")
    if folder:
        packed = bundle.pack(Path(folder), tar, options(given.get("options") or {}))
        tar.flush()
        if packed.version != version:
            raise StepError(
                f"{folder} has changed since the plan: it holds version {packed.version[:12]}, "
                f"the plan has {version[:12]}; run it again to plan what is there now"
            )
        return packed
    key, failed = bundle.key(workload, version), []
    for store in opened:
        try:
            came = store.fetch(key, tar)
        except StepError as error:
            failed.append(Fault("", str(error)))
            continue
        if came == version:
            tar.flush()
            progress(f"version {version[:12]} of {workload} comes from store {store.name}")
            return bundle.read(tar)
        failed.append(Fault("", f"store {store.name}: {key} is damaged: its content has SHA-256 {came[:12]}"))
    raise StepError(
        f"version {version} of {workload} cannot be had from any store; `unmoor restore --list` prints what is kept",
        failed,
    )


def options(given: Mapping[str, Any]) -> Options:
    """Return the options of a folder from a step's input: the settings by name, and `include`."""
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Options(include=settings.pop("include", ()), settings=Settings(**settings))


def in_each(opened: Sequence[OpenStore], task: Callable[[OpenStore], Result]) -> tuple[dict[str, Result], list[Fault]]:
    """Perform a task with every store concurrently; return the result by store, and a fault for each that failed."""

    def attempt(store: OpenStore) -> Result | Fault:
        try:
            return task(store)
        except StepError as error:
            return Fault("", str(error))

    with ThreadPoolExecutor(len(opened)) as pool:
        results = dict(zip((store.name for store in opened), pool.map(attempt, opened), strict=True))
    failed = [result for result in results.values() if isinstance(result, Fault)]
    return {name: result for name, result in results.items() if not isinstance(result, Fault)}, failed


def _keep(
    store: OpenStore, tar: IO[bytes], packed: bundle.Bundle, workload: str, retain: int, progress: Callable[[str], None]
) -> str:
    """Put the bundle into one store, read it back as the public does, and prune; return `there` or `written`."""
    key = bundle.key(workload, packed.version)
    kept = bundles(store, workload)
    # An older version that is published again is written again, so that the newest bundle is always the one published
    # last.
    found = bool(kept) and kept[0].key == key and kept[0].size == packed.size and _seen(store, key) == packed.version
    if not found:
        progress(f"store {store.name}: writing {key}, {packed.size / 1e6:.1f} MB")
        store.put(key, bundle.Window(tar.fileno(), 0, packed.size), packed.version)
        _see(store, key, packed.version)
        kept = bundles(store, workload)
    store.delete(too_old(kept, key, retain))
    return "there" if found else "written"


def _seen(store: OpenStore, key: str) -> str:
    return store.seen_by_anyone(key)[0]


def _see(store: OpenStore, key: str, version: str) -> None:
    """Read the bundle back without credentials. Raises StepError if it is not what was written."""
    came, instead = store.seen_by_anyone(key)
    if instead:
        raise StepError(
            f"store {store.name}: {store.public_url(key)} {instead} to readers without credentials; "
            "the bucket's objects must be public, because containers fetch the site from there"
        )
    if came != version:
        raise StepError(
            f"store {store.name}: {store.public_url(key)} gives other bytes than were written; "
            "ask its vendor, or name another store"
        )


def bundles(store: OpenStore, workload: str) -> list[Stored]:
    """Return a workload's bundles in a store, newest first; other objects below its prefix are ignored."""
    return [stored for stored in store.find(f"{workload}/") if _BUNDLE.fullmatch(stored.key, len(workload) + 1)]


def too_old(kept: list[Stored], served: str, retain: int) -> list[str]:
    """Return the keys of bundles to remove: `retain` newer ones exist, and it is not the one that is served.

    `kept` is newest first.
    """
    return [stored.key for stored in kept[retain:] if stored.key != served]
