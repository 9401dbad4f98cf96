"""Roll the zone's signing key over: five steps, and which of them are done by the answers. Pure.

The servers publish the new key before the parent has its DS. Both keys are published and have a DS while one server
after the other begins to sign with the new one. A resolver therefore always finds a key for the answers that it keeps
(RFC 6781 §4.1.3, with both the key and the DS published before).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import verdict
from .moving import Step, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .asking import Answer
    from .check import Seen, Server

_PUBLISH = "and publish the zone"


def steps(seen: Seen, signers: Mapping[Server, Answer], new: str) -> list[Step]:
    """Return the five steps of a roll-over to the key of the DS record `new`.

    `signers` has the tags of the keys with which each server signs. The first step that misses something is next; none
    after it may be taken.
    """
    return in_order(list(_steps(seen, signers, new)))


def _steps(seen: Seen, signers: Mapping[Server, Answer], new: str) -> Iterator[Step]:
    above, listed = seen.above or "the root", "dns.delegation.ds"
    key_s, ds_s = verdict.ttl(seen.answers, seen.zone, "DNSKEY"), verdict.ttl(seen.parent, seen.zone, "DS")
    longest = max((answer.ttl for each in seen.answers.values() for answer in each.values()), default=0)
    old = sorted(ds for ds in seen.ds if ds.lower() != new)
    yield Step(
        f"give every server the new key after the old one, name its DS second in {listed}, {_PUBLISH}",
        key_s,
        "the TTL of the keys",
        tuple(_lacking(seen, new)),
    )
    yield Step(
        f"name the DS of the new key at the registrar, and leave the old one: {new}",
        ds_s,
        f"the TTL of the DS at {above}",
        () if new in {ds.lower() for ds in seen.ds} else (f"{above} does not have it",),
    )
    yield Step(
        f"name the DS of the new key first in {listed}, {_PUBLISH}: it signs from then on",
        longest,
        "the longest TTL of the zone, for signatures of the old key",
        tuple(_unsigned(signers, new.split(maxsplit=1)[0])),
    )
    yield Step(
        "take the DS of the old key out at the registrar",
        ds_s,
        f"the TTL of the DS at {above}",
        tuple(f"{above} still has {ds}" for ds in old),
    )
    yield Step(
        f"take the old key out of {listed}, {_PUBLISH}; then out of the servers' keys",
        key_s,
        "the TTL of the keys",
        tuple(_left(seen, new)),
    )


def _lacking(seen: Seen, new: str) -> Iterator[str]:
    for where, answer in verdict.by_way(seen, seen.zone, "DNSKEY"):
        if answer.error:
            yield f"{where} does not answer: {answer.error}"
        elif not verdict.vouched(seen.zone, new, answer.values):
            yield f"{where} does not show the new key"


def _unsigned(signers: Mapping[Server, Answer], tag: str) -> Iterator[str]:
    for server, answer in signers.items():
        if answer.error or answer.values != {tag}:
            by = answer.error or f"signed by key {', '.join(sorted(answer.values)) or 'of none'}"
            yield f"{server} answers: {by}"


def _left(seen: Seen, new: str) -> Iterator[str]:
    for where, answer in verdict.by_way(seen, seen.zone, "DNSKEY"):
        if others := [key for key in answer.values if not verdict.vouched(seen.zone, new, [key])]:
            yield f"{where} still shows {len(others)} other key{'s' if len(others) > 1 else ''}"
