"""Old addresses and new pages: which belongs to which, and the rules that follow."""

# ruff: noqa: E501 pages keep their lines
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.content.crawl import Old
from components.content.facts import Facts, alike, read
from components.content.mapping import How, match
from components.content.redirects import BEGIN, END, merged, open_ends, rules, screen, write
from components.content.sitemap import read as sitemap
from components.errors import ConfigError
from components.kinds.static.routes import Routes
from components.kinds.static.rules import redirects

WORDS = frozenset(f"word{number}" for number in range(40))
MORE = frozenset(f"more{number}" for number in range(40))
PAGES = {
    "/": Facts("Home"),
    "/guide/": Facts("Guide", ("one",)),
    "/a/setup/": Facts("Set up", words=WORDS),
    "/b/setup/": Facts("Set up", words=frozenset(f"other{number}" for number in range(40))),
    "/renamed/": Facts("Another title", words=MORE),
    "/page.html": Facts("Page"),
}
FILES = ("/files/paper.pdf", "/x/logo.svg")


def routes(*pages: str) -> Routes:
    """Return the routes of a site with these pages."""
    return Routes({f"{page[1:]}index.html" if page.endswith("/") else page[1:]: 1 for page in (*pages, *FILES)})


SITE = routes(*PAGES)


def one(path: str, **facts: object):
    page = bool(facts.pop("page", True))
    to = str(facts.pop("to", ""))
    (found,) = match({path: Old(path, 200, Facts(**facts), to, page)}, PAGES, FILES)  # type: ignore[arg-type]
    return found.new, found.how


@pytest.mark.parametrize(
    ("path", "facts", "new", "how"),
    [
        ("/guide", {}, "/guide/", How.PATH),
        ("/guide/index.html", {}, "/guide/", How.PATH),
        ("/Guide", {}, "/guide/", How.PATH),
        ("/page", {}, "/page.html", How.PATH),
        ("/files/paper.pdf", {"page": False}, "/files/paper.pdf", How.PATH),
        ("/old/paper.pdf", {"page": False}, "/files/paper.pdf", How.END),
        ("/elsewhere", {"title": "GUIDE!"}, "/guide/", How.TITLE),
        ("/old/guide", {}, "/guide/", How.END),
        ("/old/setup", {"title": "Set up", "words": WORDS}, "/a/setup/", How.END),
        ("/old/x", {"title": "No title of these", "words": MORE | {"again"}}, "/renamed/", How.CONTENT),
        ("/old/setup", {"title": "Set up"}, "", How.NONE),
        ("/nothing", {"title": "Nothing", "words": frozenset({"quite", "other"})}, "", How.NONE),
        ("/old/guide", {"title": "Quite other", "words": frozenset({"quite", "other"})}, "", How.NONE),
    ],
)
def test_an_address_finds_its_page(path: str, facts: dict[str, object], new: str, how: How) -> None:
    assert one(path, **facts) == (new, how)


def test_a_redirect_of_the_old_site_is_followed_and_a_circle_ends() -> None:
    found = {
        "/a": Old("/a", 301, to="/b"),
        "/b": Old("/b", 301, to="/guide"),
        "/guide": Old("/guide", 200, Facts("Guide")),
        "/x": Old("/x", 301, to="/y"),
        "/y": Old("/y", 301, to="/x"),
        "/z": Old("/z", 301, to="https://other.example/guide"),
    }
    made = {each.old.path: (each.new, each.how) for each in match(found, PAGES, FILES)}
    assert made == {
        "/a": ("/guide/", How.REDIRECT),
        "/b": ("/guide/", How.REDIRECT),
        "/guide": ("/guide/", How.PATH),
        "/x": ("", How.NONE),
        "/y": ("", How.NONE),
        "/z": ("", How.NONE),
    }


