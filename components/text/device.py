"""Standard output and error of a command line: any device, any locale, and nothing that a terminal would obey.

It is the last door: text from outside is escaped where it is put into a sentence, and once more here.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import re
import sys

from .escape import as_json, ascii_only

#: Colours are the one thing that our own output has a terminal obey.
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_HANDLER = "unmoor"
#: What a write answers where the disk, the quota, or the largest file of a process is used up.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: What a device answers that has no room, no power or no reader.
_DEVICE = (*FULL, errno.EIO, errno.EBADF)
#: How Python's tempfile begins its error where no folder that it knows can be written.
_NO_FOLDER = "No usable temporary directory"


class Device(io.TextIOWrapper):
    """A text stream that keeps colours and escapes all other controls, as JSON does.

    It calls itself UTF-8 where the device is ASCII: click replaces a stream that calls itself ASCII.
    """

    ascii = False

    def write(self, text: str, /) -> int:
        """Write text; return the number of its characters."""
        safe = terminal(text)
        super().write(safe.encode("ascii", _HANDLER).decode() if self.ascii else safe)
        return len(text)


def terminal(text: str) -> str:
    """Escape what a terminal obeys, colours apart."""
    if text.isascii() and text.isprintable():
        return text
    pieces = _COLOUR.split(text.replace("\r\n", "\n"))
    return "".join(piece if at % 2 else as_json(piece) for at, piece in enumerate(pieces))


def protect() -> None:
    """Put a Device in place of standard output and error."""
    codecs.register_error(_HANDLER, ascii_only)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 it stays open
        elif type(stream) is io.TextIOWrapper:
            ascii_only_device = codecs.lookup(stream.encoding).name == "ascii"
            encoding, lines = "utf-8" if ascii_only_device else stream.encoding, stream.line_buffering
            made = Device(stream.detach(), encoding=encoding, errors=_HANDLER, line_buffering=lines)
            made.ascii = ascii_only_device
            setattr(sys, name, made)


def flush() -> None:
    """Write what is buffered. Raises OSError when the device does not take it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def abandon() -> None:
    """Let nothing more be written to a device that failed; the interpreter would report it again as it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def sentence(error: OSError) -> str:
    """Return the sentence for an operator about a file or a device that failed; nothing for any other error."""
    if error.filename is not None:
        more = "; make room on that disk, and run it again" if error.errno in FULL else ""
        return f"{os.fsdecode(error.filename)}: {error.strerror}{more}"
    if str(error.strerror).startswith(_NO_FOLDER):
        return (
            "no folder for temporary files can be written; make room on the disk, or set TMPDIR to a folder with room"
        )
    return f"the output cannot be written: {error.strerror}" if error.errno in _DEVICE else ""
