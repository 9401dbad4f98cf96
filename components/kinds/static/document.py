"""The Akash document of the docs kind: the whole document in `sdl/docs.yaml`, overlaid with one site's facts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...plan.topology import Form
from ...targets.akash.sdl import document as sdl
from ...targets.akash.sdl.overlay import overlay
from ...web.caddy.folder import Folder
from ...web.caddy.server import WebServer
from . import bundle

if TYPE_CHECKING:
    from ...plan.topology import Site

#: Beside `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[3] / "sdl", Path(__file__).parents[2] / "sdl")


@functools.cache
def document(form: Form) -> sdl.Document:
    """Read the document for a form of endpoint as it is shipped. Raises SdlError when somebody broke it."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    path = folder / {Form.ADDRESS: "docs.yaml", Form.HOST: "docs-ingress.yaml"}[form]
    return sdl.load(path.read_text(encoding="utf-8"), name=str(path.name))


def document_for(site: Site) -> dict[str, Any]:
    """Return the document for one site as data. What a new version of the content changes is environment alone."""
    content = site.content
    server = WebServer.of(
        site,
        Folder(
            tuple(
                f"{store.public_url}/{bundle.key(site.workload, content.version)}" for store in content.stores.values()
            )
        ),
    )
    overlaid = overlay(
        document(site.form),
        service="web",
        env=server.environment(),
        **server.command(),
        accept=[site.host, site.direct] if site.form is Form.HOST else None,
        ceiling_usd_month=site.options.budget_usd_month,  # type: ignore[attr-defined]
    )
    return overlaid.data
