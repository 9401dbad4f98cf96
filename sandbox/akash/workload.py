"""What runs on a provider for one lease: containers, volumes, ports, addresses and names, and their status."""

from __future__ import annotations

import asyncio
import re
import shutil
import uuid
from base64 import b32hexencode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..faults import UNPULLED
from ..net.tls import Authority
from .container import Container, Watchdog, free_port
from .ledger import OWNER

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

    from ..state import State
    from .ledger import Lease
    from .providers import AkashProvider

HTTP, HTTPS, NAMES = 80, 443, 53
_EXPANDED = re.compile(r"[$](?:[$]|[(]([^)]*)[)])")
NODE_PORTS = 30_000


def ingress_host(lease_id: str, service: str) -> str:
    """Return the first label of a service's own name, as the provider computes it from the lease."""
    return b32hexencode(uuid.uuid5(uuid.NAMESPACE_DNS, lease_id + service).bytes).decode().rstrip("=").lower()


@dataclass
class Grounds:
    """What the leases of one provider share: its addresses, and the host names that it routes."""

    provider: AkashProvider
    #: Leased address -> (lease, name of the IP endpoint).
    addresses: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Host name -> (lease, local HTTP port).
    hosts: dict[str, tuple[str, int]] = field(default_factory=dict)
    node_ports: int = NODE_PORTS
    #: Addresses that another tenant was given first. One leaves when the pool has no other address.
    strangers: set[str] = field(default_factory=set)

    def address(self, lease: str, name: str) -> str | None:
        """Lease an address to an IP endpoint; None if its name is taken by another lease, or none is free.

        The first free one of the pool is leased, so that an address that was given up goes to the next lease, also a
        stranger's. A provider makes a Service of type LoadBalancer that asks for no certain address (provider
        `cluster/kube/operators/clients/metallb/client.go`, CreateIPPassthrough), and MetalLB walks through the pool
        from its first address (metallb `internal/allocator/allocator.go`, AllocateFromPool).
        """
        for ip, (holder, held) in self.addresses.items():
            if held == name:
                return ip if holder == lease else None
        free = [ip for ip in self.provider.addresses if ip not in self.addresses]
        given = next((ip for ip in free if ip not in self.strangers), next(iter(free), None))
        if given:
            self.addresses[given] = (lease, name)
            self.strangers.discard(given)
        return given


