"""The kind `postgres`: its options' rules, its release, its document, its machine, its bill and its gate."""

from __future__ import annotations

import gzip
import random
import time
from base64 import b64decode
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from components.commands import review
from components.errors import ConfigError, PlanError, StepError
from components.kinds.postgres import document, gate, last, sites
from components.kinds.postgres.gate import Seen
from components.kinds.postgres.kind import KIND as POSTGRES
from components.kinds.postgres.wanted import Wanted
from components.plan.stack import topology
from components.postgres import agent, moves, proofs
from components.postgres.proofs import Proof
from components.probe import move, stands
from components.project import builtin
from components.stores.record import Record, State
from components.targets.akash.sdl import document as sdl
from components.targets.aws import unit
from components.topology import Role
from tests.pure.test_service import DIGEST
from tests.settings import settings

REGISTRY = builtin().with_(kinds=[POSTGRES])
AMI = "/aws/service/ecs/optimized-ami/amazon-linux-2023/al2023-ami-ecs-hvm-2023.0.20241010-kernel-6.1-x86_64/image_id"


def store(name: str, vendor: str) -> dict[str, Any]:
    return {
        "vendor": vendor,
        "bucket": f"dao-{name}",
        "endpoint": f"https://{name}.example",
        "access_key": f"{name.upper()}_KEY",
        "secret_key": f"{name.upper()}_SECRET",
    }


DATABASE: dict[str, Any] = {
    "image": f"ghcr.io/dao/postgres@sha256:{DIGEST}",
    "database": "forum",
    "user": "forum",
    "password": "FORUM_PASSWORD",
    "cipher": "ARCHIVE_CIPHER",
    "stores": {"first": store("first", "aws"), "second": store("second", "storj"), "record": store("record", "r2")},
    "archive": ["first", "second"],
    "witness": {"store": "record"},
}
OPTIONS: dict[str, Any] = {
    "image": f"ghcr.io/dao/forum:1.2@sha256:{DIGEST}",
    "port": 8000,
    "command": ["forum", "serve"],
    "secrets": {"SECRET_KEY": "FORUM_SECRET_KEY"},
    "aws": {"ami": AMI},
    "database": DATABASE,
}


def stack(mode: str = "active-standby", active: str = "centralized", **options: Any) -> dict[str, Any]:
    made = settings(mode)
    del made["stores"]
    made["workloads"] = {
        "forum": {
            "kind": "postgres",
            "mode": mode,
            "active": active,
            "host": "forum.dao.example",
            "placement": {"centralized": "aws", "decentralized": ["akash"]},
            "options": {**OPTIONS, **options},
        }
    }
    return made


def planned(mode: str = "active-standby", active: str = "centralized", **options: Any):
    return topology(stack(mode, active, **options), REGISTRY, None)


def _noise() -> str:
    """Return a text that cannot be compressed."""
    return random.Random(1).randbytes(6000).hex()


def faults(mode: str = "active-standby", active: str = "centralized", **options: Any) -> dict[str, str]:
    with pytest.raises((ConfigError, PlanError)) as caught:
        planned(mode, active, **options)
    return {each.path.removeprefix("workloads.forum."): each.message for each in caught.value.faults}


def database(**changed: Any) -> dict[str, Any]:
    return {"database": {**DATABASE, **changed}}


def stores(**changed: Any) -> dict[str, Any]:
    return database(stores={**DATABASE["stores"], **changed})


