"""The sandbox's AWS account as a process, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from components.stores import s3
from sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Account:
    """The account's state folder, its environment, and clients past every rule of the plugin."""

    def __init__(self, root: Path) -> None:
        self.state = State(root)
        self.env = {
            "UNMOOR_SANDBOX": str(root),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }

    def url(self, door: str = "aws") -> str:
        """Return where a door listens."""
        return f"http://127.0.0.1:{self.state.port(door)}"

    def client(self, service: str, door: str = "aws") -> Any:
        """Return a boto3 client."""
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url(door),
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@contextmanager
def running(root: Path) -> Iterator[Account]:
    """Yield a running account; it must end by itself on SIGTERM."""
    made = Account(root)
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.aws"], env={**os.environ, **made.env}, start_new_session=True
    ) as process:
        try:
            while made.state.port("storj") is None:
                assert process.poll() is None
                time.sleep(0.02)
            made.env["AWS_ENDPOINT_URL"] = made.url()
            yield made
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Yield one account for the tests of a module."""
    with running(tmp_path_factory.mktemp("aws")) as made:
        yield made


@pytest.fixture
def signed_in(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the environment with which any process reaches the account."""
    for name, value in account.env.items():
        monkeypatch.setenv(name, value)
    s3.session.cache_clear()
    yield
    s3.session.cache_clear()
