"""Run pgBackRest with two repositories. It encrypts everything before it leaves the machine.

Secrets go to the program in its environment, as its configuration reference describes (`PGBACKREST_REPO1_S3_KEY`).
The file and the arguments hold none.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ..errors import StepError
from ..files import write
from ..stores.guard import Program
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from .files import Files
    from .settings import Settings

_Answer = TypeVar("_Answer")
STANZA = "db"
#: The name of the annotation of a backup that holds its writer's epoch.
EPOCH = "epoch"
#: Seconds that one request may wait for an answer: a store that hangs must not delay the other one.
_IO_S = 10
#: The same for a list of a store's content, and for WAL that the other store may have.
_ASK = "--io-timeout=3"
_HISTORY = re.compile(r"^([0-9A-F]{8})(\.history)?$")
#: pgBackRest's status codes of a stanza that mean an empty repository (src/command/info/info.c).
_EMPTY = frozenset({1, 2, 3})


@dataclass(frozen=True)
class Backup:
    """A base backup in a store: its label, when it ended (seconds since 1970), its size, and where its WAL begins.

    `epoch`: that of the writer which made it, 0 where that is not known.
    """

    label: str
    store: str
    full: bool
    ended: int
    bytes: int
    stop: str
    epoch: int = 0


@dataclass(frozen=True)
class Standing:
    """The content of a store: its backups (oldest first), and its last WAL segment."""

    backups: tuple[Backup, ...] = ()
    last_wal: str = ""

    @property
    def empty(self) -> bool:
        """Whether the store has neither a backup nor WAL."""
        return not self.backups and not self.last_wal


class Backrest:
    """pgBackRest for one data directory. Methods raise StepError with the program's own message."""

    def __init__(self, settings: Settings, files: Files, port: int, stop: threading.Event) -> None:
        self.settings, self.folder, self.port, self.stop = settings, files.root, port, stop
        self.config = files.root / "pgbackrest.conf"
        self._data, self._socket = files.data, files.run

    def write(self) -> None:
        """Write the configuration: one file for both stores, and one for each alone."""
        for name, stores in self._files().items():
            lines = ["[global]"]
            for number, store in enumerate(stores, 1):
                lines += self._repository(number, store)
            lines += [
                f"lock-path={self.folder / 'lock'}",
                f"log-path={self.folder / 'log'}",
                f"spool-path={self.folder / 'spool'}",
                "log-level-file=off",
                "log-level-console=off",
                "log-level-stderr=warn",
                "compress-type=lz4",
                f"io-timeout={_IO_S}",
                "archive-timeout=300",
                "process-max=2",
                "start-fast=y",
                "delta=y",
                f"expire-auto={'y' if self.settings.retain_full else 'n'}",
                f"[{STANZA}]",
                f"pg1-path={self._data}",
                f"pg1-socket-path={self._socket}",
                f"pg1-port={self.port}",
                "pg1-user=postgres",
            ]
            write(self.folder / name, "\n".join(lines) + "\n")
        write(self._order, " ".join(str(n) for n in range(1, len(self.settings.archive) + 1)) + "\n")

    def _files(self) -> dict[str, tuple[str, ...]]:
        both = self.settings.archive
        return {self.config.name: both} | {f"pgbackrest-{store}.conf": (store,) for store in both}

    def _repository(self, number: int, name: str) -> list[str]:
        store = self.settings.stores[name]
        region = store.region or "us-east-1"
        address = urlsplit(store.endpoint or f"https://s3.{region}.amazonaws.com")
        lines = {
            "type": "s3",
            "bundle": "y",  # many small files in one object, because stores bill each request
            "path": f"/{self.settings.prefix}",
            "cipher-type": "aes-256-cbc",
            "s3-bucket": store.bucket,
            "s3-endpoint": address.hostname or "",
            "s3-region": region,
            "s3-uri-style": "path" if store.endpoint else "host",
            "storage-port": str(address.port or 443),
            "retention-full": str(self.settings.retain_full or 9999999),
        }
        if bundle := os.environ.get("AWS_CA_BUNDLE"):
            lines["storage-ca-file"] = bundle
        return [f"repo{number}-{key}={value}" for key, value in lines.items()]

    def environment(self, only: str | None = None) -> dict[str, str]:
        """Return the environment variables that hold the secrets of both stores, or of `only` one."""
        found = {}
        for number, name in enumerate([only] if only else self.settings.archive, 1):
            store = self.settings.stores[name]
            found[f"PGBACKREST_REPO{number}_CIPHER_PASS"] = self.settings.secret(self.settings.cipher_of(name))
            if store.access_key and store.secret_key:
                found[f"PGBACKREST_REPO{number}_S3_KEY"] = self.settings.secret(store.access_key)
                found[f"PGBACKREST_REPO{number}_S3_KEY_SECRET"] = self.settings.secret(store.secret_key)
        return found

    def command(self, word: str, *words: str, only: str | None = None) -> str:
        """Return a command line for PostgreSQL's settings, which runs with `environment`."""
        asks = [_ASK] if word == "archive-get" else []
        return " ".join([*self._program(only), *asks, word, *words])

    @property
    def get(self) -> str:
        """PostgreSQL's `restore_command`, which asks the stores of `prefer` one after the other."""
        one = self.command("archive-get", "--repo=$r", "%f", '"%p"')
        return f"for r in $(cat {self._order}); do {one} && exit 0; done; exit 1"

    def prefer(self) -> None:
        """Write down the stores that answer, or all if none does: one that does not answer would delay every file."""
        try:
            answering = self.each()
        except StepError:
            answering = {}
        numbers = [str(n) for n, name in enumerate(self.settings.archive, 1) if name in answering or not answering]
        write(self._order, " ".join(numbers) + "\n")

    @property
    def _order(self) -> Path:
        return self.folder / "run" / "stores"

    def run(self, word: str, *words: str, only: str | None = None, data: Path | None = None) -> str:
        """Run a command for both stores, or for `only` one, and return its output. It is killed when `stop` is set."""
        line = [*self._program(only), *([f"--pg1-path={data}"] if data else []), word, *words]
        return run(line, clean() | self.environment(only), self.stop, word)

    def push(self, path: Path, store: str, until: Callable[[], float]) -> None:
        """Archive a file in one store, until the time (of `guard.clock`) that `until` returns at most.

        It ends with this process, too. Otherwise a writer that was replaced would archive a timeline that is over: one
        request is tried again for several seconds. Raises StepError if the file is not archived.
        """
        program = Program([*self._program(store), "archive-push", str(path)], grace_s=0)
        program.environment = clean() | self.environment(store)
        try:
            program.permit(0, until())
            while program.runs and not self.stop.wait(0.1):
                program.extend(until())
        finally:
            program.stop()
        if program.code != 0:
            raise StepError(f"{path.name} is not in store {store}")

    def _program(self, only: str | None) -> list[str]:
        config = self.folder / f"pgbackrest-{only}.conf" if only else self.config
        return ["pgbackrest", f"--config={config}", f"--stanza={STANZA}"]

    def each(self) -> dict[str, Standing]:
        """Return the content of each store that answers. Raises StepError if none does."""
        found, failed = self._asked(self.standing)
        if not found:
            raise StepError(f"no store of the archive answers: {'; '.join(failed)}")
        return found

    def _asked(self, ask: Callable[[str], _Answer]) -> tuple[dict[str, _Answer], list[str]]:
        """Ask all stores at once; return the answers by store, and the reasons of the stores that gave none."""
        with ThreadPoolExecutor(len(self.settings.archive)) as pool:
            asked = {name: pool.submit(ask, name) for name in self.settings.archive}
        found, failed = dict[str, _Answer](), list[str]()
        for name, answer in asked.items():
            try:
                found[name] = answer.result()
            except StepError as error:
                failed.append(str(error))
        return found, failed

    def standing(self, store: str, *, patient: bool = False) -> Standing:
        """Return the content of one store. With `patient` its answer may be slow, because nothing waits for it."""
        hurry = [] if patient else [_ASK]
        answer = self.run("info", "--output=json", *hurry, only=store)
        try:
            return _standing(store, json.loads(answer))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StepError(f"store {store}: the answer of pgBackRest cannot be read: {outside(error)}") from None

    def timelines(self) -> dict[str, int]:
        """Return the newest timeline in each store that answers, 0 for an empty store.

        A timeline begins with a file `N.history`, which the new primary archives first.
        """
        return self._asked(self._timeline)[0]

    def _timeline(self, store: str) -> int:
        def listed(path: str) -> list[str]:
            return list(json.loads(self.run("repo-ls", "--output=json", _ASK, path, only=store) or "{}"))

        top = f"archive/{STANZA}"
        folders = [each for each in listed(top) if re.fullmatch(rf"{self.settings.major}-\d+", each)]
        names = [name for folder in folders for name in listed(f"{top}/{folder}")]
        return max((int(match[1], 16) for name in names if (match := _HISTORY.match(name))), default=0)


