"""The signers of a DAO: public keys by name, and how many of them have to agree."""

from __future__ import annotations

import base64
import binascii
import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from .setting import Setting

#: Bytes that hold a string's length in an SSH key.
_LENGTH = 4
#: A name in a stack file: lower-case letters, digits and hyphens, at most 40.
NAME = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
_ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
_SSH = re.compile(
    r"((?:sk-)?ssh-ed25519(?:@openssh\.com)?|ssh-rsa"
    r"|(?:sk-)?ecdsa-sha2-nistp(?:256|384|521)(?:@openssh\.com)?) ([A-Za-z0-9+/=]+)(?: [^\n]*)?"
)
_GPG = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n([A-Za-z]+: [^\n]*\n)*\n([A-Za-z0-9+/=]+\n)+"
    r"-----END PGP PUBLIC KEY BLOCK-----"
)
_CHOICES = (
    "give an SSH public key (`ssh-ed25519 AAAA…`), an armored GPG public key, or an Ethereum address (0x and 40 hex "
    "digits)"
)


class KeyKind(StrEnum):
    """The kind of a signer's key."""

    SSH = "SSH key"
    GPG = "GPG key"
    ETHEREUM = "Ethereum address"


def kind_of(key: str) -> KeyKind:
    """Return the kind of a signer's key, by its form."""
    if key.startswith("0x"):
        return KeyKind.ETHEREUM
    return KeyKind.GPG if key.startswith("-----BEGIN PGP") else KeyKind.SSH


def _identity(key: str) -> str:
    """Return what two forms of one key share: of a GPG block the first 48 octets, which begin with the key itself."""
    return key.split("\n\n", 1)[1].replace("\n", "")[:64] if kind_of(key) is KeyKind.GPG else key


def _key(text: str) -> str:
    """Return a public key without its comment, so that a comment changes no plan. Raises ValueError."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if "PRIVATE KEY" in text:
        raise ValueError(f"this is a private key, and is known to everyone who reads this file; {_CHOICES}")
    if _ETHEREUM.fullmatch(text):
        return text.lower()
    if _GPG.fullmatch(text):
        return text
    found = _SSH.fullmatch(text)
    if found is None:
        raise ValueError(f"is not a public key; {_CHOICES}")
    if _parts(found[2])[:1] != [found[1].encode()]:
        raise ValueError(f"is not a whole SSH public key; copy the line of the .pub file, or {_CHOICES}")
    return f"{found[1]} {found[2]}"


def _parts(blob: str) -> list[bytes]:
    """Return the strings in an SSH key's blob (RFC 4253 §6.6); none when it is truncated."""
    try:
        rest, parts = base64.b64decode(blob, validate=True), []
    except binascii.Error:
        return []
    while rest:
        size = int.from_bytes(rest[:_LENGTH], "big")
        if len(rest) < _LENGTH + size:
            return []
        parts.append(rest[_LENGTH : _LENGTH + size])
        rest = rest[_LENGTH + size :]
    return parts


class Signers(Setting):
    """The people who approve plans, and how many of them it takes."""

    keys: dict[
        Annotated[str, StringConstraints(pattern=NAME)],
        Annotated[str, StringConstraints(max_length=16_384), AfterValidator(_key)],
    ] = Field(
        min_length=1,
        max_length=50,
        description="Public key of each signer by name: an SSH key, an armored GPG key or an Ethereum address. The "
        "owners of a Safe are listed by their addresses.",
    )
    quorum: int = Field(ge=1, description="How many of them have to approve a plan.")

    @field_validator("keys")
    @classmethod
    def _once(cls, keys: dict[str, str]) -> dict[str, str]:
        owners: dict[str, str] = {}
        for name, key in keys.items():
            first = owners.setdefault(_identity(key), name)
            if first != name:
                raise ValueError(f"{first} and {name} have the same key; a signer counts once, remove one")
        return keys

    @field_validator("quorum")
    @classmethod
    def _reachable(cls, quorum: int, info: ValidationInfo) -> int:
        keys = info.data.get("keys")
        if keys is not None and quorum > len(keys):
            raise ValueError(f"{quorum} is more than the {len(keys)} signers; choose at most {len(keys)}")
        return quorum

    def __str__(self) -> str:
        return f"{self.quorum} of {', '.join(sorted(self.keys))}"
