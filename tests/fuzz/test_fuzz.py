"""Every door, with inputs that are made up anew in each run; and every find of earlier runs.

Within the whole suite that is 3 seconds for each door; `python -m tests fuzz`, a job of its own in CI, takes 60, and
`python -m tests.fuzz --seconds N NAME` as many as one asks for. A find is kept in `corpus/`, to be committed.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.fuzz.__main__ import JOB_S, LONG, SUITE_S, fuzz, keep
from tests.fuzz.doors import CORPUS, DOORS, corpus, push

KEPT = [(name, path) for name in DOORS for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}-{path.name}" for name, path in KEPT])
def test_a_find_of_earlier_runs_is_none_any_more(name, path):
    push(name, path.read_bytes())


@pytest.mark.parametrize("name", DOORS)
def test_nothing_that_is_made_up_breaks_a_door(name):
    start = random.randrange(2**31)
    count, find = fuzz(name, JOB_S if os.environ.get(LONG) else SUITE_S, start)
    assert find is None, f"seed {start}, kept as {keep(name, find)}: {find!r}"
    assert count > 0


@pytest.mark.parametrize("name", DOORS)
def test_what_is_right_goes_through_each_door(name):
    """A door that refused everything would find nothing."""
    DOORS[name].push((CORPUS / name / "right").read_bytes())
