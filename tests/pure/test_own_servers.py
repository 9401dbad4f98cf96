"""The stack's own name servers in a stack file and its plan: refusals, companies, and the order of actions."""

from __future__ import annotations

import json
from datetime import date

import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import cli
from components.action import Create, Ref, Run
from components.assess import adapter
from components.assess.inventory import Dao, Workload
from components.assess.situation import standing
from components.assess.views import view
from components.config import models
from components.dns import moving, verdict
from components.dns.asking import Answer
from components.dns.beat import Beat, beat_name
from components.dns.check import Seen, Server, Way
from components.doctor import run
from components.errors import ConfigError, PlanError
from components.plan.canonical import plan_hash
from components.plan.stack import topology
from components.project import builtin
from tests.graph.test_actions import InMemory
from tests.settings import settings, site_folder

IMAGE = "ghcr.io/dao-example/nameserver@sha256:" + "ab" * 32
DELEGATION = {"registrar": "Gandi", "name_servers": ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"]}
SERVERS = {"placement": ["akash", "akash"], "image": IMAGE}
THREE = SERVERS | {"placement": ["akash", "akash", "akash"]}
OWN = ("ns-akash.dao.example", "ns-akash-2.dao.example")


def stack(*authorities, mode="decentralized", **dns):
    """Return a stack with sites on two Akash providers, and own name servers."""
    made = settings(mode, decentralized=("akash", "akash"))
    given = {"authorities": list(authorities), "servers": SERVERS, "delegation": DELEGATION} | dns
    return made | {"dns": {name: value for name, value in given.items() if value is not None}}


@pytest.fixture
def root(tmp_path):
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()
    return tmp_path


def zone_file(root, *records):
    kept = [{"host": host, "type": type_, "ttl": 300, "values": [value]} for host, type_, value in records]
    (root / "stacks" / "zone.yaml").write_text(yaml.safe_dump({"zone": "dao.example", "records": kept}))


def planned(made, root, registry=None):
    return topology(made, registry or builtin(), root)


def refused(made, root, registry=None):
    with pytest.raises((PlanError, ConfigError)) as caught:
        planned(made, root, registry)
    return [str(fault) for fault in caught.value.faults]


def test_all_that_does_not_fit_together_is_refused_at_once_by_the_paths_of_the_file(root):
    zone_file(root, ("dao.example", "CNAME", "vendor.example."), ("mail.dao.example", "A", "not an address"))
    made = stack("powerdns", delegation=None, servers={"placement": ["akash", "flux"]})
    made["stores"].pop("storj")
    made["workloads"]["docs"]["backup"] = {"stores": ["aws"]}
    found = refused(made, root)
    assert [each.partition(": ")[0] for each in found] == [
        "stacks/zone.yaml",
        "dns.delegation",
        "stores",
        "dns.servers.placement[1]",
    ]
    assert "'not an address' is no value of A" in found[0]
    assert found[3].endswith("nameserver does not run on 'flux'; choose from akash")


def test_servers_and_authority_are_named_together_or_not_at_all(root):
    (no_servers,) = refused(stack("powerdns", servers=None), root)
    assert no_servers.startswith("dns.servers: is required with powerdns; name the targets of the name servers")
    (no_authority,) = refused(stack("route53"), root)
    assert no_authority == (
        "dns.authorities: none of them answers from the servers of dns.servers; add powerdns, or take the servers out"
    )


def test_an_image_that_no_registry_has_is_refused_by_name(root):
    (fault,) = refused(stack("powerdns", servers={"placement": ["akash", "akash"]}), root)
    assert fault.startswith("dns.servers.image: the digest of ghcr.io/dao-example/nameserver is a placeholder")
    assert "image-nameserver.yml" in fault
    tag = {"placement": ["akash", "akash"], "image": "ghcr.io/dao-example/nameserver:1"}
    (fault,) = refused(stack("powerdns", servers=tag), root)
    assert fault.startswith("dns.servers.image: this does not name one image for good")


@pytest.mark.parametrize("count", [1, 4])
def test_there_are_two_servers_or_three(root, count):
    (fault,) = refused(stack("powerdns", servers=SERVERS | {"placement": ["akash"] * count}), root)
    assert fault.startswith("dns.servers.placement: ")


def test_a_site_has_no_third_place(root):
    made = stack("powerdns")
    made["workloads"]["docs"]["placement"] = {"decentralized": ["akash", "akash", "akash"]}
    (fault,) = refused(made, root)
    assert fault.startswith("workloads.docs.placement.decentralized: ")


def test_three_servers_answer_at_three_operators_and_change_one_after_the_other(root):
    made = planned(stack("powerdns", servers=THREE), root)
    servers, docs = made.workloads
    names = ("ns-akash", "ns-akash-2", "ns-akash-3")
    assert [server.host for server in made.zone.own.servers] == [f"{name}.dao.example" for name in names]
    assert tuple(servers.roles) == tuple(site.name for site in servers.sites) == names
    assert len({f"{name}.dao.example" for name in names}.intersection(servers.claimed)) == 3
    created = {a.name: a.does for a in made.actions if isinstance(a.does, Create)}
    assert [ref.of for ref in created["ns-akash-3"].avoid] == ["ns-akash", "ns-akash-2"]
    assert created["ns-akash"].apart == ("docs-akash", "docs-akash-2", "ns-akash-2", "ns-akash-3")
    assert [ref.of for ref in created["docs-akash"].avoid] == [*names]
    assert {"ns-akash-2-probe", "ns-akash-2-serves", "ns-akash-probe"} <= behind(made, "ns-akash-3")
    assert {f"{name}-probe" for name in names} <= behind(made, "powerdns:docs.dao.example/primary")
    assert sum("can forge the zone dao.example" in loss for loss in servers.losses) == 3
    assert [line.site for line in servers.bill] == [*names]
    assert servers.usd_month == pytest.approx(1.5 * planned(stack("powerdns"), root).workloads[0].usd_month, abs=0.02)
    assert docs.roles == {"docs-akash": "primary", "docs-akash-2": "standby"}


def test_a_third_server_leaves_what_the_first_two_are(root):
    two, three = (planned(stack("powerdns", servers=each), root).workloads[0] for each in (SERVERS, THREE))
    assert three.sites[:2] == two.sites


def test_a_third_server_at_a_vendor_is_no_setting(root):
    (fault,) = refused(stack("powerdns", vendor={"kind": "desec"}), root)
    assert fault.startswith("dns.vendor: no such setting")


def test_authorities_of_one_company_are_refused_where_a_workload_is_decentralized(root):
    registry = builtin().with_(authorities=[InMemory(company="AWS")])
    both = stack("route53", "memory", servers=None, delegation=None)
    (fault,) = refused(both, root, registry)
    assert fault == (
        "dns.authorities: all belong to AWS, which alone could end every name of a decentralized stack; "
        "name one of another"
    )
    both["workloads"]["docs"]["mode"] = "active-standby"
    assert planned(both, root, registry)


def test_a_name_is_taken_by_the_servers_and_their_kind_is_not_written(root):
    made = stack("powerdns")
    made["workloads"]["ns"] = made["workloads"]["docs"] | {"host": "b.dao.example"}
    assert refused(made, root) == [
        "workloads.ns: is what the name servers of dns.servers are called; choose another name"
    ]
    made = settings("decentralized")
    options = {"zone": "dao.example", "image": IMAGE}
    made["workloads"]["own"] = {"kind": "nameserver", "mode": "decentralized", "options": options}
    written = sorted(name for name, kind in builtin().kinds.items() if kind.written)
    assert "nameserver" not in written
    assert refused(made, root) == [f"workloads.own.kind: no kind 'nameserver'; choose from {', '.join(written)}"]


@pytest.mark.parametrize("authorities", [("powerdns",), ("route53", "powerdns")])
def test_an_apex_that_would_need_a_cname_is_refused(root, authorities):
    made = stack(*authorities, mode="active-standby")
    made["workloads"]["docs"]["host"] = "dao.example"
    (fault,) = refused(made, root)
    assert fault.startswith("workloads.docs.host: dao.example is the zone's apex, where no CNAME may stand")


@pytest.mark.parametrize(
    ("host", "type_", "value", "what"),
    [
        ("dao.example", "CNAME", "vendor.example.", "is the zone's apex, where no CNAME may stand"),
        ("docs.dao.example", "CNAME", "vendor.example.", "a CNAME stands alone"),
        ("ns-akash.dao.example", "A", "192.0.2.1", "as a record of workload 'ns' and as a plain record"),
        ("docs.other.example", "A", "192.0.2.1", "is outside the zone dao.example"),
    ],
)
def test_records_that_no_zone_may_hold_are_refused_before_anything_happens(root, host, type_, value, what):
    zone_file(root, (host, type_, value))
    found = refused(stack("powerdns"), root)
    assert found
    assert any(what in each for each in found), found


@pytest.mark.parametrize("host", ["ns-akash.dao.example", "docs-akash.dao.example"])
def test_the_name_of_a_site_as_a_host_is_one_fault_and_none_of_the_zone(root, host):
    made = stack("powerdns")
    made["workloads"]["docs"]["host"] = host
    (found,) = refused(made, root)
    assert found.startswith(f"workloads.docs.host: {host} is the site host of {host.split('.')[0]} already; choose")


@pytest.mark.parametrize(
    ("authorities", "mend"),
    [
        (("route53", "powerdns"), "adopt it at route53 alone, then add powerdns"),
        (("powerdns",), "free the host first, and take this out"),
    ],
)
def test_adoption_needs_a_vendor_alone(root, authorities, mend):
    made = stack(*authorities)
    made["workloads"]["docs"] |= {
        "mode": "centralized",
        "adopt": [{"type": "CNAME", "ttl": 60, "values": ["p.example"]}],
    }
    assert refused(made, root) == [f"workloads.docs.adopt: powerdns cannot take over a host; {mend}"]


def test_a_decentralized_stack_names_registrar_and_registry_and_no_company_else(root):
    made = stack("powerdns", delegation=DELEGATION | {"name_servers": list(OWN)})
    _, docs = planned(made, root).workloads
    assert [str(each) for each in docs.central] == [
        "Gandi alone can still switch this off: the domain",
        "the registry of example alone can still switch this off: the domain",
    ]


def test_while_the_parent_leads_to_a_vendor_alone_the_vendor_is_named(root):
    zone = "AWS alone can still switch this off: the zone"
    _, before = planned(stack("route53", "powerdns"), root).workloads
    assert zone in map(str, before.central)
    both = DELEGATION | {"name_servers": [*DELEGATION["name_servers"], *OWN]}
    _, moving_ = planned(stack("route53", "powerdns", delegation=both), root).workloads
    assert zone not in map(str, moving_.central)


def test_a_plan_names_who_can_forge_the_zone_and_what_a_server_costs(root):
    servers, _ = planned(stack("powerdns"), root).workloads
    assert sum("can forge the zone dao.example" in loss for loss in servers.losses) == 2
    assert [line.payee for line in servers.bill] == ["akash", "akash"]
    assert all(5 < line.usd_month < 15 for line in servers.bill)


def test_sites_are_never_rented_from_operators_of_name_servers(root):
    made = planned(stack("powerdns"), root)
    created = {a.name: a.does for a in made.actions if isinstance(a.does, Create)}
    servers = (Ref("ns-akash", "operator"), Ref("ns-akash-2", "operator"))
    assert created == {
        "ns-akash": Create((), ("docs-akash", "docs-akash-2", "ns-akash-2")),
        "ns-akash-2": Create(servers[:1], ("docs-akash", "docs-akash-2", "ns-akash")),
        "docs-akash": Create(servers, ("docs-akash-2", "ns-akash", "ns-akash-2")),
        "docs-akash-2": Create((*servers, Ref("docs-akash", "operator")), ("docs-akash", "ns-akash", "ns-akash-2")),
    }


def test_a_site_that_is_about_to_go_still_keeps_its_operator_to_itself(root):
    """It stands until the names have left it, and does not stand in this plan."""
    made = planned(stack("powerdns", mode="centralized"), root)
    created = {a.name: a.does for a in made.actions if isinstance(a.does, Create)}
    assert created["ns-akash"].apart == ("docs-akash", "docs-akash-2", "ns-akash-2")
    assert created["docs-aws"] == Create(), "one company runs all sites there"


def behind(made, name):
    needs = {action.name: set(action.needs) for action in made.actions}
    found, left = set(), [name]
    while left:
        for each in needs[left.pop()] - found:
            found.add(each)
            left.append(each)
    return found


@pytest.mark.parametrize("authorities", [("powerdns",), ("route53", "powerdns")])
def test_the_key_is_handed_over_before_a_server_is_asked_and_names_follow_the_servers(root, authorities):
    made = planned(stack(*authorities), root)
    assert {"ns-akash-key", "powerdns:ns-akash-host"} <= behind(made, "ns-akash-serves")
    assert "ns-akash-serves" in behind(made, "ns-akash-probe")
    for entry in ("powerdns:docs.dao.example/primary", "powerdns:docs-akash-host"):
        assert {"ns-akash-probe", "ns-akash-2-probe"} <= behind(made, entry)
    assert {"docs-akash-probe", "docs-akash-drain"} <= behind(made, "powerdns:docs.dao.example/primary")
    # One server after the other, so that a bad release of their image reaches only one.
    assert {"ns-akash-probe", "ns-akash-serves"} <= behind(made, "ns-akash-2")


def test_entries_hold_values_or_references_and_no_secret(root):
    zone_file(root, ("dao.example", "MX", "10 mail.dao.example."))
    made = planned(stack("route53", "powerdns"), root)
    entries = {a.name: a.does.given for a in made.actions if isinstance(a.does, Run) and a.does.program == "zone-entry"}
    assert entries["powerdns:records"]["entry"] == {
        "sets": [{"host": "dao.example", "type": "MX", "ttl": 300, "values": ["10 mail.dao.example."]}],
        "also": DELEGATION["name_servers"],
    }
    assert entries["powerdns:ns-akash-host"]["entry"]["server"] == OWN[0]
    (member,) = entries["powerdns:docs.dao.example/standby"]["entry"]["members"]
    assert (member["role"], member["site"]) == ("standby", "docs-akash-2")
    assert member["probe"]["host"] == "docs-akash-2.dao.example"


def test_a_changed_record_of_the_zone_asks_for_a_new_vote(root):
    zone_file(root, ("dao.example", "MX", "10 mail.dao.example."))
    before = plan_hash(planned(stack("powerdns"), root))
    zone_file(root, ("dao.example", "MX", "10 mail.stranger.example."))
    assert plan_hash(planned(stack("powerdns"), root)) != before


def test_a_stack_without_servers_has_the_hash_that_it_had(root):
    made = planned(settings("decentralized"), root)
    assert made.zone.own is None
    assert "own" not in json.dumps(models.StackConfig.model_validate(settings()).model_dump(mode="json")).split('"')


def test_two_stacks_with_servers_of_their_own_for_one_zone_are_refused(root):
    made = stack("powerdns") | {"label": "prod"}
    other, _ = models.read(stack("powerdns") | {"label": "staging"})
    made["workloads"]["docs"]["host"] = "www.dao.example"
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), root, neighbouring={"staging": other})
    (fault,) = caught.value.faults
    assert fault.path == "dns.servers"
    assert fault.message.startswith("the zone dao.example, by own name servers, is used by stack staging too")
    assert fault.message.endswith("let one stack alone answer for it")
    servers, docs = planned(made, root).workloads
    assert "_zone.dao.example" in servers.claimed
    assert "_zone.dao.example" not in docs.claimed


