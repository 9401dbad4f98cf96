"""A call of an API, which GitBook's blocks describe in three ways, as one page section."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...text.table import table
from .inline import label
from .shapes import cell, inset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .tree import Node

    Lines = Callable[[list[Node]], list[str]]

#: Groups of parameters in a reader's order: the page's word for an `in` or a group of a block.
PLACES = {
    "path": "Path parameters",
    "query": "Query parameters",
    "header": "Headers",
    "cookie": "Cookies",
    "body": "Body",
    "formData": "Form",
}
_GROUPS = {
    "api-method-path-parameters": "path",
    "api-method-query-parameters": "query",
    "api-method-headers": "header",
    "api-method-cookies": "cookie",
    "api-method-body-parameters": "body",
    "api-method-form-data-parameters": "formData",
}


@dataclass
class Parameter:
    """One parameter: where it goes, its name and type, and a line about it."""

    place: str
    name: str
    type: str
    required: bool
    text: str


@dataclass
class Operation:
    """One call: method, address, and its description."""

    method: str
    url: str
    summary: str
    description: list[str] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    responses: list[tuple[str, list[str]]] = field(default_factory=list)  #: status, lines

    def lines(self, anchor: str) -> Iterator[str]:
        """Yield the section of a page."""
        if self.summary:
            yield from (f"## {self.summary}" + (f" {{ #{anchor} }}" if anchor else ""), "")
        yield f"**{label(self.method.upper())}** `{self.url}`"
        if self.description:
            yield from ("", *self.description)
        for place, title in PLACES.items():
            rows = [
                [f"`{each.name}`", cell(label(each.type)), "yes" if each.required else "no", cell(each.text)]
                for each in self.parameters
                if each.place == place
            ]
            if rows:
                yield from ("", f"**{title}**", "", *table(("Name", "Type", "Required", "Description"), rows))
        for number, (status, lines) in enumerate(self.responses):
            title = status.replace('"', "'")
            start = "===!" if number == 0 else "==="
            yield from ("", f'{start} "{title}"', "", *inset(lines or ["No body is described."]))


def joined(lines: list[str]) -> str:
    """Return the lines of a short text as one cell of a table."""
    return "<br>".join(line.strip() for line in lines if line.strip())


def method(node: Node, write: Lines) -> Operation:
    """Read the older block, `api-method`, whose parts are blocks of their own."""
    attrs = node.attrs
    made = Operation(attrs.get("method", "get"), attrs.get("host", "") + attrs.get("path", ""), "")
    for part in node.walk():
        if part.name == "api-method-summary":
            made.summary = " ".join(write(part.children)).strip()
        elif part.name == "api-method-description":
            made.description = write(part.children)
        elif part.name in _GROUPS:
            for each in part.children:
                if each.name == "api-method-parameter":
                    made.parameters.append(_parameter(each, _GROUPS[part.name], write))
        elif part.name == "api-method-response-example":
            made.responses.append((part.attrs.get("httpCode", "") or "response", _example(part, write)))
    return made


def _parameter(node: Node, place: str, write: Lines) -> Parameter:
    attrs = node.attrs
    required = attrs.get("required", "").lower() == "true"
    return Parameter(place, attrs.get("name", ""), attrs.get("type", ""), required, joined(write(node.children)))


def _example(node: Node, write: Lines) -> list[str]:
    made: list[str] = []
    for child in node.children:
        inner = child.children if child.name == "api-method-response-example-description" else [child]
        lines = write(inner)
        made += ([""] if made and lines else []) + lines
    return made


def swagger(node: Node, write: Lines) -> Operation:
    """Read the later block, `swagger`."""
    attrs = node.attrs
    url = attrs.get("baseUrl", "").strip() + attrs.get("path", "")
    made = Operation(attrs.get("method", "get"), url, label(attrs.get("summary", "")))
    for part in node.children:
        if part.name == "swagger-description":
            made.description = write(part.children)
        elif part.name == "swagger-parameter":
            place = part.attrs.get("in", "body")
            made.parameters.append(_parameter(part, place if place in PLACES else "body", write))
        elif part.name == "swagger-response":
            note = part.attrs.get("description", "").strip()
            lines = write(part.children)
            made.responses.append((part.attrs.get("status", "response"), ([label(note), ""] if note else []) + lines))
    return made


def specified(document: Any, path: str, verb: str) -> Operation | None:
    """Read one operation of an OpenAPI document; None when the document does not describe it as OpenAPI does."""
    try:
        return _specified(document, path, verb)
    except (KeyError, TypeError, AttributeError):  # the document has another shape
        return None


def _specified(document: Any, path: str, verb: str) -> Operation:
    found = document["paths"][path][verb.lower()]
    shared = document["paths"][path].get("parameters") or []
    servers = document.get("servers") or [{}]
    base = str(servers[0].get("url", ""))
    base = base or str(document.get("host", "")) + str(document.get("basePath", ""))
    made = Operation(verb, base.rstrip("/") + path, label(str(found.get("summary", ""))))
    made.description = str(found.get("description", "")).splitlines()
    for each in [*shared, *(found.get("parameters") or [])]:
        each = _followed(document, each)  # noqa: PLW2901 a reference stands for what it names
        kind = each.get("schema", {}).get("type") or each.get("type", "")
        made.parameters.append(
            Parameter(
                str(each.get("in", "query")), str(each.get("name", "")), str(kind), bool(each.get("required")),
                label(str(each.get("description", ""))),
            )
        )  # fmt: skip
    for status, each in (found.get("responses") or {}).items():
        text = str(_followed(document, each).get("description", ""))
        made.responses.append((str(status), [label(text)] if text else []))
    return made


def _followed(document: Any, each: Any) -> dict[str, Any]:
    """Return the target of one reference inside the document."""
    if isinstance(each, dict) and isinstance(where := each.get("$ref"), str) and where.startswith("#/"):
        found = document
        for step in where[2:].split("/"):
            found = found.get(step, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}
    return each if isinstance(each, dict) else {}
