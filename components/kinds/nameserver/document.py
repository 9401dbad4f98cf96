"""The Akash document of a name server: the document in `sdl/` with the values of one site."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...dns.powerdns.server import HEALTH_PORT
from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...targets.akash.web import web_server
from ...web.caddy.secrets import SECRETS_PORT
from ...web.caddy.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...release import Release
    from ...topology import Site

#: The placeholder for a certificate's hash, or a key, that cannot be derived. It matches no certificate.
UNKNOWN = "unknown"
#: Next to `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")
FILE = "nameserver.yaml"
#: The two services of the document.
WEB, DNS = "web", "dns"


@functools.cache
def shipped() -> sdl.Document:
    """Return the document of `sdl/`. Raises SdlError if the file is invalid."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return sdl.load((folder / FILE).read_text(encoding="utf-8"), name=FILE)


@functools.cache
def _with_inner_ports() -> sdl.Document:
    """Return the document in which the name server reaches the key, and the web server the health; nothing else does.

    The Go tools number such ports differently (rule `tools-disagree`) from Console and this library.
    """
    data = sdl.plain_copy(shipped().data)
    for service, port, to in ((WEB, SECRETS_PORT, DNS), (DNS, HEALTH_PORT, WEB)):
        inside = {"port": port, "as": port, "proto": "TCP", "to": [{"service": to}]}
        data["services"][service]["expose"].append(inside)
    return sdl.with_data(shipped(), data)


def image() -> str:
    """Return the image of the document in `sdl/`."""
    return str(shipped().data["services"][DNS]["image"])


def document_for(
    site: Site, release: Release, stores: Sequence[str], operator: str = UNKNOWN, signer: str = UNKNOWN
) -> dict[str, Any]:
    """Return the document of one server as data.

    `stores` are the addresses of the folders of its bundles. `operator` is the SHA-256 (hex) of the client certificate
    from which the web server accepts the zone's key. `signer` is the public key that signs bundles.
    """
    options: Any = site.options
    front = web_server(site, release, Upstream(f"{DNS}:{HEALTH_PORT}", "/"), operator=operator)
    settings = {
        "ZONE": options.zone,
        "STORES": " ".join(stores),
        "SIGNER": signer,
        "SECRETS": f"{WEB}:{SECRETS_PORT}",
    }
    named = overlay(_with_inner_ports(), service=DNS, image=options.image, env=settings)
    return overlay(
        named,
        service=WEB,
        env=front.environment(),
        **front.command(),
        ceiling_usd_month=options.budget_usd_month,
    ).data
