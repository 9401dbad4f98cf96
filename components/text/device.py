"""Standard output and error of a command line: any device, any locale, and no control that a terminal would obey.

It is the last check: text from outside is escaped where it enters a sentence, and again here.
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

#: Colours are the only controls in our own output that a terminal may obey.
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_HANDLER = "unmoor"
#: Errors of a write where the disk, the quota, or the largest file of a process is used up.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Errors of a device without room, power or reader.
_DEVICE = (*FULL, errno.EIO, errno.EBADF)
#: The beginning of the error of Python's tempfile where it can write to no folder.
_NO_FOLDER = "No usable temporary directory"


class Device(io.TextIOWrapper):
    """A text stream that keeps colours and escapes all other controls, as JSON does.

    It reports UTF-8 as its encoding where the device is ASCII, because click replaces a stream that reports ASCII.
    """

    ascii = False

    def write(self, text: str, /) -> int:
        """Write text; return the number of its characters."""
        safe = terminal(text)
        super().write(safe.encode("ascii", _HANDLER).decode() if self.ascii else safe)
        return len(text)


def terminal(text: str) -> str:
    """Escape the controls that a terminal obeys, except colours."""
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
    """Write out the buffer. Raises OSError when the device does not accept it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def abandon() -> None:
    """Discard further output of a failed device; the interpreter would report it again at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def sentence(error: OSError) -> str:
    """Return the sentence for an operator about a failed file or device; nothing for any other error."""
    if error.filename is not None:
        more = "; make room on that disk, and run it again" if error.errno in FULL else ""
        return f"{os.fsdecode(error.filename)}: {error.strerror}{more}"
    if str(error.strerror).startswith(_NO_FOLDER):
        return (
            "no folder for temporary files can be written; make room on the disk, or set TMPDIR to a folder with room"
        )
    return f"the output cannot be written: {error.strerror}" if error.errno in _DEVICE else ""
