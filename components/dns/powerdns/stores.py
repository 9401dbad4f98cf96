"""Find the newest zone with the signature of an allowed signer. No store is trusted."""

from __future__ import annotations

import hashlib
import http.cookiejar
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...coding import PLAIN, beginning
from ...deadline import within
from ...errors import ConfigError
from ...limits import ZONE_BUNDLE_BYTES as _MOST
from ...limits import ZONE_BUNDLE_S as _LIMIT_S
from ...text.escape import outside
from .bundle import Bundle, read, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import httpx

#: The document of a store that names its newest bundle, next to `SHA256.json` and `SHA256.json.sig`.
CURRENT = "current"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Stores:
    """The sources of bundles: addresses of folders at several vendors, and the allowed-signers file."""

    zone: str
    addresses: Sequence[str]
    signers: Path
    report: Callable[[str], None]

    _last: dict[str, str] = field(default_factory=dict)
    #: The serial of each bundle that was found valid, by its digest: the bytes behind a digest never change.
    _serials: dict[str, int] = field(default_factory=dict)

    def know(self, raw: bytes, serial: int) -> None:
        """Note a valid bundle, so that it is not downloaded again."""
        self._serials[hashlib.sha256(raw).hexdigest()] = serial

    def newest(self, serial: int) -> tuple[Bundle, bytes] | None:
        """Return the valid bundle of the highest serial above `serial`, or None; report each fault of a store once.

        A known bundle is downloaded only if its serial is above `serial`, and only from one store.
        """
        return max(self._each(serial), key=lambda each: each[0].serial, default=None)

    def _each(self, serial: int) -> Iterator[tuple[Bundle, bytes]]:
        import httpx

        looked: set[str] = set()
        with httpx.Client(timeout=_LIMIT_S, headers=PLAIN) as client:
            # One store's cookies would be sent to the others of its vendor.
            client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=()))
            for address in self.addresses:
                why = ""
                try:
                    digest = _named(client, address.rstrip("/"))
                    if digest not in looked and self._serials.get(digest, serial + 1) > serial:
                        bundle, raw = self._at(client, address.rstrip("/"), digest)
                        self.know(raw, bundle.serial)
                        looked.add(digest)
                        if bundle.serial > serial:
                            yield bundle, raw
                    if self._serials[digest] < serial:
                        why = f"has serial {self._serials[digest]}, older than {serial} that is served"
                except (httpx.HTTPError, ConfigError, OSError, ValueError) as error:
                    why = outside(str(error) or type(error).__name__)
                if why != self._last.get(address, ""):
                    self.report(f"{address}: {why or 'is well again'}")
                self._last[address] = why

    def _at(self, client: httpx.Client, address: str, digest: str) -> tuple[Bundle, bytes]:
        raw = _get(client, f"{address}/{digest}.json")
        if hashlib.sha256(raw).hexdigest() != digest:
            raise ConfigError(f"gives a bundle that is not {digest}")
        with tempfile.NamedTemporaryFile() as signature:
            signature.write(_get(client, f"{address}/{digest}.json.sig"))
            signature.flush()
            verify(raw, Path(signature.name), self.signers)
        return read(raw, self.zone), raw


def next_serial(folder: Path, zone: str, now: int) -> int:
    """Return the serial of a folder's next bundle: the time `now` in Unix seconds, or more if the newest bundle has it.

    Servers refuse a serial that does not rise (RFC 1982 §3), and a clock may be set back. Raises ConfigError if the
    newest bundle of the folder cannot be read.
    """
    current = folder / CURRENT
    try:
        digest = current.read_bytes()[:80].decode("ascii", "replace").strip()
    except FileNotFoundError:
        return now
    if not _DIGEST.fullmatch(digest):
        raise ConfigError(f"{current}: names no bundle; remove it, and copy the one of a store there")
    try:
        last = read((folder / f"{digest}.json").read_bytes(), zone)
    except FileNotFoundError:
        raise ConfigError(f"{current}: names {digest}.json, which is not there; copy it there from a store") from None
    return max(now, last.serial + 1)


def _named(client: httpx.Client, address: str) -> str:
    """Return the digest of a store's newest bundle."""
    digest = _get(client, f"{address}/{CURRENT}").decode("ascii").strip()
    if not _DIGEST.fullmatch(digest):
        raise ConfigError(f"names no bundle in {CURRENT}")
    return digest


def _get(client: httpx.Client, url: str) -> bytes:
    with within(_LIMIT_S) as deadline, client.stream("GET", url, extensions={"trace": deadline.trace}) as answer:
        answer.raise_for_status()
        read = beginning(answer, _MOST + 1)
    if len(read) > _MOST:
        raise ConfigError(f"{url}: is larger than {_MOST >> 20} MiB")
    return read
