"""A command that is recorded does what it does alone; what it exchanges is kept, without what must not be seen."""

from __future__ import annotations

import ast
import http.server
import json
import os
import signal
import socketserver
import stat
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.rrset
import pytest

from components.commands import record
from sandbox.state import REPOSITORY
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, SECRET = "ac.sk.production.zqxjwvkypt", "wJalrXUtnFEMIbPxRfiCYzKq"
ZONE, OWNER, DSEQ, ACCOUNT = (
    "quillmarkdao.xyz",
    "akash1zqxjwvkyptrnmlhdgfcsb0987654321zqxjwv",
    "24681357",
    "904871265533",
)
CANARIES = (KEY, SECRET, ZONE, "quillmark", OWNER, DSEQ, ACCOUNT, "45.77.201.19", "Zorvath", "zorvathforum")
DEPLOYMENT = {"data": {"owner": OWNER, "dseq": DSEQ, "state": "active", "by": "Zorvath", "of": f"hello@{ZONE}", "n": 7}}
BUCKETS = (
    f'<?xml version="1.0"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>{ACCOUNT}</ID>'
    "</Owner><Buckets><Bucket><Name>quillmark-backups</Name></Bucket></Buckets></ListAllMyBucketsResult>"
)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body, kind = {
            "/page": (f"<p>{ZONE}</p>" * 9, "text/html"),
            "/healthz": (f"{'c0ffee11' * 8}\n{OWNER}\n", "text/plain"),
            "/broken": (f'{{"message": "Zorvath of {ACCOUNT} may not"}}', "application/json"),
            "/": (BUCKETS, "application/xml"),
        }.get(self.path.partition("?")[0], (json.dumps(DEPLOYMENT), "application/json"))
        self.send_response(403 if self.path == "/broken" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", f"s={SECRET}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class _Names(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query = dns.message.from_wire(self.request[0])
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "45.77.201.19"))
        self.request[1].sendto(answer.to_wire(), self.client_address)


@pytest.fixture(scope="module")
def outside() -> Iterator[dict[str, str]]:
    """Yield the variables by which a program reaches a web server and a name server of this test."""
    web = Loopback(("127.0.0.1", 0), _Answer)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Names)
    for each in (web, names):
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield {
        "WEB": f"http://127.0.0.1:{web.server_port}", "UNMOOR_RESOLVER": f"127.0.0.1:{names.server_address[1]}",
        "AKASH_CONSOLE_API_KEY": KEY, "AWS_ACCESS_KEY_ID": "AKIAZQXJWVKYPTRNMLHD", "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1", "NO_PROXY": "*",
    }  # fmt: skip
    for each in (web, names):
        each.shutdown()
        each.server_close()


#: All that our clients do: one exchange of each kind, what came of it printed.
PROGRAM = f"""
import os, boto3, httpx
from components import resolver
from components.probe.client import visit
web, key = os.environ["WEB"], os.environ["AKASH_CONSOLE_API_KEY"]
with httpx.Client(base_url=web, headers={{"x-api-key": key, "Authorization": "Bearer " + key}}) as console:
    print(console.get("/v1/deployments/{DSEQ}", params={{"owner": "{OWNER}"}}).json())
    print(console.post("/v1/leases", json={{"manifest": "zorvathforum", "certificate": key}}).status_code)
    print(console.get("/broken").status_code)
with httpx.stream("GET", web + "/page") as page:
    print(len(b"".join(page.iter_bytes(7))))
print(visit(web + "/healthz").status)
print(resolver.records("docs.{ZONE}", "A"))
print([each["Name"] for each in boto3.client("s3", endpoint_url=web).list_buckets()["Buckets"]])
try:
    httpx.get("http://127.0.0.1:1/")
except httpx.ConnectError:
    print("refused")
"""


