"""Two trees of any plain data differ exactly where a difference is listed."""

from __future__ import annotations

import copy
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.review.diff import ABSENT, Difference, differences, dotted

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5]) | st.sampled_from("abc01")
NAMES = st.sampled_from(["name", "host", "site", "a", "0", "1"])
TREES = st.recursive(
    SCALARS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=4),
    max_leaves=12,
)


@settings(max_examples=2000, deadline=None)
@given(TREES, TREES)
def test_nothing_is_listed_only_for_what_has_one_hash(old, new) -> None:
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (not differences(old, new)) == same


@settings(max_examples=500, deadline=None)
@given(TREES)
def test_a_tree_is_like_its_copy(tree) -> None:
    assert differences(tree, copy.deepcopy(tree)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [Difference(("a", "c"), 2, 3)]),
        ({"a": ["x", "y"]}, {"a": ["x"]}, [Difference(("a",), ["x", "y"], ["x"])]),
        ({"a": None}, {"a": {"b": 1}}, [Difference(("a", "b"), ABSENT, 1)]),
        (
            {"a": "as it is"},
            {"a": {"id": "1"}},
            [Difference(("a",), "as it is", ABSENT), Difference(("a", "id"), ABSENT, "1")],
        ),
        ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}], [Difference(("x", "v"), 1, 2)]),
        (
            [{"site": "x", "v": 1}, {"site": "y", "v": 1}],
            [{"site": "y", "v": 1}, {"site": "x", "v": 1}],
            [Difference(("order",), ["x", "y"], ["y", "x"])],
        ),
        ({"a": 1}, {"a": True}, [Difference(("a",), 1, True)]),
    ],
)
def test_a_difference_has_the_path_of_its_leaf(old, new, found) -> None:
    assert differences(old, new) == found


def test_a_path_is_written_as_in_the_stack_file() -> None:
    assert (
        dotted(("workloads", "docs", "names", "docs.dao.example", "order"))
        == "workloads.docs.names[docs.dao.example].order"
    )


def test_a_hundred_thousand_values_are_compared_within_a_second() -> None:
    tree = {str(n): {str(k): k for k in range(100)} for n in range(1000)}
    other = copy.deepcopy(tree)
    other["7"]["7"] = "x"
    start = time.process_time()
    assert differences(tree, other) == [Difference(("7", "7"), 7, "x")]
    assert time.process_time() - start < 1
