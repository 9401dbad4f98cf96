"""Run the container of a name server: get the zone's key, then run PowerDNS and the keeper.

A process that ends is started again. The web server of the same deployment reads the health over HTTP.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...web.health import HealthServer
from .. import asking
from . import server
from .bundle import PRINCIPAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Seconds between two checks of the processes and for the first key, and before a process that ended is started again.
_PAUSE_S, _AGAIN_S = 0.5, 2.0
#: Seconds between two checks for other keys.
_KEYS_S = 10.0
#: Seconds for one request to the web server, and for a process to end after SIGTERM.
_ASK_S, _END_S = 5.0, 5.0


@dataclass
class Supervisor:
    """Processes by name: each runs as `user`, and is started again when it ends."""

    commands: Mapping[str, Sequence[str]]
    user: str | None
    report: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Start every process that does not run, `_AGAIN_S` after its end."""
        for name, command in self.commands.items():
            process = self.running.get(name)
            if process is not None and process.poll() is not None:
                self.report(f"{name} ended with {process.returncode}, and is started again")
                self._not_before[name] = self.clock() + _AGAIN_S
                del self.running[name]
            if name not in self.running and self.clock() >= self._not_before.get(name, 0.0):
                groups: dict[str, Any] = {}
                if self.user is not None:
                    groups = {"user": self.user, "group": self.user, "extra_groups": []}
                self.running[name] = subprocess.Popen(command, **groups)

    def end(self) -> None:
        """End all processes, and wait for each."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _log(text: str) -> None:
    click.echo(f"unmoor: {text}", err=True)


def key(secrets: str) -> str | None:
    """Return the zone's key from the web server at HOST:PORT, None while it has none.

    The web server names a set of secrets by its hash, so that old and new values are never mixed.
    """
    import httpx

    with contextlib.suppress(httpx.HTTPError), httpx.Client(timeout=_ASK_S, trust_env=False) as client:
        taken = client.get(f"http://{secrets}/taken")
        if taken.status_code == httpx.codes.OK:
            found = client.get(f"http://{secrets}/{taken.text.strip()}/{server.KEY}")
            if found.status_code == httpx.codes.OK:
                return found.text
    return None


def fault(zone: str, address: str, port: int) -> str:
    """Ask the server for its zone; return what is wrong, "" if it serves a signed zone."""
    soa = asking.ask(address, zone, "SOA", tcp=False, port=port)
    if soa.error or not (soa.authoritative and soa.values):
        return soa.error or f"it answers {soa.rcode}, and has no zone yet"
    return "" if asking.ask(address, zone, "DNSKEY", tcp=True, port=port).values else "the zone is not signed"


def _health(port: int, look: Callable[[], str]) -> HealthServer:
    """Answer every path with 200 while `look` returns "", else with 503 and its text."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wrong = look()
            body = f"{wrong or 'well'}\n".encode()
            self.send_response(503 if wrong else 200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    made = HealthServer(("0.0.0.0", port), Handler)  # noqa: S104 inside the deployment alone
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


def _owned(path: Path, user: str | None, mode: int) -> None:
    path.chmod(mode)
    if user is not None:
        known = pwd.getpwnam(user)
        os.chown(path, known.pw_uid, known.pw_gid)


def _prepare(folder: Path, user: str | None, texts: Mapping[str, str]) -> None:
    """Make the folder, its database, and files that only its user can read."""
    folder.mkdir(parents=True, exist_ok=True)
    _owned(folder, user, 0o700)
    database = folder / server.DATABASE
    server.prepare(database, Path(server.SCHEMA).read_text(encoding="utf-8"))
    for path in folder.glob(f"{server.DATABASE}*"):
        _owned(path, user, 0o600)
    for name, text in texts.items():
        _write(folder / name, text, user)


def _write(path: Path, text: str, user: str | None) -> None:
    """Replace a file that only its user can read, atomically: the keeper may read keys at any moment."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    _owned(new, user, 0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _renewed(path: Path, handed: str, found: str, user: str | None) -> str:
    """Write keys that were handed over since, for a roll-over, to the keeper's file; return what it holds."""
    if handed != found:
        _write(path, handed, user)
        _log("has other keys of the zone")
    return handed


def _commands(folder: Path, zone: str, stores: Sequence[str]) -> dict[str, list[str]]:
    here = f"{__package__}.keeper"
    keeper = [sys.executable, "-m", here, "--zone", zone, "--database", str(folder / server.DATABASE)]
    keeper += ["--control", str(folder), "--signers", str(folder / "signers"), "--key", str(folder / "key")]
    keeper += [word for each in stores for word in ("--store", each)]
    return {"pdns": ["pdns_server", f"--config-dir={folder}", "--daemon=no", "--guardian=no"], "keeper": keeper}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--zone", envvar="ZONE", required=True, help="The zone that the server answers for.")
@click.option("--stores", envvar="STORES", required=True, help="Folders with bundles, separated by spaces.")
@click.option("--signer", envvar="SIGNER", required=True, help="The public SSH key that signs bundles.")
@click.option("--secrets", envvar="SECRETS", required=True, help="HOST:PORT of the web server that has the zone's key.")
@click.option("--folder", default="/var/lib/ns", show_default=True, type=click.Path(path_type=Path), help="Its files.")
@click.option("--address", default="0.0.0.0", show_default=True, help="The address at which it answers.")  # noqa: S104 a container
@click.option("--port", default=53, show_default=True, help="Its port, for UDP and TCP.")
@click.option("--health-port", default=server.HEALTH_PORT, show_default=True, help="The port of its health over HTTP.")
@click.option("--user", default="pdns", show_default=True, help="The user of both processes; empty: this one.")
@click.option("--trust", type=click.Path(path_type=Path), help="Certificates to trust besides the machine's.")
def main(
    zone: str,
    stores: str,
    signer: str,
    secrets: str,
    folder: Path,
    address: str,
    port: int,
    health_port: int,
    user: str,
    trust: Path | None,
) -> None:
    """Run a name server for one zone: PowerDNS, and the keeper that takes zones and probes sites.

    It waits for the zone's key first, and runs until SIGTERM. Each required option can be given as an environment
    variable of the same name in capitals.
    """
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    asked = "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104 compared
    waiting = "waits for the zone's key"
    ready = threading.Event()
    health = _health(health_port, lambda: fault(zone, asked, port) if ready.is_set() else waiting)
    _log(waiting)
    while not ended.is_set() and (found := key(secrets)) is None:
        ended.wait(_PAUSE_S)
    if ended.is_set():
        return
    assert found is not None  # noqa: S101 the loop's end
    who = user or None
    texts = {"key": found, "signers": f"{PRINCIPAL} {signer}\n", "pdns.conf": ""}
    _prepare(folder, who, texts)
    settings = server.settings(folder / server.DATABASE, folder, address, port)
    (folder / "pdns.conf").write_text(settings, encoding="utf-8")
    commands = _commands(folder, zone, stores.split())
    commands["keeper"] += ["--trust", str(trust)] if trust else []
    # PowerDNS starts as root to bind port 53, and changes the user after that (`setuid`); the keeper never is root.
    if who is not None:
        commands["pdns"] += [f"--setuid={who}", f"--setgid={who}"]
    both = [Supervisor({"pdns": commands["pdns"]}, None, _log), Supervisor({"keeper": commands["keeper"]}, who, _log)]
    ready.set()
    again = time.monotonic() + _KEYS_S
    while not ended.wait(_PAUSE_S):
        for each in both:
            each.look()
        if time.monotonic() >= again:
            again = time.monotonic() + _KEYS_S
            found = _renewed(folder / "key", key(secrets) or found, found, who)
    for supervisor in both:
        supervisor.end()
    health.shutdown()


if __name__ == "__main__":
    main()
