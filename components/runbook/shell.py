"""Run one line of shell: output as it comes, within a time limit, with nothing left running behind it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from .chapter import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Seconds in which a command may end by itself after it was asked to: an engine finishes its steps in progress.
END_S = 60.0
#: The most characters of a command's output that are kept, from its end.
_KEPT = 4_000_000
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE")
#: Shorter values are ordinary words, which would be removed from every sentence.
_SHORTEST_SECRET = 8


def secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values in an environment that must not be shown, longest first."""
    found = {value for name, value in environment.items() if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET}
    return tuple(sorted(found, key=len, reverse=True))


def hide(text: str, hidden: tuple[str, ...]) -> str:
    """Remove secrets from a text."""
    for value in hidden:
        text = text.replace(value, "•••")
    return text


def run(command: str, limit_s: float, show: Callable[[str], None] | None = None) -> Outcome:
    """Run a command with `/bin/sh`, without input and with one stream of output; end it with everything it started.

    An interrupt is passed on, and raised again when the command has ended.
    """
    late = threading.Event()
    lines: list[str] = []
    with _Held() as held:
        child = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        with child, _ended(child), _bounded(child, limit_s, late):
            try:
                held.release()
                _collect(child, lines, show)
            except KeyboardInterrupt:
                _signal(child, signal.SIGINT)
                with _bounded(child, END_S, late):
                    _collect(child, lines, show)
                raise
    return Outcome(None if late.is_set() else child.returncode, "".join(lines)[-_KEPT:])


class _Held:
    """Hold an interrupt back while a command is started: one that is raised then would leave it without an owner."""

    def __enter__(self) -> Self:
        # Python raises interrupts in the main thread alone; a shell may have its background jobs ignore them.
        self._holds = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        self._asked = False
        if self._holds:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._holds:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, *_: object) -> None:
        self._asked = True

    def release(self) -> None:
        """Let interrupts through again. Raises KeyboardInterrupt if one was held back."""
        self.__exit__()
        if self._asked:
            raise KeyboardInterrupt


def _collect(child: subprocess.Popen[str], lines: list[str], show: Callable[[str], None] | None) -> None:
    """Read until the command and every process that holds its output have ended."""
    for line in child.stdout or ():
        lines.append(line)
        if show:
            show(line.rstrip("\n"))
    child.wait()


@contextmanager
def _bounded(child: subprocess.Popen[str], limit_s: float, late: threading.Event) -> Iterator[None]:
    """Ask the command to end when its time is over, and kill it if it does not."""
    over = threading.Event()

    def watch() -> None:
        if not over.wait(limit_s):
            late.set()
            _signal(child, signal.SIGINT)
            if not over.wait(END_S):
                _signal(child, signal.SIGKILL)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def _ended(child: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
