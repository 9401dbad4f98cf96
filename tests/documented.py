"""The programs of a page of the manual: files by their titles, and the commands of a console, as they are printed.

Each section (`#`, `##`) is a project of its own. A fence with a title is a file. A `console` fence is commands, with
`$ ` in front, and lines of output that must be printed. A Python fence below `<!-- fragment -->` is a part of a
program: its imports must work. There is no other kind of fence, so nothing on such a page goes unrun.
"""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_FENCE = re.compile(r"^(<!-- fragment -->\n)?```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command of a console, and the lines that the page shows below it."""

    line: str
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section of a page: its files by name, its commands in order, and its parts of programs."""

    title: str
    files: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    fragments: tuple[str, ...] = ()


def sections(text: str) -> list[Section]:
    """Return the sections of a page that have anything to run."""
    found: list[Section] = []
    for heading, part in _parts(text):
        files, commands, fragments = dict[str, str](), list[Command](), list[str]()
        for fragment, language, title, body in _FENCE.findall(part):
            if title:
                files[title] = body
            elif language == "console":
                commands += _commands(body)
            elif fragment and language == "python":
                fragments.append(body)
            else:
                raise ValueError(f"{heading}: a {language} fence without a title is never run")
        if part.count("```") != 2 * len(_FENCE.findall(part)):
            raise ValueError(f"{heading}: a fence is not closed, or has options that are not read here")
        if files or commands or fragments:
            found.append(Section(heading, files, tuple(commands), tuple(fragments)))
    return found


def imports(fragment: str) -> str:
    """Return the import statements of a part of a program, which must be Python as a whole."""
    nodes = [node for node in ast.parse(fragment).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, nodes))


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
