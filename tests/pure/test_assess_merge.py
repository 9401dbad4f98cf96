"""Merging findings into an inventory: what people wrote stays, to the letter."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from components.assess.discover import merge, seen
from components.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ON = date(2026, 11, 22)
WRITTEN = """\
# ours
dao:
  name: "Our DAO"   # with a comment
as_of: 2026-11-01
workloads:
  # the forum is dear to us
  forum:
    title: 'Talk'        # quoted as we like
    state: database
    importance: very-high
    parts:
      - {what: ec2, type: t3.large}   # by hand
    parties: {compute: aws, dns: cloudflare}
    cost:
      measured: {usd_month: 90, source: "Cost Explorer, tag workload, 2026-09"}
  drafted:
    title: Drafted
    parts:
      - {what: ec2, type: t3.micro, note: i-1}
  bare:
    title: Bare
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(WRITTEN)
    return path


def put(file: Path, **drafts: dict[str, Any]) -> tuple[list[str], str]:
    document = merge.load(file, ON)
    said = merge.merge(
        document, {name: {"title": name, **one} for name, one in drafts.items()}, "unmoor discover aws", ON
    )
    merge.save(document, file)
    return said, file.read_text()


def test_nothing_found_changes_no_byte(file: Path):
    said, text = put(file)
    assert (said, text) == ([], WRITTEN)


INDENTED = """\
dao:
    name: Our DAO  # with a comment
as_of: 2026-11-01
workloads:

    # the forum is dear to us
    forum:
        title: 'Talk'
        hosts:
        - talk.dao.example
    drafted:
        title: |
            Drafted
            here
        parts:
        - {what: ec2, type: t3.micro, note: i-1}
"""


