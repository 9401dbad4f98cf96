"""The price book: figures that were computed by hand elsewhere come out of it again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from components.errors import ConfigError
from components.prices import book as prices

if TYPE_CHECKING:
    from pathlib import Path


def test_the_docs_deployment_costs_as_much_as_in_the_worked_example():
    """A tenth of a thread, a quarter GiB and one GiB of ephemeral disk: 0.43 USD a month, 5.43 with an address."""
    assert prices.akash_usd_month(0.1, 0.25, {"ephemeral": 1}) == pytest.approx(0.43)
    assert prices.akash_usd_month(0.1, 0.25, {"ephemeral": 1}, ips=1) == pytest.approx(5.43)


@pytest.mark.parametrize(
    ("aws_endpoint", "scheme", "usd"),
    [(True, "https", 3.50), (False, "https", 6.75), (True, "http", 2.50), (False, "http", 4.75)],
)
def test_a_health_check_costs_the_check_and_each_option_it_is_made_with(aws_endpoint: bool, scheme: str, usd: float):
    assert prices.health_check(aws_endpoint=aws_endpoint, scheme=scheme).usd_month == usd


def test_an_unknown_price_names_its_neighbours():
    with pytest.raises(ConfigError) as caught:
        prices.aws("ec2_linux_ondemand_hour/t9.huge")
    assert "choose from m6g.large" in str(caught.value)
    with pytest.raises(ConfigError, match="no such group 'aws/ec3'"):
        prices.aws("ec3/t3.micro")


def test_a_price_knows_its_source_and_age():
    source = prices.book().price("akash/ip_lease").source
    assert source.age_days(date(2026, 11, 22)) == 108
    assert not source.stale(date(2026, 11, 22))
    assert source.stale(date(2027, 1, 1))


def test_an_unverified_price_is_always_stale():
    source = prices.book().price("aws/lightsail_month/2vcpu_4gb").source
    assert source.age_days(date(2026, 11, 22)) is None
    assert source.stale(date(2026, 11, 22))


def test_the_book_next_to_the_stack_files_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "stacks" / "pricebook.json"
    own.parent.mkdir()
    own.write_text(prices.SHIPPED.read_text().replace('"akash/ip_lease": [5,', '"akash/ip_lease": [7,'))
    monkeypatch.chdir(tmp_path)
    assert prices.book().price("akash/ip_lease").usd == 7.0


@pytest.mark.parametrize("text", ["nonsense", "{}", '{"sources": {}, "prices": {"a": [1, "X"]}}'])
def test_a_file_that_is_no_price_book_is_reported(text: str, tmp_path: Path):
    file = tmp_path / "pricebook.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="is not a price book"):
        prices.read(file)
