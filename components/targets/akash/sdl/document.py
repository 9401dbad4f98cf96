"""An Akash document: read it, check it as the network does, write it back. Needs no Pulumi.

    from unmoor.akash import sdl

    document = sdl.load(Path("sdl/docs.yaml").read_bytes(), "sdl/docs.yaml")   # SdlError with every fault
    report = sdl.check(document)                                               # errors, and warnings
    document.model.services["web"].image                                       # typed
    sdl.dump(document)                                                         # text, with its comments

`manifest`, `overlay`, `changes` and `price` in this folder work on `document.data`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ....errors import Fault, SdlError
from . import model, shape, text
from .rules import RULES
from .rules.rule import Finding, Level, view
from .verdict import Problem, Report, dotted, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Document",
    "Problem",
    "Report",
    "check",
    "dotted",
    "dump",
    "examine",
    "load",
    "plain_copy",
    "same",
    "with_data",
]

Path = tuple[str | int, ...]
_WHOLE = "an SDL document is a mapping with version, services, profiles and deployment"


@dataclass(frozen=True)
class Document:
    """One document: plain data, the text it came from (empty if it was made from data), and a name for messages."""

    data: dict[str, Any]
    text: str = ""
    name: str = ""

    @cached_property
    def model(self) -> model.Sdl:
        """The typed form; only for a document that the check accepts."""
        typed: model.Sdl = shape.build(model.Sdl, self.data)
        return typed


def load(raw: str | bytes, name: str = "") -> Document:
    """Read one document from text or bytes, or raise SdlError with every fault that the network would find."""
    document, report = examine(raw, name)
    if document is None or report.errors:
        title = f"{name or 'the SDL document'} is not valid"
        raise SdlError(title, (_fault(problem) for problem in report.errors))
    return document


def check(document: Document, budget_usd_month: float | None = None) -> Report:
    """Check a document; with a monthly budget in USD, also check its price ceiling against it."""
    found: list[tuple[str, Finding]] = []
    shape_found: list[shape.Found] = []
    shape.checker(model.Sdl)(document.data, (), shape_found)
    data, damage = document.data, _Damage([path for _, path, _ in shape_found])
    if shape_found:
        found += [(rule, Finding(path, message)) for rule, path, message in shape_found]
        data = _pruned(data, damage.paths)
    laid_out = view(data, document.text, budget_usd_month, whole=not shape_found)
    for rule in RULES.values():
        if not rule.sound:
            found += [(rule.name, each) for each in rule.find(laid_out) if not shape_found or not damage.explains(each)]
    if not any(RULES[name].level is Level.ERROR for name, _ in found):
        for rule in RULES.values():
            if rule.sound:
                found += [(rule.name, each) for each in rule.find(laid_out)]
    off = laid_out.allowed
    return Report(tuple((rule, finding) for rule, finding in found if not off.get(rule)), document.text)


def examine(raw: str | bytes, name: str = "", budget_usd_month: float | None = None) -> tuple[Document | None, Report]:
    """Read and check any bytes: return the document if it can be read, and the verdict in any case."""
    try:
        decoded = text.decode(raw)
        data = text.read(decoded)
    except text.TextError as fault:
        return None, unreadable(fault.message, fault.line)
    if not isinstance(data, dict):
        message = f"{_WHOLE}, this is {shape.shown(data)}"
        return None, unreadable(message, 1)
    document = Document(data, decoded, name)
    return document, check(document, budget_usd_month)


def dump(document: Document) -> str:
    """Return a document as text: unchanged data as it was read, otherwise with the changes in place."""
    if document.text and same(text.read(document.text), document.data):
        return document.text
    from . import writing

    return writing.written(document.data, document.text)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same for the network: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _pruned(data: dict[str, Any], damaged: Iterable[Path]) -> dict[str, Any]:
    """Copy a document without its values of the wrong shape, so that the rules still find every other fault."""
    made: Any = plain_copy(data)
    for path in damaged:
        keep = path
        while keep and isinstance(keep[-1], int):
            keep = keep[:-1]
        holder: Any = made
        for part in keep[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else holder and holder[part]
        if isinstance(holder, dict) and keep:
            holder.pop(keep[-1], None)
    return made if isinstance(made, dict) else {}


def plain_copy(value: Any) -> Any:
    """Copy plain data; a value that an alias shared is copied for each place, so that a change stays in one place."""
    if isinstance(value, dict):
        return {key: plain_copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_copy(item) for item in value]
    return value


class _Damage:
    """The paths of values of the wrong shape; distinguishes findings that only follow from one of them."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = frozenset(paths)
        self.above = frozenset(path[:end] for path in paths for end in range(len(path) + 1))

    def explains(self, finding: Finding) -> bool:
        about = finding.path if finding.about is None else finding.about
        if finding.about is not None and about in self.above:
            return True
        return any(about[:end] in self.paths for end in range(len(about) + 1))


def _fault(problem: Problem) -> Fault:
    line = f"line {problem.line}: " if problem.line else ""
    return Fault(problem.path, f"{line}{problem.message}")


def with_data(document: Document, data: dict[str, Any]) -> Document:
    """Return the same document with other data; its text is kept, because `dump` writes the changes into it."""
    return replace(document, data=data)
