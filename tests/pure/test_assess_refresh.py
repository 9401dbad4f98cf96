"""Prices read again: recorded answers, cut down to what matters, never the network.

That the real lists still look like these samples cannot be proved here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from components.commands import prices as command
from components.errors import ConfigError
from components.prices import book as prices
from components.prices import refresh

from .assess_samples import ON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOOK = prices.read(prices.SHIPPED)
EC2 = """"FormatVersion","v1.0"
"Disclaimer","This pricing list is for informational purposes only."
"Publication Date","2026-11-20T18:00:00Z"
"Version","20261120180000"
"OfferCode","AmazonEC2"
"SKU","TermType","StartingRange","Unit","PricePerUnit","usageType","operation","CapacityStatus","Tenancy"
"A","Reserved","0","Hrs","0.0200000000","BoxUsage:t3.medium","RunInstances","Used","Shared"
"B","OnDemand","0","Hrs","0.0010000000","BoxUsage:t3.medium","RunInstances","UnusedCapacityReservation","Shared"
"C","OnDemand","0","Hrs","0.0430000000","BoxUsage:t3.medium","RunInstances","Used","Shared"
"D","OnDemand","0","Hrs","0.0600000000","BoxUsage:t3.medium","RunInstances:0002","Used","Shared"
"E","OnDemand","0","Hrs","0.1664000000","BoxUsage:t3.xlarge","RunInstances","Used","Shared"
"F","OnDemand","","GB-Mo","0.0800000000","EBS:VolumeUsage.gp3","","",""
"G","OnDemand","0","Hrs","0.9000000000","BoxUsage:t3.micro","RunInstances","Used","Shared"
"""
S3 = """"Publication Date","2026-11-19T00:00:00Z"
"SKU","TermType","StartingRange","Unit","PricePerUnit","usageType","operation"
"B","OnDemand","51200","GB-Mo","0.0220000000","TimedStorage-ByteHrs",""
"A","OnDemand","0","GB-Mo","0.0230000000","TimedStorage-ByteHrs",""
"C","OnDemand","0","Requests","0.0000050000","Requests-Tier1",""
"""
SCRIPT = """#!/bin/bash
TARGET_CPU="1.80"          # USD/thread-month
TARGET_MEMORY="${PRICE_TARGET_MEMORY:-0.80}"
TARGET_GPU_UNIT="100"
  TARGET_IP="5"              # USD for IP/month
