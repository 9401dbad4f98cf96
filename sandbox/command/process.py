"""Run one command as pulumi-command does (commandOutputs.go): a shell, both streams, one trailing newline removed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from components.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SHELL = ("/bin/sh", "-c")
#: Where bufio.Scanner stops in the real plugin: from then on the pipe is not read, and the command hangs forever.
_SCANNER_BYTES = 64 * 1024
_POLL_S = 0.1


@dataclass(frozen=True)
class Run:
    """What to run: the text for the shell, and its context; `logged` names the streams to show live."""

    text: str
    interpreter: Sequence[str]
    directory: str | None
    environment: Mapping[str, str]
    stdin: str
    logged: frozenset[str]


@dataclass
class _Output:
    parts: dict[str, list[bytes]] = field(default_factory=lambda: {"stdout": [], "stderr": []})
    both: list[bytes] = field(default_factory=list)
    too_long: bool = False

    def text(self, stream: str) -> str:
        return b"".join(self.parts[stream]).decode(errors="replace").removesuffix("\n")


def perform(run: Run, cancelled: threading.Event, timeout_s: float, log: Callable[[str, str], None]) -> tuple[str, str]:
    """Run to the end and return (stdout, stderr). A failure, a time-out or a cancel is a StepError with all output.

    Unlike the real plugin, which kills only the shell, a cancel ends the whole process group.
    """
    output = _Output()
    process = subprocess.Popen(
        [*(run.interpreter or _SHELL), run.text],
        stdin=subprocess.PIPE if run.stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=run.directory,
        env={**os.environ, **run.environment},
        start_new_session=True,
    )
    done = threading.Event()
    ended: list[str] = []
    threads = [
        threading.Thread(target=_read, args=(process.stdout, "stdout", output, run.logged, log)),
        threading.Thread(target=_read, args=(process.stderr, "stderr", output, run.logged, log)),
    ]
    watcher = threading.Thread(target=_watch, args=(process.pid, done, cancelled, timeout_s, ended))
    for thread in (*threads, watcher):
        thread.start()
    _feed(process, run.stdin)
    for thread in threads:
        thread.join()
    code = process.wait()
    done.set()
    watcher.join()
    shown = b"".join(output.both).decode(errors="replace")
    if output.too_long:
        raise StepError(
            f"a line of more than {_SCANNER_BYTES} bytes while logging is on: the real command plugin hangs here for"
            f" ever; set logging to none or print shorter lines: running {run.text!r}"
        )
    if ended or code:
        why = ended[0] if ended else _status(code)
        raise StepError(f'{why}: running "{run.text}":\n{shown}')
    return output.text("stdout"), output.text("stderr")


def _status(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"signal: {signal.strsignal(-code) or -code}".lower()


def _feed(process: subprocess.Popen[bytes], text: str) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(text.encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # a command need not read its input


def _read(
    stream: IO[bytes], name: str, output: _Output, logged: frozenset[str], log: Callable[[str, str], None]
) -> None:
    for line in stream:
        output.parts[name].append(line)
        output.both.append(line)
        if name in logged:
            output.too_long = output.too_long or len(line) > _SCANNER_BYTES
            log("status", line.decode(errors="replace").rstrip("\n"))


def _watch(group: int, done: threading.Event, cancelled: threading.Event, timeout_s: float, ended: list[str]) -> None:
    end = time.monotonic() + timeout_s if timeout_s else None
    while not done.wait(_POLL_S):
        if cancelled.is_set():
            ended.append("context canceled")
        elif end is not None and time.monotonic() > end:
            ended.append("context deadline exceeded")
        else:
            continue
        os.killpg(group, signal.SIGKILL)
        return
