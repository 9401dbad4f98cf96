"""Values of secrets that a running program holds, and hands to its own steps over a socket of this user.

They come from Pulumi's secret configuration. The engine must not pass them on, because it would store them: a command's
environment is an input, and inputs are in the state.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import socket
import stat
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Fault, StepError
from ..limits import HELD_BYTES, HELD_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The prefix of the keys of such values in a stack's configuration; the name of the variable follows.
PREFIX = "unmoor-secret:"


def of(configuration: Mapping[str, str], secret: Iterable[str]) -> dict[str, str]:
    """Return the values by variable from the configuration of a program; `secret` are the keys that are encrypted."""
    kept = set(secret)
    return {
        key.removeprefix(PREFIX): value
        for key, value in configuration.items()
        if key.startswith(PREFIX) and key in kept
    }


def sealed(configuration: Mapping[str, Any]) -> set[str]:
    """Return the variables whose values are encrypted in the configuration of a stack file."""
    return {key.removeprefix(PREFIX) for key, value in configuration.items() if key.startswith(PREFIX) and value}


def faults(settings: Iterable[str]) -> list[Fault]:
    """Return a fault for each secret in clear text; `settings` are the keys that are not encrypted."""
    mend = "anyone with the file can read it: take it out, have a new value issued, and set that with"
    return [
        Fault(key, f"is not encrypted, and {mend} `pulumi config set --secret {key}`")
        for key in settings
        if key.startswith(PREFIX)
    ]


def offer(stack: str, values: Mapping[str, str]) -> None:
    """Answer the steps of a stack, `PROJECT/STACK`, with values until this process ends. No value is on disk."""
    place = _place(stack)
    place.unlink(missing_ok=True)  # left by a killed update, because the backend lets only one run
    door = socket.socket(socket.AF_UNIX)
    try:
        door.bind(str(place))
    except OSError as error:
        door.close()
        raise StepError(f"{place}: steps cannot be given secrets there ({error}); set TMPDIR to a short path") from None
    door.listen()
    atexit.register(place.unlink, missing_ok=True)
    body = json.dumps(dict(values)).encode()
    threading.Thread(target=_answer, args=(door, body), daemon=True).start()


def _answer(door: socket.socket, body: bytes) -> None:
    while True:
        asking, _ = door.accept()
        with asking:
            asking.settimeout(HELD_S)
            try:
                asking.sendall(body)
            except OSError:
                continue


def ask(stack: str) -> dict[str, str]:
    """Return the values that the running program of a stack holds, by variable; none if no program offers any."""
    content, place = b"", _place(stack)
    if not place.exists():
        return {}
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(HELD_S)
        try:
            asking.connect(str(place))
            while len(content) <= HELD_BYTES and (part := asking.recv(65_536)):
                content += part
        except (FileNotFoundError, ConnectionRefusedError):  # the update has ended
            return {}
        except OSError as error:
            raise StepError(f"the program of {stack} does not hand over its secrets: {type(error).__name__}") from None
    found = json.loads(content)
    return {str(name): str(value) for name, value in found.items()}


def all_values(stack: str) -> list[str]:
    """Return every value of this process's environment and of the stack's secrets, which must not be shown."""
    return [*os.environ.values(), *ask(stack).values()]


def _place(stack: str) -> Path:
    """Return the socket's path."""
    whose = f"{_project()}\0{stack}".encode()
    return own_folder() / f"{hashlib.sha256(whose).hexdigest()[:16]}.sock"


def own_folder() -> Path:
    """Return the user's folder for temporary files, which no other user can read or change.

    Raises StepError if another user made it, or can write into it.
    """
    folder = Path(tempfile.gettempdir(), f"unmoor-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StepError(f"{folder} is open to other users of this machine; remove it")
    return folder


def _project() -> Path:
    """Return the project's folder, in or below which program, steps and plug-ins of an update run."""
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "Pulumi.yaml").is_file()), here)
