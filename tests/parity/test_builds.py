"""Sites as real generators write them: every address alike, every link leads somewhere, every asset kept for ever."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from components.kinds.static import bundle
from components.web import headers as web
from tests.parity import built
from tests.parity.crawl import crawl
from tests.parity.reference import Reference

#: The value of an attribute that leads somewhere, with quotes or without.
LINK = re.compile(r'\s(?:href|src)=(?:"([^"]*)"|([^"\s>]+))')


@pytest.fixture(params=list(built.BUILDS))
def built_site(request):
    try:
        return request.param, built.site(request.param)
    except built.Missing as missing:
        pytest.skip(str(missing))


def test_a_built_site_is_served_alike_and_by_the_contract(halves, built_site):
    name, folder = built_site
    (routes, *_) = [half.publish(folder, built.BUILDS[name].options).routes for half in halves]
    assert [] == crawl(routes, folder, [*halves, Reference(routes, folder)])


def test_every_link_of_a_built_site_leads_to_a_page(built_site):
    """From every address at which its page answers, with and without slash."""
    name, folder = built_site
    routes = bundle.survey(folder, built.BUILDS[name].options.reading()).routes
    links = 0
    for address, answer in routes.table().items():
        if answer.status != 200 or not answer.file.endswith(".html"):
            continue
        text = (folder / answer.file).read_text(encoding="utf-8")
        for link in ("".join(found) for found in LINK.findall(text)):
            target = urlsplit(urljoin(f"https://h{address.replace('%', '%25').replace('?', '%3F')}", unescape(link)))
            if target.netloc == "h" and answer.file != "404.html":
                found = routes.answer(target.path)
                assert 200 == (routes.answer(found.location) if found.location else found).status, (address, link)
                links += 1
    assert links


def test_hashed_assets_of_a_built_site_are_kept_for_ever(built_site):
    """Some in a hundred hashes look like words and are asked for again, which is the safe side."""
    name, folder = built_site
    below = built.BUILDS[name].assets
    if not below:
        pytest.skip(f"{name} writes no names with hashes")
    files = [path for place in below for path in (folder / place).rglob("*.*") if path.suffix not in {".map", ".txt"}]
    names = [path.relative_to(folder).as_posix() for path in files]
    hashed = [one for one in names if not one.startswith(("assets/javascripts/lunr", "assets/images/favicon"))]
    kept = [one for one in hashed if web.immutable(one)]
    assert len(kept) > 0.8 * len(hashed) > 0, sorted(set(hashed) - set(kept))
