"""The Console rail over a scripted transport: retries, ambiguity, errors, and what it reads out of the API's shapes.

It cannot prove that the real Console still has these shapes.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from components.errors import ConfigError, MarketError, Refused
from components.targets.akash.market.decide import (
    CloseDeployment,
    OpenDeployment,
    SendManifest,
    TakeBid,
    UpdateManifest,
)
from components.targets.akash.market.names import Owner, group_name
from components.targets.akash.market.observed import Bid, Deployment, Lease, Service
from components.targets.akash.market.reconcile import TransientError
from components.targets.akash.market.request import request
from components.targets.akash.rails.console_client import Console
from components.targets.akash.sdl import document as sdl

from .console_wire import (
    BIDS,
    DOCS,
    ENV,
    KEY,
    LIST,
    OPEN,
    SHOW,
    STATUS,
    WANT,
    StillClock,
    Wire,
    entry,
    fault,
    group,
    leading,
    lease,
    named,
    ok,
    page,
)


def test_without_a_key_the_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="AKASH_CONSOLE_API_KEY is not set"):
        Console(StillClock(), {})


@pytest.mark.parametrize("url", ["http://console.example", "console.example", "ftp://127.0.0.1"])
def test_the_key_goes_nowhere_unencrypted(url: str) -> None:
    with pytest.raises(ConfigError, match="AKASH_CONSOLE_URL is not an https address"):
        Console(StillClock(), {**ENV, "AKASH_CONSOLE_URL": url})


def test_the_default_address_is_the_real_one_and_a_local_one_may_be_plain() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={})

    for url in ("", "http://127.0.0.1:9/"):
        console = Console(StillClock(), {**ENV, "AKASH_CONSOLE_URL": url}, httpx.MockTransport(answer))
        console.call("list")
    assert asked == ["https://console-api.akash.network/v1/deployments", "http://127.0.0.1:9/v1/deployments"]


def test_a_deployment_is_read_with_lease_status_address_and_hash() -> None:
    wire = Wire({SHOW: ok(entry(leases=[lease("old", "closed"), lease(status=STATUS)])), LIST: page(entry())})
    wire.rail.id = "7"
    seen = wire.rail.observe(WANT)
    assert seen.deployment is not None
    assert (seen.deployment.id, seen.deployment.owner, seen.deployment.version) == ("7", "akash1me", WANT.version)
    assert seen.lease == Lease("akash1p", "active", Decimal("8.02"))
    assert (seen.services, seen.ips, seen.uris) == (
        {"web": Service(1, 1, 1)},
        {"web": ("203.0.113.9",)},
        {"web": ("x.example",)},
    )
    assert wire.asked[0].headers["x-api-key"] == KEY


def test_bids_are_read_while_there_is_no_lease() -> None:
    bid = {
        "id": {"provider": "akash1p", "gseq": 1, "oseq": 2},
        "state": "open",
        "price": {"denom": "uact", "amount": "8.02"},
    }
    wire = Wire({SHOW: ok(entry()), LIST: page(entry()), BIDS: ok([{"bid": bid, "escrow_account": {}}])})
    seen = wire.rail.observe(WANT)
    assert seen.bids == (Bid("akash1p", Decimal("8.02"), "open", "uact", 1, 2),)
    assert wire.asked[-1].url.params["dseq"] == "7"


def test_a_list_without_an_end_is_refused() -> None:
    wire = Wire({LIST: page(entry("9", None), more=True), named("9"): group("another")})
    with pytest.raises(MarketError, match="its list of deployments has no end after 100 pages"):
        wire.rail.observe(WANT)


def test_ours_is_found_by_its_hash_on_the_second_page() -> None:
    pages = [page(entry("9", None), more=True), page(entry())]
    wire = Wire({LIST: pages, named("9"): group("another"), SHOW: ok(entry()), BIDS: ok([])})
    seen = wire.rail.observe(WANT)
    assert seen.deployment is not None
    assert [each.url.params["skip"] for each in wire.asked if each.url.path == LIST[1]] == ["0", "1"]


def test_one_with_another_manifest_is_found_by_the_name_of_its_group_on_the_chain() -> None:
    wire = Wire({LIST: page(entry(want=None)), named("7"): group(WANT.name), SHOW: ok(entry(want=None)), BIDS: ok([])})
    seen = wire.rail.observe(WANT)
    assert seen.deployment is not None
    assert seen.deployment.version == "00" * 32


def test_a_list_that_shows_groups_saves_asking_the_chain() -> None:
    shown = {**entry(want=None), "groups": [{"group_spec": {"name": WANT.name}}]}
    wire = Wire({LIST: page(shown), SHOW: ok(shown), BIDS: ok([])})
    assert wire.rail.observe(WANT).deployment is not None
    assert named("7") not in wire.calls()


@pytest.mark.parametrize("answer", [fault(404, "Deployment not found"), group("unknown_value"), fault(500, "x")])
def test_a_name_that_the_console_does_not_know_is_counted_as_unknown_and_never_as_another(answer: Any) -> None:
    wire = Wire({LIST: page(entry(want=None)), named("7"): answer})
    seen = wire.rail.observe(WANT)
    assert (seen.deployment, seen.unnamed) == (None, 1)


APART = Owner.of("urn:pulumi:prod::dao::t::docs-akash-2")
PRICED = {"state": "open", "price": {"denom": "uact", "amount": "8"}}
BID = {"bid": {"id": {"provider": "akash1q", "gseq": 1, "oseq": 1}, **PRICED}}


@pytest.mark.parametrize("id", ["", "7"])
def test_deployments_to_be_apart_from_are_found_by_their_names_when_bids_are_chosen(id: str) -> None:
    """A stranger's counts while its name is not known; what has no lease, or lost it, is nowhere."""
    want = request("docs.test", DOCS, "web", apart=[APART], id=id)
    names = {
        "7": group("docs.test"),
        "8": group(group_name("docs-2.test", APART, "0a1b2c3d")),
        "9": group("another's"),
        "10": fault(404, "Deployment not found"),
        "11": group(group_name("docs-2.test", APART, "1a1b2c3d")),
    }
    leases = {
        "8": lease("akash1q", dseq="8"),
        "9": lease("akash1r", dseq="9"),
        "10": lease("akash1s", dseq="10"),
        "11": lease("akash1t", "closed", dseq="11"),
    }
    others = [entry(dseq, None, leases=[leases[dseq]]) for dseq in leases]
    asked = {named(dseq): answer for dseq, answer in names.items()}
    stands = {("GET", f"/v1/providers/{each}"): fault(404, "no") for each in ("akash1p", "akash1q")}
    wire = Wire({LIST: page(entry(), *others), SHOW: ok(entry()), BIDS: ok([BID]), **asked, **stands})
    seen = wire.rail.observe(want)
    assert (seen.neighbours, seen.strangers) == (frozenset({"akash1q"}), frozenset({"akash1s"}))


