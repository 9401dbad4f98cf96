"""The web server of a container as data: what of the topology is in its configuration, and what an update changes.

That Caddy takes the configuration, and what it does by it, is shown by tests/contract.
"""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from components.web import headers as content
from components.web.caddy import addresses
from components.web.caddy.folder import Folder
from components.web.caddy.server import WebServer, front
from components.web.caddy.upstream import Upstream

STORES = (("aws", "https://store.example/bucket"), ("storj", "https://other.example/raw/KEY/bucket"))
BEHIND = {"folder": Folder(STORES, "docs", 10_240, 7), "application": Upstream("app:8080", "/health", match="ok")}
EACH = [(scheme, name) for scheme in ("http", "https") for name in BEHIND]


def server(scheme: str = "https", behind: str = "folder") -> WebServer:
    return WebServer(
        scheme=scheme,
        host="docs.dao.example",
        site_host="docs-akash.dao.example",
        peer="docs-aws.dao.example",
        acme_directory="https://acme.example/dir",
        version="ab" * 32,
        behind=BEHIND[behind],
        redirect_from=("www.dao.example", "dao.example"),
    )


def handlers(found: object) -> list[dict]:
    """Return every handler anywhere in a configuration."""
    if isinstance(found, list):
        return [one for each in found for one in handlers(each)]
    if not isinstance(found, dict):
        return []
    return ([found] if "handler" in found else []) + [one for each in found.values() for one in handlers(each)]


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_what_the_script_gives_caddy_is_the_configuration(scheme, behind):
    made = server(scheme, behind)
    assert json.loads(made.command()["args"][2]) == made.configuration()


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_the_script_finds_the_places_where_it_puts_something_in(scheme, behind):
    """It searches for them as text in this order, and needs a second of CPU for one that is 60 kB after the last."""
    text = server(scheme, behind).text()
    marks = [*(['"automate":[]'] if scheme == "https" else []), '"http_port":80', '"https_port":443']
    assert [text.count(mark) for mark in marks] == [1] * len(marks)
    assert [text.index(mark) for mark in marks] == sorted(text.index(mark) for mark in marks)
    after = text[text.index(marks[-1]) :]
    assert after.count('{"@id":"') == text.count("@id") > 0
    places = [0, *map(text.index, marks), *(found.start() for found in re.finditer('{"@id":"', text))]
    assert max(later - place for place, later in pairwise(places)) < 12_000
    assert set(re.findall('"@id":"(.*?)"', text)) == (set("sfFrRh") if behind == "folder" else set()) | {"loaded"}


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_kubernetes_has_nothing_to_replace_in_the_command(scheme, behind):
    """`$$` becomes `$`, and `$(NAME)` the value of NAME, wherever they stand in a container's command."""
    words = server(scheme, behind).command()["args"]
    assert [re.findall(r"\$\$|\$\([A-Za-z_][A-Za-z0-9_.-]*\)", word) for word in words] == [[]] * len(words)


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_no_word_of_the_command_is_longer_than_a_kernel_takes(scheme, behind):
    """Linux: MAX_ARG_STRLEN, 32 pages of 4 KiB."""
    assert max(len(word.encode()) for word in server(scheme, behind).command()["args"]) < 128 * 1024


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_the_table_of_the_environment_names_what_is_given(scheme, behind):
    """It stands in the first lines of the script, and names nothing else but where to listen."""
    table = front().split("# Tools:")[0]
    named = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", table.split("# Environment")[1].split("\n", 1)[1]))
    with_secrets = dataclasses.replace(server("https", "application"), operator="ab" * 32)
    given_ = set(with_secrets.environment()).union(*(server(*each).environment() for each in EACH))
    assert set(server(scheme, behind).environment()) <= named
    assert given_ | {"HTTP_PORT", "HTTPS_PORT", "BIND", "XDG_DATA_HOME", "POLL"} == named - {"HTTPS", "VENDOR", "PORT"}


