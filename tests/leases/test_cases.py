"""The manual's table of lease faults is made from the tests that exist, in the words that an operator sees."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from .cases import CASES, PAGE, ROOT, Case, page


def test_the_page_is_up_to_date() -> None:
    """If this fails: `python -m tests.leases.cases`."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_every_case_is_run_by_a_test(case: Case) -> None:
    file, _, name = case.test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_what_is_seen_is_what_a_program_prints(case: Case) -> None:
    """Each part of a sentence between two ellipses stands in a text of ours, or is the engine's."""
    for quoted in re.findall("`([^`]+)`", case.seen):
        for part in filter(None, (each.strip() for each in re.split("…|HOST", quoted))):
            assert part in ENGINE or part in texts(), part


#: Words of the engine, and of its commands.
ENGINE = ("the stack is currently locked", "failed to load checkpoint", "pulumi up --refresh", "unmoor status")


@functools.cache
def texts() -> str:
    """Return every text that the library may print."""
    trees = (ast.parse(path.read_text()) for path in sorted((ROOT / "components").rglob("*.py")))
    found = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(each for each in found if isinstance(each, str))
