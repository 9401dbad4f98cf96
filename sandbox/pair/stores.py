"""Three object stores of two makes, and the relays to them with TLS."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from components.postgres.settings import Settings
from components.stores import s3

from ..engine import resolve
from .ground import SECRETS, SITES, STORES, free_port, until
from .relay import Relay, Way

if TYPE_CHECKING:
    from collections.abc import Iterable


class Stores:
    """The stores' processes, and their settings. `close` ends them."""

    def __init__(self, folder: Path, ttl_s: float, changed: dict[str, Any]) -> None:
        self.folder, self.ttl_s, self.changed = folder, ttl_s, changed
        self.buckets = dict.fromkeys(STORES, "forum-archive")
        self.relay = Relay()
        self.stores: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self.certificate, self.key = _certificate(folder)
        try:
            for name, make in STORES.items():
                self.stores[name] = self._store(name, make)
            self.ways = self._ways()
            self.settings = self._settings(self.ways)
            for name in STORES:
                self._bucket(name)
        except BaseException:
            self.close()
            raise

    def _store(self, name: str, make: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        upper = name.upper()
        if make == "moto":
            words = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
        else:
            for each in ("data", "meta", "accounts"):
                (self.folder / f"{name}-{each}").mkdir(exist_ok=True)
            program = resolve.tool(resolve.VERSITYGW) / "versitygw"
            words = [str(program), "--port", f"127.0.0.1:{port}", "--cert", self.certificate, "--key", self.key]
            words += ["--quiet", "--access", SECRETS[f"{upper}_KEY"], "--secret", SECRETS[f"{upper}_SECRET"]]
            words += ["--iam-dir", str(self.folder / f"{name}-accounts"), "posix"]
            words += ["--sidecar", str(self.folder / f"{name}-meta"), str(self.folder / f"{name}-data")]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(words, stdout=log, stderr=log), port

    def _ways(self) -> dict[str, Way]:
        tls = {name: (self.certificate, self.key) if make == "moto" else None for name, make in STORES.items()}
        return {name: self.relay.way(port, tls[name]) for name, (_, port) in self.stores.items()}

    def _bucket(self, name: str) -> None:
        client = s3.client(self.settings.stores[name])

        def made() -> bool:
            with contextlib.suppress(Exception):
                client.create_bucket(Bucket=self.buckets[name])
                return True
            return False

        until(made, f"bucket of {name}")

    def _document(self, ways: dict[str, Way]) -> dict[str, Any]:
        return {
            "workload": "dao/prod/forum",
            "sites": list(SITES),
            "database": "forum",
            "user": "forum",
            "password": "FORUM_PASSWORD",
            "cipher": "ARCHIVE_CIPHER",
            "stores": {
                name: {
                    "vendor": f"vendor-{name}",
                    "bucket": self.buckets[name],
                    "endpoint": f"https://localhost:{ways[name].port}",
                    "region": "us-east-1",
                    "access_key": f"{name.upper()}_KEY",
                    "secret_key": f"{name.upper()}_SECRET",
                }
                for name in STORES
            },
            "archive": ["first", "second"],
            "witness": {"store": "witness", "ttl_s": self.ttl_s, "hand_over_s": 90},
            "archive_timeout_s": 2,
            **self.changed,
        }

    def _settings(self, ways: dict[str, Way]) -> Settings:
        return Settings.model_validate(self._document(ways))

    def reader(self, name: str) -> dict[str, str]:
        """Make an account of versitygw that may only read a store; return its keys, by variable.

        The policy is AWS's for read access (Amazon S3 User Guide, "Bucket policy examples").
        """
        access, secret, upper = f"{name}-reader-access", f"{name}-reader-secret", name.upper()
        words = [str(resolve.tool(resolve.VERSITYGW) / "versitygw"), "admin", "--allow-insecure"]
        words += ["--access", SECRETS[f"{upper}_KEY"], "--secret", SECRETS[f"{upper}_SECRET"]]
        words += ["--endpoint-url", f"https://localhost:{self.stores[name][1]}", "create-user"]
        words += ["--access", access, "--secret", secret, "--role", "user"]
        subprocess.run(words, capture_output=True, check=True)
        bucket = f"arn:aws:s3:::{self.buckets[name]}"
        allowed = {"Effect": "Allow", "Principal": {"AWS": [access]}}
        statements = [
            allowed | {"Action": ["s3:ListBucket"], "Resource": [bucket]},
            allowed | {"Action": ["s3:GetObject"], "Resource": [f"{bucket}/*"]},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        s3.client(self.settings.stores[name]).put_bucket_policy(Bucket=self.buckets[name], Policy=policy)
        return {f"{upper}_KEY": access, f"{upper}_SECRET": secret}

    def reach(self, ways: Iterable[Way], *, cut: bool) -> None:
        """Cut relays to a store, or reconnect them."""
        for way in ways:
            self.relay.set(way, cut=cut)

    def timeline(self, store: str) -> int:
        """Return the newest timeline with a history in a store of files; 1 if there is none."""
        found = (self.folder / f"{store}-data").rglob("*.history*")
        return max(
            (int(each.name[:8], 16) for each in found if re.match(r"[0-9A-F]{8}\.history", each.name)), default=1
        )

    def damage(self, store: str) -> int:
        """Change bytes in the middle of every archived segment of a store of files; return the number of segments."""
        found = 0
        for path in (self.folder / f"{store}-data").rglob("*.lz4"):
            if re.match(r"[0-9A-F]{24}-", path.name):
                content = bytearray(path.read_bytes())
                middle = len(content) // 2
                content[middle : middle + 64] = bytes(64)
                path.write_bytes(content)
                found += 1
        return found

    def close(self) -> None:
        """End everything."""
        for process, _ in self.stores.values():
            process.kill()
            process.wait()
        self.relay.close()


def _certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate for this machine and its key, and `ca.pem`; return the first two files."""
    authority = trustme.CA()
    # pgBackRest compares names, and no addresses.
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate, key = folder / "cert.pem", folder / "key.pem"
    for each in leaf.cert_chain_pems:
        each.write_to_path(str(certificate), append=True)
    leaf.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    return str(certificate), str(key)
