"""Machines of EC2 as local processes: the containers of the unit in a machine's user data, on its data volume.

Sources: the EC2 user guide ("Run commands when you launch an EC2 instance", "Stop and start EC2 instances", "Elastic
IP addresses"), and docker run's reference (`--publish`, `--volume`, `--env`, `--network`). A unit waits for its data
volume, and its containers reach each other by name. Whether a machine boots is not simulated.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.targets.aws import unit

from ..akash.container import Container, Watchdog, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from ..state import State


@dataclass
class Run:
    """The parts of one `docker run` that are used here."""

    name: str = ""
    image: str = ""
    command: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    published: list[int] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)


#: Options of `docker run` with a value that have no effect here.
_PASSED = ("--restart", "--network", "--stop-timeout", "--security-opt", "--log-driver", "--log-opt", "--memory")


def parsed(words: list[str]) -> Run:
    """Parse a `docker run` command. Raises ValueError for an unknown option."""
    if words[1:3] != ["run", "--detach"]:
        raise ValueError(f"not a container: {words[:3]}")
    found, entry, rest = Run(), "", list(words[3:])
    while rest and rest[0].startswith("--"):
        option, value, *rest = rest
        if option == "--name":
            found.name = value
        elif option == "--env":
            name, _, text = value.partition("=")
            found.env[name] = text
        elif option == "--publish":
            found.published.append(int(value.partition(":")[2]))
        elif option == "--volume":
            found.mounts.append(value.partition(":")[2])
        elif option == "--entrypoint":
            entry = value
        elif option not in _PASSED:
            raise ValueError(f"docker run has {option}, and the sandbox does not")
    found.image, *arguments = rest
    found.command = [entry, *arguments]
    return found


@dataclass
class Machine:
    """One running machine: its state at the start, and its containers."""

    wanted: dict[str, Any]
    containers: list[Container] = field(default_factory=list)
    routes: set[tuple[str, int]] = field(default_factory=set)
    published: dict[int, int] = field(default_factory=dict)


class Machines:
    """All machines of the account."""

    def __init__(self, state: State, watchdog: Watchdog) -> None:
        self._state, self._watchdog = state, watchdog
        self._machines: dict[str, Machine] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}

    @property
    def _disks(self) -> Path:
        return self._state.root / "ec2" / "volumes"

    async def follow(self, wanted: dict[str, Any]) -> None:
        """Take one step towards the state of EC2."""
        now = {one["id"]: one for one in wanted["machines"]}
        for id_, machine in list(self._machines.items()):
            one = now.get(id_)
            runs = (machine.wanted["data"], machine.wanted["volume"])
            if one and one["runs"] and (one["data"], one["volume"]) == runs:
                self._lead(machine, one["address"])
            elif id_ not in self._stopping:
                self._lead(machine, "")
                self._stopping[id_] = asyncio.create_task(self._stop(id_, machine))
        for id_, one in now.items():
            busy = {machine.wanted["volume"] for machine in self._machines.values()}
            if id_ not in self._machines and one["runs"] and one["volume"] and one["volume"] not in busy:
                self._machines[id_] = self._start(one)
        for folder in self._disks.glob("*") if self._disks.is_dir() else ():
            held = {machine.wanted["volume"] for machine in self._machines.values()}
            if folder.name not in wanted["volumes"] and folder.name not in held:
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self, one: dict[str, Any]) -> Machine:
        runs = [parsed(words) for words in unit.commands(one["data"])]
        # Each port of a container has a local one here, which its name and port stand for.
        ports: dict[tuple[str, str], int] = {}
        for run in runs:
            for value in [each for other in runs for each in other.env.values()]:
                name, _, port = value.rpartition(":")
                if name == run.name and port.isdigit():
                    ports.setdefault((name, port), free_port())
            for number in run.published:
                ports.setdefault((run.name, str(number)), free_port())
            host, port = run.env.get("PGHOST", ""), run.env.get("PGPORT", "")
            if host and port:
                ports.setdefault((host, port), free_port())
        machine = Machine(one)
        for run in runs:
            home = self._state.root / "ec2" / one["id"] / run.name
            shutil.rmtree(home.with_name(f"{run.name}-bin"), ignore_errors=True)
            home.parent.mkdir(parents=True, exist_ok=True)
            volumes = {}
            for number, mount in enumerate(run.mounts):
                kept = self._disks / one["volume"] / run.name
                kept.mkdir(parents=True, exist_ok=True)
                volumes[f"data{number}" if number else "data"] = (mount, kept)
            machine.containers.append(
                Container(
                    image=run.image,
                    command=run.command,
                    args=[],
                    env=local(run.env, ports),
                    home=home,
                    tools=home.with_name(f"{run.name}-bin"),
                    log=self._state.log(f"machine-{one['id']}-{run.name}"),
                    volumes=volumes,
                    named=_named(run, ports),
                    watchdog=self._watchdog,
                )
            )
            machine.published |= {port: ports[run.name, str(port)] for port in run.published}
        for container in machine.containers:
            container.start()
        self._lead(machine, one["address"])
        return machine

    def _lead(self, machine: Machine, address: str) -> None:
        """Route a machine's address to its published ports, and remove its other routes."""
        wanted = {(address, port): local for port, local in machine.published.items()} if address else {}
        for ip, port in machine.routes - set(wanted):
            self._state.withdraw_route(ip, port)
        for (ip, port), real in wanted.items():
            if (ip, port) not in machine.routes:
                self._state.publish_route(ip, port, real)
        machine.routes = set(wanted)

    async def _stop(self, id_: str, machine: Machine) -> None:
        await asyncio.gather(*(each.stop() for each in machine.containers))
        del self._machines[id_], self._stopping[id_]

    def end(self) -> None:
        """Kill all machines."""
        for machine in self._machines.values():
            self._lead(machine, "")
            for each in machine.containers:
                each.kill()


def local(env: dict[str, str], ports: dict[tuple[str, str], int]) -> dict[str, str]:
    """Return variables with other containers' NAME:PORT, or host and port, replaced by their local addresses."""
    made = {}
    for name, value in env.items():
        host, _, port = value.rpartition(":")
        made[name] = f"127.0.0.1:{ports[host, port]}" if (host, port) in ports else value
    place = (env.get("PGHOST", ""), env.get("PGPORT", ""))
    if place in ports:
        made |= {"PGHOST": "127.0.0.1", "PGPORT": str(ports[place])}
    return made


def _named(run: Run, ports: dict[tuple[str, str], int]) -> dict[str, str]:
    """Return the sandbox's variables for the ports of a container."""
    own = {port: number for (name, port), number in ports.items() if name == run.name}
    named = {f"PORT_{port}": str(number) for port, number in own.items()}
    named |= {name: str(own[value]) for name, value in run.env.items() if name.endswith("PORT") and value in own}
    for port, variable in (("80", "HTTP_PORT"), ("443", "HTTPS_PORT")):
        if port in own:
            named[variable] = str(own[port])
    return named
