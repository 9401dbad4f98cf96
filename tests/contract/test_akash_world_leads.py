"""Whether a record leads to a deployment, asked of a name server on this machine over the real wire format."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from components.errors import ConfigError, Unanswered
from components.targets.akash import leads

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ZONE = {
    "docs.dao.example.": [("docs.dao.example.", "A", "203.0.113.9")],
    "shared.dao.example.": [
        ("shared.dao.example.", "CNAME", "abc.ingress.europa.example."),
        ("abc.ingress.europa.example.", "A", "198.51.100.1"),
    ],
    "elsewhere.dao.example.": [("elsewhere.dao.example.", "A", "192.0.2.1")],
    "empty.dao.example.": [],
    "dangling.dao.example.": [("dangling.dao.example.", "CNAME", "gone.ingress.europa.example.")],
}
#: A chain whose end does not exist: the answer is NXDOMAIN, with the chain in it (RFC 2308 §2.1).
DANGLING = "dangling.dao.example."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(0.1)
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                wire, at = sock.recvfrom(4096)
            except TimeoutError:
                continue
            asked = dns.message.from_wire(wire)
            name = asked.question[0].name.to_text()
            answer = dns.message.make_response(asked)
            answer.flags |= dns.flags.AA
            for owner, kind, value in ZONE.get(name, ()):
                answer.answer.append(dns.rrset.from_text(owner, 30, "IN", kind, value))
            if name not in ZONE or name == DANGLING:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            sock.sendto(answer.to_wire(), at)

    thread = threading.Thread(target=serve)
    thread.start()
    monkeypatch.setenv("UNMOOR_RESOLVER", f"127.0.0.1:{sock.getsockname()[1]}")
    yield
    done.set()
    thread.join()
    sock.close()


HOSTS = ["Docs.DAO.example.", *(name.rstrip(".") for name in ZONE), "missing.dao.example"]


@pytest.mark.parametrize(
    ("addresses", "names", "led"),
    [
        (["203.0.113.9"], [], ["docs.dao.example"]),
        ([], ["ABC.ingress.europa.example"], ["shared.dao.example"]),
        ([], ["gone.ingress.europa.example"], ["dangling.dao.example"]),
        (["203.0.113.10"], ["other.ingress.europa.example"], []),
    ],
)
def test_records_that_lead_to_an_address_or_a_name_are_found(
    server: None, addresses: list[str], names: list[str], led: list[str]
) -> None:
    assert leads.public(addresses, names, HOSTS) == led


def test_without_names_that_may_lead_there_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMOOR_RESOLVER", "127.0.0.1:9")
    assert leads.public(["203.0.113.9"], [], []) == []


def test_silence_is_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMOOR_RESOLVER", "127.0.0.1:9")
    monkeypatch.setattr(leads, "_LIFETIME_S", 0.5)
    with pytest.raises(Unanswered, match=r"the name servers of docs\.dao\.example do not answer"):
        leads.public(["203.0.113.9"], [], ["docs.dao.example"])


def test_a_resolver_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMOOR_RESOLVER", "nowhere:53")
    with pytest.raises(ConfigError, match="UNMOOR_RESOLVER is not the address of a resolver"):
        leads.public(["203.0.113.9"], [], ["docs.dao.example"])


def test_the_first_that_knows_is_believed() -> None:
    def silent(*_: object) -> list[str]:
        raise Unanswered("the authority is away")

    assert leads.first_answer(silent, lambda *_: ["docs.dao.example"])([], [], []) == ["docs.dao.example"]
    with pytest.raises(Unanswered, match="the authority is away; the authority is away"):
        leads.first_answer(silent, silent)([], [], [])


class Zone:
    """An authority that answers, holds no such zone, or is silent."""

    def __init__(self, answer: list[str] | Exception | None) -> None:
        self.answer = answer

    def leading(self, places: Collection[str], hosts: Collection[str]) -> list[str] | None:
        assert (list(places), list(hosts)) == (["203.0.113.9", "a.ingress.example"], ["docs.dao.example"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


AWAY = Unanswered("the authority is away")


@pytest.mark.parametrize(
    ("authorities", "answer"),
    [
        ([Zone([])], []),
        ([Zone(None), Zone([])], []),
        ([Zone(["docs.dao.example"]), Zone(AWAY)], ["docs.dao.example"]),
        ([Zone(["a.example"]), Zone(["b.example", "a.example"])], ["a.example", "b.example"]),
        ([Zone([]), Zone(AWAY)], "the authority is away"),
        ([Zone(None)], "no authority of the project holds the zone"),
        ([], "no authority of the project holds the zone"),
        ([Zone([]), None], "an authority of the project does not show its records"),
        ([Zone(["docs.dao.example"]), None], ["docs.dao.example"]),
    ],
)  # fmt: skip
def test_all_authorities_are_asked_and_silence_of_one_is_not_an_answer(
    authorities: list[Zone | None], answer: list[str] | str
) -> None:
    ask = leads.held(lambda: authorities)
    if isinstance(answer, str):
        with pytest.raises(Unanswered, match=answer):
            ask(["203.0.113.9"], ["a.ingress.example"], ["docs.dao.example"])
    else:
        assert ask(["203.0.113.9"], ["a.ingress.example"], ["docs.dao.example"]) == answer


def test_a_project_that_cannot_be_read_leaves_the_question_to_name_servers() -> None:
    def broken() -> list[Zone | None]:
        raise ConfigError("project.py: cannot be imported")

    check = leads.first_answer(leads.held(broken), lambda *_: ["docs.dao.example"])
    assert check(["203.0.113.9"], [], ["docs.dao.example"]) == ["docs.dao.example"]
