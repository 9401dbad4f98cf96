"""The table of routes answers as GitHub Pages would, with the site's own rules added."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from components.kinds.static import rules
from components.kinds.static.routes import REFUSED, Routes, Settings

SITE = {
    "index.html": 10,
    "404.html": 5,
    "about.html": 2,
    "docs/intro/index.html": 3,
    "both.html": 1,
    "both/index.html": 1,
    "plain": 1,
    "plain.html": 1,
    "c++.html": 1,
    "a b.html": 1,
    "gr\u00fc\u00dfe.html": 1,
    "100%.html": 1,
    "q?a#b.txt": 1,
    "folder/file.txt": 1,
    "assets/index-DcK91w0Q.js": 1,
}


def routes(redirects="", headers="", **settings):
    parsed, wrong = rules.redirects(redirects, SITE)
    blocks, also = rules.headers(headers)
    assert [] == wrong + also
    return Routes(SITE, Settings(**settings), parsed, blocks)


@pytest.mark.parametrize(
    ("target", "status", "leads"),
    [
        ("/", 200, "index.html"),
        ("/index.html", 200, "index.html"),
        ("/index", 200, "index.html"),
        ("/about", 200, "about.html"),
        ("/about.html", 200, "about.html"),
        ("/about/", 404, "404.html"),
        ("/about.html/", 404, "404.html"),
        ("/docs/intro", 301, "/docs/intro/"),
        ("/docs/intro?a=1&b=%2F", 301, "/docs/intro/?a=1&b=%2F"),
        ("/docs/intro/", 200, "docs/intro/index.html"),
        ("/docs/intro/index.html", 200, "docs/intro/index.html"),
        ("/docs%2Fintro/", 200, "docs/intro/index.html"),
        ("/docs", 404, "404.html"),
        ("/folder/", 404, "404.html"),
        ("/both", 200, "both.html"),
        ("/both/", 200, "both/index.html"),
        ("/plain", 200, "plain"),
        ("/ABOUT", 404, "404.html"),
        ("/c++", 200, "c++.html"),
        ("/c%2B%2B.html", 200, "c++.html"),
        ("/c%20%20.html", 404, "404.html"),
        ("/a%20b", 200, "a b.html"),
        ("/a+b.html", 404, "404.html"),
        ("/gr%C3%BC%C3%9Fe.html", 200, "gr\u00fc\u00dfe.html"),
        ("/gr%c3%bc%c3%9fe", 200, "gr\u00fc\u00dfe.html"),
        ("/100%25.html", 200, "100%.html"),
        ("/100%2525.html", 404, "404.html"),
        ("/q%3Fa%23b.txt", 200, "q?a#b.txt"),
        ("/%zz", 400, ""),
        ("/%", 400, ""),
        ("/%ff", 404, "404.html"),
        ("//evil.example/docs/intro", 404, "404.html"),
        ("//evil.example/..//docs/intro", 404, "404.html"),
        ("/%2Fevil.example/docs/intro", 404, "404.html"),
        ("/%5Cevil.example/docs/intro", 404, "404.html"),
        ("/docs/../about", 404, "404.html"),
        ("/docs/%2e%2E/about", 404, "404.html"),
        ("/.unmoor/rules.json", 404, "404.html"),
    ],
)
def test_an_address_answers_what_github_pages_answers(target, status, leads):
    found = routes().answer(target)
    assert (status, leads) == (found.status, found.file or found.location)


def test_other_methods_are_refused_everywhere():
    assert {405} == {routes().answer(target, "POST").status for target in ("/", "/nope", "//x")}
    assert routes().answer("/about", "HEAD") == routes().answer("/about")


@pytest.mark.parametrize(
    ("slash", "target", "status", "leads"),
    [
        (True, "/about", 301, "/about/"),
        (True, "/about/", 200, "about.html"),
        (True, "/about.html", 200, "about.html"),
        (True, "/docs/intro", 301, "/docs/intro/"),
        (True, "/index/", 404, "404.html"),
        (False, "/docs/intro", 200, "docs/intro/index.html"),
        (False, "/docs/intro/", 301, "/docs/intro"),
        (False, "/about", 200, "about.html"),
        (False, "/", 200, "index.html"),
    ],
)
def test_the_slash_at_the_end_is_the_settings_choice(slash, target, status, leads):
    found = routes(trailing_slash=slash).answer(target)
    assert (status, leads) == (found.status, found.file or found.location)


def test_the_fallback_is_for_unknown_addresses_without_a_dot():
    app = routes(fallback="index.html")
    assert [200, 200, 404, 404, 301] == [
        app.answer(one).status for one in ("/users/7", "/users/", "/missing.js", "//users", "/docs/intro")
    ]
    assert "index.html" == app.answer("/users/7").file


REDIRECTS = """
# moved in 2024
/old           /about
/old/inner     https://other.example/x?y=1 302
/old/*         /docs/:splat  307   # the rest
/blog/:year/:slug /b?y=:year&s=:slug
/about         /docs/intro/
/plain         /about 301!
/app/*         /index.html 200
/home          / 200
"""


@pytest.mark.parametrize(
    ("target", "status", "leads"),
    [
        ("/old", 301, "/about"),
        ("/old/", 301, "/about"),
        ("/old?a=b", 301, "/about?a=b"),
        ("/old/inner?a=b", 302, "https://other.example/x?y=1"),
        ("/old/a%20b/c?d", 307, "/docs/a%20b/c?d"),
        ("/old/%3Fa", 307, "/docs/%3Fa"),
        ("/old/%2Fevil.example", 404, "404.html"),
        ("/blog/2024/gr%C3%BCn", 301, "/b?y=2024&s=gr%C3%BCn"),
        ("/about", 200, "about.html"),
        ("/about/", 301, "/docs/intro/"),
        ("/plain", 301, "/about"),
        ("/app/x/y", 200, "index.html"),
        ("/home", 200, "index.html"),
        ("/nope", 404, "404.html"),
    ],
)
def test_a_rule_of_redirects_is_followed(target, status, leads):
    found = routes(REDIRECTS).answer(target)
    assert (status, leads) == (found.status, found.file or found.location)


def test_a_rule_of_headers_adds_to_the_addresses_it_covers():
    ruled = routes(
        headers="/*\n  X-One: 1\n/docs/*\n  X-One: 2\n/about\n  Cache-Control: no-store\n  Content-Type: text/x\n"
    )
    assert (("X-One", "1, 2"),) == ruled.answer("/docs/intro/").headers
    assert (("X-One", "1"),) == ruled.answer("/about").headers
    assert ("no-store", "text/x") == (ruled.answer("/about").cache, ruled.answer("/about").type)
    assert "no-cache" == ruled.answer("/about.html").cache
    assert () == ruled.answer("/nope").headers


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("/a", "FROM TO"),
        ("/a id=:id /b 301", "query parameters"),
        ("/a /b 301 Country=us", "conditions"),
        ("/a /b 404", "status 404"),
        ("/a /b x", "status x"),
        ("a /b", "begins with no"),
        ("https://x.example/a /b", "begins with no"),
        ("/a?b /b", "query or a fragment"),
        ("/*/a /b", "whole last segment"),
        ("/a* /b", "whole last segment"),
        ("/:a/:a /b", "twice"),
        ("/x-:a /b", "whole segment"),
        ("//a /b", "backslash"),
        ("/a/.. /b", "segment"),
        ("/%ff /b", "UTF-8"),
        ("/a /:b", "stands for nothing"),
        ("/a/* //evil.example/:splat", "another host"),
        ("/a/* /:splat/b", "another host"),
        ("/a/* /\\evil.example", "another host"),
        ("/a/* https://:splat/", "choose the host"),
        ("/a/* https://x.:splat.example/", "choose the host"),
        ("/a javascript:alert(1)", "neither"),
        ("/a https://u:p@x.example/", "neither"),
        ("/a /a/", "leads to itself"),
        ("/a https://x.example/ 200", "another server"),
        ("/a/* /:splat 200", "by a placeholder"),
        ("/a /missing 200", "no file"),
        (f"/a /{'b' * 1000}", "longer"),
    ],
)
def test_a_wrong_line_of_redirects_is_a_fault_with_its_number(line, word):
    found, (fault,) = rules.redirects(f"/fine /about\n\n{line}\n", SITE)
    assert 1 == len(found)
    assert "_redirects:3" == fault.path
    assert word in fault.message


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("  X-A: 1", 1, "below no address"),
        ("/*\n  nonsense", 2, "Name: value"),
        ("/*\n  ! X-A", 2, "Cloudflare"),
        ("/*\n  Content-Length: 3", 2, "belongs to the server"),
        ("/*\n  X-Amz-Meta-Location: /x", 2, "belongs to the server"),
        ("/*\n  X-A: gr\u00fcn", 2, "ASCII"),
        ("/*.js\n  X-A: 1", 1, "whole last segment"),
    ],
)
def test_a_wrong_line_of_headers_is_a_fault_with_its_number(text, at, word):
    _, (fault,) = rules.headers(text)
    assert f"_headers:{at}" == fault.path
    assert word in fault.message


