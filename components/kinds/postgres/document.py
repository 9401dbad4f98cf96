"""The three containers of a site, the same on every target, and the Akash document that holds them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...targets.aws.unit import Part
from ...topology import Role
from ...web.caddy.secrets import SECRETS_PORT
from ..service.document import UNKNOWN, literal, taking, web_image, web_server_of
from .options import GIVEN, PASSWORD, PostgresOptions
from .sites import keys, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...topology import Site, WorkloadPlan

WEB, APP, DATABASE = "web", "app", "database"
#: Where PostgreSQL and its agent listen, inside the site.
PORT, HTTP_PORT = 5432, 8008
#: The folders of volumes, by container: certificates and secrets, and the data.
VOLUMES = {WEB: "/data", DATABASE: "/data"}
#: GiB of a container's own disk.
_DISK_GIB = 1
_GATE = Path(__file__).with_name("gate.sh")
#: Writes the settings, which hold no secret, to a file: the agent reads them as another user.
_AGENT = (
    'file="${TMPDIR:-/tmp}/unmoor.yaml"; printf "%s" "$UNMOOR_SETTINGS" > "$file" && '
    'exec unmoor-postgres "$file" --site "$UNMOOR_SITE"'
)
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")
_FILE = "postgres.yaml"

__all__ = ["UNKNOWN", "document_for", "parts", "sized"]


def parts(site: Site, plan: WorkloadPlan, operator: str = UNKNOWN) -> list[Part]:
    """Return the containers of a site, which are equal in every mode and role.

    `operator` is the SHA-256 (hex) of the client certificate from which the web server accepts secrets.
    """
    options: PostgresOptions = site.options  # type: ignore[assignment]
    server = web_server_of(site, plan.release, APP, operator=operator)
    runs, database = server.command(), options.database
    named = " ".join(sorted({**options.secrets, PASSWORD: ""}))
    stored = " ".join(sorted({*database.shared, *keys(options, site.target, Role.PRIMARY)}))
    secrets = {"UNMOOR_SECRETS": f"{WEB}:{SECRETS_PORT}"}
    place = dict(zip(GIVEN, (database.database, DATABASE, str(PORT), database.user), strict=True))
    gated = ["sh", "-c", _gate(), "gate", *options.command, *options.args]
    return [
        Part(WEB, web_image(), runs["command"], runs["args"], server.environment(), public=(80, 443)),
        Part(
            APP,
            options.image,
            ["sh", "-c"],
            [taking(), "take", named, *gated],
            {**options.env, **place, **secrets, "UNMOOR_ROLE": f"{DATABASE}:{HTTP_PORT}"},
        ),
        Part(
            DATABASE,
            database.image,
            ["sh", "-c"],
            [taking(), "take", stored, "sh", "-c", _AGENT],
            {**secrets, "UNMOOR_SETTINGS": _settings(plan), "UNMOOR_SITE": site.target},
        ),
    ]


def _settings(plan: WorkloadPlan) -> str:
    """Write the agents' settings; YAML reads JSON."""
    return json.dumps(settings_of(plan).model_dump(mode="json", exclude_none=True), separators=(",", ":"))


@functools.cache
def _gate() -> str:
    return _GATE.read_text(encoding="utf-8")


@functools.cache
def _shipped() -> sdl.Document:
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    path = folder / _FILE
    return sdl.load(path.read_text(encoding="utf-8"), name=path.name)


def sized(options: PostgresOptions) -> sdl.Document:
    """Return the document with the resources that a site rents; nothing in it depends on the site."""
    shipped, database = _shipped(), options.database
    data = sdl.plain_copy(shipped.data)
    # Ports between services are no part of the document: next to an address, the Go tool numbers them otherwise.
    data["services"][WEB]["expose"].append(_inside(SECRETS_PORT, APP, DATABASE))
    data["services"][APP]["expose"] = [_inside(options.port, WEB)]
    # The application also asks the agent whether this site writes.
    data["services"][DATABASE]["expose"] = [_inside(port, APP) for port in (PORT, HTTP_PORT)]
    made = overlay(
        sdl.with_data(shipped, data),
        service=APP,
        image=options.image,
        cpu=f"{options.cpu}m",
        memory=f"{options.memory}Mi",
        storage={"default": f"{_DISK_GIB}Gi"},
    )
    return overlay(
        made,
        service=DATABASE,
        image=database.image,
        cpu=f"{database.cpu}m",
        memory=f"{database.memory}Mi",
        storage={"default": f"{_DISK_GIB}Gi", "kept": f"{database.gib}Gi"},
    )


def _inside(port: int, *services: str) -> dict[str, Any]:
    """Return the `expose` entry of a port for other services of the same deployment only."""
    return {"port": port, "as": port, "proto": "TCP", "to": [{"service": each} for each in services]}


def document_for(site: Site, plan: WorkloadPlan, operator: str = UNKNOWN) -> dict[str, Any]:
    """Return the Akash document for one site as data; see `parts`."""
    options: PostgresOptions = site.options  # type: ignore[assignment]
    made = sized(options)
    for part in parts(site, plan, operator):
        # The web server's own words hold nothing that Kubernetes would expand.
        write = list if part.name == WEB else literal
        env = dict(zip(part.env, _lines(part.env.values(), write), strict=True))
        made = overlay(made, service=part.name, command=write(part.command), args=write(part.args), env=dict(env))
    return overlay(made, service=WEB, ceiling_usd_month=options.budget_usd_month, notice_h=options.notice).data


def _lines(texts: Iterable[str], write: Any) -> list[str]:
    return [str(each) for each in write(texts)]
