"""The halves answer alike at every address, as the contract defines; the crawler finds any that does not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from components.kinds.static import bundle
from components.kinds.static.kind import StaticOptions
from tests.parity import hostile
from tests.parity.crawl import crawl, moved, targets
from tests.parity.reference import Reference


def crawled(halves, folder, options):
    (routes, *_) = [half.publish(folder, options).routes for half in halves]
    return crawl(routes, folder, [*halves, Reference(routes, folder)])


@pytest.mark.parametrize(
    ("rules", "options"),
    [
        (True, StaticOptions()),
        (False, StaticOptions(trailing_slash=True, cache=60)),
        (True, StaticOptions(trailing_slash=False, fallback="about.html")),
    ],
    ids=["as the files are, with rules", "with a slash", "without a slash, with a fallback and rules"],
)
def test_a_site_of_hostile_names_is_served_alike_and_by_the_contract(halves, tmp_path, rules, options):
    assert [] == crawled(halves, hostile.write(tmp_path, rules=rules), options)


def test_a_site_with_one_page_has_the_stock_page_for_the_rest(halves, tmp_path):
    (tmp_path / "index.html").write_text("one")
    assert [] == crawled(halves, tmp_path, StaticOptions())


def test_every_address_of_another_host_leads_to_the_same_at_the_site(halves, tmp_path):
    """Missing and hostile ones too, and by every method: nothing but a percent sign that means nothing is refused."""
    (routes, *_) = [half.publish(hostile.write(tmp_path, rules=False), StaticOptions()).routes for half in halves]
    assert [] == moved(routes, halves)


def test_the_crawler_finds_another_host_that_leads_elsewhere(tmp_path):
    folder = hostile.write(tmp_path, rules=False)
    routes = bundle.survey(folder, StaticOptions().reading()).routes
    answers_itself = Reference(routes, folder)
    assert {"GET: status 200, leads to ''"} <= {one.what for one in moved(routes, [answers_itself])}


class Wrong(Reference):
    """A half with one fault."""

    name = "wrong"

    def __init__(self, routes, folder, change):
        super().__init__(routes, folder)
        self._change = change

    def ask(self, target, method="GET", headers=None):
        return self._change(target, method, headers or {}, super().ask(target, method, headers))


def at(path, **changes):
    def change(target, method, headers, reply):
        if target.partition("?")[0] != path or method == "POST":
            return reply
        headers = {**reply.headers, **changes.get("headers", {})}
        return replace(reply, **{**changes, "headers": headers})

    return change


def without(name, wanted=None):
    def change(target, method, headers, reply):
        left = {key: value for key, value in reply.headers.items() if key != name}
        return replace(reply, headers=left) if wanted is None or wanted in headers else reply

    return change


def whole(target, method, headers, reply):
    return replace(reply, status=200) if "Range" in headers else reply


def known_by_any(target, method, headers, reply):
    return replace(reply, status=304, body=b"") if "If-None-Match" in headers else reply


FAULTS = {
    "a page that is missing": at("/about", status=404),
    "a folder without its redirect": at("/docs/intro", status=404),
    "another permanent status": at("/docs/intro", status=308),
    "an open redirect": at("/docs/intro", headers={"location": "//evil.example/docs/intro/"}),
    "a redirect that loses the query": at("/docs/intro", headers={"location": "/docs/intro/"}),
    "another body": at("/about", body=b"something else"),
    "another type": at("/pic.PNG", headers={"content-type": "text/plain"}),
    "another cache class": at("/sw-1a2b3c4d.js", headers={"cache-control": "public, max-age=31536000, immutable"}),
    "a listing of the bucket": at("//", status=200),
    "a file of unmoor's": at("/.unmoor/rules.json", status=200),
    "a missing page that is forbidden": at("/no-such-page", status=403),
    "a missing header": without("x-frame-options"),
    "no compression": without("content-encoding"),
    "no ETag": without("etag"),
    "no ranges": whole,
    "an answer to every condition": known_by_any,
    "a refusal without its methods": without("allow"),
}


@pytest.mark.parametrize("change", FAULTS.values(), ids=FAULTS.keys())
def test_the_crawler_finds_a_half_with_a_fault(tmp_path, change):
    folder = hostile.write(tmp_path, rules=False)
    routes = bundle.survey(folder, StaticOptions().reading()).routes
    assert {"wrong"} <= {one.half for one in crawl(routes, folder, [Wrong(routes, folder, change)])}


def test_the_crawler_finds_where_halves_differ_in_what_the_contract_leaves_open(tmp_path):
    folder = hostile.write(tmp_path, rules=False)
    routes = bundle.survey(folder, StaticOptions().reading()).routes
    right, wrong = Reference(routes, folder), Wrong(routes, folder, without("etag"))
    assert "table | wrong" in {one.half for one in crawl(routes, folder, [right, wrong])}


def test_every_file_is_asked_for_in_two_spellings(tmp_path):
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "a-b c+.txt").write_text("x")
    asked = targets(bundle.survey(tmp_path).routes)
    assert {"/a-b%20c+.txt", "/a%2db%20c%2B.txt", "/index", "/index.html", "/", "/no-such-page"} <= set(asked)


def run(*words):
    return subprocess.run([sys.executable, "-m", "tests.parity", *words], capture_output=True, text=True, check=False)


def test_the_command_shows_what_it_found(tmp_path):
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "about.html").write_text("x")
    done = run(str(tmp_path), "--half", "table", "--option", "fallback=index.html", "--json")
    assert (0, [], 5) == (done.returncode, json.loads(done.stdout)["findings"], json.loads(done.stdout)["addresses"])
    done = run(str(tmp_path), "--half", "table", "--option", "fallback=nope.html")
    assert (2, True) == (done.returncode, "names nope.html, which is no file of the site" in done.stderr)
    done = run(str(tmp_path), "--half", "table", "--option", "fallbak=x")
    assert (2, True) == (done.returncode, "fallbak" in done.stderr)
