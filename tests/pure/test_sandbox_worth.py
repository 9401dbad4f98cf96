"""The table of `docs/sandbox.md` that shows what each stand-in is checked by, against the code."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from sandbox.aws.plugin import invokes
from sandbox.aws.plugin.types import TYPES
from sandbox.faults import FAULTS, OF_TESTS

ROOT = Path(__file__).resolve().parents[2]
ROUTE = re.compile(r'web\.(get|post|put|patch|delete)\(\s*"([^"]+)"')
#: The most rows of a hundred that nothing from outside checks.
UNCHECKED = 10


def rows() -> dict[str, tuple[str, str, str]]:
    """Return (source, checked by, date) by route or behaviour."""
    text = (ROOT / "docs" / "sandbox.md").read_text().partition("| route or behaviour |")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    found = {cell[0].strip("`"): (cell[1], cell[2], cell[3]) for cell in cells}
    assert len(found) == len(cells)
    return found


def test_every_route_type_and_function_has_a_row_and_no_other_does() -> None:
    routes = {
        f"{method.upper()} {path}"
        for module in (ROOT / "sandbox" / "akash").glob("*.py")
        for method, path in ROUTE.findall(module.read_text())
    }
    modules = {name for name in rows() if name.endswith(".py")}
    assert {*routes, *TYPES, *invokes._TABLE} == rows().keys() - modules
    assert [name for name in modules if not (ROOT / "sandbox" / name).is_file()] == []


def test_every_row_names_a_source_a_test_that_exists_and_a_date() -> None:
    for name, (source, checked, when) in rows().items():
        assert source, name
        assert re.match(r"(real program|recording|contract|source|nothing) \(", checked), name
        named = re.findall(r"`(tests/[^`]+)`", checked)
        assert named, name
        assert all((ROOT / path).is_file() for path in named), name
        assert date.fromisoformat(when if len(when) == 10 else f"{when}-01") >= date(2026, 1, 1), name


def test_few_rows_are_checked_by_nothing_from_outside() -> None:
    unchecked = [name for name, (_, checked, _) in rows().items() if checked.startswith("nothing")]
    assert len(unchecked) * 100 <= UNCHECKED * len(rows()), unchecked


def test_the_plug_in_has_no_function_or_type_that_no_program_of_ours_uses() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "components").rglob("*.py"))
    names = {token: token.rpartition(":")[2] for token in (*TYPES, *invokes._TABLE)}
    snake = {token: re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name) for token, name in names.items()}
    unused = [token for token, name in names.items() if not re.search(rf"\b({name}|{snake[token]}(_output)?)\b", code)]
    assert unused == []


def test_every_fault_that_can_be_broken_is_in_the_manual() -> None:
    table = (ROOT / "docs" / "sandbox.md").read_text().partition("## Break things")[2].partition("\n## ")[0]
    named = {name.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for name in re.findall(r"`([a-z0-9-]+[A-Z]*)`", table)}
    assert FAULTS.keys() - named == set()


def test_every_fault_that_the_code_asks_for_is_in_one_of_the_two_tables() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "sandbox").rglob("*.py"))
    asked = set(re.findall(r'(?:_?state\.fault|_strike)\(f?"([a-z0-9-]+)', code))
    assert len(asked) > 20
    tables = (*FAULTS, *OF_TESTS)
    assert [name for name in asked if not any(name == each or name.startswith(each) for each in tables)] == [
        "provider-"
    ]
