"""The Akash document of a name server: the whole document in `sdl/`, overlaid with one site's facts."""

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

#: Stands for a certificate's hash, or a key, where none can be derived, and is none.
UNKNOWN = "unknown"
#: Next to `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")
FILE = "nameserver.yaml"
#: The two services of the document.
WEB, DNS = "web", "dns"


@functools.cache
def shipped() -> sdl.Document:
    """Return the document as it is shipped. Raises SdlError when the file is not valid."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return sdl.load((folder / FILE).read_text(encoding="utf-8"), name=FILE)


@functools.cache
def _with_inner_ports() -> sdl.Document:
    """Show the key to the server, and the server's health to the web server, and neither to anything outside.

    The Go tools number such ports otherwise (rule `tools-disagree`); Console and this library use the other one.
    """
    data = sdl.plain_copy(shipped().data)
    for service, port, to in ((WEB, SECRETS_PORT, DNS), (DNS, HEALTH_PORT, WEB)):
        inside = {"port": port, "as": port, "proto": "TCP", "to": [{"service": to}]}
        data["services"][service]["expose"].append(inside)
    return sdl.with_data(shipped(), data)


def image() -> str:
    """Return the image of the document as it is shipped."""
    return str(shipped().data["services"][DNS]["image"])


def document_for(
    site: Site, release: Release, stores: Sequence[str], operator: str = UNKNOWN, signer: str = UNKNOWN
) -> dict[str, Any]:
    """Return the document of one server as data.

    `stores` are the folders that its bundles come from, `operator` is the SHA-256 of the certificate by which its web
    server takes the zone's key, and `signer` the public key that signs bundles.
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
