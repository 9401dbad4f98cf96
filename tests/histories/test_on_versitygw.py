"""The writer's protocol with its record in versitygw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import real, stores
from .test_on_moto import (  # noqa: F401 the tests run on this store too
    test_a_store_that_ignores_conditions_is_unfit,
    test_histories_go_as_in_memory,
    test_the_store_is_fit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.stores.writer import Records


@pytest.fixture(scope="module")
def open_record() -> Iterator[Callable[[str], Records]]:
    with stores.opened("versitygw") as opener:
        yield opener


def test_one_of_many_writers_wins(open_record: Callable[[str], Records]) -> None:
    real.one_winner(open_record, rounds=15, writers=16)
