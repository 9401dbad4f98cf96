"""A check judges what a command came to, and a step that cannot be checked cannot be written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.runbook.chapter import Chapter, Check, Outcome, Step

OK = Check("true", ("done",))


@pytest.mark.parametrize(
    ("check", "outcome", "fault"),
    [
        (OK, Outcome(0, "done\n"), ""),
        (OK, Outcome(0, "well  done\n"), "it did not print 'done'"),
        (Check("x", ("a … b",)), Outcome(0, "  a  1   b \n"), ""),
        (Check("x", ("one", "two")), Outcome(0, "two\none\n"), "it did not print 'two' after what comes before it"),
        (Check("x", ("one", "two")), Outcome(0, "one\nthree\ntwo\n"), ""),
        (Check("x", ("a.b",)), Outcome(0, "axb\n"), "it did not print 'a.b'"),
        (OK, Outcome(3, "done\n"), "it ended with exit status 3"),
        (OK, Outcome(None, "done\n"), "it was not done after 120 s"),
        (replace(OK, fails=True), Outcome(0, "done\n"), "it succeeded, and was expected to fail"),
        (replace(OK, fails=True), Outcome(7, "done\n"), ""),
    ],
)
def test_a_check_judges_by_exit_status_and_by_lines_in_order(check: Check, outcome: Outcome, fault: str) -> None:
    assert check.fault(outcome) == fault


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Check("", ("x",)),
        lambda: Check("one\ntwo", ("x",)),
        lambda: Check("$ one", ("x",)),
        lambda: Check("one", ()),
        lambda: Check("one", (" ",)),
        lambda: Check("one", ("a\nb",)),
        lambda: Check("one", ("x",), limit_s=0),
        lambda: Check("one", ("x",), within_s=-1),
        lambda: Step("Bad Name", "t", "w", OK, Check("x", ("y",)), 1),
        lambda: Step("a", "", "w", OK, Check("x", ("y",)), 1),
        lambda: Step("a", "t", "", OK, Check("x", ("y",)), 1),
        lambda: Step("a", "t", "w", OK, Check("x", ("y",)), 0),
        lambda: Step("a", "t", "w", OK, OK, 1),
        lambda: Chapter("c", "t", "w", ()),
        lambda: Chapter("c", "t", "w", (STEP, STEP)),
        lambda: Chapter("C!", "t", "w", (STEP,)),
    ],
)
def test_a_step_that_cannot_be_carried_out_cannot_be_written(wrong) -> None:
    with pytest.raises(ValueError, match=r"."):
        wrong()


STEP = Step("a", "title", "why", OK, Check("x", ("y",)), 1)
