"""Generate from `schema.json` the Python class of each resource, and the manual's page of resources.

`python -m components.provider.classes` (or `make classes`) writes them; a test verifies that they are up to date.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..text.table import table
from .schema import outputs, package, python_name, resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "resources.md"
#: The file of each resource's class; its neighbour `resource.py` is what the provider runs.
CLASSES = {
    "unmoor:akash:Deployment": ROOT / "components" / "targets" / "akash" / "deployment.py",
    "unmoor:akash:Account": ROOT / "components" / "targets" / "akash" / "account.py",
}
_WIDTH = 120
_PYTHON = {"string": "str", "boolean": "bool", "integer": "int", "number": "float"}
_CLASS = '''\
"""{title} as Pulumi programs write it; made from the provider's `schema.json` by `make classes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 the SDK evaluates annotations
from typing import Any, cast

import pulumi


@pulumi.input_type
class _Inputs:
{fields}


class {name}(pulumi.CustomResource):
{doc}

    def __init__(
        self,
        resource_name: str,
        *,
{parameters}
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
{init_doc}
        inputs = _Inputs.__new__(_Inputs)
        inputs.__dict__.update(
            {{
{given}
            }}
        )
        super().__init__("{token}", resource_name, inputs, opts)  # type: ignore[arg-type]
{getters}'''
_GETTER = """
    @property
    @pulumi.getter({wire})
    def {name}(self) -> pulumi.Output[{type}]:
{doc}
        return cast("pulumi.Output[{type}]", pulumi.get(self, "{name}"))
"""


def files() -> Mapping[Path, str]:
    """Return every generated file with its text."""
    tokens = list(package()["resources"])
    return {**{CLASSES[token]: class_of(token) for token in tokens}, PAGE: page(tokens)}


def class_of(token: str) -> str:
    """Return the module with the Python class of a resource."""
    of, name = resource(token), token.rsplit(":", 1)[1]
    inputs, required = of["inputProperties"], of["requiredInputs"]
    order = sorted(inputs, key=lambda each: each not in required)
    parameters = [
        f"        {python_name(each)}: pulumi.Input[{_type(inputs[each], given=True)}]"
        + ("," if each in required else " | None = None,")
        for each in order
    ]
    text = _CLASS.format(
        title=f"`{token}`",
        name=name,
        token=token,
        fields="\n".join(
            f'    {python_name(each)}: pulumi.Input[{_type(inputs[each])}] | None = pulumi.property("{each}")'
            for each in order
        ),
        doc=_docstring(of["description"], 4),
        parameters="\n".join(parameters),
        init_doc=_docstring(
            "Register the resource.\n\n"
            + "\n\n".join(f"`{python_name(each)}`: {_lowered(inputs[each]['description'])}" for each in order),
            8,
        ),
        given="\n".join(
            [f'                "{python_name(each)}": {python_name(each)},' for each in order]
            + [f'                "{each}": None,' for each in outputs(token)]
        ),
        getters="".join(_getter(each, its, each in of["required"]) for each, its in of["properties"].items()),
    )
    return _without_unused(text)


def _without_unused(text: str) -> str:
    head, body = text.split("import pulumi", 1)
    for word in ("Mapping", "Sequence", "Any"):
        if f"{word}[" not in body and f"{word}]" not in body:
            head = re.sub(rf"\b{word}, |, {word}\b", "", head)
    return f"{head}import pulumi{body}"


def page(tokens: list[str]) -> str:
    """Return the manual's page about the resources, in Markdown."""
    lines = [
        "# Resources",
        "",
        "<!-- Made from components/provider/schema.json by `make classes`. -->",
        "",
        f"{package()['provider']['description']}",
        "",
        "Python programs write the names below with underscores: `usdMonth` is `usd_month`.",
    ]
    for token in tokens:
        of = resource(token)
        lines += ["", f"## {token}", "", *of["description"].splitlines()]
        rows = []
        for name, each in of["inputProperties"].items():
            need = "" if name in of["requiredInputs"] else ", optional"
            rows.append((f"`{name}`", f"{_words(each)}{need}", _cell(each["description"])))
        lines += ["", *table(("input", "type", ""), rows)]
        others = {name: each for name, each in of["properties"].items() if name not in of["inputProperties"]}
        rows = [(f"`{name}`", _words(each), _cell(each["description"])) for name, each in others.items()]
        lines += ["", *table(("output", "type", ""), rows)]
    return "\n".join([*lines, ""])


def _type(of: Mapping[str, Any], *, given: bool = False) -> str:
    if "$ref" in of:
        return "Any"
    if of["type"] == "array":
        item = _type(of["items"], given=given)
        return f"Sequence[pulumi.Input[{item}]]" if given else f"list[{item}]"
    if of["type"] == "object":
        return f"Mapping[str, {_type(of['additionalProperties'])}]"
    return _PYTHON[of["type"]]


def _getter(name: str, of: Mapping[str, Any], required: bool) -> str:  # noqa: FBT001 the flag chooses between two tables
    python, type_ = python_name(name), _type(of) if required else f"{_type(of)} | None"
    wire = "" if python == name else f'name="{name}"'
    getter = _GETTER.format(wire=wire, name=python, type=type_, doc=_docstring(of["description"], 8))
    return getter if wire else getter.replace("@pulumi.getter()", "@pulumi.getter")


def _docstring(text: str, indent: int) -> str:
    space = " " * indent
    paragraphs = [
        textwrap.fill(
            paragraph if index else f'"""{paragraph}', _WIDTH, initial_indent=space, subsequent_indent=space,
            break_long_words=False, break_on_hyphens=False,
        )
        for index, paragraph in enumerate(re.split(r"\n\n+", text))
    ]  # fmt: skip
    one_line = len(paragraphs) == 1 and "\n" not in paragraphs[0] and len(paragraphs[0]) <= _WIDTH - 3
    return "\n\n".join(paragraphs) + ('"""' if one_line else f'\n{space}"""')


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _words(of: Mapping[str, Any]) -> str:
    if "$ref" in of:
        return "any"
    if of["type"] == "array":
        return f"list of {_words(of['items'])}s"
    if of["type"] == "object":
        return f"map of {_words(of['additionalProperties'])}"
    return str(of["type"])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _stale() -> Iterator[Path]:
    for path, text in files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path


def main() -> None:
    """Write the files that are not up to date."""
    for path in list(_stale()):
        path.write_text(files()[path], encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