@pytest.mark.parametrize("written", [WRITTEN, INDENTED], ids=["written", "indented"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_line_ends_indents_and_the_byte_order_mark_stay(tmp_path: Path, written: str, mark: bytes, end: str):
    file = tmp_path / "inventory.yaml"
    whole = mark + written.replace("\n", end).encode()
    file.write_bytes(whole)
    assert put(file)[0] == []
    assert file.read_bytes() == whole
    part = {"what": "ec2", "type": "t3.micro", "note": "i-2"}
    put(file, drafted={"parts": [part]}, docs={"parts": [part]}, forum={"size": {"cpu": 2}})
    after = file.read_bytes().decode("utf-8-sig")
    assert file.read_bytes().startswith(mark)
    assert after.count("\n") == after.count(end)
    assert set(whole.decode("utf-8-sig").split(end)) <= set(after.split(end))
    indents = {line[: line.index("title: docs")] for line in after.split(end) if line.endswith("title: docs")}
    assert indents == {" " * (8 if written == INDENTED else 4)}


def test_anchors_and_flow_style_are_no_hindrance(tmp_path: Path):
    file = tmp_path / "inventory.yaml"
    file.write_text(
        "dao: {name: x}\nas_of: 2026-11-01\nworkloads:\n   a: &a\n      title: A\n      data: &d\n         gb: 1\n"
        "   b:\n      <<: *a\n      title: B\n      data: *d\n      hosts:\n      - b.example\n   c: *a\n"
    )
    before = file.read_text()
    put(file, docs={})
    assert file.read_text().startswith(before)
    assert file.read_text().endswith("\n   docs: {title: docs}\n")


def test_only_lines_are_added_never_taken(file: Path):
    said, text = put(
        file,
        forum={
            "state": "none",
            "importance": "low",
            "hosts": ["talk.dao.example"],
            "size": {"cpu": 2},
            "work": "forum",
        },
    )
    assert said == ["+ workloads.forum.hosts: talk.dao.example", "+ workloads.forum.size: cpu 2"]
    assert set(WRITTEN.splitlines()) <= set(text.splitlines())
    assert "importance: very-high" in text


def test_a_party_that_differs_is_reported_and_left(file: Path):
    said, text = put(file, forum={"parties": {"compute": "aws", "dns": "route53", "mail": ["ses"]}})
    assert said == [
        "  workloads.forum.parties.dns has cloudflare, found route53; left as written",
        "+ workloads.forum.parties.mail: ses",
    ]
    assert "dns: cloudflare" in text


def test_a_machine_s_measure_is_kept_up_to_date(file: Path):
    measured = {"usd_month": 101.5, "source": "Cost Explorer, tag workload, 2026-10"}
    said, text = put(file, forum={"cost": {"measured": measured}})
    was = "usd_month 90, source Cost Explorer, tag workload, 2026-09"
    now = "usd_month 101.5, source Cost Explorer, tag workload, 2026-10"
    assert said == [f"~ workloads.forum.cost.measured: {was} -> {now}"]
    assert "101.5" in text
    assert put(file, forum={"cost": {"measured": measured}})[0] == []


def test_parts_written_by_hand_are_a_whole(file: Path):
    said, text = put(file, forum={"parts": [{"what": "rds", "note": "db-1"}]})
    assert said == ["  workloads.forum.parts were written by hand and stay; seen: what rds, note db-1"]
    assert "db-1" not in text


def test_drafted_parts_grow_by_what_is_new(file: Path):
    parts = [{"what": "ec2", "type": "t3.micro", "note": "i-1"}, {"what": "ec2", "type": "t3.micro", "note": "i-2"}]
    said, text = put(file, drafted={"parts": parts})
    assert said == ["+ workloads.drafted.parts: what ec2, type t3.micro, note i-2"]
    assert "      - {what: ec2, type: t3.micro, note: i-2}" in text
    assert put(file, drafted={"parts": parts})[0] == []


def test_a_workload_without_parts_gets_them(file: Path):
    said, text = put(file, bare={"parts": [{"what": "ipv4", "note": "eip-1"}]})
    assert said == ["+ workloads.bare.parts: what ipv4, note eip-1"]
    assert "      - {what: ipv4, note: eip-1}" in text


def test_a_new_workload_names_its_source(file: Path):
    said, text = put(file, docs={"parts": [{"what": "s3", "gb": 1, "note": "b"}], "parties": {"compute": "aws"}})
    assert said == ["+ workloads.docs: docs (1 s3)"]
    assert "  # drafted by unmoor discover aws on 2026-11-22: check title, work, state and importance\n  docs:" in text


def test_an_inventory_begins_where_there_is_none(tmp_path: Path):
    said, text = put(tmp_path / "stacks" / "new.yaml", docs={"parties": {"compute": "aws"}})
    assert said == ["+ workloads.docs: docs"]
    assert text.startswith("# yaml-language-server: $schema=inventory.schema.json")
    assert "  docs:\n    title: docs\n" in text


def test_workloads_that_stand_empty_are_filled(tmp_path: Path):
    path = tmp_path / "i.yaml"
    path.write_text("dao: {name: x}\nas_of: 2026-11-01\nworkloads:\n")
    assert put(path, docs={})[0] == ["+ workloads.docs: docs"]


@pytest.mark.parametrize("text", ["- a", "workloads: [1]", "a: [1"])
def test_what_is_no_inventory_is_left_alone(text: str, tmp_path: Path):
    path = tmp_path / "i.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        merge.load(path, ON)
    assert path.read_text() == text


def test_what_leads_to_one_host_is_one_workload(tmp_path: Path):
    """DNS knew the host first; the account's resources behind it become parts of the same workload."""
    path = tmp_path / "i.yaml"
    put(path, docs={"hosts": ["docs.dao.example"], "parties": {"compute": "unknown"}})
    parts = [{"what": "ipv4", "note": "eip-1"}]
    said, text = put(path, **{"aws-untagged": {"hosts": ["docs.dao.example"], "parts": parts}})
    assert said == ["+ workloads.docs.parts: what ipv4, note eip-1"]
    assert "aws-untagged" not in text


def test_a_host_that_another_workload_has_is_left_there(file: Path):
    put(file, bare={"hosts": ["bare.dao.example"]}, forum={"hosts": ["talk.dao.example"]})
    said, text = put(file, rest={"hosts": ["bare.dao.example", "talk.dao.example", "new.dao.example"]})
    assert said == [
        "  bare.dao.example stands in workloads.bare; left there",
        "  talk.dao.example stands in workloads.forum; left there",
        "+ workloads.rest: rest",
    ]
    assert text.count("bare.dao.example") == text.count("talk.dao.example") == 1


def test_the_sites_of_this_tool_belong_to_their_workload():
    assert seen.site_of("docs-aws.dao.example", ["docs"]) == "docs"
    assert seen.site_of("docs-akash-2.dao.example", ["docs"]) == "docs"
    assert seen.site_of("docs-awsome.dao.example", ["docs"]) == ""
    assert seen.ours("unmoor docs-aws") == "docs"
    assert seen.ours("docs-aws-bucket-0a1b2c3") == "docs"
    assert seen.ours("docs-aws-bucket") == seen.ours("their own comment") == ""
