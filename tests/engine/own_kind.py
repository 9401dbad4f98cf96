"""A kind of a user's own: an application behind our web server on Akash, and the static kind's half on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from components.kind import Deployed
from components.kinds.static.akash import OnAkash
from components.kinds.static.aws import OnAws
from components.kinds.static.document import document
from components.kinds.static.kind import Static
from components.targets.akash import ingress
from components.targets.akash.deployment import Deployment
from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl.overlay import overlay
from components.targets.akash.web import web_server
from components.web.caddy.upstream import Upstream

if TYPE_CHECKING:
    from components.kind import Context
    from components.release import Release
    from components.topology import Site

#: Answers; `/ill` and `/fine` set what `/health` answers. A lease has its port, this sandbox another.
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


def application_document(site: Site, release: Release) -> dict[str, Any]:
    """Return the document of a site: the static kind's, with a second service that only the first one reaches."""
    options: Any = site.options
    shipped = document(options.ingress)
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
    server = web_server(site, release, Upstream("app:8080", "/health"))
    return overlay(
        sdl.with_data(shipped, data),
        service="web",
        env=server.environment(),
        **server.command(),
        ceiling_usd_month=options.budget_usd_month,
    ).data


class ApplicationOnAkash(OnAkash):
    """The application in a lease."""

    def deploy(self, site: Site, context: Context) -> Deployed:
        options: Any = site.options
        lease = Deployment(
            site.name,
            name=f"{site.name}.{pulumi.get_stack()}",
            sdl=application_document(site, context.plan.release),
            service="web",
            avoid=list(context.avoid),
            apart=list(context.apart),
            opts=context.opts,
        )
        endpoint = lease.address.apply(lambda address: ingress.endpoint(options.ingress, address, (), ()))
        return Deployed(endpoint, lease.provider, lease.id, lease)


class Application(Static):
    """Static on AWS, an application on Akash."""

    name = "application"
    on = {"aws": OnAws(), "akash": ApplicationOnAkash()}


APPLICATION = Application()
