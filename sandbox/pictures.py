"""`python -m sandbox.pictures`: the pictures of the manual, made from the output of commands; none is drawn by hand."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

from .chapters.chapter import committed
from .demo import STACK, running
from .drive import Pulumi
from .state import REPOSITORY, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

FOLDER = REPOSITORY / "docs" / "pictures"
#: The line that every picture is about.
OLD, NEW = "mode: centralized", "mode: active-standby"
#: The day as of which the report is made: it ages with the price book, not with the clock.
DAY = "2026-11-26"
_SITE = "<!doctype html><title>Docs</title><h1>Docs</h1>"
_COLUMNS = {"preview": 104, "comment": 118, "report": 104}
_TITLES = {
    "preview": "pulumi preview",
    "comment": "unmoor review: the comment on the pull request",
    "report": "unmoor assess",
}


def svg(name: str, shown: RenderableType) -> str:
    """Return a picture of a terminal's width with a title; the same output is the same picture."""
    console = Console(
        record=True, width=_COLUMNS[name], file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(shown)
    # Without the fonts that rich would make a reader's browser fetch from another site.
    text = re.sub(
        r"@font-face \{.*?\}\s*", "", console.export_svg(title=_TITLES[name], unique_id=name), flags=re.DOTALL
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def comment() -> RenderableType:
    """Return what `unmoor review` prints for the pull request that changes the line."""
    with tempfile.TemporaryDirectory() as name:
        folder = _project(Path(name))
        git = ["git", "-c", "user.name=dao", "-c", "user.email=dao@dao.example", "-c", "init.defaultBranch=main"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "base"]):
            subprocess.run([*git, *words], cwd=folder, check=True)
        _edit(folder / "stacks" / "Pulumi.prod.yaml")
        return Markdown(_unmoor(folder, "review", "--base", "HEAD", "prod"))


def report() -> RenderableType:
    """Return the output of `unmoor assess` for the inventory of this repository."""
    return Text.from_ansi(_unmoor(REPOSITORY, "assess", "--date", DAY))


def preview() -> RenderableType:
    """Return what the engine prints for the line, about a site that is deployed on a sandbox."""
    with tempfile.TemporaryDirectory() as name:
        state = State(Path(name) / "S")
        with running(state) as environment:
            file = _project(Path(name)) / "stacks" / "Pulumi.prod.yaml"
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("site: site", f"site: {Path(name) / 'site'}"), encoding="utf-8")
            pulumi = Pulumi(state, environment, STACK, file)
            pulumi.init()
            pulumi.up()
            _edit(file)
            words = ["pulumi", "preview", "--color", "always", "--non-interactive", "--stack", STACK]
            done = subprocess.run(
                [*words, "--config-file", str(file)],
                cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            pulumi.destroy()
    edit = f"$ git diff -U0 stacks/Pulumi.prod.yaml\n\x1b[31m-      {OLD}\x1b[0m\n\x1b[32m+      {NEW}\x1b[0m\n"
    return Text.from_ansi(f"{edit}\n$ pulumi preview\n{done.stdout.strip()}")


#: Each picture's name → its content. The first two need no engine; a test makes them again and compares.
PICTURES: dict[str, Callable[[], RenderableType]] = {"comment": comment, "report": report, "preview": preview}


def _project(folder: Path) -> Path:
    """Make a project with the sandbox's stack as `prod` and a small site."""
    for name in ("stacks", "site"):
        (folder / name).mkdir()
    (folder / "site" / "index.html").write_text(_SITE, encoding="utf-8")
    (folder / "stacks" / "Pulumi.prod.yaml").write_text(committed(), encoding="utf-8")
    return folder


def _edit(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(OLD, NEW), encoding="utf-8")


def _unmoor(folder: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "FORCE_COLOR": "1",
        "COLUMNS": str(_COLUMNS["report"]),
    }
    command = [sys.executable, "-m", "components", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(PICTURES)))
def main(names: tuple[str, ...]) -> None:
    """Make the pictures of the manual: all, or those that are named. `preview` starts a sandbox."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or PICTURES:
        path = FOLDER / f"{name}.svg"
        path.write_text(svg(name, PICTURES[name]()), encoding="utf-8")
        click.echo(f"wrote {path.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main(prog_name="python -m sandbox.pictures")
