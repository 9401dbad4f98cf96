"""A release that differs from the one before in dates alone is not needed, and the plan reports that."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from components.config import models as config
from components.kinds.static import bundle, dates, memory
from components.kinds.static.kind import KIND as STATIC
from components.kinds.static.kind import StaticOptions
from components.plan.planner import plan
from components.project import builtin
from tests.settings import settings

TEXTS = (
    "<p>Build Date UTC : {}-{}-26 05:44:04.98+00:00</p>",
    "<lastmod>{}-{}-26T05:44:04Z</lastmod>",
    "Wed, 26 Nov {} 10:{}:00 GMT",
    "Last updated on Nov 26, {} at {}",
)


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write(tmp_path / "site", "2026", "11")
    return tmp_path / "site"


def write(folder: Path, year: str, rest: str, more: str = "") -> None:
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(TEXTS[:3]):
        (folder / f"{number}.html").write_text(text.format(year, rest) + more)
    (folder / "index.html").write_text(TEXTS[3].format(year, "noon"))
    sitemap = TEXTS[1].format(year, rest).encode()
    (folder / "sitemap.xml.gz").write_bytes(gzip.compress(sitemap, mtime=int(year)))
    (folder / "picture.png").write_bytes(b"2026-11-26 is no date in a picture")


def detail(root: Path) -> str:
    stack, found = config.read(settings())
    assert found == []
    release = STATIC.release(StaticOptions(), root)
    made = plan(stack, builtin(), {"docs": release})
    (keep,) = [action.detail for action in made.actions if action.verb == "keep"]
    return keep


def published(site: Path) -> str:
    made = bundle.survey(site)
    memory.keep(memory.published(site), memory.Packed(made.version, made.size, made.undated))
    return made.version


def test_a_plan_shows_that_only_dates_changed(site):
    assert "only dates" not in detail(site.parent)
    before = published(site)
    assert "only dates" not in detail(site.parent)
    write(site, "2027", "12")
    assert f"; only dates changed since the served release {before[:12]}: " in detail(site.parent)


def test_a_folder_that_is_remembered_is_compared_too(site):
    published(site)
    write(site, "2027", "12")
    for path in site.iterdir():
        os.utime(path, (time.time() - 100,) * 2)
    assert detail(site.parent) == detail(site.parent)
    assert "only dates" in detail(site.parent)


@pytest.mark.parametrize("change", ["a word", "a picture", "a file", "a rule"])
def test_another_change_is_no_change_of_dates(site, change):
    published(site)
    write(site, "2027", "12", "more" if change == "a word" else "")
    if change == "a picture":
        (site / "picture.png").write_bytes(b"2027-11-26 is no date in a picture")
    if change == "a file":
        (site / "new.html").write_text("")
    if change == "a rule":
        (site / "_redirects").write_text("/old /new\n")
    assert "only dates" not in detail(site.parent)


@pytest.mark.parametrize("text", ["2026-11-2", "v2026.11.26", "12:30", "192.0.2.10", "May 2026", "26 November"])
def test_what_is_no_date_counts(text):
    assert dates.crc("a.html", text.encode()) != dates.crc("a.html", b"")
