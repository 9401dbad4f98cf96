"""How files are served is one table, and /healthz, pages and hashed assets each have their rule."""

from __future__ import annotations

import pytest

from components.web import headers as content


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("guide/", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
        ("a/B.CSS", "text/css; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("font.woff2", "font/woff2"),
        ("sitemap.xml.gz", "application/gzip"),
        ("CNAME", "application/octet-stream"),
        ("file.unheardof", "application/octet-stream"),
    ],
)
def test_the_content_type_is_that_of_the_suffix(path, kind):
    assert content.headers(path).type == kind


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("index.html", content.ALWAYS_FRESH),
        ("guide/", content.ALWAYS_FRESH),
        ("page.1a2b3c4d.html", content.ALWAYS_FRESH),
        ("404.html", content.ALWAYS_FRESH),
        ("assets/javascripts/bundle.e71a0d61.min.js", content.FOR_EVER),
        ("assets/main-7f61f8131234abcd.css", content.FOR_EVER),
        ("assets/app.js", content.SHORT),
        ("assets/my-document.js", content.SHORT),
        ("reports/report-20260101.pdf", content.SHORT),
        ("words/the-defacedbed.txt", content.SHORT),
        ("e71a0d61.js", content.SHORT),
        ("release-1.2.3.tar", content.SHORT),
        ("a.e71a0d61.dir/plain.js", content.SHORT),
        ("search/search_index.json", content.SHORT),
    ],
)
def test_only_a_name_with_a_content_hash_is_kept_for_ever(path, cache):
    assert content.headers(path).cache == cache


def test_a_changed_rule_has_another_fingerprint(monkeypatch):
    before = content.fingerprint()
    monkeypatch.setattr(content, "SHORT", "public, max-age=60")
    assert content.fingerprint() != before


def test_transport_security_is_insisted_on_only_where_there_is_any():
    plain, secure = content.SECURITY_HEADERS["http"], content.SECURITY_HEADERS["https"]
    assert {name: value for name, value in secure.items() if name not in plain} == {
        "Strict-Transport-Security": "max-age=31536000"
    }
    assert plain.items() <= secure.items()
