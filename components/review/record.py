"""The file of approvals next to a stack file, which `unmoor approve` writes and signers commit."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .. import files
from ..config import yaml_text
from ..config.models import faults
from ..config.signers import Signers  # noqa: TC001 pydantic reads it at run time
from ..errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = "# Written by `unmoor approve`: who approved which plan. Commit it; no line of it needs to be secret.\n"
#: How many numbers back entries are kept: an older one was deployed, or never will be.
_KEPT = 20
_HASH = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Approval(_Part):
    """One signer's approval; `expires` is the last day (UTC) on which it counts."""

    signer: str = Field(max_length=40)
    expires: str = Field(max_length=10)
    signature: str = Field(max_length=8192)

    @field_validator("expires")
    @classmethod
    def _is_a_date(cls, text: str) -> str:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError(f"{text!r} is not a date like 2026-12-31")
        date.fromisoformat(text)
        return text


class Entry(_Part):
    """A plan's place in the chain: `after` is the hash of the plan that it replaces, empty for the first.

    `signers` judge the plan after it; None if later plans need no approval.
    """

    number: int = Field(ge=1)
    plan: str = Field(pattern=_HASH)
    after: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    signers: Signers | None = None
    approvals: tuple[Approval, ...] = Field(default=(), max_length=50)

    @property
    def place(self) -> tuple[int, str, str]:
        """Its place in the chain: its number, the plan that it replaces, and its own."""
        return self.number, self.after, self.plan


class _File(_Part):
    entries: Annotated[tuple[Entry, ...], Field(max_length=100)]

    @field_validator("entries")
    @classmethod
    def _once(cls, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if len({one.place for one in entries}) != len(entries):
            raise ValueError("a plan stands twice at one place of the chain; keep one entry, with all its approvals")
        return entries


def file_for(stack_file: Path) -> Path:
    """Return the file of approvals of a stack file: `approvals.prod.yaml` next to `Pulumi.prod.yaml`."""
    return stack_file.with_name(stack_file.name.replace("Pulumi.", "approvals.", 1))


def read(path: Path) -> tuple[Entry, ...]:
    """Read the approvals; none if there is no file. Raises ConfigError with every fault."""
    try:
        return parse(yaml_text.file_text(path), str(path))
    except FileNotFoundError:
        return ()


def parse(text: str, source: str) -> tuple[Entry, ...]:
    """Read the text of a file of approvals; `source` names it in errors. Raises ConfigError with every fault."""
    entries = yaml_text.load(text, source)
    if isinstance(entries, list) and any(isinstance(one, dict) and "signer" in one for one in entries):
        raise ConfigError(
            f"{source}: holds approvals without signatures, which prove nothing; remove it and approve anew"
        )
    try:
        return _File(entries=entries or []).entries
    except ValidationError as error:
        raise ConfigError(
            f"{source}: not a file of approvals; `unmoor approve` writes it", faults(error, _File)
        ) from None


def _dumper() -> Any:
    """Return a dumper that writes texts of several lines as blocks, so that a key can be read in a pull request."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return Dumper


def write(path: Path, entries: tuple[Entry, ...]) -> None:
    """Write the whole file."""
    import yaml

    plain: list[dict[str, Any]] = [one.model_dump(mode="json") for one in entries]
    files.write(path, _HEAD + yaml.dump(plain, Dumper=_dumper(), sort_keys=False, width=1000))


def add(entries: tuple[Entry, ...], entry: Entry, approval: Approval) -> tuple[Entry, ...]:
    """Return the entries with an approval; it replaces an earlier one of the same signer for the same entry."""
    known = next((one for one in entries if one.place == entry.place), entry)
    others = tuple(one for one in known.approvals if one.signer != approval.signer)
    new = entry.model_copy(update={"approvals": (*others, approval)})
    kept = tuple(one for one in entries if one.place != entry.place and one.number > entry.number - _KEPT)
    return (*kept, new)