def test_what_a_killed_run_rented_is_compared_with_what_it_has_to_be_apart_from() -> None:
    want = request("docs.test", DOCS, "web", apart=[APART])
    other = entry("8", None, leases=[lease("akash1p", dseq="8")])
    near = {named("7"): group("docs.test"), named("8"): group(group_name("docs-2.test", APART, "0a1b2c3d"))}
    wire = Wire({LIST: page(entry(leases=[lease()]), other), SHOW: ok(entry(leases=[lease()])), **near})
    assert wire.rail.observe(want).neighbours == {"akash1p"}


def test_a_hash_that_the_console_does_not_know_is_no_hash() -> None:
    unknown = entry(leases=[lease(status=STATUS)])
    unknown["deployment"]["hash"] = "unknown_value"
    seen = Wire({SHOW: ok(unknown)}).rail.observe(request("docs.test", DOCS, "web", id="7"))
    assert seen.deployment is not None
    assert seen.deployment.version == ""


def test_a_lease_that_the_list_gives_another_deployment_is_known_by_its_own_number() -> None:
    """The list attaches leases in the order in which they were read."""
    other = {**lease("akash1q"), "id": {**lease()["id"], "dseq": "8", "provider": "akash1q"}}
    mine = entry("7", leases=[other])
    wire = Wire(
        {
            LIST: page(entry("8", None, leases=[lease("akash1p")], height="1000"), mine),
            named("8"): group("another"),
            named("7"): group(WANT.name),
            SHOW: ok(entry(leases=[lease(status=STATUS)])),
        }
    )
    seen = wire.rail.observe(WANT)
    assert (wire.rail.id, seen.lease) == ("7", Lease("akash1p", "active", Decimal("8.02")))
    standing = {each.deployment.id: each.lease.provider for each in wire.rail.account() if each.lease}
    assert standing == {"7": "akash1p", "8": "akash1q"}


