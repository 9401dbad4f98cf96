"""`unmoor restore`: restore a kept version of a workload's content from any store that answers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ..config import models as config
from ..errors import ConfigError, Fault, StepError
from ..files import scratch
from ..kinds.static import bundle
from ..kinds.static.keep import bundles
from ..limits import BUNDLE_BYTES
from ..stores import s3 as stores
from ..topology import identity
from .which import stack_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Kept:
    """A version in stores: when it was last written, its size in bytes, and where it is."""

    version: str
    written: datetime
    size: int
    stores: tuple[str, ...]


@click.command()
@click.argument("workload")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), required=False)
@stack_option()
@click.option("--version", "wanted", help="The version to bring back, or its beginning.")
@click.option("--list", "only_list", is_flag=True, help="Print which versions are kept where, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cli(workload: str, folder: Path | None, stack: str, wanted: str | None, only_list: bool, as_json: bool) -> None:
    """Bring back a kept version of WORKLOAD's content into DIR, verified by its hash.

    Without --version it is the one that the stack file names, else the newest, if at least two stores agree on which
    that is. Stores are tried in the order of the stack file; one that answers is enough for a version that is named.
    DIR must be missing, empty, or hold nothing but files of that version, of which the missing ones are put back.
    """
    named, pinned, identity = stores_of(_path(stack), workload)
    listed = _listed(named, identity)
    kept = _kept(listed)
    if only_list:
        _print(kept, as_json=as_json)
        return
    if folder is None:
        raise click.UsageError("name the DIR to restore into, or ask for --list")
    meant = pinned if wanted is None else wanted
    version = newest(listed, list(named), workload) if meant is None else choose(kept, meant, workload)
    sizes = [stored.size for each in listed.values() for stored in each if _version(stored) == version]
    size = max(sizes, default=BUNDLE_BYTES)
    with scratch() as tar:
        answered = _fetch(tar, named, bundle.key(identity, version), version, min(size, BUNDLE_BYTES))
        content = bundle.read(tar)
        put = put_into(folder, tar, content)
    done = {"workload": workload, "version": version, "store": answered, "dir": str(folder), "files": put}
    sentence = f"{folder}: {put} of {len(content.entries)} files written; version {version}, from store {answered}"
    click.echo(json.dumps(done) if as_json else sentence)


def _path(stack: str) -> Path:
    return Path(stack) if stack.endswith((".yaml", ".yml")) else Path("stacks") / f"Pulumi.{stack}.yaml"


def stores_of(path: Path, workload: str) -> tuple[dict[str, config.Store], str | None, str]:
    """Return the stores of a workload in the order of the stack file, the version that it names, and the keys' prefix.

    Raises ConfigError with every fault.
    """
    stack, faults = config.read(config.load_file(path))
    if stack is None:
        raise ConfigError(f"{path} is not valid", faults)
    if workload not in stack.workloads:
        meant = config.did_you_mean(workload, stack.workloads)
        raise ConfigError(f"{path}: no workload {workload!r}{meant or '; choose ' + ' or '.join(stack.workloads)}")
    backup = stack.workloads[workload].backup
    names = backup.stores if backup else ()
    if unknown := [Fault("", f"no store {name!r}") for name in names if name not in stack.stores]:
        raise ConfigError(f"{path}: workloads.{workload}.backup.stores", unknown)
    pinned = stack.workloads[workload].options.get("version")
    kept = {name: stack.stores[name] for name in names}
    return kept, str(pinned) if pinned else None, identity(workload, stack.label)


def _listed(named: Mapping[str, config.Store], workload: str) -> dict[str, list[stores.Stored]]:
    """Return what each store that opens and answers holds, newest first; print which do not."""
    found = {}
    for name, settings in named.items():
        if missing := stores.missing_credentials({name: settings}):
            click.echo(f"store {name} is not listed: {missing[0].message}", err=True)
            continue
        try:
            found[name] = bundles(stores.OpenStore(name, settings), workload)
        except StepError as error:
            click.echo(str(error), err=True)
    return found


def _version(stored: stores.Stored) -> str:
    return stored.key.rpartition("/")[2].removesuffix(".tar")


def _kept(listed: Mapping[str, list[stores.Stored]]) -> list[Kept]:
    """Join the stores' lists by version, newest first."""
    found: dict[str, Kept] = {}
    for name, each in listed.items():
        for stored in each:
            version = _version(stored)
            before = found.get(version, Kept(version, stored.written, stored.size, ()))
            found[version] = Kept(version, max(before.written, stored.written), stored.size, (*before.stores, name))
    return sorted(found.values(), key=lambda kept: kept.written, reverse=True)


