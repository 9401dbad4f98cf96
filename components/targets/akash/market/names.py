"""The name of a deployment's group, with its owner, so that one account serves several stacks. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

#: A name is `LABEL-STACK SITE-FINGERPRINT`. The label is for people; the three hashes (8 hex digits each) decide. The
#: whole name fits into 63 characters, the length of a DNS label and of a Kubernetes name.
_NAME = re.compile(r"(?P<label>.*)-(?P<stack>[0-9a-f]{8})(?P<site>[0-9a-f]{8})-(?P<fingerprint>[0-9a-f]{8})")
_LABEL = 36
#: The form before names had an owner: `LABEL-FINGERPRINT`.
_PLAIN = re.compile(r".*-(?P<fingerprint>[0-9a-f]{8})")


@dataclass(frozen=True)
class Owner:
    """A deployment's owner as two hashes: of project and stack, and of project, stack and resource."""

    stack: str
    site: str

    @classmethod
    def of(cls, urn: str) -> Owner:
        """Derive the owner from a Pulumi URN, `urn:pulumi:STACK::PROJECT::TYPES::NAME`.

        The types are left out, because a resource that moves below another parent stays the same.
        """
        parts = urn.split("::", 3)
        return cls.named(urn, parts[-1])

    @classmethod
    def named(cls, urn: str, name: str) -> Owner:
        """Derive the owner of the resource `name` in the stack of another resource's URN."""
        stack = "::".join(urn.split("::", 3)[:2])
        return cls(_hash(stack), _hash(f"{stack}::{name}"))


def group_name(label: str, owner: Owner | None, fingerprint: str) -> str:
    """Return a group's name, made of its label, its owner and the hash of what cannot change in place."""
    if owner is None:
        return f"{label}-{fingerprint}"
    return f"{label[:_LABEL].rstrip('.-')}-{owner.stack}{owner.site}-{fingerprint}"


def owner_of(group: str) -> Owner | None:
    """Return the owner in a group's name; None if it has none."""
    found = _NAME.fullmatch(group)
    return Owner(found["stack"], found["site"]) if found else None


def label_of(group: str) -> str:
    """Return the part of a group's name that is for people."""
    found = _NAME.fullmatch(group)
    return found["label"] if found else group


def endpoint_mark(group: str) -> str:
    """Return the suffix that makes the names of a group's endpoints unique in its account.

    One owner may use an endpoint's name once on one provider (akash-network/support#108), so two projects with the same
    document need different names.
    """
    if found := _NAME.fullmatch(group):
        return found["site"] + found["fingerprint"]
    plain = _PLAIN.fullmatch(group)
    return plain["fingerprint"] if plain else _hash(group)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
