"""A bundle behind the web server, fetched by its hash from any store: static files by the rules of content.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import headers as content
from .pieces import COMPRESSED, answer, at_most, file, files, path, rewrite, route, unless, with_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pieces import Json

#: Where the unpacked bundle lies in the container.
_ROOT = "site"


@dataclass(frozen=True)
class Folder:
    """Addresses of a bundle, tried in turn until one gives the version; nothing else is ever served."""

    bundles: tuple[str, ...]

    #: Nobody sends anything to a folder: bytes of a request's body, and seconds for a whole request.
    body_bytes = 16_000
    request_s = 10

    def environment(self) -> dict[str, str]:
        """Name what the script reads."""
        return {"BUNDLES": " ".join(self.bundles)}

    def health_routes(self, well: Json) -> list[Json]:
        """Answer /healthz: files are well once they are there."""
        return [route(well)]

    def routes(self) -> list[Json]:
        """Serve files by the tables of content types and cache rules; 503 before there are any."""
        absent = {"Cache-Control": "no-store", "Retry-After": "10"}
        return [
            route(answer(503, "the content is not here yet", absent), when=unless(file(".", f"/{_ROOT}/"))),
            route(at_most(self.body_bytes), COMPRESSED),
            *_rules(),
            # Files in a bundle have no times, so the version is what tells two of them apart.
            route(with_headers({"Etag": '"{env.VERSION}"'}), files(_ROOT)),
        ]

    def error_routes(self) -> list[Json]:
        """Answer what is not there with the site's own page for it, if it has one."""
        missing = {"expression": "{http.error.status_code} == 404"} | file(_ROOT, f"/{content.ERROR_PAGE}")
        page = with_headers({"Content-Type": content.TYPES[".html"]})
        return [route(rewrite(f"/{content.ERROR_PAGE}"), page, COMPRESSED, files(_ROOT), when=missing)]

    def prepare(self) -> str:
        """Return the shell lines that fetch the bundle; what they wait for, /healthz says."""
        return _FETCH

    def judge(self) -> str:
        """Return a shell command that prints what is wrong behind the web server: nothing, once the bundle is there."""
        return ":"


def _rules() -> Iterator[Json]:
    """Say the tables of content types and cache rules; of two that fit, the later counts."""
    suffixes: dict[str, list[str]] = {}
    for suffix, kind in content.TYPES.items():
        suffixes.setdefault(kind, []).append(f"*{suffix}")
    for kind, globs in suffixes.items():
        yield route(with_headers({"Content-Type": kind}), when=path(*globs))
    hashed = {
        "path_regexp": {"pattern": content.HASHED},
        "not": [{"path_regexp": {"pattern": pattern}} for pattern in content.NOT_HASHED],
    }
    pages = path("*/", *(f"*{suffix}" for suffix in content.PAGES))
    for cache, when in ((content.SHORT, None), (content.FOR_EVER, hashed), (content.ALWAYS_FRESH, pages)):
        yield route(with_headers({"Cache-Control": cache}), when=when)


_FETCH = """\
rm -rf site fresh bundle.tar
trouble "the content is not here yet"
fetch() {
  for address in $BUNDLES; do
    run wget -q -t 1 -T 20 -O bundle.tar "$address"
    if echo "$VERSION  bundle.tar" | sha256sum -c >/dev/null 2>&1; then
      rm -rf fresh && mkdir fresh && tar -xf bundle.tar -C fresh && rm bundle.tar && mv fresh site && return 0
      trouble "the bundle cannot be unpacked; is the disk full?"
    else
      say "$address did not give version $VERSION"
    fi
  done
  return 1
}
pause=1
until fetch; do
  alive
  ask
  trouble "no store gives the content; trying again"
  run sleep $pause
  [ $pause -ge 30 ] || pause=$((pause * 2))
done
"""
