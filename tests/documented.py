"""The programs of a page of the manual: files by their titles, and the commands of a console, as they are printed.

Each section (`#`, `##`) is a project of its own, in a folder that begins with the files of the page's first section.
A fence with a title is a file. A `console` fence is commands, with `$ ` in front, and lines of output that must be
printed. There is no other kind of fence, so nothing on such a page goes unrun.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command of a console, and the lines that the page shows below it."""

    line: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section of a page: its files by name, and its commands in order."""

    title: str
    files: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()


def sections(text: str) -> list[Section]:
    """Return the sections of a page that have anything to run, each with the files of the first one of them."""
    found: list[Section] = []
    for heading, part in _parts(text):
        files, commands = dict[str, str](), list[Command]()
        for language, title, body in _FENCE.findall(part):
            if title:
                files[title] = body
            elif language == "console":
                commands += _commands(body)
            else:
                raise ValueError(f"{heading}: a {language} fence without a title is never run")
        if part.count("```") != 2 * len(_FENCE.findall(part)):
            raise ValueError(f"{heading}: a fence is not closed, or has options that are not read here")
        if files or commands:
            shared = dict(found[0].files) if found else {}
            found.append(Section(heading, {**shared, **files}, tuple(commands)))
    return found


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each heading of the first two levels with the text below it; `#` within a fence is no heading."""
    heading, lines, fenced = "", list[str](), False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if not fenced and line.startswith(("# ", "## ")):
            yield heading, "".join(lines)
            heading, lines = line.lstrip("#").strip(), []
        else:
            lines.append(line)
    yield heading, "".join(lines)


def _commands(body: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, *shown = part.splitlines()
        yield Command(line, tuple(each for each in shown if each))


def run(
    section: Section, folder: Path, environment: Mapping[str, str], own: Callable[[str, Path], bool] = lambda *_: False
) -> None:
    """Write the files of a section and run its commands; `own` may run a command itself, and returns whether it did."""
    for name, body in section.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(body)
    for command in section.commands:
        if own(command.line, folder):
            continue
        done = subprocess.run(
            ["/bin/sh", "-c", command.line], cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"$ {command.line}\nended with {done.returncode}:\n{done.stdout}")
        missing = [line for line in command.shown if line not in done.stdout.splitlines()]
        if missing:
            raise AssertionError(f"$ {command.line}\nprinted no line {missing}:\n{done.stdout}")
