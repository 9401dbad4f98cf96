"""Records of the newest release: what is written, what is read, and in which order releases come."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import ConfigError
from components.kinds.static import releases
from components.kinds.static.releases import Record

OLD, NEW = "ab" * 32, "cd" * 32
NOW = 1_795_000_000


def test_a_record_is_read_back_as_it_was_written():
    record = Record("dao/prod/docs", NOW, NEW, 10_240)
    assert releases.read(record.content(), "dao/prod/docs") == record


def test_the_line_is_what_the_container_looks_for():
    """The pattern stands in components/web/caddy/front.sh, and grep decides there."""
    line = str(Record("docs", NOW, NEW, 10_240))
    pattern = "unmoor1 docs [1-9][0-9]{0,11} [0-9a-f]{64} [1-9][0-9]{0,11}"
    assert subprocess.run(["grep", "-Exq", pattern], input=line, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 100_000,
        b"\xff\xfe unmoor1",
        f"unmoor1 other 7 {NEW} 10".encode(),
        f"unmoor1 docs 07 {NEW} 10".encode(),
        f"unmoor1 docs -7 {NEW} 10".encode(),
        f"unmoor1 docs {10**12} {NEW} 10".encode(),
        f"unmoor1 docs 7 {NEW[:-1]} 10".encode(),
        f"unmoor1 docs 7 {NEW.upper()} 10".encode(),
        f"unmoor1 docs 7 {NEW} 0".encode(),
        f"unmoor1 docs 7 {NEW} 10 more".encode(),
        f" unmoor1 docs 7 {NEW} 10".encode(),
        f"unmoor2 docs 7 {NEW} 10".encode(),
    ],
)
def test_anything_else_is_no_record(content):
    assert releases.read(content, "docs") is None


def test_two_stores_of_one_vendor_are_one_party():
    assert releases.several_vendors(["aws", "storj"])
    assert releases.several_vendors(["aws", "storj", "aws"])
    assert not releases.several_vendors(["aws", "aws"])
    assert not releases.several_vendors([])


def held(**numbers):
    return {store: None if number is None else Record("docs", number, OLD, 1) for store, number in numbers.items()}


@pytest.mark.parametrize(
    ("stores", "number"),
    [
        (held(a=None, b=None), NOW),
        (held(a=NOW - 9, b=NOW - 9), NOW),
        (held(a=NOW, b=NOW), NOW + 1),
        (held(a=NOW + 60, b=NOW - 60), NOW + 61),
        (held(a=None, b=NOW + 3), NOW + 4),
    ],
)
def test_a_new_release_has_a_higher_number_than_any_store_holds(stores, number):
    assert releases.next_record(stores, "docs", NEW, 5, NOW) == Record("docs", number, NEW, 5)


def test_an_interrupted_run_goes_on_with_its_number():
    written = Record("docs", NOW - 5, NEW, 5)
    assert releases.next_record({"a": written, "b": held(b=NOW - 9)["b"]}, "docs", NEW, 5, NOW) == written
    assert releases.next_record({"a": written, "b": written}, "docs", NEW, 5, NOW) == written


def test_two_runs_that_chose_the_same_number_get_another():
    stores = {"a": Record("docs", NOW, NEW, 5), "b": Record("docs", NOW, OLD, 1)}
    assert releases.next_record(stores, "docs", NEW, 5, NOW).number == NOW + 1


def test_a_rollback_is_a_new_number_with_an_old_release():
    stores = dict.fromkeys("ab", Record("docs", NOW - 1, NEW, 5))
    assert releases.next_record(stores, "docs", OLD, 1, NOW) == Record("docs", NOW, OLD, 1)


def test_a_number_from_the_future_is_refused_and_names_the_store():
    with pytest.raises(ConfigError) as refused:
        releases.next_record(held(a=NOW, b=999_999_999_999), "docs", NEW, 5, NOW)
    ((path, message),) = [(fault.path, fault.message) for fault in refused.value.faults]
    assert path == "stores.b"
    assert re.search("999999999999.*delete that object if it is not yours", message)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "both"]), st.integers(0, 3), st.integers(-50, 50)), max_size=12))
def test_numbers_grow_through_any_history(history):
    """Each publication is one store reached or both, one of a few releases, and a clock that jumps."""
    stores: dict[str, Record | None] = {"a": None, "b": None}
    served = Record("docs", 0, "", 0)
    for reached, which, jump in history:
        made = releases.next_record(stores, "docs", f"{which:064x}", 1 + which, NOW + jump)
        assert made.number >= max([record.number for record in stores.values() if record], default=0)
        assert made.number > served.number or made == served
        stores |= {store: made for store in ("a", "b") if reached in (store, "both")}
        served = made if reached == "both" else served
