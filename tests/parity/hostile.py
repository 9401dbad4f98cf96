"""A site of names that have broken servers, publishers and caches before, and rules that try to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    *(
        "index.html",
        "404.html",
        "about.html",
        "docs/index.html",
        "docs/intro/index.html",
        "both.html",
        "both/index.html",
    ),
    *(
        "a b.html",
        "gr\u00fc\u00dfe.html",
        "gru\u0308\u00dfe.html",
        "c++/index.html",
        "c++.html",
        "100%.html",
        "100%25.html",
    ),
    *("a(1)&b=c,d;e.txt", "#hash.html", "q?x=1.html", "Case.html", "case.html", "{env.SECRET}.html", "1 (1).png"),
    *("{file.front.json}/index.html", "star*.txt", "[x].txt", "x.txt", "'quote'\".txt", "$1.html", "$$/index.html"),
    *("~tilde.html", ":colon/index.html", "@at.html", "^caret.html", "|pipe.html", "`tick`.html", "<b>.html"),
    *(
        "narrow\u202fspace.png",
        "wide\u3000space.png",
        "no\u00a0break.png",
        "emoji\U0001f469\u200d\U0001f4bb.html",
        "\u202ertl.html",
    ),
    *(".well-known/security.txt", ".dot", "no-suffix", "UPPER.HTML", "pic.PNG", "a.unknown", "a.b.c/index.html", "f."),
    *(
        "assets/index-DcK91w0Q.js",
        "_next/static/x/a.css",
        "img/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.png",
        "sw-1a2b3c4d.js",
    ),
    *("index/index.html", "sub/index", "trailing./index.html", "-dash.html", "\ufffd.html", "deep/er/and/deeper.json"),
    *(
        "Healthz",
        "healthz.html",
        "empty.css",
        "data.json",
        "feed.xml",
        "style.xsl",
        "font.eot",
        "talk.vtt",
        "src/main.py",
    ),
    *(
        "tags/c#/index.html",
        "tags/c++/index.html",
        "tags/\u65e5\u672c\u8a9e/index.html",
        "a/b/c/d/e/f/index.html",
        "%/index.html",
    ),
    *("constructor", "__proto__/index.html", "page.htm", "readme.md", "big.md", "big.svg", "guide/a+b c&d%.html"),
)
REDIRECTS = """\
/old           /new
/old/inner     https://other.example/x?y=1   302
/blog/*        /news/:splat                  302
/user/:id/edit /edit?id=:id                  307
/out/*         https://other.example/:splat  308
/query         /target?fixed=1
/frag          /target#there
/about         /elsewhere
/forced/*      /manual/:splat                301!
/app/*         /about.html                   200
/home          /                             200
/\u20ac/*           /euro/:splat
/{env.SECRET}/* /{env.SECRET}/:splat
/braces        /to/{env.SECRET}/$1/{file./etc/passwd}
/deep/:a/:b    /x/:b/:a                      303
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
/docs/intro/
  X-Frame-Options: DENY
  X-Leak: {env.SECRET} {file./etc/passwd} \\\\ "quoted"
/feed.xml
  Content-Type: application/rss+xml; charset=utf-8
"""


def write(folder: Path, *, rules: bool) -> Path:
    """Write the site; bodies differ from file to file, and some are long enough to be compressed."""
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"this is {name} {hashlib.sha256(name.encode()).hexdigest()}\n"
        long = name.startswith(("big", "index.html", "data", "feed", "font", "src"))
        path.write_text("" if name.startswith("empty") else text * (40 if long else 1), encoding="utf-8")
    if rules:
        (folder / "_redirects").write_text(REDIRECTS, encoding="utf-8")
        (folder / "_headers").write_text(HEADERS, encoding="utf-8")
    return folder
