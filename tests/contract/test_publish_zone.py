"""Entries of a stack on real own name servers: published to two stores, and taken by one server after the other."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import dns.zone
import pytest

from components import operator_key
from components.dns import asking
from components.dns.powerdns import bundle, csk, publish, serves, state
from components.errors import ConfigError, StepError
from components.resolver import VARIABLE as RESOLVER_VARIABLE
from tests.contract.containers import free_port
from tests.contract.name_servers import serving
from tests.contract.object_stores import Clouds, moto_url  # noqa: F401 a fixture
from tests.contract.powerdns import MISSING, ZONE, NameServer, Store

FOLDER = "ns/zone"
NS = {"ns-akash": ("ns-akash.dao.example", "127.77.5.1"), "ns-akash-2": ("ns-akash-2.dao.example", "127.77.5.2")}
PRIMARY, STANDBY = "192.0.2.10", "192.0.2.20"
PARENT, RESOLVER = "127.77.5.3", "127.77.5.4"
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


def given(stores, key, entry=None, **more):
    return {"zone": ZONE, "folder": FOLDER, "stores": stores, "stack": "p/s", "key": key, "entry": entry or {}} | more


def server_entry(site):
    host, address = NS[site]
    return {"sets": [], "members": [member(host, site)], "at": [address], "server": host}


def member(host, site, role=None, **more):
    known = {"host": host, "ttl": 30, "site": site, "reach": "address"} | more
    probe = {"scheme": "https", "host": f"{site}.dao.example", "by_address": True, "mark": "m", "path": "/healthz"}
    return known if role is None else known | {"role": role, "probe": probe}


def leads(role, site, at, **more):
    return {"sets": [], "members": [member("docs.dao.example", site, role, **more)], "at": [at]}


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as made:
        made.setenv(operator_key.VARIABLE, "ab" * 32)
        made.setenv("AWS_ACCESS_KEY_ID", "testing")
        made.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        made.setattr(asking, "PORT", free_port())
        yield made


@pytest.fixture(scope="module")
def clouds(moto_url, patch):  # noqa: F811 the fixture
    """Two stores of two vendors, which everyone can read."""
    keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    made = Clouds(moto_url, {})
    for vendor in ("aws", "storj"):
        name = f"zone-{vendor}"
        place = {"vendor": vendor, "bucket": name, "endpoint": moto_url, "public_url": f"{moto_url}/{name}"}
        made.stores[vendor] = place | keys
        made.bucket(name)
    return made


@pytest.fixture(scope="module")
def stores(clouds):
    return clouds.stores


@pytest.fixture(scope="module")
def both(stores, tmp_path_factory):
    """Run two servers, each with a keeper that reads its own folder of both stores, and publish their names."""
    folder = tmp_path_factory.mktemp("servers")
    key, signers = folder / "key", folder / "signers"
    key.write_text(csk.make())
    public = operator_key.public_line(operator_key.zone_signer(ZONE))
    signers.write_text(f'{bundle.PRINCIPAL} namespaces="{bundle.NAMESPACE}" {public}\n')
    running = {}
    try:
        for site, (_, address) in NS.items():
            running[site] = each = NameServer(folder / site, address, asking.PORT)
            each._start("pdns", ["pdns_server", f"--config-dir={each.folder}", "--daemon=no", "--guardian=no"])
            shown = [Store(Path(), f"{store['public_url']}/{FOLDER}/{site}") for store in stores.values()]
            each.keep(shown, SimpleNamespace(allowed=signers), "--key", str(key))
        for site in NS:
            publish.take(given(stores, f"powerdns:{site}-host", server_entry(site)), print)
        for site, (_, address) in NS.items():
            serves.take(given(stores, site, at=[address], ds=[]), print)
        yield running
    finally:
        for each in running.values():
            each.stop()


def answers(server, host, type_="A"):
    return asking.ask(server.address, host, type_, tcp=False).values


def test_entries_become_one_zone_that_both_servers_answer_signed_at_one_serial(both, stores):
    mail = {"host": ZONE, "type": "MX", "ttl": 300, "values": ["10 mail.dao.example."]}
    mx = {"sets": [mail], "also": ["ns.old.net"]}
    publish.take(given(stores, "powerdns:records", mx), print)
    publish.take(given(stores, "p", leads("primary", "docs-aws", PRIMARY)), print)
    done = publish.take(given(stores, "s", leads("standby", "docs-akash", STANDBY)), print)
    for each in both.values():
        assert each.serial() == done["serial"]
        assert answers(each, "docs.dao.example") == {PRIMARY}
        assert answers(each, ZONE, "NS") == {"ns-akash.dao.example.", "ns-akash-2.dao.example.", "ns.old.net."}
        assert answers(each, "ns-akash-2.dao.example") == {NS["ns-akash-2"][1]}
        assert answers(each, ZONE, "MX") == {"10 mail.dao.example."}
    keys = {answers(each, ZONE, "DNSKEY") for each in both.values()}
    assert len(keys) == 1
    assert keys != {frozenset()}


def test_roles_change_places_without_a_moment_in_which_a_name_leads_nowhere(both, stores):
    publish.take(given(stores, "p", leads("primary", "docs-aws", PRIMARY)), print)
    publish.take(given(stores, "s", leads("standby", "docs-akash", STANDBY)), print)
    seen, ended = [], threading.Event()

    def watch():
        while not ended.is_set():
            seen.append(answers(both["ns-akash"], "docs.dao.example"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        publish.take(given(stores, "p", leads("primary", "docs-akash", STANDBY)), print)
        publish.take(given(stores, "s", leads("standby", "docs-aws", PRIMARY)), print)
    finally:
        ended.set()
        watcher.join()
    assert len(seen) > 10
    assert set(seen) <= {frozenset((PRIMARY,)), frozenset((STANDBY,))}
    handle = given(stores, "")
    assert state.places(handle, "docs.dao.example") == [STANDBY, PRIMARY]


def test_a_step_taken_again_publishes_nothing_and_one_on_removal_takes_its_own_entry_alone(both, stores):
    first = publish.take(given(stores, "p", leads("primary", "docs-aws", PRIMARY)), print)
    assert publish.take(given(stores, "p", leads("primary", "docs-aws", PRIMARY)), print) == first
    other = {"sets": [{"host": "x.dao.example", "type": "A", "ttl": 5, "values": ["192.0.2.9"]}]}
    publish.take(given(stores, "q", other), print)
    publish.take(given(stores, "s", wait=True), print)
    publish.take(given(stores, "p", wait=True), print)
    for each in both.values():
        assert not answers(each, "docs.dao.example")
        assert answers(each, "x.dao.example") == {"192.0.2.9"}


def test_steps_that_run_side_by_side_lose_no_entry_of_each_other(both, stores):
    def one(number):
        sets = [{"host": f"n{number}.dao.example", "type": "A", "ttl": 5, "values": [f"192.0.2.{number}"]}]
        publish.take(given(stores, f"e{number}", {"sets": sets}), lambda _: None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(1, 5)))
    for each in both.values():
        assert {next(iter(answers(each, f"n{number}.dao.example"))) for number in range(1, 5)} == {
            f"192.0.2.{number}" for number in range(1, 5)
        }


def test_a_server_that_is_silent_stops_the_step_before_the_next_server_has_the_new_zone(both, stores, monkeypatch):
    monkeypatch.setattr(publish, "TAKEN_S", 1.0)
    before = both["ns-akash-2"].serial()
    frozen = both["ns-akash"].processes["pdns"].pid
    os.killpg(frozen, signal.SIGSTOP)
    try:
        with pytest.raises(StepError, match=r"ns-akash.dao.example \(127.77.5.1\) does not serve the new zone"):
            publish.take(given(stores, "p", leads("primary", "docs-aws", "192.0.2.77")), print)
    finally:
        os.killpg(frozen, signal.SIGCONT)
    assert both["ns-akash-2"].serial() == before


def test_a_zone_that_may_not_stand_changes_neither_stores_nor_answers(both, stores, clouds):
    before, keys = both["ns-akash"].serial(), clouds.keys("zone-aws")
    bad = {"sets": [{"host": ZONE, "type": "CNAME", "ttl": 5, "values": ["vendor.example."]}]}
    with pytest.raises(ConfigError) as caught:
        publish.take(given(stores, "bad", bad), print)
    assert any("apex" in str(fault) for fault in caught.value.faults)
    assert (both["ns-akash"].serial(), clouds.keys("zone-aws")) == (before, keys)


def test_a_served_zone_is_never_begun_again_in_stores_that_do_not_hold_it(both, stores):
    before = both["ns-akash"].serial()
    anew = given(stores, "powerdns:ns-akash-host", server_entry("ns-akash")) | {"folder": "other/zone"}
    with pytest.raises(StepError, match=r"answers dao\.example, and no store holds it; name one of the stores"):
        publish.take(anew, print)
    assert both["ns-akash"].serial() == before


def test_a_zone_that_another_signed_in_a_store_is_never_built_upon(both, stores, clouds, monkeypatch):
    monkeypatch.setenv(operator_key.VARIABLE, "cd" * 32)
    with pytest.raises(StepError, match="is not signed by the key of UNMOOR_OPERATOR_KEY"):
        publish.take(given(stores, "stranger", leads("primary", "docs-aws", "192.0.2.66")), print)
    assert all("192.0.2.66" not in answers(each, "docs.dao.example") for each in both.values())


def test_stores_keep_the_newest_bundle_of_a_folder_and_the_one_before(both, stores, clouds):
    for number in range(3):
        publish.take(given(stores, "p", leads("primary", "docs-aws", f"192.0.2.{number + 1}")), print)
    for folder in (FOLDER, *(f"{FOLDER}/{site}" for site in NS)):
        own = {key for key in clouds.keys("zone-storj") if key.rpartition("/")[0] == folder}
        assert sum(key.endswith(".json") for key in own) == 2, own
        assert f"{folder}/current" in own


def test_a_key_that_is_not_the_ds_of_the_parent_is_refused(both, stores, monkeypatch):
    monkeypatch.setattr(serves, "_FIRST_S", 0.5)
    other = csk.ds(csk.make(), ZONE, Path("other")).lower()
    with pytest.raises(StepError, match="answers no key for the DS"):
        serves.take(given(stores, "ns-akash", at=[NS["ns-akash"][1]], ds=[other]), print)


def test_a_server_is_not_taken_out_while_the_parent_leads_to_it(both, stores, monkeypatch):
    above = f"""\
example. 300 IN SOA a.nic.example. hostmaster.nic.example. 1 3600 600 604800 300
example. 300 IN NS a.nic.example.
a.nic.example. 300 IN A {PARENT}
dao.example. 300 IN NS ns-akash.dao.example.
ns-akash.dao.example. 300 IN A {NS["ns-akash"][1]}
"""
    parent = dns.zone.from_text(above, "example.", relativize=False, check_origin=False)
    with serving({PARENT: parent, RESOLVER: parent}) as port:
        monkeypatch.setattr(asking, "PORT", port)
        monkeypatch.setenv(RESOLVER_VARIABLE, f"{RESOLVER}:{port}")
        with pytest.raises(StepError, match=r"still names ns-akash\.dao\.example; change the name servers"):
            publish.take(given(stores, "powerdns:ns-akash-host", wait=True), print)
