"""Built sites in a real browser, on both halves: it finds the right page and has nothing to complain of."""

from __future__ import annotations

import pytest

from components.kinds.static.kind import StaticOptions
from tests.parity import browser, built

pytestmark = pytest.mark.skipif(
    browser.PROGRAM is None, reason="no chromium on PATH: install the distribution's package"
)

#: Addresses that are opened as a visitor's bookmark is, a script that looks at the page, and what it has to find.
PAGES = {
    "vite": [(path, "document.querySelector('#app').textContent", path) for path in ("/", "/users/7")],
    "vitepress": [
        ("/", "document.title", "Home | T"),
        ("/guide/start", "document.querySelector('h1').textContent.trim().slice(0, 5)", "Start"),
    ],
    "next": [
        ("/about", "document.querySelector('h1').textContent", "About"),
        ("/blog/c++", "document.querySelector('h1').textContent", "c++"),
        ("/blog/first%20post", "document.querySelector('h1').textContent", "first post"),
    ],
    "docusaurus, trailingSlash unset": [
        ("/docs/intro", "document.querySelector('h1').textContent", "Intro"),
        ("/docs/tutorial/c++", "document.querySelector('h1').textContent", "C++"),
        ("/blog", "document.querySelector('h2').textContent", "First post"),
    ],
}


@pytest.mark.parametrize("name", list(PAGES))
def test_a_browser_complains_of_nothing(halves, name, tmp_path):
    try:
        folder = built.site(name)
    except built.Missing as missing:
        pytest.skip(str(missing))
    for half in halves:
        half.publish(folder, built.BUILDS[name].options)
        opened = browser.Browser(tmp_path / half.name, half.port, half.scheme)
        try:
            for path, look, wanted in PAGES[name]:
                assert (wanted, []) == opened.open(path, look), (half.name, path)
        finally:
            opened.close()


def test_a_browser_complains_of_a_missing_file_and_of_an_error(halves, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<img src=no.png><script>nothing.at.all()</script><h1>1</h1>")
    half = halves[1]
    half.publish(tmp_path / "site", StaticOptions())
    opened = browser.Browser(tmp_path / "profile", half.port, half.scheme)
    try:
        found, complaints = opened.open("/", "document.querySelector('h1').textContent")
    finally:
        opened.close()
    assert found == "1"
    assert any("no.png" in one for one in complaints)
    assert any("ReferenceError" in one for one in complaints)
