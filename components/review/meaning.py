"""The meaning of a changed setting: its group, a sentence, and whether it needs a warning. One table.

A path without a row has a sentence too: the description of the setting in its model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable  # noqa: TC003 a NamedTuple reads it at run time
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from .diff import ABSENT, Difference, dotted

if TYPE_CHECKING:
    from ..topology import Topology
    from .diff import Path


class Group(StrEnum):
    """What a change affects, in the order in which a review shows it."""

    REACH = "What visitors reach"
    ANSWER = "Who may sign and answer"
    COPIES = "Where copies are"
    SPEND = "What may be spent"
    AGREE = "Who must agree"
    BUILT = "What else is built"


@dataclass(frozen=True)
class Change:
    """A changed setting with its meaning; `caution` when signers should read it twice."""

    path: Path
    old: Any
    new: Any
    group: Group
    meaning: str
    caution: bool = False

    @property
    def where(self) -> str:
        """The path as text."""
        return dotted(self.path)


def _gone(old: Any, new: Any) -> bool:
    return old not in (ABSENT, None) and new in (ABSENT, None)


def _removes(old: Any, new: Any) -> bool:
    """Return whether a list lost an item."""
    return bool(set(old if isinstance(old, list) else []) - set(new if isinstance(new, list) else []))


def _less(old: Any, new: Any) -> bool:
    return isinstance(old, int | float) and isinstance(new, int | float) and new < old


def _more(old: Any, new: Any) -> bool:
    return isinstance(old, int | float) and isinstance(new, int | float) and new > old


def _changed(old: Any, new: Any) -> bool:
    """Return whether a value replaced another one, which excludes new values."""
    return old not in (ABSENT, None) and new not in (ABSENT, None)


def _any(old: Any, new: Any) -> bool:  # noqa: ARG001 every test takes both
    return True


def _never(old: Any, new: Any) -> bool:  # noqa: ARG001 every test takes both
    return False


def _budget(old: Any, new: Any) -> str:
    if _changed(old, new) and isinstance(new, int | float) and old:
        return f"One lease may cost {new / old:.3g} times what it may cost now."
    return "The most that one lease may cost in USD a month."


class Row(NamedTuple):
    """Paths (`*` is one part, `**` any number), their group, the sentence, and when it is a caution.

    An empty sentence stands for the description in the setting's model.
    """

    pattern: str
    group: Group
    meaning: str | Callable[[Any, Any], str] = ""
    caution: Callable[[Any, Any], bool] = _never


#: The first row whose pattern matches counts; a pattern without `**` matches whole paths only.
TABLE: tuple[Row, ...] = (
    Row("zone/authorities", Group.ANSWER, "These answer for every name of the zone.", _any),
    Row("zone/id", Group.ANSWER, "Names are written into another zone of this name.", _changed),
    Row("zone/delegation/registrar", Group.ANSWER, "This company can point the whole zone elsewhere.", _changed),
    Row("zone/delegation/name_servers", Group.ANSWER, "The parent should name these servers, and no other.", _changed),
    Row("zone/delegation/ds", Group.ANSWER, "The parent should vouch for these keys, and no other.", _changed),
    Row("zone/delegation", Group.ANSWER, "What stands at the zone's parent, and is watched.", _gone),
    Row("zone/name", Group.REACH, "All hosts lie in another zone.", _any),
    Row("zone/ttl", Group.REACH, "Seconds that resolvers may keep an answer, and so how long a failover takes."),
    Row("acme/directory", Group.ANSWER, "Certificates outside AWS are asked for at this address.", _changed),
    Row("acme/issuer", Group.ANSWER, "The only authority that CAA records let sign for these hosts.", _changed),
    Row("**/issuer", Group.ANSWER, "Who signs the site's certificate for the public host.", _changed),
    Row("**/acme/*", Group.ANSWER, "", _changed),
    Row(
        "require_approval",
        Group.AGREE,
        lambda _, new: "Updates need the signers' approval." if new is True else "Updates need no approval any more.",
        lambda _, new: new is not True,
    ),
    Row(
        "signers/quorum",
        Group.AGREE,
        lambda old, new: "Fewer signers can approve a plan." if _less(old, new) else "How many have to approve a plan.",
        lambda old, new: _less(old, new) or _gone(old, new),
    ),
    Row(
        "signers/keys/*",
        Group.AGREE,
        lambda old, new: (
            "This signer no longer counts."
            if _gone(old, new)
            else "Another key signs in this name."
            if _changed(old, new)
            else "This key may approve the plans that follow."
        ),
        _any,
    ),
    Row("signers", Group.AGREE, "Who approves the plans that follow."),
    Row("signers/**", Group.AGREE),
    Row(
        "settings/*region*",
        Group.BUILT,
        "Everything of this vendor is built in another region, and what stands in the old one is given up.",
        _changed,
    ),
    Row("settings/*", Group.BUILT, "A setting of a plug-in; it decides how and where resources are built.", _any),
    Row(
        "workloads/*/stores/*/public_url", Group.COPIES, "Containers fetch what they serve from this address.", _changed
    ),
    Row("workloads/*/stores/*/vendor", Group.COPIES, "Who can delete this copy.", _changed),
    Row("workloads/*/stores/*/endpoint", Group.COPIES, "Versions are put into the store at this address.", _changed),
    Row("workloads/*/stores/*/bucket", Group.COPIES, "Another bucket: older versions stay in the old one.", _changed),
    Row(
        "workloads/*/stores/*/*_key",
        Group.COPIES,
        "Another environment variable holds the store's credentials, so they may be another account's.",
        _changed,
    ),
    Row("workloads/*/stores/**", Group.COPIES),
    Row(
        "workloads/*/retain",
        Group.COPIES,
        lambda old, new: (
            "Older versions are deleted from every store." if _less(old, new) else "How many versions are kept."
        ),
        _less,
    ),
    Row("workloads/*/options/**budget**", Group.SPEND, _budget, _more),
    Row("workloads/*/options/**usd**", Group.SPEND, "", _more),
    Row(
        "workloads/*/options/version", Group.REACH, "Visitors get this version in place of the folder's content.", _any
    ),
    Row("workloads/*/release/**", Group.REACH, "Visitors get another release.", _changed),
    Row("workloads/*/release", Group.REACH, "Visitors get another release than the folder's content."),
    Row("workloads/*/mode", Group.REACH, "Which sites stand; see the sites."),
    Row("workloads/*/weights", Group.REACH, "Both sites answer visitors, or only the primary does any more."),
    Row("workloads/*/weights/*", Group.REACH, "Of 100 look-ups of the name, how many lead to this site.", _changed),
    Row("workloads/*/active", Group.REACH, "The side that answers while everything is well."),
    Row(
        "workloads/*/adopt",
        Group.REACH,
        lambda _, new: (
            "What stands at the host is replaced in one change, and put back when the workload ends."
            if new
            else "What stood at the host is forgotten: it is not put back when the workload ends."
        ),
        _any,
    ),
    Row("workloads/*/adopt/**", Group.REACH, "What stands at the host, and is replaced in one change.", _any),
    Row("workloads/*/host", Group.REACH, "Visitors reach it by another name; links to the old one break.", _changed),
    Row("workloads/*/kind", Group.BUILT, "It is built anew as another kind of workload.", _changed),
    Row(
        "workloads/*/sites",
        Group.REACH,
        lambda old, new: (
            "Sites that are not in the new list are removed." if _removes(old, new) else "The sites, primary first."
        ),
    ),
    Row("workloads/*/names/*/members/*/role", Group.REACH, "The part that this site has in the answers for the name."),
    Row("workloads/*/names/**", Group.REACH, "Who answers for the name, and how."),
    Row("workloads/*/placement/*", Group.REACH, "The targets that later flips use.", _removes),
    Row("workloads/*/everywhere/*/target", Group.REACH, "The target that runs this site."),
    Row("workloads/*/options/**", Group.REACH),
    Row("workloads/*/everywhere/*/options/**", Group.REACH),
    Row("workloads/*/everywhere/*/*host", Group.REACH, "The name of this site."),
    Row(
        "workloads/*/everywhere/*/redirect_from",
        Group.REACH,
        "Other names whose visitors this site leads to the host.",
        _removes,
    ),
    Row("workloads/*/everywhere/**", Group.BUILT, "A property of this site, whether or not it stands now."),
)


def changes(found: list[Difference], before: Topology | None, after: Topology) -> list[Change]:
    """Return differences of two signed plans with their meaning, by group; changes of a new stack are no cautions."""
    made = [_change(one, before, after) for one in found]
    order = list(Group)
    return sorted(made, key=lambda one: order.index(one.group))


def _change(one: Difference, before: Topology | None, after: Topology) -> Change:
    row = _row("/".join(part.replace("/", "_") for part in one.path))
    meaning = row.meaning(one.old, one.new) if callable(row.meaning) else row.meaning
    meaning = meaning or description(after, one.path) or description(before, one.path) or "It is part of what is built."
    return Change(one.path, one.old, one.new, row.group, meaning, before is not None and row.caution(one.old, one.new))


@lru_cache(maxsize=65_536)
def _row(path: str) -> Row:
    return next((row for row in TABLE if _fits(path, row.pattern)), Row("", Group.BUILT))


def _fits(path: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**", "*")) and path.count("/") >= pattern.count("/")
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def description(topology: Topology | None, path: Path) -> str:
    """Return the description of the setting at a path, from the model that declares it; empty where there is none."""
    here: Any = topology
    found = ""
    for part in path:
        if isinstance(here, BaseModel):
            field = type(here).model_fields.get(part)
            found = field.description or "" if field else ""
            here = getattr(here, part, None)
        elif dataclasses.is_dataclass(here):
            found, here = "", getattr(here, part, None)
        elif isinstance(here, tuple):
            here = next((one for one in here if part in (getattr(one, "name", None), getattr(one, "host", None))), None)
        elif hasattr(here, "get"):
            here = here.get(part)
        else:
            return found
    return found
