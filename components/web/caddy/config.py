"""Caddy's configuration of a web server, as data: listeners, names, limits, headers, health, challenges, logs.

Names are literal. The version, and the addresses of the container and of what is behind it, are environment variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import headers as content
from .. import http as front
from . import secrets
from .pieces import (
    answer,
    file,
    files,
    has,
    mark,
    path,
    path_like,
    proxy,
    rewrite,
    route,
    subroute,
    unless,
    with_headers,
    without_header,
)

if TYPE_CHECKING:
    from .pieces import Json
    from .server import WebServer

#: A path for requests over HTTP from inside: whether our own HTTPS is valid, as seen by a TLS client that validates.
OWN_CERTIFICATE = "/.well-known/unmoor/certificate"
#: A path for requests over HTTP from inside: the sets of rules for which there is configuration.
OWN_RULES = "/.well-known/unmoor/rules"
#: Where errors of asking for certificates are written, one JSON object a line.
ISSUER_LOG = "issuer.log"
#: No log holds visitors' addresses or what their browsers send, errors included. The last two are fields of the
#: challenge solver, which anyone can call.
PRIVATE = (
    *("request>remote_ip", "request>remote_port", "request>client_ip", "request>headers", "resp_headers"),
    *("remote_addr", "user_agent"),
)
#: The sources of a load balancer's requests: private networks (RFC 1918, RFC 6598), and this machine. Others cannot
#: reach the container.
BALANCERS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
#: Headers on a challenge that one site passes to the other: the name that the authority asked for, and a mark that it
#: was passed on, so that it is not passed on again.
_FOR, _PASSED_ON = "Unmoor-Host", "Unmoor-Asked"


def of(server: WebServer) -> Json:
    """Return the whole configuration of a web server."""
    secure = server.certified
    health = _health(server)
    behind = [health, *_other_hosts(server), *server.behind.routes()]
    if secure:
        plain = _server(server, 80, "http", [health, *_challenges(server), _self_check(server), _to_https(server)])
        own = route(answer(204), when=path(OWN_CERTIFICATE))
        servers = {
            "plain": plain,
            "secure": _server(server, 443, "https", [own, *behind]) | {"tls_connection_policies": [{}]},
        }
        if server.operator is not None:
            handed = _server(server, 443, "https", [*secrets.routes(), own, *behind])
            asking = {"tls_connection_policies": secrets.policies(server.site_host), "strict_sni_host": False}
            servers |= {"secure": handed | asking, "secrets": secrets.listener()}
    elif server.balanced:
        plain = _server(server, 80, server.scheme, [health, *_to_the_other(server), *server.behind.routes()])
        servers = {"plain": plain | {"trusted_proxies": {"source": "static", "ranges": list(BALANCERS)}}}
    else:
        servers = {"plain": _server(server, 80, "http", behind)}
    http = {"http_port": 80, "https_port": 443, "grace_period": "10s", "servers": servers}
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": _logs(secure=secure, secrets_too=server.operator is not None)},
        # The parts that the script fills in come early, because its search costs the square of the distance.
        "apps": ({"tls": _certificates(server)} if secure else {}) | {"http": http},
    }


def _server(server: WebServer, port: int, scheme: str, routes: list[Json]) -> Json:
    """Listen on a port, with limits, an access log and the headers that every answer carries."""
    listen = {80: "{env.BIND}:{env.HTTP_PORT}", 443: "{env.BIND}:{env.HTTPS_PORT}"}[port]
    always = [*server.behind.site_headers(scheme), route(without_header("Server"))]
    rules = path(OWN_RULES) | {"remote_ip": {"ranges": ["127.0.0.1"]}}
    unlogged = route({"handler": "vars", "log_skip": True}, when=path(front.HEALTH_PATH))
    plainly = with_headers({"Cache-Control": content.ALWAYS_FRESH, "Content-Type": "text/plain; charset=utf-8"})
    no_tag = {"handler": "headers", "response": {"delete": ["Etag"]}}
    error = {
        "handler": "static_response",
        "status_code": "{http.error.status_code}",
        "body": "{http.error.status_code} {http.error.status_text}",
    }
    return {
        "listen": [listen],
        # HTTP/3 would need a UDP port, which leases do not have here.
        "protocols": ["h1", "h2"],
        "max_header_bytes": 16_000,
        "read_header_timeout": "10s",
        "read_timeout": f"{server.behind.request_s}s",
        "idle_timeout": "2m",
        # Names and redirects are set below, not found in the routes.
        "automatic_https": {"disable": True},
        "logs": {},
        "routes": [
            unlogged,
            mark("loaded"),
            route(answer(200, "{http.vars.loaded}"), when=rules),
            *server.behind.first_routes(),
            *always,
            *routes,
        ],
        "errors": {"routes": [*always, route(no_tag, plainly), *server.behind.error_routes(), route(error)]},
    }


def _logs(*, secure: bool, secrets_too: bool) -> Json:
    private = {
        "format": "filter",
        "wrap": {"format": "json"},
        "fields": {name: {"filter": "delete"} for name in PRIVATE},
    }
    if not secure:
        return {"default": {"encoder": private}}
    asking = ["tls.obtain", "tls.renew"]
    writer = {"output": "file", "filename": ISSUER_LOG, "roll_size_mb": 1, "roll_keep": 1}
    return {
        "default": {"encoder": private} | (secrets.elsewhere() if secrets_too else {}),
        **(secrets.logs() if secrets_too else {}),
        # The authority's last error, which the script repeats.
        "authority": {"writer": writer, "level": "ERROR", "include": asking},
    }


def _certificates(server: WebServer) -> Json:
    """Name the issuer. The script adds each name once its challenges arrive here."""
    # TLS-ALPN-01 is answered on port 443, which at a standby's name leads to the primary.
    issuer = {"module": "acme", "ca": server.acme_directory, "challenges": {"tls-alpn": {"disabled": True}}}
    return {"certificates": {"automate": []}, "automation": {"policies": [{"issuers": [issuer]}]}}


def _health(server: WebServer) -> Json:
    """Answer version and mark, or 503 and the reason; the same on every port, so that a plain HTTP check sees it."""
    return route(
        with_headers({"Cache-Control": content.ALWAYS_FRESH, "Content-Type": content.HEALTH_TYPE}),
        subroute(
            route(rewrite("/fault"), files("health", 503), when=file("health", "/fault")),
            *server.behind.health_routes(answer(200, server.well)),
        ),
        when=path_like(f"^{front.HEALTH_PATH}$"),
    )


def _challenges(server: WebServer) -> list[Json]:
    """Answer challenges that this site's own solver, which comes before all routes, does not know.

    A name that leads here may mean another site: first the holder of this site's own name (its successor on a new
    lease), then the other site. The request is passed on under that site's own name, because a proxy on the way would
    follow any other. There it is repeated with the name that the authority used, because tokens are found by name.
    """
    folder = front.CHALLENGE_PATH.removesuffix("*")
    direct, peer = f"{server.site_host}:80", f"{server.peer}:80"
    asked = {_FOR: "{http.request.host}"}
    to_peer = _to_peer(server)
    onward = proxy(
        direct,
        peer,
        headers={"Host": "{http.reverse_proxy.upstream.host}"} | asked,
        load_balancing={"selection_policy": {"policy": "first"}, "retries": 1},
        health_checks={"passive": {"fail_duration": "2s"}},
        handle_response=[{"match": {"status_code": [4, 5]}, "routes": [route(to_peer)]}],
    )
    here = proxy(
        "127.0.0.1:{env.HTTP_PORT}",
        headers={"Host": f"{{http.request.header.{_FOR}}}", _PASSED_ON: "yes"},
        drop=_FOR,
    )
    return [
        # The script requests this under each of its names, to learn whether an authority's challenge would reach this
        # site. It is in lower case, because Caddy lowers patterns of paths, names of variables in them included.
        route(answer(200, "{env.token}"), when=path(f"{folder}{{env.token}}")),
        route(
            subroute(
                route(here, when=has(_FOR)),
                route(answer(404), when=has(_PASSED_ON)),
                route(onward),
            ),
            when=path(front.CHALLENGE_PATH),
        ),
    ]


def _to_the_other(server: WebServer) -> list[Json]:
    """Pass challenges on to the other site under its own name; one that came from there is not sent back."""
    if not server.peer:
        return []
    return [
        route(
            subroute(route(answer(404), when=has(_FOR)), route(_to_peer(server))),
            when=path(front.CHALLENGE_PATH),
        )
    ]


def _to_peer(server: WebServer) -> Json:
    """Ask the other site under its own name, with the name that the authority used."""
    return proxy(f"{server.peer}:80", headers={"Host": server.peer, _FOR: "{http.request.host}"})


def _self_check(server: WebServer) -> Json:
    """Answer inside the container whether our own HTTPS is valid: 204 if a client validates it, else 502."""
    transport = {
        "protocol": "http",
        "tls": {"server_name": server.host},
        # A kept connection would not show that a certificate has expired since.
        "keep_alive": {"enabled": False},
    }
    judged = proxy("127.0.0.1:{env.HTTPS_PORT}", headers={"Host": server.host}, transport=transport)
    outside = unless({"remote_ip": {"ranges": ["127.0.0.1"]}})
    return route(subroute(route(answer(404), when=outside), route(judged)), when=path(OWN_CERTIFICATE))


def _to_https(server: WebServer) -> Json:
    """Redirect visitors to HTTPS, under the name they came by if it is one of ours."""
    # A server without a public name has only its site host, and Caddy refuses a repeated name.
    ours = {"host": list(dict.fromkeys([server.host, server.site_host, *server.redirect_from]))}
    return route(
        subroute(
            route(answer(308, headers={"Location": "https://{http.request.host}{http.request.uri}"}), when=ours),
            route(answer(308, headers={"Location": f"https://{server.host}{{http.request.uri}}"})),
        )
    )


def _other_hosts(server: WebServer) -> list[Json]:
    """Redirect visitors of other hosts to the same address of this one, for every path and method."""
    if not server.redirect_from:
        return []
    to = {"Location": f"{server.scheme}://{server.host}{{http.request.uri}}", "Cache-Control": content.ALWAYS_FRESH}
    return [route(answer(301, headers=to), when={"host": list(server.redirect_from)})]
