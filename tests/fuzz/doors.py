"""The doors: how to make inputs for each, and how to push one through.

A door raises UnmoorError for what it refuses. Anything else, a message over 10 kB, more than two seconds or more than
200 MB is a find.
"""

from __future__ import annotations

import io
import json
import resource
import tarfile
import time
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import strategies as st

from components.errors import UnmoorError
from tests.contract.console_wire import KEY
from tests.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
ON = date(2026, 11, 26)
MESSAGE_BYTES, SECONDS, MEGABYTES = 10_000, 2.0, 200

Mutant = st.SearchStrategy[bytes]

#: What has a meaning of its own to a reader of YAML, JSON, names, numbers or terminals.
TOKENS = (
    "{", "}", "[", "]", "- ", ": ", "? ", "&a ", "*a", "<<: ", "!!int ", "!!python/name:os ", "|\n", ">-\n", "'",
    '"', "\n", "\n  ", "\t", "#", "%", "@", "---\n", "...\n", ".inf", ".nan", "-1", "1e999", "9" * 400, "0x",
    "2026-11-22", "null", "true",
    "\x00",
    "\x1b[2J", "\u202e", "\ud800", "\ufeff", "../", "/", "*", "\\", "%s", "{0}", "{input}", "a" * 3000,
)  # fmt: skip
WORDS = st.one_of(st.sampled_from(TOKENS), st.text(max_size=20), st.integers(-10, 10**6).map(str))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.sampled_from(TOKENS)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List where values stand in plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, item in items for below in _paths(item, (*path, key)))]


@st.composite
def changed(draw: Any, whole: Any) -> Any:
    """Change plain data in up to three places: a value for another, a key for another, or gone."""
    made = json.loads(json.dumps(whole, default=str))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(made)[1:] or [()]))
        if not path:
            return draw(VALUES)
        holder = made
        for part in path[:-1]:
            holder = holder[part]
        how = draw(st.integers(0, 3))
        if how == 0:
            del holder[path[-1]]
        elif how == 1 and isinstance(holder, dict):
            holder[draw(WORDS)] = holder.pop(path[-1])
        else:
            holder[path[-1]] = draw(VALUES)
    return made


def as_yaml(whole: Any) -> Mutant:
    """Make YAML of changed data, or of its text with pieces inserted, removed and repeated."""
    text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)
    written = changed(whole).map(lambda data: json.dumps(data, ensure_ascii=False).encode(errors="surrogatepass"))
    return st.one_of(written, spliced(text.encode()), st.binary(max_size=200))


@st.composite
def spliced(draw: Any, seed: bytes) -> bytes:
    """Change bytes in up to six places."""
    made = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(made)))
        end = min(len(made), start + draw(st.sampled_from((0, 0, 1, 2, 8, 64, 512))))
        piece = draw(st.one_of(WORDS.map(lambda word: word.encode(errors="surrogatepass")), st.binary(max_size=8)))
        made[start:end] = draw(st.sampled_from((piece, piece * 40, bytes(made[start:end]) * 3)))
    return bytes(made)


def stack(raw: bytes) -> None:
    """Plan a stack file: as `unmoor plan` and `unmoor review` do."""
    from components.config import models, yaml_text
    from components.plan.canonical import plan_hash
    from components.plan.stack import topology

    document = yaml_text.load(raw, "Pulumi.x.yaml", yaml_text.STACK)
    plan_hash(topology(models.settings_of(document, "Pulumi.x.yaml"), _registry(), None, built=False))


@cache
def _registry() -> Any:
    from components.project import builtin

    return builtin()


def inventory(raw: bytes) -> None:
    """Assess an inventory and write every form of the report."""
    from components.assess import adapter, assessment, courses, reading
    from components.assess.report import files, markdown
    from components.assess.report.document import document
    from components.config import yaml_text
    from components.prices.book import book

    try:
        text = yaml_text.decode(raw, yaml_text.TEXT)
    except yaml_text.TextError:
        return
    what = reading.parse(text, ON)
    whole = document(
        assessment.assess(what, courses.proposed(what, adapter.builds(_registry())), book(), ON, origin="x")
    )
    markdown.markdown(whole)
    files.as_json(whole)
    files.tables(whole)


