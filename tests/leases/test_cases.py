"""The manual's table of lease faults is made from the tests that exist."""

from __future__ import annotations

import pytest

from .cases import CASES, PAGE, ROOT, Case, page


def test_the_page_is_up_to_date() -> None:
    """If this fails: `python -m tests.leases.cases`."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_every_case_is_run_by_a_test(case: Case) -> None:
    file, _, name = case.test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