def newest(listed: Mapping[str, list[stores.Stored]], named: Sequence[str], workload: str) -> str:
    """Return the newest version if at least two stores list the same one as newest, or if there is one store.

    A version's hash proves that its bytes are whole, and not that they are the DAO's: a single store could offer
    content of its own, or an old version with a new date. Raises StepError.
    """
    first = {name: each[0] for name, each in listed.items() if each}
    if not first:
        raise StepError(f"no version of {workload} is known from any store; name one with --version")
    versions = {_version(stored) for stored in first.values()}
    if len(versions) == 1 and (len(first) > 1 or len(named) == 1) and len(first) == len(listed):
        return versions.pop()
    raise StepError(
        f"the newest version of {workload} is not certain; name with --version the one that `unmoor review` showed or "
        "a site serves at /healthz",
        [
            Fault("", f"store {name} has {_version(first[name])} of {first[name].written:%Y-%m-%d %H:%M:%S} UTC")
            if name in first
            else Fault("", f"store {name} {'has none' if name in listed else 'is not listed'}")
            for name in named
        ],
    )


def choose(kept: list[Kept], wanted: str, workload: str) -> str:
    """Return the version that begins with the given digits.

    A complete version need not be listed: without credentials, a store's public side still has it.
    """
    if len(wanted) == 64:
        return wanted
    meant = [each.version for each in kept if each.version.startswith(wanted)]
    if len(meant) != 1:
        how_many = "no version of" if not meant else f"{len(meant)} versions of"
        raise StepError(f"{how_many} {workload} begin with {wanted!r}; `unmoor restore {workload} --list` prints them")
    return meant[0]


def _fetch(tar: IO[bytes], named: Mapping[str, config.Store], key: str, version: str, most: int) -> str:
    """Write the bundle into `tar` from the first store whose public side has it whole; return the store's name.

    No more than `most` bytes are read from any store.
    """
    failed = []
    for name, settings in named.items():
        came, instead = stores.read_public(f"{settings.public_url}/{key}", tar, most)
        if came != version and not stores.missing_credentials({name: settings}):
            try:
                came = stores.OpenStore(name, settings).fetch(key, tar, most)
            except StepError as error:
                failed.append(Fault("", str(error)))
                continue
        if came == version:
            tar.flush()
            return name
        failed.append(Fault("", f"store {name}: {key} {instead or 'is damaged: its content has another SHA-256'}"))
    raise StepError(f"version {version} cannot be had from any store; `--list` prints what each holds", failed)


def put_into(folder: Path, tar: IO[bytes], content: bundle.Bundle) -> int:
    """Make a folder hold a version, whole or not at all; return how many files were written.

    Raises StepError when the folder holds a file that is not the version's.
    """
    missing = _missing(folder, tar, content)
    if not missing:
        return 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            fresh.chmod(0o755)
            bundle.unpack(tar, bundle.Bundle(content.version, content.size, tuple(missing)), fresh)
            _move(fresh, folder, missing)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise StepError(f"{folder} cannot be written: {error}") from None
    return len(missing)


def _move(fresh: Path, folder: Path, entries: list[bundle.Entry]) -> None:
    """Put new files in place: the folder at once if there is none, else file by file."""
    if not folder.exists() or not any(folder.iterdir()):
        fresh.replace(folder)
        return
    for entry in entries:
        (folder / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (fresh / entry.path).replace(folder / entry.path)


def _missing(folder: Path, tar: IO[bytes], content: bundle.Bundle) -> list[bundle.Entry]:
    """Return the files that a folder lacks. Raises StepError when it holds other files."""
    wanted = {entry.path: entry for entry in content.entries}
    files = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    here = {path.relative_to(folder).as_posix(): path for path in files}
    others = [name for name, path in here.items() if name not in wanted or not _is_copy(path, tar, wanted[name])]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise StepError(
            f"{folder} is not empty, and {', '.join(sorted(others)[:3])}{more} "
            "would be overwritten or left next to the version; name another DIR"
        )
    return [entry for name, entry in wanted.items() if name not in here]


def _is_copy(path: Path, tar: IO[bytes], entry: bundle.Entry) -> bool:
    if path.is_symlink() or path.stat().st_size != entry.size:
        return False
    return path.read_bytes() == os.pread(tar.fileno(), entry.size, entry.offset)


def _print(kept: list[Kept], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"version": k.version, "written": k.written.isoformat(), "size": k.size, "stores": k.stores} for k in kept
        ]
        click.echo(json.dumps({"versions": rows}, indent=2))
        return
    for each in kept:
        date = each.written.strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{each.version}  {date} UTC  {each.size / 1e6:>8.2f} MB  {', '.join(each.stores)}")
    if not kept:
        click.echo("no versions", err=True)
