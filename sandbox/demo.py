"""`python -m sandbox.demo`: chapters of a story, live on the sandbox. Every claim is checked, every figure measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .aws import inventory as aws
from .chapters import CHAPTERS, MAIN, Chapter
from .drive import EngineFailed, Pulumi
from .engine.cache import NotMade
from .environment import find_servers
from .state import REPOSITORY, State, here
from .story import ALIAS_TTL, NOTHING, ClaimFailed, Stage, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: The stack's name; another one would leave a file in `stacks/`.
STACK = "sandbox"
#: The figures that every run counts, regardless of its chapters.
COUNTS = ("second_up_changes", "planned_flips", "planned_flip_failed_requests")


@dataclass
class Demo:
    """The chapters of one run: a story for each stage, and one list of figures."""

    console: Console
    make: Callable[[Stage, dict[str, Any]], Story]
    figures: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    stories: dict[str, Story] = field(default_factory=dict)

    def play(self, chapters: Sequence[Chapter]) -> None:
        """Play chapters in this order, each from its beginning state, and remove what still stands at the end."""
        try:
            for chapter in chapters:
                self._one(chapter)
            self._clear()
        finally:
            for story in self.stories.values():
                story.leave()

    def _one(self, chapter: Chapter) -> None:
        if chapter.missing:
            self.console.print(f"\nleft out: {chapter.name}, which needs {', '.join(chapter.missing)}", highlight=False)
            return
        self._clear(chapter.stage.workload)
        story = self.stories.get(chapter.stage.workload)
        if story is None:
            story = self.stories[chapter.stage.workload] = self.make(chapter.stage, self.figures)
        story.chapter(f"{chapter.name}: {chapter.shows}")
        story.stand(chapter.begins)
        chapter.play(story)
        story.standing = chapter.ends
        if unwritten := [name for name in chapter.figures if name not in self.figures]:
            raise ClaimFailed(f"{chapter.name} has measured no {', '.join(unwritten)}")

    def _clear(self, but: str = "") -> None:
        """Remove what stands, except one workload: all stages share one stack and one account."""
        for name, story in self.stories.items():
            if name != but and story.standing != NOTHING:
                story.chapter("put away")
                story.put_away()


def new_story(
    state: State, environment: dict[str, str], console: Console, began: float, stage: Stage, figures: dict[str, Any]
) -> Story:
    """Begin the story of a stage with a copy of its file, on the only stack that this repository has a file for."""
    copy = state.root / f"Pulumi.{stage.workload}.yaml"
    copy.write_text(stage.text(), encoding="utf-8")
    story = Story(state, Pulumi(state, environment, STACK, copy), console, stage, figures, began)
    story.before = set(aws.objects())
    return story


@contextmanager
def running(state: State) -> Iterator[dict[str, str]]:
    """Run a sandbox for as long as the demo lasts; yield its environment."""
    environment = {**os.environ, "UNMOOR_SANDBOX": str(state.root), "UNMOOR_SANDBOX_ALIAS_TTL": str(ALIAS_TTL)}
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up"],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            sys.exit(child.wait() or 1)
        given = subprocess.run(
            [sys.executable, "-m", "sandbox", "env", "--json"],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        yield json.loads(given.stdout)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def _table(console: Console, figures: dict[str, Any]) -> None:
    table = Table(title="what was measured")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name, str(value))
    console.print(table)


def _on_signal(number: int, _frame: object) -> None:
    """End as an error does, so that the sandbox ends too."""
    sys.exit(128 + number)


def play(chapters: Sequence[Chapter]) -> int:
    """Play chapters on a sandbox of their own; return 0 if every claim held."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    console = Console()
    state = here()
    began = time.monotonic()
    try:
        for chapter in chapters:
            if chapter.get and not chapter.missing:
                chapter.get()
        with running(state) as environment:
            os.environ |= environment
            console.print(f"sandbox ready after {time.monotonic() - began:.1f} s")
            console.print(f"aliases are answered for {ALIAS_TTL} s here; Route 53 answers those to CloudFront for 60 s")
            demo = Demo(console, lambda stage, figures: new_story(state, environment, console, began, stage, figures))
            Pulumi(state, environment, STACK, REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").init()
            demo.play(chapters)
            demo.figures["total_s"] = round(time.monotonic() - began, 1)
            (state.root / "demo.json").write_text(json.dumps(demo.figures, indent=2) + "\n", encoding="utf-8")
            console.print()
            _table(console, demo.figures)
            return 0
    except (ClaimFailed, EngineFailed, NotMade) as error:
        console.print(f"\n[red]the demo failed:[/red] {escape(str(error))}", highlight=False, markup=True)
        console.print(f"logs: {state.root / 'log'}")
        return 1
    except KeyboardInterrupt:
        console.print("\ninterrupted; the sandbox has ended, and nothing is left running")
        return 130


def _listed() -> None:
    """Print every chapter with what it shows; those of the main story have a star."""
    longest = max(len(chapter.name) for chapter in CHAPTERS)
    for chapter in CHAPTERS:
        needs = f" (needs {', '.join(chapter.needs)})" if chapter.needs else ""
        click.echo(f"{'*' if chapter in MAIN else ' '} {chapter.name:{longest}}  {chapter.shows}{needs}")


@click.command()
@click.option("--all", "every", is_flag=True, help="Play every chapter, not only the main story.")
@click.option("--chapter", "names", multiple=True, metavar="NAME", help="Play this chapter alone. May be repeated.")
@click.option("--list", "only_list", is_flag=True, help="List the chapters; a star marks the main story.")
@click.pass_context
def main(context: click.Context, *, every: bool, names: tuple[str, ...], only_list: bool) -> None:
    """Play the main story of a site on a sandbox of its own: adopted, flipped, published, broken and put away.

    Each claim is checked, and the first that does not hold ends the run with 1. The figures are written to
    .sandbox/demo.json. A chapter that is played alone is first brought to where it begins.
    """
    if only_list:
        _listed()
        return
    by_name = {chapter.name: chapter for chapter in CHAPTERS}
    if unknown := [name for name in names if name not in by_name]:
        raise click.UsageError(f"no such chapter: {', '.join(unknown)}; choose from {', '.join(by_name)}")
    if every and names:
        raise click.UsageError("--all has every chapter; leave --chapter out")
    find_servers()
    context.exit(play([by_name[name] for name in names] or (CHAPTERS if every else MAIN)))


if __name__ == "__main__":
    main(prog_name="python -m sandbox.demo")
