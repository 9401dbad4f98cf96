"""The rules about ports, hosts, addresses and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .rule import By, Finding, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()

_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_HOST_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"{_HOST_LABEL}(\.{_HOST_LABEL})*")
_HOST_LENGTH = 253
_ENV = re.compile(r"(?!\.\.?$)(?!\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*")
HTTP, HTTPS = 80, 443


@rules.error(
    "endpoint-unknown",
    By.VALIDATOR,
    "Every address that a port names is declared under `endpoints`.",
    "Declare it: `endpoints: {NAME: {kind: ip}}`.",
)
def _endpoint_unknown(view: View) -> Iterator[Finding]:
    endpoints = view.data.get("endpoints") or {}
    for _, path, _, to in view.targets:
        if to.get("ip") and to["ip"] not in endpoints:
            yield Finding(
                (*path, "ip"), f"there is no endpoint {to['ip']!r}; declare it under endpoints", ("endpoints", to["ip"])
            )


@rules.error(
    "endpoint-unused", By.VALIDATOR, "Every declared endpoint is used.", "Name it as `ip` of a port, or take it out."
)
def _endpoint_unused(view: View) -> Iterator[Finding]:
    used = {to.get("ip") for *_, to in view.targets}
    for name in view.data.get("endpoints") or {}:
        if name not in used:
            yield Finding(("endpoints", name), "is declared and never used; name it as ip of a port", ("services",))


@rules.error(
    "endpoint-port-twice",
    By.VALIDATOR,
    "A port of an address belongs to one service.",
    "Choose another port (`as`) or another endpoint.",
)
def _endpoint_port_twice(view: View) -> Iterator[Finding]:
    seen: dict[tuple[str, int, str], str] = {}
    for name, path, expose, to in view.targets:
        if to.get("ip") and "port" in expose:
            key = (to["ip"], expose.get("as", expose["port"]), (expose.get("proto") or "TCP").upper())
            if key in seen:
                yield Finding((*path, "ip"), f"{key[0]} port {key[1]} {key[2]} is taken by service {seen[key]!r}")
            seen[key] = name


@rules.error(
    "endpoint-placements",
    By.PARSER,
    "A leased address belongs to one placement.",
    "Deploy the service to one placement, or split it in two, each with an address. Console takes it, and orders one "
    "address for two leases.",
)
def _endpoint_placements(view: View) -> Iterator[Finding]:
    placements: dict[str, set[str]] = {name: set() for name in view.services}
    for each in view.placed:
        if each.name in placements and each.placement in view.placement:
            placements[each.name].add(each.placement)
    for name, path, _, to in view.targets:
        if to.get("ip") and len(placements[name]) > 1:
            message = f"{to['ip']} would belong to {len(placements[name])} placements; deploy {name} to one of them"
            yield Finding((*path, "ip"), message)


@rules.error(
    "service-name",
    By.MANIFEST,
    "A service's name is a DNS label: a-z, 0-9 and -, beginning with a letter.",
    "Rename it.",
)
def _service_name(view: View) -> Iterator[Finding]:
    for name in view.services:
        if not _SERVICE.fullmatch(name):
            yield Finding(
                ("services", name), "is not a name for a service; use a-z, 0-9 and -, and begin with a letter"
            )


@rules.error(
    "nothing-global", By.MANIFEST, "At least one port is shown to the world.", "Add `to: [{global: true}]` to a port."
)
def _nothing_global(view: View) -> Iterator[Finding]:
    if view.placed and not any(to.get("global") for *_, to in view.targets):
        message = "no port is global; a deployment must show at least one to the world"
        yield Finding(("services",), message, ("services",))


@rules.error(
    "host-name",
    By.MANIFEST,
    "Every accepted host is a DNS name in small letters.",
    "Write the bare name: no scheme, port or path.",
)
def _host_name(view: View) -> Iterator[Finding]:
    for _, path, expose in view.exposes:
        for index, host in enumerate(expose.get("accept") or ()):
            if len(host) > _HOST_LENGTH or not _HOST.fullmatch(host):
                yield Finding(
                    (*path, "accept", index), f"{host[:80]!r} is not a host; write the bare name in small letters"
                )


@rules.error(
    "host-twice",
    By.MANIFEST,
    "A host is accepted once in a document.",
    "Take one out; a standby of the same host is another deployment.",
)
def _host_twice(view: View) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    shown = [(name, path, expose, len(expose.get("to") or ())) for name, path, expose in view.exposes]
    placements = {name: sum(1 for each in view.placed if each.name == name) for name in view.services}
    for name, path, expose, targets in shown:
        for index, host in enumerate(expose.get("accept") or ()):
            if host in seen:
                yield Finding((*path, "accept", index), f"{host!r} is accepted by service {seen[host]!r} already")
            elif targets * placements[name] > 1:
                yield Finding(
                    (*path, "accept", index),
                    f"{host!r} would be accepted {targets * placements[name]} times; one `to` and one placement",
                )
            seen[host] = name


@rules.error("env-name", By.MANIFEST, "Every item of `env` begins with a variable's name.", "Write NAME=value.")
def _env_name(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        for index, item in enumerate(service.get("env") or ()):
            if not _ENV.fullmatch(item.partition("=")[0]):
                yield Finding(
                    ("services", name, "env", index), "does not begin with a variable's name; write NAME=value"
                )


@rules.error("credentials-blank", By.PARSER, "Credentials are not blank.", "Fill them in, or take `credentials` out.")
def _credentials_blank(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        for key, value in (service.get("credentials") or {}).items():
            if key != "email" and not value.strip():
                yield Finding(("services", name, "credentials", key), "is blank")


@rules.warning(
    "to-missing",
    "Every port has a `to`.",
    "Write `to: [{global: true}]` for the world, `to: [{global: false}]` for no one.",
)
def _to_missing(view: View) -> Iterator[Finding]:
    for _, path, expose in view.exposes:
        if not expose.get("to"):
            yield Finding(path, "has no `to`: Console drops the port, the Go tools keep it, and their hashes differ")


@rules.warning("to-nobody", "A port is shown to services that exist.", "Correct the name.")
def _to_nobody(view: View) -> Iterator[Finding]:
    for _, path, _, to in view.targets:
        if to.get("service") and to["service"] not in view.services:
            yield Finding((*path, "service"), f"there is no service {to['service']!r}", ("services", to["service"]))


@rules.warning(
    "https-as-ingress",
    "HTTPS is not declared as a port.",
    "Use `as: 80`: the shared ingress ends TLS itself; or lease an address for port 443.",
)
def _https_as_ingress(view: View) -> Iterator[Finding]:
    for _, path, expose, to in view.targets:
        if to.get("global") and not to.get("ip") and expose.get("as", expose.get("port")) == HTTPS:
            yield Finding(
                path,
                "global port 443 becomes a random port of the provider, not HTTPS; use as: 80, or lease an address",
            )
