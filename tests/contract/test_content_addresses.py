"""Old addresses: a live site that is crawled on loopback, the rules for the new one, and every address asked again."""

# ruff: noqa: E501, N806 pages keep their lines
from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from components.__main__ import cli
from components.content import fetch
from components.content.crawl import Crawl
from components.content.fetch import LONGEST_PAUSE, Answer, Client, _read
from components.content.gitbook.convert import convert
from components.content.redirects import routes_of
from components.errors import ConfigError
from components.kinds.static.rules import redirects
from components.limits import CRAWL_BYTES
from tests.loopback import Loopback

from .test_content_site import SPACE, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handle = Callable[[str], tuple[int, dict[str, str], bytes]]


class Site:
    """A site on loopback: what it answers is a function of the path; it counts who asks, and how many at once."""

    def __init__(self, answer: Handle) -> None:
        self.asked: Counter[str] = Counter()
        self.at_once = self.most = 0
        self.url = ""
        lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with lock:
                    outer.asked[self.path] += 1
                    outer.at_once += 1
                    outer.most = max(outer.most, outer.at_once)
                try:
                    status, headers, body = answer(self.path)
                    self.send_response(status)
                    for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                finally:
                    with lock:
                        outer.at_once -= 1

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = Loopback(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def serving(answer: Handle) -> Iterator[Site]:
    site = Site(answer)
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        site.server.server_close()
        thread.join()


def page(title: str, text: str = "", links: tuple[str, ...] = (), ids: tuple[str, ...] = ()) -> bytes:
    """Return a page as GitBook serves one: a title with the site's name, a heading, headings with anchors, links."""
    body = "".join(f'<a href="{link}">x</a>' for link in links) + "".join(
        f'<h2 id="{each}"><a href="#{each}"></a>{each}</h2>' for each in ids
    )
    return f"<html><head><title>{title} | Lantern</title></head><body><nav>menu</nav><main><h1>{title}</h1><p>{text}</p>{body}</main></body></html>".encode()


#: The old site: addresses as GitBook makes them from the table of contents, which differ from the files' paths.
OLD = {
    "/": page(
        "Welcome to Lantern",
        "start",
        ("/guides/blocks", "/guides/old-name", "https://elsewhere.example/x", "/~gitbook/image?url=x", "/search?q=a"),
    ),
    "/guides/blocks": page("Blocks, alone", "", ("nested",)),
    "/guides/nested": page("Blocks, nested"),
    "/guides": page("Guides"),
    "/guides/guides/wallet": page(
        "Create a wallet & a key", "how a wallet is made", (), ("create-a-key", "keep-it-safe", "gone-heading")
    ),
    "/guides/guides/deep-page": page("Deep page"),
    "/network": page("Network"),
    "/network/validators": page("Validators (advanced)", "", (), ("id-1.-what-you-need",)),
    "/network/hidden": page("Secret page"),
    "/reference/api": page("API"),
    "/Reference/API-old": page("API"),
}
MOVED = {"/guides/old-name": "/guides/guides/wallet", "/start-here": "/guides"}


def old_site(path: str) -> tuple[int, dict[str, str], bytes]:
    xml = {"Content-Type": "application/xml"}
    if path == "/robots.txt":
        return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /network/hid*\nSitemap: /sitemap.xml\n"
    if path == "/sitemap.xml":  # an index with cycles, and one that is gone
        maps = "".join(
            f"<sitemap><loc>{at}</loc></sitemap>" for at in ("/sitemap.xml", "/pages.xml.gz", "/loop.xml", "/gone.xml")
        )
        return 200, xml, f"<?xml version='1.0'?><sitemapindex>{maps}</sitemapindex>".encode()
    if path == "/loop.xml":
        return 200, xml, b"<sitemapindex><sitemap><loc>/sitemap.xml</loc></sitemap></sitemapindex>"
    if path == "/pages.xml.gz":
        pages = "".join(f"<url><loc>{each}</loc></url>" for each in (*OLD, *MOVED))
        return 200, {"Content-Type": "application/gzip"}, gzip.compress(f"<urlset>{pages}</urlset>".encode())
    if path in MOVED:
        return 308, {"Location": MOVED[path]}, b""
    return (200, {}, OLD[path]) if path in OLD else (404, {}, b"gone")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("new") / "new"
    convert(SPACE, out, "https://docs.dao.example")
    return build(out)


def run(*words: str):
    return CliRunner().invoke(cli, ["content", *words], standalone_mode=False)


def new_site(site: Path) -> Handle:
    """Serve a folder by the table of routes that both targets render, its `_redirects` included."""
    read, faults = redirects((site / "_redirects").read_text(), routes_of(site).files)
    assert faults == []
    routes = replace(routes_of(site), redirects=read)

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        found = routes.answer(path)
        body = (site / found.file).read_bytes() if found.file else b""
        return found.status, {"Location": found.location} if found.location else {"Content-Type": found.type}, body

    return answer


def test_every_old_address_is_found_matched_and_answered(site: Path, tmp_path: Path) -> None:
    """The whole way: crawl, rules into the site, and each old address asked at the new one."""
    listed = str(tmp_path / "old.json")
    target = site / "_redirects"
    target.write_text("/mine /guides/ 302\n")
    with serving(old_site) as old:
        done = run("redirects", "--from", old.url, "--site", str(site), "--write", str(target), "--list", listed)
    assert done.exit_code == 0, done.output
    assert old.most <= 8
    assert max(old.asked.values()) <= 2  # robots.txt, and the first page once more to see where the site is
    assert not [path for path in old.asked if path.startswith(("/~", "/search", "/network/hid"))]
    rows = {row["path"]: (row["new"], row["how"]) for row in json.loads(Path(listed).read_text())["addresses"]}
    assert rows == {
        "/": ("/", "path"),
        "/guides/blocks": ("/guides/blocks/", "path"),
        "/guides/nested": ("/guides/nested/", "path"),
        "/guides": ("/guides/", "path"),
        "/guides/guides/wallet": ("/guides/wallet/", "title"),
        "/guides/guides/deep-page": ("/guides/deep/page-one/", "title"),
        "/guides/old-name": ("/guides/wallet/", "redirect"),
        "/start-here": ("/guides/", "redirect"),
        "/network": ("/network/", "path"),
        "/network/validators": ("/network/validators/", "path"),
        "/network/hidden": ("/network/hidden/", "path"),
        "/reference/api": ("/reference/api/", "path"),
        "/Reference/API-old": ("/reference/api/", "title"),
    }
    assert target.read_text().splitlines() == [
        "/mine /guides/ 302",
        "# unmoor: old addresses, written by `unmoor content redirects`",
        "/Reference/API-old /reference/api/ 301",
        "/guides/guides/deep-page /guides/deep/page-one/ 301",
        "/guides/guides/wallet /guides/wallet/ 301",
        "/guides/old-name /guides/wallet/ 301",
        "/start-here /guides/ 301",
        "# unmoor: end",
    ]
    assert "13 old addresses: 8 by path, 2 by redirect of the old site, 3 by title" in done.output
    assert "/guides/wallet/: #gone-heading" in done.output
    assert "1 addresses: robots.txt forbids asking; they are matched by path alone" in done.output
    with serving(new_site(site)) as new:
        checked = run("check", "--at", new.url, "--list", listed)
        assert (checked.exit_code, checked.output.splitlines()[0]) == (0, "13 of 13 old addresses lead to their page")
        target.write_text("/mine /guides/ 302\n")
    with serving(new_site(site)) as new:
        checked = run("check", "--at", new.url, "--list", listed, "--json")
        assert checked.exit_code == 1
        bad = [each for each in json.loads(checked.output) if each["problem"]]
        assert {each["path"]: each["problem"] for each in bad} == dict.fromkeys(
            (
                "/Reference/API-old",
                "/guides/guides/deep-page",
                "/guides/guides/wallet",
                "/guides/old-name",
                "/start-here",
            ),
            "status 404",
        )


def test_rules_are_written_again_in_their_place(site: Path, tmp_path: Path) -> None:
    target, listed = tmp_path / "_redirects", str(tmp_path / "old.json")
    words = ("--site", str(site), "--write", str(target), "--list", listed)
    with serving(old_site) as old:
        run("redirects", "--from", old.url, *words)
        first = target.read_text()
        target.write_text(first + "/after / 301\n")
        run("redirects", "--from", old.url, *words)
    assert target.read_text() == first + "/after / 301\n"


def test_an_address_without_a_counterpart_is_listed_and_fails(site: Path, tmp_path: Path) -> None:
    def more(path: str) -> tuple[int, dict[str, str], bytes]:
        return (
            (200, {}, page("Something that is nowhere", "unique words here")) if path == "/nowhere" else old_site(path)
        )

    OLD_LINK = OLD["/guides"]
    OLD["/guides"] = page("Guides", "", ("/nowhere",))
    try:
        with serving(more) as old:
            done = run(
                "redirects",
                "--from",
                old.url,
                "--site",
                str(site),
                "--write",
                str(tmp_path / "r"),
                "--list",
                str(tmp_path / "l"),
            )
    finally:
        OLD["/guides"] = OLD_LINK
    assert done.exit_code == 1
    assert (
        "no counterpart; write a rule for each, or let it be gone: 1\n  /nowhere  Something that is nowhere"
        in done.output
    )


def crawl(answer: Handle, limit: int = 1000):
    """Crawl a site; return what was found, the site, and the seconds of pauses that were kept."""
    paused: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        paused.append(round(seconds, 1))
        now[0] += seconds

    with serving(answer) as site, Client() as client:
        made = Crawl(client, lambda _: None, limit, sleep, lambda: now[0]).run(site.url)
    return made, site, paused


def test_a_site_that_asks_for_a_pause_gets_it_and_every_page_is_read() -> None:
    busy = Counter[str]()

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        busy[path] += 1
        if path in ("/a", "/sitemap.xml") and busy[path] == 1:
            return 429, {"Retry-After": "7"}, b""
        if path == "/b" and busy[path] < 3:
            return 503, {}, b""
        pages = {"/": page("Home", "", ("/a", "/b")), "/a": page("A"), "/b": page("B")}
        return (200, {}, pages[path]) if path in pages else (404, {}, b"")

    made, _, paused = crawl(answer)
    assert {path: old.facts.title for path, old in made.found.items()} == {"/": "Home", "/a": "A", "/b": "B"}
    assert paused.count(7.0) >= 1
    assert sum(paused) >= 7 + 1 + 2
    assert made.unread == []


def test_a_page_that_is_always_busy_is_named_and_the_rest_is_done() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        pages = {"/": page("Home", "", ("/a", "/b")), "/b": page("B")}
        return (429, {}, b"") if path == "/a" else (200, {}, pages[path]) if path in pages else (404, {}, b"")

    made, site, _ = crawl(answer)
    assert made.unread == ["/a: status 429, 5 times"]
    assert site.asked["/a"] == 5
    assert made.found["/b"].facts.title == "B"


def test_a_crawl_ends_at_its_limit_on_a_site_without_end() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path in ("/robots.txt", "/sitemap.xml"):
            return 404, {}, b""
        number = int(path.strip("/") or 0)
        return 200, {}, page(f"Page {number}", "", (f"/{number * 2 + 1}/", f"/{number * 2 + 2}"))

    made, site, _ = crawl(answer, 50)
    assert len(made.found) == 50
    assert sum(site.asked.values()) == 50 + 3
    assert made.unread[-1].endswith("the limit of 50 is reached; raise --limit")


def test_a_site_whose_robots_cannot_be_read_is_not_asked() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/sitemap.xml":
            return 200, {"Content-Type": "text/xml"}, b"<urlset><url><loc>/a</loc></url></urlset>"
        return (500, {}, b"") if path == "/robots.txt" else (200, {}, page("Home", "", ("/b",)))

    made, site, _ = crawl(answer)
    assert set(site.asked) == {"/", "/robots.txt", "/sitemap.xml"}
    assert {path: old.status for path, old in made.found.items()} == {"/": 0, "/a": 0}


def test_a_crawl_delay_is_kept() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 3\n"
        return (200, {}, page("Home", "", ("/a", "/b"))) if path in ("/", "/a", "/b") else (404, {}, b"")

    made, site, paused = crawl(answer)
    assert len(made.found) == 3
    assert site.most == 1
    assert paused == [3.0, 3.0]


def test_a_site_cannot_ask_for_a_delay_of_a_year() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 31536000\n"
        return (200, {}, page("Home", "", ("/a",))) if path in ("/", "/a") else (404, {}, b"")

    made, _, paused = crawl(answer)
    assert len(made.found) == 2
    assert paused == [LONGEST_PAUSE]


#: An address that `urlsplit` refuses, and one whose port it refuses.
@pytest.mark.parametrize("bad", ["http://[x", "http://127.0.0.1:99999/"])
def test_what_is_no_address_costs_nothing_that_was_read(bad: str) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        text, xml = {"Content-Type": "text/plain"}, {"Content-Type": "text/xml"}
        return {
            "/": (200, {}, page("Home", "", (bad, "/a", "/moved"))),
            "/a": (200, {}, page("A") + b"<![<!["),
            "/b": (200, {}, page("B")),
            "/moved": (301, {"Location": bad}, b""),
            "/robots.txt": (200, text, f"Sitemap: {bad}\nSitemap: /moved\n".encode()),
            "/sitemap.xml": (200, xml, f"<url><loc>{bad}</loc></url><url><loc>/b</loc></url><![<![".encode()),
        }.get(path, (404, {}, b""))

    made, _, _ = crawl(answer)
    assert {path: old.facts.title for path, old in made.found.items()} == {
        "/": "Home", "/a": "A", "/b": "B", "/moved": "",
    }  # fmt: skip
    assert made.unread == [
        f"{bad}: a sitemap at what is no address",
        f"/moved: it redirects to {bad}, which is no address",
    ]


@pytest.mark.parametrize("charset", ["idna", "undefined", "a\0b", "punycode", "unicode_escape", "utf-7", "hex", ""])
def test_a_charset_that_is_none_of_the_web_is_utf_8(charset: str) -> None:
    assert Answer(200, type=f"text/html; charset={charset}", body="é\\ud800".encode()).text == "é\\ud800"


@pytest.mark.parametrize(
    "after", ["²", "-1", "9" * 400, "Thu, 01 Jan 2026 00:00:00 +99999999999999", "Thu, 01 Jan 99999 00:00:00 GMT"]
)
def test_a_pause_is_bounded_whatever_the_site_writes(after: str) -> None:
    headers = [(b"Retry-After", after.encode()), (b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT")]
    assert 0 <= _read(httpx.Response(429, headers=headers)).pause_s <= LONGEST_PAUSE


def test_an_answer_that_drips_is_not_read_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection that had an answer before, too: the head drips, or a body with and without a length."""
    monkeypatch.setattr(fetch, "CRAWL_ANSWER_S", 0.5)
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
            first = {
                "/": head + b"Content-Length: 2\r\n\r\nok",
                "/head": head + b"X: ",
                "/body": head + b"Content-Length: 9999\r\n\r\n",
                "/open": head + b"Connection: close\r\n\r\n",
            }[self.path]
            self.wfile.write(first)
            with contextlib.suppress(OSError):
                while self.path != "/" and not over.wait(0.05):
                    self.wfile.write(b"x")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = Loopback(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with Client() as client:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            for path in ("/head", "/body", "/open"):
                assert client(url + "/").text == "ok"
                assert client(url + path) == Answer(0, failure="no whole answer in 0.5 s")
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_answer_that_comes_as_its_time_ends_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "CRAWL_ANSWER_S", 0.2)
    monkeypatch.setattr(fetch, "_read", lambda _: time.sleep(0.5))
    with serving(lambda _: (200, {}, b"body")) as site, Client() as client:
        assert client(site.url) == Answer(0, failure="no whole answer in 0.2 s")


def test_a_body_that_is_coded_twice_is_not_read() -> None:
    body = gzip.compress(gzip.compress(b"x"))
    with serving(lambda _: (200, {"Content-Encoding": "gzip, gzip"}, body)) as site, Client() as client:
        assert "is not read" in client(site.url).failure


def test_a_coded_body_is_read_as_far_as_a_page_goes() -> None:
    body = gzip.compress(bytes(CRAWL_BYTES * 10))
    with serving(lambda _: (200, {"Content-Encoding": "gzip"}, body)) as site, Client() as client:
        assert len(client(site.url).body) == CRAWL_BYTES


NOT_SITES = {
    "no address at all": (lambda _: (200, {}, b""), "http://[x", "not the address of a site"),
    "no port": (lambda _: (200, {}, b""), "http://localhost:99999", "not the address of a site"),
    "moved to no address": (lambda _: (301, {"Location": "http://[x"}, b""), "", "which is no site"),
    "no address": (lambda _: (200, {}, b""), "::", "not the address of a site"),
    "another host": (
        lambda _: (301, {"Location": "https://other.example/"}, b""),
        "",
        "it redirects to https://other.example",
    ),
}


@pytest.mark.parametrize("name", NOT_SITES)
def test_what_is_no_site_is_refused_with_a_sentence(name: str) -> None:
    answer, url, sentence = NOT_SITES[name]
    with serving(answer) as site, Client() as client, pytest.raises(ConfigError, match=sentence):
        Crawl(client, lambda _: None).run(url or site.url)


def test_a_site_that_does_not_answer_is_refused_with_a_sentence() -> None:
    with serving(lambda _: (200, {}, b"")) as site:
        url = site.url
    with Client() as client, pytest.raises(ConfigError, match="no answer"):
        Crawl(client, lambda _: None).run(url)


def test_hostile_answers_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    """A sitemap that unpacks to 200 MB, one of nested entities, a body without end, a title that steers a terminal."""
    bomb = gzip.compress(b"<urlset>" + b" " * 200_000_000, 9)
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>/a&b;</loc></url><url><loc>/c</loc></url></urlset>'

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        xml = {"Content-Type": "text/xml"}
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"Sitemap: /bomb.xml.gz\nSitemap: /laughs.xml\n"
        if path == "/bomb.xml.gz":
            return 200, {"Content-Type": "application/gzip"}, bomb
        if path == "/laughs.xml":
            return 200, xml, laughs
        pages = {"/": page("Home"), "/c": page("C\x1b[2J\u202e", "x" * 6_000_000)}
        return (200, {}, pages[path]) if path in pages else (404, {}, b"")

    started = time.monotonic()
    made, _, _ = crawl(answer)
    assert time.monotonic() - started < 20
    assert set(made.found) == {"/", "/c"}
    assert [line.partition(": ")[2] for line in made.unread] == ["it has more than 50 MB"]


def test_a_check_names_what_is_wrong_with_each_address(tmp_path: Path) -> None:
    rows = [
        {"path": p, "title": t, "anchors": ["x"]}
        for p, t in (("/a", "A"), ("/b", "B"), ("/c", "C"), ("/d", "D"), ("/e", ""), ("/f", "F"))
    ]
    listed = tmp_path / "l.json"
    listed.write_text(json.dumps({"format": 1, "from": "https://old.example", "addresses": rows}))

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        return {
            "/a": (200, {}, page("A", "", (), ("x",))),
            "/b": (200, {}, page("Not found")),
            "/c": (302, {"Location": "/c"}, b""),
            "/d": (301, {"Location": "https://evil.example/"}, b""),
            "/e": (200, {"Content-Type": "application/pdf"}, b"%PDF"),
            "/f": (301, {"Location": "http://[x"}, b""),
        }[path]

    with serving(answer) as site:
        done = run("check", "--at", site.url, "--list", str(listed))
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "2 of 6 old addresses lead to their page",
        "  /b: its title was 'B' and is 'Not found'",
        "  /c: it redirects more than 5 times",
        "  /d: it leaves the site for https://evil.example/ (at https://evil.example/)",
        "  /f: it redirects to http://[x, which is no address",
        "1 anchors of headings are not on the new pages; a browser shows the page's beginning",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 9999,
        '{"format": 2, "from": "x", "addresses": []}',
        '{"format": 1, "from": "x", "addresses": [{"path": 1}]}',
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.json").write_text(text)
    done = run("check", "--list", str(tmp_path / "l.json"))
    assert isinstance(done.exception, ConfigError)
    assert "not a list of old addresses" in str(done.exception)


def test_answers_are_pages_only_when_they_are_html() -> None:
    assert Answer(200, type="text/html; charset=utf-8").page
    assert not Answer(200, type="application/xml").page
    assert Answer(200, type="text/html; charset=nonsense", body="é".encode()).text == "é"
