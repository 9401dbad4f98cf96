"""A zone is brought along from where it stands: what is carried is the same zone, and every loss is named."""

from __future__ import annotations

import json
import sys
import textwrap

import boto3
import dns.message
import dns.query
import dns.zone
import pytest
import yaml
from click.testing import CliRunner
from moto import mock_aws
from octodns.zone import Zone
from octodns_bind import ZoneFileProvider

from components.__main__ import main
from components.commands.zone import cli
from components.dns import records
from components.errors import ConfigError
from tests.contract.cloudflare import TOKEN, ZONE, Cloudflare, record
from tests.contract.name_servers import serving
from tests.settings import settings

#: What a DAO's zone has besides the stack's names: every type of octoDNS's zone files, a wildcard, and long text.
PLAIN = textwrap.dedent("""\
    @ 300 IN MX 10 mail.dao.example.
    @ 300 IN MX 20 mail2.dao.example.
    @ 300 IN TXT "v=spf1 include:_spf.mail.example -all" "second string"
    @ 300 IN CAA 0 issue "letsencrypt.org"
    @ 300 IN CAA 0 iodef "mailto:ops@dao.example"
    mail 600 IN A 192.0.2.25
    mail 600 IN AAAA 2001:db8::25
    _dmarc 300 IN TXT "v=DMARC1; p=reject; rua=mailto:d@dao.example"
    big 300 IN TXT "%s" "%s"
    *.apps 60 IN CNAME apps.vendor.example.
    forum 60 IN CNAME dao.vendor.example.
    _sip._tcp 300 IN SRV 10 5 5060 sip.dao.example.
    _443._tcp.mail 300 IN TLSA 3 1 1 0d6fce5fd0b4d1d8b4c5b5a8d6e7f80912a3b4c5d6e7f8091a2b3c4d5e6f7081
    mail 300 IN SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
    www 300 IN HTTPS 1 . alpn="h2,h3"
    sub 300 IN NS ns1.sub.dao.example.
    ns1.sub 300 IN A 192.0.2.53
    sub 300 IN DS 12345 13 2 4444444444444444444444444444444444444444444444444444444444444444
    here 300 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 2m 1000m 20m
    """) % ("a" * 200, "b" * 200)
OWN = "$ORIGIN dao.example.\n@ 300 IN SOA ns1.vendor.example. hostmaster.dao.example. 7 3600 600 604800 300\n"
OWN += "@ 300 IN NS ns1.vendor.example.\n@ 300 IN NS ns2.vendor.example.\n"
OURS = "docs 30 IN A 203.0.113.7\ndocs-akash 30 IN A 203.0.113.7\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "stacks").mkdir()
    config = {f"unmoor:{name}": value for name, value in settings("active-standby").items()}
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": config}))
    return tmp_path


def imported(project, source, *more):
    stack = str(project / "stacks" / "Pulumi.prod.yaml")
    return CliRunner().invoke(cli, ["import", source, "--stack", stack, *more], standalone_mode=False)


def carried(project):
    return {(each.host, each.type): each for each in records.load(project / "stacks" / "zone.yaml", "dao.example")}


def zone_file(project, text=OWN + PLAIN + OURS):
    path = project / "dao.example.zone"
    path.write_text(text)
    return str(path)


def octodns(folder, lenient=False):
    """Return the zone as octoDNS reads it from the zone file in a folder."""
    read = Zone("dao.example.", [])
    ZoneFileProvider("file", str(folder), file_extension=".zone", check_origin=False).populate(read, lenient=lenient)
    return read


def ours_as_file(project):
    """Return what we would serve of the imported records, as a zone file in a folder of its own."""
    folder = project / "ours"
    folder.mkdir()
    lines = [
        f"{each.host}. {each.ttl} IN {each.type} {value}\n"
        for each in carried(project).values()
        for value in each.values
    ]
    (folder / "dao.example.zone").write_text("".join(lines))
    return folder


@pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")
def test_octodns_plans_no_change_between_the_zone_file_and_what_was_imported(project):
    result = imported(project, zone_file(project))
    assert (result.return_value, result.exception) == (0, None)
    (project / "theirs").mkdir()
    (project / "theirs" / "dao.example.zone").write_text("$ORIGIN dao.example.\n" + PLAIN)
    theirs, ours = octodns(project / "theirs"), octodns(ours_as_file(project))
    target = ZoneFileProvider("target", str(project), file_extension=".zone")
    assert len(theirs.records) == len(ours.records) == 17
    assert theirs.changes(ours, target) == ours.changes(theirs, target) == []


