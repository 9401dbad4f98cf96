"""`unmoor record`: record a first contact with real accounts as files that can be shared and replayed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import recording
from ..errors import ConfigError, StepError
from ..project import root
from ..recording import notes, settings
from ..recording.scrub import own_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Exit codes of shells: the program was not found, and the base to which a signal's number is added.
_NOT_FOUND, _SIGNALLED = 127, 128


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--out", type=click.Path(path_type=Path), help="Write into this new folder.  [default: recording-TIME]")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def cli(out: Path | None, command: tuple[str, ...]) -> int:
    """Run COMMAND, and keep each exchange that unmoor has with the Console, AWS, DNS and web sites meanwhile.

    \b
    unmoor record -- pulumi up --stack prod
    unmoor record --out first-contact -- unmoor doctor --stack prod

    Each exchange is one JSON file, for you alone to read until you share it. Before it is written, credentials,
    addresses, account numbers and names are replaced by pseudonyms of the same form: all that is not a word of this
    program or of an AWS service's model. Read the files before you share them.

    What Pulumi's own AWS plug-in exchanges is not kept. The command runs as it would without this: what cannot be
    written is one warning at the end. The exit code is the command's.
    """  # noqa: D301 click reads the backspace
    out = out or Path(time.strftime("recording-%Y%m%d-%H%M%S"))
    _make(out)
    with tempfile.TemporaryDirectory(prefix="unmoor-") as private:
        path = Path(private) / "settings.json"
        stacks = _stacks(root(), command)
        settings.Settings(
            str(out.absolute()),
            secrets.token_hex(16),
            settings.credentials(os.environ),
            settings.names(stacks, _schema_words()),
            own_words(),
        ).write(path)
        code = _run(command, {**os.environ, recording.VARIABLE: str(path)})
        failed = sorted(each.name.removeprefix(notes.FAILED) for each in Path(private).glob(f"{notes.FAILED}*"))
    kept = len(list(out.glob("*.json")))
    if failed:
        why = ", ".join(os.strerror(getattr(errno, each)) if hasattr(errno, each) else each for each in failed)
        click.echo(f"unmoor record: the recording in {out} is not whole: {why}", err=True)
    click.echo(f"unmoor record: {kept} exchanges in {out}; read them before you share them", err=True)
    return code


def _make(folder: Path) -> None:
    """Make the folder, which must be new or empty, because a recording is one run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if next(folder.iterdir(), None) is not None:
            raise ConfigError(f"{folder} is not empty; choose another folder: --out")
        folder.chmod(0o700)
    except OSError as error:
        raise StepError(f"{folder} cannot be made ({error.strerror}); choose another folder: --out") from None


def _run(command: Sequence[str], environ: dict[str, str]) -> int:
    """Run the command to its end, through signals of the terminal, which reach both. Return its exit code."""
    asked: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def end(number: int, _: object) -> None:
        asked.append(number)
        for child in children:
            child.terminate()

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, end),
    }
    try:
        children.append(subprocess.Popen(command, env=environ))
        if asked:  # the signal came while the command was starting
            children[0].terminate()
        code = children[0].wait()
    except OSError as error:
        click.echo(f"unmoor record: {command[0]} cannot be started ({error.strerror})", err=True)
        return _NOT_FOUND
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else _SIGNALLED - code


def _stacks(folder: Path, command: Iterable[str]) -> list[Any]:
    """Read the stack files nearby and those that the command names; one that cannot be read gives no names."""
    import yaml

    near = [*folder.glob("Pulumi*.yaml"), *folder.glob("stacks/*.yaml")]
    named = [Path(word.rpartition("=")[2]) for word in command if word.endswith((".yaml", ".yml"))]
    found = []
    for path in dict.fromkeys([*near, *named]):
        with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
            read = yaml.safe_load(path.read_text(encoding="utf-8"))
            # A project's own name may be a setting: the keys of a mapping without a prefix are names.
            found += [read.get("config"), {"pulumi:name": read.get("name")}] if isinstance(read, dict) else []
    return found


def _schema_words() -> frozenset[str]:
    """Return the words of the stack file's schema: names of settings, and the choices of their values."""
    from .schema import schema

    return frozenset(_words(schema()))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        properties = value.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for key in ("enum", "const"):
            chosen = value.get(key, ())
            yield from (str(each) for each in (chosen if isinstance(chosen, list) else [chosen]))
        for held in value.values():
            yield from _words(held)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
