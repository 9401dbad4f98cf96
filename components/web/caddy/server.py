"""What runs in the container of a site: the web server as a value, made from the topology."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict

from . import addresses
from . import config as configuration
from .secrets import SECRETS_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pieces import Json


#: The script that a container runs, and the files of functions that replace a line in it.
_FRONT, _FUNCTIONS, _PLACE = "front.sh", ("releases.sh", "certificates.sh", "secrets.sh"), "@FUNCTIONS@\n"


@functools.cache
def front() -> str:
    """Return the script of every container; its first lines list the environment."""
    folder = Path(__file__).parent
    functions = "\n".join((folder / name).read_text(encoding="utf-8") for name in _FUNCTIONS)
    return (folder / _FRONT).read_text(encoding="utf-8").replace(_PLACE, functions)


class Command(TypedDict):
    """The two properties of an SDL service that define what runs."""

    command: list[str]
    args: list[str]


class Behind(Protocol):
    """What stands behind a web server: a Folder or an Upstream."""

    @property
    def body_bytes(self) -> int:
        """The longest request body that is accepted, in bytes."""
        ...

    @property
    def request_s(self) -> int:
        """Seconds that a whole request may take to arrive."""
        ...

    @property
    def identity(self) -> str:
        """The first line of /healthz while it is well, with Caddy's placeholders."""
        ...

    @property
    def note(self) -> str:
        """Further lines of /healthz, each after a line end, with Caddy's placeholders."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the script reads."""
        ...

    def first_routes(self) -> list[Json]:
        """Prepare each request, those for /healthz too."""
        ...

    def site_headers(self, scheme: str) -> list[Json]:
        """Set the headers that every answer carries, where nothing set them before."""
        ...

    def health_routes(self, well: Json) -> list[Json]:
        """Answer /healthz with `well` while the site is well."""
        ...

    def routes(self) -> list[Json]:
        """Answer all requests but those for health and challenges."""
        ...

    def error_routes(self) -> list[Json]:
        """Answer some errors in its own way."""
        ...


@dataclass(frozen=True)
class WebServer:
    """One site's web server: its names, the issuer of its certificates, and what stands behind it.

    `scheme` is `https` where visitors have it, and `http` behind a shared ingress. Visitors of the hosts in
    `redirect_from` are redirected to `host`. `peer` is the own name of the other site that asks for certificates of
    `host` and of those. `version` is the first line of /healthz while all is well, `mark` the second, which no release
    changes. `balanced` means that a load balancer in front ends HTTPS: then the server has no certificates, listens on
    HTTP alone, and trusts what the load balancer passes on about visitors. `operator` is the SHA-256 of the client
    certificate with which the application's secrets are handed over, None where it has none.
    """

    scheme: str
    host: str
    site_host: str
    peer: str
    acme_directory: str
    version: str
    behind: Behind
    redirect_from: tuple[str, ...] = ()
    balanced: bool = False
    mark: str = ""
    operator: str | None = None

    @property
    def certified(self) -> bool:
        """Whether it asks for certificates itself."""
        return self.scheme == "https" and not self.balanced

    @property
    def well(self) -> str:
        """The body of /healthz while all is well, with Caddy's placeholders."""
        return "\n".join(filter(None, (self.behind.identity, self.mark))) + self.behind.note

    def configuration(self) -> Json:
        """Return Caddy's whole configuration; only the version comes from the environment."""
        return configuration.of(self)

    def environment(self) -> dict[str, str]:
        """Return the variables that the command reads; an update of the content changes some of them.

        HTTP_PORT, HTTPS_PORT and BIND set where to listen, if that is not 80, 443 and every address.
        """
        names = {"HOST": self.host, "DIRECT": self.site_host, "ACME_CA": self.acme_directory}
        if self.redirect_from:
            names["OTHERS"] = " ".join(self.redirect_from)
        operator = {} if self.operator is None else {"OPERATOR": self.operator, "SECRETS_PORT": str(SECRETS_PORT)}
        return {**operator, "VERSION": self.version, **self.behind.environment(), **(names if self.certified else {})}

    def command(self) -> Command:
        """Return what the SDL service runs: it depends on names and kind, never on the version."""
        return {"command": ["sh", "-c"], "args": [front(), "front", self.text(), "\n".join(addresses.SHAPES)]}

    def text(self) -> str:
        """Return the configuration as front.sh reads it."""
        return json.dumps(self.configuration(), separators=(",", ":"))
