"""The record by which the outside sees that a keeper lives, what it serves, and where it has led names. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds between two records.
BEAT_S = 10.0
#: The most bytes of a TXT record's one string (RFC 1035 §3.3.14).
_TXT = 255


def beat_name(zone: str) -> str:
    """Return the name of the record."""
    return f"_keeper.{zone}"


@dataclass(frozen=True)
class Beat:
    """A keeper's record: its time in seconds, the serial, and the names that a failure led elsewhere, with the site."""

    t: int
    serial: int
    away: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"t={self.t} serial={self.serial}"
        for host, sites in sorted(self.away.items()):
            word = f" {host}={sites}"
            text += word if len(text + word) <= _TXT else ""
        return text

    @classmethod
    def read(cls, text: str) -> Beat | None:
        """Return the content of a record, quoted or not; None if no keeper wrote it."""
        words = dict(word.partition("=")[::2] for word in text.strip('"').split() if "=" in word)
        try:
            return cls(int(words.pop("t")), int(words.pop("serial")), words)
        except (KeyError, ValueError):
            return None
