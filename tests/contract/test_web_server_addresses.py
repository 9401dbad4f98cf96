"""Every address of a release, answered by real Caddy as `kinds/static/routes.py` defines: names, settings, rules.

One container for all tests of this file: it takes one release after the other, as in production.
"""

from __future__ import annotations

import http.client
import io
import tarfile
import zlib
from urllib.parse import quote, unquote

import pytest

from components.kinds.static import bundle
from components.kinds.static.routes import Routes, Settings
from components.kinds.static.rules import headers as header_rules
from components.kinds.static.rules import redirects as redirect_rules
from components.web import headers as content
from tests.contract.containers import Container, Shelf, folder_in, web_server

HOSTILE = (
    *("index.html", "about.html", "docs/index.html", "docs/intro/index.html", "both.html", "both/index.html"),
    *("a b.html", "grüße.html", "gru\u0308ße.html", "c++/index.html", "100%.html", "100%25.html", "a(1)&b=c,d;e.txt"),
    *("#hash.html", "q?x=1.html", "Case.html", "case.html", "{env.SECRET}.html", "{file.front.json}/index.html"),
    *("star*.txt", "[x].txt", "x.txt", "'quote'\".txt", "$1.html", "$$/index.html", "~tilde.html", ":colon/index.html"),
    *("@at.html", "^caret.html", "|pipe.html", "`tick`.html", "narrow\u202fspace.png", "emoji👩\u200d💻.html"),
    *(".well-known/security.txt", ".dot", "no-suffix", "UPPER.HTML", "pic.PNG", "a.unknown", "a.b.c/index.html"),
    *("assets/index-DcK91w0Q.js", "_next/static/x/a.css", "img/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.png"),
    *("index/index.html", "sub/index", "trailing./index.html", "-dash.html", "\ufffd.html", "deep/er/and/deeper.json"),
)
REDIRECTS = """\
/old /new
/blog/* /news/:splat 302
/user/:id/edit /edit?id=:id 307
/out/* https://other.example/:splat
/query /target?fixed=1
/about /elsewhere
/docs/* /manual/:splat 301!
/docs/intro /exact
/app/* /about.html 200
/deep/:a/:b /x/:b/:a/y$1 308
/€/* /euro/:splat
/{env.SECRET}/* /{env.SECRET}/:splat
/braces /to/{env.SECRET}
"""
HEADERS = """\
/*
  X-All: 1
/about
  X-About: yes
  Cache-Control: public, max-age=60
/assets/*
  X-All: 2
  Access-Control-Allow-Origin: https://only.example
/{env.SECRET}
  X-Leak: {env.SECRET} {file.front.json}
"""


#: The value of a variable of the container.
SECRET = "topsecret"


def text_of(path):
    """Return what a file holds."""
    return f"this is {path}"


