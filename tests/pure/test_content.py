"""How files are served is one table, and /healthz, pages and hashed assets each have their rule."""

from __future__ import annotations

import pytest

from components.web import headers as content


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/B.CSS", "text/css; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("search.json", "application/json; charset=utf-8"),
        ("sitemap.xml", "application/xml"),
        ("feed.xsl", "application/xml"),
        ("logo.svg", "image/svg+xml"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("font.woff2", "font/woff2"),
        ("font.eot", "application/vnd.ms-fontobject"),
        ("talk.vtt", "text/vtt; charset=utf-8"),
        ("talk.m4a", "audio/mp4"),
        ("clip.mp4", "video/mp4"),
        ("scene.glb", "model/gltf-binary"),
        ("events.ics", "text/calendar; charset=utf-8"),
        ("sitemap.xml.gz", "application/gzip"),
        ("folder.css/CNAME", "application/octet-stream"),
        ("file.unheardof", "application/octet-stream"),
        ("file.", "application/octet-stream"),
        (".json", "application/json; charset=utf-8"),
    ],
)
def test_the_content_type_is_that_of_the_suffix(path, kind):
    assert content.type_of(path) == kind


def test_the_table_of_types_is_long_and_names_each_suffix_once():
    pairs = [one for suffixes in content._TABLES["types"].values() for one in suffixes.split()]
    assert len(pairs) == len(set(pairs)) > 250
    assert all(one == one.lower() for one in pairs)


@pytest.mark.parametrize(
    "path",
    [
        "assets/index-DcK91w0Q.js",
        "assets/app.ojvzaEOt.js",
        "assets/guide_start.md.BokAMzQD.lean.js",
        "assets/chunks/theme.Bc-7_xYz.js",
        "assets/inter-roman-latin.Di8DUHzh.woff2",
        "_next/static/chunks/main-app-7d5a2b1c3e4f5a6b.js",
        "_next/static/DbQmvxZNtXN-Yx_B7dVKc/_buildManifest.js",
        "_astro/client.DcK91w0Q.js",
        "static/js/main.abcde123.chunk.js",
        "assets/js/17896441.f6a5c3e2.js",
        "assets/images/docs-4b6c1d2e3f405162738495a6b7c8d9e0.png",
        "assets/javascripts/bundle.fe8b6f2b.min.js",
        "assets/images/my-name-fe8b6f2b.png",
        "docs/assets/main-7f61f8131234abcd.css",
    ],
)
def test_a_generators_hash_is_kept_for_ever(path):
    assert content.immutable(path)


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "page.1a2b3c4d.html",
        "assets/app.js",
        "assets/my-document.js",
        "assets/my-Document.png",
        "assets/how-to-do-it.png",
        "assets/step-01-run-2.png",
        "assets/holiday-IMG_2041.jpg",
        "app.ojvzaEOt.js",
        "reports/report-20260101.png",
        "logo.20240101a.png",
        "words/the-defacedbed.css",
        "words/the.deadbeef.css",
        "img/9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.png",
        "assets/9b1deb4d-3b7d-4bad-9bdd-2B0d7b3dcb6d.png",
        "sw-1a2b3c4d.js",
        "assets/sw-DcK91w0Q.js",
        "workbox-1a2b3c4d.js",
        "service-worker.1a2b3c4d.js",
        "tx.a1b2c3d4e5.json",
        "a.e71a0d61.dir/plain.js",
        "release-1.2.3.tar",
        "search/search_index.json",
    ],
)
def test_what_only_looks_like_a_hash_is_asked_for_again(path):
    assert not content.immutable(path)


@pytest.mark.parametrize(
    ("embed", "frame", "policy"),
    [
        (["self"], "SAMEORIGIN", "frame-ancestors 'self'"),
        (["self", "https://app.example"], None, "frame-ancestors 'self' https://app.example"),
        (["https://app.example"], None, "frame-ancestors https://app.example"),
        (["*"], None, None),
    ],
)
def test_the_settings_decide_who_may_frame_the_site(embed, frame, policy):
    found = content.site_headers("https", cors=False, embed=embed)
    assert (frame, policy) == (found.get("X-Frame-Options"), found.get("Content-Security-Policy"))
    assert "Access-Control-Allow-Origin" not in found
    assert content.site_headers("https", cors=True, embed=embed)["Access-Control-Allow-Origin"] == "*"


def test_transport_security_is_insisted_on_only_where_there_is_any():
    plain, secure = content.SECURITY_HEADERS["http"], content.SECURITY_HEADERS["https"]
    assert {name: value for name, value in secure.items() if name not in plain} == {
        "Strict-Transport-Security": "max-age=31536000"
    }
    assert plain.items() <= secure.items()
