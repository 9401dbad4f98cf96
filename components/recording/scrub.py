"""Replace what is not public in an exchange by pseudonyms of the same form. Unknown words count as not public.

Public are the words of this program's own source, of an AWS service's model, and short numbers. A pseudonym depends
only on the recording's key, so that one name has one pseudonym in all files of a recording, and another in every other
recording.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .settings import Settings

#: Replaces a credential.
HIDDEN = "***"
#: The ends of names that vendors publish and that do not identify the DAO.
_PUBLIC = ("amazonaws.com", "cloudfront.net", "akash.network", "letsencrypt.org", "storjshare.io")
#: Fields that hold names; every word of their values is replaced.
_NAMING = re.compile(r"(?i)(name|e?mail|user|login|label|nick|title|company|person|contact)s?$")
#: Fields whose values are one word of a contract.
_WORDS = re.compile(r"(?i)^(code|state|status|denom|type|reason|error|scope|source|kind|rcode)$")
_ONE_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
_FIELD = re.compile(r"[A-Za-z_]{1,48}|[A-Za-z_]{2,40}[0-9]{1,3}[A-Za-z]{0,8}")

_LONGEST_NUMBER, _SHORTEST_HEX = 5, 12
_LONG = re.compile(rf"[0-9]{{{_LONGEST_NUMBER + 1},}}")
_HEX = re.compile(rf"(?i)(?=[a-f-]*[0-9])[0-9a-f-]{{{_SHORTEST_HEX},}}")
_SIZE = re.compile(r"[0-9]{1,5}(?:[KMGT]i?B?|m?s|ms|m|d|h)?|v[0-9]|[a-z]{2}(?:-[a-z]+)+-[0-9][a-z]?")
#: The parts of a text; the first match counts: a time, an ARN, a mail address, an IPv6 or IPv4 address, a host, a word.
_PARTS = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<arn>arn:[a-z-]+:[a-z0-9-]*:[a-z0-9-]*:\d*:[^\s\"'<>,]+)"
    r"|(?P<mail>[^\s@<>\"']+@[^\s@<>\"']+)"
    r"|(?P<six>(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:]))"
    r"|(?P<four>(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d))"
    r"|(?P<host>(?<![\w.])(?:[A-Za-z0-9_-]+\.)+[A-Za-z][A-Za-z0-9-]*(?!\w))"
    r"|(?P<word>[^\W_]+(?:[-_][^\W_]+)*)"
)
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class Scrubber:
    """Replaces words according to the settings of one recording."""

    def __init__(self, settings: Settings, words: Iterable[str] = ()) -> None:
        self._key = settings.key.encode()
        forms = {form for each in settings.credentials for form in (each, quote(each, safe=""))}
        self._credentials = sorted(forms, key=len, reverse=True)
        self._names = {name.lower() for name in settings.names}
        self._words = {word.lower() for word in (*settings.words, *words)}

    def value(self, value: Any, field: str = "") -> Any:
        """Return JSON of the same form with each text in it replaced; `field` is the name of its field."""
        if isinstance(value, dict):
            rename = self._header if field == "headers" else self.field
            return {rename(str(name)): self.value(held, str(name)) for name, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each, field) for each in value]
        if isinstance(value, bool | None):
            return value
        if isinstance(value, int | float):
            return type(value)(_LONG.sub(lambda digits: self._other(digits[0]), repr(value)))
        if isinstance(value, bytes | bytearray):
            return {"bytes": len(value)}
        return self.text(str(value), field)

    def field(self, name: str) -> str:
        """Return the name of a field: words that can be an identifier are kept, unless they are the DAO's names."""
        kept = _FIELD.fullmatch(name) and name.lower() not in self._names and self._open(name) == name
        return name if kept else self.text(name)

    def _header(self, name: str) -> str:
        """Return the name of a header: one made of public words is kept."""
        return name if set(name.lower().split("-")) <= self._words | {"x"} else self.field(name)

    def text(self, text: str, field: str = "") -> str:
        """Return a text with everything replaced that is not public."""
        text = self._open(text)
        if _WORDS.match(field) and _ONE_WORD.fullmatch(text) and text.lower() not in self._names:
            return text
        naming = bool(_NAMING.search(field))
        parts = (_PARTS.sub(lambda found: self._part(found, naming=naming), each) for each in text.split(HIDDEN))
        return HIDDEN.join(parts)

    def _open(self, text: str) -> str:
        for credential in self._credentials:
            text = text.replace(credential, HIDDEN)
        return text

    def _part(self, found: re.Match[str], *, naming: bool) -> str:
        by_kind: dict[str, Callable[[str], str]] = {
            "time": str,
            "arn": self._arn,
            "mail": self._all,
            "six": lambda address: f"2001:db8::{self._bits(address) % 0xFFFF:x}",
            "four": self._address,
            "host": self._host,
            "word": self._other if naming else self._word,
        }
        return by_kind[str(found.lastgroup)](found[0])

    def _address(self, address: str) -> str:
        """Return an address from the block for benchmarks (RFC 2544), at which there is no host."""
        number = self._bits(address) % 2**17
        return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"

    def _all(self, text: str) -> str:
        return re.sub(r"[^\W_]+(?:[-_][^\W_]+)*", lambda word: self._other(word[0]), text)

    def _arn(self, arn: str) -> str:
        """Keep partition, service, region and the kind of resource (IAM User Guide, "Amazon Resource Names")."""
        *head, account, resource = arn.split(":", 5)
        kind = re.match(r"[a-z-]+[/:]", resource)
        kept = kind[0] if kind else ""
        return ":".join([*head, self._other(account), kept + self._all(resource[len(kept) :])])

    def _host(self, host: str) -> str:
        end = next((end for end in _PUBLIC if host.lower().endswith(f".{end}")), "")
        labels = host[: len(host) - len(end)].split(".")
        return ".".join(label if _SIZE.fullmatch(label) else self._other(label) for label in labels) + end

    def _word(self, word: str) -> str:
        low = word.lower()
        if low in self._names or self._names & set(re.split("[-_]", low)):
            return self._other(word)
        if word.isdigit():
            return word if len(word) <= _LONGEST_NUMBER else self._other(word)
        if len(word) == 1 or low in self._words or _SIZE.fullmatch(word):
            return word
        pieces = _PIECES.findall(word)
        if len(pieces) > 1 and "".join(pieces) == word and {each.lower() for each in pieces} <= self._words:
            return word
        return self._other(word)

    def _bits(self, word: str) -> int:
        return int.from_bytes(hmac.digest(self._key, word.lower().encode(), hashlib.sha256)[:8], "big")

    def _other(self, word: str) -> str:
        """Return the pseudonym of a word: digits for digits, letters for letters, hex digits where it may be hex."""
        if word.startswith("akash1"):
            return "akash1" + self._other(word.removeprefix("akash1"))
        bits = self._stream(word)
        hexadecimal = bool(_HEX.fullmatch(word))
        return "".join(_same(letter, bit, hexadecimal=hexadecimal) for letter, bit in zip(word, bits, strict=False))

    def _stream(self, word: str) -> bytes:
        found, seed = b"", word.lower().encode()
        while len(found) < len(word):
            found += hmac.digest(self._key, seed + len(found).to_bytes(4, "big"), hashlib.sha256)
        return found


def _same(letter: str, bit: int, *, hexadecimal: bool) -> str:
    if letter in "-_":
        return letter
    if letter.isdigit():
        return str(1 + bit % 9)
    other = chr(ord("a") + bit % (6 if hexadecimal else 26))
    return other.upper() if letter.isupper() else other


def own_words() -> tuple[str, ...]:
    """Return the words of this program's source in lower case; they are as public as the source."""
    root = Path(__file__).parents[1]
    found: set[str] = set()
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.json")]):
        for word in re.findall(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*", path.read_text(encoding="utf-8")):
            found.add(word.lower())
            found.update(re.split(r"[-_]", word.lower()))
    return tuple(sorted(word for word in found if len(word) > 1))
