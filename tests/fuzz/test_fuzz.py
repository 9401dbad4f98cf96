"""Every door, for a few seconds each, with inputs that are made up anew in each run; and every find of earlier runs.

It proves nothing about inputs that were not made up: a longer run is `python -m tests.fuzz --seconds N NAME`.
"""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import CI_SECONDS, fuzz
from tests.fuzz.doors import CORPUS, DOORS, corpus, push

KEPT = [(name, path) for name in DOORS for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}-{path.name}" for name, path in KEPT])
def test_a_find_of_earlier_runs_is_none_any_more(name, path):
    push(name, path.read_bytes())


@pytest.mark.parametrize("name", DOORS)
def test_nothing_that_is_made_up_breaks_a_door(name):
    start = random.randrange(2**31)
    count, find = fuzz(name, CI_SECONDS, start)
    assert find is None, f"seed {start}: {find!r}"
    assert count > 0


@pytest.mark.parametrize("name", DOORS)
def test_what_is_right_goes_through_each_door(name):
    """A door that refused everything would find nothing."""
    DOORS[name].push((CORPUS / name / "right").read_bytes())