def test_what_the_stack_and_each_authority_make_is_left_out(project):
    shown = json.loads(imported(project, zone_file(project), "--json").stdout)
    assert sorted(shown["made_anew"]) == [
        "dao.example NS",
        "dao.example SOA",
        "docs-akash.dao.example A",
        "docs.dao.example A",
    ]
    assert not {"docs.dao.example", "docs-akash.dao.example"} & {host for host, _ in carried(project)}


def test_a_file_that_is_there_is_kept_and_what_differs_is_named(project):
    imported(project, zone_file(project))
    before = (project / "stacks" / "zone.yaml").read_text()
    assert imported(project, zone_file(project)).return_value == 0
    changed = (OWN + PLAIN).replace("192.0.2.25", "192.0.2.26").replace("forum 60", "board 60")
    result = imported(project, zone_file(project, changed))
    assert result.return_value == 1
    assert "~ mail.dao.example A: the file has 192.0.2.25 (ttl 600), the source 192.0.2.26 (ttl 600)" in result.stdout
    assert "~ board.dao.example CNAME: is at the source, and not in the file" in result.stdout
    assert "~ forum.dao.example CNAME: is in the file, and not at the source" in result.stdout
    assert (project / "stacks" / "zone.yaml").read_text() == before


def test_a_transfer_gives_what_the_file_gives(project):
    imported(project, zone_file(project), "--out", str(project / "file.yaml"))
    with serving({"127.77.0.1": dns.zone.from_text(OWN + PLAIN + OURS, "dao.example.", relativize=False)}) as port:
        result = imported(project, f"axfr:127.77.0.1:{port}")
    assert (result.return_value, result.exception) == (0, None)
    assert (project / "stacks" / "zone.yaml").read_text() == (project / "file.yaml").read_text()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("nowhere.zone", "nowhere.zone: is no file; choose a zone file, axfr:ADDRESS, route53 or cloudflare"),
        ("axfr:ns1.dao.example", "'ns1.dao.example' is no address of a server"),
        ("axfr:127.77.0.9:1", "127.77.0.9:1: gives no transfer of dao.example"),
    ],
)
def test_a_source_that_gives_nothing_is_one_sentence(project, source, sentence):
    result = imported(project, source)
    assert sentence in str(result.exception)
    assert not (project / "stacks" / "zone.yaml").exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("www IN A 192.0.2.999\n", "malformed; mend it, or give"),
        ("www IN CNAME a.\nwww IN A 192.0.2.1\n", "www.dao.example. has a CNAME beside other records"),
        ("www IN A 192.0.2.1\nwww IN CNAME a.\n", "www.dao.example. has a CNAME beside other records"),
        ("$INCLUDE /etc/passwd\n", "'$INCLUDE' is not allowed"),
        ("$TTL 60\n$GENERATE 1-2000 h$ A 192.0.2.1\n", "'$GENERATE' is not allowed"),
        ("".join(f"h 60 IN A 10.0.{n >> 8}.{n & 255}\n" for n in range(1_001)), "h.dao.example. A has more than 1,000"),
    ],
)
def test_a_zone_file_that_is_none_is_refused(project, line, why):
    result = imported(project, zone_file(project, OWN + line))
    assert "is not a zone file of dao.example" in str(result.exception)
    assert why in str(result.exception)
    assert "root:" not in str(result.exception)


#: A line that the file of plain records cannot hold, and why.
UNFIT = {
    "a\\.b 60 IN A 192.0.2.1": "its name has other signs",
    "a+b 60 IN A 192.0.2.1": "its name has other signs",
    "huge 4294967295 IN A 192.0.2.1": "its TTL is more than 2,147,483,647 s; lower it there",
    "two 60 IN CNAME x.example.\ntwo 60 IN CNAME y.example.": "a name has one CNAME, and this one has 2",
}