def test_a_site_that_stood_in_a_folder_is_matched_below_it() -> None:
    """GitBook publishes a space below its name: /home/guide was the page guide.md."""
    pages = {"/": Facts("Home"), "/a/setup/": Facts("Set up"), "/b/setup/": Facts("Set up"), "/guide/": Facts("Guide")}
    found = {
        path: Old(path, 200, Facts(title))
        for path, title in (
            ("/home", "Home"),
            ("/home/a/setup", "Set up"),
            ("/home/b/setup", "Set up"),
            ("/other", "Guide"),
        )
    }
    made = match(found, pages, ())
    assert {each.old.path: (each.new, each.how) for each in made} == {
        "/home": ("/", How.BELOW),
        "/home/a/setup": ("/a/setup/", How.BELOW),
        "/home/b/setup": ("/b/setup/", How.BELOW),
        "/other": ("/guide/", How.TITLE),
    }
    assert rules(made, routes(*pages)) == [
        "/home / 301",
        "/home/a/setup /a/setup/ 301",
        "/home/b/setup /b/setup/ 301",
        "/other /guide/ 301",
    ]


def served_with(made: list) -> Routes:
    """Return the site's routes with the rules that are written, which the kind `static` reads without a fault."""
    read, faults = redirects("\n".join(rules(made, SITE)), SITE.files)
    assert faults == []
    return replace(SITE, redirects=read)


def test_what_is_written_leads_to_the_page_or_is_listed() -> None:
    """Each address is asked of the routes that both targets render."""
    paths = (
        "/old/a b",
        "/old/%C3%BC",
        "/old/a:1",
        "/Guide",
        "/old/(x)",
        "/guide.html",
        "/guide/index.html",
        "/guide",
        "/old/*",
    )
    made = match({path: Old(path, 200, Facts("Guide")) for path in paths}, PAGES, FILES)
    assert "/guide.html /guide/ 301" in rules(made, SITE)
    assert not [rule for rule in rules(made, SITE) if rule.startswith(("/guide/index.html", "/guide "))]
    assert [each.old.path for each in open_ends(made, served_with(made))] == ["/old/*"]
    assert served_with(made).answer("/old/%C3%BC").location == "/guide/"


def test_rules_that_would_not_be_served_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    made = match({"/old": Old("/old", 200, Facts("Guide"))}, PAGES, FILES)
    (tmp_path / "_redirects").write_text("no rule\n")
    with pytest.raises(ConfigError, match="would not be served") as refused:
        write(tmp_path / "_redirects", made, SITE)
    assert [fault.path for fault in refused.value.faults] == ["_redirects:1"]
    assert (tmp_path / "_redirects").read_text() == "no rule\n"
    many = match({f"/old/{at}": Old(f"/old/{at}", 200, Facts("Guide")) for at in range(2001)}, PAGES, FILES)
    with pytest.raises(ConfigError, match="2001 rules"):
        write(tmp_path / "new" / "_redirects", many, SITE)
    assert not (tmp_path / "new").exists()


def test_anchors_that_are_gone_and_titles_that_differ_are_kept_for_a_person() -> None:
    (found,) = match({"/guide": Old("/guide", 200, Facts("Other", ("one", "two", "One-")))}, PAGES, FILES)
    assert (found.new, found.lost, found.doubt) == ("/guide/", ("two", "One-"), "its title was 'Other' and is 'Guide'")
    lines = list(screen([found], ["/x: status 429, 5 times"], SITE))
    assert lines == [
        "1 old addresses: 1 by path",
        "to look at: 1",
        "  /guide -> /guide/: its title was 'Other' and is 'Guide'",
        "anchors that the new page does not have; a browser shows its beginning: 2",
        "  /guide/: #two",
        "  /guide/: #One-, now #one",
        "not read: 1",
        "  /x: status 429, 5 times",
    ]


def test_a_rule_stands_for_every_address_that_differs_by_more_than_a_slash() -> None:
    paths = ("/guide", "/Guide/", "/old/a b", "/old/%C3%BC", "/old/:name", "/old/*", "/old//x", "/old/a:1")
    found = {path: Old(path, 200, Facts("Guide")) for path in paths}
    made = match(found, PAGES, FILES)
    assert rules(made, SITE) == [
        "/Guide/ /guide/ 301",
        "/old/%C3%BC /guide/ 301",
        "/old/a%20b /guide/ 301",
        "/old/a:1 /guide/ 301",
    ]
    assert [each.old.path for each in open_ends(made, served_with(made))] == ["/old/*", "/old//x", "/old/:name"]


