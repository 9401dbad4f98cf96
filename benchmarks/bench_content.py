"""Measure moving in: an import of 800 pages, and a crawl of 1,000 addresses on loopback.

Run: .venv/bin/python -m benchmarks.bench_content
The pages are those of the tests: every block of GitBook, 4.8 kB and a picture each. Other work on the machine counts in
what passes, not in processor time.
"""

from __future__ import annotations

import http.server
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.content.crawl import Crawl
from components.content.facts import Facts
from components.content.fetch import Client
from components.content.gitbook.convert import convert
from components.content.mapping import match

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = Path(__file__).parents[1] / "tests/fixtures/gitbook"
PAGES, ADDRESSES = 800, 1_000
#: Bytes of the picture on each page: 270 MB in all, as the space of the pilot has.
PICTURE = 337_500


def main() -> Iterator[dict[str, Any]]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as folder:
        yield from imported(Path(folder))
    yield from crawled()


def imported(folder: Path) -> Iterator[dict[str, Any]]:
    """Import a space of 800 pages that hold every block, and a picture each."""
    shutil.copytree(SPACE, folder / "space")
    text = (SPACE / "guides/blocks.md").read_text() + (SPACE / "guides/nested.md").read_text()
    pages = [f"guides/page-{number}.md" for number in range(PAGES)]
    for number, page in enumerate(pages):
        (folder / "space" / page).write_text(f"{text}\n\n![](<../.gitbook/assets/image ({number}).png>)\n")
        (folder / f"space/.gitbook/assets/image ({number}).png").write_bytes(bytes(PICTURE))
    with (folder / "space/SUMMARY.md").open("a") as summary:
        summary.write("".join(f"* [{page}]({page})\n" for page in pages))
    begin, begin_cpu = time.perf_counter(), time.process_time()
    made = convert(folder / "space", folder / "new")
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    yield {"name": f"import of {made.pages} pages", "value": round(seconds, 2), "unit": "s", "reach": 20}
    yield {"name": f"import of {made.pages} pages, processor", "value": round(cpu, 2), "unit": "s", "reach": None}
    lines = sum(1 for _ in made.screen())
    yield {"name": "lines of the report on a screen", "value": lines, "unit": "lines", "reach": 40}


class _Site(http.server.BaseHTTPRequestHandler):
    """A site of 1,000 pages of 20 kB, each of which links to ten others."""

    protocol_version = "HTTP/1.1"
    at_once = most = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Answer a page; count how many are asked at once."""
        with _Site.lock:
            _Site.at_once += 1
            _Site.most = max(_Site.most, _Site.at_once)
        number = int(self.path.rpartition("-")[2] or 0) if self.path.startswith("/page-") else 0
        known = self.path == "/" or self.path.startswith("/page-")
        links = "".join(f'<a href="/page-{(number * 10 + at) % (ADDRESSES - 1) + 1}">x</a>' for at in range(10))
        body = f"<title>Page {number}</title><h1>Page {number}</h1>{links}<p>{'some words of text ' * 1_000}".encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        with _Site.lock:
            _Site.at_once -= 1

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def crawled() -> Iterator[dict[str, Any]]:
    """Crawl a site of 1,000 addresses on loopback, and match them with pages of the same titles elsewhere."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with Client() as client:
            begin = time.perf_counter()
            found = Crawl(client, lambda _: None).run(f"http://127.0.0.1:{server.server_address[1]}").found
            seconds = time.perf_counter() - begin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    yield {"name": f"crawl of {len(found)} addresses", "value": round(seconds, 2), "unit": "s", "reach": 60}
    yield {"name": "requests at once", "value": _Site.most, "unit": "requests", "reach": 8}
    pages = {f"/new/{number}/": Facts(f"Page {number}") for number in range(ADDRESSES)}
    begin = time.perf_counter()
    matched = sum(bool(each.new) for each in match(found, pages, ()))
    seconds = time.perf_counter() - begin
    yield {"name": f"match of {matched} addresses by title", "value": round(seconds, 2), "unit": "s", "reach": None}


if __name__ == "__main__":
    for figure in main():
        print(figure)