def test_of_two_with_our_name_the_leased_one_is_ours_and_the_newer_one_spare() -> None:
    wire = Wire(
        {LIST: page(entry("8", height="1000"), entry("7", leases=[lease()])), SHOW: ok(entry(leases=[lease()]))}
    )
    seen = wire.rail.observe(WANT)
    assert (wire.rail.id, seen.spare) == ("7", ("8",))


def test_a_second_one_that_landed_late_is_seen_before_all_is_well() -> None:
    ready = entry(leases=[lease(status=STATUS)])
    wire = Wire({LIST: page(ready, entry("8")), SHOW: ok(ready)})
    wire.rail.id = "7"
    assert wire.rail.observe(WANT).spare == ("8",)


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (ok(entry("8", None, leases=[lease("akash1q", dseq="8", status=leading("docs.example"))])), {"akash1q"}),
        (ok(entry("8", None, leases=[lease("akash1q", dseq="8", status=leading("other.example"))])), set()),
        (ok(entry("8", None, leases=[lease("akash1q", dseq="8")])), set()),
        (fault(404, "Deployment not found"), set()),
        (httpx.ReadTimeout("slow"), set()),
    ],
    ids=["leads our host there", "leads another", "shows no status", "is closed meanwhile", "does not answer"],
)
def test_a_provider_whose_ingress_leads_our_host_to_another_deployment_is_taken(other: Any, taken: set[str]) -> None:
    """A failed request stops nothing: the lease's own status then shows that the host does not lead to it."""
    wire = Wire(
        {
            LIST: page(entry("8", None, leases=[lease("akash1q", dseq="8")])),
            named("8"): group("another"),
            ("GET", "/v1/deployments/8"): other,
        }
    )
    seen = wire.rail.observe(replace(WANT, hosts=frozenset({"docs.example"})))
    assert (seen.deployment, seen.taken) == (None, taken)


def test_no_other_provider_is_asked_for_a_deployment_without_hosts() -> None:
    wire = Wire({LIST: page(entry("8", None, leases=[lease("akash1q", dseq="8")])), named("8"): group("another")})
    assert wire.rail.observe(WANT).taken == frozenset()


def test_a_pinned_deployment_is_looked_at_and_nothing_else_listed() -> None:
    wire = Wire({SHOW: ok(entry(leases=[lease(status=STATUS)]))})
    wire.rail.observe(request("docs.test", DOCS, "web", id="7"))
    assert wire.calls() == [SHOW]


@pytest.mark.parametrize("answer", [fault(404, "Deployment not found"), ok(entry(state="closed"))])
def test_gone_and_closed_are_not_open(answer: Any) -> None:
    wire = Wire({SHOW: answer})
    assert wire.rail.observe(request("docs.test", DOCS, "web", id="7")).open is None


def test_what_is_not_shown_is_not_closed_and_stays_held() -> None:
    """Reads lag behind writes: a 404 right after the opening is not the end of it."""
    wire = Wire({SHOW: fault(404, "Deployment not found")})
    wire.rail.id = "7"
    assert wire.rail.observe(WANT).deployment == Deployment("7", "unseen", "")
    assert (wire.rail.id, wire.rail.is_open("7")) == ("7", None)


def test_a_list_that_lacks_what_is_held_takes_nothing_away() -> None:
    wire = Wire({LIST: page(entry("8")), SHOW: ok(entry(leases=[lease(status=STATUS)]))})
    wire.rail.id = "7"
    seen = wire.rail.observe(WANT)
    assert (wire.rail.id, seen.spare) == ("7", ("8",))


