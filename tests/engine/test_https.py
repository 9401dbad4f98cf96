"""Faults of certificates, through the real engine: each has a sentence, and none lets a record move.

The authority is real (Pebble), the visitors validate. That a public authority answers in the same words is not claimed.
The tests run in order on one stack: what one leaves, the next one uses.
"""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from sandbox.aws import inventory
from sandbox.client import NotReached, get

from .docs_stack import ACCOUNT, HOST, PRIMARY, PROBE_S, PROBE_VARIABLE, STANDBY, Docs, finished, started, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(900)

DIRECT = "docs-akash.dao.example"


@contextmanager
def impatient(docs: Docs, seconds: str = "12") -> Iterator[None]:
    """Let probes give up soon."""
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: seconds}
    yield
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: PROBE_S}


@contextmanager
def unmoved(docs: Docs) -> Iterator[None]:
    """Nothing that leads visitors anywhere changes meanwhile, and they go on being served."""
    before = {name: value for name, value in docs.records().items() if name.startswith(f"{HOST}/")}
    yield
    assert {name: value for name, value in docs.records().items() if name.startswith(f"{HOST}/")} == before
    assert docs.served() == docs.version()


def health(docs: Docs) -> str:
    """Return the lease's own report over plain HTTP."""
    try:
        return get(f"http://{DIRECT}/healthz", docs.state).body.decode()
    except NotReached as why:
        return str(why)


def lose_volume(docs: Docs) -> None:
    """Lose the volume, which also starts the container anew; the authority keeps count of what it has issued."""
    journal = docs.state.root / "akash" / "world.json"

    def restarts() -> int:
        return sum(each["restarts"] for each in json.loads(journal.read_text())["containers"])

    before = restarts()
    with docs.broken("volume-lost"):
        until(lambda: restarts() > before, "the container starts again")


@pytest.fixture(scope="module")
def centralized(docs: Docs) -> Docs:
    docs.up()
    return docs


def test_a_primary_that_passes_no_challenge_on_is_named(centralized: Docs) -> None:
    docs = centralized
    docs.state.start_fault("challenge-blocked")
    with impatient(docs), unmoved(docs):
        docs.fails(mode="active-standby")
    until(lambda: "do not come here" in health(docs), "the container has asked")
    with impatient(docs), unmoved(docs):
        shown = docs.fails(mode="active-standby").output
    assert (
        f"it answers: there is no certificate for {HOST} yet: its challenges do not come here; the site that" in shown
    )
    assert f"must pass /.well-known/acme-challenge/* on to {DIRECT}" in shown
    assert "cloudfront.net answers docs.dao.example now; its failover record was left as it is" in shown


def test_an_authority_that_is_down_is_named(centralized: Docs) -> None:
    docs = centralized
    docs.state.start_fault("acme-down")
    docs.state.end_fault("challenge-blocked")
    until(lambda: "does not answer" in health(docs), "the container has asked")
    with impatient(docs), unmoved(docs):
        shown = docs.fails().output
    assert f"there is no certificate for {HOST} yet; the authority https://acme.ca.example/dir does not answer" in shown


def test_an_authority_that_issues_no_more_is_named(centralized: Docs) -> None:
    docs = centralized
    docs.state.start_fault("acme-rate-limited")
    docs.state.end_fault("acme-down")
    lose_volume(docs)
    until(lambda: "rate limit" in health(docs), "the container has asked")
    with impatient(docs), unmoved(docs):
        shown = docs.fails().output
    assert f"there is no certificate for {HOST} yet; the authority issues no more of them for now (rate limit)" in shown
    docs.state.end_fault("acme-rate-limited")


def test_a_record_that_forbids_the_authority_is_named(centralized: Docs) -> None:
    """Another party wrote another authority into the record at our name."""
    docs = centralized
    with other_caa(docs):
        lose_volume(docs)
        until(lambda: "CAA record" in health(docs), "the container has asked")
        with impatient(docs), unmoved(docs):
            shown = docs.fails().output
    assert (
        f"there is no certificate for {HOST} yet; a CAA record of the zone forbids the authority to issue it" in shown
    )


def test_once_repaired_the_same_update_goes_through(centralized: Docs) -> None:
    docs = centralized
    lose_volume(docs)
    run = docs.up()
    assert run.changes() == dict.fromkeys(
        ("docs-akash-probe", "docs-akash-health", STANDBY, "docs-akash-confirm"), "create"
    ) | {ACCOUNT: "update"}
    assert docs.shown() == {"docs-aws": "valid for both names", "docs-akash": "valid for both names"}


def test_a_new_version_in_place_keeps_the_certificate(centralized: Docs) -> None:
    """The volume outlives it, so nothing is asked of the authority."""
    docs = centralized
    before = serial(docs)
    docs.page("another first page")
    docs.up()
    assert docs.site_serves("docs-akash") == docs.version()
    assert serial(docs) == before


def test_a_lost_volume_is_a_new_certificate_and_nothing_else(centralized: Docs) -> None:
    docs = centralized
    before = serial(docs)
    with unmoved(docs):
        lose_volume(docs)
        until(lambda: docs.site_serves("docs-akash") == docs.version(), "it is served again")
    assert serial(docs) != before
    assert docs.pulumi.up("--refresh").changes() == {}