def test_the_script_has_no_fault_that_shellcheck_knows(tmp_path):
    (tmp_path / "front.sh").write_text(front())
    checker = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([checker, tmp_path / "front.sh"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_new_release_changes_the_environment_alone():
    old = server()
    new = dataclasses.replace(old, version="cd" * 32, behind=Folder(STORES, "docs", 20_480, 8))
    assert new.command() == old.command()
    changed = {name for name, value in new.environment().items() if old.environment()[name] != value}
    assert changed == {"VERSION", "NUMBER", "BYTES"}


def test_behind_another_partys_ingress_there_are_no_certificates_and_no_port_for_them():
    made = server("http").configuration()["apps"]
    assert (list(made), list(made["http"]["servers"])) == (["http"], ["plain"])
    assert "HOST" not in server("http").environment()


def test_certificates_come_from_the_named_authority_by_the_one_challenge_that_a_standby_can_pass():
    tls = server().configuration()["apps"]["tls"]
    ((issuer,),) = [policy["issuers"] for policy in tls["automation"]["policies"]]
    assert (issuer["ca"], issuer["challenges"]) == ("https://acme.example/dir", {"tls-alpn": {"disabled": True}})
    assert tls["certificates"]["automate"] == []  # the script puts names in, each once its challenges come here


@pytest.mark.parametrize("behind", BEHIND)
def test_challenges_go_to_a_successor_and_to_the_peer_and_nowhere_else(behind):
    """A proxy that asked elsewhere would let visitors ask anybody through this site."""
    plain = server(behind=behind).configuration()["apps"]["http"]["servers"]["plain"]
    dialled = {place["dial"] for one in handlers(plain["routes"]) for place in one.get("upstreams", [])}
    here = {"127.0.0.1:{env.HTTP_PORT}", "127.0.0.1:{env.HTTPS_PORT}"}
    known = here | {"docs-akash.dao.example:80", "docs-aws.dao.example:80"}
    assert dialled == (known | {"{env.UPSTREAM}"} if behind == "application" else known)


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_every_answer_carries_the_security_headers_of_the_aws_half(scheme, behind):
    """Errors too: their routes begin anew. The AWS half uses the same table (aws/static_site.py)."""
    for name, listener in server(scheme, behind).configuration()["apps"]["http"]["servers"].items():
        table = content.SECURITY_HEADERS["https" if name == "secure" else "http"]
        for routes in (listener["routes"], listener["errors"]["routes"]):
            set_ = [one.get("response", {}).get("set", {}) for one in handlers(routes) if one["handler"] == "headers"]
            found = {key: value for each in set_ for key, (value,) in each.items() if key in table}
            settings = {f"{{http.vars.{name}}}": value for name, value in addresses.DEFAULTS.items()}
            assert {key: settings.get(value, value) for key, value in found.items()} == dict(table)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_log_keeps_visitors_addresses(scheme):
    logs = server(scheme).configuration()["logging"]["logs"]
    fields = logs["default"]["encoder"]["fields"]
    assert {"request>remote_ip", "request>client_ip", "request>headers"} <= {
        name for name, rule in fields.items() if rule == {"filter": "delete"}
    }


@pytest.mark.parametrize(("scheme", "behind"), EACH)
def test_what_visitors_send_is_limited(scheme, behind):
    for listener in server(scheme, behind).configuration()["apps"]["http"]["servers"].values():
        assert {"max_header_bytes", "read_header_timeout", "read_timeout", "idle_timeout"} <= set(listener)
    sizes = [one["max_size"] for one in handlers(server(scheme, behind).configuration()) if "max_size" in one]
    assert sizes == [BEHIND[behind].body_bytes]


@pytest.mark.parametrize(
    ("place", "health", "said"),
    [
        ("http://app:8080", "/", "'http://app:8080' is not a place; write it like app:8080"),
        ("app", "/", "'app' is not a place"),
        ("app:80 --post-file=/etc/passwd", "/", "is not a place"),
        ("app:8080", "health", "'health' is not a path; write it like /health"),
        ("app:8080", "/a b", "'/a b' is not a path"),
    ],
)
def test_an_application_that_cannot_be_meant_is_refused(place, health, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Upstream(place, health)
