"""What is asked of the market before anything is paid, and what its answer shows about a document's demands."""

from __future__ import annotations

import copy
import json
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from components.errors import MarketError
from components.provider.resource import Context
from components.targets.akash.market.request import request
from components.targets.akash.screening import body, screened, why_nobody_bids, without
from components.targets.akash.sdl import document as sdl

DOCS = sdl.load((Path(__file__).parents[2] / "sdl" / "docs.yaml").read_bytes()).data


def demanding() -> dict[str, Any]:
    """Return the docs document with every demand there is."""
    made = copy.deepcopy(DOCS)
    made["reclamation"] = {"min_window": "24h"}
    made["profiles"]["placement"]["docs"]["attributes"] = {"region": "eu-west"}
    return made


class Market:
    """Answers screenings by a function of the question; keeps what was asked."""

    def __init__(self, able: Any) -> None:
        self.able = able
        self.asked: list[dict[str, Any]] = []

    def screen(self, asked: dict[str, Any], _within_s: float) -> list[dict[str, Any]]:
        self.asked.append(asked)
        found: int = self.able(asked)
        return [{"owner": f"akash1{number}"} for number in range(found)]


def test_the_question_has_a_time_zone_and_whole_amounts() -> None:
    """`BidScreeningRequestSchema` of the Console demands both."""
    asked = body(demanding())
    assert (asked["timezone"], asked["reclamationWindow"]) == ("UTC", 86_400)
    assert [unit["price"]["amount"] for unit in asked["resources"]] == ["28"]
    assert "reclamationWindow" not in body(DOCS)


def test_each_demand_is_removed_in_turn_and_alone() -> None:
    asked = body(demanding())
    before = json.dumps(asked)
    words = [words for words, _ in without(asked)]
    assert words == [
        "notice of 86400 s",
        "an auditor's signature",
        "the attribute region=eu-west",
        "a leased address",
        "a persistent volume",
    ]
    assert len({json.dumps(less) for _, less in without(asked)} | {before}) == 6
    assert json.dumps(asked) == before


def test_the_sentence_names_what_each_demand_excludes() -> None:
    def able(asked: dict[str, Any]) -> int:
        ip = any(e["kind"] == "LEASED_IP" for unit in asked["resources"] for e in unit["resource"]["endpoints"])
        return (3 if not ip else 0) + (2 if "reclamationWindow" not in asked else 0)

    market = Market(able)
    sentence = why_nobody_bids(market, request("docs", demanding(), "web"))  # type: ignore[arg-type]
    assert sentence == (
        "No provider can take it as it is: without notice of 86400 s 2 could bid; without a leased address 3 could bid."
    )


def test_a_price_that_excludes_all_is_distinguished_from_a_demand() -> None:
    sentence = why_nobody_bids(Market(lambda _: 4), request("docs", DOCS, "web"))  # type: ignore[arg-type]
    assert sentence == "4 providers could take it; with a ceiling of $11.99 a month none of them bids."


def test_a_market_that_cannot_be_asked_adds_nothing() -> None:
    class Silent:
        def screen(self, *_: Any) -> Any:
            raise MarketError("no")

    for market in (Silent(), object()):
        assert why_nobody_bids(market, request("docs", DOCS, "web")) == ""  # type: ignore[arg-type]


class Rail(Market):
    """A market that is opened and closed as a rail is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def previewed(rail: Any, monkeypatch: pytest.MonkeyPatch, key: str = "key", **changed: Any) -> list[str]:
    monkeypatch.setenv("AKASH_CONSOLE_API_KEY", key)
    said: list[str] = []
    ctx = Context("urn", "site", "t", True, b"", threading.Event(), 0.0, lambda _, message: said.append(message))
    screened({"sdl": DOCS, **changed}, ctx, lambda _: rail, lambda _: None)  # type: ignore[arg-type, return-value]
    return said


def test_a_preview_shows_candidates_and_prices_or_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = previewed(Rail(lambda _: 2), monkeypatch)
    assert said.startswith("candidates: 2 providers could bid in unknown; by the providers' list it costs $")
    assert said.endswith("a month, and at most $11.99")

    class Broken(Rail):
        def screen(self, *_: Any) -> Any:
            raise MarketError("no")

    assert previewed(Broken(lambda _: 2), monkeypatch) == ["candidates: not known"]
    assert previewed(Rail(lambda _: 2), monkeypatch, key="") == []
    assert previewed(Rail(lambda _: 2), monkeypatch, screening=False) == []
