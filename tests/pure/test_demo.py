"""The demo plays each chapter from where it begins, alone or after others, and leaves nothing standing."""

from __future__ import annotations

import io
import signal
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner
from rich.console import Console

from sandbox import demo
from sandbox.chapters import CHAPTERS, MAIN
from sandbox.chapters.chapter import CHANGED, NOTHING, Chapter
from sandbox.engine.cache import NotMade
from sandbox.story import ClaimFailed, Stage

BEGINNINGS = {NOTHING, "centralized", "active-standby", "decentralized"}


@dataclass
class Played:
    """A story that notes what is asked of it."""

    stage: Stage
    figures: dict
    log: list[str]
    standing: str = NOTHING

    def chapter(self, title: str) -> None:
        self.log.append(f"{self.stage.workload}: {title.partition(':')[0]}")

    def stand(self, where: str) -> None:
        if where != self.standing:
            self.log.append(f"{self.stage.workload}: stand {where}")
            self.standing = where

    def put_away(self) -> None:
        self.standing = NOTHING

    def leave(self) -> None:
        pass


def play(*chapters: Chapter) -> list[str]:
    log: list[str] = []
    played = demo.Demo(Console(file=io.StringIO()), lambda stage, figures: Played(stage, figures, log))
    played.play(chapters)
    assert {story.standing for story in played.stories.values()} <= {NOTHING}
    return log


def quiet(name: str) -> Chapter:
    """Return a chapter of the table that measures without a sandbox."""
    (chapter,) = [each for each in CHAPTERS if each.name == name]
    return replace(chapter, play=lambda story: story.figures.update(dict.fromkeys(chapter.figures, 0)))


def test_the_main_story_is_played_without_a_break() -> None:
    """Each chapter begins where the one before it ended, so nothing is built twice."""
    log = play(*(quiet(chapter.name) for chapter in MAIN))
    assert log == [f"docs: {chapter.name}" for chapter in MAIN]
    assert [chapter.name for chapter in MAIN] == [
        "adopt", "standby", "lose-aws", "flip", "publish", "lose-lease", "put-away",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [chapter.name for chapter in CHAPTERS])
def test_a_chapter_alone_is_brought_to_its_beginning_and_put_away(name: str) -> None:
    chapter = quiet(name)
    stack = chapter.stage.workload
    first = [] if chapter.begins == NOTHING else [f"{stack}: stand {chapter.begins}"]
    last = [] if chapter.ends == NOTHING else [f"{stack}: put away"]
    assert play(chapter) == [f"{stack}: {name}", *first, *last]


def test_the_stack_of_another_stage_is_put_away_first() -> None:
    log = play(quiet("redirects"), quiet("service"))
    assert log.index("docs: put away") < log.index("api: service")


def test_what_a_chapter_leaves_changed_is_rebuilt_for_the_next() -> None:
    assert play(quiet("redirects"), quiet("lose-aws")).count("docs: stand active-standby") == 2


def test_a_figure_that_was_not_measured_fails_the_chapter() -> None:
    with pytest.raises(ClaimFailed, match="lose-aws has measured no failover_s, failback_s"):
        play(replace(quiet("lose-aws"), play=lambda _story: None))


def test_a_chapter_without_its_program_is_left_out() -> None:
    assert play(replace(quiet("publish"), needs=("no-such-program",))) == []


@pytest.fixture
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_state: object) -> None:
        raise ClaimFailed("a sandbox begins")

    monkeypatch.setattr(demo, "running", refuses)
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("without_sandbox")
def test_what_a_chapter_downloads_is_got_before_the_sandbox_runs(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise NotMade("the index does not answer")

    assert demo.play([replace(quiet("forum"), needs=(), get=fails)]) == 1
    shown = capsys.readouterr().out
    assert "the index does not answer" in shown
    assert "a sandbox begins" not in shown


@pytest.mark.usefixtures("without_sandbox")
def test_a_chapter_that_is_left_out_downloads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    got: list[str] = []
    chapter = replace(quiet("forum"), needs=("no-such-program",), get=lambda: got.append("software"))
    assert demo.play([chapter]) == 1
    assert "a sandbox begins" in capsys.readouterr().out
    assert got == []


def test_the_table_is_well_formed() -> None:
    names = [chapter.name for chapter in CHAPTERS]
    assert len(names) == len(set(names))
    assert {chapter.begins for chapter in CHAPTERS} <= BEGINNINGS
    assert {chapter.ends for chapter in CHAPTERS} <= BEGINNINGS | {CHANGED}
    for stage in {chapter.stage.workload: chapter.stage for chapter in CHAPTERS}.values():
        assert stage.text().count("mode: centralized\n") == 1, "chapters edit this line"


def test_every_field_of_the_main_story_keeps_its_name() -> None:
    """Other programs read `demo.json`: a name that was published stays."""
    written = {*demo.COUNTS, "total_s"}.union(*(chapter.figures for chapter in MAIN))
    assert written == {
        "adoption_failed_requests", "adoption_requests", "aws_objects_at_end", "content_update_failed_requests",
        "escrow_locked_usd_at_end", "failback_s", "failover_s", "lost_lease_recovery_s", "open_deployments_at_end",
        "planned_flip_failed_requests", "planned_flips", "preview_s", "second_up_changes", "total_s",
    }  # fmt: skip


def test_the_list_names_every_chapter_and_marks_the_main_story() -> None:
    lines = CliRunner().invoke(demo.main, ["--list"]).output.splitlines()
    assert [line[2:].split()[0] for line in lines] == [chapter.name for chapter in CHAPTERS]
    assert [line.startswith("*") for line in lines] == [chapter in MAIN for chapter in CHAPTERS]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--chapter", "publsh"], "no such chapter: publsh; choose from adopt, standby,"),
        (["--all", "--chapter", "adopt"], "--all has every chapter; leave --chapter out"),
    ],
)
def test_a_wrong_word_is_refused_before_a_sandbox_starts(words: list[str], shown: str) -> None:
    done = CliRunner().invoke(demo.main, words)
    assert (done.exit_code, shown in " ".join(done.output.split())) == (2, True)


def test_the_chapters_named_are_played_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []
    monkeypatch.setattr(demo, "play", lambda chapters: played.extend(chapter.name for chapter in chapters) or 0)
    assert CliRunner().invoke(demo.main, ["--chapter", "service", "--chapter", "publish"]).exit_code == 0
    assert played == ["service", "publish"]
