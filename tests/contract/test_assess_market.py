"""Bid screening, as the sandbox's Console answers it: which sizes of an inventory providers would take."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import httpx
import pytest

from components.assess import market
from components.errors import MarketError

from ..pure.assess_samples import BOT, DOCS, FORUM, LETTER, NODE, VALIDATOR, inventory
from .akash_world import AkashWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

HUGE = {**DOCS, "size": {"cpu": 100_000, "memory_gib": 1, "disk_gib": 1}, "hosts": ["huge.dao.example"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as running:
        yield running


def test_providers_that_could_bid_are_counted_and_none_for_a_size_that_none_has(
    world: AkashWorld, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AKASH_CONSOLE_URL", str(world.api.base_url).rstrip("/"))
    for name in [name for name in os.environ if "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    what = inventory(docs=DOCS, bot=BOT, forum=FORUM, huge=HUGE, keys=VALIDATOR, node=NODE, letter=LETTER)
    found = market.screened(what, market.asker())
    assert set(found) == {"docs", "bot", "forum", "huge"}
    assert found["docs"] >= 1
    assert found["huge"] == 0
    assert found["docs"] >= found["forum"]


def test_a_console_that_does_not_answer_is_a_market_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AKASH_CONSOLE_URL", "http://127.0.0.1:9")
    with pytest.raises(MarketError, match="did not answer a bid screening"):
        market.screened(inventory(docs=DOCS), market.asker())


def test_the_market_is_asked_without_a_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", "not for this route")
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, "x-api-key" in request.headers))
        return httpx.Response(
            200, json={"providers": [{"owner": "akash1a"}, {"owner": "akash1a"}, {"owner": "akash1b"}]}
        )

    assert market.asker(httpx.MockTransport(answer))({}) == 2
    assert seen == [("/v1/bid-screening", False)]
