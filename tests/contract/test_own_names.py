"""A stack's zone as a bundle at two name servers of one's own: signed, delegated, compared, and failing over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
import pytest
import yaml
from click.testing import CliRunner
from octodns.zone import Zone
from octodns_bind import ZoneFileProvider

from components.commands.zone import cli
from components.config.models import Delegation
from components.dns import asking
from components.dns.powerdns import server
from components.dns.powerdns.bundle import read
from components.dns.powerdns.keeper import Keeper
from components.dns.powerdns.stores import Stores
from components.errors import ConfigError
from tests.contract.name_servers import Serves, serving
from tests.contract.powerdns import MISSING, PRIMARY, STANDBY, ZONE, NameServer, Signer, key_file, store
from tests.settings import zone_stack

NS1, NS2, PARENT, RESOLVER = "127.77.2.11", "127.77.2.12", "127.77.2.13", "127.77.2.14"
AT = ["--at", f"docs-akash={PRIMARY}", "--at", f"docs-akash-2={STANDBY}"]
SERVERS = ["--server", "ns1.dao.example", "--server", "ns2.dao.example"]
ABOVE = f"""\
example. 300 IN SOA a.nic.example. hostmaster.nic.example. 1 3600 600 604800 300
example. 300 IN NS a.nic.example.
a.nic.example. 300 IN A {PARENT}
"""
DELEGATION = f"""\
dao.example. 300 IN NS ns1.dao.example.
dao.example. 300 IN NS ns2.dao.example.
ns1.dao.example. 300 IN A {NS1}
ns2.dao.example. 300 IN A {NS2}
"""


@pytest.fixture
def stack(tmp_path):
    mail = ("dao.example", "MX", "10 mail.dao.example.")
    return zone_stack(tmp_path, mail, ("ns1.dao.example", "A", NS1), ("ns2.dao.example", "A", NS2))


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)


def bundled(stack, signer, out):
    result = run("bundle", "--stack", stack, *SERVERS, *AT, "--sign", signer.key, "--out", out)
    assert result.exception is None, result.exception
    return result


def test_the_zone_file_holds_the_stack_and_the_plain_records_and_names_each_failover_that_it_has_not(stack, tmp_path):
    result = run("file", "--stack", stack, *AT)
    assert result.exception is None, result.exception
    head = [line for line in result.stdout.splitlines() if line.startswith(";")]
    assert head == ["; docs.dao.example: always leads to docs-akash; no failover to docs-akash-2"]
    (tmp_path / "dao.example.zone").write_text(result.stdout)
    again = tmp_path / "again"
    again.mkdir()
    assert (
        run("import", tmp_path / "dao.example.zone", "--stack", stack, "--out", again / "zone.yaml").return_value == 0
    )
    kept = yaml.safe_load((again / "zone.yaml").read_text())["records"]
    assert {(each["host"], each["type"]) for each in kept} == {
        ("dao.example", "MX"),
        ("ns1.dao.example", "A"),
        ("ns2.dao.example", "A"),
    }


def test_a_site_that_dns_does_not_show_is_asked_for(stack):
    with serving({RESOLVER: Serves(dns.zone.from_text(ABOVE, "example.", relativize=False))}) as port:
        error = str(run("file", "--stack", stack, "--resolver", f"{RESOLVER}:{port}").exception)
    sentence = "docs-akash.dao.example is not answered; deploy the stack first, or give it as --at docs-akash=WHERE"
    assert f"docs-akash: {sentence}" in error
    wrong = str(run("file", "--stack", stack, "--at", "docs=1.2.3.4", "--at", "docs-akash=here", *AT[2:]).exception)
    assert "--at docs: is no site of the stack; choose from docs-akash, docs-akash-2" in wrong
    assert "docs-akash: 'here' is no IPv4 address" in wrong


def test_sites_are_found_by_their_own_names(stack, monkeypatch):
    sites = f"docs-akash.dao.example. 30 IN A {PRIMARY}\ndocs-akash-2.dao.example. 30 IN A {STANDBY}\n"
    zone = dns.zone.from_text(sites, "dao.example.", relativize=False, check_origin=False)
    with serving({RESOLVER: Serves(zone)}) as port:
        result = run("file", "--stack", stack, "--resolver", f"{RESOLVER}:{port}")
    assert result.stdout == run("file", "--stack", stack, *AT).stdout


def test_a_name_server_without_an_address_in_the_zone_is_refused(stack, tmp_path):
    (stack.parent / "zone.yaml").unlink()
    result = run(
        "bundle", "--stack", stack, *SERVERS, *AT, "--sign", Signer(tmp_path / "s").key, "--out", tmp_path / "out"
    )
    assert "zone.yaml: has no A record of ns1.dao.example, ns2.dao.example; add its address" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_key_that_does_not_sign_is_a_sentence_and_leaves_no_file(stack, tmp_path):
    (tmp_path / "none").write_text("no key")
    result = run("bundle", "--stack", stack, *SERVERS, *AT, "--sign", tmp_path / "none", "--out", tmp_path / "out")
    assert "ssh-keygen did not sign" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_vendor_s_name_at_the_apex_is_refused_before_anything_is_written(stack, tmp_path):
    document = yaml.safe_load(stack.read_text())
    docs = document["config"]["unmoor:workloads"]["docs"]
    docs |= {"mode": "centralized", "host": "dao.example"}
    stack.write_text(yaml.safe_dump(document))
    for wrong in ("192.0.2.1", "", "a b", "2001:db8::1", "*.dao.example"):
        refused = str(run("file", "--stack", stack, "--at", f"docs-aws={wrong}").exception)
        assert f"docs-aws: '{wrong}' is no host name; give the name" in refused
    result = run("file", "--stack", stack, "--at", "docs-aws=d111.cloudfront.net")
    assert "dao.example: is the zone's apex, where no CNAME may stand" in str(result.exception)


class Pair:
    """Two name servers with one key, delegated and vouched for by a parent."""

    def __init__(self, folder, port, place, signer):
        self.said = []
        key = key_file(folder)
        self.servers = [NameServer(folder / name, address, port) for name, address in (("ns1", NS1), ("ns2", NS2))]
        self.keepers = [
            Keeper(
                each.database,
                Stores(ZONE, [place.url], signer.allowed, self.said.append),
                each.folder,
                key,
                report=self.said.append,
            )
            for each in self.servers
        ]
        for each in self.servers:
            each.start()

    def ds(self):
        (keys,) = self.servers[0].ask(ZONE, "DNSKEY").answer
        return dns.dnssec.make_ds(dns.name.from_text(ZONE), keys[0], "SHA256").to_text()

    def stop(self):
        for each in self.servers:
            each.stop()


@pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
def test_two_servers_of_one_s_own_serve_the_same_signed_zone_and_the_check_sees_when_they_do_not(
    stack, tmp_path, monkeypatch
):
    signer = Signer(tmp_path / "signer")
    parent = Serves(dns.zone.from_text(ABOVE + DELEGATION, "example.", relativize=False))
    resolver = Serves(dns.zone.from_text(ABOVE, "example.", relativize=False))
    with store(tmp_path / "store") as place, serving({PARENT: parent, RESOLVER: resolver}) as port:
        monkeypatch.setattr(asking, "PORT", port)
        bundled(stack, signer, place.folder)
        pair = Pair(tmp_path / "pair", port, place, signer)
        try:
            assert [each.refresh() for each in pair.keepers] == [True, True], pair.said
            signed = ABOVE + DELEGATION + f"dao.example. 300 IN DS {pair.ds()}\n"
            parent.zone = dns.zone.from_text(signed, "example.", relativize=False)

            def check():
                return run("check", "--stack", stack, "--resolver", RESOLVER)

            same = check()
            assert (same.return_value, same.exception) == (0, None), same.stdout
            assert "not signed" not in same.stdout
            assert "dao.example: 6 names at 2 name servers, over UDP and TCP: all agree" in same.stdout

            name = pair.keepers[1].names["docs.dao.example"]
            for ok in ((True, True), (False, True), (False, True), (False, True)):
                for member, well in zip(name.switch.members, ok, strict=True):
                    pair.keepers[1].judge("docs.dao.example", member, ok=well)
            assert [each.answers("docs.dao.example") for each in pair.servers] == [{PRIMARY}, {STANDBY}]
            assert check().return_value == 0, "each server fails over by itself"

            pair.servers[1].stop()
            monkeypatch.setattr(asking, "TIMEOUT_S", 1.0)
            monkeypatch.setattr(asking, "TRIES", 1)
            gone = check()
            assert gone.return_value == 1
            assert f"! ns2.dao.example ({NS2}) over TCP" in gone.stdout
        finally:
            pair.stop()


def test_the_bundle_is_what_a_keeper_takes(stack, tmp_path):
    signer = Signer(tmp_path / "signer")
    bundled(stack, signer, tmp_path / "out")
    digest = (tmp_path / "out" / "current").read_text().strip()
    taken = read((tmp_path / "out" / f"{digest}.json").read_bytes(), ZONE)
    assert taken.servers == ("ns1.dao.example", "ns2.dao.example")
    assert [each.host for each in taken.switches] == ["docs.dao.example"]
    assert {each.connect for each in taken.switches[0].members} == {PRIMARY, STANDBY}


@pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")
def test_octodns_plans_no_change_between_the_bundle_and_the_zone_file(stack, tmp_path):
    signer = Signer(tmp_path / "signer")
    bundled(stack, signer, tmp_path / "out")
    digest = (tmp_path / "out" / "current").read_text().strip()
    taken = read((tmp_path / "out" / f"{digest}.json").read_bytes(), ZONE)
    zones = []
    for name, text in (("ours", taken.text()), ("file", run("file", "--stack", stack, *AT).stdout)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dao.example.zone").write_text(text)
        read_by = ZoneFileProvider(name, str(tmp_path / name), file_extension=".zone", check_origin=False)
        zones.append(Zone("dao.example.", []))
        read_by.populate(zones[-1])
    ours, theirs = zones
    (own,) = [record for record in ours.records if record._type == "NS"]
    ours.remove_record(own)
    assert theirs.changes(ours, read_by) == []
    assert len(ours.records) == 9


def test_a_server_is_set_up_by_one_command(tmp_path):
    words = [sys.executable, "-m", "components.dns.powerdns.server", "--address", "127.0.0.1"]
    missing = subprocess.run(
        [*words, "--folder", tmp_path, "--schema", tmp_path / "no"], capture_output=True, text=True, check=False
    )
    assert (missing.returncode, "install pdns-backend-sqlite3" in missing.stderr) == (1, True)
    if Path(server.SCHEMA).exists():
        for _ in range(2):
            subprocess.run([*words, "--folder", tmp_path / "ns"], capture_output=True, check=True)
        assert "enable-lua-records" not in (tmp_path / "ns" / "pdns.conf").read_text()


def test_the_key_of_a_zone_is_made_once_and_its_ds_is_that_of_the_key_which_the_server_answers(stack, tmp_path):
    file = tmp_path / "csk"
    first, second = (run("key", "--stack", stack, file) for _ in range(2))
    assert (first.exception, file.stat().st_mode & 0o777) == (None, 0o600)
    assert first.stdout == second.stdout
    assert file.read_text().splitlines()[-1].partition(": ")[2] not in first.output
    zone, _, ds = first.stdout.strip().partition(" DS ")
    assert zone == "dao.example."
    Delegation(registrar="Gandi", name_servers=["ns1.dao.example"], ds=[ds])
    if MISSING:
        pytest.skip(MISSING)
    signer = Signer(tmp_path / "signer")
    bundled(stack, signer, tmp_path / "zone")
    served = NameServer(tmp_path / "ns", NS1).start()
    try:
        with store(tmp_path / "one") as one:
            for each in (tmp_path / "zone").iterdir():
                (one.folder / each.name).write_bytes(each.read_bytes())
            stores = Stores(ZONE, [one.url], signer.allowed, print)
            assert Keeper(served.database, stores, served.folder, file).refresh()
        (keys,) = served.ask(ZONE, "DNSKEY").answer
        assert [dns.dnssec.make_ds(keys.name, each, "SHA256").to_text() for each in keys] == [ds]
    finally:
        served.stop()


def test_the_ds_of_a_key_that_powerdns_made_is_the_one_that_powerdns_prints(stack, tmp_path):
    if MISSING:
        pytest.skip(MISSING)
    file = key_file(tmp_path)
    words = ["pdnsutil", f"--config-dir={tmp_path / 'scratch'}", "export-zone-ds", ZONE]
    printed = subprocess.run(words, capture_output=True, check=True, text=True).stdout.lower()
    ds = run("key", "--stack", stack, file).stdout.strip().partition(" DS ")[2]
    assert ds in " ".join(printed.split())


@pytest.mark.parametrize("text", ["", "PrivateKey: x", "Algorithm: 8 (RSASHA256)\nPrivateKey: AAAA", "\0secret"])
def test_a_file_that_is_no_key_is_refused_and_not_repeated(stack, tmp_path, text):
    file = tmp_path / "other"
    file.write_text(text)
    result = run("key", "--stack", stack, file)
    assert isinstance(result.exception, ConfigError)
    assert "is not a key of algorithm 13" in str(result.exception)
    assert not text or text not in str(result.exception)
    assert file.read_text() == text
