"""Keys of three sorts, made for a test, and what they sign."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from components.review import signatures

if TYPE_CHECKING:
    from pathlib import Path


class Ssh:
    """An SSH key of its own."""

    def __init__(self, folder: Path, name: str = "ssh") -> None:
        self.file = folder / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", str(self.file)]
        subprocess.run(command, check=True)
        self.key = self.file.with_suffix(".pub").read_text()

    def sign(self, text: str, namespace: str = signatures.NAMESPACE) -> str:
        command = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(self.file)]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


class Gpg:
    """A GPG key in a home of its own; `expires` as gpg takes it."""

    def __init__(self, folder: Path, expires: str = "never") -> None:
        self.home = folder / "gpg"
        self.home.mkdir(mode=0o700)
        self._run("--passphrase", "", "--quick-generate-key", "carol@dao.example", "ed25519", "sign", expires)
        self.key = self._run("--armor", "--export")

    def sign(self, text: str) -> str:
        return self._run("--armor", "--detach-sign", given=text)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)

    def _run(self, *words: str, given: str = "") -> str:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True, env=os.environ).stdout


class Wallet:
    """An Ethereum account."""

    def __init__(self) -> None:
        accounts, self._encoded = signatures.ethereum()
        self._account = accounts.create()
        self.key = self._account.address

    def sign(self, text: str) -> str:
        return "0x" + self._account.sign_message(self._encoded(text=text)).signature.hex().removeprefix("0x")


def broken(signature: str) -> str:
    """Change one character in the middle of an armored or hexadecimal signature."""
    if signature.startswith("0x"):
        return signature[:40] + ("0" if signature[40] != "0" else "1") + signature[41:]
    lines = signature.splitlines()
    at = len(lines) // 2
    lines[at] = lines[at][:20] + ("A" if lines[at][20] != "A" else "B") + lines[at][21:]
    return "\n".join(lines) + "\n"
