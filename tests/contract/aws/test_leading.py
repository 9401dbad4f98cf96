"""Which records of a zone lead to a place, asked of Route 53's API: a standby's too, which no name server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.authority import ReadsZone
from components.dns.route53 import AUTHORITY
from components.errors import Unanswered

from .inputs import RECORD, failover, simple

if TYPE_CHECKING:
    from tests.contract.aws_account import Account
    from tests.contract.plugin_client import Plugin, Stood


@pytest.fixture(autouse=True)
def account(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.env.items():
        monkeypatch.setenv(name, value)


def test_every_record_of_the_zone_is_looked_at(plugin: Plugin, zone: str, check: Stood) -> None:
    made = [
        plugin.create(RECORD, "one", failover(zone, "two.dao.example", "PRIMARY", healthCheckId=check.id)),
        plugin.create(RECORD, "two", failover(zone, "two.dao.example", "SECONDARY", records=["203.0.113.6"])),
        plugin.create(RECORD, "hand", simple(zone, "by-hand.dao.example", records=["203.0.113.6"])),
    ]
    try:
        assert isinstance(AUTHORITY, ReadsZone)
        assert AUTHORITY.leading(["203.0.113.6"], ["Docs.DAO.example."]) == ["by-hand.dao.example", "two.dao.example"]
        assert AUTHORITY.leading(["203.0.113.7"], ["docs.dao.example"]) == []
        assert AUTHORITY.leading(["203.0.113.6"], ["docs.other.example", "xdao.example"]) is None
        assert AUTHORITY.leading(["203.0.113.6"], []) == ["by-hand.dao.example", "two.dao.example"]
    finally:
        for each in reversed(made):
            plugin.delete(each)


def test_a_silent_api_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unanswered, match="Route 53 does not show its zones"):
        AUTHORITY.leading(["203.0.113.6"], ["docs.dao.example"])
