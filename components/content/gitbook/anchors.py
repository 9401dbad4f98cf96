"""Anchors of headings as GitBook makes them, so that links and bookmarks keep working.

The rule was derived from links that GitBook wrote into repositories: "1. Textures" is `id-1.-textures`, "Node.js"
`node.js`, ".NET (C#)" `.net-c`, "SUID/SGID" `suid-sgid`, "What's new" `whats-new`, a second "Setup" `setup-1`, and a
heading without a Latin letter `undefined`. Where a link of the space shows another anchor, the link counts.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile("['\u2019`]")
_DROPPED = re.compile('[()\\[\\]{}#"\u201c\u201d?!,:;<>*~]')
_OTHERS = re.compile(r"[^a-z0-9._-]+")


def slug(text: str) -> str:
    """Return the anchor that GitBook makes from a heading's text."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).encode("ascii", "ignore").decode().lower()
    plain = _DROPPED.sub("", _APOSTROPHES.sub("", plain)).strip()
    made = _OTHERS.sub("-", plain).strip("-")
    if not made:
        return "undefined"
    return f"id-{made}" if made[0].isdigit() else made


def loose(anchor: str) -> str:
    """Return the common form of one heading's anchors, however they are made: letters and digits."""
    return "".join(char for char in unicodedata.normalize("NFKD", anchor).lower() if char.isalnum())


class Taken:
    """Anchors of one page: a second heading of the same text gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __contains__(self, anchor: object) -> bool:
        return anchor in self._taken

    def give(self, anchor: str) -> str:
        """Return an anchor that no other heading has, beginning with the requested one."""
        made, number = anchor, 0
        while made in self._taken:
            number += 1
            made = f"{anchor}-{number}"
        self._taken.add(made)
        return made
