"""The zone of own name servers in the stores: the newest bundle that the stack's own signer signed.

Every store holds it in the folder of the zone, and in one folder for each server, from which the server takes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import operator_key
from ...config import held
from ...errors import ConfigError, StepError
from ...limits import CLAIM_BYTES
from ...limits import ZONE_BUNDLE_BYTES as _MOST
from ...stores import s3
from . import bundle, entries
from .stores import CURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: The number of bundles in a folder: the newest, and the one before, which a server may be reading.
_KEPT = 2


@dataclass(frozen=True)
class Signed:
    """A bundle, its bytes and its signature."""

    zone: bundle.Bundle
    raw: bytes
    signature: bytes

    @property
    def name(self) -> str:
        """The name of its objects."""
        return hashlib.sha256(self.raw).hexdigest()


class State:
    """The zone in all stores. Methods raise StepError with a store's name if it fails."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        named = s3.settings(given["stores"])
        if missing := s3.missing_credentials(named):
            raise ConfigError("the stores of the zone cannot be opened", missing)
        self.stores = [s3.OpenStore(name, settings) for name, settings in sorted(named.items())]
        self.zone, self.folder = str(given["zone"]), str(given["folder"])

    def newest(self) -> Signed | None:
        """Return the newest bundle of all stores, None where there is none yet."""
        found = [each for store in self.stores if (each := self._of(store))]
        return max(found, key=lambda each: each.zone.serial, default=None)

    def save(self, signed: Signed, server: str = "") -> None:
        """Write a bundle to every store as the newest one, of the zone or of one server; delete old ones."""
        folder = f"{self.folder}/{server}" if server else self.folder
        for store in self.stores:
            if self._named(store, folder) == signed.name:
                continue
            store.write(f"{folder}/{signed.name}.json", signed.raw)
            store.write(f"{folder}/{signed.name}.json.sig", signed.signature)
            store.write(f"{folder}/{CURRENT}", f"{signed.name}\n".encode())
            there = [each.key for each in store.find(f"{folder}/") if each.key.endswith(".json")]
            own = [key for key in there if key.removeprefix(f"{folder}/").count("/") == 0]
            old = [key for key in own if not key.endswith(f"/{signed.name}.json")][_KEPT - 1 :]
            store.delete([name for key in old for name in (key, f"{key}.sig")])

    def ready(self, server: str, address: str) -> bool:
        """Return whether a server has ever answered at an address. A new one gets its key first."""
        return any(self._text(store, f"{self.folder}/{server}/ready") == address for store in self.stores)

    def answered(self, server: str, address: str) -> None:
        """Note that a server has answered at an address."""
        for store in self.stores:
            store.write(f"{self.folder}/{server}/ready", address.encode())

    def forget(self, server: str = "") -> None:
        """Remove what the stores hold for a server, or the whole zone."""
        folder = f"{self.folder}/{server}" if server else self.folder
        for store in self.stores:
            store.delete([each.key for each in store.find(f"{folder}/")])

    def sign(self, raw: bytes) -> Signed:
        """Return a bundle with the signature of the zone's signer, which is derived from the operator's key."""
        with _key_file(operator_key.zone_signer(self.zone)) as path:
            return Signed(bundle.read(raw, self.zone), raw, bundle.sign(raw, path))

    def _of(self, store: s3.OpenStore) -> Signed | None:
        name = self._named(store, self.folder)
        if not name:
            return None
        raw, signature = (store.read(f"{self.folder}/{name}.json{end}", _MOST + 1) for end in ("", ".sig"))
        if raw is None or signature is None or hashlib.sha256(raw).hexdigest() != name:
            raise StepError(
                f"store {store.name}: {self.folder}/{CURRENT} names a bundle that is missing or damaged there"
            )
        line = f"{bundle.PRINCIPAL} {operator_key.public_line(operator_key.zone_signer(self.zone))}\n"
        with tempfile.TemporaryDirectory() as folder:
            signed, signers = Path(folder, "signature"), Path(folder, "signers")
            signed.write_bytes(signature)
            signers.write_text(line, encoding="ascii")
            try:
                bundle.verify(raw, signed, signers)
            except ConfigError:
                raise StepError(
                    f"store {store.name}: the zone there is not signed by the key of {operator_key.VARIABLE}; export "
                    f"the key that signed it, or find out who wrote to {self.folder}"
                ) from None
        return Signed(bundle.read(raw, self.zone), raw, signature)

    def _named(self, store: s3.OpenStore, folder: str) -> str:
        return self._text(store, f"{folder}/{CURRENT}")

    def _text(self, store: s3.OpenStore, key: str) -> str:
        return (store.read(key, CLAIM_BYTES) or b"").decode("ascii", "replace").strip()


@contextlib.contextmanager
def _key_file(key: Ed25519PrivateKey) -> Iterator[Path]:
    """Write a private key to a temporary file for ssh-keygen."""
    from cryptography.hazmat.primitives import serialization

    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "signer")
        path.touch(mode=0o600)
        path.write_bytes(text)
        yield path


@contextlib.contextmanager
def locked(zone: str) -> Iterator[None]:
    """Hold the lock of a zone, because the actions of one update run side by side on one machine."""
    name = hashlib.sha256(zone.encode()).hexdigest()[:16]
    with (held.own_folder() / f"zone-{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def places(handle: Mapping[str, Any], host: str) -> list[str]:
    """Return each address and name that a host's records lead to now, once; none if there is no zone yet."""
    found = State(handle).newest()
    return entries.places(found.zone, host) if found else []
