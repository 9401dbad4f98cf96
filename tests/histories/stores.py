"""Object stores for histories: one in memory, moto, versitygw, and one that ignores conditions."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import logging
import os
import socket
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.config.models import Store
from components.stores.writer import Records
from sandbox.engine import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKLOAD = "dao/prod/forum"
BUCKET = "witness"
NAMES = ("memory", "moto", "versitygw")
_KEYS = {"HISTORIES_ACCESS_KEY": "histories", "HISTORIES_SECRET_KEY": "histories-secret"}
#: The endpoint of the store in memory: nothing listens there.
_NOWHERE = "http://127.0.0.1:9"


class Memory:
    """S3's conditional requests by its User Guide: 412 if a condition fails, 404 for If-Match without an object."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 boto3's names
        """Return an object."""
        if Key not in self.objects:
            raise _error(404, "NoSuchKey")
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": _etag(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **given: str) -> None:  # noqa: N803 boto3's names
        """Write an object, if its condition holds."""
        there = self.objects.get(Key)
        if "IfNoneMatch" in given and there is not None:
            raise _error(412, "PreconditionFailed")
        if "IfMatch" in given and there is None:
            raise _error(404, "NoSuchKey")
        if "IfMatch" in given and there is not None and given["IfMatch"] != _etag(there):
            raise _error(412, "PreconditionFailed")
        self.objects[Key] = Body

    def delete_object(self, Bucket: str, Key: str) -> None:  # noqa: N803 boto3's names
        """Delete an object."""
        self.objects.pop(Key, None)


class Careless:
    """A store that ignores conditions because it does not implement the headers: it answers 200 (RFC 9110, 13.1)."""

    def __init__(self, client: Any, ignored: tuple[str, ...] = ("IfMatch", "IfNoneMatch")) -> None:
        self._client = client
        self._ignored = ignored
        self.get_object, self.delete_object = client.get_object, client.delete_object

    def put_object(self, **given: Any) -> Any:
        """Write without the conditions."""
        return self._client.put_object(**{name: value for name, value in given.items() if name not in self._ignored})


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


def settings(endpoint: str) -> Store:
    """Return the settings of a store on this machine, whose keys are in the environment."""
    return Store(
        vendor="witness",
        bucket=BUCKET,
        public_url=f"{endpoint}/{BUCKET}",
        endpoint=endpoint,
        region="us-east-1",
        access_key="HISTORIES_ACCESS_KEY",
        secret_key="HISTORIES_SECRET_KEY",
    )


@contextlib.contextmanager
def opened(name: str) -> Iterator[Callable[[str], Records]]:
    """Start a store, and yield a function that opens a record at a key."""
    with _keys(), _ENDPOINTS[name]() as endpoint:
        first = Records(name, settings(endpoint), "first", WORKLOAD)
        if endpoint == _NOWHERE:
            first._client = Memory()
        else:
            _bucket(first._client)

        def records(key: str) -> Records:
            made = copy.copy(first)  # one client for all, because making one takes long
            made.key = key
            return made

        yield records


@contextlib.contextmanager
def bucket(endpoint: str) -> Iterator[None]:
    """Set the keys in the environment, and make the bucket in a running store."""
    with _keys():
        _bucket(Records("witness", settings(endpoint), "first", WORKLOAD)._client)
        yield


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    kept = {each: os.environ.get(each) for each in ("AWS_CA_BUNDLE", *_KEYS)}
    os.environ.update(_KEYS)
    try:
        yield
    finally:
        for each, value in kept.items():
            os.environ.pop(each, None) if value is None else os.environ.update({each: value})


@contextlib.contextmanager
def _memory() -> Iterator[str]:
    yield _NOWHERE


@contextlib.contextmanager
def _moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextlib.contextmanager
def _versitygw() -> Iterator[str]:
    """Run versitygw over a folder with a certificate made for it; the process ends with the block."""
    program = resolve.tool(resolve.VERSITYGW) / "versitygw"
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = _certificate(Path(folder))
        os.environ["AWS_CA_BUNDLE"] = certificate
        for each in ("data", "meta"):
            (Path(folder) / each).mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [str(program), "--port", f"127.0.0.1:{port}", "--cert", certificate, "--key", key, "--quiet"]
        words += ["--access", _KEYS["HISTORIES_ACCESS_KEY"], "--secret", _KEYS["HISTORIES_SECRET_KEY"]]
        words += ["posix", "--sidecar", f"{folder}/meta", f"{folder}/data"]
        with (Path(folder) / "log").open("wb") as log:
            child = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            yield f"https://127.0.0.1:{port}"
        finally:
            child.kill()
            child.wait()


def _bucket(client: Any) -> None:
    """Make the bucket as soon as the store answers, for at most 60 s."""
    end = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
        except BotoCoreError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate for this machine's address and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        # pgBackRest compares names, and no addresses.
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = str(folder / "cert.pem"), str(folder / "key.pem")
    Path(files[0]).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    Path(files[1]).write_bytes(key.private_bytes(*private))
    return files


_ENDPOINTS = {"memory": _memory, "moto": _moto, "versitygw": _versitygw}