def test_a_plan_lists_the_seven_steps_of_the_move_and_what_each_waits_for(root):
    made = stack("route53", "powerdns")
    path = root / "stacks" / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": {f"unmoor:{name}": value for name, value in made.items()}}))
    done = CliRunner().invoke(cli, ["plan", "--stack", str(path)])
    assert done.exit_code == 0, done.output
    told = done.output.partition("a person moves its delegation:")[2]
    steps = moving.outline("dao.example", DELEGATION["name_servers"], OWN)
    assert len(steps) == 7
    for step in steps:
        assert step.what in told
        assert f"waits for {step.wait_for}" in told
    assert told.index(steps[2].what) < told.index(steps[4].what) < told.index(steps[6].what)
    shown = json.loads(CliRunner().invoke(cli, ["plan", "--stack", str(path), "--json"]).output)
    assert [each["what"] for each in shown["moves"]] == [step.what for step in steps]


@pytest.mark.parametrize(
    ("command", "what"), [("runbook", "name servers, which move between no sides"), ("flip", "no workload 'ns'")]
)
def test_commands_that_move_a_workload_refuse_the_servers_with_a_sentence(root, command, what):
    path = root / "stacks" / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": {f"unmoor:{k}": v for k, v in stack("powerdns").items()}}))
    words = [command, "ns", *(["centralized"] if command == "flip" else []), "--stack", str(path)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code
    assert what in f"{done.output} {done.exception}"


def test_once_one_authority_answers_there_is_nothing_to_move(root):
    path = root / "stacks" / "Pulumi.prod.yaml"
    path.write_text(yaml.safe_dump({"config": {f"unmoor:{k}": v for k, v in stack("powerdns").items()}}))
    done = CliRunner().invoke(cli, ["plan", "--stack", str(path)])
    assert done.exit_code == 0, done.output
    assert "moves its delegation" not in done.output


def test_a_rating_names_who_can_forge_the_zone_and_no_company_that_ends_the_names(root):
    entry = Workload.model_validate(
        {
            "title": "Docs",
            "work": "docs",
            "state": "none",
            "importance": "high",
            "hosts": ["docs.dao.example"],
            "parties": {"compute": ["aws"], "dns": ["route53"]},
        }
    )
    dao = Dao.model_validate({"name": "dao"})
    shown = {}
    for authorities, names in {("route53",): None, ("powerdns",): list(OWN)}.items():
        given = DELEGATION | ({"name_servers": names} if names else {})
        made = stack(*authorities, servers=SERVERS if names else None, delegation=given)
        plan = adapter.planned(planned(made, root), builtin())["docs"]
        shown[authorities] = view(entry, standing(entry, plan, dao, {}), date(2026, 11, 26))
    forged = "who runs the name servers can forge the zone, whose key lies there"
    reasons = {each: [str(reason.because) for reason in one.exposure.reasons] for each, one in shown.items()}
    assert forged in reasons["powerdns",]
    assert forged not in reasons["route53",]
    assert "dns" not in shown["powerdns",].situation.alone
    assert shown["route53",].situation.alone["dns"].company == "aws"


@pytest.mark.parametrize("authorities", [("route53",), ("route53", "powerdns"), ("powerdns",)])
def test_checks_of_a_stack_share_no_name_but_that_of_the_identity(authorities, root):
    """Of two checks with one name only the first is made, so a refusal by the other would be lost."""
    made = stack(*authorities) if "powerdns" in authorities else settings() | {"dns": {"delegation": DELEGATION}}
    plan = planned(made, root)
    names = [check.name for check in run.checks(plan, builtin(), "unmoor/test") if check.name != "AWS identity"]
    assert "servers that continue to answer" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_of_three_keepers_the_one_that_leads_a_name_elsewhere_is_named_against_the_two(odd):
    servers = [Server(f"ns{number}.dao.example", f"192.0.2.{number}") for number in range(3)]
    beats = [Beat(1_000, 7, {"docs.dao.example": "docs-akash-2"} if number == odd else {}) for number in range(3)]
    seen = Seen(
        "dao.example",
        "example",
        {},
        {
            Way(server, tcp=False): {(beat_name("dao.example"), "TXT"): Answer("NOERROR", frozenset({f'"{beat}"'}))}
            for server, beat in zip(servers, beats, strict=True)
        },
    )
    (found,) = verdict.keepers(seen, 1_000.0)
    apart, agree = str(servers[odd]), ", ".join(str(each) for each in servers if each != servers[odd])
    assert found.where == "docs.dao.example, by keepers"
    assert f"{apart}: 'docs-akash-2'" in found.what
    assert f"{agree}: 'where it leads while all is well'" in found.what
