"""Load balancers: each at an address of the sandbox's internet, with listeners that decide by rules and pass on.

Sources: ELB user guide, "Listeners for your Application Load Balancers", "HTTP headers" (X-Forwarded-*), and its
troubleshooting page (503 without targets, 502 and 504 for targets that do not answer).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..faults import SILENT
from ..net import relay
from ..net.tls import Authority
from ..net.wire import attended

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import h11

    from ..state import State

#: The addresses of load balancers, one for each here; at AWS there is one in each zone.
ADDRESSES = tuple(f"198.51.100.{number}" for number in range(200, 250))
#: The end of every load balancer's name.
DOMAIN = ".elb.amazonaws.com"


@dataclass
class Listener:
    """What a listener should do, and the socket that stands for it."""

    spec: dict[str, Any]
    server: asyncio.Server | None = None


@dataclass
class Balancer:
    """A load balancer at its address, with its listeners by ARN."""

    name: str
    address: str
    listeners: dict[str, Listener] = field(default_factory=dict)


class Balancers:
    """All load balancers of the account; `targets` gives the local ports behind a target group."""

    def __init__(self, state: State, targets: Callable[[str], list[int]]) -> None:
        self._state, self._targets = state, targets
        self._authority = Authority(state)
        self._balancers: dict[str, Balancer] = {}
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    def sweep(self) -> None:
        """Withdraw every load balancer from the internet, also those of an earlier world."""
        for ip, port in self._state.routes():
            if ip in ADDRESSES:
                self._state.withdraw_route(ip, port)
        for host in self._state.hosts():
            if host.endswith(DOMAIN):
                self._state.withdraw_host(host)

    async def follow(self, wanted: list[dict[str, Any]]) -> None:
        """Add and remove load balancers and listeners as wanted."""
        now = {one["arn"]: one for one in wanted}
        for arn in self._balancers.keys() - now.keys():
            gone = self._balancers.pop(arn)
            self._state.withdraw_host(gone.name)
            for listener in gone.listeners.values():
                self._close(gone, listener)
        for arn, one in now.items():
            if arn not in self._balancers:
                used = {each.address for each in self._balancers.values()}
                address = next(each for each in ADDRESSES if each not in used)
                self._balancers[arn] = Balancer(one["name"].lower(), address)
                self._state.publish_host(one["name"].lower(), address)
            await self._listen(self._balancers[arn], one["listeners"])

    async def _listen(self, balancer: Balancer, wanted: list[dict[str, Any]]) -> None:
        now = {one["arn"]: one for one in wanted}
        for arn in balancer.listeners.keys() - now.keys():
            self._close(balancer, balancer.listeners.pop(arn))
        for arn, spec in now.items():
            if arn in balancer.listeners:
                balancer.listeners[arn].spec = spec
                continue
            balancer.listeners[arn] = listener = Listener(spec)
            tls = self._tls(listener) if spec["protocol"] == "HTTPS" else None
            serve = self._serving(listener)
            listener.server = await asyncio.start_server(attended(serve), "127.0.0.1", 0, ssl=tls, backlog=256)
            real = listener.server.sockets[0].getsockname()[1]
            self._state.publish_route(balancer.address, spec["port"], real)

    def _tls(self, listener: Listener) -> ssl.SSLContext:
        """Return TLS with the certificate for the requested name, else the first (ELB user guide, "SNI")."""

        def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            fits = [names for names in listener.spec["certificates"] if name in names]
            if fits:
                connection.context = self._shown(tuple(fits[0]))

        context = self._authority.context(listener.spec["certificates"][0])
        context.sni_callback = choose
        return context

    def _shown(self, names: tuple[str, ...]) -> ssl.SSLContext:
        if names not in self._contexts:
            self._contexts[names] = self._authority.context(names)
        return self._contexts[names]

    def _close(self, balancer: Balancer, listener: Listener) -> None:
        self._state.withdraw_route(balancer.address, listener.spec["port"])
        if listener.server:
            listener.server.close()

    def _serving(self, listener: Listener) -> Any:
        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if any(self._state.fault(each) is not None for each in SILENT):
                writer.transport.abort()
                return

            async def aim(request: h11.Request) -> relay.Aim:
                return self._aim(listener.spec, request)

            await relay.serve(reader, writer, aim)

        return connection

    def _aim(self, spec: dict[str, Any], request: h11.Request) -> relay.Aim:
        path = request.target.decode("latin-1").partition("?")[0]
        headers = [(key.lower(), value) for key, value in request.headers]
        host = dict(headers).get(b"host", b"").decode("latin-1").partition(":")[0]
        action = next((rule["action"] for rule in spec["rules"] if _matches(rule, path, host)), spec["default"])
        if action["Type"] == "fixed-response":
            fixed = action["FixedResponseConfig"]
            raise relay.Refused(int(fixed["StatusCode"]), fixed.get("MessageBody") or "")
        if action["Type"] == "redirect":
            to = action["RedirectConfig"]
            place = f"{to['Protocol'].lower()}://{host}:{to['Port']}{request.target.decode('latin-1')}"
            status = int(to["StatusCode"].removeprefix("HTTP_"))
            raise relay.Refused(status, "", [("Location", place)])
        ports = self._targets(action["TargetGroupArn"])
        if not ports:
            raise relay.Refused(503, "503 Service Temporarily Unavailable")
        passed = {
            b"x-forwarded-for": b"203.0.113.250",
            b"x-forwarded-proto": spec["protocol"].lower().encode(),
            b"x-forwarded-port": str(spec["port"]).encode(),
        }
        kept = [(key, value) for key, value in headers if key not in passed]
        return ports[0], request.target, [*kept, *passed.items()]


def _matches(rule: dict[str, Any], path: str, host: str) -> bool:
    """Return whether every condition holds: paths by case, hosts without."""
    asked = {"PathPatternConfig": path, "HostHeaderConfig": host.lower()}
    return all(
        any(fnmatchcase(asked[config], pattern) for pattern in each[config]["Values"])
        for each in rule["conditions"]
        for config in asked.keys() & each.keys()
    )