def sdl(raw: bytes) -> None:
    """Check, mend and hash an Akash document; what is accepted has a manifest, and what is mended is still readable."""
    from components.targets.akash.sdl import document, groups, manifest, text
    from components.targets.akash.sdl.fix import fixed

    read, report = document.examine(raw, "x.yaml", 20.0)
    for problem in report.errors + report.warnings:
        assert len(str(problem)) < MESSAGE_BYTES
    mended = fixed(raw)
    if mended is not None:
        text.read(mended)
    if read is not None and report.accepted:
        manifest.version(manifest.manifest(read.data))
        groups.groups(read.data)
        groups.go_groups(read.data)
        document.dump(read)


def bundle(raw: bytes) -> None:
    """Read a bundle, and unpack what is safe."""
    import tempfile

    from components.kinds.static import bundle as bundles

    tar = io.BytesIO(raw)
    content = bundles.read(tar)
    with tempfile.TemporaryDirectory() as folder:
        bundles.unpack(tar, content, Path(folder) / "in")
        outside = [path for path in Path(folder).iterdir() if path.name != "in"]
        assert outside == []


def page(raw: bytes) -> None:
    """Judge the answer of a site, headers and all, as the probe does."""
    import httpcore

    from components.probe import client, probe

    class Stream(httpcore.MockStream):
        def get_extra_info(self, info: str) -> Any:
            """Return nothing: there is no TLS."""

    class Answers(httpcore.NetworkBackend):
        def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
            return Stream([raw[at : at + 1000] for at in range(0, len(raw), 1000)])

    class Towards(client._Towards):
        def __init__(self, *_: Any) -> None:
            self.connect_tcp = Answers().connect_tcp  # type: ignore[method-assign]

    kept, client._Towards = client._Towards, Towards  # type: ignore[misc]
    try:
        seen = client.visit("http://docs.dao.example/healthz", "203.0.113.7")
    finally:
        client._Towards = kept  # type: ignore[misc]
    said = probe.judge(seen, "ab" * 32)
    assert len(said) < MESSAGE_BYTES
    assert "\x1b" not in said + seen.body


def answers(raw: bytes) -> None:
    """Draft an inventory from the answers of a resolver, one a line."""
    from components.assess.discover import dns

    lines = raw.decode(errors="replace").splitlines() or [""]

    class Asker:
        def ask(self, name: str, kind: str) -> list[str]:
            """Return some lines; which ones depends on the question."""
            start = sum(name.encode(errors="replace") + kind.encode()) % len(lines)
            given = [line for line in lines[start : start + 3] if line.strip()]
            return [line for line in given if _is_address(line)] if kind in {"A", "AAAA"} else given

    found = dns.discover(Asker(), "dao.example", ["docs.dao.example"])  # type: ignore[arg-type]
    dns.drafts(found, {"docs.dao.example": "docs"})


def _is_address(line: str) -> bool:
    import ipaddress

    try:
        return bool(ipaddress.ip_address(line))
    except ValueError:
        return False


def step(raw: bytes) -> None:
    """Read the standard input of a step."""
    import sys

    from components.commands import step as command

    kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", errors="surrogateescape")
    try:
        command._given()
    except ValueError:
        return
    finally:
        sys.stdin = kept


#: Every question that a look at a deployment, at the account and at a market leads to (Console's own schemas).
CONSOLE_ROUTES = {
    "/v1/deployments": "list", "/v1/deployments/7": "show", "/v1/deployment/akash1me/7": "group", "/v1/bids": "bids",
    "/v1/user/me": "me", "/v1/wallets": "wallets", "/v1/balances": "balances", "/v1/providers/akash1p": "provider",
    "/v1/bid-screening": "screening",
}  # fmt: skip