@dataclass
class Workload:
    """One lease at work."""

    state: State
    grounds: Grounds
    dseq: str
    lease: Lease
    watchdog: Watchdog
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    containers: dict[str, list[Container]] = field(default_factory=dict)
    #: Containers that an update has asked to end.
    leaving: list[Container] = field(default_factory=list)
    #: (service, replica, exposed port) -> the local port that stands for it as long as the lease lasts.
    ports: dict[tuple[str, int, int], int] = field(default_factory=dict)
    forwarded: dict[tuple[str, int], int] = field(default_factory=dict)
    #: Address and port in the world -> the local port.
    routes: dict[tuple[str, int], int] = field(default_factory=dict)
    #: Services that a manifest has changed and that do not run it yet.
    pending: set[str] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ended: bool = False

    @property
    def folder(self) -> Path:
        """The folder of everything of the lease; it is removed with the lease."""
        return self.state.root / "akash" / "leases" / f"{self.dseq}-{self.lease.gseq}-{self.lease.oseq}"

    @property
    def id(self) -> str:
        """The lease's id as a path."""
        return f"{OWNER}/{self.dseq}/{self.lease.gseq}/{self.lease.oseq}/{self.lease.provider}"

    def accept(self, services: list[dict[str, Any]]) -> Coroutine[Any, Any, None]:
        """Accept a manifest's services; the returned function rolls them out.

        Changed services end before their successors start (the provider surges by none); unchanged ones keep running.
        """
        wanted = {each["name"]: each for each in services}
        self.pending |= {name for name in wanted if self.services.get(name) != wanted[name]}
        return self._roll_out(wanted)

    async def _roll_out(self, wanted: dict[str, dict[str, Any]]) -> None:
        async with self._turn:
            changed = [name for name in {**self.services, **wanted} if self.services.get(name) != wanted.get(name)]
            self.leaving = [each for name in changed for each in self.containers.pop(name, [])]
            await asyncio.gather(*(each.stop() for each in self.leaving))
            if self._ended:
                return
            self.services = wanted
            for name in changed:
                if name in wanted:
                    self._start(name)
            self.pending -= set(wanted)
            self._publish()

    def _start(self, name: str) -> None:
        service = self.services[name]
        volumes = {}
        for mount in (service.get("params") or {}).get("storage") or []:
            if mount["name"] in self._persistent(service):
                path = self.folder / "volumes" / f"{name}-{mount['name']}"
                path.mkdir(parents=True, exist_ok=True)
                volumes[mount["name"]] = (mount["mount"], path)
        env: dict[str, str] = {}
        for key, _, value in (each.partition("=") for each in service.get("env") or []):
            env[key] = self._local(expanded(value, env))
        place = self._local(f"{env.get('PGHOST')}:{env.get('PGPORT')}")
        if place.startswith("127.0.0.1:"):  # libpq takes host and port apart
            env |= {"PGHOST": "127.0.0.1", "PGPORT": place.rpartition(":")[2]}
        tools = self.folder / f"{name}-bin"
        shutil.rmtree(tools, ignore_errors=True)
        tools.parent.mkdir(parents=True, exist_ok=True)
        self.containers[name] = [
            Container(
                image=service["image"],
                command=[expanded(word, env) for word in service.get("command") or []],
                args=[expanded(word, env) for word in service.get("args") or []],
                env=env,
                home=self.folder / f"{name}-{index}",
                tools=tools,
                log=self.state.log(f"lease-{self.dseq}-{name}"),
                volumes=volumes,
                named=self._named(name, index),
                watchdog=self.watchdog,
                unreachable=lambda: self.state.fault(UNPULLED) is not None,
            )
            for index in range(service["count"])
        ]
        for container in self.containers[name]:
            container.start()

    def _port(self, name: str, index: int, port: int) -> int:
        key = name, index, port
        if key not in self.ports:
            self.ports[key] = free_port()
        return self.ports[key]

    def _local(self, value: str) -> str:
        """Return a variable with SERVICE:PORT replaced by its local address: a cluster's names do not resolve here."""
        name, _, port = value.rpartition(":")
        for expose in self.services.get(name, {}).get("expose", ()):
            if str(external(expose)) == port:
                return f"127.0.0.1:{self._port(name, 0, expose['port'])}"  # one replica answers for all
        return value

    def _named(self, name: str, index: int) -> dict[str, str]:
        """Return the variables that the provider injects, and those that stand for fixed ports in this sandbox."""
        expose = self.services[name]["expose"]
        ports = {each["port"]: self._port(name, index, each["port"]) for each in expose}
        named = {
            "AKASH_OWNER": OWNER,
            "AKASH_PROVIDER": self.lease.provider,
            "AKASH_DEPLOYMENT_SEQUENCE": self.dseq,
            "AKASH_GROUP_SEQUENCE": str(self.lease.gseq),
            "AKASH_ORDER_SEQUENCE": str(self.lease.oseq),
            "AKASH_CLUSTER_PUBLIC_HOSTNAME": f"provider.{self.grounds.provider.domain}",
            **{f"PORT_{port}": str(local) for port, local in ports.items()},
        }
        for name_, _, value in (each.partition("=") for each in self.services[name].get("env") or []):
            if name_.endswith("PORT") and value.isdigit() and int(value) in ports:
                named[name_] = str(ports[int(value)])
        for each in expose:
            if variable := {HTTP: "HTTP_PORT", HTTPS: "HTTPS_PORT"}.get(external(each)):
                named[variable] = str(ports[each["port"]])
        return named

    @staticmethod
    def _persistent(service: dict[str, Any]) -> set[str]:
        return {
            volume["name"]
            for volume in service["resources"]["storage"]
            if {"key": "persistent", "value": "true"} in (volume.get("attributes") or [])
        }

    def _publish(self) -> None:
        """Lead addresses and names to the processes, and withdraw those that led to earlier ones."""
        provider, wanted = self.grounds.provider, dict[tuple[str, int], int]()
        for host in [host for host, (holder, _) in self.grounds.hosts.items() if holder == self.id]:
            del self.grounds.hosts[host]
        for name, expose in self._global():
            local = self._port(name, 0, expose["port"])  # one replica answers for all
            if expose.get("ip") and (ip := self.grounds.address(self.id, expose["ip"])):
                wanted[ip, external(expose)] = local
            if external(expose) == HTTP and expose["proto"] == "TCP":
                for host in self._hosts(name, expose):
                    self.grounds.hosts.setdefault(host, (self.id, local))
                self.state.publish_host(self._hosts(name, expose)[0], provider.ingress)
            else:
                wanted[provider.ingress, self._forward(name, expose)] = local
        for ip, port in self.routes.keys() - wanted.keys():
            self.state.withdraw_route(ip, port)
        self.routes = wanted
        for (ip, port), local in wanted.items():
            self.state.publish_route(ip, port, local)

    def lead_names(self, elsewhere: Mapping[str, int]) -> None:
        """Route the addresses of name servers to their processes, or to the local port in `elsewhere`."""
        for (ip, port), local in self.routes.items():
            there = elsewhere.get(ip, local)
            if port == NAMES and self.state.route(ip, port) != ("127.0.0.1", there):
                self.state.publish_route(ip, port, there)

    def _global(self) -> list[tuple[str, dict[str, Any]]]:
        return [(name, each) for name, one in self.services.items() for each in one["expose"] if each["global"]]

    def _hosts(self, name: str, expose: dict[str, Any]) -> list[str]:
        own = f"{ingress_host(self.id, name)}.ingress.{self.grounds.provider.domain}"
        return [own, *(expose.get("hosts") or [])]

    def _forward(self, name: str, expose: dict[str, Any]) -> int:
        key = name, expose["port"]
        if key not in self.forwarded:
            self.grounds.node_ports += 1
            self.forwarded[key] = self.grounds.node_ports
        return self.forwarded[key]

    @property
    def ready(self) -> bool:
        """Every service has every replica."""
        return (
            bool(self.services)
            and not self.pending
            and all(
                all(each.available for each in self.containers.get(name, [])) and self.containers.get(name)
                for name in self.services
            )
        )

    def status(self) -> dict[str, Any]:
        """Return the lease status as the provider's gateway answers it."""
        services: dict[str, dict[str, Any]] = {}
        forwarded: dict[str, list[dict[str, Any]]] = {}
        ips: dict[str, list[dict[str, Any]]] = {}
        for name, service in self.services.items():
            up, total = sum(each.available for each in self.containers.get(name, [])), service["count"]
            services[name] = {
                "name": name,
                "available": up,
                "total": total,
                "uris": [],
                "observed_generation": 1,
                "replicas": total,
                "updated_replicas": 0 if name in self.pending else total,
                "ready_replicas": up,
                "available_replicas": up,
            }
        for name, expose in self._global():
            if external(expose) == HTTP and expose["proto"] == "TCP":
                mine = [host for host in self._hosts(name, expose) if self.grounds.hosts.get(host, ("",))[0] == self.id]
                services[name]["uris"] += mine
            else:
                forwarded.setdefault(name, []).append(
                    {
                        "host": f"provider.{self.grounds.provider.domain}",
                        "port": expose["port"],
                        "externalPort": self._forward(name, expose),
                        "proto": expose["proto"],
                        "name": name,
                    }
                )
            if expose.get("ip") and (ip := self.grounds.address(self.id, expose["ip"])):
                ips.setdefault(name, []).append(
                    {
                        "Port": expose["port"],
                        "ExternalPort": external(expose),
                        "Protocol": expose["proto"],
                        "IP": ip,
                    }
                )
        return {"services": services, "forwarded_ports": forwarded, "ips": ips}

    def lose_volumes(self) -> None:
        """Empty every persistent volume under the running process, and start the process again."""
        for path in (self.folder / "volumes").glob("*"):
            for each in path.iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        self._restart()

    def date_certificates(self, since: dt.datetime) -> None:
        """Make the certificates that Caddy keeps on volumes begin at a time, and restart what uses them."""
        authority = Authority(self.state)
        for path in (self.folder / "volumes").glob("*/caddy/certificates/*/*/*.crt"):
            certificate, key = authority.certificate([path.stem], since=since)
            path.write_text(certificate)
            path.with_suffix(".key").write_text(key)
        self._restart()

    def _restart(self) -> None:
        for containers in self.containers.values():
            for container in containers:
                if container.volumes:
                    container.restart()

    def end(self) -> None:
        """End the lease: remove processes, routes, names, addresses and data at once."""
        self._ended = True
        for containers in (self.leaving, *self.containers.values()):
            for container in containers:
                container.kill()
        for ip, port in self.routes:
            self.state.withdraw_route(ip, port)
        for name, expose in self._global():
            if external(expose) == HTTP:
                self.state.withdraw_host(self._hosts(name, expose)[0])
        for table in (self.grounds.addresses, self.grounds.hosts):
            for key in [key for key, value in table.items() if value[0] == self.id]:
                del table[key]
        self.routes = {}
        shutil.rmtree(self.folder, ignore_errors=True)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Expand `$(NAME)` of a known variable and make `$$` one dollar sign, as Kubernetes does.

    (kubernetes, third_party/forked/golang/expansion/expand.go)
    """
    return _EXPANDED.sub(lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]), text)


def external(expose: dict[str, Any]) -> int:
    """Return the external port of an exposed port."""
    return int(expose.get("externalPort") or expose["port"])
