"""The Console's HTTP API: the only door to it, with its routes, key, retries, and errors in plain words."""

from __future__ import annotations

import json
import os
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ....coding import parts
from ....deadline import within
from ....errors import ConfigError, MarketError, Refused
from ....limits import CONSOLE_BYTES as _LARGEST
from ....limits import CONSOLE_CHANGE_S as _WRITE_S
from ....limits import CONSOLE_CONNECT_S as _CONNECT_S
from ....limits import CONSOLE_DEPTH as _DEEPEST
from ....limits import CONSOLE_READ_S as _READ_S
from ....text.escape import outside
from ....text.hidden import spellings
from .. import KEY_VARIABLE, URL_VARIABLE
from ..market.reconcile import TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from tenacity import RetryCallState

    from ..market.reconcile import Clock

#: Everything that may change: the API's address, its headers, and its routes (`apps/api/swagger/openapi.json`).
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
    "settings": ("GET", "/v2/deployment-settings/{dseq}"),
    "top-up": ("PATCH", "/v2/deployment-settings/{dseq}"),
    "provider": ("GET", "/v1/providers/{owner}"),
    "named": ("GET", "/v1/deployment/{owner}/{dseq}"),  # the only one that has the names of groups
    "me": ("GET", "/v1/user/me"),
    "wallets": ("GET", "/v1/wallets"),
    "balances": ("GET", "/v1/balances"),
    "token": ("POST", "/v1/create-jwt-token"),  # for a provider's gateway
    "screen": ("POST", "/v1/bid-screening"),
}
#: Calls that may be repeated: reads, and changes that the Console makes idempotent on purpose (`lease.service.ts`,
#: close). Opening is none of them: the Console chooses the number, so two calls open two deployments.
REPEATED = frozenset(ROUTES) - {"open"}
#: The words of a refusal and their meaning; the first match counts. The texts are the Console's
#: (`chain-error.service.ts`, `trial-activation-job.service.ts`, `deployment-writer.service.ts`).
PASSING = (
    "no longer open",
    "already been matched",
    "not open",
    "deployment closed",
    "invalid deployment hash",
    "no lease for deployment",
    "still being provisioned",
    "try again in a moment",
    "cannot be settled yet",
    "changed concurrently",
)
ADVICE: tuple[tuple[str, str], ...] = (
    ("trial expired", "add credit to the Console account and run it again"),
    ("insufficient funds", "add credit to the Console account and run it again"),
    ("not enough balance", "add credit to the Console account and run it again"),
    ("deposit too low", "the amount is too small, not the credit: the chain's minimum has changed, so upgrade unmoor"),
)
#: Refusals of a lease from before its transaction. Any other may come from the provider after it, and then the lease
#: stands and costs (`lease.service.ts` sends the manifest last).
_BEFORE_THE_LEASE = ("failed to create lease", "cannot create lease", "invalid sdl", "validation error")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Tries of one call, and the seconds after which no further try begins: after a time-out the next one would rarely
#: help.
_TRIES, _TRYING_S, _LONGEST_WAIT_S = 3, 60.0, 30.0
_TOO_LARGE = b"\0"  # stands for an answer that was cut off: it is not JSON
_NOT_FOUND, _CONFLICT, _BUSY, _BROKEN = 404, 409, 429, 500
_UNAUTHORIZED, _FORBIDDEN, _PAYMENT = 401, 403, 402


class _CallError(TransientError):
    """A failed call, with the seconds for which the other side asked us to wait (None if it gave no time)."""

    def __init__(self, title: str, *, took: bool | None, after: float | None = None) -> None:
        super().__init__(title, took=took)
        self.after = after


