"""What the Console and providers may answer, and what of it is believed: the client over a scripted transport.

The refusals are Console's own texts (`apps/api/src`, August and September 2026); that it still uses them is not proven.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from components.errors import ConfigError, MarketError, Refused
from components.targets.akash import untrusted
from components.targets.akash.market.observed import Bid
from components.targets.akash.market.reconcile import TransientError
from components.targets.akash.market.request import request
from components.targets.akash.market.steps import OpenDeployment, TakeBid
from components.targets.akash.rails import console_client
from components.targets.akash.rails.console_client import Console

from .console_wire import (
    BIDS,
    DOCS,
    ENV,
    KEY,
    LIST,
    ME,
    OPEN,
    SHOW,
    STATUS,
    WALLETS,
    WANT,
    StillClock,
    Wire,
    entry,
    fault,
    lease,
    named,
    ok,
    page,
)

LEASE = ("POST", "/v1/leases")
PINNED = request("docs.test", DOCS, "web", id="7")


# Refusals


PASSES = {
    "a wallet is being made": (OPEN, fault(409, "Wallet is still being provisioned, please retry shortly"), False),
    "a top up is on its way": (
        OPEN,
        fault(
            402, "Not enough balance. A top up from your saved payment method is on the way, so try again in a moment"
        ),
        False,
    ),
    "an escrow settles later": (
        ("DELETE", SHOW[1]),
        fault(400, "Deployment escrow cannot be settled yet"),
        False,
    ),
    "a page in front": (SHOW, lambda _: httpx.Response(403, text="<html>Attention Required! | Cloudflare"), False),
    "the provider's key": (LEASE, fault(400, "Invalid provider jwt credentials"), None),
    "the provider is unknown": (LEASE, fault(404, "Provider akash1p not found"), None),
    "the provider refuses the manifest": (LEASE, fault(422, "manifest cross-validation error: group"), None),
    "the manifest did not arrive": (
        LEASE,
        fault(400, "The lease for deployment 7 exists, but provider akash1p did not receive its manifest."),
        None,
    ),
    "the bid is gone": (LEASE, fault(400, "Cannot create lease: The selected bid is no longer open."), False),
}


@pytest.mark.parametrize(("route", "answer", "took"), PASSES.values(), ids=list(PASSES))
def test_what_passes_is_distinguished_from_what_does_not_and_so_is_a_lease_that_stands(
    route: tuple[str, str], answer: Any, took: bool | None
) -> None:
    with pytest.raises(TransientError) as caught:
        act(Wire({route: answer}), route)
    assert caught.value.took is took


def act(wire: Wire, route: tuple[str, str]) -> None:
    if route == OPEN:
        wire.rail.perform(WANT, OpenDeployment(WANT.name, WANT.deposit_usd))
    elif route == LEASE:
        wire.rail.perform(WANT, TakeBid("7", Bid("akash1p", Decimal(1))))
    elif route == SHOW:
        wire.rail.is_open("7")
    else:
        wire.rail.close("7")


def test_a_deposit_that_is_too_low_is_no_lack_of_credit() -> None:
    with pytest.raises(Refused, match="the amount is too small, not the credit"):
        act(Wire({OPEN: fault(400, "Failed to create deployment: Deposit too low")}), OPEN)


def test_a_refusal_of_the_key_is_not_taken_for_a_page_in_front() -> None:
    with pytest.raises(Refused, match="does not accept AKASH_CONSOLE_API_KEY"):
        Wire({SHOW: fault(403, "Forbidden")}).rail.is_open("7")


def test_retry_after_may_be_a_date() -> None:
    at = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=9), usegmt=True)
    wire = Wire({SHOW: [fault(429, "x", **{"Retry-After": at}), ok(entry())]})
    assert wire.rail.is_open("7")
    assert 6 < wire.clock.slept[0] <= 9


def test_a_read_waits_longer_than_the_console_waits_for_a_dead_provider() -> None:
    """Four tries of 15 s and the pauses between them, and up to 75 s in the Console's own client."""
    assert console_client._READ_S >= 90


