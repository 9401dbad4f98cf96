"""Verify one signature against one public key: SSH and GPG by their own programs, Ethereum by eth-account. Offline."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..config.signers import KeyKind, kind_of
from ..errors import ConfigError
from ..limits import SIGNATURE_S as _LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

#: The namespace of an SSH signature (PROTOCOL.sshsig): one made for git or for a file is not accepted.
NAMESPACE = "unmoor-approval"
_WALLET = re.compile(r"0x[0-9a-fA-F]{130}")
#: Signatures are verified by several threads, and one must not take the raised limit for the old one.
_importing = threading.Lock()


def verify(key: str, text: str, signature: str) -> str | None:
    """Return None if `signature` is by `key` over `text`, else what is wrong with it.

    Raises ConfigError if the program or library that can verify it is not installed.
    """
    return _VERIFY[kind_of(key)](key, text, signature)


def _ssh(key: str, text: str, signature: str) -> str | None:
    program = _program("ssh-keygen", "OpenSSH 8.1 or newer")
    with tempfile.TemporaryDirectory() as folder:
        allowed, signed = Path(folder, "allowed"), Path(folder, "signature")
        files.write(allowed, f"signer {key}\n")
        files.write(signed, signature.strip() + "\n")
        process = _run(
            [program, "-Y", "verify", "-f", allowed, "-I", "signer", "-n", NAMESPACE, "-s", signed], text, folder
        )
    return None if process.returncode == 0 else "it was made by another key, or over another text"


def _gpg(key: str, text: str, signature: str) -> str | None:
    program = _program("gpg", "GnuPG 2.2 or newer")
    # It has a home of its own: the operator's keyring and trust must not decide who signs for a DAO.
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o700)
        common = [program, "--homedir", home, "--batch", "--no-tty", "--no-autostart", "--status-fd", "1"]
        imported = _run([*common, "--import"], key, home).stdout
        keys = set(re.findall(r"^\[GNUPG:\] IMPORT_OK \d+ ([0-9A-F]{40,64})$", imported, re.MULTILINE))
        if len(keys) != 1:
            return f"the signer's block holds {len(keys) or 'no'} keys; it must hold one"
        signed = Path(home, "signature")
        files.write(signed, signature)
        status = _run([*common, "--verify", signed, "-"], text, home).stdout
    # VALIDSIG ends with the primary key's fingerprint; GOODSIG is missing for an expired or revoked key (doc/DETAILS).
    valid = re.search(r"^\[GNUPG:\] VALIDSIG .* ([0-9A-F]{40,64})$", status, re.MULTILINE)
    if valid and valid[1] in keys and "\n[GNUPG:] GOODSIG " in f"\n{status}":
        return None
    for word, what in (("EXPKEYSIG", "its key has expired"), ("REVKEYSIG", "its key is revoked")):
        if f"[GNUPG:] {word} " in status:
            return what
    return "it was made by another key, or over another text"


def _wallet(key: str, text: str, signature: str) -> str | None:
    account, encoded = ethereum()
    if not _WALLET.fullmatch(signature.strip()):
        return "it is not the 65 octets, 0x and 130 hex digits, that personal_sign gives"
    try:
        # EIP-191 version 0x45: what wallets sign for personal_sign.
        signer = account.recover_message(encoded(text=text), signature=signature.strip())
    except Exception as error:  # noqa: BLE001 eth-keys raises a family of its own for octets that are no signature
        return f"it is no signature: {str(error)[:80]}"
    if str(signer).lower() == key:
        return None
    return f"it was made by {signer}, or over another text"


def ethereum() -> tuple[Any, Callable[..., Any]]:
    """Return eth-account's accounts, and its function that encodes a text to sign. Raises ConfigError without it.

    Its py_ecc raises the recursion limit of the whole process to 100,000 calls when it is imported. The C stack ends
    before that, so deep JSON from outside would end the process; the limit is set back.
    """
    with _importing:
        limit = sys.getrecursionlimit()
        try:
            from eth_account import Account
            from eth_account.messages import encode_defunct
        except ImportError:
            raise ConfigError(
                "wallets are verified by eth-account, which is not installed: pip install 'unmoor[wallets]'"
            ) from None
        finally:
            sys.setrecursionlimit(limit)
    return Account, encode_defunct


_VERIFY: dict[KeyKind, Callable[[str, str, str], str | None]] = {
    KeyKind.SSH: _ssh,
    KeyKind.GPG: _gpg,
    KeyKind.ETHEREUM: _wallet,
}


def sign_ssh(key_file: Path, text: str) -> str:
    """Sign with an SSH key's file, or by the agent with its .pub file. Raises ConfigError with ssh-keygen's reason."""
    program = _program("ssh-keygen", "OpenSSH 8.1 or newer")
    return _signed([program, "-Y", "sign", "-n", NAMESPACE, "-f", str(key_file)], text)


def sign_gpg(user: str, text: str) -> str:
    """Sign with a key of the operator's GPG keyring. Raises ConfigError with gpg's reason."""
    program = _program("gpg", "GnuPG 2.2 or newer")
    return _signed([program, "--armor", "--detach-sign", "--local-user", user], text)


def _signed(command: list[str], text: str) -> str:
    # The passphrase is asked for at the terminal, so there is no time limit.
    process = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if process.returncode:
        why = (process.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ConfigError(f"{command[0]} did not sign: {why}")
    return process.stdout


def _run(command: list[str | Path], text: str, home: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, timeout=_LIMIT_S, env=environment
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {_LIMIT_S} s")


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(f"signatures of this sort are verified by {name}, which is not installed: install {package}")
    return found