def test_a_clock_that_is_wrong_is_named_with_both_times_and_no_record_moves(centralized: Docs) -> None:
    """The certificates begin tomorrow, as a new one does for a clock that is a day behind: the lease's, or ours."""
    docs = centralized
    with docs.broken("clock-skew"):
        until(lambda: "one of the two is wrong" in health(docs), "the container has looked")
        tomorrow = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=1):%Y-%m-%d}"
        shown = health(docs)
        assert shown.startswith(f"the certificate for {HOST} is valid from {tomorrow} ")
        assert f"by the clock of its machine it is {dt.datetime.now(dt.UTC):%Y-%m-%d} " in shown
        assert "certificate is not yet valid, by this machine's clock (" in status(docs)["trouble"]
        until(lambda: "status 503" in (docs.state.root / "health.json").read_text(), "Route 53 has seen it")
        with impatient(docs), unmoved(docs):
            shown = docs.fails(active="decentralized").output
    assert "its certificate is not valid for browsers: certificate is not yet valid, by this machine's clock (" in shown
    assert f"it answers: the certificate for {HOST} is valid from {tomorrow} " in shown
    until(lambda: status(docs)["well"], "it is well once the clock is right")


def test_a_certificate_near_its_end_is_found_while_it_is_still_valid(centralized: Docs) -> None:
    docs = centralized
    with docs.broken("certificate-expired", days=6):
        until(lambda: "was not renewed" in health(docs), "the container has looked")
        sentence = f"the certificate for {HOST} ends within 7 days and was not renewed"
        until(lambda: status(docs)["trouble"].startswith(f"it answers 503, saying: {sentence}"), "status says so")
        assert status(docs)["certificate"]["days_left"] == pytest.approx(6, abs=0.1)
        until(lambda: "status 503" in (docs.state.root / "health.json").read_text(), "Route 53 has seen it")
        with impatient(docs), unmoved(docs):
            shown = docs.fails(active="decentralized").output
    assert sentence in shown


def test_no_record_moves_to_an_expired_certificate(centralized: Docs) -> None:
    docs = centralized
    with docs.broken("certificate-expired"):
        until(lambda: "expired" in status(docs)["trouble"], "status says so")
        with impatient(docs), unmoved(docs):
            shown = docs.fails().output
    assert "its certificate is not valid for browsers: certificate has expired, by this machine's clock (" in shown


def test_where_no_site_answers_yet_the_record_comes_before_the_certificate_and_is_seen_to_be_served(
    centralized: Docs,
) -> None:
    """The first deployment on Akash alone: an authority cannot ask a name that leads nowhere."""
    docs = centralized
    docs.pulumi.destroy()
    run = docs.up(mode="decentralized", active=None)
    assert f"no site answers {HOST} now, so its record may lead to {DIRECT} before" in run.output
    assert finished(run, "docs-akash-probe") < started(run, PRIMARY)
    assert finished(run, PRIMARY) < started(run, "docs-akash-confirm")
    assert docs.shown() == {"docs-akash": "valid for both names"}
    assert docs.pulumi.up("--expect-no-changes").changes() == {}


def test_a_lease_that_is_replaced_hands_the_host_over_with_a_certificate(centralized: Docs) -> None:
    """The old one is alone and answers the host: the gate is the full one, and the old lease passes challenges on."""
    docs = centralized
    before = serial(docs)
    run = docs.up(options=docs.workload["options"] | {"budget_usd_month": 11})
    assert ("create-replacement", "docs-akash") in run.steps()
    assert "no site answers" not in run.output
    assert finished(run, "docs-akash-confirm") < started(run, "docs-akash", "delete-replaced")
    assert serial(docs) != before
    assert docs.shown() == {"docs-akash": "valid for both names"}


def test_two_leases_from_nothing_have_both_names_before_the_standby_has_its_record(centralized: Docs) -> None:
    docs = centralized
    docs.pulumi.destroy()
    placement = {"centralized": "aws", "decentralized": ["akash", "akash"]}
    run = docs.up(placement=placement)
    assert finished(run, "docs-akash-confirm") < started(run, "docs-akash-2-probe")
    assert docs.shown() == dict.fromkeys(("docs-akash", "docs-akash-2"), "valid for both names")


def test_an_issuer_that_is_down_leaves_a_dead_site_dead_and_is_reported(centralized: Docs) -> None:
    """No site answers, so the record could come first; without the site's own certificate it does not."""
    docs = centralized
    docs.pulumi.destroy()
    placement = {"centralized": "aws", "decentralized": ["akash"]}
    with docs.broken("acme-down"), impatient(docs):
        shown = docs.fails(placement=placement).output
    assert "its failover record was left as it is" in shown
    assert [name for name in docs.records() if name.startswith(f"{HOST}/")] == []
    docs.pulumi.destroy()


def status(docs: Docs) -> dict[str, Any]:
    """Return the output of `unmoor status` about the lease."""
    sites = json.loads(docs.unmoor("status", "--json"))["docs"]
    (found,) = [site for site in sites if site["site"] == "docs-akash"]
    return dict(found)


def serial(docs: Docs) -> str:
    """Return the serial number of the lease's certificate for the host."""
    (path,) = docs.state.root.glob(f"akash/leases/*/volumes/*/caddy/certificates/*/{HOST}/{HOST}.crt")
    return str(x509.load_pem_x509_certificates(path.read_bytes())[0].serial_number)


@contextmanager
def other_caa(docs: Docs) -> Iterator[None]:
    """Let the CAA record at the host name another authority for a while."""
    route53 = inventory.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    (ours,) = [
        one for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if one["Type"] == "CAA" and one["Name"].rstrip(".") == HOST
    ]  # fmt: skip

    def put(record: dict[str, Any]) -> None:
        change = {"Action": "UPSERT", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})

    put(ours | {"ResourceRecords": [{"Value": '0 issue "other.example"'}]})
    yield
    put(ours)
