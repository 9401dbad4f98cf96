"""Who signs the certificates of a site, and what an operator should know of them before saying yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..web import http as front
from .topology import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..config.models import Acme
    from .topology import Site


def authority(form: Form, acme: Acme) -> str:
    """Name who signs for a site of a form, as CAA records do: Amazon for its own, nobody for a name somewhere else."""
    return {Form.ALIAS: front.AMAZON, Form.ADDRESS: acme.issuer, Form.HOST: ""}[form]


def authorities(forms: Iterable[Form], acme: Acme) -> tuple[str, ...]:
    """Name everybody who signs for a host whose sites have these forms."""
    return tuple(sorted({authority(form, acme) for form in forms} - {""}))


def challenged(forms: Iterable[Form]) -> bool:
    """Say whether any site of a host whose sites have these forms proves its names by answering challenges."""
    return front.SCHEME == "https" and Form.ADDRESS in forms


def notes(sites: Sequence[Site], at_apex: Sequence[str]) -> tuple[str, ...]:
    """Say what browsers will see of sites that nobody signs for, and whom an apex must allow (`at_apex`) to sign."""
    found = [
        f"{site.name} is reached by a name at {site.target}, where nobody has a certificate for {site.host}: browsers "
        f"sent there get a self-signed one and refuse https://{site.host}/, and those that know the site do not even "
        "offer to go on; only plain HTTP works, and it alone is probed"
        for site in sites
        if site.form is Form.HOST
    ]
    if at_apex:
        found.append(
            f"{sites[0].host} is the zone's apex, whose CAA records are the whole zone's and left alone; if there are "
            f"any, they must allow {' and '.join(at_apex)}"
        )
    return tuple(found)