def _standing(store: str, answer: list[dict[str, Any]]) -> Standing:
    if not answer:
        return Standing()
    stanza = answer[0]
    repository = stanza["repo"][0]["status"]
    backups = tuple(
        Backup(
            each["label"],
            store,
            each["type"] == "full",
            each["timestamp"]["stop"],
            each["info"]["size"],
            each["lsn"]["stop"],
            int(each.get("annotation", {}).get(EPOCH, 0)),
        )
        for each in stanza.get("backup", [])
        if not each.get("error")
    )
    last = max((each["max"] or "" for each in stanza.get("archive", [])), default="")
    if repository["code"] not in {0, *_EMPTY}:
        raise StepError(f"store {store}: {outside(repository['message'])}")
    return Standing(backups, last)


def clean() -> dict[str, str]:
    """Return this process's environment without the variables that configure pgBackRest or PostgreSQL's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PGBACKREST_", "PG"))}


def run(
    words: list[str],
    environment: dict[str, str],
    stop: threading.Event | None = None,
    what: str = "",
    within_s: float | None = None,
    given: str | None = None,
) -> str:
    """Run a program in a process group of its own and return its output. `given` is its input, `what` its name.

    It is killed when `stop` is set, or after `within_s` seconds. Raises StepError with its first error if it fails.
    """
    child = subprocess.Popen(
        words,
        env=environment,
        encoding="utf-8",
        errors="replace",  # with a wrong pass phrase it prints what it has decrypted
        stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(child, stop, over, within_s), daemon=True)
    watch.start()
    try:
        out, err = child.communicate(given)
    except BaseException:
        _kill(child)  # Ctrl-C does not reach its group
        raise
    finally:
        over.set()
        watch.join()
    if child.returncode:
        printed = [line for line in (err or out).strip().splitlines() if line.strip()]
        first = next((line for line in printed if "ERROR" in line or "FATAL" in line), printed[-1] if printed else "")
        if child.returncode < 0 and not first:
            first = "it was ended" if stop is not None and stop.is_set() else "it took too long"
        raise StepError(f"{what or words[0]} failed: {outside(first)}")
    return out


def _watch(
    child: subprocess.Popen[str], stop: threading.Event | None, over: threading.Event, within_s: float | None
) -> None:
    left = within_s
    while not over.wait(0.2):
        left = left - 0.2 if left is not None else None
        if (stop is not None and stop.is_set()) or (left is not None and left <= 0):
            _kill(child)
            return


def _kill(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def restorable(standings: Iterable[Standing]) -> list[Backup]:
    """Return all backups, newest first; backups of equal age are in the order of the stores."""
    found = [backup for standing in standings for backup in standing.backups]
    return sorted(found, key=lambda backup: backup.ended, reverse=True)