def test_an_opening_sends_the_completed_document_and_keeps_the_id() -> None:
    wire = Wire(
        {OPEN: lambda _: httpx.Response(201, json={"data": {"dseq": "7", "manifest": "", "signTx": {"code": 0}}})}
    )
    wire.rail.perform(WANT, OpenDeployment(WANT.name, WANT.deposit_usd))
    sent = json.loads(wire.asked[0].content)["data"]
    assert sdl.load(sent["sdl"]).data == WANT.data
    assert (sent["deposit"], wire.rail.id) == (5.0, "7")


def test_an_opening_whose_transaction_failed_is_refused() -> None:
    wire = Wire({OPEN: ok({"dseq": "7", "manifest": "", "signTx": {"code": 5, "rawLog": "out of gas"}})})
    with pytest.raises(Refused, match="out of gas"):
        wire.rail.perform(WANT, OpenDeployment(WANT.name, WANT.deposit_usd))


def test_taking_a_bid_sends_the_manifest_and_the_bids_identity() -> None:
    wire = Wire({("POST", "/v1/leases"): ok(entry())})
    wire.rail.perform(WANT, TakeBid("7", Bid("akash1p", Decimal(1), oseq=3)))
    sent = json.loads(wire.asked[0].content)
    assert sent == {"manifest": WANT.manifest, "leases": [{"dseq": "7", "gseq": 1, "oseq": 3, "provider": "akash1p"}]}


@pytest.mark.parametrize("step", [SendManifest("7", "akash1p"), UpdateManifest("7")])
def test_a_manifest_goes_with_the_whole_document(step: SendManifest | UpdateManifest) -> None:
    wire = Wire({("PUT", SHOW[1]): ok(entry())})
    wire.rail.perform(WANT, step)
    assert sdl.load(json.loads(wire.asked[0].content)["data"]["sdl"]).data == WANT.data


@pytest.mark.parametrize("answer", [ok({"success": True}), fault(404, "Deployment not found")])
def test_closing_is_fine_twice(answer: Any) -> None:
    wire = Wire({("DELETE", SHOW[1]): answer})
    wire.rail.id = "7"
    wire.rail.perform(WANT, CloseDeployment("7", "why"))
    assert wire.rail.id == ""


TROUBLE = {
    "429": (fault(429, "slow down"), False),
    "503": (fault(503, "Service unavailable"), None),
    "a page of HTML": (lambda _: httpx.Response(502, text="<html>"), None),
    "no connection": (httpx.ConnectError("refused"), False),
    "no answer": (httpx.ReadTimeout("slow"), None),
    "not JSON": (lambda _: httpx.Response(200, text="hello"), None),
}


@pytest.mark.parametrize(("answer", "took"), TROUBLE.values(), ids=list(TROUBLE))
def test_what_opens_is_never_replayed_and_shows_whether_it_may_have_worked(answer: Any, took: bool | None) -> None:
    wire = Wire({OPEN: answer})
    with pytest.raises(TransientError) as caught:
        wire.rail.perform(WANT, OpenDeployment(WANT.name, WANT.deposit_usd))
    assert (len(wire.asked), caught.value.took, wire.clock.slept) == (1, took, [])


@pytest.mark.parametrize("answer", [trouble for trouble, _ in TROUBLE.values()], ids=list(TROUBLE))
def test_looks_updates_and_closings_are_repeated(answer: Any) -> None:
    wire = Wire({SHOW: [answer, answer, ok(entry(state="closed"))], ("DELETE", SHOW[1]): [answer, ok({})]})
    wire.rail.close("7")
    assert wire.rail.is_open("7") is False
    assert wire.calls() == [("DELETE", SHOW[1])] * 2 + [SHOW] * 3


def test_three_tries_are_enough() -> None:
    wire = Wire({SHOW: httpx.ReadTimeout("slow")})
    with pytest.raises(TransientError, match="did not answer \\(ReadTimeout\\)"):
        wire.rail.is_open("7")
    assert len(wire.asked) == 3


