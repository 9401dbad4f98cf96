"""Ask a site from outside until it serves the version, as a browser would accept it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..errors import StepError
from ..visit import visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..visit import Page

#: Seconds to go on asking, unless told otherwise.
_TIMEOUT = 300.0
#: Seconds between two questions: the first pause, what it grows by, and the longest.
_PAUSE, _GROWTH, _LONGEST = 0.5, 1.3, 2.0


def take(
    given: Mapping[str, Any],
    say: Callable[[str], None],
    look: Callable[[str, str | None], Page] = visit,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask `url` (the site's health address) until it answers `version`, and the first page answers too.

    With `address` the question goes there and not where DNS leads. Raises StepError after `timeout_s` seconds with what
    was seen last.
    """
    url, address, version = given["url"], given.get("address"), given["version"]
    end, pause, last = clock() + float(given.get("timeout_s", _TIMEOUT)), _PAUSE, ""
    place = f"{url} at {address}" if address else url
    while True:
        health = look(url, address)
        trouble = judge(health, version) or _front_page(look(urljoin(url, "/"), address))
        if not trouble:
            break
        if trouble != last:
            say(f"waiting for {place}: {trouble}")
            last = trouble
        if clock() + pause > end:
            raise StepError(
                f"{place} is not well after {given.get('timeout_s', _TIMEOUT):.0f} s: {trouble}; "
                "its failover record was left as it is"
            )
        sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
    seen = {"certificate": asdict(health.certificate)} if health.certificate else {}
    return {"host": urlsplit(url).hostname, "version": version} | seen


def judge(health: Page, version: str) -> str:
    """Say what is wrong with the answer of a health address, or nothing when the site serves the version."""
    if health.trouble:
        return health.trouble
    said = health.body.partition("\n")[0].strip()
    if health.status != 200:  # noqa: PLR2004
        return f"it answers {health.status}" + (f", saying: {said[:200]}" if _is_sentence(health) else "")
    if said != version:
        return f"it serves version {said[:12] or 'nothing'}, not {version[:12]}"
    return ""


def _is_sentence(page: Page) -> bool:
    return bool(page.body.strip()) and not page.body.lstrip().startswith("<")


def _front_page(page: Page) -> str:
    if page.trouble or page.status == 200:  # noqa: PLR2004
        return page.trouble
    return f"its health answer is right, but its first page answers {page.status}"