def run(folder: Path, out: Path | None, environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command from a folder, recorded if there is an `out`."""
    first = [sys.executable, "-m", "components", "record", "--out", str(out), "--"] if out else []
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environ}
    return subprocess.run([*first, *command], cwd=folder, env=environ, capture_output=True, text=True, check=False)


@dataclass
class Recorded:
    """What the program did under `unmoor record` and alone, and the folder of its exchanges."""

    done: subprocess.CompletedProcess[str]
    alone: subprocess.CompletedProcess[str]
    out: Path

    def of(self, label: str) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.out.glob(f"*-{label}.json"))]


@pytest.fixture(scope="module")
def recorded(outside: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "Pulumi.prod.yaml").write_text(
        f"config:\n  unmoor:zone: {ZONE}\n  unmoor:workloads:\n    zorvathforum:\n      host: docs.{ZONE}\n"
    )
    command = (sys.executable, "-c", PROGRAM)
    return Recorded(
        run(folder, folder / "out", outside, *command), run(folder, None, outside, *command), folder / "out"
    )


def test_the_command_does_what_it_does_alone(recorded: Recorded) -> None:
    assert recorded.alone.returncode == 0, recorded.alone.stderr
    assert (recorded.done.returncode, recorded.done.stdout) == (0, recorded.alone.stdout)
    assert recorded.done.stdout.endswith("refused\n")
    assert recorded.done.stderr == f"unmoor record: 8 exchanges in {recorded.out}; read them before you share them\n"


def test_no_canary_is_in_any_file_or_name_of_one(recorded: Recorded) -> None:
    for path in recorded.out.iterdir():
        text = (path.name + path.read_text()).lower()
        assert [canary for canary in CANARIES if canary.lower() in text] == [], path.name
        assert os.environ.get("HOME", "/root") not in text


def test_files_are_for_their_user_alone(recorded: Recorded) -> None:
    assert stat.S_IMODE(recorded.out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in recorded.out.iterdir()} == {0o600}


def test_an_exchange_with_the_console_is_readable(recorded: Recorded) -> None:
    shown = recorded.of("http-GET")[0]
    request, answer = shown["request"], shown["answer"]
    assert request["path"].startswith("/v1/deployments/")
    assert len(request["path"]) == len(f"/v1/deployments/{DSEQ}")
    assert request["query"]["owner"] == answer["body"]["data"]["owner"] != OWNER
    assert (request["headers"]["x-api-key"], request["headers"]["authorization"]) == ("(not kept)", "(not kept)")
    assert answer["headers"]["set-cookie"] == "(not kept)"
    assert (answer["status"], answer["body"]["data"]["state"], answer["body"]["data"]["n"]) == (200, "active", 7)
    posted = recorded.of("http-POST")[0]["request"]["body"]
    assert posted == {"manifest": posted["manifest"], "certificate": "***"}


def test_refusals_pages_and_health_are_kept_as_far_as_they_matter(recorded: Recorded) -> None:
    refused, page, health, nothing = recorded.of("http-GET")[1:]
    assert (refused["answer"]["status"], refused["answer"]["body"]["message"].split()[-2:]) == (403, ["may", "not"])
    assert page["answer"]["body"] == {"bytes": len(f"<p>{ZONE}</p>" * 9)}
    assert len(health["answer"]["body"].split()[0]) == 64
    assert nothing["error"] == "ConnectError"


def test_dns_and_aws_are_kept(recorded: Recorded) -> None:
    (asked,) = recorded.of("dns-A")
    (record,) = asked["answer"]["answer"]
    assert (asked["answer"]["rcode"], "AA" in asked["answer"]["flags"]) == ("NOERROR", True)
    assert record["host"] == asked["request"]["host"] != f"docs.{ZONE}."
    assert record["value"].startswith("198.1")
    (listed,) = recorded.of("aws-ListBuckets")
    assert (listed["request"]["service"], listed["answer"]["status"]) == ("s3", 200)
    assert len(listed["answer"]["body"]["Buckets"][0]["Name"]) == len("quillmark-backups")


@pytest.mark.parametrize(
    ("command", "code"),
    [(("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -9 $$"), 137), (("no-such-program",), 127)],
)
def test_the_exit_code_is_the_commands(tmp_path: Path, command: tuple[str, ...], code: int) -> None:
    assert run(tmp_path, tmp_path / "out", {}, *command).returncode == code


def test_what_cannot_be_written_is_one_warning_and_the_command_goes_on(outside: dict[str, str], tmp_path: Path) -> None:
    """The folder is gone when the first exchange comes: in the program, and in a second one that it starts."""
    again = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PROGRAM!r}], check=True)"
    gone = f"import os; os.rmdir({str(tmp_path / 'out')!r})\n{PROGRAM}\n{again}"
    done = run(tmp_path, tmp_path / "out", outside, sys.executable, "-c", gone)
    assert (done.returncode, done.stdout.count("refused")) == (0, 2)
    assert done.stderr.splitlines() == [
        f"unmoor record: the recording in {tmp_path / 'out'} is not whole: No such file or directory",
        f"unmoor record: 0 exchanges in {tmp_path / 'out'}; read them before you share them",
    ]


def test_a_full_disk_leaves_no_half_of_a_file(outside: dict[str, str], tmp_path: Path) -> None:
    full = f"""
import errno, os
def write(handle, *given, **named):
    os.close(handle)
    raise OSError(errno.ENOSPC, "full")
import components.recording.notes as notes
class Full:
    def __getattr__(self, name):
        return write if name == "fdopen" else getattr(os, name)
notes.os = Full()
{PROGRAM}"""
    done = run(tmp_path, tmp_path / "out", outside, sys.executable, "-c", full)
    assert (done.returncode, list((tmp_path / "out").iterdir())) == (0, [])
    assert "is not whole: No space left on device" in done.stderr


def test_a_folder_with_something_in_it_is_refused_before_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    (tmp_path / "out").chmod(0o755)
    done = run(tmp_path, tmp_path / "out", {}, "touch", "ran")
    assert (done.returncode, (tmp_path / "ran").exists()) == (1, False)
    assert done.stderr == f"{tmp_path / 'out'} is not empty; choose another folder: --out\n"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


def test_an_empty_folder_that_was_there_becomes_its_users_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    assert run(tmp_path, tmp_path / "out", {}, "true").returncode == 0
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_signal_reaches_the_command_which_may_end_in_its_own_way(tmp_path: Path) -> None:
    script = "trap 'echo ended; exit 5' TERM; touch ready; while :; do sleep 0.05; done"
    words = [sys.executable, "-m", "components", "record", "--out", "out", "--", "sh", "-c", script]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.Popen(
        words, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True
    )  # fmt: skip
    until = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    try:
        assert (child.communicate(timeout=60)[0], child.returncode) == ("ended\n", 5)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


def test_a_signal_while_the_command_is_started_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def signalled(*given: Any, **named: Any) -> Any:
        child = start(*given, **named)
        os.kill(os.getpid(), signal.SIGTERM)
        return child

    monkeypatch.setattr(subprocess, "Popen", signalled)
    assert record._run(("sleep", "60"), dict(os.environ)) == 128 + signal.SIGTERM


#: Libraries that speak HTTP past the doors, and where one is imported for another reason.
PAST = {"requests", "urllib3", "aiohttp", "http.client", "urllib.request", "websockets", "pycurl"}
KNOWN = {("dns/cloudflare.py", "requests"), ("probe/client.py", "urllib.request")}


def test_no_client_of_ours_goes_past_the_doors() -> None:
    """Cloudflare's is octoDNS', which the manual names; the probe asks urllib for the environment's proxies alone."""
    root = REPOSITORY / "components"
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {(str(path.relative_to(root)), name) for name in names if name in PAST}
    assert found == KNOWN


def test_without_the_variable_nothing_is_hooked() -> None:
    look = "import components, sys; print([name for name in sys.modules if 'recording.' in name or name == 'httpcore'])"
    done = subprocess.run([sys.executable, "-c", look], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_settings_that_cannot_be_read_leave_the_program_alone(outside: dict[str, str], tmp_path: Path) -> None:
    environ = {**outside, "UNMOOR_RECORDING": str(tmp_path / "nothing")}
    done = run(tmp_path, None, environ, sys.executable, "-c", PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")
