"""Request every old address at the new site: its status, where it ends, and whether its title is the same."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..text.escape import outside, shown
from . import facts
from .fetch import AT_ONCE, LATER, Answer, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .fetch import Fetch

#: The most redirects that a browser follows unnoticed; the tries of an address that asks for a pause.
_HOPS, _TRIES = 5, 5
_OK = 200


@dataclass(frozen=True)
class Checked:
    """The answer of one old address. `problem` is empty if a reader finds the former page."""

    path: str
    status: int
    final: str
    title: str
    problem: str = ""
    lost: tuple[str, ...] = ()  #: anchors of the old page that the new one does not have

    def plain(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "path": self.path,
            "status": self.status,
            "final": self.final,
            "title": self.title,
            "problem": self.problem,
            "lost": list(self.lost),
        }


def check(
    base: str,
    rows: Sequence[Mapping[str, Any]],
    fetch: Fetch,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Checked]:
    """Request every address of a list at `base`, at most eight at a time; results keep the order of the list."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda row: _one(base.rstrip("/"), row, fetch, sleep), rows))


def _one(base: str, row: Mapping[str, Any], fetch: Fetch, sleep: Callable[[float], None]) -> Checked:
    path, wanted = str(row["path"]), str(row.get("title") or "")
    at, host = f"{base}{path}", urlsplit(base).netloc
    for _ in range(_HOPS + 1):
        answer = _ask(at, fetch, sleep)
        if not answer.location:
            break
        to = joined(at, answer.location)
        if not to:
            problem = f"it redirects to {outside(answer.location)}, which is no address"
            return Checked(path, answer.status, urlsplit(at).path or "/", "", problem)
        at = to
        if urlsplit(at).netloc != host:
            return Checked(path, answer.status, at, "", f"it leaves the site for {outside(at)}")
    final = urlsplit(at).path or "/"
    if answer.location:
        return Checked(path, answer.status, final, "", f"it redirects more than {_HOPS} times")
    if answer.failure or answer.status != _OK:
        return Checked(path, answer.status, final, "", outside(answer.failure) or f"status {answer.status}")
    if not answer.page:
        return Checked(
            path, answer.status, final, "", f"it was a page, and is {outside(answer.type)}" if wanted else ""
        )
    found = facts.read(answer.text)
    lost = tuple(str(each) for each in row.get("anchors") or () if each not in found.anchors)
    same = not wanted or facts.alike(wanted, found.title)
    problem = "" if same else f"its title was {shown(wanted)} and is {shown(found.title)}"
    return Checked(path, answer.status, final, found.title, problem, lost)


def _ask(at: str, fetch: Fetch, sleep: Callable[[float], None]) -> Answer:
    """Request an address again where the site asks for a pause: its length, or 1, 2, 4 … seconds if it names none."""
    from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

    def last(state: RetryCallState) -> Answer:
        return state.outcome.result()  # type: ignore[union-attr, no-any-return]

    tries = Retrying(
        retry=retry_if_result(lambda answer: answer.status in LATER),
        stop=stop_after_attempt(_TRIES),
        wait=lambda state: last(state).pause_s or 2.0 ** (state.attempt_number - 1),
        sleep=sleep,
        retry_error_callback=last,
    )
    return tries(fetch, at)


def screen(checked: Sequence[Checked], shown: int = 20) -> Iterator[str]:
    """Yield lines for a person: how many are well, each one that is not, and anchors that are gone."""
    bad = [each for each in checked if each.problem]
    yield f"{len(checked) - len(bad)} of {len(checked)} old addresses lead to their page"
    for each in bad[:shown]:
        yield f"  {outside(each.path)}: {each.problem}" + (
            f" (at {outside(each.final)})" if each.final != each.path else ""
        )
    if len(bad) > shown:
        yield f"  and {len(bad) - shown} more; --json lists all"
    lost = sum(len(each.lost) for each in checked)
    if lost:
        yield f"{lost} anchors of headings are not on the new pages; a browser shows the page's beginning"