#: A wrong value, its path, and a part of the message.
REFUSED = {
    "placeholder": (
        database(image="ghcr.io/dao/postgres@sha256:" + "0" * 64),
        "options.database.image",
        "of ghcr.io/dao/postgres is a placeholder, no image has it; run .github/workflows/image-postgres.yml",
    ),
    "image by tag": (database(image="ghcr.io/dao/postgres:15"), "options.database.image", "NAME@sha256:DIGEST"),
    "floating machine": (
        {"aws": {"ami": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"}},
        "options.aws.ami",
        "names the image that AWS recommends on that day; give the parameter of one image",
    ),
    "image for ARM": (
        {"aws": {"ami": AMI.replace("x86_64", "arm64")}},
        "options.aws.ami",
        "names an image for ARM processors; choose one for x86_64",
    ),
    "processor": (
        {"aws": {"ami": AMI, "type": "t4g.medium"}},
        "options.aws.type",
        "has an ARM processor, and the image is of x86_64; choose from m6i.large, t3.large, t3.medium",
    ),
    "first ARM processor": ({"aws": {"ami": AMI, "type": "a1.medium"}}, "options.aws.type", "has an ARM processor"),
    "no price": (
        {"aws": {"ami": AMI, "type": "m5.large"}},
        "options.aws.type",
        "no price for 'm5.large'; choose from m6i.large, t3.large, t3.medium; or add its price",
    ),
    "no such type": ({"aws": {"ami": AMI, "type": "bogus.large"}}, "options.aws.type", "no price for 'bogus.large'"),
    "graphics": ({"aws": {"ami": AMI, "type": "g4dn.xlarge"}}, "options.aws.type", "no price for 'g4dn.xlarge'"),
    "too small": ({"aws": {"ami": AMI, "type": "t3.small"}, "memory": 2048}, "options.memory", "choose a larger type"),
    "same store twice": (
        database(archive=["first", "first"]),
        "options.database.archive",
        "both stores are the same bucket",
    ),
    "one vendor": (
        stores(second=store("second", "aws")),
        "options.database.archive",
        "both stores are at aws; name two at two",
    ),
    "unknown store": (database(archive=["first", "secnd"]), "options.database.archive[1]", "did you mean second?"),
    "pass phrase of another store": (
        database(ciphers={"third": "NEW_CIPHER"}),
        "options.database.ciphers.third",
        "'third' is no store of the archive; choose first or second",
    ),
    "plain store": (
        stores(second={**store("second", "storj"), "endpoint": "http://second.example"}),
        "options.database.stores.second.endpoint",
        "give an https:// address",
    ),
    "store without keys": (
        stores(first={"vendor": "aws", "bucket": "dao-first"}),
        "options.database.stores.first.access_key",
        "is required; name the variables that hold the keys",
    ),
    "major": (database(major=12), "options.database.major", "must be 13 or more"),
    "no command": ({"command": []}, "options.command", "give 1 or more"),
    "variable of libpq": ({"env": {"PGHOST": "x"}}, "options.env", "PGHOST is set by the database; take it out"),
    "secret of the database": (
        {"secrets": {"FIRST_KEY": "X"}},
        "options.database.stores.first.access_key",
        "FIRST_KEY is a variable of the application too; choose another name",
    ),
    "pass phrase that is a secret of the application": (
        {"secrets": {"NEW_CIPHER": "X"}, **database(ciphers={"first": "NEW_CIPHER"})},
        "options.database.ciphers.first",
        "NEW_CIPHER is a variable of the application too",
    ),
    "pass phrase in the variable of libpq": (
        database(cipher="PGPASSWORD"),
        "options.database.cipher",
        "PGPASSWORD is a variable of the application too",
    ),
    "password and pass phrase": (
        database(password="ANY", cipher="ANY"),
        "options.database.cipher",
        "ANY holds the role's password already; name another variable",
    ),
    "password and another pass phrase": (
        database(ciphers={"first": "FORUM_PASSWORD"}),
        "options.database.ciphers.first",
        "FORUM_PASSWORD holds the role's password already",
    ),
    "password and key": (
        database(password="FIRST_KEY"),
        "options.database.stores.first.access_key",
        "FIRST_KEY holds the role's password already; name another variable",
    ),
    "both halves of a key": (
        stores(first=store("first", "aws") | {"secret_key": "FIRST_KEY"}),
        "options.database.stores.first.secret_key",
        "FIRST_KEY holds the id of a store's key already; name another variable",
    ),
    "one key for record and archive": (
        stores(record=store("second", "storj") | {"bucket": "dao-record"}),
        "options.database.witness.store",
        "SECOND_KEY and SECOND_SECRET stand in store second of the archive too: a site that follows may write the",
    ),
    "password and key of a site": (
        database(password="FIRST_KEY_AKASH_READ"),
        "options.database.stores.first",
        "FIRST_KEY_AKASH_READ is FIRST_KEY at a site, and stands for something else too; rename one of both",
    ),
    "key and key of a site": (
        stores(second=store("second", "storj") | {"access_key": "FIRST_KEY_AWS"}),
        "options.database.stores.first",
        "FIRST_KEY_AWS is FIRST_KEY at a site",
    ),
    "user data": ({"env": {"A": _noise()}}, "options.env", "put some into the image"),
    "private network": ({"env": {"CACHE": "redis.internal:6379"}}, "options.env.CACHE", "in a private network"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_fault_is_named_by_its_path_with_what_to_choose(what: str) -> None:
    options, path, sentence = REFUSED[what]
    assert sentence in faults(**options)[path]


def test_a_fault_of_the_database_hides_no_other() -> None:
    wrong = database(user="public", archive=["first", "secnd"], witness={"store": "recrd"})
    assert faults(**wrong, port=0).keys() == {
        "options.port",
        "options.database.user",
        "options.database.archive[1]",
        "options.database.witness.store",
    }


def test_a_third_site_is_refused_with_every_other_fault() -> None:
    made = stack("decentralized", **stores(first={"vendor": "aws", "bucket": "dao-first"}))
    made["workloads"]["forum"]["placement"]["decentralized"] = ["akash", "akash"]
    with pytest.raises(PlanError) as caught:
        topology(made, REGISTRY, None)
    assert [each.message for each in caught.value.faults] == [
        "a database has two sites; name one target",
        "is required; name the variables that hold the keys",
    ]


def test_backup_belongs_to_the_options_of_the_kind() -> None:
    made = stack()
    made["stores"] = {"a": {**store("a", "aws"), "public_url": "https://a.example"}}
    made["workloads"]["forum"]["backup"] = {"stores": ["a"]}
    with pytest.raises(PlanError) as caught:
        topology(made, REGISTRY, None)
    assert str(caught.value.faults[0]) == (
        "workloads.forum.backup: the options of a postgres name its stores; take it out"
    )


def test_a_host_is_not_adopted_where_no_target_gets_a_certificate_before() -> None:
    made = stack()
    made["workloads"]["forum"]["adopt"] = [{"type": "CNAME", "ttl": 60, "values": ["old.example"]}]
    with pytest.raises(PlanError) as caught:
        topology(made, REGISTRY, None)
    (fault,) = caught.value.faults
    assert fault.path == "workloads.forum.adopt"
    assert fault.message.endswith("nor does any site of a postgres; free the host first, and take this out")


@pytest.mark.parametrize("shared", [{"balance": True}, {"split": {"decentralized": 50}}])
def test_visitors_are_not_shared_between_a_writer_and_its_standby(shared: dict[str, Any]) -> None:
    made = stack()
    made["workloads"]["forum"] |= shared
    with pytest.raises(PlanError) as caught:
        topology(made, REGISTRY, None)
    assert "one site of a postgres alone may write" in caught.value.faults[0].message


@pytest.mark.parametrize(("vendor", "warned"), [("aws", "forum-aws"), ("akash", "forum-akash"), ("r2", "")])
def test_a_record_at_a_sites_vendor_is_warned_of_with_what_an_outage_does(vendor: str, warned: str) -> None:
    losses = planned(**stores(record=store("record", vendor))).workloads[0].losses
    found = [each for each in losses if "the record of the writer is in store record" in each]
    assert [each.partition(":")[0] for each in found] == ([warned] if warned else [])
    assert all("the site stops, and the other one cannot take over" in each for each in found)


def test_relaxed_fencing_is_named_with_what_it_risks() -> None:
    assert any("both write" in each for each in planned(**database(fence="relaxed")).workloads[0].losses)
    assert not any("both write" in each for each in planned().workloads[0].losses)


def test_a_unit_is_read_back_as_it_was_written() -> None:
    words = ["sh", "-c", "a \"b\" $HOME $$ 100% \\n\n\ttab `x` 'y' é", ""]
    part = unit.Part("app", "image@sha256:1", words[:2], words[2:], {"A": '$(X) %h "q"'}, public=(80,))
    of = unit.Containers("forum-aws", [part], {"app": "/data"}, ("group", "us-east-1"), {"app": 64})
    assert unit.commands(unit.user_data(of)) == [unit.run(of, part)]


def test_a_unit_makes_no_file_system_where_one_may_be() -> None:
    part = unit.Part("app", "image", ["x"], [], {})
    text = unit.unit(unit.Containers("forum-aws", [part], {}, ("g", "r")))
    assert "blkid -p /dev/sdf > /dev/null; [ $$? -ne 2 ] || mkfs.ext4" in text


def test_user_data_starts_with_what_runs_at_every_start() -> None:
    plan = planned().workloads[0]
    of = unit.Containers("forum-aws", document.parts(plan.sites[0], plan), {}, ("g", "r"))
    text = gzip.decompress(b64decode(unit.user_data(of))).decode()
    assert text.startswith("#cloud-boothook\n#!/bin/sh\numask 077\n")
    assert unit.user_data(of) == unit.user_data(of)


def test_the_bill_names_machine_disks_address_lease_and_no_balancer() -> None:
    bill = {line.what: line.usd_month for line in planned().workloads[0].bill}
    assert bill["machine, t3.medium"] == pytest.approx(30.37, abs=0.01)
    assert bill["disks, 50 GB"] == pytest.approx(4.0)
    assert bill["public IPv4 address"] == pytest.approx(3.65)
    assert any(what.startswith("lease with an IPv4 address") for what in bill)
    assert not any("load balancer" in what for what in bill)


def test_the_release_changes_with_what_an_application_notices_and_with_nothing_else() -> None:
    def release(**options: Any) -> str:
        return planned(**options).workloads[0].release.id

    assert release() == release(budget_usd_month=50) == release(aws={"ami": AMI, "type": "t3.large"})
    assert len({release(), release(env={"A": "1"}), release(**database(gib=30)), release(secrets={"S": "V"})}) == 4


def test_owners_of_two_stacks_differ() -> None:
    made = stack()
    made["label"] = "prod"
    one, two = (sites.settings_of(topology(each, REGISTRY, None).workloads[0]) for each in (made, stack()))
    assert (one.workload, two.workload) == ("dao-example/prod/forum", "dao-example/main/forum")
    assert one.sites == two.sites == ("aws", "akash")


RECORD = Record("dao-example/main/forum", "aws", 3, State.WRITING)
CENTRAL, BOTH = Wanted("centralized", "aws", ("aws",), 15), Wanted("active-standby", "aws", ("aws", "akash"), 15)
TURNED = Wanted("active-standby", "akash", ("akash", "aws"), 15)
ALONE = Wanted("decentralized", "akash", ("akash",), 15)
AT_AKASH = replace(RECORD, holder="akash")
#: The plan, the current state, and the refused paths.
FOLLOWS = {
    "a new database on AWS": (CENTRAL, Seen(None, None), []),
    "a new database on Akash": (ALONE, Seen(None, None), []),
    "a record that is gone": (CENTRAL, Seen(None, None, archived=True), ["options.database.witness"]),
    "a standby is added": (BOTH, Seen(RECORD, CENTRAL), []),
    "the active side is turned": (TURNED, Seen(RECORD, BOTH), []),
    "and back": (BOTH, Seen(AT_AKASH, TURNED), []),
    "AWS is left": (ALONE, Seen(AT_AKASH, TURNED), []),
    "AWS comes back": (TURNED, Seen(AT_AKASH, ALONE), []),
    "active-standby is skipped": (ALONE, Seen(RECORD, CENTRAL), ["mode"]),
    "the flip is skipped": (ALONE, Seen(RECORD, BOTH), ["mode"]),
    "the standby is left with the writer": (CENTRAL, Seen(AT_AKASH, TURNED), ["mode"]),
    "two steps in one": (TURNED, Seen(RECORD, CENTRAL), ["active"]),
    "back in one step": (BOTH, Seen(AT_AKASH, ALONE), ["active"]),
    "another major": (replace(BOTH, major=17), Seen(RECORD, BOTH), ["options.database.major"]),
}


@pytest.mark.parametrize("what", FOLLOWS)
def test_a_mode_follows_only_what_stands_next_to_it(what: str) -> None:
    wanted, of, paths = FOLLOWS[what]
    found = gate.forbidden(wanted, of)
    assert [each.path for each in found] == paths
    assert all("; " in each.message for each in found), "what to choose"


@pytest.mark.parametrize(
    ("wanted", "of", "changes"),
    [
        (CENTRAL, Seen(None, None), False),
        (CENTRAL, Seen(RECORD, CENTRAL), False),
        (BOTH, Seen(RECORD, BOTH), False),
        (BOTH, Seen(RECORD, CENTRAL), True),
        (CENTRAL, Seen(RECORD, BOTH), True),
        (TURNED, Seen(RECORD, BOTH), True),
        (ALONE, Seen(AT_AKASH, TURNED), True),
        (BOTH, Seen(AT_AKASH, None), True),
    ],
)
def test_a_change_of_mode_or_writer_demands_proofs(wanted: Wanted, of: Seen, changes: bool) -> None:
    assert gate.changes(wanted, of) is changes


@pytest.mark.parametrize("ages", [(), (1.0,), (1.0, 9.0), (1.0, -1.0)])
def test_each_store_has_to_be_proved_lately(ages: tuple[float, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    settings_, now = sites.settings_of(planned().workloads[0]), 100 * 86400.0
    kept = {
        name: Proof(settings_.workload, name, now - age * 86400)
        for name, age in zip(settings_.archive, ages, strict=False)
    }
    monkeypatch.setattr(proofs, "kept", lambda _: (kept, []))
    found = gate.unproved(settings_, now)
    good = {name for name, proof in kept.items() if 0 <= now - proof.at < 8 * 86400}
    assert {each.path for each in found} == {f"options.database.archive.{name}" for name in {*settings_.archive} - good}
    assert all(each.message.endswith("run `unmoor drill`") for each in found)


@pytest.mark.parametrize("proved", [True, False])
def test_the_last_copy_goes_only_with_proofs(proved: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_ = sites.settings_of(planned().workloads[0])
    kept = {name: Proof(settings_.workload, name, time.time()) for name in settings_.archive} if proved else {}
    monkeypatch.setattr(proofs, "kept", lambda _: (kept, []))
    given, told = {"settings": settings_.model_dump(mode="json", exclude_none=True)}, list[str]()
    assert last.take(given, told.append) == {}
    assert told == [], "an update removes nothing"
    if not proved:
        with pytest.raises(ConfigError, match="the sites of dao-example/main/forum stay"):
            last.take(given | {"wait": True}, told.append)
        return
    last.take(given | {"wait": True}, told.append)
    assert told[-1].startswith("first and second keep the archive")


def test_variables_of_sites_are_demanded_for_the_sites_that_stand() -> None:
    def named(mode: str, active: str = "centralized") -> set[str]:
        plan = planned(mode, active).workloads[0]
        return {each for each in POSTGRES.secrets_of(plan).values() if each.startswith("FIRST_KEY")}

    assert named("centralized") == {"FIRST_KEY", "FIRST_KEY_AWS"}
    assert named("active-standby") == {"FIRST_KEY", "FIRST_KEY_AWS", "FIRST_KEY_AKASH_READ"}
    assert named("active-standby", "decentralized") == {"FIRST_KEY", "FIRST_KEY_AWS_READ", "FIRST_KEY_AKASH"}


def test_a_store_that_keeps_archive_and_record_is_written_in_either_role() -> None:
    options = planned(**database(witness={"store": "second"})).workloads[0].options
    handed = sites.keys(options, "akash", Role.STANDBY)
    assert (handed["FIRST_KEY"], handed["SECOND_KEY"]) == ("FIRST_KEY_AKASH_READ", "SECOND_KEY_AKASH")


def test_a_pass_phrase_of_a_single_store_is_demanded_and_handed_over() -> None:
    plan = planned(**database(ciphers={"second": "NEW_CIPHER"})).workloads[0]
    assert POSTGRES.secrets(plan.options)["database.ciphers.second"] == "NEW_CIPHER"
    assert sites.secrets(plan.primary, Role.PRIMARY)["NEW_CIPHER"] == "NEW_CIPHER"
    (agent_,) = (part for part in document.parts(plan.primary, plan) if part.name == document.DATABASE)
    assert "NEW_CIPHER" in agent_.args[2].split()


def test_the_document_passes_every_rule_and_names_no_secret() -> None:
    plan = planned().workloads[0]
    made = sdl.load(yaml.safe_dump(document.document_for(plan.sites[1], plan, "ab" * 32)))
    assert not sdl.check(made).errors


@pytest.mark.parametrize(
    ("positions", "asked"),
    [
        ([("0/10", "0/10")], 1),
        ([("0/10", "0/8"), ("0/20", "0/12")], 2),
        ([("0/90", "0/8"), *[("0/90", "0/9")] * 40, ("0/A0", "0/95"), ("0/A8", "0/A0"), ("0/B0", "0/A9")], 44),
    ],
)
def test_a_writer_moves_only_to_a_standby_that_is_close_behind(
    positions: list[tuple[str, str]], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third one needs 41 s to reach the writer's position, so it is compared again."""
    settings_, now, looks = sites.settings_of(planned().workloads[0]), [0.0], [0]

    def reported(_settings: Any, _store: Any, site: str) -> agent.State:
        looks[0] += site == "aws"
        return agent.State(site, position=positions[looks[0] - 1][site == "akash"])

    monkeypatch.setattr(moves, "reported", reported)
    monkeypatch.setattr(proofs, "opened", lambda *_: None)
    passed = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731 a clock in one line
    move._close(settings_, "aws", "akash", 300, lambda _: None, lambda: now[0], passed)
    assert looks[0] == asked


def test_a_standby_that_stays_behind_is_an_error_before_anything_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_, now = sites.settings_of(planned().workloads[0]), [0.0]
    monkeypatch.setattr(
        moves, "reported", lambda _s, _o, site: agent.State(site, position="0/20" if site == "aws" else "0/8")
    )
    monkeypatch.setattr(proofs, "opened", lambda *_: None)
    passed = lambda seconds: now.__setitem__(0, now[0] + seconds)  # noqa: E731 a clock in one line
    with pytest.raises(StepError, match="akash is still far behind aws after 60 s"):
        move._close(settings_, "aws", "akash", 60, lambda _: None, lambda: now[0], passed)


@pytest.mark.parametrize(("seconds", "why"), [(-300, "not reported lately"), (1e308, "a report from the future")])
def test_a_report_of_another_time_is_no_sign_of_life(seconds: float, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_ = sites.settings_of(planned().workloads[0])
    state = agent.State("akash", "standby", at=time.time() + seconds)
    monkeypatch.setattr(agent, "records", lambda _: SimpleNamespace(read=lambda: (None, "")))
    monkeypatch.setattr(proofs, "opened", lambda *_: None)
    monkeypatch.setattr(moves, "reported", lambda *_: state)
    assert why in stands._idle(settings_, "akash")


class Clock:
    """A clock that advances only during a sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def recalled(monkeypatch: pytest.MonkeyPatch, record: Record, role: str = "standby", *, beats: bool = False) -> Any:
    """Observe a holder that renews the record, or does not; return the moves, and the seconds."""
    settings_, clock, moved = sites.settings_of(planned().workloads[0]), Clock(), list[str]()

    class Keeper:
        @staticmethod
        def read() -> tuple[Record, str]:
            return replace(record, beat=int(clock.now) if beats else 0), "e"

    monkeypatch.setattr(agent, "records", lambda _: Keeper)
    monkeypatch.setattr(proofs, "opened", lambda *_: None)
    monkeypatch.setattr(moves, "reported", lambda _s, _o, site: agent.State(site, role, at=time.time()))
    monkeypatch.setattr(moves, "move", lambda _s, to, **given: moved.append(f"{to} {given['accept_loss']}"))
    move._recall(settings_, "aws", 300, lambda _: None, clock, clock.sleep)
    return moved, clock.now


ENDED = Record("dao-example/main/forum", "aws", 3, State.FROZEN, "aws-1", position="2:0/5000000")


def test_a_holder_that_ended_in_order_and_was_restored_is_ordered_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recalled(monkeypatch, ENDED) == (["aws False"], 0)


def test_a_holder_that_writes_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recalled(monkeypatch, replace(ENDED, state=State.WRITING), "primary") == ([], 0)


@pytest.mark.parametrize("role", ["standby", "stopped", "restoring"])
def test_a_holder_that_renews_the_record_is_left_alone(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recalled(monkeypatch, replace(ENDED, state=State.WRITING), role, beats=True) == ([], 1)


def test_a_holder_that_does_not_follow_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recalled(monkeypatch, ENDED, "restoring") == ([], 300)


@pytest.mark.parametrize("record", [replace(ENDED, state=State.WRITING), replace(ENDED, position=None)])
def test_a_holder_whose_last_writes_are_lost_is_for_a_person_to_decide(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        StepError, match=r"archiving its last writes.*`unmoor promote forum --to aws` makes it write from there"
    ):
        recalled(monkeypatch, record)


def test_a_review_shows_how_old_the_proofs_are_by_the_stores_of_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, now = planned(), time.time()
    kept = {"first": Proof("dao-example/main/forum", "first", now - 2 * 86400, bytes=10**6, restore_s=1.0)}
    monkeypatch.setattr(proofs, "kept", lambda settings_: (kept, []))
    assert "FIRST_KEY is not set" in "".join(review._proved(plan))
    for name in [f"{store}_{what}" for store in ("FIRST", "SECOND", "RECORD") for what in ("KEY", "SECRET")]:
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("ARCHIVE_CIPHER", "any")
    assert list(review._proved(plan)) == [
        "forum: store first        restore proved 2.0 days ago: 1.0 MB in 1.0 s",
        "forum: store second       no restore is proved",
    ]
    monkeypatch.setattr(proofs, "kept", lambda settings_: (kept, ["store second: it rains"]))
    assert list(review._proved(plan))[1:] == ["forum: a proof of restores cannot be read. store second: it rains"]
