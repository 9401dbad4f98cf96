"""Whose a deployment is, by its group's name; what counts as a lost lease; for how long one is paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from components.targets.akash.market.lost import TABLE, lost
from components.targets.akash.market.names import Owner, endpoint_mark, group_name, label_of, owner_of
from components.targets.akash.market.observed import Deployment, Lease, Observed, Service, Standing
from components.targets.akash.market.runway import DAYS_PER_MONTH, days
from components.targets.akash.sdl.price import BLOCKS_PER_MONTH, UACT_PER_USD

URN = "urn:pulumi:prod::dao::unmoor:index:Workload$unmoor:akash:Deployment::docs-akash"


def test_a_name_bears_project_stack_and_resource_and_fits_a_label() -> None:
    owner = Owner.of(URN)
    name = group_name("docs-akash.prod", owner, "0a1b2c3d")
    assert name == f"docs-akash.prod-{owner.stack}{owner.site}-0a1b2c3d"
    assert (owner_of(name), label_of(name)) == (owner, "docs-akash.prod")
    assert len(group_name("x" * 48, owner, "0a1b2c3d")) <= 63


@pytest.mark.parametrize(
    ("urn", "stack", "site"),
    [
        (URN.replace("dao::", "other::"), False, False),
        (URN.replace(":prod:", ":staging:"), False, False),
        (URN.replace("::docs-akash", "::docs-akash-2"), True, False),
        (URN.replace("unmoor:index:Workload$", "unmoor:docs:OnAkash$"), True, True),
    ],
    ids=["another project", "another stack", "another resource", "another parent"],
)
def test_what_makes_another_owner(urn: str, stack: bool, site: bool) -> None:
    ours, theirs = Owner.of(URN), Owner.of(urn)
    assert (ours.stack == theirs.stack, ours.site == theirs.site) == (stack, site)


def test_a_resource_of_the_same_stack_is_found_by_its_name() -> None:
    other = URN.replace("::docs-akash", "::docs-akash-2")
    assert Owner.named(URN, "docs-akash-2") == Owner.of(other)
    assert Owner.named(other, "docs-akash") == Owner.of(URN)


def test_a_name_from_before_owners_has_none_and_keeps_its_endpoints() -> None:
    assert group_name("docs.prod", None, "0a1b2c3d") == "docs.prod-0a1b2c3d"
    assert owner_of("docs.prod-0a1b2c3d") is None
    assert endpoint_mark("docs.prod-0a1b2c3d") == "0a1b2c3d"
    assert owner_of("clicked by a person") is None


def test_two_projects_with_one_document_have_other_endpoint_names() -> None:
    names = [group_name("docs", Owner.of(urn), "0a1b2c3d") for urn in (URN, URN.replace("dao::", "other::"))]
    assert len({endpoint_mark(name) for name in names}) == 2


RUNS = Observed(
    0.0, Deployment("7", "active", "aa"), Lease("p", "active", Decimal(10)), services={"web": Service(1, 1, 1)}
)
SILENT = replace(RUNS, services=None)


@pytest.mark.parametrize(
    ("seen", "silent_s", "served", "is_lost"),
    [
        (RUNS, 0, True, False),
        (replace(RUNS, lease=replace(RUNS.lease, state="closed")), 0, True, True),
        (replace(RUNS, lease=replace(RUNS.lease, state="reclaiming")), 0, True, True),
        (replace(RUNS, lease=None), 0, False, False),
        (SILENT, 10_000, True, False),
        (SILENT, 10_000, None, False),
        (SILENT, 179.9, False, False),
        (SILENT, 180, False, True),
    ],
    ids=["runs", "closed", "reclaimed", "no lease", "silent and served", "nothing tells", "not long enough", "dead"],
)
def test_what_counts_as_lost(seen: Observed, silent_s: float, served: bool | None, is_lost: bool) -> None:
    assert bool(lost(seen, silent_s, served=served)) is is_lost


def test_every_loss_has_a_reason() -> None:
    assert all(each.why and each.sign for each in TABLE)


#: 20 cents a day, in uact per block.
CENTS_20 = Decimal("0.2") * DAYS_PER_MONTH * UACT_PER_USD / BLOCKS_PER_MONTH


def standing(dseq: str, escrow: str | None, price: Decimal = CENTS_20, topped_up: bool | None = False) -> Standing:
    """Return a lease that costs, unless another price is given, 20 cents a day."""
    held = Deployment(dseq, "active", "aa")
    escrow_usd = None if escrow is None else Decimal(escrow)
    return Standing(held, Lease("p", "active", price), escrow_usd, topped_up)


def test_a_lease_that_is_not_topped_up_ends_with_its_escrow() -> None:
    assert days([standing("7", "2"), standing("8", "0.5")], Decimal(100)) == {"7": 10.0, "8": 2.5}


def test_leases_that_are_topped_up_share_the_balance() -> None:
    shared = [standing("7", "1", topped_up=True), standing("8", "1", topped_up=True), standing("9", "1")]
    assert days(shared, Decimal(38)) == {"7": 100.0, "8": 100.0, "9": 5.0}


def test_what_is_not_known_has_no_runway() -> None:
    closed = replace(standing("7", "5"), lease=Lease("p", "closed", Decimal(1)))
    assert days([standing("8", None), closed, standing("9", "5", price=Decimal())], Decimal(1)) == {}
