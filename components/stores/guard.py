"""Run a program no longer than it is permitted to, even if the process that permits it dies.

`Program` starts a guard: this file as a process of its own, which starts the program. The guard reads lines `until
SECONDS` (of `clock`) and `stop PATIENCE` from its standard input. It kills the program's process group when the time is
over or the input ends, so neither a kill nor a pause of the holder lets the program continue. On Linux it also kills
what the program started, in any process group: PostgreSQL gives each session one of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Seconds between two checks of the guard whether the program has ended by itself.
_LOOK_S = 0.25
#: prctl(2): the signal that a process gets when its parent dies; and that orphans become this process's children.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def clock() -> float:
    """Return seconds of a clock that never jumps, is the same in all processes, and runs while a machine sleeps."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if which is None else time.clock_gettime(which)


class Program:
    """A program under a guard. It is asked to end by the signal `ask`, and killed `grace_s` seconds later.

    `ended` is called when it ends by itself; `code` is then its exit code, 128 + N for signal N. `environment` is what
    it gets, by default this process's; `without` are variables of it that it does not get.
    """

    def __init__(self, words: Sequence[str], grace_s: float = 2.0, ask: signal.Signals = signal.SIGTERM) -> None:
        self.words = list(words)
        self.grace_s = grace_s
        self.ask = ask
        self.code: int | None = None
        self.ended: Callable[[], object] = lambda: None
        self.environment: Mapping[str, str] | None = None
        self.without: Sequence[str] = ()
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        guard = self._guard
        if guard is None:
            return False
        if (code := guard.poll()) is None:
            return True
        self._forget(guard)
        if code >= 0:  # A guard that has stopped its program ends by a signal.
            self.code = code
            self.ended()
        return False

    def permit(self, epoch: int, until: float) -> None:
        """Run until that time; start if it is not running and has not ended by itself.

        The program finds UNMOOR_EPOCH set.
        """
        if not self.runs and self.code is None:
            given = os.environ if self.environment is None else self.environment
            environment = {name: value for name, value in given.items() if name not in self.without}
            self._guard = subprocess.Popen(
                [sys.executable, "-P", __file__, str(self.grace_s), str(int(self.ask)), *self.words],
                stdin=subprocess.PIPE,
                env=environment | {"UNMOOR_EPOCH": str(epoch)},
                start_new_session=True,
            )
        self.extend(until)

    def extend(self, until: float) -> None:
        """Let it run until that time if it runs; one that has ended stays so."""
        self._order(f"until {until!r}\n")

    def stop(self, patience_s: float | None = None) -> None:
        """Stop the program; when this returns, nothing runs. It is killed after `patience_s`, by default its grace."""
        self._order(f"stop {self.grace_s if patience_s is None else patience_s!r}\n")
        if self._guard is not None:
            self._guard.wait()
            _ = self.runs

    def _order(self, line: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(line.encode())
                self._guard.stdin.flush()

    def _forget(self, guard: subprocess.Popen[bytes]) -> None:
        self._guard = None
        if guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                guard.stdin.close()


class _Guard:
    """The guard's side of the pipe."""

    def __init__(self, grace_s: float, ask: int, words: list[str]) -> None:
        self.grace_s, self.ask, self.words = grace_s, ask, words
        self.until, self.kill_at = -math.inf, math.inf
        self.asked = False
        self._rest = b""

    def run(self) -> int | None:
        """Run the program; return its exit code, or None if it was stopped."""
        while self.until == -math.inf:
            if not self._read(None):
                return None
        if clock() >= self.until:
            return None
        child = subprocess.Popen(
            self.words,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_too,  # noqa: PLW1509 the guard has one thread
        )
        try:
            return self._watch(child)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            _kill_orphans()

    def _watch(self, child: subprocess.Popen[bytes]) -> int | None:
        while (code := child.poll()) is None:
            end = min(self.until, self.kill_at)
            left = end - clock()
            if left <= 0:
                return None
            if left <= self.grace_s and not self.asked:
                self.asked = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, self.ask)
            if not self._read(min(left, _LOOK_S)):
                return None
        if self.asked:
            return None
        return code if code >= 0 else 128 - code

    def _read(self, within_s: float | None) -> bool:
        """Wait for orders; return False when no more can come, or when there is nothing to stop."""
        if not select.select([0], [], [], within_s)[0]:
            return True
        if not (more := os.read(0, 4096)):
            return False
        *lines, self._rest = (self._rest + more).split(b"\n")
        for line in lines:
            word, _, value = line.partition(b" ")
            if word == b"until":
                self.until = float(value)
            else:
                self.kill_at = clock() + float(value)
                self.grace_s = math.inf  # the program has been asked to end
        return True


def _die_too() -> None:
    """Have the program killed when its guard is; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_orphans() -> None:
    """Kill what the program left, now children of this process, and what those leave, until none is left."""
    while left := _children():
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        for each in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(each, 0)


def _children() -> list[int]:
    """Return this process's children; none where there is no /proc (proc(5): the parent is the 4th field of stat)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def main(words: list[str]) -> int:
    """Guard a program; see the module."""
    for each in (signal.SIGTERM, signal.SIGINT):
        # The pipe shows the holder's end. A handler is set, because an ignored signal would stay ignored in the
        # program.
        signal.signal(each, lambda *_: None)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    code = _Guard(float(words[0]), int(words[1]), words[2:]).run()
    if code is None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    return code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
