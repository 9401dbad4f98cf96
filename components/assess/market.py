"""Which workloads the market would accept today, by Console's bid screening of providers; nothing is rented.

`POST /v1/bid-screening` answers with the providers that could bid for a group of resources, price left aside
(akash-network/console, `bid-screening.schema.ts`: amounts are whole numbers as text, `timezone` is required).
"""

from __future__ import annotations

import json
import math
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, MarketError
from ..limits import MARKET_S as _WITHIN_S
from .inventory import State
from .recommend import recommend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .inventory import Inventory, Workload

_GIB = 2**30
_STATEFUL = frozenset({State.DATABASE, State.SINGLETON, State.REBUILDABLE})


def body(workload: Workload) -> dict[str, Any] | None:
    """Return the question for the size of a workload; None if it has none, or is never moved by its size."""
    size = workload.needs
    if size is None or recommend(workload).refused or workload.blockers:
        return None
    storage: list[dict[str, Any]] = [_volume("default", 1.0)]
    if workload.state in _STATEFUL:
        kept = [{"key": "class", "value": "beta3"}, {"key": "persistent", "value": "true"}]
        storage.append({**_volume("data", size.disk_gib), "attributes": kept})
    else:
        storage = [_volume("default", size.disk_gib)]
    endpoints = [{"kind": "LEASED_IP", "sequence_number": 1}] if workload.hosts else []
    resource = {
        "id": 1,
        "cpu": {"units": {"val": str(math.ceil(size.cpu * 1000))}},
        "memory": {"quantity": {"val": str(math.ceil(size.memory_gib * _GIB))}},
        "gpu": {"units": {"val": "0"}},
        "storage": storage,
        "endpoints": endpoints,
    }
    unit = {"resource": resource, "count": 1, "price": {"denom": "uact", "amount": "1"}}
    return {"requirements": {"attributes": []}, "resources": [unit], "timezone": "UTC"}


def _volume(name: str, gib: float) -> dict[str, Any]:
    return {"name": name, "quantity": {"val": str(math.ceil(max(gib, 0.1) * _GIB))}}


def screened(inventory: Inventory, ask: Callable[[Mapping[str, Any]], int]) -> dict[str, int]:
    """Return how many providers could bid, by workload; equal sizes are asked once. Raises MarketError."""
    answers: dict[str, int] = {}
    found: dict[str, int] = {}
    for name, workload in inventory.workloads.items():
        question = body(workload)
        if question is None:
            continue
        key = json.dumps(question, sort_keys=True)
        if key not in answers:
            answers[key] = ask(question)
        found[name] = answers[key]
    return found


def asker(transport: Any = None) -> Callable[[Mapping[str, Any]], int]:
    """Return a function that asks the Console; the route is public and gets no key. Raises MarketError."""
    from ..targets.akash.market.reconcile import WallClock
    from ..targets.akash.rails.console_client import Console

    def ask(question: Mapping[str, Any]) -> int:
        try:
            with closing(Console(WallClock(threading.Event()), transport=transport, public=True)) as console:
                answer = console.call("screen", body=question, within_s=_WITHIN_S)
            return len({str(one["owner"]) for one in answer["providers"]})
        except (ConfigError, MarketError) as error:
            raise MarketError(f"the Console did not answer a bid screening: {error.title}") from None
        except (ValueError, KeyError, TypeError):
            raise MarketError("the Console's answer to a bid screening is not readable") from None

    return ask