def test_a_trial_is_refused_before_anything_is_opened() -> None:
    wallet = {"address": "akash1me", "isTrialing": True}
    wire = Wire({ME: ok({"id": "u"}), WALLETS: ok([wallet]), OPEN: ok({"dseq": "7"})})
    with pytest.raises(Refused, match="a trial, whose deployments are closed after 24 hours"):
        act(wire, OPEN)
    assert OPEN not in wire.calls()


# Money


def test_a_lease_is_asked_to_be_topped_up_once_and_a_console_without_the_setting_changes_nothing() -> None:
    setting = ("PATCH", "/v2/deployment-settings/7")
    for answer in (ok({"autoTopUpEnabled": True}), fault(404, "Not found"), fault(400, "no such setting")):
        wire = Wire({LEASE: ok(entry()), setting: answer})
        act(wire, LEASE)
        act(wire, LEASE)
        assert wire.calls().count(setting) == 1
    assert wire.asked[1].content == b'{"data":{"autoTopUpEnabled":true}}'


# Answers of another form


ODD_OPENINGS = [{}, {"data": {}}, {"data": None}, {"data": {"dseq": "../x"}}, {"data": [7]}, []]


@pytest.mark.parametrize("body", ODD_OPENINGS, ids=range(len(ODD_OPENINGS)))
def test_an_opening_without_a_clear_answer_may_have_worked_and_is_looked_for(body: Any) -> None:
    wire = Wire({OPEN: lambda _: httpx.Response(201, json=body)})
    with pytest.raises(TransientError) as caught:
        act(wire, OPEN)
    assert caught.value.took is None


def odd(**changed: Any) -> Any:
    return ok({**entry(leases=[lease(status=STATUS)]), **changed})


ODD_LOOKS = {
    "text": lambda _: httpx.Response(200, json="hello"),
    "a list": lambda _: httpx.Response(200, json=[1]),
    "data of another type": ok([1]),
    "leases of another type": odd(leases="none"),
    "another deployment": odd(deployment=entry("8")["deployment"]),
    "a state of another type": odd(deployment={**entry()["deployment"], "state": {}}),
    "services of another type": odd(leases=[lease(status={"services": [1]})]),
    "a count that is none": odd(leases=[lease(status={"services": {"web": {"available": "1", "total": 1}}})]),
    "NaN": odd(leases=[lease(price={"denom": "uact", "amount": "NaN"})]),
    "sNaN": odd(leases=[lease(price={"denom": "uact", "amount": "sNaN"})]),
    "infinity": odd(leases=[lease(price={"denom": "uact", "amount": "Infinity"})]),
    "less than nothing": odd(leases=[lease(price={"denom": "uact", "amount": "-3"})]),
    "NaN of JSON": lambda _: httpx.Response(200, text='{"data": {"deployment": NaN}}'),
    "another coin": odd(leases=[lease(price={"denom": "uakt", "amount": "1"})]),
    "a provider that is no address": odd(leases=[lease("akash1\x1b[2J")]),
    "nested deeply": lambda _: httpx.Response(200, text="[" * 100_000 + "]" * 100_000),
    "nested within reason's limits": lambda _: httpx.Response(200, text='{"data":' * 60 + "1" + "}" * 60),
    "60 MB": lambda _: httpx.Response(200, content=b'"' + b"a" * 60_000_000 + b'"'),
}


@pytest.mark.parametrize("answer", ODD_LOOKS.values(), ids=list(ODD_LOOKS))
def test_an_answer_of_another_form_is_a_sentence(answer: Any) -> None:
    wire = Wire({SHOW: answer, BIDS: ok([]), LIST: page()})
    with pytest.raises(MarketError) as caught:
        wire.rail.observe(PINNED)
    sentence = str(caught.value)
    assert sentence.startswith("akash: the Console")
    assert len(sentence) < 600
    assert sentence.isprintable()


