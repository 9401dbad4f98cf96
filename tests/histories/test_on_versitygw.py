"""The writer's protocol with its record in versitygw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.stores import writer

from . import real, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.stores.writer import Records


@pytest.fixture(scope="module")
def open_record() -> Iterator[Callable[[str], Records]]:
    with stores.opened("versitygw") as opener:
        yield opener


@pytest.mark.parametrize(("kind", "first"), real.BATCHES)
def test_histories_go_as_in_memory(kind: str, first: int, open_record: Callable[[str], Records]) -> None:
    real.as_in_memory(kind, first, open_record)


def test_the_store_is_fit(open_record: Callable[[str], Records]) -> None:
    assert writer.unfit(open_record("fit.json")) == []


@pytest.mark.parametrize(
    ("ignored", "what"),
    [
        (("IfMatch",), "ignores If-Match"),
        (("IfNoneMatch",), "ignores If-None-Match"),
        (("IfMatch", "IfNoneMatch"), "ignores If-Match"),
    ],
)
def test_a_store_that_ignores_conditions_is_unfit(
    ignored: tuple[str, ...], what: str, open_record: Callable[[str], Records]
) -> None:
    records = open_record("unfit.json")
    records._client = stores.Careless(records._client, ignored)
    found = writer.unfit(records, "writer.store")
    assert [(each.path, what in each.message) for each in found] == [("writer.store", True)]


def test_one_of_many_writers_wins(open_record: Callable[[str], Records]) -> None:
    real.one_winner(open_record, rounds=15, writers=16)
