"""The one place that knows how the sandbox's state folder is laid out: every world reads and writes it through here.

    ports/<name>       the port a world listens on, written once it does
    routes/<ip>_<port> `127.0.0.1:<real port>`: what a realistic address leads to; no file is "connection refused"
    hosts/<name>       the IPv4 address of a name outside the zones (gateways, vendors)
    parents/<zone>     the registry's delegation of a zone as JSON; no file is Route 53's name servers and no key
    faults/<name>      exists = the fault is on; content = its parameters as JSON, or nothing
    log/<name>.log     what each world prints
    env, sandbox.json  what to source, and what runs

Every write is a whole file put in place by rename, so a reader never sees half of one.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The variable that names the state folder.
VARIABLE = "UNMOOR_SANDBOX"
#: The repository, or wherever the packages `components` and `sandbox` stand.
REPOSITORY = Path(__file__).resolve().parent.parent

_FOLDERS = ("ports", "routes", "hosts", "parents", "faults", "log")
_NAME = re.compile(r"[A-Za-z0-9_*-][A-Za-z0-9._*-]{0,253}")


def here() -> State:
    """Return the sandbox of this process: the folder named by UNMOOR_SANDBOX, else `.sandbox` in the repository."""
    return State(Path(os.environ.get(VARIABLE) or REPOSITORY / ".sandbox").absolute())


def write(path: Path, text: str) -> None:
    """Put a whole file in place, folders included; a reader sees the old text or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> str | None:
    """Return a file's text without the white space round it; None if there is no such file."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class State:
    """One sandbox's folder. Names that cannot be file names (they may come from the network) count as missing."""

    root: Path

    def prepare(self) -> None:
        """Create the folders that every world needs."""
        for name in _FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)

    # Files to source and to trust

    @property
    def env_file(self) -> Path:
        """The file to source."""
        return self.root / "env"

    @property
    def summary_file(self) -> Path:
        """What runs: ports and process ids as JSON."""
        return self.root / "sandbox.json"

    @property
    def ca(self) -> Path:
        """The sandbox's own certificate authority."""
        return self.root / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """The key of the authority."""
        return self.root / "ca.key"

    @property
    def ca_bundle(self) -> Path:
        """What programs in the sandbox trust: the public authorities and ours."""
        return self.root / "ca-bundle.pem"

    def log(self, name: str) -> Path:
        """Return where the named world writes its log."""
        return self.root / "log" / f"{name}.log"

    # Ports

    def publish_port(self, name: str, port: int) -> None:
        """Publish that the named world now listens on 127.0.0.1:port."""
        write(self.root / "ports" / name, f"{port}\n")

    def port(self, name: str) -> int | None:
        """Return the port of the named world; None until it listens."""
        text = self._text("ports", name)
        return int(text) if text else None

    def ports(self) -> dict[str, int]:
        """Return every published port by name."""
        return {name: int(text) for name, text in self._all("ports").items()}

    # Routes

    def publish_route(self, ip: str, port: int, real_port: int) -> None:
        """Let the address ip:port of the sandbox's internet lead to 127.0.0.1:real_port."""
        write(self.root / "routes" / f"{ip}_{port}", f"127.0.0.1:{real_port}\n")

    def withdraw_route(self, ip: str, port: int) -> None:
        """Let connections to ip:port be refused from now on."""
        (self.root / "routes" / f"{ip}_{port}").unlink(missing_ok=True)

    def route(self, ip: str, port: int) -> tuple[str, int] | None:
        """Return the real (host, port) behind an address; None means that a connection to it is refused."""
        return _endpoint(self._text("routes", f"{ip}_{port}"))

    def routes(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Return every route: (ip, port) to the real (host, port)."""
        found = {}
        for name, text in self._all("routes").items():
            ip, _, port = name.rpartition("_")
            if real := _endpoint(text):
                found[ip, int(port)] = real
        return found

    # Names outside the zones

    def publish_host(self, name: str, ip: str) -> None:
        """Set the IPv4 address of a name outside the hosted zones."""
        write(self.root / "hosts" / _host(name), f"{ip}\n")

    def withdraw_host(self, name: str) -> None:
        """Forget a name."""
        (self.root / "hosts" / _host(name)).unlink(missing_ok=True)

    def host(self, name: str) -> str | None:
        """Return the IPv4 address of a name outside the zones; None if there is no such name."""
        return self._text("hosts", _host(name)) or None

    def hosts(self) -> dict[str, str]:
        """Return every name outside the zones with its address."""
        return self._all("hosts")

    # Delegations

    def delegate(self, zone: str, given: dict[str, Any]) -> None:
        """Write the registry's delegation of a zone."""
        write(self.root / "parents" / _host(zone), json.dumps(given) + "\n")

    def delegation(self, zone: str) -> dict[str, Any] | None:
        """Return the registry's delegation of a zone; None if it was never changed."""
        text = self._text("parents", _host(zone))
        return json.loads(text) if text else None

    def delegations(self) -> dict[str, dict[str, Any]]:
        """Return every delegation of the registry, by zone."""
        return {zone: json.loads(text) for zone, text in self._all("parents").items()}

    # Faults

    def start_fault(self, name: str, parameters: dict[str, Any] | None = None) -> None:
        """Start a fault; the worlds check before each use."""
        write(self.root / "faults" / name, json.dumps(parameters or {}) + "\n")

    def end_fault(self, name: str) -> bool:
        """End a fault. Return False if it was not on."""
        path = self.root / "faults" / name
        there = path.exists()
        path.unlink(missing_ok=True)
        return there

    def fault(self, name: str) -> dict[str, Any] | None:
        """Return the parameters of an active fault, {} if it has none; None means that it is off."""
        text = self._text("faults", name)
        return None if text is None else _parameters(text)

    def faults(self) -> dict[str, dict[str, Any]]:
        """Return every fault that is on, with its parameters."""
        return {name: _parameters(text) for name, text in self._all("faults").items()}

    def _text(self, folder: str, name: str) -> str | None:
        return read(self.root / folder / name) if _NAME.fullmatch(name) else None

    def _all(self, folder: str) -> dict[str, str]:
        directory = self.root / folder
        names = sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []
        texts = {name: self._text(folder, name) for name in names}
        return {name: text for name, text in texts.items() if text is not None}


def _host(name: str) -> str:
    return name.rstrip(".").lower()


def _endpoint(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    return host, int(port)


def _parameters(text: str) -> dict[str, Any]:
    given = json.loads(text) if text else {}
    return given if isinstance(given, dict) else {"value": given}