class Console:
    """The API of one account, from `AKASH_CONSOLE_URL` and `AKASH_CONSOLE_API_KEY` of the environment.

    A `public` one reads and sends no key; it is for routes that are open to anyone.
    """

    def __init__(
        self,
        clock: Clock,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.BaseTransport | None = None,
        *,
        public: bool = False,
    ) -> None:
        import httpx

        self._clock = clock
        self._url = _address(environ.get(URL_VARIABLE, "").rstrip("/") or URL)
        key = "" if public else _key(environ)
        self._hidden = spellings(key)
        self._client = httpx.Client(
            base_url=self._url,
            headers={KEY_HEADER: key} if key else {},
            timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        route: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        missing: Any = ...,
        within_s: float | None = None,
        **names: str,
    ) -> Any:
        """Call a route and return its answer; return `missing` where there is no such thing.

        Routes in REPEATED are retried when the API is busy or broken; after a TransientError of another route, observe
        first. `within_s` bounds one try, in seconds. Raises Refused for what will not pass, with the API's words.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay

        method, path = ROUTES[route]
        target = path.format(**{name: quote(value, safe="") for name, value in names.items()})
        tries = Retrying(
            stop=stop_after_attempt(_TRIES if route in REPEATED and within_s is None else 1)
            | stop_after_delay(_TRYING_S),
            wait=_wait,
            retry=retry_if_exception_type(_CallError),
            sleep=self._clock.sleep,
            reraise=True,
        )
        return tries(self._once, route, method, target, params, body, missing, within_s)

    def _once(
        self,
        route: str,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: Any,
        missing: Any,
        within_s: float | None,
    ) -> Any:
        import httpx

        whole = within_s or (_READ_S if method == "GET" else _WRITE_S)
        try:
            answer, content = self._exchange(method, path, params, body, whole)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout) as fault:
            raise _CallError(
                f"akash: the Console at {self._url} cannot be reached ({_kind(fault)})", took=False
            ) from None
        except (httpx.RequestError, TimeoutError) as fault:
            raise _CallError(f"akash: the Console at {self._url} did not answer ({_kind(fault)})", took=None) from None
        if answer.status_code == _NOT_FOUND and missing is not ...:
            return missing
        parsed = _parse(content)
        if not answer.is_success:
            raise self._fault(route, answer, parsed, f"{method} {path}")
        if parsed is None:
            what = "something that is not JSON, or too large"
            raise _CallError(f"akash: the Console answered {method} {path} with {what}", took=None)
        return parsed

    def _exchange(
        self, method: str, path: str, params: Mapping[str, str | int] | None, body: Any, within_s: float
    ) -> tuple[httpx.Response, bytes]:
        """Send one request and read its answer, within `within_s` seconds and `_LARGEST` bytes."""
        import httpx

        timeout = httpx.Timeout(within_s, connect=_CONNECT_S)
        content = b""
        with (
            within(within_s) as deadline,
            self._client.stream(
                method, path, params=params, json=body, timeout=timeout, extensions={"trace": deadline.trace}
            ) as answer,
        ):
            for part in parts(answer):
                content += part
                if deadline.over:
                    raise TimeoutError
                if len(content) > _LARGEST:
                    return answer, _TOO_LARGE
        return answer, content

    def _fault(self, route: str, answer: httpx.Response, parsed: Any, what: str) -> MarketError:
        status, words = answer.status_code, self._words(answer, parsed)
        if status == _BUSY or status >= _BROKEN:
            return _CallError(
                f"akash: the Console answered {what} with {status}: {words}; it may pass, try again",
                took=False if status == _BUSY else None,
                after=_seconds(answer.headers.get("retry-after")),
            )
        if status == _FORBIDDEN and not isinstance(parsed, dict):  # a page from the network in front of the API
            return _CallError(f"akash: the network in front of the Console refuses {what} ({words})", took=False)
        return self._refusal(route, status, words, what)

    def _refusal(self, route: str, status: int, words: str, what: str) -> MarketError:
        """Distinguish the API's refusal from a transient error and from a provider's refusal of a standing lease."""
        low = words.lower()
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            return Refused(f"akash: the Console does not accept {KEY_VARIABLE}: {words}; make a new key and export it")
        passes = any(clue in low for clue in PASSING)
        before = route != "lease" or status == _CONFLICT or passes or low.startswith(_BEFORE_THE_LEASE)
        if status in (_NOT_FOUND, _CONFLICT) or passes:
            return TransientError(f"akash: {words}", took=False if before else None)
        credit = "add credit to the Console account and run it again" if status == _PAYMENT else ""
        if advice := next((advice for clue, advice in ADVICE if clue in low), credit):
            return Refused(f"akash: {words}; {advice}")
        if not before:
            return TransientError(f"akash: the provider does not take the manifest: {words}", took=None)
        return Refused(f"akash: the Console refuses {what}: {words}; trying again does not help")

    def _words(self, answer: httpx.Response, parsed: Any) -> str:
        words = (parsed.get("message") or parsed.get("error")) if isinstance(parsed, dict) else None
        details = parsed.get("data") if isinstance(parsed, dict) else None
        if isinstance(details, list) and details:
            words = f"{words}: " + "; ".join(
                str(d.get("message", d) if isinstance(d, dict) else d) for d in details[:10]
            )
        text = str(words or answer.reason_phrase)[: _LARGEST // 1024]
        for spelling in self._hidden:
            text = text.replace(spelling, "***")
        return outside(text)


def _key(environ: Mapping[str, str]) -> str:
    """Return the key. Raises ConfigError where there is none, or it cannot be one."""
    key = environ.get(KEY_VARIABLE, "")
    if not key:
        raise ConfigError(f"akash: {KEY_VARIABLE} is not set; make a key in the Console and export it")
    if not key.isascii() or not key.isprintable() or key != key.strip():
        raise ConfigError(f"akash: {KEY_VARIABLE} has characters that no key has; copy it from the Console again")
    return key


def _address(url: str) -> str:
    """Return the API's address if the key may be sent there. Errors never repeat it: it may hold a password."""
    try:
        where = urlsplit(url)
        host, port = where.hostname, where.port
    except ValueError:
        host, port, where = None, None, urlsplit("")
    if where.username is not None or where.password is not None:
        raise ConfigError(f"akash: {URL_VARIABLE} holds a user name or a password; take it out, the key is enough")
    plain = where.scheme == "http" and host in _LOOPBACK
    if not host or port == 0 or not (where.scheme == "https" or plain):
        raise ConfigError(f"akash: {URL_VARIABLE} is not an https address; unset it to use {URL}")
    return url


def _parse(content: bytes) -> Any:
    """Return the parsed JSON; None if it is invalid, nested too deeply, or holds numbers outside JSON."""
    if not content:
        return {}

    def no_constant(text: str) -> Any:
        raise ValueError(text)

    try:
        found = json.loads(content, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return None
    return found if _depth(found) <= _DEEPEST else None


def _depth(value: Any) -> int:
    """Return the number of levels of a value, without recursion; counting stops beyond the limit."""
    level, deep = [value], 0
    while level and deep <= _DEEPEST:
        deep += 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return deep


def _wait(state: RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome else None
    asked = fault.after if isinstance(fault, _CallError) else None
    return min(0.25 * 2**state.attempt_number if asked is None else asked, _LONGEST_WAIT_S)


def _seconds(header: str | None) -> float | None:
    """Return the seconds in `Retry-After`, which may be a date (RFC 9110 §10.2.3)."""
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:6])
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _kind(fault: Exception) -> str:
    return type(fault).__name__