def test_a_status_of_another_form_is_none() -> None:
    assert Wire({SHOW: odd(leases=[lease(status="up")])}).rail.observe(PINNED).services is None


def test_a_bid_that_cannot_be_read_does_not_keep_the_others_from_being_taken() -> None:
    def bid(provider: Any, amount: Any) -> Any:
        price = {"denom": "uact", "amount": amount}
        return {"bid": {"id": {"provider": provider, "gseq": 1, "oseq": 1}, "state": "open", "price": price}}

    found = [bid("akash1a", "NaN"), bid(7, "1"), {"bid": None}, 7, bid("akash1b", "8.02")]
    wire = Wire({SHOW: ok(entry()), BIDS: ok(found)})
    assert [each.provider for each in wire.rail.observe(PINNED).bids] == ["akash1b"]


def test_bids_have_owner_and_host_when_providers_are_to_be_avoided() -> None:
    def provider(organization: Any, region: Any) -> Any:
        return lambda _: httpx.Response(200, json={"organization": organization, "locationRegion": region})

    price = {"denom": "uact", "amount": "8"}
    at = {"provider": "akash1b", "gseq": 1, "oseq": 1}
    wire = Wire(
        {
            SHOW: ok(entry()),
            BIDS: ok([{"bid": {"id": at, "state": "open", "price": price}}]),
            ("GET", "/v1/providers/akash1a"): provider("one", "eu\x1b[2J"),
            ("GET", "/v1/providers/akash1b"): provider(None, "us"),
        }
    )
    for _ in range(2):
        seen = wire.rail.observe(replace(PINNED, avoid=frozenset({"akash1a"})))
    assert (seen.organizations, seen.regions) == (frozenset({"one"}), frozenset({"eu\\x1b[2J"}))
    assert [(each.organization, each.region) for each in seen.bids] == [("", "us")]
    assert wire.calls().count(("GET", "/v1/providers/akash1a")) == 1


def test_one_broken_deployment_of_a_stranger_blocks_nothing() -> None:
    broken = [7, {}, {"deployment": {}}, {**entry("9", None), "groups": [{}]}, entry("not a number"), entry("8", None)]
    broken[-1]["leases"] = [{"id": 7}, 7]
    wire = Wire(
        {
            LIST: page(*broken, entry()),
            named("9"): lambda _: httpx.Response(200, json={"other": {"groups": [{}]}}),
            named("8"): lambda _: httpx.Response(200, json=[]),
            SHOW: ok(entry()),
            BIDS: ok([]),
        }
    )
    assert wire.rail.observe(WANT).open is not None
    assert {each.deployment.id for each in Wire({**wire.answers, named("7"): fault(404, "x")}).rail.account()} == {
        "7",
        "8",
        "9",
    }


# Addresses and names


@pytest.mark.parametrize(
    "given",
    [
        "169.254.169.254", "127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "255.255.255.255",
        "::1", "evil.example", "1.2.3.4\r\nSet-Cookie: a", "1.2.3.4\x1b[31m", "010.1.1.1", "1.2.3", 16909060,
        None, {}, [],
    ],
)  # fmt: skip
def test_only_a_public_address_is_an_address(given: Any) -> None:
    assert untrusted.address(given) == ""
    status = {**STATUS, "ips": {"web": [{"IP": given}]}}
    wire = Wire({SHOW: ok(entry(leases=[lease(status=status)]))})
    seen = wire.rail.observe(PINNED)
    assert seen.ips == {"web": ()}
    assert "which is no public IPv4 address" in seen.refused
    assert seen.refused.isprintable()


@pytest.mark.parametrize("given", ["8.8.8.8", "203.0.113.9"])
def test_a_public_address_is_one(given: str) -> None:
    assert untrusted.address(given) == given