"""
TABLE = {"status": "success", "data": {"cpu": 0.15, "ram": 0.05, "hdd": 0.02, "port": 2, "minUSDPrice": 0.99}}


def world(address: str) -> Iterator[str]:
    """Answer as the recorded addresses do."""
    if "AmazonEC2" in address:
        return iter(EC2.splitlines())
    if "AmazonS3" in address:
        return iter(S3.splitlines())
    if "helm-charts" in address:
        return iter(SCRIPT.splitlines())
    if "runonflux" in address:
        return iter([json.dumps(TABLE)])
    if "AmazonRDS" in address:
        return iter(["<html>not a list</html>"])
    raise OSError(f"{address}: refused")


def read_again(world=world) -> refresh.Refreshed:
    return refresh.refresh(BOOK, ["aws/ec2_linux_ondemand_hour/t3.xlarge"], ON, world, lambda _: None)


def test_the_ordinary_price_is_picked_out_of_the_list():
    found = read_again().prices
    assert found["aws/ec2_linux_ondemand_hour/t3.medium"] == (0.043, "AWS AmazonEC2")
    assert found["aws/ec2_linux_ondemand_hour/t3.xlarge"] == (0.1664, "AWS AmazonEC2")
    assert found["aws/ebs_gp3_gb_month"] == (0.08, "AWS AmazonEC2")
    assert found["aws/s3_standard_gb_month"] == (0.023, "AWS AmazonS3")
    assert found["aws/s3_put_1k"] == (0.005, "AWS AmazonS3")


def test_akash_and_flux_are_read_from_their_own():
    found = read_again().prices
    assert found["akash/cpu_thread"] == (1.8, "HP")
    assert found["akash/memory_gib"] == (0.8, "HP")
    assert found["akash/ip_lease"] == (5, "HP")
    assert found["flux/minimum_month"] == (0.99, "FLX")
    assert "akash/endpoint" not in found


def test_a_price_that_is_far_off_is_left_and_reported():
    found = read_again()
    assert "aws/ec2_linux_ondemand_hour/t3.micro" not in found.prices
    assert any("t3.micro: read 0.9, was 0.0104; too far off" in text for text in found.failures)


def test_what_cannot_be_read_is_reported_and_the_others_continue():
    said = "\n".join(read_again().failures)
    assert "AWS price list of AmazonRDS: no list came back" in said
    assert "AWS price list of AmazonECS: https://pricing" in said
    assert "AWS AmazonS3: not in the list, left as they were: aws/s3_get_1k" in said


@pytest.mark.parametrize("answer", ['{"status": "error"}', '{"status": "success", "data": 1}', "[]", "not json"])
def test_an_invalid_table_is_reported(answer: str):
    def odd(address: str) -> Iterator[str]:
        if "runonflux" in address:
            return iter([answer])
        if "helm-charts" in address:
            return iter(["nothing here"])
        return world(address)

    said = "\n".join(read_again(odd).failures)
    assert "Flux price table: " in said
    assert "Akash bid script: no price was found in it" in said


def test_a_table_by_height_is_read_from_its_newest():
    def tables(address: str) -> Iterator[str]:
        if "runonflux" in address:
            return iter([json.dumps({"status": "success", "data": [{"cpu": 0.1}, {"cpu": 0.2}]})])
        return world(address)

    assert read_again(tables).prices["flux/cpu_tenth_core"] == (0.2, "FLX")


def test_the_new_book_is_a_book_and_its_diff_is_short():
    found = read_again()
    text = refresh.written(BOOK, found, ON)
    new = prices.parse(text, prices.OWN)
    assert new.price("aws/ec2_linux_ondemand_hour/t3.medium").usd == 0.043
    assert new.price("aws/ec2_linux_ondemand_hour/t3.medium").source.title.endswith("published 2026-11-20")
    assert new.price("aws/ec2_linux_ondemand_hour/t3.micro") == BOOK.price("aws/ec2_linux_ondemand_hour/t3.micro")
    assert new.price("akash/cpu_thread").source.read == ON
    assert refresh.changes(BOOK, found) == [
        "~ akash/cpu_thread: 1.6 -> 1.8 (+12.5 %)",
        "~ aws/ec2_linux_ondemand_hour/t3.medium: 0.0416 -> 0.043 (+3.4 %)",
        "+ aws/ec2_linux_ondemand_hour/t3.xlarge: 0.1664",
    ]
    shipped = set(prices.SHIPPED.read_text(encoding="utf-8").splitlines())
    fresh = [line for line in text.splitlines() if line not in shipped]
    old = {path: (price.usd, price.source.key) for path, price in BOOK.prices.items()}
    new_rows = {path for path, row in found.prices.items() if old.get(path) != row}
    assert {line.split('"')[1] for line in fresh} == {*new_rows, *found.sources}


def test_when_nothing_answers_the_book_stays():
    def dead(address: str) -> Iterator[str]:
        raise OSError("refused")

    with pytest.raises(ConfigError, match="no source could be read; the price book stays as it is"):
        refresh.written(BOOK, read_again(dead), ON)


def test_the_command_writes_the_operator_s_own_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "inventory.yaml").write_text(
        "dao: {name: x}\nas_of: 2026-11-01\nworkloads:\n  a: {title: A, state: none, importance: low, "
        "parts: [{what: ec2, type: t3.xlarge}, {what: ipv4}], size: {cpu: 1, memory_gib: 1}, parties: {compute: aws}}\n"
    )
    monkeypatch.setattr(command, "_lines", world)
    done = CliRunner().invoke(command.cli, ["refresh", "--date", "2026-11-22"])
    assert done.exit_code == 0, done.output
    assert "+ aws/ec2_linux_ondemand_hour/t3.xlarge: 0.1664" in done.output
    assert prices.book().price("aws/ec2_linux_ondemand_hour/t3.xlarge").usd == 0.1664
    again = CliRunner().invoke(command.cli, ["refresh", "--date", "2026-11-22"])
    assert "no price changed; their sources are fresh again" in again.output


def test_showing_filters_by_words_and_shows_ages():
    shown = CliRunner().invoke(command.cli, ["show", "ec2", "t3.medium", "--date", "2026-11-22"]).output
    assert "aws/ec2_linux_ondemand_hour/t3.medium" in shown
    assert "IC (93 days old)" in shown
    assert "never verified" in CliRunner().invoke(command.cli, ["show", "lightsail"]).output
    assert isinstance(CliRunner().invoke(command.cli, ["show", "nonsense"]).exception, ConfigError)


def test_an_address_that_refuses_is_an_oserror(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1"):
        list(command._lines("http://127.0.0.1:1/none"))