@pytest.mark.parametrize("line", UNFIT)
def test_a_record_that_the_file_cannot_hold_is_named_as_lost_and_not_written(project, line):
    result = imported(project, zone_file(project, OWN + PLAIN + line + "\n"))
    assert (result.return_value, result.exception) == (1, None)
    lost = [each for each in result.stdout.splitlines() if each.startswith("!")]
    assert len(lost) == line.count("\n") + 1
    assert all(f"is not carried: {UNFIT[line]}" in each for each in lost)
    assert imported(project, zone_file(project, OWN + PLAIN)).return_value == 0, "what was written can be read"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no record of dao.example; give the file of that zone"),
        ("; nothing\n", "has no record of dao.example; give the file of that zone"),
        ("$ORIGIN other.example.\n$TTL 60\nwww A 192.0.2.1\n", "www.other.example. is not below dao.example; give"),
        (OWN + PLAIN + "www.other.example. 60 IN A 192.0.2.1\n", "www.other.example. is not below dao.example; give"),
    ],
)
def test_a_file_of_another_zone_is_refused_and_nothing_is_written(project, text, why):
    assert why in str(imported(project, zone_file(project, text)).exception)
    assert not (project / "stacks" / "zone.yaml").exists()


def test_a_file_that_begins_with_a_mark_of_its_encoding_is_read(project):
    assert imported(project, zone_file(project, "\ufeff" + OWN + PLAIN)).return_value == 0
    assert len(carried(project)) == 17


def test_a_file_that_could_not_be_read_again_is_not_written(project):
    strings = " ".join(['"' + "x" * 250 + '"'] * 9)
    text = OWN + "".join(f'big{number // 25} 60 IN TXT "{number}" {strings}\n' for number in range(1_000))
    assert "larger than 2,097,152 bytes" in str(imported(project, zone_file(project, text)).exception)
    assert not (project / "stacks" / "zone.yaml").exists()


def test_a_set_with_a_value_that_no_file_can_hold_is_named_as_lost(project):
    result = imported(project, zone_file(project, OWN + PLAIN + "a 60 IN OPT \\# 0\nb 60 IN DHCID \\# 0\n"))
    assert (result.return_value, result.exception) == (1, None)
    choose = "take it out there, or add the set to the file by hand"
    assert [line for line in result.stdout.splitlines() if line.startswith("!")] == [
        f"! a.dao.example OPT : is not carried: '' is no value of OPT (SyntaxError); {choose}",
        f"! b.dao.example DHCID : is not carried: '' is no value of DHCID (expecting another identifier); {choose}",
    ]
    assert len(carried(project)) == 17


ALIAS = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d111.cloudfront.net.", "EvaluateTargetHealth": False}


