"""Caddy's part in handing over secrets: the operator's side over HTTPS, and the application's inside the deployment.

A body is received through an access log, because a change of the configuration would lose requests and expand values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...limits import HANDOVER_BYTES
from .pieces import answer, at_most, file_of, path, path_like, rewrite, route

if TYPE_CHECKING:
    from .pieces import Json

#: The path at the site's own name at which secrets are handed over.
HANDOVER = "/.well-known/unmoor/secrets"
#: The address at which the application gets them.
SECRETS_PORT = 8181
_FOLDER, _INBOX = "{env.SECRETS}", "inbox"
_LOGS = ("handover", "asked")
_UNLOGGED: Json = {"handler": "vars", "log_skip": True}


def policies(site_host: str) -> list[Json]:
    """Ask for a client certificate only at the site's own name, because a browser would show its visitor a dialogue."""
    return [{"match": {"sni": [site_host]}, "client_authentication": {"mode": "request"}}, {}]


def routes() -> list[Json]:
    """Accept secrets from the holder of the certificate, and show which were accepted; others learn nothing."""
    operator = {"vars": {"{http.request.tls.client.fingerprint}": ["{env.OPERATOR}"]}, **path(HANDOVER)}
    values = {"handler": "vars", "access_logger_names": [_LOGS[0]], "values": "{http.request.body}"}
    into_the_log = {"handler": "log_append", "key": "values", "value": "values"}
    return [
        route(_UNLOGGED, rewrite("/taken"), file_of(_FOLDER), when={"method": ["GET"], **operator}),
        route(at_most(HANDOVER_BYTES), values, into_the_log, answer(202), when={"method": ["POST"], **operator}),
        route(answer(404), when=path(HANDOVER)),
    ]


def listener() -> Json:
    """Answer the application's request with its secrets, unchanged."""
    return {
        "listen": ["{env.BIND}:{env.SECRETS_PORT}"],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "logs": {"default_logger_name": _LOGS[1]},
        "routes": [
            route(_UNLOGGED, file_of(_FOLDER), when=path_like("^/taken$")),
            route(file_of(_FOLDER), when=path_like("^/[0-9a-f]{64}/[A-Z0-9_]+$")),
            route(_UNLOGGED, answer(404)),
        ],
    }


def logs() -> dict[str, Json]:
    """Log what is handed over, which the script takes, and that the application asked; neither is shown."""
    inbox = {"filename": _INBOX, "roll": False}
    asked = {"filename": f"{_FOLDER}/asked", "roll_size_mb": 1, "roll_keep": 1}
    return {
        name: {
            "writer": {"output": "file", "mode": "0600", **writer},
            "include": [f"http.log.access.{name}"],
            "encoder": {
                "format": "filter",
                "wrap": {"format": "json"},
                "fields": {"request": {"filter": "delete"}, "resp_headers": {"filter": "delete"}},
            },
        }
        for name, writer in zip(_LOGS, (inbox, asked), strict=True)
    }


def elsewhere() -> Json:
    """Keep those logs out of the log that is shown."""
    return {"exclude": [f"http.log.access.{name}" for name in _LOGS]}
