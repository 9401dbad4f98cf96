"""New content, old content and drift: everything changes in place, on both halves, and is seen from outside.

The tests run in order, each from where the one before it ended.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from components.kinds.static import bundle
from sandbox.aws import inventory

from .docs_stack import HOST, STANDBY, Docs, finished, started

if TYPE_CHECKING:
    from sandbox.drive import Run

pytestmark = pytest.mark.timeout(600)

SITES = ("docs-aws", "docs-akash")
LOOKS = (f"{site}-{look}" for site in SITES for look in ("probe", "confirm"))
#: What new content changes, and nothing else: no record, no check, no drain, and no container, which learns of it from
#: the stores.
IN_PLACE = dict.fromkeys(("docs-keep", "docs-aws-publish", *LOOKS), "update")


@dataclass(frozen=True)
class Story:
    """The first version and the second, and the preview and the update from one to the other."""

    first: str
    second: str
    leases: dict[str, str]
    preview: Run
    run: Run


@pytest.fixture(scope="module")
def story(docs: Docs) -> Story:
    docs.up(mode="active-standby")
    first, leases = docs.version(), docs.leases()
    docs.page("the second page")
    preview, run = docs.pulumi.preview(), docs.pulumi.up()
    return Story(first, docs.version(), leases, preview, run)


def test_new_content_is_an_update_in_place_on_both_halves(docs: Docs, story: Story) -> None:
    assert story.run.changes() == IN_PLACE
    assert docs.leases() == story.leases


def test_the_preview_of_new_content_shows_that_no_record_moves(story: Story) -> None:
    assert story.preview.changes() == IN_PLACE


def test_new_content_is_in_every_store_before_a_site_is_asked_to_serve_it(story: Story) -> None:
    bundled = finished(story.run, "docs-keep")
    assert bundled < min(started(story.run, name) for name in ("docs-akash-probe", "docs-aws-publish"))


def test_new_content_does_not_restart_a_container(docs: Docs, story: Story) -> None:
    (log,) = [path for path in docs.state.root.rglob("lease-*-web*") if path.is_file()]
    said = log.read_text()
    assert said.count("it has only just started") == 1
    assert said.count("serving release") == 2


def test_both_halves_answer_the_new_version_and_show_the_page(docs: Docs, story: Story) -> None:
    assert [docs.site_serves(site) for site in SITES] == [story.second] * 2
    assert [docs.site_serves(site, "/")[-15:] for site in SITES] == ["the second page"] * 2


def test_one_line_rolls_both_halves_back_even_when_the_built_site_is_lost(docs: Docs, story: Story) -> None:
    lost = docs.site.rename(docs.site.with_name("lost"))
    options = docs.workload["options"]
    run = docs.up(options={**options, "version": story.first})
    lost.rename(docs.site)
    assert run.changes() == IN_PLACE
    assert docs.leases() == story.leases
    assert [docs.site_serves(site) for site in SITES] == [story.first] * 2
    assert [docs.site_serves(site, "/")[-14:] for site in SITES] == ["the first page"] * 2
    assert docs.again().changes() == {}


def test_restore_brings_a_kept_version_back_verified(docs: Docs, story: Story) -> None:
    """The newest is what was published last, the rolled-back one; the other is named."""
    for version, asked in ((story.first, ()), (story.second, ("--version", story.second))):
        folder = docs.site.with_name(f"restored-{version[:6]}")
        said = subprocess.run(
            ["./unmoor", "restore", "docs", folder, "--stack", docs.pulumi.config_file, "--json", *asked],
            cwd=docs.pulumi.project, env=dict(docs.pulumi.environment), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert (json.loads(said.stdout)["version"], bundle.version(folder)) == (version, version)


def test_a_refresh_sees_a_record_that_was_changed_behind_its_back_and_up_puts_it_right(
    docs: Docs, story: Story
) -> None:
    before = docs.records()
    change = {"Name": HOST, "Type": "A", "SetIdentifier": "secondary", "Failover": "SECONDARY", "TTL": 5}
    change |= {"ResourceRecords": [{"Value": "198.51.100.66"}], "HealthCheckId": check_of(HOST, "secondary")}
    route53, zone = inventory.client("route53"), zone_id()
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": change}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    assert docs.records() != before
    refreshed = docs.pulumi.refresh()
    assert refreshed.changes() == {STANDBY: "update"}
    assert docs.pulumi.up().changes() == {STANDBY: "update"}
    assert docs.records() == before


def zone_id() -> str:
    """Return the DAO's zone."""
    (zone,) = inventory.client("route53").list_hosted_zones()["HostedZones"]
    return str(zone["Id"])


def check_of(name: str, identifier: str) -> str:
    """Return the health check of a record."""
    sets = inventory.client("route53").list_resource_record_sets(HostedZoneId=zone_id())["ResourceRecordSets"]
    (found,) = [each for each in sets if each["Name"] == f"{name}." and each.get("SetIdentifier") == identifier]
    return str(found["HealthCheckId"])
