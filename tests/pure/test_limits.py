"""The table of limits is the manual's page."""

from __future__ import annotations

from pathlib import Path

from components import limits


def test_the_manual_has_the_table_as_it_is() -> None:
    assert (Path(__file__).parents[2] / "docs" / "limits.md").read_text() == limits.page()


def test_every_limit_is_used_by_a_name_of_its_own() -> None:
    names = {name.upper() for name in limits.LIMITS}
    assert names == {
        name for name in vars(limits) if name.isupper() and name not in {"LIMITS", "TYPE_CHECKING", "_HEAD"}
    }
    used = "".join(path.read_text() for path in Path(limits.__file__).parent.rglob("*.py") if path.name != "limits.py")
    assert [name for name in sorted(names) if name not in used] == []


def test_amounts_are_written_in_their_largest_unit() -> None:
    assert "| an answer of a site | 64 KiB |" in limits.page()
    assert "| a visit to a site | 10 seconds |" in limits.page()
