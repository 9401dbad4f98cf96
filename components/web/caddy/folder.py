"""Releases of a folder behind the web server: fetched from the stores by hash, and chosen once for each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import headers as content
from . import addresses
from .pieces import answer, at_most, file, rewrite, route, unless, unless_set, variable, with_headers, without_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pieces import Json


_CONDITIONS = ("If-Match", "If-None-Match", "If-Range", "Range")


@dataclass(frozen=True)
class Folder:
    """A release by the prefix of its keys in the stores and the size of its bundle in bytes, 0 if it is not known.

    `stores` are pairs of a vendor and the public URL of a bucket. With a `number` other than 0 the container also
    accepts every newer release whose record the stores of two vendors hold.
    """

    stores: tuple[tuple[str, str], ...]
    workload: str
    size: int = 0
    number: int | str = 0

    #: A folder takes no content from visitors: bytes of a request's body, and seconds for a whole request.
    body_bytes = 16_000
    request_s = 10
    #: The body of /healthz: the release, and in further lines what keeps a newer one away.
    identity, note = addresses.ID, "{file.health/note}"

    def environment(self) -> Mapping[str, str]:
        """Return the variables of front.sh, and which of them a running container learns from records instead."""
        return ({"LEARNS": "VERSION BYTES NUMBER"} if self.number else {}) | {
            "STORES": " ".join(f"{vendor}={url}" for vendor, url in self.stores),
            "WORKLOAD": self.workload,
            "BYTES": str(self.size),
            "NUMBER": str(self.number),
        }

    def first_routes(self) -> list[Json]:
        """Choose the release of a request, health checks included."""
        return addresses.release()

    def site_headers(self, scheme: str) -> list[Json]:
        """Set the headers of every answer; some are settings of the release."""
        named = addresses.SET_HEADERS
        fixed = [
            unless_set(name, value) for name, value in content.SECURITY_HEADERS[scheme].items() if name not in named
        ]
        return [
            route(*fixed),
            *(
                route(unless_set(name, f"{{http.vars.{setting}}}"), when=unless(variable(setting, "")))
                for name, setting in named.items()
            ),
        ]

    def health_routes(self, well: Json) -> list[Json]:
        """Answer /healthz: the site is well once its files are there."""
        return [route(well)]

    def routes(self) -> list[Json]:
        """Answer every address; 503 before there is a release."""
        return [route(at_most(self.body_bytes)), *addresses.routes()]

    def error_routes(self) -> list[Json]:
        """Answer missing addresses with the site's own page for them, else with a small one."""
        missing = {"expression": "{http.error.status_code} == 404"}
        page = with_headers({"Content-Type": content.TYPES[".html"]})
        own = file(addresses.ROOT, f"/{content.ERROR_PAGE}")
        serve = {"handler": "file_server", "root": addresses.ROOT, "canonical_uris": False}
        squeeze = addresses.compressed()
        # The page is the same for every address, so conditions and ranges do not apply.
        plain = without_header("Etag", "Last-Modified", "Accept-Ranges", asked=(*addresses.TIMES, *_CONDITIONS))
        return [
            route(rewrite(f"/{content.ERROR_PAGE}"), page, plain, squeeze, serve, when=missing | own),
            route(page, answer(404, content.STOCK_PAGE.decode()), when=missing),
        ]
