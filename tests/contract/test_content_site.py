"""A GitBook space with every block at least twice and nested, built by MkDocs with `--strict`, read as a visitor does.

The space is in tests/fixtures/gitbook; its shapes are those of GitBook's documentation and of repositories that it wrote.
"""

# ruff: noqa: E501 texts and the script in the page keep their lines
from __future__ import annotations

import http.server
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.content.gitbook.convert import convert
from components.content.gitbook.html import Element, parse
from tests.loopback import Loopback

from ..pure.test_content_gitbook import API, CASES, TROUBLE, space
from .test_report_browser import BROWSER, browse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "tests/fixtures/gitbook"


def build(project: Path) -> Path:
    """Build a project as its owner would, with every warning an error; return the site."""
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]
    done = subprocess.run(
        mkdocs, cwd=project, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    return project / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("space") / "new"
    convert(SPACE, out, "https://docs.dao.example")
    return build(out)


def content(site: Path, page: str) -> Element:
    """Return the article of a page."""
    article = parse((site / page / "index.html").read_text()).first("article")
    assert article is not None
    return article


def seen(root: Element, name: str, *classes: str) -> list[Element]:
    return [each for each in root.all(name) if set(classes) <= set(each.attrs.get("class", "").split())]


#: Page, element, classes → text of each such element, in order; "…" stands for any text.
MEANING = [
    ("guides/blocks", "div", ("admonition", "info"), ["Info An info hint with code."]),
    ("guides/blocks", "div", ("admonition", "warning"), ["Warning A warning. with a list"]),
    ("guides/blocks", "div", ("admonition", "danger"), ["Danger On one line"]),
    ("guides/blocks", "div", ("admonition", "success"), ["Success A heading in a hint…Done."]),
    ("guides/blocks", "div", ("tabbed-labels",), ['macOSSay "hi"', "Second group"]),
    ("guides/blocks", "div", ("tabbed-block",), ["Use brew. brew install lantern", "Use apt.", "Another."]),
    ("guides/blocks", "a", ("embed",), ["www.youtube.com/watch?v=abcdefghijk", "The explorer"]),
    ("guides/blocks", "span", ("filename",), ["index.js", "Makefile"]),
    ("guides/blocks", "td", ("linenos",), ["1"]),
    ("guides/blocks", "span", ("hll",), ['"marked": true,']),
    ("guides/blocks", "details", ("note",), ["What is this? An answer with bold.", "Open one Shown."]),
    ("guides/blocks", "ol", ("steps",), ["Install it…Run it. Start it…lantern start", "Without a heading."]),
    ("guides/blocks", "div", ("columns",), ["Left column. Right column.", "Only one."]),
    ("guides/blocks", "div", ("cards",), ["Card A Text A"]),
    ("guides/blocks", "figcaption", (), ["Caption with emphasis"]),
    ("guides/blocks", "a", ("file",), ["White paper (v1).txt", "file with spaces.svg"]),
    ("guides/blocks", "math", (), ["f(x)=x2+ab", "∑i=1ni", "ab", "c2"]),
    ("guides/blocks", "div", ("update",), ["2026-01-02 Release one…Text.", "2026-02-03 Release two…Text."]),
    ("guides/blocks", "pre", ("mermaid",), ['flowchart TD A["Start"] --> B["End"]', "graph LR; A-->B"]),
    ("guides/blocks", "mark", (), ["Red", "blue"]),
    ("guides/nested", "div", ("admonition", "info"), ["Info a hint, and tabsand code inside(); deep.js…deeper();"]),
    ("guides/nested", "div", ("admonition", "warning"), ["Warning Fold in a hint in a tab Step in a fold…Deep caption a b 1 2"]),
    ("guides/nested", "div", ("admonition", "danger"), ["Danger A hint in a quote."]),
    ("guides/nested", "figcaption", (), ["Deep caption"]),
    ("guides/nested", "ol", ("steps",), ["Step in a fold…Deep caption a b 1 2"]),
    ("guides/nested", "div", ("cards",), ["Nested card"]),
    ("guides/nested", "a", ("embed",), ["deep.dao.example"]),
    ("guides/nested", "a", ("reference",), ["Create a wallet & a key"]),
    ("guides/nested", "div", ("admonition", "success"), ["Success Ask in the forum, or read the wallet guide."]),
    ("guides/nested", "td", (), ["1", "deeper();", "1", "2", "nested cell"]),
    ("guides", "a", ("reference",), ["Create a wallet & a key", "The forum", "Deep page", "Network"]),
    ("guides/wallet", "a", ("md-button",), ["Open the API", "Open the app"]),
    ("guides/wallet", "div", ("footnote",), ["The first note.…Second…"]),
    ("guides/wallet", "span", ("twemoji",), [""]),
    ("guides/wallet", "p", ("lead",), ["How a wallet is made."]),
    ("network", "blockquote", (), ["A quote with bold. and a list"]),
    ("network", "li", ("task-list-item",), ["To do", "Done"]),
    ("reference/api", "h2", (), ["Get a block…", "Send…", "Get fees…", "Get a quote…", "List peers…"]),
    ("reference/api", "div", ("tabbed-labels",), ["200404", "200: OK", "200"]),
]  # fmt: skip


def matches(shown: str, wanted: str) -> bool:
    at, pieces = 0, wanted.split("…")
    for piece in pieces:
        at = shown.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return shown.startswith(pieces[0]) and shown.endswith(pieces[-1])


@pytest.mark.parametrize(("page", "name", "classes", "texts"), MEANING)
def test_a_block_is_what_it_was(site: Path, page: str, name: str, classes: tuple[str, ...], texts: list[str]) -> None:
    shown = [each.text for each in seen(content(site, page), name, *classes)]
    assert len(shown) == len(texts), shown
    assert [pair for pair in zip(shown, texts, strict=True) if not matches(*pair)] == []


def test_headings_have_the_anchors_that_gitbook_gave_them(site: Path) -> None:
    def anchors(page: str) -> list[str]:
        return [each.attrs["id"] for each in content(site, page).all("h2")]

    assert anchors("guides/wallet") == ["create-a-key", "keep-it-safe", "keep-it-safe-again"]
    assert anchors("network/validators") == ["id-1.-what-you-need", "id-2.-node.js-and-tools"]
    assert anchors("reference/api") == ["get-a-block", "send", "get-fees", "get-a-quote", "list-peers"]


def test_emoji_are_characters(site: Path) -> None:
    assert "Write it down 🏠 ⚠ and press" in content(site, "guides/wallet").text


def test_no_page_fetches_from_another_host(site: Path) -> None:
    """Scripts, styles, pictures and fonts of every page; a player and the library for diagrams are noted by the import."""
    fetched = set()
    for page in site.rglob("*.html"):
        root = parse(page.read_text())
        fetched |= {e.attrs.get("src", "") for name in ("script", "img", "iframe") for e in root.all(name)}
        fetched |= {e.attrs.get("href", "") for e in root.all("link") if e.attrs.get("rel") != "canonical"}
    assert {each for each in fetched if "://" in each} == {"https://www.youtube-nocookie.com/embed/abcdefghijk"}


def test_what_only_some_visitors_may_see_is_not_published(site: Path) -> None:
    text = "".join(path.read_text() for path in site.rglob("*") if path.suffix in (".html", ".json", ".xml"))
    assert "INTERNAL-ONLY" not in text


def test_a_hidden_page_is_published_and_not_in_the_navigation(site: Path) -> None:
    assert "Only those with the link." in content(site, "network/hidden").text
    assert "network/hidden" not in (site / "index.html").read_text()


def test_every_picture_and_every_link_of_every_page_is_there(site: Path) -> None:
    """MkDocs checks the links it knows; here each address of the built pages is looked up."""
    checked = 0
    for page in site.rglob("index.html"):
        article = parse(page.read_text()).first("article")
        assert article is not None
        addresses = [e.attrs.get("href", "") for e in article.all("a")] + [e.attrs["src"] for e in article.all("img")]
        for address in addresses:
            path = address.partition("#")[0]
            if path and "://" not in path:
                target = (page.parent / path).resolve()
                assert (target / "index.html").is_file() or target.is_file(), (page, address)
                checked += 1
    assert checked == 30


def test_every_case_of_a_block_builds_and_none_shows_its_marks(tmp_path: Path) -> None:
    """Each case of the pure tests as a page of its own, and again inside a tab inside a hint inside a list."""
    files: dict[str, str | bytes] = {"README.md": "# T\n", ".gitbook/assets/a b (1).png": b"png"}
    for number, (name, (source, _)) in enumerate(CASES.items()):
        at = source.replace('"README.md"', '"../README.md"').replace("(README.md", "(../README.md")
        at = at.replace('"./"', '"../"').replace('".gitbook', '"../.gitbook').replace("<.gitbook", "<../.gitbook")
        files[f"a/{number}.md"] = f"# {name}\n\n{at}\n"
        if "tab" not in name and "[^1]:" not in at and "indented" not in name and "[r]:" not in at:
            inner = f'{{% tabs %}}\n{{% tab title="t" %}}\n{at}\n{{% endtab %}}\n{{% endtabs %}}\n{{% endhint %}}'
            files[f"b/{number}.md"] = (
                f"# {name}\n\n* x\n\n  " + f'{{% hint style="info" %}}\n{inner}'.replace("\n", "\n  ") + "\n"
            )
    convert(space(tmp_path / "in", files), tmp_path / "out")
    built = build(tmp_path / "out")
    pages = [*(built / "a").glob("*/index.html"), *(built / "b").glob("*/index.html")]
    assert len(pages) > 90
    marks = ("{% ", "///", "!!! ", "??? ", "=== ", "===!", "{ .", "{ #", "markdown: block", "&#8203;")
    for page in pages:
        article = parse(page.read_text()).first("article")
        assert article is not None
        for element in [*article.all("pre"), *article.all("code")]:
            element.children = []
        assert [mark for mark in marks if mark in article.text] == [], (page, article.text)


#: Pieces that break what they stand in, between the sources of the pure tests.
PIECES = [
    "{% endhint %}", "{% tabs %}", '{% tab title="x" %}', "{% endtab %}", "<details>", "</details>", "<summary>", "<table>",
    "<td>", "</table>", "* ", "  * x", "> ", "```", "    ", "$$", "{{", "}}", "{%", "%}", "<figure>", '<a href="x', "![", "](",
    "[^1]:", "|a|b|", "|-|-|", "# ", "---", "\\", "<b", "<pre>", "<!--", "-->", "<picture>", "\t", "1. ", "[ ] ", "</i>", "`",
    "**", "~~", "///", "!!! x", '=== "a"', "{ .x }", '{% include "a.md" %}', '{% embed url="',
]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_pages_of_random_pieces_are_converted_and_build(tmp_path: Path, seed: int) -> None:
    """The import ends for each page, and what it writes builds without a warning."""
    chance = random.Random(seed)
    pieces = [*(source for source, _ in CASES.values()), *(source for source, *_ in TROUBLE.values()), API, *PIECES]
    between = ["\n\n", "\n", " ", "", "\n  ", "\n> "]
    files: dict[str, str | bytes] = {"README.md": "# T\n", ".gitbook/assets/a b (1).png": b"png"}
    for number in range(200):
        text = "".join(chance.choice(pieces) + chance.choice(between) for _ in range(chance.randint(1, 14)))
        files[f"p{number}.md"] = f"# P\n\n{text}"
    made = convert(space(tmp_path / "in", files), tmp_path / "out")
    assert made.pages == 201
    assert made.notes.all
    build(tmp_path / "out")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    server = Loopback(("127.0.0.1", 0), lambda *a, **k: Quiet(*a, directory=str(site), **k))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(BROWSER is None, reason="no chromium on PATH: install the distribution's package")
@pytest.mark.parametrize("page", ["guides/blocks", "guides/nested", "reference/api", ""])
def test_nothing_overflows_in_a_browser(site: Path, served: str, tmp_path: Path, page: str) -> None:
    """A phone's width: a page of ours shows each in a frame and writes down what sticks out and which pictures fail."""
    check = """<!doctype html><body><iframe src="PAGE" style="width:390px;height:900px;border:0"></iframe><pre id="out"></pre><script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => setTimeout(() => {
  const page = frame.contentDocument, win = frame.contentWindow;
  const scrolls = e => { for (; e; e = e.parentElement) if (/auto|scroll|hidden/.test(win.getComputedStyle(e).overflowX)) return true };
  const wide = [...page.querySelectorAll("article *")].filter(e => e.getBoundingClientRect().right > 391 && !scrolls(e.parentElement) && !scrolls(e))
    .map(e => e.outerHTML.slice(0, 90));
  const lost = [...page.images].filter(i => i.complete && !i.naturalWidth && getComputedStyle(i).display !== "none").map(i => i.src);
  const math = page.querySelectorAll("math").length;
  document.getElementById("out").textContent = JSON.stringify({scroll: page.documentElement.scrollWidth, wide, lost, math});
}, 500));
</script>""".replace("PAGE", f"/{page}/".replace("//", "/"))
    (site / "check.html").write_text(check)
    dom = browse(tmp_path, "--virtual-time-budget=8000", "--window-size=900,1000", "--dump-dom", f"{served}/check.html")
    assert (
        f'"scroll":390,"wide":[],"lost":[],"math":{4 if page == "guides/blocks" else 1 if page == "guides/nested" else 0}'
        in dom
    ), dom[-900:]


def test_the_command_converts_and_reports(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "components", "content", "import", "gitbook", str(SPACE), str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "10 pages, 9 files")
    assert "guides/blocks.md:169" in (tmp_path / "new/moving-in.md").read_text()
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert "it is not empty; name a new folder" in again.stderr
