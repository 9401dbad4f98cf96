"""The pictures of the manual show what the commands print now; `python -m sandbox.pictures` makes them anew."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import pictures
from sandbox.state import REPOSITORY


def kept(name: str) -> str:
    return (pictures.FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["comment", "report"])
def test_a_picture_is_what_its_command_prints_now(name: str) -> None:
    assert kept(name) == pictures.svg(name, pictures.PICTURES[name]()), f"run `python -m sandbox.pictures {name}`"


def test_the_preview_shows_every_record_and_site_of_the_plan(tmp_path: Path) -> None:
    """It needs the engine, so it is not made again here; what the plan adds must be in it."""
    file = tmp_path / "stacks" / "Pulumi.prod.yaml"
    (tmp_path / "stacks").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<title>Docs</title>")
    text = (REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text()
    file.write_text(text.replace(pictures.OLD, pictures.NEW))
    words = [sys.executable, "-m", "components", "plan", "--stack", str(file), "--json"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    shown = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", kept("preview"))).split())
    (workload,) = json.loads(done.stdout)["workloads"].values()
    added = [
        action["name"] for action in workload["actions"] if "akash" in action["name"] or "standby" in action["name"]
    ]
    assert added
    assert [name for name in added if name not in shown] == [], "run `python -m sandbox.pictures preview`"
    assert pictures.OLD in shown
    assert pictures.NEW in shown


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_fetches_nothing(name: str) -> None:
    assert set(re.findall(r"https?://[^\s\"')<]+", re.sub(r"<text.*?</text>", "", kept(name)))) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
    assert "url(http" not in kept(name)


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_pictures_come_before_the_explanation(page: str) -> None:
    """Within the first screen: before the second heading."""
    first = (REPOSITORY / page).read_text().split("\n## ")[0]
    assert [name for name in pictures.PICTURES if f"pictures/{name}.svg" not in first] == []