def at_route53(client):
    """Return a zone with everything that is easily lost, over more than one page of the API."""
    zone = client.create_hosted_zone(Name="dao.example", CallerReference="1")["HostedZone"]["Id"]
    client.create_hosted_zone(Name="dao.example.com", CallerReference="2")
    check = client.create_health_check(
        CallerReference="3", HealthCheckConfig={"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80}
    )["HealthCheck"]["Id"]

    def plain(name, type_, *values, **more):
        return {"Name": name, "Type": type_, "TTL": 300, "ResourceRecords": [{"Value": v} for v in values], **more}

    sets = [
        plain("dao.example", "MX", "10 mail.dao.example."),
        plain("mail.dao.example", "A", "192.0.2.25", "192.0.2.26"),
        plain("_dmarc.dao.example", "TXT", '"v=DMARC1; p=reject"'),
        plain("*.apps.dao.example", "CNAME", "apps.vendor.example"),  # Route 53 takes names without a dot as whole
        plain("app.dao.example", "A", "192.0.2.1", SetIdentifier="one", Failover="PRIMARY", HealthCheckId=check),
        plain("app.dao.example", "A", "192.0.2.2", SetIdentifier="two", Failover="SECONDARY"),
        plain("shop.dao.example", "A", "192.0.2.3", SetIdentifier="old", Weight=90),
        plain("shop.dao.example", "A", "192.0.2.4", SetIdentifier="new", Weight=10),
        plain("docs.dao.example", "A", "192.0.2.7", SetIdentifier="primary", Failover="PRIMARY", HealthCheckId=check),
        {"Name": "dao.example", "Type": "A", "AliasTarget": ALIAS},
        plain("_443._tcp.mail.dao.example", "TLSA", f"3 1 1 {'ab' * 32}"),
        plain("www.dao.example", "HTTPS", '1 . alpn="h2"'),
        *(plain(f"n{number}.dao.example", "TXT", '"x"') for number in range(320)),
    ]
    changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


@pytest.fixture
def account(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("route53")
        at_route53(client)
        yield client


def test_every_record_of_a_hosted_zone_is_carried_or_named(project, account):
    result = imported(project, "route53")
    assert result.return_value == 1, result.exception
    lost = {line.partition(":")[0].removeprefix("! ") for line in result.stdout.splitlines() if line.startswith("!")}
    assert lost == {
        "app.dao.example A 192.0.2.1",
        "app.dao.example A 192.0.2.2",
        "shop.dao.example A 192.0.2.3",
        "shop.dao.example A 192.0.2.4",
        "dao.example A d111.cloudfront.net.",
        f"_443._tcp.mail.dao.example TLSA 3 1 1 {'ab' * 32}",
        'www.dao.example HTTPS 1 . alpn="h2"',
    }
    found = carried(project)
    assert found["mail.dao.example", "A"].values == ("192.0.2.25", "192.0.2.26")
    assert found["_dmarc.dao.example", "TXT"].values == ('"v=DMARC1; p=reject"',)
    assert ("*.apps.dao.example", "CNAME") in found
    assert len(found) == 4 + 320


def test_a_loss_that_was_decided_on_in_the_file_is_no_loss_any_more(project, account):
    imported(project, "route53")
    path = project / "stacks" / "zone.yaml"
    document = yaml.safe_load(path.read_text())
    by_hand = [
        ("app.dao.example", "A", "192.0.2.1"),
        ("shop.dao.example", "A", "192.0.2.4"),
        ("dao.example", "A", "192.0.2.80"),
        ("_443._tcp.mail.dao.example", "TLSA", f"3 1 1 {'ab' * 32}"),
        ("www.dao.example", "HTTPS", '1 . alpn="h2"'),
    ]
    document["records"] += [{"host": h, "type": t, "ttl": 300, "values": [v]} for h, t, v in by_hand]
    path.write_text(yaml.safe_dump(document))
    result = imported(project, "route53")
    assert (result.return_value, result.exception) == (0, None), result.stdout


def test_two_public_zones_of_one_name_are_a_choice(project, account):
    account.create_hosted_zone(Name="dao.example", CallerReference="4")
    assert "dns.zone_id: 2 zones are called dao.example; choose one: " in str(imported(project, "route53").exception)


def cloudflare_zone():
    return [
        record("MX", "dao.example", "mail.dao.example", priority=10),
        record("TXT", "dao.example", 'v=spf1 -all; it\'s "quoted"'),
        record("TXT", "_dmarc.dao.example", '"v=DMARC1; p=reject"', ttl=1),
        record("A", "mail.dao.example", "192.0.2.25", proxiable=True),
        record("CNAME", "forum.dao.example", "dao.vendor.example"),
        record(
            "CAA",
            "dao.example",
            '0 issue "letsencrypt.org"',
            data={"flags": 0, "tag": "issue", "value": "letsencrypt.org"},
        ),
        record(
            "SRV",
            "_sip._tcp.dao.example",
            data={"priority": 10, "weight": 5, "port": 5060, "target": "sip.dao.example"},
        ),
        record("A", "app.dao.example", "192.0.2.80", proxiable=True, proxied=True, ttl=1),
        record("CNAME", "dao.example", "site.vendor.example", proxiable=True),
        record("OPENPGPKEY", "a._openpgpkey.dao.example", "mQINBGDAs"),
        *(record("TXT", f"n{number}.dao.example", "x") for number in range(120)),
    ]


RULE = {
    "id": "9a7806061c88ada191ed06f989cc3dac",
    "targets": [{"target": "url", "constraint": {"operator": "matches", "value": "old.dao.example/*"}}],
    "actions": [{"id": "forwarding_url", "value": {"url": "https://dao.example/$1", "status_code": 301}}],
    "status": "active",
}


@pytest.fixture
def cloudflare(monkeypatch):
    server = Cloudflare(cloudflare_zone(), [RULE])
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", server.url)
    yield server
    server.shutdown()
    server.server_close()


def test_every_record_at_cloudflare_is_carried_or_named_and_no_hidden_address_is_published(project, cloudflare):
    result = imported(project, "cloudflare")
    assert result.return_value == 1, result.exception
    lost = {line.partition(": ")[0].removeprefix("! ") for line in result.stdout.splitlines() if line.startswith("!")}
    assert lost == {
        "app.dao.example A 192.0.2.80",
        "dao.example CNAME site.vendor.example",
        "a._openpgpkey.dao.example OPENPGPKEY mQINBGDAs",
        "old.dao.example page rule old.dao.example/* (forwarding_url)",
    }
    found = carried(project)
    assert "192.0.2.80" not in (project / "stacks" / "zone.yaml").read_text()
    assert found["dao.example", "TXT"].values == ('"v=spf1 -all; it\'s \\"quoted\\""',)
    assert found["_dmarc.dao.example", "TXT"].values == ('"v=DMARC1; p=reject"',)
    assert found["_sip._tcp.dao.example", "SRV"].values == ("10 5 5060 sip.dao.example.",)
    assert len(found) == 7 + 120


def test_a_token_that_is_refused_or_missing_is_one_sentence(project, cloudflare, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "another")
    error = str(imported(project, "cloudflare").exception)
    assert "Cloudflare answers 403" in error
    assert "Invalid access token" in error
    assert "another" not in error
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    assert "CLOUDFLARE_API_TOKEN is not set" in str(imported(project, "cloudflare").exception)


ZONES = {"result": [{"id": ZONE, "name": "dao.example"}]}
RECORD = {"id": "1", "type": "A", "name": "a.dao.example", "content": "192.0.2.1", "ttl": 60}


@pytest.mark.parametrize(
    "answers",
    [
        [(200, {"result": None})],
        [(200, [])],
        [(200, "x")],
        [(200, {"result": [None]})],
        [(200, ZONES | {"result_info": {"total_pages": "x"}})],
        [(200, ZONES | {"result_info": ["x"]})],
        [(403, {"errors": ["x"]})],
        [(403, {"errors": "x"})],
        [(403, {"errors": {"x": 1}})],
        [(403, [])],
        [(200, ZONES), (200, {"result": ["x"]})],
        [(200, ZONES), (200, {"result": [{"type": "A"}]})],
        [(200, ZONES), (200, {"result": [RECORD | {"name": 1}]})],
        [(200, ZONES), (200, {"result": [RECORD | {"type": "TXT", "content": None}]})],
        [(200, ZONES), (200, {"result": [RECORD | {"type": "SRV", "data": "x"}]})],
        [(200, ZONES), (200, {"result": [RECORD]}), (200, {"result": [{"targets": [], "actions": []}]})],
        [(200, ZONES), (200, {"result": [RECORD]}), (200, {"result": []}), (200, {"result": None})],
    ],
)
def test_an_answer_that_is_not_cloudflare_s_is_one_sentence(project, cloudflare, monkeypatch, answers):
    given = iter(answers)
    monkeypatch.setattr(cloudflare, "answer", lambda *_: next(given, answers[-1]))
    error = imported(project, "cloudflare").exception
    assert isinstance(error, ConfigError), error
    assert "Cloudflare does not give the zone dao.example: its answer is not as its API v4 has it" in str(error)


@pytest.mark.parametrize("source", ["route53", "cloudflare"])
def test_without_the_extra_its_name_is_given(project, monkeypatch, capsys, source):
    monkeypatch.setitem(sys.modules, "octodns.zone", None)
    with pytest.raises(SystemExit) as ended:
        main(["zone", "import", source, "--stack", str(project / "stacks" / "Pulumi.prod.yaml")])
    assert ended.value.code == 1
    assert "pip install 'unmoor[zone]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"zone": "other.example"}, "zone: is other.example, and the stack's zone is dao.example"),
        ({"host": "Mail.dao.example"}, "records[0].host: 'Mail.dao.example' is not a name"),
        ({"type": "SOA"}, "records[0].type: SOA is made by each authority itself"),
        ({"values": ["10 mail"]}, "has a name without a dot at its end"),
        ({"values": ["mail.dao.example."]}, "is no value of MX"),
        ({"ttl": -1}, "records[0].ttl: "),
        ({"values": []}, "records[0].values: "),
        ({"weight": 3}, "records[0].weight: no such setting"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_place(project, change, sentence):
    one = {"host": "dao.example", "type": "MX", "ttl": 300, "values": ["10 mail.dao.example."]}
    document = {
        "zone": change.get("zone", "dao.example"),
        "records": [one | {k: v for k, v in change.items() if k != "zone"}],
    }
    (project / "stacks" / "zone.yaml").write_text(yaml.safe_dump(document))
    assert sentence in str(imported(project, zone_file(project)).exception)