def packed(routes):
    """Return a bundle as the kind makes it, with its own files."""
    files = {path: text_of(path) for path in routes.files}
    files = {path: text.encode() for path, text in files.items()} | bundle.own_files(routes)
    out = io.BytesIO()
    with tarfile.TarFile(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8") as tar:
        for path, text in sorted(files.items()):
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(text), zlib.crc32(text)
            tar.addfile(info, io.BytesIO(text))
    return out.getvalue()


class Site:
    """One container, and the releases it is given."""

    def __init__(self, folder):
        self.stores = Shelf(), Shelf()
        self.number = 0
        self.container = None
        self.folder = folder

    def serve(self, routes):
        """Publish a release, and wait until it is served."""
        import hashlib

        tar = packed(routes)
        version = hashlib.sha256(tar).hexdigest()
        self.number += 1
        for store in self.stores:
            store.hold(version, tar)
            store.name(self.number, version, len(tar))
        if self.container is None:
            server = web_server(version, folder_in(*self.stores, size=len(tar), number=1))
            self.container = Container(self.folder, server, {"SECRET": SECRET, "POLL": "0.2"}).start()
        self.container.serves(version, 20)

    def ask(self, target, method="GET", **headers):
        """Ask with an address as it is, which clients would tidy up."""
        line = http.client.HTTPConnection("127.0.0.1", self.container.http_port, timeout=10)
        try:
            line.putrequest(method, target, skip_host=False, skip_accept_encoding=True)
            for name, value in headers.items():
                line.putheader(name.replace("_", "-"), value)
            line.endheaders()
            answer = line.getresponse()
            return answer.status, {name.lower(): value for name, value in _joined(answer)}, answer.read()
        finally:
            line.close()


def _joined(answer):
    names = {name.lower() for name in answer.headers}
    return [(name, ", ".join(answer.headers.get_all(name))) for name in names]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serve releases from one container."""
    made = Site(tmp_path_factory.mktemp("addresses") / "container")
    yield made
    if made.container:
        made.container.stop()
    for store in made.stores:
        store.silence()


def routes_of(files=HOSTILE, redirects="", headers="", **settings):
    """Return the routes of a site, without faults."""
    sizes = {path: len(text_of(path).encode()) for path in files}
    moved, wrong = redirect_rules(redirects, sizes)
    sets, more = header_rules(headers)
    assert not wrong + more, [str(fault) for fault in wrong + more]
    return Routes(sizes, Settings(**settings), moved, sets)


def addresses(routes):
    """Name the addresses to ask: of files and rules, in several spellings, and some that do not exist."""
    found = {
        "/",
        "/nope",
        "/nope/",
        "/nope.png",
        "/docs/nope/x",
        "/blog/a/b",
        "/blog",
        "/blog/",
        "/user/7/edit",
        "/user/7/edit/",
    }
    found |= {
        "/out/a%20b/c",
        "/app/x/y",
        "/deep/1/2",
        "/old/",
        "/query/",
        "/€/x",
        "/{env.SECRET}/x",
        "/braces",
        "/user//edit",
    }
    found |= {rule.source for rule in routes.redirects if rule.exact}
    for path in routes.files:
        found |= {f"/{path}", f"/{path}/", f"/{path.removesuffix('.html')}", f"/{path.removesuffix('.html')}/"}
        found |= {f"/{path.removesuffix('index.html')}", f"/{path.removesuffix('/index.html')}"}
        found |= {f"/{path}".swapcase(), f"/{path}x"}
    spelled = set()
    for each in found:
        spelled |= {quote(each, safe="/-._~!$&'()*+,;=:@"), quote(each), quote(each).replace("%2F", "/").lower()}
        spelled |= {"/" + "".join(f"%{byte:02x}" for byte in each[1:].encode())}
    odd = {
        "//evil.example/..//docs/intro",
        "/%2F/evil.example/%2e%2e/docs/intro",
        "/docs/../about",
        "/./about",
        "/docs//intro",
    }
    odd |= {
        "/\\evil.example/docs",
        "/%5Cevil.example",
        "/docs/%2e%2e/about",
        "/..",
        "/docs/.",
        "/%FF",
        "/%C3",
        "/a%ffb/",
    }
    odd |= {
        "/.unmoor/front",
        "/.unmoor",
        "/%2eunmoor/hashed",
        "/%EF%BF%BD",
        "/%EF%BF%BD.html",
        "/docs%2Fintro",
        "/docs%2Fintro%2F",
    }
    odd |= {
        "/about?x=1&y=%2F",
        "/docs/intro?a",
        "/old?x=1",
        "/query?x=1",
        "/blog/a?x=1",
        "/blog/a%3Fb?c",
        "/app/x?y",
        "/user/%2F/edit",
    }
    odd |= {
        "/blog/{env.SECRET}",
        "/blog/%7Benv.SECRET%7D",
        "/out/{env.SECRET}",
        "/{env.SECRET}/{env.SECRET}",
        "/blog/$1${1}",
    }
    return sorted({each for each in spelled if each.isascii()} | odd)


def differences(site, routes):
    """Ask for every address, and return where Caddy answers otherwise than the routes."""
    wrong = []
    for target in addresses(routes):
        wanted = routes.answer(target)
        status, headers, body = answer = site.ask(target)
        seen = {"status": status, "location": unquote(headers.get("location", "")), "secret": SECRET in repr(answer)}
        meant = {"status": wanted.status, "location": unquote(wanted.location), "secret": False}
        if wanted.status in (200, 404):
            page = text_of(wanted.file).encode() if wanted.file else content.STOCK_PAGE
            seen |= {"body": body, "type": headers.get("content-type"), "cache": headers.get("cache-control")}
            meant |= {"body": page, "type": wanted.type, "cache": wanted.cache}
        elif wanted.location:
            seen["cache"], meant["cache"] = headers.get("cache-control"), wanted.cache
        if wanted.status != 400:  # Go answers those itself
            sets = routes.site_headers("http") | dict(wanted.headers)
            asked = {name.lower() for name in sets} | {
                "x-all",
                "x-about",
                "x-leak",
                "x-frame-options",
                "access-control-allow-origin",
            }
            seen |= {name: headers.get(name) for name in asked}
            meant |= dict.fromkeys(asked) | {name.lower(): value for name, value in sets.items()}
        if seen != meant:
            wrong.append((target, {key: (seen[key], meant[key]) for key in seen if seen[key] != meant[key]}))
    return wrong


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"trailing_slash": False},
        {"fallback": "100%.html", "trailing_slash": True, "cache": 300},
        {"cors": False, "embed": ("self", "https://app.example")},
        {"embed": ("*",)},
        {"redirects": REDIRECTS},
        {"redirects": REDIRECTS, "headers": HEADERS, "fallback": "index.html"},
        {"files": (*HOSTILE, "404.html"), "redirects": "/* /index.html 200\n"},
    ],
    ids=str,
)
def test_caddy_answers_what_the_routes_say_and_never_a_secret(site, settings):
    """Sites and visitors write Caddy's placeholders wherever they can; a variable of the container is secret."""
    routes = routes_of(**settings)
    site.serve(routes)
    wrong = differences(site, routes)
    assert not wrong, f"{len(wrong)} differ, the first: {wrong[:4]}"


def test_methods_ranges_and_conditions(site):
    site.serve(routes_of())
    assert site.ask("/about", "HEAD")[2] == b""
    assert site.ask("/about", "HEAD")[1]["content-length"] == str(len(text_of("about.html")))
    for method in ("POST", "PUT", "OPTIONS", "DELETE", "PURGE"):
        status, headers, _ = site.ask("/about", method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert site.ask("/x.txt", Range="bytes=0-3")[::2] == (206, b"this")
    assert site.ask("/x.txt", Range="bytes=900-")[0] == 416
    headers = site.ask("/x.txt")[1]
    assert site.ask("/x.txt", If_None_Match=headers["etag"])[0] == 304
    assert site.ask("/x.txt", If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT")[0] == 200
    assert "last-modified" not in headers
    site.serve(routes_of(files=(*HOSTILE, "404.html")))
    for condition in ({"If_None_Match": "*"}, {"Range": "bytes=0-3"}, {"If_Match": '"x"'}, {}):
        status, headers, body = site.ask("/nope", **condition)
        assert (status, body, "etag" in headers) == (404, text_of("404.html").encode(), False)


def test_a_file_keeps_its_tag_while_it_stays_the_same(site):
    """Browsers then keep what they have, through a release and from one container to the next."""
    site.serve(routes_of())
    before = {path: site.ask(path)[1]["etag"] for path in ("/x.txt", "/about")}
    site.serve(routes_of(files=(*HOSTILE, "more.txt")))
    assert {path: site.ask(path)[1]["etag"] for path in before} == before
    assert len(set(before.values())) == 2