def test_our_part_of_the_rules_is_replaced_and_others_stay() -> None:
    first = merged("/mine / 301\n", ["/a /b/ 301"])
    assert first == f"/mine / 301\n{BEGIN}\n/a /b/ 301\n{END}\n"
    assert (
        merged(first + "/after / 301\n", ["/c /d/ 301"]) == f"/mine / 301\n{BEGIN}\n/c /d/ 301\n{END}\n/after / 301\n"
    )
    assert merged(first, []) == "/mine / 301\n"
    assert merged("", []) == ""
    with pytest.raises(ConfigError, match="must both stand there"):
        merged(f"{BEGIN}\n/a /b 301\n", [])


def test_facts_of_a_page_are_those_of_its_text() -> None:
    text = """<html><head><title>Page | Site</title><link rel=canonical href="/x"><script>var h1 = "<h1>no</h1>"</script></head>
<body><nav><h2 id="menu">menu words</h2><a href="/nav">n</a></nav><main><h1>The <em>page</em> <a href="#p">¶</a></h1>
<h2 id="first">First</h2><h3><a id="second"></a>Second</h3><p id="not-a-heading">Some words &amp; more<br>here <a href="b">b</a></p></main></body>"""
    found = read(text)
    assert found.title == "The page"
    assert found.anchors == ("menu", "first", "second")
    assert found.links == ("/nav", "#p", "b")
    assert found.words == {"page", "first", "second", "some", "words", "more", "here"}
    assert read("<title>Only this</title>").title == "Only this"
    assert alike("What's new?", "whats NEW")
    assert not alike("", "")


def test_sitemaps_of_every_form_are_read() -> None:
    pages, maps = sitemap(
        b"<?xml version='1.0'?><urlset xmlns:image='x'><url><loc> https://a.example/b?c=1&amp;d=2 </loc>"
        b"<image:image><image:loc>https://a.example/i.png</image:loc></image:image></url></urlset>"
    )
    assert (pages, maps) == (["https://a.example/b?c=1&d=2"], [])
    assert sitemap(b"<sitemapindex><sitemap><loc>/s.xml</loc></sitemap></sitemapindex>") == ([], ["/s.xml"])
    assert sitemap(b"https://a.example/one\nnonsense\nhttps://a.example/two\n") == (
        ["https://a.example/one", "https://a.example/two"],
        [],
    )
    with pytest.raises(ValueError, match="cannot be unpacked"):
        sitemap(b"\x1f\x8bbroken")


#: Markup that does not end, and elements that are not closed.
ENDLESS = ("<a ", "<!--", '<a x="', "<a =", "</a ", "<?", "<![<![", "<svg></nav>", "<script>", "<title>x<b>")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ENDLESS)
def test_a_page_of_markup_without_end_is_read_in_one_pass(piece: str) -> None:
    assert read("<h1>Title</h1><a href=/x>x</a>" + piece * 100_000).title == "Title"
    assert sitemap(b"<urlset><url><loc>/x</loc></url>" + piece.encode() * 100_000)[0] == ["/x"]


@pytest.mark.parametrize("text", ["<![<![", "<![x>", "&#" + "1" * 5000 + ";", '<i title="&#' + "1" * 5000 + '">'])
def test_what_the_parser_of_the_library_fails_at_is_passed_over(text: str) -> None:
    assert read(f"<h1>Title</h1>{text}<p>words</p>").title == "Title"
    assert sitemap(f"<urlset><url><loc>/x</loc></url>{text}".encode()) == (["/x"], [])


def test_a_tag_that_does_not_end_is_text() -> None:
    assert read("<p>one words<a href='/x> more words").words == {"words", "href", "more"}
    assert read("<p>salt &amp").words == {"salt"}
    assert read("<p>text</p><script>script").words == {"text"}


def test_a_section_of_xml_is_no_text() -> None:
    assert read("<p>words<![CDATA[ a > hidden ]]> more</p>").words == {"words", "more"}
