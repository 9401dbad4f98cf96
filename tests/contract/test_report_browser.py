"""The report's page in a real browser: a phone's width, both colour schemes, paper, and no request.

What people find readable cannot be proved here; that nothing overflows, hides or fades can.
"""

# ruff: noqa: E501 the script in the page keeps its lines
from __future__ import annotations

import contextlib
import html
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components.assess.report.document import document
from components.assess.report.page import page
from tests.loopback import Loopback

from ..pure.assess_samples import example

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on PATH: install the distribution's package")

#: A page of ours that shows the report in a frame and writes down what it measures there.
CHECK = """<!doctype html><body><iframe src="report.html" style="width:WIDTHpx;height:800px;border:0"></iframe>
<pre id="out"></pre><script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const page = frame.contentDocument, win = frame.contentWindow;
  const light = c => { const [r,g,b] = c.match(/[\\d.]+/g).slice(0,3).map(v => { v /= 255; return v <= .04045 ? v/12.92 : ((v+.055)/1.055)**2.4 });
    return .2126*r + .7152*g + .0722*b };
  const under = e => { for (; e; e = e.parentElement) { const c = win.getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c) && c !== "transparent") return c } };
  const contrast = e => { const a = light(win.getComputedStyle(e).color), b = light(under(e)); return (Math.max(a,b)+.05)/(Math.min(a,b)+.05) };
  const faint = {};
  for (const s of ["body", ".soft", ".tag.High", ".tag.Medium", ".tag.Low", ".kicker", "caption", "a", ".chip", "thead th"])
    for (const e of page.querySelectorAll(s)) { const c = contrast(e); if (!(faint[s] <= c)) faint[s] = Math.round(c*100)/100 }
  const details = [...page.querySelectorAll("details")];
  const closed = details[0].offsetHeight; details.forEach(d => d.open = true);
  const wide = [...page.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && !e.closest(".vh") && !e.classList.contains("skip")
    && e.getBoundingClientRect().right > win.innerWidth + 1).map(e => e.outerHTML.slice(0, 80));
  document.getElementById("out").textContent = JSON.stringify({
    scroll: page.documentElement.scrollWidth, wide, faint, background: win.getComputedStyle(page.body).backgroundColor,
    opened: details[0].offsetHeight > closed, details: details.length, title: page.title,
    unnamed: [...page.querySelectorAll("table")].filter(t => !t.querySelector("th")).length,
    requests: win.performance.getEntriesByType("resource").map(e => e.name) });
});
</script>"""


class Recorder(http.server.SimpleHTTPRequestHandler):
    """Serves the folder, and writes down every address that is asked for, a proxy's requests too."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = page(document(example()))
    folder = tmp_path_factory.mktemp("report")
    (folder / "report.html").write_text(text, encoding="utf-8")
    alone, _, rest = text.partition("</section>")
    (folder / "vote.html").write_text(f"{alone}</section></main></body></html>", encoding="utf-8")
    assert '<section class="vote"' in alone
    assert rest
    for width in (390, 1100):
        (folder / f"check-{width}.html").write_text(CHECK.replace("WIDTH", str(width)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    server = Loopback(("127.0.0.1", 0), lambda *a, **k: Recorder(*a, directory=str(folder), **k))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def browse(profile: Path, *arguments: str) -> str:
    """Start the browser in a process group of its own, wait, and end the group."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--disable-component-update", "--disable-default-apps", "--disable-sync", "--disable-extensions",
        "--disable-dev-shm-usage", "--hide-scrollbars", f"--user-data-dir={profile}", *arguments,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True, env=environment
    )
    try:
        out, _ = process.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return out


def measure(site: str, profile: Path, width: int, scheme: int) -> dict[str, Any]:
    dom = browse(
        profile,
        f"--blink-settings=preferredColorScheme={scheme}",
        "--virtual-time-budget=10000",
        "--window-size=1300,900",
        "--dump-dom",
        f"{site}/check-{width}.html",
    )
    found = re.search(r'<pre id="out">(.*?)</pre>', dom, flags=re.DOTALL)
    assert found, dom[-500:]
    return json.loads(html.unescape(found[1]))


DARK, LIGHT = 0, 1


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("scheme", [DARK, LIGHT])
def test_nothing_overflows_and_everything_can_be_read(site: str, tmp_path: Path, width: int, scheme: int):
    seen = measure(site, tmp_path, width, scheme)
    assert seen["wide"] == []
    assert seen["scroll"] <= width
    assert {name: ratio for name, ratio in seen["faint"].items() if ratio < 4.5} == {}
    assert len(seen["faint"]) == 10
    assert (seen["opened"], seen["details"], seen["unnamed"]) == (True, 13 + 4, 0)
    assert seen["requests"] == []
    red = int(re.findall(r"\d+", seen["background"])[0])
    assert (red < 64) if scheme == DARK else (red > 192)


def test_no_request_leaves_the_page(site: str, folder: Path, tmp_path: Path):
    """The page is opened from disk, and everything asked for goes to a proxy that writes it down.

    The browser itself asks its maker for updates regardless of settings; the page names none of those hosts.
    """
    Recorder.asked.clear()
    dom = browse(
        tmp_path,
        f"--proxy-server={site}",
        "--proxy-bypass-list=<-loopback>",
        "--virtual-time-budget=5000",
        "--dump-dom",
        (folder / "report.html").as_uri(),
    )
    assert "The motion" in dom
    own = re.compile(r"^(https?://)?[a-z0-9.-]+\.(google|googleapis|gvt1)\.com\b")
    assert not re.search(r"(google|googleapis|gvt1)\.com", dom)
    assert [address for address in Recorder.asked if not own.match(address)] == []


@pytest.mark.parametrize(("name", "least", "most"), [("report.html", 4, 10), ("vote.html", 1, 1)])
def test_the_report_prints_in_ten_pages_and_the_vote_on_one(
    site: str, tmp_path: Path, name: str, least: int, most: int
):
    target = tmp_path / "report.pdf"
    browse(tmp_path / "profile", f"--print-to-pdf={target}", "--no-pdf-header-footer", f"{site}/{name}")
    pages = target.read_bytes().count(b"/Type /Page\n") + target.read_bytes().count(b"/Type/Page\n")
    assert target.read_bytes().startswith(b"%PDF")
    assert least <= pages <= most
