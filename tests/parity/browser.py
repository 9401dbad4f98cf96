"""A headless Chromium that opens pages of a half and reports its complaints, over DevTools' pipe.

Protocol: https://chromedevtools.github.io/devtools-protocol/; with `--remote-debugging-pipe` messages are JSON objects
that end with a zero byte, read from descriptor 3 and written to descriptor 4.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from .ask import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
#: Longest wait for a page, in seconds.
PATIENCE_S = 90
_OFF = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server")


class Browser:
    """A browser for which HOST is a port of this machine, whose certificates it does not judge."""

    def __init__(self, profile: Path, port: int, scheme: str) -> None:
        self._base, self._last, self._rest = f"{scheme}://{HOST}", 0, b""
        words = [
            *(str(PROGRAM), "--headless", "--remote-debugging-pipe", f"--user-data-dir={profile}", *_OFF),
            *("--ignore-certificate-errors", f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}", "about:blank"),
        ]
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._out, self._in = self._process.stdin.fileno(), self._process.stdout.fileno()

    def open(self, path: str, look: str) -> tuple[Any, list[str]]:
        """Open a page in a tab of its own until the network is idle; return what a script finds there, and complaints.

        A complaint is an error in the console, an exception, or an answer of 400 and more.
        """
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        tab = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable", tab, complaints)
        self._call("Page.setLifecycleEventsEnabled", tab, complaints, enabled=True)
        loader = self._call("Page.navigate", tab, complaints, url=f"{self._base}{path}").get("loaderId")
        for message in self._messages():
            complaints += _complaints(message)
            given = message.get("params", {})
            if (given.get("name"), given.get("loaderId")) == ("networkIdle", loader):
                break
        found = self._call("Runtime.evaluate", tab, complaints, expression=look)["result"].get("value")
        self._call("Target.closeTarget", targetId=target)
        # Of its own accord it asks for a picture that the page does not name.
        return found, [one for one in complaints if not one.endswith("/favicon.ico")]

    def close(self) -> None:
        """End it, and everything that it started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass

    def _call(self, method: str, session: str = "", complaints: list[str] | None = None, **given: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": given} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._last:
                return answer["result"]
            if complaints is not None:
                complaints += _complaints(answer)
        raise AssertionError("the browser ended")

    def _messages(self) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        while True:
            while b"\0" in self._rest:
                text, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(text)
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            if not ready or not (more := os.read(self._in, 1 << 16)):
                raise TimeoutError(f"the browser sent nothing for {PATIENCE_S} s, or ended")
            self._rest += more


def _complaints(message: dict[str, Any]) -> Iterator[str]:
    given = message.get("params", {})
    match message.get("method"):
        case "Runtime.exceptionThrown":
            yield str(given["exceptionDetails"].get("exception", {}).get("description") or given["exceptionDetails"])
        case "Runtime.consoleAPICalled" if given["type"] in {"error", "assert"}:
            yield " ".join(str(each.get("value") or each.get("description")) for each in given["args"])
        case "Log.entryAdded" if given["entry"]["level"] == "error":
            yield f"{given['entry']['text']} {given['entry'].get('url', '')}"
        case "Network.responseReceived" if given["response"]["status"] >= 400:
            yield f"{given['response']['status']} {given['response']['url']}"
        case "Network.loadingFailed" if not given.get("canceled"):
            yield f"{given['errorText']} ({given['type']})"
