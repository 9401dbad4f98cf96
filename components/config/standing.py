"""Records of another party that stand at a host before adoption, as a stack file names them."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints, model_validator

from ..text.escape import shown
from .setting import Setting
from .signed import WHEN_SET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: A value of a record: printable, in one line, within what an authority takes.
_VALUE = r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$"
Value = Annotated[str, StringConstraints(pattern=_VALUE, max_length=4000)]


class StandingType(StrEnum):
    """Types of records that lead visitors or conflict with ours: adoption replaces these and leaves others alone."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    CAA = "CAA"
    HTTPS = "HTTPS"


class StandingRecord(Setting):
    """One record that stands at a host: values with a TTL, or an alias as the authority knows it."""

    at: Annotated[str | None, WHEN_SET] = Field(
        default=None, max_length=253, description="The name of `redirect_from` that it stands at; left out, the host."
    )
    type: StandingType = Field(description="A, AAAA, CNAME, CAA or HTTPS; records of other types are left alone.")
    ttl: int | None = Field(default=None, ge=0, le=2_147_483_647, description="Seconds that resolvers keep it.")
    values: tuple[Value, ...] = Field(default=(), description="Its values, as the authority shows them.")
    alias: str | None = Field(default=None, max_length=255, description="In place of values: what an alias leads to.")
    alias_zone: str | None = Field(default=None, max_length=64, description="The zone's id of what an alias leads to.")
    evaluate_target_health: bool = Field(default=False, description="Whether an alias follows its target's health.")

    @model_validator(mode="after")
    def _whole(self) -> StandingRecord:
        plain, alias = (self.ttl is not None, bool(self.values)), (self.alias is not None, self.alias_zone is not None)
        if (plain, alias) not in {((True, True), (False, False)), ((False, False), (True, True))}:
            raise ValueError("give `ttl` and `values`, or for an alias `alias` and `alias_zone`")
        return self

    def __str__(self) -> str:
        where = f"{self.at} " if self.at else ""
        if self.alias is not None:
            return f"{where}{self.type} alias of {self.alias}"
        return f"{where}{self.type} {', '.join(self.values)}, ttl {self.ttl} s"


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version and "%" not in text
    except ValueError:
        return False


#: A name as an authority shows it, with its own escapes: labels without white space.
_DOMAIN = re.compile(r"[!-\-/-~]+(?:\.[!-\-/-~]+)*\.?")
#: What a value of each type is, and an example.
_FORMS: Mapping[StandingType, tuple[Callable[[str], object], str]] = {
    StandingType.A: (lambda text: _is_address(text, 4), "an IPv4 address like 198.51.100.30"),
    StandingType.AAAA: (lambda text: _is_address(text, 6), "an IPv6 address like 2001:db8::30"),
    StandingType.CNAME: (_DOMAIN.fullmatch, "a host name like dao-example.pages.example"),
    StandingType.CAA: (
        re.compile(r"[0-9]{1,3} [A-Za-z0-9]+ .+").fullmatch,
        'flags, a tag and a value like 0 issue "letsencrypt.org"',
    ),
    StandingType.HTTPS: (
        re.compile(r"[0-9]{1,5} [!-~]+(?: .+)?").fullmatch,
        "a priority, a name and parameters like 1 . alpn=h2",
    ),
}


def possible(record: StandingRecord) -> StandingRecord:
    """Return a record that a zone can hold. Raises ValueError for another."""
    fits, form = _FORMS[record.type]
    for value in record.values:
        if not fits(value):
            raise ValueError(f"{shown(value)} is no value of a record of type {record.type}; write {form}")
    for name in (record.at, record.alias):
        if name is not None and not _DOMAIN.fullmatch(name):
            raise ValueError(f"{shown(name)} is no host name; write it like docs.dao.example")
    if record.type is StandingType.CNAME and len(record.values) > 1:
        raise ValueError("a name has one CNAME at most; keep the value that really stands there")
    return record


def phrase(records: tuple[StandingRecord, ...]) -> str:
    """Return records as one phrase."""
    return " and ".join(map(str, records)) or "nothing"


def phrases(stood: Mapping[str, tuple[StandingRecord, ...]], sentence: str) -> str:
    """Return a sentence for each name with what stands there: `{0}` is the name, `{1}` the records."""
    return ", and ".join(sentence.format(name, phrase(records)) for name, records in stood.items())


def together(records: tuple[StandingRecord, ...]) -> tuple[StandingRecord, ...]:
    """Return records that can stand together. Raises ValueError for those that cannot (RFC 1034 §3.6.2)."""
    for name in {record.at for record in records}:
        types = [record.type for record in records if record.at == name]
        if len(set(types)) < len(types):
            raise ValueError("two records of one type are named; name each type once, with all its values")
        if StandingType.CNAME in types and len(types) > 1:
            raise ValueError("nothing can stand at a name with a CNAME; name what really stands there")
    return records
