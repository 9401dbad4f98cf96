"""Play recorded answers to our own client: each must be read, or refused in the client's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from components.errors import MarketError, UnmoorError
from components.targets.akash.rails import answers
from components.targets.akash.rails.console_client import ROUTES, Console
from components.targets.akash.untrusted import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .exchange import Exchange

_ENV = {"AKASH_CONSOLE_URL": "https://console.example", "AKASH_CONSOLE_API_KEY": "replayed"}

#: How our client reads what a route answers; the routes that are not here are read field by field elsewhere.
READERS: dict[str, Callable[[Any, tuple[str, ...]], object]] = {
    "list": lambda found, _: [answers.deployment(each) for each in found["data"]["deployments"]],
    "show": lambda found, names: answers.look(0.0, names[0], found["data"]),
    "bids": lambda found, _: answers.bids(found["data"]),
}


class _Still:
    """A clock that waits for nothing."""

    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        pass


def differences(exchange: Exchange) -> Iterator[str]:
    """Name what our client cannot read of an answer."""
    if not exchange.console or exchange.answer is None:
        return
    if exchange.route is None:
        yield f"console {exchange.request['method']} {exchange.request['path']}: is no route of our client"
        return
    route, names = exchange.route
    try:
        found = _called(exchange, route, names)
    except MarketError as error:
        if exchange.answer["status"] < httpx.codes.BAD_REQUEST:
            yield f"{exchange.kind}: our client refuses it: {error}"
        return
    if exchange.answer["status"] >= httpx.codes.BAD_REQUEST and found is not None:
        yield f"{exchange.kind}: our client takes the refusal for an answer"
        return
    if found is not None and route in READERS:
        try:
            READERS[route](found, names)
        except (BadAnswer, UnmoorError, LookupError, TypeError, ValueError) as error:
            yield f"{exchange.kind}: our client cannot read it: {type(error).__name__}: {error}"


def _called(exchange: Exchange, route: str, names: tuple[str, ...]) -> Any:
    """Call the route; each try is answered by the recorded answer."""
    assert exchange.answer is not None
    status, body = exchange.answer["status"], exchange.answer["body"]
    console = Console(_Still(), _ENV, httpx.MockTransport(lambda _: httpx.Response(status, json=body)))
    fields = [part.partition("}")[0] for part in ROUTES[route][1].split("{")[1:]]
    try:
        return console.call(
            route, params=exchange.request["query"] or None, missing=None, **dict(zip(fields, names, strict=True))
        )
    finally:
        console.close()
