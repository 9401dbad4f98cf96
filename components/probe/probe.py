"""Probe a site from outside until it serves the version, as a browser would accept it."""

from __future__ import annotations

import importlib
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..errors import Fault, StepError, UnmoorError
from ..web.caddy.upstream import refused
from .client import Page, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Look = Callable[[str, str | None], Page]
    #: Returns where a host's records lead: (a zone's handle, the host) → addresses and names.
    Current = Callable[[Mapping[str, Any], str], list[str]]

#: Seconds for which a probe is repeated, unless the caller gives others.
_TIMEOUT = 300.0
#: Seconds between two probes: the first pause, its growth factor, and the longest.
_PAUSE, _GROWTH, _LONGEST = 0.5, 1.3, 2.0
#: Consecutive probes that must find the host without an answer before that counts, and the seconds between two.
_LOOKS, _BETWEEN_LOOKS = 3, 1.0
#: Target → the module that reads logs there.
_LOG_READERS = {"akash": "akash.words"}
_ALONE = (
    "no site answers {host} now, so its record may lead to {site_host} before there is a certificate for {host}: "
    "the issuer gives that one only then"
)


def _current(handle: Mapping[str, Any], host: str) -> list[str]:
    """Ask the authority in a handle, as the project knows it."""
    from ..project import registry

    return registry().authorities[handle["authority"]].current(handle, host)


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    look: Look = visit,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    current: Current = _current,
) -> dict[str, Any]:
    """Probe `url` (the site's health address) until it answers `version` and `mark`, and the first page answers too.

    Without `mark`, as in steps from before there was one, the version is enough. With `at`, a list of addresses or
    names, each of them is probed instead of where DNS leads. With `site_host` and `zones`, each authority's handle,
    another state is enough too: the site serves the version with a valid certificate for its own name while no site
    answers the host. The issuer gives a certificate for the host only once the record leads there, and no visitor loses
    a site. Raises StepError after `timeout_s` seconds with the last fault, and with the last lines of `log`: the
    target, deployment and service whose log explains it. `health` is the application's own health path, and `option`
    the line of the stack file that names it: the error has what to change there. `moved`: the record leads there
    already.
    """
    url, version, mark = given["url"], given["version"], given.get("mark", "")
    addresses: list[str | None] = list(given.get("at") or ()) or [None]
    end, pause, last = clock() + float(given.get("timeout_s", _TIMEOUT)), _PAUSE, ""
    site = _Site(given, look, current)
    alone = 0
    while True:
        address, health, fault = _first_fault(look, url, (version, mark), addresses)
        place = f"{url} at {address}" if address else url
        if not fault:
            break
        if health.fault and url.startswith("https:"):
            fault, alone = site.explain(fault, alone, address)
            if alone >= _LOOKS:
                report(_ALONE.format(host=site.host, site_host=site.site_host))
                health = site.shown
                break
        if fault != last:
            report(f"waiting for {place}: {fault}")
            last = fault
        if clock() + pause > end:
            stands = "leads there already" if given.get("moved") else "was left as it is"
            raise StepError(
                f"{place} is not well after {given.get('timeout_s', _TIMEOUT):.0f} s: {fault}; "
                f"its failover record {stands}" + (", and its application logged last" if given.get("log") else ""),
                [*refused([fault], given.get("health", ""), given.get("option", "")), *_last_words(given.get("log"))],
            )
        # While the host has no answer every second counts, but one broken connection must not be taken for that.
        pause = _BETWEEN_LOOKS if alone else pause
        sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST)
    seen = {"certificate": asdict(health.certificate)} if health.certificate else {}
    return {"host": urlsplit(url).hostname, "version": version} | seen


def _last_words(log: Mapping[str, Any] | None) -> list[Fault]:
    """Return the application's last log lines from the site's target, which explain a failure without causing one."""
    if not log:
        return []
    try:
        reader = importlib.import_module(f"..targets.{_LOG_READERS[log['target']]}", __package__)
        found: list[Fault] = reader.explain(log)
    except UnmoorError as error:
        return [Fault("its log", f"is not shown: {error}")]
    return found or [Fault("its log", "is empty")]


def _first_fault(
    look: Look, url: str, wanted: tuple[str, str], addresses: Sequence[str | None]
) -> tuple[str | None, Page, str]:
    """Probe every address; return the first unhealthy one's page and fault, else the last one's without a fault."""
    address, health, fault = addresses[0], Page(0, "", None), ""
    for address in addresses:
        health = look(url, address)
        fault = judge(health, *wanted) or _front_page(look(urljoin(url, "/"), address))
        if fault:
            break
    return address, health, fault


@dataclass
class _Site:
    """A site that is not well over HTTPS: its own report, and whether a record may lead to it nevertheless."""

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

    def explain(self, fault: str, alone: int, address: str | None) -> tuple[str, int]:
        """Add the site's own report to a TLS fault; count consecutive probes with that fault and no answering host."""
        own, ready = self._of_itself(address)
        fault = f"{fault}; it answers: {own}" if own else fault
        if not ready:
            return fault, 0
        try:
            found = self._answering()
        except Exception as error:  # noqa: BLE001 an unknown answer is not a missing one
            return f"{fault}; who answers {self.host} now cannot be asked ({error})", 0
        return f"{fault}; {found[0] if found else 'no site'} answers {self.host} now", 0 if found else alone + 1

    def _answering(self) -> list[str]:
        """Return every place that the host's records lead to and that answers with a certificate browsers accept."""
        places = dict.fromkeys(place for handle in self.given["zones"] for place in self.current(handle, self.host))
        return [place for place in places if not self.look(self.given["url"], place).fault]

    def _of_itself(self, address: str | None) -> tuple[str, bool]:
        """Return its report over plain HTTP, and whether it serves the version with a certificate for its own name."""
        url = self.given["url"]
        plain = self.look(f"http:{url.partition(':')[2]}", address)
        own, _, serving = plain.body.partition("\n")
        if plain.status != 503 or not _is_sentence(plain):
            return "", False
        if self.site_host and serving.strip() == f"serving {self.given['version']}":
            self.shown = self.look(url.replace(self.host, self.site_host, 1), address)
            return own.strip()[:300], not self.shown.fault
        return own.strip()[:300], False


def judge(health: Page, version: str, mark: str = "") -> str:
    """Return what is wrong with the answer of a health address, or nothing when the site serves version and mark."""
    if health.fault:
        return health.fault
    shown, _, further = health.body.partition("\n")
    shown = shown.strip()
    if health.status != 200:
        return f"it answers {health.status}" + (f", saying: {shown[:300]}" if _is_sentence(health) else "")
    if shown != version:
        return f"it serves version {shown[:12] or 'nothing'}, not {version[:12]}"
    if further.partition("\n")[0].strip() != mark and mark:
        return f"it serves the version without {mark} in the second line, by which health checks know the site"
    return ""


def _is_sentence(page: Page) -> bool:
    return bool(page.body.strip()) and not page.body.lstrip().startswith("<")


def _front_page(page: Page) -> str:
    if page.fault or page.status == 200:
        return page.fault
    return f"its health answer is right, but its first page answers {page.status}"
