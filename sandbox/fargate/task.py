"""One task: its containers as local processes, which share ports as the containers of a task share a network."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..akash.container import Container, Watchdog, free_port
from ..faults import UNPULLED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..state import State

#: States of a container in which the task has failed: each of its containers is essential.
_ENDED = ("Terminated", "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "RunContainerError")


@dataclass
class Task:
    """A task of one deployment. `healthy` is None until the load balancer has checked it."""

    id: str
    definition: list[dict[str, Any]]
    folder: Path
    ports: dict[int, int] = field(default_factory=dict)
    containers: list[Container] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    healthy: bool | None = None
    failures: int = 0
    #: Why it is not healthy, as the load balancer describes it.
    ill: str = ""
    looked: float = 0.0
    leaving: bool = False
    #: Why it could not start.
    refused: str = ""
    #: The bytes of each container's log that were read.
    read: dict[str, int] = field(default_factory=dict)

    def start(self, state: State, watchdog: Watchdog, values: Mapping[str, str]) -> None:
        """Start every container; `values` are those of secrets, by ARN."""
        exposed = [each["containerPort"] for one in self.definition for each in one["portMappings"]]
        self.ports = {port: free_port() for port in exposed}
        for one in self.definition:
            home, tools = self.folder / one["name"], self.folder / f"{one['name']}-bin"
            tools.parent.mkdir(parents=True, exist_ok=True)
            self.containers.append(
                Container(
                    image=one["image"],
                    command=one.get("entryPoint") or [],
                    args=one.get("command") or [],
                    env={each["name"]: self._local(each["value"]) for each in one["environment"]}
                    | {each["name"]: values[each["valueFrom"]] for each in one.get("secrets") or ()},
                    home=home,
                    tools=tools,
                    log=state.log(f"task-{self.id}-{one['name']}"),
                    volumes={},
                    named=self._named(one),
                    watchdog=watchdog,
                    unreachable=lambda: state.fault(UNPULLED) is not None,
                )
            )
        for container in self.containers:
            container.start()

    def _local(self, value: str) -> str:
        """Return a variable with ports of the task on its own machine replaced by local ones."""
        host, _, port = value.rpartition(":")
        known = self.ports.get(int(port)) if port.isdigit() else None
        return f"127.0.0.1:{known}" if known and host in ("127.0.0.1", "localhost") else value

    def _named(self, one: dict[str, Any]) -> dict[str, str]:
        """Return the variables that replace fixed ports in this sandbox."""
        own = {str(each["containerPort"]) for each in one["portMappings"]}
        listens = {
            each["name"]: str(self.ports[int(each["value"])])
            for each in one["environment"]
            if each["name"].endswith("PORT") and each["value"] in own
        }
        return {f"PORT_{port}": str(local) for port, local in self.ports.items()} | listens

    @property
    def failed(self) -> str:
        """Why the task has ended, or did not start; empty while all its containers run."""
        if self.refused:
            return self.refused
        for container in self.containers:
            if container.restarts or container.state in _ENDED:
                away = container.state == "ImagePullBackOff"
                return _no_image(container) if away else "Essential container in task exited"
        return ""

    def ended(self, why: str) -> dict[str, Any]:
        """Return the stopped task as ECS describes it (API reference, `Task` and `Container`)."""
        return {
            "id": self.id,
            "why": why,
            "containers": [
                {"name": one["name"], "lastStatus": "STOPPED"} | ({} if code is None else {"exitCode": code})
                for one, code in zip(self.definition, self._exits(), strict=True)
            ],
        }

    def _exits(self) -> list[int | None]:
        """Return the exit code of each container: 128 + N for a signal, as Docker does; None if it never ran."""
        codes = [each.exited for each in self.containers] or [None] * len(self.definition)
        return [128 - code if code is not None and code < 0 else code for code in codes]

    def logged(self) -> list[dict[str, Any]]:
        """Return the whole lines that the containers logged since the last call, by group and stream.

        The driver `awslogs` names a stream PREFIX/CONTAINER/TASK (ECS developer guide, "Send Amazon ECS logs to
        CloudWatch").
        """
        found = []
        for one, container in zip(self.definition, self.containers, strict=False):
            options = (one.get("logConfiguration") or {}).get("options") or {}
            if lines := self._new_lines(one["name"], container):
                stream = f"{options['awslogs-stream-prefix']}/{one['name']}/{self.id}"
                found.append({"group": options["awslogs-group"], "stream": stream, "lines": lines})
        return found

    def _new_lines(self, name: str, container: Container) -> list[str]:
        if not container.log.exists():
            return []
        with container.log.open("rb") as log:
            log.seek(self.read.get(name, 0))
            whole = log.read().rpartition(b"\n")[0]
        self.read[name] = self.read.get(name, 0) + len(whole) + bool(whole)
        own = f"[{container.home.name}] "  # lines of the sandbox about the container
        lines = whole.decode(errors="replace").split("\n") if whole else []
        return [line for line in lines if line and not line.startswith(own)]

    @property
    def running(self) -> bool:
        """Whether every container runs."""
        return bool(self.containers) and all(each.state == "Running" for each in self.containers)

    async def stop(self) -> None:
        """End it with notice."""
        for each in self.containers:
            await each.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End it at once."""
        for each in self.containers:
            each.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _no_image(container: Container) -> str:
    """Return why a task did not start (ECS developer guide, "CannotPullContainer task errors")."""
    tried = "pull image manifest has been retried 1 time(s): failed to resolve ref"
    return f"CannotPullContainerError: {tried} {container.image}: {container.unpulled}"
