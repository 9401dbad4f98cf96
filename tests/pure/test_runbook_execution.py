"""A chapter is carried out step by step, stops where it must, and goes on where it stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from components.errors import ConfigError
from components.runbook import journal, shell
from components.runbook.chapter import Chapter, Check, Outcome, Step
from components.runbook.execution import State, World, execute

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).resolve().parents[2]
DO, VERIFY = Check("do", ("done",)), Check("verify", ("seen",), within_s=10)
FIRST = Step("first", "First", "why", DO, VERIFY, 1, rollback="undo first")
SECOND = Step("second", "Second", "why", DO, VERIFY, 1, otherwise="look again")
CHAPTER = Chapter("chapter", "title", "when", (FIRST, SECOND))
GOOD = {"do": Outcome(0, "done\n"), "verify": Outcome(0, "seen\n")}


class Stage:
    """A world that answers from a table, and remembers commands and messages."""

    def __init__(self, answers: dict[str, Any], who: str = "") -> None:
        self.answers, self.who, self.now = answers, who, 0.0
        self.typed: list[str] = []
        self.said: list[str] = []

    def shell(self, line: str, _limit_s: float, _show: bool) -> Outcome:
        self.typed.append(line)
        self.now += 1
        answer = self.answers[line]
        return answer.pop(0) if isinstance(answer, list) else answer

    @property
    def world(self) -> World:
        return World(self.shell, lambda _: self.who, self.said.append, lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def carried(stage: Stage, chapter: Chapter = CHAPTER, done: tuple[str, ...] = ()) -> list[tuple[str, State]]:
    return [(report.step, report.state) for report in execute(chapter, stage.world, done)]


def test_each_step_is_done_and_verified_in_order() -> None:
    stage = Stage(GOOD)
    assert (carried(stage), stage.typed) == (
        [("first", State.DONE), ("second", State.DONE)],
        ["do", "verify", "do", "verify"],
    )


def test_the_first_failure_stops_and_shows_the_way_back() -> None:
    stage = Stage({"do": Outcome(1, "it went wrong\n")})
    assert carried(stage) == [("first", State.FAILED)]
    assert stage.said[-2:] == [
        "      stopped: the command `do`: it ended with exit status 1",
        "      the way back: undo first",
    ]


def test_a_step_without_a_way_back_shows_that_of_the_steps_before_it_and_what_to_do() -> None:
    stage = Stage({**GOOD, "verify": [Outcome(0, "seen\n"), *[Outcome(0, "not that\n")] * 9]})
    assert carried(stage) == [("first", State.DONE), ("second", State.FAILED)]
    assert stage.said[-5:] == [
        "      | not that",
        "      stopped: the verify `verify`: it did not print 'seen'",
        "      what to do: look again",
        "      the way back: none is needed for this step",
        "      the way back of the steps before it: undo first",
    ]


def test_nothing_to_take_back_is_reported() -> None:
    stage = Stage({"do": Outcome(1, "")})
    carried(stage, replace(CHAPTER, steps=(replace(SECOND, otherwise=""),)))
    assert stage.said[-1] == "      the way back: none is needed for this step"


def test_a_check_is_tried_until_it_shows_what_it_should() -> None:
    stage = Stage({**GOOD, "verify": [Outcome(1, ""), Outcome(0, "seen\n"), Outcome(0, "seen\n")]})
    reports = execute(CHAPTER, stage.world)
    assert [(report.state, report.tries) for report in reports] == [(State.DONE, 3), (State.DONE, 2)]
    assert stage.typed.count("verify") == 3


def test_a_check_is_not_tried_for_longer_than_it_may() -> None:
    stage = Stage({**GOOD, "verify": Outcome(1, "")})
    carried(stage)
    assert (stage.typed.count("verify"), stage.now <= 1 + 10) == (3, True)


def test_a_command_without_time_to_wait_is_typed_once() -> None:
    stage = Stage({"do": Outcome(1, "")})
    carried(stage)
    assert stage.typed == ["do"]


def test_a_step_that_needs_approval_waits_for_it_and_does_nothing() -> None:
    stage = Stage(GOOD)
    chapter = replace(CHAPTER, steps=(replace(FIRST, approval="a signer"), SECOND))
    assert (carried(stage, chapter), stage.typed) == ([("first", State.WAITING)], [])
    assert stage.said[-1] == "      stopped: this step needs the approval of a signer; nothing of it was done"


def test_who_agreed_is_reported() -> None:
    chapter = replace(CHAPTER, steps=(replace(FIRST, approval="a signer"),))
    (report,) = execute(chapter, Stage(GOOD, "Ada").world)
    assert (report.state, report.approved_by) == (State.DONE, "Ada")


def test_steps_that_were_done_are_left_out() -> None:
    stage = Stage(GOOD)
    assert (carried(stage, done=("first",)), stage.typed) == (
        [("first", State.SKIPPED), ("second", State.DONE)],
        ["do", "verify"],
    )


# The shell


def test_a_command_s_two_outputs_are_one_and_its_exit_status_is_kept() -> None:
    seen: list[str] = []
    assert shell.run("echo out; echo err >&2; exit 3", 20, seen.append) == Outcome(3, "out\nerr\n")
    assert seen == ["out", "err"]


def test_a_command_has_no_input() -> None:
    assert shell.run("cat", 20) == Outcome(0, "")


def test_a_command_ends_when_its_time_is_over() -> None:
    assert shell.run("echo begun; sleep 600", 0.3).code is None


def test_a_command_that_will_not_end_is_ended(monkeypatch) -> None:
    monkeypatch.setattr(shell, "END_S", 0.3)
    assert shell.run("trap '' INT; while :; do sleep 0.1; done", 0.3).code is None


def test_an_interrupt_is_passed_on_and_raised_again() -> None:
    seen: list[str] = []

    def listen(line: str) -> None:
        seen.append(line)
        if line == "begun":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shell.run("trap 'echo told; exit' INT; echo begun; while :; do sleep 0.1; done", 60, listen)
    assert seen == ["begun", "told"]


def test_an_interrupt_while_a_command_is_started_leaves_none_running(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(popen(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    popen, before = subprocess.Popen, signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", start)
            with pytest.raises(KeyboardInterrupt):
                shell.run("sleep 600", 60)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended(started[0].pid)


def test_what_a_command_leaves_running_is_ended_with_it() -> None:
    (pid,) = shell.run("sleep 600 >/dev/null 2>&1 & echo $!", 20).output.split()
    assert ended(int(pid))


def ended(pid: int) -> bool:
    """Wait until a process is gone; one that nobody reaps has ended too."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_secrets_are_not_shown() -> None:
    hidden = shell.secrets({"API_KEY": "abracadabra", "MY_TOKEN": "short", "HOME": "/home/abracadabra"})
    assert (hidden, shell.hide("it is abracadabra!", hidden)) == (("abracadabra",), "it is •••!")


# The journal


def test_a_chapter_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "j" / "one.json"
    journal.write(path, CHAPTER)
    assert (journal.read(path), journal.read(tmp_path / "none.json")) == (CHAPTER, None)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"steps": [{}]}', '{"steps": [1]}', "\x00"])
def test_a_file_that_is_no_journal_is_reported(tmp_path: Path, content: str) -> None:
    path = tmp_path / "one.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="is not a chapter's journal"):
        journal.read(path)
