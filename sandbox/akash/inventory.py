"""What an account has at this Akash, read through the API, for assertions that nothing was left."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from ..state import here
from .app import API_KEY


def open_deployments() -> list[dict[str, Any]]:
    """Return the deployments that are open, as the API lists them."""
    found: list[dict[str, Any]] = _get("/v1/deployments?limit=1000")["data"]["deployments"]
    leases = [lease for each in found for lease in each["leases"]]  # the list returns them in another order
    for each in found:
        each["leases"] = [lease for lease in leases if lease["id"]["dseq"] == each["deployment"]["id"]["dseq"]]
    return found


def wallet() -> float:
    """Return the free balance of the account, in USD; what is in escrow is not in it."""
    return float(_get("/v1/balances")["data"]["balance"])


def escrow() -> float:
    """Return what is in the escrow of open deployments, in USD."""
    return float(_get("/v1/balances")["data"]["deployments"])


def _get(path: str) -> Any:
    port = here().port("console")
    if port is None:
        raise RuntimeError("the sandbox's Akash does not run")
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"x-api-key": API_KEY})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)
