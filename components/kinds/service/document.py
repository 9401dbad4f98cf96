"""The Akash document of a service: the whole document in `sdl/`, overlaid with one site's facts."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...targets.akash.web import web_server
from ...web.caddy.upstream import Upstream
from .losses import DISK_GIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...release import Release
    from ...topology import Site
    from ...web.caddy.server import WebServer
    from .options import ServiceOptions

#: Next to `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")
_FILE = "service.yaml"
#: The two services of the document, and the application's persistent volume.
WEB, APP, _KEPT = "web", "app", "kept"


@functools.cache
def _shipped() -> sdl.Document:
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    path = folder / _FILE
    return sdl.load(path.read_text(encoding="utf-8"), name=path.name)


def sized(options: ServiceOptions) -> sdl.Document:
    """Return the document with the room that a service rents; nothing in it depends on the site."""
    shipped, volume = _shipped(), options.volume
    data = sdl.plain_copy(shipped.data)
    app, rented = data["services"][APP], data["profiles"]["compute"][APP]["resources"]
    # The Go tools number such a port otherwise (rule `tools-disagree`); Console and this library use the other one.
    app["expose"] = [{"port": options.port, "as": options.port, "proto": "TCP", "to": [{"service": WEB}]}]
    scratch = volume.gib if volume and not volume.persistent else 0
    storage = {"default": f"{DISK_GIB + scratch}Gi"}
    if volume and volume.persistent:
        app["params"]["storage"][_KEPT]["mount"] = volume.path
        storage[_KEPT] = f"{volume.gib}Gi"
    else:
        del app["params"]
        rented["storage"] = [each for each in rented["storage"] if each.get("name") != _KEPT]
    return overlay(
        sdl.with_data(shipped, data),
        service=APP,
        image=options.image,
        count=options.replicas,
        cpu=f"{options.cpu}m",
        memory=f"{options.memory}Mi",
        storage=storage,
    )


def web_image() -> str:
    """Return the image of the web server, the same on every target."""
    return str(_shipped().data["services"][WEB]["image"])


def web_server_of(site: Site, release: Release, application: str, *, balanced: bool = False) -> WebServer:
    """Return the web server of a site before an application at a host name or address.

    `balanced` means that a load balancer ends HTTPS in front of it.
    """
    options: Any = site.options
    health = options.health
    server = web_server(site, release, Upstream(f"{application}:{options.port}", health.path, match=health.match))
    return dataclasses.replace(server, balanced=balanced)


def document_for(site: Site, release: Release) -> dict[str, Any]:
    """Return the document for one site as data."""
    options: Any = site.options
    server = web_server_of(site, release, APP)
    application = overlay(
        sized(options),
        service=APP,
        command=_literal(options.command) or None,
        args=_literal(options.args) or None,
        env=dict(zip(options.env, _literal(options.env.values()), strict=True)),
    )
    return overlay(
        application,
        service=WEB,
        env=server.environment(),
        **server.command(),
        ceiling_usd_month=options.budget_usd_month,
        notice_h=options.notice,
    ).data


def _literal(texts: Iterable[str]) -> list[str]:
    """Write texts so that Kubernetes leaves them as they are: it expands `$(NAME)`, and makes `$$` one dollar sign.

    (kubernetes, third_party/forked/golang/expansion/expand.go; the Akash provider hands command, args and env to it.)
    """
    return [text.replace("$", "$$") for text in texts]
