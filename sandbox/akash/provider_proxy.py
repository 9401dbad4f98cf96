"""Console's proxy in front of providers, and the gateways behind it: logs and events of leases over a WebSocket.

Sources: console `apps/provider-proxy/src/services/WebsocketServer.ts` and `utils/schema.ts` (messages),
`apps/api/src/provider/http-schemas/jwt-token.schema.ts` (tokens); provider v0.16 `gateway/rest/router.go` (paths; a
stream ends without a close frame, which is code 1006) and `middleware.go` (`follow`, `tail`, `service`).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import WSMsgType, web

from .providers import BY_OWNER
from .refusals import ValidationError

if TYPE_CHECKING:
    from .workload import Workload
    from .world import World

#: The proxy's name on the internet (console `README.md`, "Services"), and its address here.
HOST, ADDRESS = "console-provider-proxy.akash.network", "198.51.100.110"
SCOPES = (
    *("send-manifest", "get-manifest", "logs", "shell", "events", "status", "restart"),
    *("hostname-migrate", "ip-migrate"),
)
_NETWORKS = ("mainnet", "sandbox-2", "testnet-02", "testnet-7", "testnet-8")
_TARGET = re.compile(r"/lease/(\d+)/(\d+)/(\d+)/(logs|kubeevents)")
#: Close codes of a gateway: no such lease, "no running pods", and an end without a close frame.
_NOT_FOUND, _INTERNAL, _CUT = 4001, 4000, 1006
#: Reasons for which a pod has no log. A container that waits for its restart shows the log of the one before.
_SILENT = ("ImagePullBackOff", "InvalidImageName", "Pending")


class ProviderProxy:
    """The proxy, and the tokens of the Console's API for the gateways behind it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tokens: dict[str, tuple[float, dict[str, Any]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the API."""
        return [web.post("/v1/create-jwt-token", self.token)]

    def application(self) -> web.Application:
        """Return the application of the proxy, which is a WebSocket at any path."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self.attend)
        return app

    async def token(self, request: web.Request) -> web.Response:
        """Return a token of the account's wallet. `leases` must follow the schema, and `ttl` is required."""
        try:
            data = (await request.json())["data"]
            ttl, leases = data["ttl"], data["leases"]
        except (ValueError, KeyError, TypeError) as wrong:
            raise ValidationError((("data",), "Required")) from wrong
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl <= 0:
            raise ValidationError((("data", "ttl"), "Number must be greater than 0"))
        if not _leases(leases):
            raise ValidationError((("data", "leases"), "Invalid input"))
        token = ".".join(
            _coded(each) for each in (b'{"alg":"ES256K"}', secrets.token_bytes(12), secrets.token_bytes(64))
        )
        self._tokens[token] = (time.time() + ttl, leases)
        return web.json_response({"data": {"token": token}}, status=201)

    async def attend(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection of a Console page: each message requests one stream of a provider."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=404, text="404 Not Found")
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        async for message in stream:
            if message.type is WSMsgType.TEXT:
                for answer in self._answers(message.data):
                    await stream.send_str(json.dumps({"type": "websocket", **answer}))
        return stream

    def _answers(self, text: str) -> list[dict[str, Any]]:
        try:
            asked = json.loads(text)
            fits = asked["type"] == "websocket" and asked["network"] in _NETWORKS and asked["auth"]["type"] == "jwt"
            provider, target, token = asked["providerAddress"], urlsplit(asked["url"]), asked["auth"]["token"]
        except ValueError:
            return [{"message": "Message is not a JSON string", "error": "Invalid message format"}]
        except (KeyError, TypeError):
            fits = False
        if not fits or not target.hostname or not str(provider).startswith("akash1"):
            return [{"message": "Message doesn't match expected schema", "error": "Invalid message format"}]
        until, leases = self._tokens.get(token, (0.0, {}))
        if time.time() > until:
            return [{"error": "tokenExpired"}]
        return self._of_provider(provider, target.netloc, target.path, parse_qs(target.query), leases)

    def _of_provider(
        self, owner: str, netloc: str, path: str, query: dict[str, list[str]], leases: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Answer as the provider's gateway does: a refused handshake is an error, and each line a message."""
        failed = {
            "message": "Received error from provider websocket",
            "error": "Received error from provider websocket",
        }
        provider, found = BY_OWNER.get(owner), _TARGET.fullmatch(path)
        if provider is None or found is None or f"https://{netloc}" != provider.host_uri or self.world.silent(owner):
            return [failed]
        dseq, gseq, oseq, what = found.groups()
        if not _allowed(leases, owner, "logs" if what == "logs" else "events"):
            return [failed]
        workload = self.world.workloads.get((dseq, int(gseq), int(oseq)))
        if workload is None or workload.lease.provider != owner:
            return [_closed(_NOT_FOUND)]
        named = [name for value in query.get("service", []) for name in value.split(",")]
        chosen = [name for name in workload.services if not named or name in named]
        if what == "kubeevents":
            return [*_events(workload, chosen), _closed(1000)]
        tail = int(query.get("tail", ["-1"])[0])
        lines = _logs(workload, chosen, tail)
        return [_closed(_INTERNAL)] if lines is None else [*lines, _closed(_CUT)]


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _leases(found: Any) -> bool:
    """Return whether `leases` follow the schema: full, scoped, or granular by provider."""
    if not isinstance(found, dict):
        return False
    scoped = isinstance(found.get("scope"), list) and set(found["scope"]) <= set(SCOPES)
    granular = isinstance(found.get("permissions"), list) and all(
        isinstance(each, dict) and isinstance(each.get("provider"), str) and _leases({**each, "permissions": None})
        for each in found.get("permissions") or ()
    )
    return {"full": True, "scoped": scoped, "granular": granular}.get(str(found.get("access")), False)


def _allowed(leases: dict[str, Any], provider: str, scope: str) -> bool:
    for each in leases.get("permissions") or [{**leases, "provider": provider}]:
        if each["provider"] == provider and (each["access"] == "full" or scope in each.get("scope", ())):
            return True
    return False


def _message(content: dict[str, Any]) -> dict[str, Any]:
    return {"message": json.dumps(content)}


def _closed(code: int) -> dict[str, Any]:
    return {"message": "", "closed": True, "code": code, "reason": ""}


def _logs(workload: Workload, services: list[str], tail: int) -> list[dict[str, Any]] | None:
    """Return the lines of each pod; None where a pod has no log, which ends all of them (`LeaseLogs`)."""
    found = []
    for name in services:
        containers = workload.containers.get(name, [])
        if not containers or any(each.state in _SILENT for each in containers):
            return None
        log = containers[0].log
        text = log.read_text(errors="replace") if log.exists() else ""
        own = tuple(f"[{each.home.name}] " for each in containers)  # lines of the sandbox, which no container logs
        lines = [line for line in text.splitlines() if not line.startswith(own)]
        pod = f"{name}-{workload.dseq[-9:]}-{name[:1] * 5}"
        found += [_message({"name": pod, "message": line}) for line in (lines[-tail:] if tail >= 0 else lines)]
    return found


def _events(workload: Workload, services: list[str]) -> list[dict[str, Any]]:
    """Return the events of pods that do not run, as Kubernetes words them."""
    found = []
    for name in services:
        image = workload.services[name]["image"]
        for each in workload.containers.get(name, []):
            if each.state == "ImagePullBackOff":
                found.append(("Failed", f'Failed to pull image "{image}": {each.unpulled}'))
                found.append(("BackOff", f'Back-off pulling image "{image}"'))
            elif each.state == "CrashLoopBackOff":
                found.append(("BackOff", "Back-off restarting failed container"))
    kind = {"kind": "Pod", "namespace": "lease", "name": "pod"}
    return [_message({"type": "Warning", "reason": why, "note": note, "object": kind}) for why, note in found]
