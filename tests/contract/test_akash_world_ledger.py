"""The books and the rules of the sandbox's Akash, with time as a number: what takes minutes to see from outside."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.akash import container, crosscheck, monitor
from sandbox.akash.ledger import BLOCK_SECONDS, ChainError, Deployment, Ledger, Reason
from sandbox.akash.providers import BY_OWNER, PROVIDERS, AkashProvider, refusal
from sandbox.akash.sizes import GIB, ask
from sandbox.akash.workload import Grounds, ingress_host
from sandbox.images import repository

NAMED = {each.name: each for each in PROVIDERS}
MONTH = 30.437 * 86_400


def group(
    *,
    cpu: int = 1000,
    memory: int = 2 * GIB,
    disk: int = 10 * GIB,
    volume: str = "",
    kinds: tuple[int, ...] = (0,),
    price: str = "100",
    denom: str = "uact",
    attributes: dict[str, str] | None = None,
    all_of: tuple[str, ...] = (),
    count: int = 1,
) -> dict[str, Any]:
    storage = [{"name": "default", "size": {"val": str(disk)}}]
    if volume:
        marks = [{"key": "class", "value": volume}, {"key": "persistent", "value": "true"}]
        storage.append({"name": "data", "size": {"val": str(100 * GIB)}, "attributes": marks})
    resource = {
        "id": 1,
        "cpu": {"units": {"val": str(cpu)}},
        "memory": {"size": {"val": str(memory)}},
        "storage": storage,
        "gpu": {"units": {"val": "0"}},
        "endpoints": [{"kind": kind, "sequence_number": int(kind == 2)} for kind in kinds],
    }
    return {
        "name": "site",
        "requirements": {
            "signed_by": {"any_of": [], "all_of": list(all_of)},
            "attributes": [{"key": key, "value": value} for key, value in (attributes or {}).items()],
        },
        "resources": [{"resource": resource, "count": count, "price": {"denom": denom, "amount": price}}],
    }


def running(deposit: float = 5e6, rate: float = 12.5) -> tuple[Ledger, Deployment]:
    ledger = Ledger()
    made = ledger.create("1", [group()], b"hash", deposit)
    ledger.bid("1", 1, NAMED["europa"].owner, rate)
    ledger.lease("1", 1, 1, NAMED["europa"].owner)
    return ledger, made


def test_the_escrow_drains_by_the_block_at_the_price_of_the_lease() -> None:
    ledger, made = running()
    ledger.now += 1000 * BLOCK_SECONDS + 1
    assert 12_500 == ledger.owed(made)
    ledger.close("1")
    assert (100e6 - 12_500, 12_500, 0) == (ledger.wallet, made.transferred, made.funds)


def test_a_month_costs_the_monthly_price_of_the_bid() -> None:
    usd = 5.41
    ledger, made = running(deposit=50e6, rate=usd * 1e6 / 429_909)
    ledger.now += MONTH
    assert usd == pytest.approx(ledger.owed(made) / 1e6, rel=1e-3)


def test_an_empty_escrow_ends_everything_and_gives_nothing_back() -> None:
    ledger, made = running(deposit=500_000)
    ledger.now += 50_000 * BLOCK_SECONDS
    ledger.starve(made)
    assert ("closed", "overdrawn", "insufficient_funds") == (made.state, made.escrow, made.groups[0].state)
    assert (Reason.LEASE_CLOSED_REASON_INSUFFICIENT_FUNDS, 100e6 - 500_000) == (made.leases[0].reason, ledger.wallet)


def test_a_lease_given_up_by_its_provider_locks_the_escrow_until_the_owner_closes() -> None:
    ledger, made = running()
    ledger.abandon("1", made.leases[0], Reason.LEASE_CLOSED_REASON_UNSTABLE)
    ledger.now += 1000 * BLOCK_SECONDS
    assert ("active", "open", "paused", 0) == (made.state, made.escrow, made.groups[0].state, ledger.owed(made))
    with pytest.raises(ChainError, match="order not open"):
        ledger.lease("1", 1, 1, NAMED["europa"].owner)
    ledger.close("1")
    assert 100e6 == ledger.wallet


@pytest.mark.parametrize(
    ("spec", "deposit", "words"),
    [
        (group(denom="uakt"), 5e6, "invalid price: unsupported denomination uakt"),
        (group(), 4e5, "Deposit too low - 400000uact < 500000uact: Deposit invalid"),
        (group(), 2e8, "insufficient balance"),
    ],
)
def test_the_chain_refuses_in_its_own_words(spec: dict[str, Any], deposit: float, words: str) -> None:
    with pytest.raises(ChainError, match=words):
        Ledger().create("1", [spec], b"hash", deposit)


def test_an_update_with_the_same_hash_is_refused_by_the_chain() -> None:
    ledger, _ = running()
    with pytest.raises(ChainError, match="Invalid: deployment hash"):
        ledger.update("1", b"hash")


def test_a_bid_that_is_not_taken_is_withdrawn_after_five_minutes() -> None:
    ledger = Ledger()
    made = ledger.create("1", [group()], b"hash", 5e6)
    ledger.bid("1", 1, NAMED["europa"].owner, 8.0)
    ledger.now += 299
    ledger.expire(made)
    assert "open" == made.bids[0].state
    ledger.now += 2
    ledger.expire(made)
    assert "closed" == made.bids[0].state
    with pytest.raises(ChainError, match="bid not open"):
        ledger.lease("1", 1, 1, NAMED["europa"].owner)


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("europa", group(attributes={"region": "us-west"}), "attribute region is not us-west"),
        ("cascadia", group(volume="beta2"), "no persistent storage of class beta2"),
        ("monsoon", group(kinds=(0, 2)), "insufficient capacity: IP address"),
        ("tundra", group(cpu=17_000), "insufficient capacity: cpu"),
        ("tundra", group(memory=65 * GIB), "insufficient capacity: memory"),
        ("tundra", group(disk=1025 * GIB), "insufficient capacity: storage"),
        ("bargain", group(all_of=("akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63",)), "not signed by all"),
        ("europa", group(price="8.0"), "requested rate is too low. min expected 8.02"),
    ],
)
def test_a_provider_declines(name: str, spec: dict[str, Any], words: str) -> None:
    why, _ = refusal(NAMED[name], spec, [])
    assert why.startswith(words)


def test_what_is_leased_is_no_longer_free() -> None:
    tundra, spec = NAMED["tundra"], group(kinds=(0, 2))
    held = [ask(spec)]
    assert "" == refusal(tundra, spec, held)[0]
    assert "insufficient capacity: IP address" == refusal(tundra, spec, held * 2)[0]


def test_a_provider_that_promises_less_notice_than_is_asked_for_declines() -> None:
    assert "" == refusal(NAMED["tundra"], group(), [], notice=86_400)[0]
    assert "reclamation window" in refusal(NAMED["europa"], group(), [], notice=1)[0]  # as by default


@pytest.mark.parametrize(
    ("spec", "usd"),
    [
        (group(), 3.45),
        (group(kinds=(0, 2)), 8.45),
        (group(kinds=(0, 1, 2, 2)), 8.50),
        (group(volume="beta3"), 7.45),
        (group(count=2), 6.90),
        (group(count=2, kinds=(0, 2)), 16.90),
    ],
)
def test_the_price_is_that_of_the_providers_script(spec: dict[str, Any], usd: float) -> None:
    _, rate = refusal(NAMED["europa"], spec, [])
    assert usd == pytest.approx(rate * 429_909 / 1e6, abs=1e-5)


def test_a_lease_short_of_replicas_is_closed_after_seven_to_eight_minutes() -> None:
    watch, now = monitor.Monitor(), 0.0
    while not watch.failed(now, ready=False):
        now += 0.2
    assert 40 * 4 < now < 41 * 19.2
    watch = monitor.Monitor()
    assert not any(watch.failed(20.0 * step, ready=step % 40 == 39) for step in range(200))


def test_the_back_off_is_that_of_kubernetes() -> None:
    assert (0, 10, 20, 40, 80, 160, 300) == container.BACK_OFF


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("caddy", "docker.io/library/caddy"),
        ("docker.io/library/caddy:2.10.2-alpine@sha256:" + "0" * 64, "docker.io/library/caddy"),
        ("bitnami/redis:7", "docker.io/bitnami/redis"),
        ("ghcr.io:443/a/b:1", "ghcr.io:443/a/b"),
    ],
)
def test_an_image_has_one_repository_for_all_tags(image: str, full: str) -> None:
    assert full == repository(image)


def test_the_name_at_the_ingress_follows_from_the_lease_and_the_service() -> None:
    one, other = ingress_host("owner/1/1/1/provider", "web"), ingress_host("owner/2/1/1/provider", "web")
    assert (26, True, True) == (len(one), one == one.lower(), one != other)


def test_a_leased_address_belongs_to_one_deployment_and_returns() -> None:
    grounds = Grounds(NAMED["tundra"])
    assert ["203.0.113.50", "203.0.113.50", None, "203.0.113.51", None] == [
        grounds.address("1", "a"),
        grounds.address("1", "a"),
        grounds.address("2", "a"),
        grounds.address("2", "b"),
        grounds.address("3", "c"),
    ]


def test_an_address_that_was_given_up_goes_to_who_asks_next() -> None:
    grounds = Grounds(NAMED["europa"])
    first, second = grounds.address("1", "a"), grounds.address("2", "b")
    assert first
    del grounds.addresses[first]
    assert [grounds.address("3", "c"), grounds.address("4", "d") == second] == [first, False]


def test_a_stranger_has_an_address_for_as_long_as_the_pool_has_another_one() -> None:
    grounds = Grounds(NAMED["tundra"], strangers={"203.0.113.50"})
    assert [grounds.address("1", "a"), grounds.address("2", "b")] == ["203.0.113.51", "203.0.113.50"]
    assert grounds.strangers == set()


def test_at_least_four_providers_and_three_of_them_audited_with_addresses() -> None:
    def fits(each: AkashProvider) -> bool:
        return each.audited and bool(each.addresses) and "beta3" in each.classes

    assert len(BY_OWNER) >= 4
    assert 3 == sum(fits(each) for each in PROVIDERS)


def test_the_provider_compares_sizes_whichever_way_they_are_spelt() -> None:
    assert crosscheck._plain({"size": {"val": "1"}, "attributes": []}) == crosscheck._plain({"quantity": {"val": "1"}})
