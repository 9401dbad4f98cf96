"""What the data plane holds on to while its source is gone."""

from __future__ import annotations

import asyncio

from sandbox.net.known import Known, plain, record_set
from sandbox.net.wire import Unreachable


def test_what_was_known_holds_while_it_cannot_be_read_and_is_read_again_after():
    answers = iter(["one", None, "two"])

    async def load():
        answer = next(answers)
        if answer is None:
            raise Unreachable("down on purpose")
        return answer

    async def run():
        known = Known(load, "nothing", fresh_s=0.0)
        return [await known.get() for _ in range(3)]

    assert ["one", "one", "two"] == asyncio.run(run())


def test_a_fresh_value_is_not_read_again_and_many_who_ask_at_once_read_once():
    reads = []

    async def load():
        reads.append(1)
        await asyncio.sleep(0)
        return len(reads)

    async def run():
        known = Known(load, 0, fresh_s=3600)
        return [*(await asyncio.gather(*(known.get() for _ in range(5)))), await known.get()]

    assert [1] * 6 == asyncio.run(run())


def test_record_sets_are_read_as_the_api_writes_them():
    shape = {
        "Name": "\\052.DAO.example.",
        "Type": "A",
        "SetIdentifier": "primary",
        "Failover": "PRIMARY",
        "HealthCheckId": "check",
        "AliasTarget": {"HostedZoneId": "Z2", "DNSName": "D1.cloudfront.net.", "EvaluateTargetHealth": True},
    }
    found = record_set(shape)
    assert ("*.dao.example", "d1.cloudfront.net", True, "PRIMARY", "check") == (
        found.name,
        found.alias,
        found.evaluate_target,
        found.failover,
        found.health_check,
    )


def test_names_are_compared_in_lower_case_without_the_last_dot():
    assert "docs.dao.example" == plain("Docs.DAO.example.")
