"""The Akash document of a static site: the whole document in `sdl/`, overlaid with one site's facts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...targets.akash.ingress import Ingress
from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...targets.akash.sdl.steady import UNSIZED
from ...targets.akash.web import web_server
from ...web.caddy.folder import Folder
from . import sizes

if TYPE_CHECKING:
    from ...topology import Site, WorkloadPlan
    from .sizes import Sizes

#: Next to `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")
_FILES = {Ingress.DEDICATED: "docs.yaml", Ingress.SHARED: "docs-ingress.yaml"}


@functools.cache
def document(ingress: Ingress) -> sdl.Document:
    """Return the shipped document for an ingress. Raises SdlError when the file is not valid."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    path = folder / _FILES[ingress]
    return sdl.load(path.read_text(encoding="utf-8"), name=str(path.name))


@functools.cache
def sized(ingress: Ingress, needed: Sizes | None) -> sdl.Document:
    """Return the document for an ingress with room for a release; unchanged where the size is not known."""
    if needed is None:
        return document(ingress)
    # Releases lie next to the certificates, on the volume if there is one, so that a restart need not fetch them.
    volume, smallest = ("default", 0) if ingress is Ingress.SHARED else ("data", 1)
    gib, mib = divmod(needed.disk_mib, 1024)
    storage = {volume: f"{needed.disk_mib}Mi" if mib and not smallest else f"{max(gib, smallest)}Gi"}
    return overlay(
        document(ingress), service="web", cpu=f"{needed.cpu_m}m", memory=f"{needed.memory_mib}Mi", storage=storage
    )


def document_for(site: Site, plan: WorkloadPlan, number: int | str = 0) -> dict[str, Any]:
    """Return the document for one site as data. A new release changes only its environment.

    `number` is the lowest number of a release that the container may accept from the stores' records, NOW for the time;
    with 0 it accepts none, and a new release comes with the manifest.
    """
    options: Any = site.options
    stores = tuple((store.vendor, store.public_url or "") for store in plan.stores.values())
    data, needed = plan.release.data, sizes.of(plan.release)
    server = web_server(site, plan.release, Folder(stores, plan.identity, data.bytes if data else 0, number))
    return overlay(
        sized(options.ingress, needed),
        service="web",
        env=server.environment() | ({} if needed else dict([UNSIZED.split("=")])),
        **server.command(),
        accept=list(site.hosts) if options.ingress is Ingress.SHARED else None,
        ceiling_usd_month=options.budget_usd_month,
        notice_h=options.notice,
    ).data
