"""The objects and the functions of the AWS half answer as the table of routes defines, in a real JavaScript engine."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
import quickjs
from hypothesis import example, given, settings
from hypothesis import strategies as some

from components.kinds.static import objects, rules
from components.kinds.static.bundle import Bundle, Entry
from components.kinds.static.routes import Answer, Routes, Settings
from components.targets.aws import edge
from components.web import headers as web

SITE = "https://docs.dao.example"


class Aws:
    """CloudFront and S3 as far as routes go: functions, objects by key, and no permission to list."""

    def __init__(self, routes: Routes, redirect_from: tuple[str, ...] = ()) -> None:
        body = b"".join(path.encode() for path in routes.files)
        entries, at = [], 0
        for path in routes.files:
            entries.append(Entry(path, at, len(path.encode())))
            at += len(path.encode())
        with io.FileIO(_file(body)) as tar:
            made = objects.objects(Bundle("0" * 64, len(body), tuple(entries), routes), tar.fileno())
        self.objects = {one.key: one for one in made}
        self.fetched = ""
        rules_ = objects.edge_rules(routes)
        self._request = _engine(edge.viewer_request(rules_, site=SITE, redirect_from=redirect_from))
        self._response = _engine(edge.viewer_response(rules_))

    def answer(self, target: str, method: str = "GET", host: str = "docs.dao.example") -> Answer:
        path, _, query = target.partition("?")
        request = {"method": method, "uri": path, "headers": {"host": {"value": host}}}
        decided = self._request({"request": request}, query)
        if "statusCode" in decided:
            found = {name: one["value"] for name, one in decided["headers"].items()}
            location = found.get("location", "")
            return Answer(decided["statusCode"], location=location, cache=found.get("cache-control", ""))
        self.fetched = decided["uri"]
        one = self.objects.get(unquote(decided["uri"], errors="strict")[1:])
        if one is None:
            page = self.objects[objects.MISSING_PAGE]
            file = page.body.path if isinstance(page.body, Entry) else ""
            return Answer(404, file, type=page.type, cache=page.cache)
        headers = {f"x-amz-meta-{name}": {"value": value} for name, value in one.metadata}
        headers |= {name: {"value": "x"} for name in ("etag", "x-amz-version-id")}
        response = {"statusCode": 200, "headers": headers}
        shown = self._response({"request": decided, "response": response}, query)
        own = {name: pair["value"] for name, pair in shown["headers"].items()}
        assert "*" == own.pop("access-control-allow-origin", "")
        assert not [name for name in own if name.startswith("x-amz-")]
        if "location" in own:
            assert "etag" not in own
            return Answer(shown["statusCode"], location=own["location"], cache=one.cache)
        own.pop("etag")
        assert isinstance(one.body, Entry)
        return Answer(200, one.body.path, type=one.type, cache=one.cache, headers=tuple(sorted(own.items())))


def _file(body: bytes) -> int:
    import os
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        return os.dup(file.fileno())


def _engine(code: str) -> Any:
    """Run a function as the service does; the event is of its runtime 2.0, whose requests know their raw query."""
    engine = quickjs.Context()
    engine.eval(code)
    call = engine.eval(
        "(function (event, query) { event = JSON.parse(event);"
        "event.request.rawQueryString = function () { return query };"
        "return JSON.stringify(handler(event)) })"
    )
    return lambda event, query: json.loads(call(json.dumps(event), query))


def alike(answer: Answer) -> tuple[Any, ...]:
    """Return what a visitor can see of an answer; Locations may differ in spelling."""
    headers = tuple(sorted((name.lower(), value) for name, value in answer.headers))
    path, _, query = answer.location.partition("?")
    kind = "" if answer.location else answer.type
    return answer.status, answer.file, unquote(path), query, kind, answer.cache, headers


NASTY = (
    *(
        "/",
        "/index",
        "/index/",
        "//",
        "/a//b",
        "/\\",
        "/%5C",
        "/%2F",
        "/a%2Fb",
        "/./",
        "/a/..",
        "/%2e%2e/",
        "/%",
        "/%ff",
    ),
    *(
        "/x",
        "/x/",
        "/x.js",
        "/x.",
        "/x?a=b&c=%2F",
        "/old",
        "/old/",
        "/old/x%20%3Fy/z",
        "/old/%C3%BC",
        "/b/1/%23/",
        "/app/x/y",
    ),
    *("/.unmoor/root", "/.unmoor/published.json", "/forced", "/forced/", "/constructor", "/__proto__", "/toString"),
)
RULES = (
    "",
    "/* /index.html 200\n",
    "/old/* /new/:splat 302\n/b/:c/:d https://x.example/:d?c=:c\n/app/* /index.html 200\n/forced /index.html 302!\n",
    "/* https://new.example/:splat 301!\n",
    "/old /index.html 200\n/index.html / 301!\n/a/* /old 307\n/ /a/ 302\n",
)
names = some.text(some.sampled_from("abA.ü+%?#&(~ "), min_size=1, max_size=3).filter(lambda n: n not in (".", ".."))
paths = some.lists(names, min_size=1, max_size=3).map("/".join)
sites = some.lists(some.one_of(paths, paths.map("{}.html".format), paths.map("{}/index.html".format)), max_size=6)


@settings(deadline=None, max_examples=150)
@given(
    sites,
    some.sampled_from([None, True, False]),
    some.booleans(),
    some.sampled_from(RULES),
    some.lists(paths, max_size=3),
    some.sampled_from(["GET", "HEAD", "POST"]),
)
@example(["a/index.html", "a.html", "404.html"], None, True, RULES[2], [], "GET")
@example(["a/index.html", "app/x.html"], False, True, RULES[4], [], "GET")
def test_the_aws_half_answers_by_the_table(files, slash, falls, text, asked, method):
    site = dict.fromkeys([*files, "index.html", "old.html"], 1)
    redirects, _ = rules.redirects(text, site)
    headers, _ = rules.headers("/*\n  X-A: 1\n/a/*\n  X-B: 2\n  Cache-Control: no-store\n/\n  X-C: 3\n")
    routes = Routes(site, Settings("index.html" if falls else "", slash, cache=60), redirects, headers)
    aws = Aws(routes)
    targets = {*NASTY, *(f"/{quote(path)}{ending}" for path in asked for ending in ("", "/", "?q=1"))}
    for path in site:
        for stem in {path, path.removesuffix(".html"), path.removesuffix("/index.html")}:
            targets |= {f"/{quote(stem)}{ending}" for ending in ("", "/", ".html", "/index.html", "/index?q")}
            targets.add("/" + "".join(f"%{byte:02x}" for byte in stem.encode()))
    for target in targets:
        assert alike(aws.answer(target, method)) == alike(routes.answer(target, method)), target


def test_every_spelling_of_an_address_is_one_in_the_cache():
    aws = Aws(Routes({"index.html": 1, "c++ (1).html": 1}))
    spellings = ("/c++%20(1).html", "/c%2B%2B%20%281%29.html", "/c%2b+%20(1).html", "/%63++%20(1).html")
    assert {"/c%2B%2B%20(1).html"} == {(aws.answer(one), aws.fetched)[1] for one in spellings}


def test_a_folders_redirect_is_spelled_as_browsers_write_addresses():
    """Applications that route in the browser compare what stands in its address line."""
    aws = Aws(Routes({"index.html": 1, "c++ ($&,;=:@!'()*)/index.html": 1}))
    assert "/c++%20($&,;=:@!'()*)/" == aws.answer("/c++%20($&,;=:@!'()*)").location
    aws = Aws(Routes({"a+b/index.html": 1}, Settings(trailing_slash=False)))
    assert "/a+b" == aws.answer("/a+b/").location


def test_other_hosts_lead_to_the_site_with_path_and_query():
    aws = Aws(Routes({"index.html": 1}), redirect_from=("www.dao.example", "dao.example"))
    assert f"{SITE}/a%20b?c=d" == aws.answer("/a%20b?c=d", host="WWW.dao.example").location
    assert f"{SITE}//evil.example" == aws.answer("//evil.example", host="dao.example").location
    assert 200 == aws.answer("/", host="constructor").status
    assert (301, 400) == (aws.answer("/", "POST", "dao.example").status, aws.answer("/%zz", host="dao.example").status)


def test_a_table_that_does_not_fit_into_a_function_is_a_fault():
    files = {"index.html": 1} | {f"page-number-{n}.html": 1 for n in range(500)}
    (fault,) = objects.faults(Routes(files, Settings(fallback="index.html")), site=SITE)
    assert "fallback" == fault.path
    assert "10,240 are allowed" in fault.message
    assert [] == list(objects.faults(Routes(files), site=SITE))


@pytest.mark.parametrize("fallback", ["", "index.html"])
def test_headers_that_do_not_fit_into_a_function_are_a_fault_of_their_setting(fallback):
    embed = tuple(f"https://app-{n}.dao.example" for n in range(2_000))
    (fault,) = objects.faults(Routes({"index.html": 1}, Settings(embed=embed, fallback=fallback)), site=SITE)
    assert "embed" == fault.path
    assert fault.message.endswith("the headers of every answer; name fewer origins")


def test_metadata_that_does_not_fit_is_a_fault():
    redirects, _ = rules.redirects(f"/old /{'ü' * 500}\n", {})
    (fault,) = objects.faults(Routes({"index.html": 1}, redirects=redirects), site=SITE)
    assert ("_redirects", True) == (fault.path, "S3 takes 2048" in fault.message)


def test_a_folder_with_the_longest_path_has_its_redirect():
    """Percent-encoded it would be 3 kB, and S3 takes 2 kB of metadata."""
    folder = "/".join(["ü" * 100] * 5)
    routes = Routes({"index.html": 1, f"{folder}/index.html": 1})
    assert [] == list(objects.faults(routes, site=SITE))
    assert alike(Aws(routes).answer(f"/{quote(folder)}?q")) == alike(routes.answer(f"/{quote(folder)}?q"))


@pytest.mark.parametrize("code", [edge.viewer_request(objects.edge_rules(Routes({})), site=SITE), edge._RESPONSE])
def test_the_functions_use_nothing_younger_than_ecmascript_5(code):
    assert not [
        word for word in ("=>", "const ", "let ", "`", "class ", "...", " of ", "**", "??", "?.") if word in code
    ]


def test_a_site_without_a_page_for_what_is_missing_has_the_stock_page():
    body = Aws(Routes({"index.html": 1})).objects[objects.MISSING_PAGE].body
    assert body == web.STOCK_PAGE