def test_retry_after_is_obeyed_up_to_half_a_minute() -> None:
    answers = [fault(429, "x", **{"Retry-After": "7"}), fault(503, "x", **{"Retry-After": "900"}), ok(entry())]
    wire = Wire({SHOW: answers})
    assert wire.rail.is_open("7")
    assert wire.clock.slept == [7.0, 30.0]


REFUSALS = {
    "bad key": (fault(401, "Invalid API key"), Refused, "does not accept AKASH_CONSOLE_API_KEY: Invalid API key"),
    "no credit": (fault(402, "Not enough balance to cover"), Refused, "Not enough balance to cover; add credit"),
    "no funds": (fault(400, "Insufficient funds"), Refused, "Insufficient funds; add credit"),
    "bad SDL": (fault(400, "Invalid SDL: x"), Refused, "Invalid SDL: x; trying again does not help"),
    "the bid is gone": (
        fault(400, "Cannot create lease: The selected bid is no longer open."),
        TransientError,
        "no longer open",
    ),
    "closed meanwhile": (fault(400, "Deployment closed"), TransientError, "Deployment closed"),
    "not found": (fault(404, "Deployment not found"), TransientError, "Deployment not found"),
}


@pytest.mark.parametrize(("answer", "error", "text"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_refusal_has_the_consoles_words_and_what_to_do(answer: Any, error: type[MarketError], text: str) -> None:
    wire = Wire({("POST", "/v1/leases"): answer})
    with pytest.raises(error) as caught:
        wire.rail.perform(WANT, TakeBid("7", Bid("akash1p", Decimal(1))))
    assert text in str(caught.value)


def test_what_the_validator_names_is_passed_on() -> None:
    body = {"message": "Validation error", "data": [{"path": ["data", "sdl"], "message": "Required"}]}
    wire = Wire({OPEN: lambda _: httpx.Response(400, json=body)})
    with pytest.raises(Refused, match="Validation error: Required; trying again does not help"):
        wire.rail.perform(WANT, OpenDeployment(WANT.name, WANT.deposit_usd))


def test_the_key_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire = Wire({SHOW: fault(401, f"Invalid API key {KEY}"), LIST: httpx.ConnectError(KEY)})
    with pytest.raises(Refused) as refused:
        wire.rail.is_open("7")
    with pytest.raises(TransientError) as stumbled:
        wire.rail.observe(WANT)
    assert KEY not in f"{refused.value}{stumbled.value}{caplog.text}"


def test_an_answer_of_another_shape_is_a_sentence_not_a_traceback() -> None:
    wire = Wire({LIST: ok({"items": []})})
    with pytest.raises(MarketError, match="the Console's answer is not what its API describes"):
        wire.rail.observe(WANT)


def test_the_gateways_address_is_not_worth_an_error() -> None:
    owner = ("GET", "/v1/providers/akash1p")

    def told(uri: Any) -> str:
        return Wire({owner: lambda _: httpx.Response(200, json={"hostUri": uri})}).rail.gateway("akash1p")

    assert told("https://p.example:8443") == "https://p.example:8443"
    assert [told(each) for each in ("http://p.example", "https://169.254.169.254", "https://a\x1b[2J.example", 7)] == [
        ""
    ] * 4
    assert Wire({owner: fault(500, "no")}).rail.gateway("akash1p") == ""
    assert Wire({owner: fault(404, "no")}).rail.gateway("akash1p") == ""


@pytest.mark.parametrize(("hosts", "lists"), [((), 1), (("docs.dao.example",), 0)])
def test_the_list_is_read_again_only_once_nothing_is_missing(hosts: tuple[str, ...], lists: int) -> None:
    """While a site waits for its name, one look a poll is enough: a spare one is closed before the end all the same."""
    shown = ok(entry(leases=[lease(status=STATUS)]))
    wire = Wire({SHOW: shown, LIST: page(entry())})
    wire.rail.id = "7"
    wire.rail.observe(replace(WANT, hosts=frozenset(hosts)))
    assert wire.calls().count(LIST) == lists
