"""The Akash document of a service: the document in `sdl/` with the values of one site."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...targets.akash.web import web_server
from ...web.caddy.secrets import SECRETS_PORT
from ...web.caddy.upstream import Upstream
from .losses import DISK_GIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...release import Release
    from ...topology import Site
    from ...web.caddy.server import WebServer
    from .options import ServiceOptions

#: The placeholder for the hash of a certificate that cannot be derived. It matches no certificate.
UNKNOWN = "unknown"
#: The script that an application with secrets runs.
_TAKE = Path(__file__).with_name("take.sh")
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
    """Return the document with the resources that a service rents; nothing in it depends on the site."""
    shipped, volume = _shipped(), options.volume
    data = sdl.plain_copy(shipped.data)
    app, rented = data["services"][APP], data["profiles"]["compute"][APP]["resources"]
    # The Go tools number such a port differently (rule `tools-disagree`) from Console and this library.
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


def asking(site: Site) -> dict[str, str]:
    """Return what explains an application that is not well: its health path, and the option that names it."""
    options: Any = site.options
    return {"health": options.health.path, "option": f"workloads.{site.workload}.options.health.path"}


def web_server_of(
    site: Site, release: Release, application: str, *, balanced: bool = False, operator: str | None = None
) -> WebServer:
    """Return the web server of a site before an application at a host name or address.

    `balanced` means that a load balancer ends HTTPS in front of it. `operator` is the SHA-256 (hex) of the client
    certificate from which it accepts secrets.
    """
    options: Any = site.options
    health = options.health
    server = web_server(site, release, Upstream(f"{application}:{options.port}", health.path, match=health.match))
    return dataclasses.replace(server, balanced=balanced, operator=operator)


def document_for(site: Site, release: Release, operator: str = UNKNOWN) -> dict[str, Any]:
    """Return the document for one site as data.

    `operator` is the SHA-256 (hex) of the client certificate from which the web server accepts secrets, if it has any.
    """
    options: Any = site.options
    server = web_server_of(site, release, APP, operator=operator if options.secrets else None)
    command, args, env = _runs(options)
    application = overlay(
        _with_a_way_to_secrets(sized(options)) if options.secrets else sized(options),
        service=APP,
        command=literal(command) or None,
        args=literal(args) or None,
        env=dict(zip(env, literal(env.values()), strict=True)),
    )
    return overlay(
        application,
        service=WEB,
        env=server.environment(),
        **server.command(),
        ceiling_usd_month=options.budget_usd_month,
        notice_h=options.notice,
    ).data


def _runs(options: ServiceOptions) -> tuple[Iterable[str], Iterable[str], dict[str, str]]:
    """Return command, arguments and variables of the application. With secrets, a script gets them first."""
    if not options.secrets:
        return options.command, options.args, options.env
    words = [taking(), "take", " ".join(sorted(options.secrets)), *options.command, *options.args]
    return ["sh", "-c"], words, {**options.env, "UNMOOR_SECRETS": f"{WEB}:{SECRETS_PORT}"}


@functools.cache
def taking() -> str:
    """Return the script that gets an application's secrets and then starts it: `sh -c SCRIPT take NAMES COMMAND…`."""
    return _TAKE.read_text(encoding="utf-8")


def _with_a_way_to_secrets(document: sdl.Document) -> sdl.Document:
    """Return the document in which only the application reaches the web server's port for secrets."""
    data = sdl.plain_copy(document.data)
    inside = {"port": SECRETS_PORT, "as": SECRETS_PORT, "proto": "TCP", "to": [{"service": APP}]}
    data["services"][WEB]["expose"].append(inside)
    return sdl.with_data(document, data)


def literal(texts: Iterable[str]) -> list[str]:
    """Escape texts for Kubernetes, which expands `$(NAME)` and turns `$$` into one dollar sign.

    The source is third_party/forked/golang/expansion/expand.go in kubernetes; the Akash provider passes command, args
    and env to it.
    """
    return [text.replace("$", "$$") for text in texts]
