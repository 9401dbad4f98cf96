"""Histories of two real PostgreSQLs by seed, each in a new world."""

from __future__ import annotations

import os

import pytest

from sandbox.pair import world

from . import history

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not world.installed(), reason="needs PostgreSQL 15, pgBackRest and amcheck"),
    pytest.mark.skipif(not os.environ.get("TESTS_STATEFUL"), reason="`python -m tests stateful` runs it"),
]


@pytest.mark.parametrize("seed", range(100, 105))
def test_a_history_violates_nothing(seed: int) -> None:
    lines, violations, _ = history.run(seed)
    assert violations == [], "\n".join([*lines, *violations])
