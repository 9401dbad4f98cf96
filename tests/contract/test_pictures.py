"""The pictures of the manual show what the commands print now; `python -m sandbox.pictures` makes them anew."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import pictures
from sandbox.state import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path


def kept(name: str) -> str:
    return (pictures.FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["comment", "report"])
def test_a_picture_is_what_its_command_prints_now(name: str) -> None:
    assert kept(name) == pictures.svg(name, pictures.PICTURES[name]()), f"run `python -m sandbox.pictures {name}`"


def planned(folder: Path, text: str) -> dict[str, Any]:
    """Return what `unmoor plan` makes of a stack file next to a built site: its only workload."""
    (folder / "stacks").mkdir(parents=True)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<title>Docs</title>")
    file = folder / "stacks" / "Pulumi.prod.yaml"
    file.write_text(text)
    words = [sys.executable, "-m", "components", "plan", "--stack", str(file), "--json"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    (workload,) = json.loads(done.stdout)["workloads"].values()
    return dict(workload)


def test_the_preview_shows_the_cost_and_the_sites_of_the_plan(tmp_path: Path) -> None:
    """It needs the engine, so it is not made again here; what the plan has must be in it."""
    text = (REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text()
    old = planned(tmp_path / "old", text)
    new = planned(tmp_path / "new", text.replace(pictures.OLD, pictures.NEW))
    shown = " ".join(html.unescape(re.sub(r"<[^>]+>", "", kept("preview"))).split())
    hosts = [site["site_host"] for site in new["sites"]]
    roles = [f'{site["name"]}: "standby"' for site in new["sites"] if site not in old["sites"]]
    cost = f"usd_month: {old['usd_month']} => {new['usd_month']}"
    assert len(roles) == 1
    wanted = [cost, *hosts, *roles, pictures.OLD, pictures.NEW]
    assert [each for each in wanted if each not in shown] == [], "run `python -m sandbox.pictures preview`"


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
