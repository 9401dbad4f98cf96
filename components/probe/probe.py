"""Ask a site from outside until it serves the version, as a browser would accept it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..errors import StepError
from .client import Page, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Look = Callable[[str, str | None], Page]
    #: Where a host's records lead: a zone's handle, the host → addresses and names.
    Current = Callable[[Mapping[str, Any], str], list[str]]

#: Seconds to go on asking, unless told otherwise.
_TIMEOUT = 300.0
#: Seconds between two questions: the first pause, what it grows by, and the longest.
_PAUSE, _GROWTH, _LONGEST = 0.5, 1.3, 2.0
#: How many times in a row nobody must have answered the host before that counts, and the seconds between two times.
_LOOKS, _BETWEEN_LOOKS = 3, 1.0
_ALONE = (
    "nobody answers {host} now, so its record may lead to {site_host} before there is a certificate for {host}: "
    "the issuer gives that one only then"
)


def _current(handle: Mapping[str, Any], host: str) -> list[str]:
    """Ask the authority that a handle names, as the project knows it."""
    from ..project import registry

    return registry().authorities[handle["authority"]].current(handle, host)


def take(
    given: Mapping[str, Any],
    say: Callable[[str], None],
    look: Look = visit,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    current: Current = _current,
) -> dict[str, Any]:
    """Ask `url` (the site's health address) until it answers `version`, and the first page answers too.

    With `at`, a list of addresses or names, each of them is asked and not where DNS leads. With `site_host` and
    `zones`, what each authority needs to be asked, it is also enough that the site serves the version with a valid
    certificate for its own name while no site answers the host: the issuer then gives none for the host before the
    record leads there, and no visitor loses a site. Raises StepError after `timeout_s` seconds with what was seen last.
    `moved`: the record leads there already.
    """
    url, version = given["url"], given["version"]
    addresses: list[str | None] = list(given.get("at") or ()) or [None]
    end, pause, last = clock() + float(given.get("timeout_s", _TIMEOUT)), _PAUSE, ""
    site = _Site(given, look, current)
    alone = 0
    while True:
        address, health, trouble = _first_fault(look, url, version, addresses)
        place = f"{url} at {address}" if address else url
        if not trouble:
            break
        if health.trouble and url.startswith("https:"):
            trouble, alone = site.explain(trouble, alone, address)
            if alone >= _LOOKS:
                say(_ALONE.format(host=site.host, site_host=site.site_host))
                health = site.shown
                break
        if trouble != last:
            say(f"waiting for {place}: {trouble}")
            last = trouble
        if clock() + pause > end:
            stands = "leads there already" if given.get("moved") else "was left as it is"
            raise StepError(
                f"{place} is not well after {given.get('timeout_s', _TIMEOUT):.0f} s: {trouble}; "
                f"its failover record {stands}"
            )
        # While nobody answers the host every second counts; but a connection that broke must not look like nobody.
        pause = _BETWEEN_LOOKS if alone else pause
        sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
    seen = {"certificate": asdict(health.certificate)} if health.certificate else {}
    return {"host": urlsplit(url).hostname, "version": version} | seen


def _first_fault(look: Look, url: str, version: str, addresses: Sequence[str | None]) -> tuple[str | None, Page, str]:
    """Ask every address; return the first that is not well with its page and fault, else the last with no fault."""
    address, health, fault = addresses[0], Page(0, "", None), ""
    for address in addresses:
        health = look(url, address)
        fault = judge(health, version) or _front_page(look(urljoin(url, "/"), address))
        if fault:
            break
    return address, health, fault


@dataclass
class _Site:
    """A site that is not well over HTTPS: what it says of itself, and whether it may be pointed at all the same."""

    given: Mapping[str, Any]
    look: Look
    current: Current
    shown: Page = field(default=Page(0, "", None))

    @property
    def host(self) -> str:
        """The public host."""
        return urlsplit(self.given["url"]).hostname or ""

    @property
    def site_host(self) -> str:
        """The site's own name, if that may be enough."""
        return str(self.given.get("site_host", ""))

    def explain(self, trouble: str, alone: int, address: str | None) -> tuple[str, int]:
        """Say more of a trouble with TLS; count how often in a row it was the only one and nobody answered the host."""
        said, ready = self._of_itself(address)
        trouble = f"{trouble}; it says: {said}" if said else trouble
        if not ready:
            return trouble, 0
        try:
            found = self._answering()
        except Exception as error:  # noqa: BLE001 whatever hinders the question, not to know is not nobody
            return f"{trouble}; who answers {self.host} now cannot be asked ({error})", 0
        return f"{trouble}; {found[0] if found else 'nobody'} answers {self.host} now", 0 if found else alone + 1

    def _answering(self) -> list[str]:
        """Return every place that the host's records lead to and that answers with a certificate browsers accept."""
        places = dict.fromkeys(place for handle in self.given["zones"] for place in self.current(handle, self.host))
        return [place for place in places if not self.look(self.given["url"], place).trouble]

    def _of_itself(self, address: str | None) -> tuple[str, bool]:
        """What it says over plain HTTP, and whether it serves the version with a valid certificate for its own name."""
        url = self.given["url"]
        plain = self.look(f"http:{url.partition(':')[2]}", address)
        said, _, serving = plain.body.partition("\n")
        if plain.status != 503 or not _is_sentence(plain):
            return "", False
        if self.site_host and serving.strip() == f"serving {self.given['version']}":
            self.shown = self.look(url.replace(self.host, self.site_host, 1), address)
            return said.strip()[:300], not self.shown.trouble
        return said.strip()[:300], False


def judge(health: Page, version: str) -> str:
    """Say what is wrong with the answer of a health address, or nothing when the site serves the version."""
    if health.trouble:
        return health.trouble
    said = health.body.partition("\n")[0].strip()
    if health.status != 200:
        return f"it answers {health.status}" + (f", saying: {said[:300]}" if _is_sentence(health) else "")
    if said != version:
        return f"it serves version {said[:12] or 'nothing'}, not {version[:12]}"
    return ""


def _is_sentence(page: Page) -> bool:
    return bool(page.body.strip()) and not page.body.lstrip().startswith("<")


def _front_page(page: Page) -> str:
    if page.trouble or page.status == 200:
        return page.trouble
    return f"its health answer is right, but its first page answers {page.status}"
