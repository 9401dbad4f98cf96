"""The Akash document of the docs kind: the whole document in `sdl/docs.yaml`, overlaid with one site's facts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..akash import sdl
from ..akash.overlay import overlay
from ..topology import Form
from .docs_container import command

if TYPE_CHECKING:
    from ..topology import Site

#: Beside `components/` in the project, inside the package in a wheel.
_FOLDERS = (Path(__file__).parents[2] / "sdl", Path(__file__).parents[1] / "sdl")


@functools.cache
def document(form: Form) -> sdl.Document:
    """Read the document for a form of endpoint as it is shipped. Raises SdlError when somebody broke it."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    path = folder / {Form.ADDRESS: "docs.yaml", Form.HOST: "docs-ingress.yaml"}[form]
    return sdl.load(path.read_text(encoding="utf-8"), name=str(path.name))


def document_for(site: Site) -> dict[str, Any]:
    """Return the document for one site as data.

    Everything that differs between sites and versions is environment; the command is a constant.
    """
    content = site.content
    environment = {
        "VERSION": content.version,
        "BUNDLES": " ".join(
            f"{store.public_url}/{site.workload}/{content.version}.tar" for store in content.stores.values()
        ),
        "HOST": site.host,
        "DIRECT": site.direct,
        "PEER": site.peer,
        "ACME_CA": site.acme.directory,
    }
    overlaid = overlay(
        document(site.form),
        service="web",
        env=environment,
        **command(site.scheme),
        accept=[site.host, site.direct] if site.form is Form.HOST else None,
        ceiling_usd_month=site.options.budget_usd_month,  # type: ignore[attr-defined]
    )
    return overlaid.data