def console(raw: bytes) -> None:
    """Read what a Console answers: a deployment, its market, the account with its runway, candidates for a document."""
    import httpx

    from components.targets.akash.rails.console import ConsoleRail
    from components.targets.akash.rails.console_client import Console
    from tests.contract.console_wire import ENV, WANT, StillClock

    try:
        answers = json.loads(raw)
    except ValueError:
        answers = None

    def answer(asked: httpx.Request) -> httpx.Response:
        route = CONSOLE_ROUTES.get(asked.url.path, "")
        if isinstance(answers, dict):
            body = json.dumps(answers.get(route)).encode(errors="surrogatepass")
            return httpx.Response(200 if route in answers else 404, content=body)
        return httpx.Response(200, content=raw)

    def rail() -> ConsoleRail:
        clock = StillClock()
        return ConsoleRail(clock, Console(clock, ENV, httpx.MockTransport(answer)))

    seen: list[str] = []
    refused: list[UnmoorError] = []
    for ask in (
        lambda: rail().observe(WANT),
        lambda: rail().look("7"),
        lambda: rail().runway(rail().account()),
        lambda: rail().screen({"requirements": {}}, 5.0),
        lambda: rail().gateway("akash1p"),
        lambda: rail().is_open("7"),
    ):
        try:
            seen.append(str(ask()))
        except UnmoorError as error:
            refused.append(error)
    for text in (*seen, *map(str, refused)):
        assert "\x1b" not in text
        assert KEY not in text
    if refused:
        raise refused[0]


def _console() -> Mutant:
    """Change right answers, some of them as JSON that json.dumps would not write."""
    right = (CORPUS / "console" / "right").read_bytes()
    whole = changed(json.loads(right)).map(lambda data: json.dumps(data).encode(errors="surrogatepass"))
    return st.one_of(whole, spliced(right), st.binary(max_size=200))


@dataclass(frozen=True)
class Door:
    """One door: what is pushed through it, and how."""

    inputs: Callable[[], Mutant]
    push: Callable[[bytes], None]


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in ("index.html", "guide/index.html", "a" * 120):
            entry = tarfile.TarInfo(name)
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"hello"))
    return out.getvalue()


def _headers() -> Mutant:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n\r\n" + b"ab" * 32
    chunks = b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    return st.one_of(spliced(head), spliced(chunks), st.binary(max_size=300))


def _stack() -> Mutant:
    return as_yaml({"config": {f"unmoor:{key}": value for key, value in settings("active-standby").items()}})


DOORS: dict[str, Door] = {
    "stack": Door(_stack, stack),
    "inventory": Door(lambda: as_yaml(yaml.safe_load((ROOT / "stacks" / "inventory.yaml").read_text())), inventory),
    "sdl": Door(lambda: as_yaml(yaml.safe_load((ROOT / "sdl" / "docs.yaml").read_text())), sdl),
    "bundle": Door(lambda: spliced(_tar()), bundle),
    "console": Door(_console, console),
    "page": Door(_headers, page),
    "answers": Door(
        lambda: spliced(b"ns1.example.net\n10 mx.example.net\n203.0.113.7\ncdn.example.net\n'v=spf1'\n2001:db8::1\n"),
        answers,
    ),
    "step": Door(lambda: as_yaml({"url": "https://a", "stores": {"a": {"vendor": "aws"}}, "n": 1.5}), step),
}  # fmt: skip


def push(name: str, raw: bytes) -> None:
    """Push one input through a door. Raises AssertionError, or what the door raises except UnmoorError."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        DOORS[name].push(raw)
    except UnmoorError as error:
        said = str(error)
        assert len(said.encode(errors="surrogatepass")) < MESSAGE_BYTES, f"a message of {len(said):,} characters"
        assert "\x1b" not in said
    passed = time.process_time() - began
    assert passed < SECONDS, f"{passed:.1f} s"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MEGABYTES, f"{grown} MB"


def corpus(name: str) -> list[Path]:
    """List the kept inputs of a door: each was a find, or leads far in."""
    return sorted((CORPUS / name).glob("*"))
