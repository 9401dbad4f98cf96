"""A kind of a user's own: an application behind our web server on Akash, and the docs kind's half on AWS."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pulumi

from components.kind import Address, Endpoint, Realized
from components.kinds.static.document import document
from components.kinds.static.kind import DOCS
from components.targets.akash.deployment import Deployment
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl.overlay import overlay
from components.web.caddy.server import WebServer
from components.web.caddy.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.plan.topology import Site

#: Says hello; `/ill` and `/fine` set what `/health` answers. A lease has its port, this sandbox another.
_APPLICATION = """\
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    status = 200
    def do_GET(self):
        Answer.status = {"/ill": 500, "/fine": 200}.get(self.path, Answer.status)
        self.send_response(Answer.status if self.path == "/health" else 200)
        self.end_headers()
        self.wfile.write(f"hello, {self.headers['Host']} by {self.headers['X-Forwarded-Proto']}".encode())
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT_8080", "8080"))), Answer).serve_forever()
"""
_IMAGE = "docker.io/library/python:3.13-alpine@sha256:" + "ab" * 32


def application_document(site: Site) -> dict[str, Any]:
    """Return the document of a site: the docs kind's, with a second service that only the first one reaches."""
    shipped = document(site.form)
    data = sdl.plain_copy(shipped.data)
    data["services"]["app"] = {
        "image": _IMAGE,
        "command": ["python3", "-c"],
        "args": [_APPLICATION],
        "expose": [{"port": 8080, "as": 8080, "proto": "TCP", "to": [{"service": "web"}]}],
    }
    resources = {"cpu": {"units": "100m"}, "memory": {"size": "128Mi"}, "storage": [{"size": "512Mi"}]}
    data["profiles"]["compute"]["app"] = {"resources": resources}
    data["profiles"]["placement"]["docs"]["pricing"]["app"] = {"denom": "uact", "amount": 1}
    data["deployment"]["app"] = {"docs": {"profile": "app", "count": 1}}
    server = WebServer.of(site, Upstream("app:8080", "/health"))
    return overlay(
        sdl.with_data(shipped, data),
        service="web",
        env=server.environment(),
        **server.command(),
        ceiling_usd_month=site.options.budget_usd_month,
    ).data


class OnAkash(pulumi.ComponentResource):
    """The application in a lease."""

    def __init__(self, name: str, site: Site, beside: Sequence[Realized], opts: pulumi.ResourceOptions) -> None:
        super().__init__("tests:index:OnAkash", name, None, opts)
        deployment = Deployment(
            name,
            name=f"{name}.{pulumi.get_stack()}",
            sdl=application_document(site),
            service="web",
            avoid=[other.host for other in beside],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.endpoint: pulumi.Output[Endpoint] = deployment.address.apply(Address)
        self.host, self.identity = deployment.provider, deployment.id
        self.register_outputs({})


APPLICATION = dataclasses.replace(
    DOCS, name="application", on={**DOCS.on, "akash": dataclasses.replace(DOCS.on["akash"], realize=OnAkash)}
)
