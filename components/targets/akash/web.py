"""The web server in front of a container, from a site's facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...web.caddy.server import WebServer

if TYPE_CHECKING:
    from ...release import Release
    from ...topology import Site
    from ...web.caddy.server import Behind


def web_server(site: Site, release: Release, behind: Behind, *, operator: str | None = None) -> WebServer:
    """Return the web server of a site whose /healthz answers `release` and the site's mark.

    `operator` is the SHA-256 (hex) of the client certificate that may hand over secrets, None without secrets.
    """
    return WebServer(
        scheme=site.scheme,
        host=site.host or site.site_host,
        site_host=site.site_host,
        peer=site.peer,
        acme_directory=site.acme.directory,
        version=release.id,
        behind=behind,
        redirect_from=site.redirect_from,
        mark=site.mark,
        operator=operator,
    )