def test_too_many_rules_are_refused():
    _, faults = rules.redirects("".join(f"/a{n}/* /about\n" for n in range(101)), SITE)
    assert ["at most 100" in fault.message for fault in faults] == [True]


def test_the_rules_survive_their_way_through_a_bundle():
    ruled = routes(REDIRECTS, "/*\n  X-One: 1\n", fallback="index.html", embed=("self", "https://a.example"), cache=60)
    assert ruled == Routes.read(json.loads(json.dumps(ruled.data())), SITE)


names = some.text(some.sampled_from("ab.\u00fc+%? "), min_size=1, max_size=3).filter(
    lambda name: name not in (".", "..")
)
paths = some.lists(names, min_size=1, max_size=3).map("/".join)
sites = some.lists(some.one_of(paths, paths.map("{}.html".format), paths.map("{}/index.html".format)), max_size=6)


@given(sites, some.sampled_from([None, True, False]), some.booleans())
def test_the_table_holds_every_address_that_is_not_missing(files, slash, falls):
    site = dict.fromkeys([*files, "index.html"], 1)
    made = Routes(site, Settings(trailing_slash=slash, fallback="index.html" if falls else ""))
    table = made.table()
    for path in site:
        for ending in ("", "/", ".html", "/index.html", "/index"):
            for stem in (path, path.removesuffix(".html"), path.removesuffix("/index.html")):
                found = made.resolve(f"/{stem}{ending}")
                assert (found.status == 404 or found.pattern) == (f"/{stem}{ending}" not in table)
                if found.location:
                    assert 200 == made.answer(found.location).status
    assert set(site) == {answer.file for answer in table.values() if answer.file}


def test_the_pattern_of_refused_paths_is_plain_enough_for_every_engine():
    assert "(?" not in REFUSED.replace("(?:", "")