@pytest.mark.parametrize(
    "given",
    ["", "a", "a..b", "-a.example", "a_b.example", "a.example\n", "1.2.3.4", "a" * 64 + ".example", "é.example",
     "a.example/x", "x." * 130 + "example", 7, None],
)  # fmt: skip
def test_only_a_dns_name_is_a_name(given: Any) -> None:
    assert untrusted.name(given) == ""


def test_a_name_is_lower_case_and_without_its_dot() -> None:
    assert untrusted.name("Docs.DAO.example.") == "docs.dao.example"


# Text


def test_text_from_outside_is_cut_and_its_controls_are_escaped() -> None:
    evil = "\x1b]0;pwned\x07\u202egnp.exe\n" + "a" * 100_000
    wire = Wire({SHOW: fault(400, evil)})
    with pytest.raises(Refused) as caught:
        wire.rail.is_open("7")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    assert "\\x1b]0;pwned\\x07\\u202egnp.exe aaa" in str(caught.value)


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        quote(KEY + "/+", safe=""),
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"x-api-key: {KEY}".encode()).decode(),
        base64.b64encode(f"ab{KEY}zz".encode()).decode(),
        base64.urlsafe_b64encode(f"a{KEY}??>>".encode()).decode(),
    ],
)
def test_the_key_is_in_no_error_in_any_spelling(echo: str) -> None:
    wire = Wire({SHOW: fault(401, f"Invalid API key {echo}")})
    with pytest.raises(Refused) as caught:
        wire.rail.is_open("7")
    assert "***" in str(caught.value)
    rest = str(caught.value).replace("***", " ")
    for word in rest.split():
        padded = word + "=" * (-len(word) % 4)
        try:
            assert KEY[4:-4].encode() not in base64.b64decode(padded, altchars=b"-_")
        except ValueError:
            continue


@pytest.mark.parametrize("key", ["schlüssel", "a\nb", " k3y-x", "k3y-x\t"])
def test_a_key_that_no_header_can_carry_is_a_sentence(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Console(StillClock(), {**ENV, "AKASH_CONSOLE_API_KEY": key})
    assert key.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://user:s3cret@console.example", "https://s3cret@console.example", "http://[s3cret"]
)
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="AKASH_CONSOLE_URL") as caught:
        Console(StillClock(), {**ENV, "AKASH_CONSOLE_URL": url})
    assert "s3cret" not in str(caught.value)


# Time


def test_an_answer_that_drips_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_client, "_READ_S", 0.3)
    monkeypatch.setattr(console_client, "_TRYING_S", 0.1)

    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            while True:
                time.sleep(0.05)
                yield b" "

    begun = time.monotonic()
    wire = Wire({SHOW: lambda _: httpx.Response(200, stream=Drip())})
    with pytest.raises(TransientError, match="did not answer"):
        wire.rail.is_open("7")
    assert time.monotonic() - begun < 2


def test_a_price_over_the_ceiling_is_refused_where_it_is_read() -> None:
    from components.targets.akash.market.decide import decide
    from components.targets.akash.market.observed import remember
    from components.targets.akash.market.request import Patience
    from components.targets.akash.market.steps import GiveUp

    dear = lease(status=STATUS, price={"denom": "uact", "amount": "99"})
    seen = Wire({SHOW: ok(entry(leases=[dear]))}).rail.observe(PINNED)
    step = decide(replace(PINNED, patience=Patience()), remember(seen.since, seen))
    assert isinstance(step, GiveUp)
    assert "over the ceiling" in step.why


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "br"])
def test_an_answer_that_is_not_what_its_coding_promises_may_pass(coding: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": coding}, stream=httpx.ByteStream(b'{"data": {}}'))

    wire = Wire({ME: answer})
    with pytest.raises(TransientError, match="did not answer \\(DecodingError\\)"):
        wire.rail.owner()
