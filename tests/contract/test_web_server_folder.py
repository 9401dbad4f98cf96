"""What a web server before a folder serves, and what it does when stores fail. Real Caddy, a real shell.

Where BusyBox is on PATH its tools are used, as in the image; elsewhere this machine's, and then the tests cannot prove
that BusyBox's options are the same.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re

import psutil
import pytest

from components.kinds.static import bundle
from components.kinds.static.routes import Routes
from components.web import headers as content
from tests.contract.containers import MARK, folder_in, until, web_server

FILES = {
    "index.html": "<h1>docs</h1>",
    "404.html": "<h1>not here</h1>",
    "guide/index.html": "guide",
    "assets/app.1a2b3c4d.js": "1",
    "assets/report-20260101.pdf": "2",
    "assets/old.css": "body {}" * 200,
    ".well-known/security.txt": "mail us",
    "/".join(["a-folder-with-quite-a-name"] * 6) + "/grüße.html": "deep",
}


def packed(folder, files=FILES):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    tar = io.BytesIO()
    return bundle.pack(folder, tar).version, tar.getvalue()


@pytest.fixture
def served(container, shelves, tmp_path):
    """Return a container that serves the site."""
    version, tar = packed(tmp_path / "site")
    shelves[0].hold(version, tar)
    made = container(web_server(version, folder_in(shelves[0]), mark=MARK)).start()
    made.ready()
    return made


def test_every_file_is_served_as_it_is(served):
    assert {name: served.get(f"/{name}").text for name in FILES if name != "index.html"} == {
        name: text for name, text in FILES.items() if name != "index.html"
    }
    assert served.get("/").text == FILES["index.html"]
    assert served.get("/guide/").text == "guide"


def test_a_folder_without_its_slash_is_redirected(served):
    answer = served.get("/guide")
    assert (answer.status_code, answer.headers["location"]) == (301, "/guide/")


@pytest.mark.parametrize("path", ["", "guide/", *[name for name in FILES if "assets" in name]])
def test_types_and_cache_rules_are_those_of_the_table(served, path):
    answer = served.get(f"/{path}")
    wanted = Routes({name: len(text) for name, text in FILES.items()}).answer(f"/{path}")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (wanted.type, wanted.cache)


@pytest.mark.parametrize("path", ["/", "/healthz", "/missing", "/assets/app.1a2b3c4d.js"])
def test_every_answer_carries_the_security_headers_and_no_server_name(served, path):
    answer = served.get(path)
    assert {name: answer.headers.get(name) for name in content.SECURITY_HEADERS["http"]} == dict(
        content.SECURITY_HEADERS["http"]
    )
    assert "server" not in answer.headers


@pytest.mark.parametrize("path", ["/missing", "/missing.png", "/gone.1a2b3c4d.js"])
def test_an_address_that_is_not_there_gets_the_sites_own_page(served, path):
    answer = served.get(path)
    assert (answer.status_code, answer.text) == (404, FILES["404.html"])
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        content.TYPES[".html"],
        content.ALWAYS_FRESH,
    )
    assert "etag" not in answer.headers


def test_a_site_without_a_page_for_it_still_answers_404(container, shelves, tmp_path):
    version, tar = packed(tmp_path / "site", {"index.html": "x"})
    shelves[0].hold(version, tar)
    made = container(web_server(version, folder_in(shelves[0]))).start()
    made.ready()
    answer = made.get("/missing")
    assert (answer.status_code, answer.text) == (404, content.STOCK_PAGE.decode())


def test_text_is_compressed_and_asked_for_again_by_its_version(served):
    answer = served.get("/assets/old.css", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    again = served.get("/assets/old.css", headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_health_is_the_version_and_the_mark_as_fresh_text(served):
    answer = served.get("/healthz")
    assert answer.text.splitlines() == [served.server.version, MARK]
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        content.HEALTH_TYPE,
        content.ALWAYS_FRESH,
    )


def test_no_log_names_a_visitor_and_health_checks_are_not_logged(served):
    served.get("/guide/", headers={"X-Forwarded-For": "203.0.113.9", "User-Agent": "browser"})
    lines = until(lambda: [line for line in served.log().splitlines() if '"/guide/"' in line], "an access log line")
    assert json.loads(lines[0])["status"] == 200
    assert not re.search(r"203\.0\.113\.9|browser|client_ip|remote_ip", served.log())
    assert '"/healthz"' not in served.log()


def test_nothing_is_served_before_the_version_is_there_and_the_reason_is_shown(container, shelves, tmp_path):
    version, tar = packed(tmp_path / "site")
    made = container(web_server(version, folder_in(shelves[0]))).start()
    until(lambda: "no store gives" in made.get("/healthz").text, "the reason")
    assert [made.get(path).status_code for path in ("/", "/healthz", "/guide/", "/assets/old.css")] == [503] * 4
    assert made.get("/").headers["retry-after"] == "10"
    shelves[0].hold(version, tar)
    made.ready()


def test_with_one_store_gone_and_others_giving_other_bytes_the_last_is_used(container, shelf, tmp_path):
    version, tar = packed(tmp_path / "site")
    gone, wrong, cut, more, right = (shelf() for _ in range(5))
    wrong.hold(version, packed(tmp_path / "evil", {"index.html": "evil"})[1])
    cut.hold(version, tar[:-512])
    more.hold(version, tar + b"x")
    right.hold(version, tar)
    made = container(web_server(version, folder_in("http://127.0.0.1:9", gone, wrong, cut, more, right))).start()
    made.ready()
    assert made.get("/").text == FILES["index.html"]
    assert [each.asked for each in (gone, wrong, cut, more)] == [[f"/docs/{version}.tar"]] * 4


def test_other_bytes_are_never_served(container, shelves, tmp_path):
    version, _ = packed(tmp_path / "site")
    shelves[0].hold(version, packed(tmp_path / "evil", {"index.html": "evil"})[1])
    made = container(web_server(version, folder_in(shelves[0]))).start()
    until(lambda: len(shelves[0].asked) > 1, "a second try")
    assert made.get("/").status_code == 503


def test_a_restart_in_the_same_folder_serves_nothing_of_before(container, shelves, tmp_path):
    """A restart of the process keeps the folder; a new version must not show the old one meanwhile."""
    old, tar = packed(tmp_path / "site")
    new, _ = packed(tmp_path / "site", {"index.html": "new"})
    shelves[0].hold(old, tar)
    made = container(web_server(old, folder_in(shelves[0]))).start()
    made.ready()
    assert made.stop() == 0
    made.server = dataclasses.replace(made.server, version=new)
    made.start()
    until(lambda: made.get("/healthz").status_code == 503, "an answer")
    assert made.get("/").status_code == 503


def test_it_ends_on_sigterm_even_while_it_waits_for_a_store(container):
    made = container(web_server("0" * 64, folder_in("http://127.0.0.1:9"))).start()
    until(lambda: made.get("/healthz").status_code == 503, "an answer")
    assert made.stop() == 0


def test_it_ends_when_its_server_does_so_that_it_is_started_again(served):
    (caddy,) = [child for child in psutil.Process(served.process.pid).children() if child.name() == "caddy"]
    caddy.kill()
    assert served.process.wait(timeout=20) != 0
