"""Write files whole or not at all, and make temporary ones. An error without room names the place."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .errors import StepError
from .text.device import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, and make its folder if needed. The old content stays until then, and on error.

    Text is written as UTF-8 with its line ends kept. A link is followed, and permissions stay. Raises OSError with the
    file's name.
    """
    raw = content.encode() if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            target.write_bytes(raw)  # A device holds no content that could be lost.
            return
        _replace(target, raw)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _replace(target: Path, raw: bytes) -> None:
    new = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        # os.open honours the umask; files of `tempfile` do not.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            new.chmod(target.stat().st_mode & 0o7777)
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def scratch() -> Iterator[IO[bytes]]:
    """Yield an open temporary file that is gone afterwards. Raises StepError when there is no room for its content."""
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        raise StepError(
            f"{tempfile.gettempdir()}: {error.strerror}; make room there, or set TMPDIR to a folder with room"
        ) from None
