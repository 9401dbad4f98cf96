"""The Console's HTTP API: the one door to it, with its routes, its key, retries and errors in an operator's words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ....errors import ConfigError, MarketError, Refused
from .. import KEY_VARIABLE, URL_VARIABLE
from ..market.reconcile import Stumble

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from tenacity import RetryCallState

    from ..market.reconcile import Clock

#: All that moves: where the API stands, what it is called with, and its routes (Console `apps/api`, September 2026).
URL = "https://console-api.akash.network"
KEY_HEADER = "x-api-key"
ROUTES: Mapping[str, tuple[str, str]] = {
    "open": ("POST", "/v1/deployments"),
    "list": ("GET", "/v1/deployments"),
    "show": ("GET", "/v1/deployments/{dseq}"),
    "update": ("PUT", "/v1/deployments/{dseq}"),
    "close": ("DELETE", "/v1/deployments/{dseq}"),
    "bids": ("GET", "/v1/bids"),
    "lease": ("POST", "/v1/leases"),
    "host": ("GET", "/v1/providers/{owner}"),
    "groups": ("GET", "/akash/deployment/v1beta4/deployments/list"),  # the chain's own answer, mirrored
}
#: What a refusal says (Console `chain-error.service.ts`), and what it means. The first that is found counts.
PASSING = (
    "no longer open",
    "already been matched",
    "not open",
    "Deployment closed",
    "Invalid deployment hash",
    "no lease for deployment",
)
MONEY = ("Insufficient funds", "Not enough balance", "Deposit too low", "trial expired")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRIES, _LONGEST_WAIT_S = 3, 30.0
_CONNECT_S, _READ_S, _WRITE_S = 10.0, 60.0, 120.0  # a look asks the Akash provider itself, a change waits for a block
_NOT_FOUND, _BUSY, _BROKEN = 404, 429, 500
_FORBIDDEN, _PAYMENT = (401, 403), 402


class _Trouble(Stumble):
    """A failed call, with how long the other side asked to be left alone (seconds, None if it did not say)."""

    def __init__(self, title: str, *, took: bool | None, after: float | None = None) -> None:
        super().__init__(title, took=took)
        self.after = after


class Console:
    """The API of one account, by `AKASH_CONSOLE_URL` and `AKASH_CONSOLE_API_KEY` of the process."""

    def __init__(
        self, clock: Clock, environ: Mapping[str, str] = os.environ, transport: httpx.BaseTransport | None = None
    ) -> None:
        import httpx

        self._clock = clock
        self._url = environ.get(URL_VARIABLE, "").rstrip("/") or URL
        self._key = environ.get(KEY_VARIABLE, "")
        where = urlsplit(self._url)
        if where.scheme != "https" and (where.scheme, where.hostname in _LOOPBACK) != ("http", True):
            raise ConfigError(f"akash: {URL_VARIABLE} is not an https address; unset it to use {URL}")
        if not self._key:
            raise ConfigError(f"akash: {KEY_VARIABLE} is not set; make a key in the Console and export it")
        self._client = httpx.Client(
            base_url=self._url,
            headers={KEY_HEADER: self._key},
            timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
            transport=transport,
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def call(
        self,
        route: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        missing: dict[str, Any] | None = None,
        **names: str,
    ) -> dict[str, Any]:
        """Call a route and return what it answers; `missing` instead where there is no such thing.

        Reads, updates and closing are repeated when the API is busy or broken; what opens or rents never is: after a
        Stumble, look first. Raises Refused for what will not pass, with the API's own words.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        method, path = ROUTES[route]
        target = path.format(**{name: quote(value, safe="") for name, value in names.items()})
        tries = Retrying(
            stop=stop_after_attempt(1 if method == "POST" else _TRIES),
            wait=_wait,
            retry=retry_if_exception_type(_Trouble),
            sleep=self._clock.sleep,
            reraise=True,
        )
        return tries(self._once, method, target, params, body, missing)

    def _once(
        self, method: str, path: str, params: Mapping[str, str | int] | None, body: Any, missing: dict[str, Any] | None
    ) -> dict[str, Any]:
        import httpx

        timeout = httpx.Timeout(_READ_S if method == "GET" else _WRITE_S, connect=_CONNECT_S)
        try:
            answer = self._client.request(method, path, params=params, json=body, timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as fault:
            raise _Trouble(
                f"akash: the Console at {self._url} cannot be reached ({_kind(fault)})", took=False
            ) from None
        except httpx.TransportError as fault:
            raise _Trouble(f"akash: the Console at {self._url} did not answer ({_kind(fault)})", took=None) from None
        if answer.status_code == _NOT_FOUND and missing is not None:
            return missing
        if answer.is_success:
            return self._read(answer, method, path)
        raise self._fault(answer, method, path)

    def _read(self, answer: httpx.Response, method: str, path: str) -> dict[str, Any]:
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _Trouble(f"akash: the Console answered {method} {path} with something that is not JSON", took=None)
        return found

    def _fault(self, answer: httpx.Response, method: str, path: str) -> MarketError:
        status, said = answer.status_code, self._said(answer)
        if status == _BUSY or status >= _BROKEN:
            took = False if status == _BUSY else None
            return _Trouble(
                f"akash: the Console answered {method} {path} with {status}: {said}; it may pass, try again",
                took=took,
                after=_seconds(answer.headers.get("retry-after")),
            )
        if status in _FORBIDDEN:
            return Refused(f"akash: the Console does not accept {KEY_VARIABLE}: {said}; make a new key and export it")
        if status == _PAYMENT or any(words.lower() in said.lower() for words in MONEY):
            return Refused(f"akash: {said}; add credit to the Console account and run it again")
        if status == _NOT_FOUND or any(words.lower() in said.lower() for words in PASSING):
            return Stumble(f"akash: {said}", took=False)
        return Refused(f"akash: the Console refuses {method} {path}: {said}; trying again does not help")

    def _said(self, answer: httpx.Response) -> str:
        try:
            found = answer.json()
        except ValueError:
            found = {}
        said = (found.get("message") or found.get("error")) if isinstance(found, dict) else None
        details = found.get("data") if isinstance(found, dict) else None
        if isinstance(details, list) and details:
            said = f"{said}: " + "; ".join(str(d.get("message", d) if isinstance(d, dict) else d) for d in details)
        return str(said or answer.reason_phrase).replace(self._key, "***")


def _wait(state: RetryCallState) -> float:
    trouble = state.outcome.exception() if state.outcome else None
    asked = trouble.after if isinstance(trouble, _Trouble) else None
    return min(0.25 * 2**state.attempt_number if asked is None else asked, _LONGEST_WAIT_S)


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None


def _kind(fault: Exception) -> str:
    return type(fault).__name__
