"""What is decided about a database at two sites without one: settings, backups, proofs, and what forbids a move."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import yaml

from components.errors import ConfigError, StepError
from components.postgres import agent, backrest, backups, drill, moves, promotion, proofs, reading, server, watch
from components.postgres.agent import State
from components.postgres.backrest import Backup, Standing
from components.postgres.backups import Counted
from components.postgres.database import Postgres
from components.postgres.files import Files
from components.postgres.proofs import Proof
from components.postgres.settings import Settings, load, missing
from components.stores import guard
from components.stores.record import Record
from components.stores.record import State as Holding
from components.web import health
from sandbox.pair import rows

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000.0
DAY = 86400.0
GIVEN = {
    "workload": "dao/prod/forum",
    "sites": ["aws", "akash"],
    "database": "forum",
    "user": "forum",
    "password": "FORUM_PASSWORD",
    "cipher": "ARCHIVE_CIPHER",
    "stores": {
        name: {
            "vendor": name,
            "bucket": "forum-archive",
            "endpoint": f"https://{name}.example",
            "access_key": "KEY",
            "secret_key": "SECRET",
        }
        for name in ("first", "second", "witness")
    },
    "archive": ["first", "second"],
    "witness": {"store": "witness"},
}


def settings(**changed: object) -> Settings:
    return Settings.model_validate(GIVEN | changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"archive": ["first", "first"]}, "both stores are the same bucket; name two at two vendors"),
        (
            {"stores": GIVEN["stores"] | {"second": GIVEN["stores"]["second"] | {"vendor": "first"}}},
            "both stores are at first; name two at two vendors",
        ),
        ({"archive": ["first", "secnd"]}, "no store 'secnd'; did you mean second?"),
        ({"witness": {"store": "elsewhere"}}, "no store 'elsewhere'; describe it under stores"),
        ({"sites": ["aws", "aws"]}, "both have the same name; name two"),
        ({"password": "hunter2"}, "password: this is not the name of an environment variable"),
        (
            {"cipher": "FORUM_PASSWORD"},
            "cipher: FORUM_PASSWORD holds the role's password already; name another variable",
        ),
        (
            {"password": "SECRET", "user": "public"},
            "stores.witness.secret_key: SECRET holds the role's password already; name another variable",
        ),
        ({"majr": 15}, "majr: no such setting; did you mean major?"),
        ({"database": 'forum"; DROP'}, "database: "),
        *(
            ({"user": name}, f"user: {name} is reserved by PostgreSQL; choose another name")
            for name in ("pg_x", "public", "none")
        ),
        ({"user": "postgres"}, "user: postgres is the cluster's superuser, which an application must not be; choose"),
        *(
            ({"database": name}, f"database: {name} is PostgreSQL's own, and belongs to its superuser; choose another")
            for name in ("postgres", "template0", "template1")
        ),
    ],
)
def test_settings_that_cannot_be_are_a_sentence(tmp_path, changed, sentence):
    path = tmp_path / "forum.yaml"
    path.write_text(yaml.safe_dump(GIVEN | changed))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_every_variable_that_is_not_set_is_named(monkeypatch):
    for each in ("KEY", "SECRET", "FORUM_PASSWORD", "ARCHIVE_CIPHER"):
        monkeypatch.delenv(each, raising=False)
    found = {fault.path for fault in missing(settings())}
    assert found == {f"stores.{name}.{key}" for name in GIVEN["stores"] for key in ("access_key", "secret_key")} | {
        "cipher",
        "password",
    }
    assert "password" not in {fault.path for fault in missing(settings(), passwords=False)}


def test_a_store_can_have_a_pass_phrase_of_its_own(tmp_path, monkeypatch):
    for name in ("KEY", "SECRET", "FORUM_PASSWORD", "ARCHIVE_CIPHER"):
        monkeypatch.setenv(name, name.lower())
    given = settings(ciphers={"second": "NEW_CIPHER"})
    (fault,) = missing(given)
    assert (fault.path, "NEW_CIPHER is not set" in fault.message) == ("ciphers.second", True)
    monkeypatch.setenv("NEW_CIPHER", "new")
    both = backrest.Backrest(given, Files(tmp_path), 5432, threading.Event())
    found = both.environment()
    assert [found[f"PGBACKREST_REPO{n}_CIPHER_PASS"] for n in (1, 2)] == ["archive_cipher", "new"]
    assert both.environment("second")["PGBACKREST_REPO1_CIPHER_PASS"] == "new"
    monkeypatch.delenv("ARCHIVE_CIPHER")
    assert [fault.path for fault in missing(given)] == ["cipher"]
    assert missing(settings(ciphers={"first": "NEW_CIPHER", "second": "NEW_CIPHER"})) == []
    with pytest.raises(ValueError, match="'third' is no store of the archive; choose first or second"):
        settings(ciphers={"third": "NEW_CIPHER"})


def test_an_archive_without_tls_is_refused(monkeypatch):
    plain = GIVEN["stores"]["first"] | {"endpoint": "http://first.example"}
    found = missing(settings(stores=GIVEN["stores"] | {"first": plain}))
    assert [f.message for f in found if f.path == "stores.first.endpoint"] == [
        "pgBackRest speaks TLS only; give an https:// address"
    ]


def proof(store: str, **changed: object) -> Proof:
    return replace(Proof("dao/prod/forum", store, NOW - DAY), **changed)


@pytest.mark.parametrize(
    ("proofs_", "why"),
    [
        ([], "no restore from it is proved"),
        ([proof("first"), proof("first", at=NOW, fault="is damaged")], "the last restore from it failed: is damaged"),
        ([proof("first", at=NOW - 9 * DAY)], "the last proof is 9.0 days old, of 8 allowed"),
        ([proof("first", at=NOW + DAY)], "its proof is dated in the future"),
    ],
)
def test_a_store_without_a_fresh_good_proof_forbids_a_move(proofs_, why):
    (fault,) = proofs.refused([proof("second"), *proofs_], ("first", "second"), NOW, 8)
    assert (fault.path, fault.message) == ("archive.first", f"{why}; run `unmoor drill`")


def test_a_fresh_proof_of_each_store_allows_a_move():
    again = [proof("first", at=NOW - 2 * DAY, fault="was damaged"), proof("first"), proof("second")]
    assert proofs.refused(again, ("first", "second"), NOW, 8) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", json.dumps(asdict(proof("first"))).replace("NOW", "x")[:-1].encode()],
)
def test_what_is_no_proof_is_none(content):
    assert proofs.parse(content, "dao/prod/forum", "first") is None


def test_a_proof_of_another_store_or_workload_is_none():
    content = json.dumps(asdict(proof("first"))).encode()
    assert proofs.parse(content, "dao/prod/forum", "first") == proof("first")
    assert proofs.parse(content, "dao/prod/forum", "second") is None
    assert proofs.parse(content, "dao/prod/wiki", "first") is None


def backup(ended: float, *, full: bool = True, store: str = "first") -> Backup:
    return Backup(f"{ended:.0f}F", store, full, int(ended), 1, "0/3000000")


@pytest.mark.parametrize(
    ("found", "promoted", "due"),
    [
        ((), 0, "full"),
        ((backup(NOW - DAY / 2),), 0, None),
        ((backup(NOW - DAY / 2),), NOW - 60, "diff"),
        ((backup(NOW - 2 * DAY),), 0, "diff"),
        ((backup(NOW - 8 * DAY), backup(NOW - 2 * DAY, full=False)), 0, "full"),
        ((backup(NOW - 2 * DAY), backup(NOW - DAY / 2, full=False)), 0, None),
    ],
)
def test_a_backup_is_due_after_a_promotion_and_with_age(found, promoted, due):
    chosen = backups.which(settings(), {"first": Standing(found)}, promoted, NOW)
    assert chosen == ({"first": due} if due else {})


def test_the_newest_backup_is_restored_whichever_store_has_it():
    old, new = backup(NOW - DAY), backup(NOW, store="second")
    assert backrest.restorable([Standing((old,)), Standing((new,))]) == [new, old]


def known(**changed: object) -> moves.Known:
    record = Record("dao/prod/forum", "aws", 3, Holding.WRITING, "by")
    sites = {
        "aws": State("aws", "primary", 3, NOW, "0/5000100"),
        "akash": State("akash", "standby", 0, NOW, "0/5000000", NOW - 30),
    }
    return replace(moves.Known(record, sites, {each: proof(each) for each in ("first", "second")}), **changed)


def test_a_move_that_loses_nothing_needs_a_standby_that_reports():
    assert moves.planned(settings(), known(), "akash", NOW) == []
    for state, why in (
        (None, "has not reported lately"),
        (State("akash", "standby", 0, NOW - 300), "has not reported lately"),
        (State("akash", "restoring", 0, NOW), "is not a standby yet but restoring"),
        (State("akash", "standby", 0, 1e308), "has a report from the future; set its clock"),
    ):
        sites = {} if state is None else {"akash": state}
        (fault,) = moves.planned(settings(), known(sites=sites), "akash", NOW)
        assert fault.path == "sites.akash"
        assert why in fault.message


def test_a_standby_that_is_far_behind_is_not_promoted_without_a_word():
    behind = State("akash", "standby", 0, NOW, "0/5000000", NOW - 500)
    seen = known(sites=known().sites | {"akash": behind})
    (fault,) = moves.lossy(settings(), seen, "akash", NOW)
    assert fault.message == "has nothing of the last 500 s; up to 120 s are allowed (`max_lag_s`)"
    assert moves.lossy(settings(), known(), "akash", NOW) == []
    # Nothing was written for long: it has all that the writer had when it reported last.
    idle = replace(behind, position="0/5000100")
    assert moves.lossy(settings(), known(sites=known().sites | {"akash": idle}), "akash", NOW) == []
    assert moves.lossy(settings(), known(sites={}), "akash", NOW) != []
    ahead = replace(idle, at=NOW + 300)
    assert moves.lossy(settings(), known(sites=known().sites | {"akash": ahead}), "akash", NOW) != []


def test_a_move_that_will_take_long_is_announced():
    assert moves.slow(settings(), known()) == []
    behind = known(sites={"aws": replace(known().sites["aws"], unarchived=73)})
    (text,) = moves.slow(settings(), behind)
    assert text.startswith("aws: 73 segments of the WAL wait for a store; it writes on until they are there, but not")


def test_all_is_well_only_with_a_writer_a_standby_and_proofs():
    assert moves.well(settings(), known(), NOW)
    assert not moves.well(settings(), known(record=None), NOW)
    assert not moves.well(settings(), known(proofs={}), NOW)
    assert not moves.well(settings(), known(unread=("store first",)), NOW)
    assert not moves.well(settings(), known(sites={}), NOW)
    for seconds in (-300, 300):
        other = {name: replace(state, at=NOW + seconds) for name, state in known().sites.items()}
        assert not moves.well(settings(), known(sites=other), NOW)
    faulty = {name: replace(state, fault="it rains") for name, state in known().sites.items()}
    assert not moves.well(settings(), known(sites=faulty), NOW)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"site": "aws"}'])
def test_what_is_no_report_is_none(content):
    assert moves.parse(content, "aws") is None


def test_a_report_is_read_as_it_was_written():
    state = State("aws", "primary", 3, NOW, "16/B374D848", None, NOW - 4, 2, "a store is away")
    assert moves.parse(json.dumps(asdict(state)).encode(), "aws") == state
    assert moves.parse(json.dumps(asdict(state)).encode(), "akash") is None


@pytest.mark.parametrize(
    "content",
    [b"[" * 10_000, b'{"at": NaN}', b"[]", b'{"lsn": "0/1", "timeline": 1, "at": 0, "tables": {"t": "many"}}'],
)
def test_what_is_no_count_is_none(content):
    assert reading.read(Counted, content) is None


def test_a_count_is_read_as_it_was_written_and_what_a_later_version_adds_is_left_out():
    counted = Counted("16/B374D848", 2, NOW, {"public.topics": 12}, "20261101-000000F")
    assert reading.read(Counted, json.dumps(asdict(counted) | {"more": 1}).encode()) == counted
    assert reading.read(Counted, json.dumps(asdict(counted)).encode(), ("more",)) is None


@pytest.mark.parametrize(
    ("position", "reached"),
    [(None, True), ("2:0/500", True), ("2:0/501", False), ("1:0/400", True), ("1:0/401", False), ("3:0/1", False),
     ("unknown:aws", False), ("", False), ("x", False), ("2", False), ("2:", False), ("2:x", False), ("x:0/1", False),
     ("2:0/1/2", False), ("9" * 450, False), ("9" * 450 + ":0/1", False)],
)  # fmt: skip
def test_a_copy_has_reached_no_position_that_it_cannot_read(position, reached):
    files = SimpleNamespace(history=lambda _: "1\t0/400\tno reason\n")
    copy = SimpleNamespace(primary=False, site="akash", files=files)
    assert Postgres._reached(copy, position, 2, 0x500) is reached
    assert Postgres._behind(copy, position or "", 2) is (position == "3:0/1")


def test_positions_are_read_and_written_as_postgresql_does():
    assert server.lsn("16/B374D848") == 0x16B374D848
    assert server.written(0x16B374D848) == "16/B374D848"


@pytest.mark.parametrize(
    ("timeline", "position", "size", "name"),
    [
        (1, "0/0", 16 << 20, "000000010000000000000000"),
        (1, "0/8000028", 16 << 20, "000000010000000000000008"),
        (11, "16/FFFFFFFF", 16 << 20, "0000000B00000016000000FF"),
        (1, "17/0", 16 << 20, "000000010000001700000000"),
        (1, "1/C0000000", 1 << 30, "000000010000000100000003"),
    ],
)
def test_the_segment_of_a_position_has_the_name_that_postgresql_gives_it(timeline, position, size, name):
    assert server.segment(timeline, server.lsn(position), size) == name


@pytest.mark.parametrize(
    ("at", "waits", "replayed"),
    [
        ("0/7FFFFF0", True, False),  # the end of the segment before: 8 did not come yet, or is damaged
        ("0/8000000", True, False),
        ("0/8000028", False, False),  # it still applies what it has read of 8
        ("0/8FFFF10", True, True),  # the last record of 8 goes on in 9, which the archive does not have
        ("0/9000000", False, True),  # the writer ended 8 itself
        ("0/9000028", False, True),
    ],
)
def test_a_promotion_waits_for_the_last_segment_and_not_for_the_rest_of_its_last_record(at, waits, replayed):
    assert promotion._replayed(at, "000000010000000000000008", 16 << 20, waits=waits) is replayed


class Clock:
    """A clock that advances by the seconds that are waited."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def drilled(monkeypatch, has: Callable[[float], str], lsn: str = "0/8000028") -> tuple[float, list[str]]:
    """Wait for the WAL of a position; `has`: the store's last segment by time. Return the seconds, and the reports."""
    clock, reports = Clock(), []
    monkeypatch.setattr(drill.time, "monotonic", clock.monotonic)
    of = drill._Drill.__new__(drill._Drill)
    of.settings, of.store, of.stop, of.report = settings(), "first", clock, reports.append
    of.server = SimpleNamespace(control=lambda: SimpleNamespace(segment=16 << 20))
    of.archiver = SimpleNamespace(standing=lambda _, *, patient: Standing(last_wal=has(clock.now) if patient else ""))
    return of._await(backups.Counted(lsn, 2, NOW, {})), reports


@pytest.mark.parametrize("last", ["000000020000000000000008", "000000020000000100000000", "000000030000000000000002"])
def test_a_drill_does_not_wait_for_wal_that_the_store_has(monkeypatch, last):
    assert drilled(monkeypatch, lambda _: last) == (0, [])


def test_a_drill_waits_as_long_as_the_store_gets_wal_and_shows_how_far_it_is(monkeypatch):
    """Each segment comes a minute after the one before: later than the limit in all, and never without progress."""
    waited, reports = drilled(monkeypatch, lambda now: f"00000002{0:08X}{3 + int(now // 60):08X}")
    assert waited == 300
    assert [line.partition(";")[0] for line in reports] == [
        f"store first has WAL up to 00000002{0:08X}{number:08X}" for number in range(3, 8)
    ]
    assert all("waiting for 000000020000000000000008" in line for line in reports)


@pytest.mark.parametrize(("last", "there"), [("", "no WAL"), ("000000020000000000000007", "WAL up to 0{7}20{15}7")])
def test_a_drill_ends_in_a_sentence_where_the_wal_of_that_moment_does_not_come(monkeypatch, last, there):
    with pytest.raises(
        StepError, match=f"^store first has {there}, and 000000020{{15}}8 did not come in 120 s; see why in `unmoor st"
    ):
        drilled(monkeypatch, lambda _: last)


@pytest.mark.parametrize(("restored", "word"), [(38, "current"), (37, "38")])
def test_a_drill_needs_the_history_of_a_timeline_only_where_the_backup_is_of_another_one(tmp_path, restored, word):
    """A store that was filled anew after a promotion has no history of the timeline that it begins with."""
    of, started = drill._Drill.__new__(drill._Drill), []
    of.files, of.store = Files(tmp_path), "first"
    of.archiver = SimpleNamespace(command=lambda *_, only: only)
    of.server = SimpleNamespace(
        control=lambda: SimpleNamespace(timeline=restored),
        start=lambda: started.append(of.server.settings["recovery_target_timeline"]),
        wait=lambda _: None,
        ask=lambda _: "f",
    )
    of._recover(backups.Counted("0/8000028", 38, NOW, {}))
    assert started == [word]


def test_the_moment_that_was_counted_has_a_record_to_stop_at_however_quiet_the_database_is():
    """Without one, `pg_switch_wal` has no segment to end, and the archive lacks that moment until the next write."""
    asked: list[str] = []

    def ask(sql: str, *_: object) -> str:
        asked.append(sql)
        return "0/8000028\n1\n" if "echo" in sql else ""

    found = backups.count(settings(), SimpleNamespace(ask=ask))
    assert found is not None
    assert found.lsn == "0/8000028"
    assert re.fullmatch(r"SELECT pg_create_restore_point\(.*\); SELECT pg_switch_wal\(\)", asked[-1])


def test_fifty_rows_a_second_are_due_on_average_however_long_a_writer_takes_or_is_away(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(rows.time, "monotonic", clock.monotonic)
    pace = rows.Pace(0.02)
    taken = 0
    while clock.now < 20:
        clock.wait(pace.left())
        clock.wait(5 if taken == 100 else 0.002 if taken % 5 else 0.03)  # a move; and each fifth row takes too long
        taken += 1
    assert 995 <= taken <= 1005


def test_where_a_timeline_ended_is_in_the_history_of_a_later_one():
    history = "1\t0/A000000\tno recovery target specified\n\n2\t0/C000148\tno recovery target specified\n"
    assert server.forked(history, 1) == 0xA000000
    assert server.forked(history, 2) == 0xC000148
    assert server.forked(history, 3) is None


@pytest.mark.parametrize(
    ("last", "runs", "why"),
    [
        ("000000030000000000000009", False, "counted at 0/8000028 of timeline 2, which a promotion gave up before"),
        ("000000020000000000000009", False, "^PostgreSQL has ended$"),
        ("", False, "^PostgreSQL has ended$"),
        ("000000030000000000000009", True, "^PostgreSQL has ended$"),
    ],
)
def test_a_drill_names_the_promotion_that_gave_up_what_was_counted(monkeypatch, tmp_path, last, runs, why):
    def ended(_: float) -> None:
        raise StepError("PostgreSQL has ended")

    of = drill._Drill.__new__(drill._Drill)
    of.files, of.store = Files(tmp_path), "first"
    of.archiver = SimpleNamespace(
        command=lambda *_, only: only, standing=lambda _, *, patient: Standing(last_wal=last if patient else "")
    )
    control = SimpleNamespace(timeline=2)
    of.server = SimpleNamespace(control=lambda: control, start=lambda: None, wait=ended, runs=runs)
    with pytest.raises(StepError, match=why):
        of._recover(backups.Counted("0/8000028", 2, NOW, {}))


def test_a_drill_is_patient_with_a_slow_store_and_a_switch_is_not(tmp_path, monkeypatch):
    """A store whose answer takes more than three seconds on a busy day is restorable."""
    ran = []
    archiver = backrest.Backrest(settings(), Files(tmp_path), 5432, threading.Event())
    monkeypatch.setattr(archiver, "run", lambda *words, only: ran.append(words) or "[]")
    archiver.standing("first")
    archiver.standing("first", patient=True)
    assert [any("timeout" in word for word in words) for words in ran] == [True, False]


def test_a_store_that_has_nothing_is_not_taken_for_one_that_fails():
    empty = [{"repo": [{"status": {"code": 1, "message": "missing stanza path"}}], "backup": [], "archive": []}]
    assert backrest._standing("first", []) == Standing()
    assert backrest._standing("first", empty) == Standing()
    assert Standing().empty
    fails = [{"repo": [{"status": {"code": 99, "message": "[CryptoError] cipher header invalid"}}]}]
    with pytest.raises(StepError, match=r"store first: .*cipher header invalid"):
        backrest._standing("first", fails)


@pytest.fixture
def slow_archive(tmp_path, monkeypatch):
    """Return what archives by a program that takes a second, and the file that it writes at its end."""
    done = tmp_path / "done"
    program = tmp_path / "pgbackrest"
    program.write_text(f"#!/bin/sh\nsleep 1\necho >{done}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("KEY", "SECRET", "ARCHIVE_CIPHER"):
        monkeypatch.setenv(name, "x")
    return backrest.Backrest(settings(), Files(tmp_path), 5432, threading.Event()), done


def test_a_writer_archives_nothing_after_its_permission_has_ended(slow_archive, tmp_path):
    """One that tried on archived its timeline seconds after it was replaced, and no standby followed any more."""
    archiver, done = slow_archive
    end = guard.clock() + 0.5
    with pytest.raises(StepError, match=r"^00000002\.history is not in store first$"):
        archiver.push(tmp_path / "00000002.history", "first", lambda: end)
    time.sleep(max(0, end + 1.5 - guard.clock()))
    assert not done.exists()


def test_a_writer_archives_as_long_as_its_permission_is_extended(slow_archive, tmp_path):
    archiver, done = slow_archive
    archiver.push(tmp_path / "000000010000000000000001", "first", lambda: guard.clock() + 0.5)
    assert done.exists()


def test_the_settings_in_the_manual_are_valid_and_its_table_has_the_defaults(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "postgres.md").read_text()
    text = re.search(r'```yaml title="postgres/forum.yaml"\n(.*?)```', page, re.DOTALL)[1]
    (tmp_path / "forum.yaml").write_text(text)
    read = load(tmp_path / "forum.yaml")
    assert read.workload == "dao/prod/forum"
    shown = dict(re.findall(r"^\| `([a-z_]+)` \|.*\| `?([a-z0-9]+)`? \|$", page, re.MULTILINE))
    assert shown == {
        "major": "15",
        "fence": "strict",
        "archive_timeout_s": "60",
        "max_lag_s": "120",
        "proof_max_age_days": "8",
    }
    assert {name: str(getattr(read, name)).removesuffix(".0") for name in shown} == shown


def test_the_command_for_wal_asks_the_stores_that_answer_and_holds_no_secret(tmp_path, monkeypatch):
    for name in ("KEY", "SECRET", "ARCHIVE_CIPHER"):
        monkeypatch.setenv(name, "a secret value")
    files = Files(tmp_path)
    files.prepare()
    archiver = backrest.Backrest(settings(), files, 5432, threading.Event())
    archiver.write()
    for path in tmp_path.glob("*.conf"):
        assert "a secret value" not in path.read_text()
    both = {"first": Standing(), "second": Standing()}
    for answering, order in ((both, "1 2\n"), ({"second": both["second"]}, "2\n"), (None, "1 2\n")):
        monkeypatch.setattr(archiver, "each", partial(_answering, answering))
        archiver.prefer()
        assert (tmp_path / "run" / "stores").read_text() == order


def test_without_a_store_that_answers_no_backup_is_made_and_both_are_named():
    archiver = SimpleNamespace(run=lambda *words, **more: pytest.fail(f"{words} {more}"))
    database = SimpleNamespace(archiver=archiver, files=SimpleNamespace(promoted=0.0))
    with pytest.raises(StepError, match=r"^first, second: does not answer$"):
        backups.due(settings(), database, {}, {}, pytest.fail)


def _answering(found):
    if found is None:
        raise StepError("no store of the archive answers")
    return found


def test_a_directory_with_something_else_in_it_is_not_taken(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds thesis"):
        Files(tmp_path).prepare()
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_is_a_whole_copy_or_none(tmp_path):
    files = Files(tmp_path)
    files.prepare()
    files.incoming.mkdir()
    files.epoch = 3
    files.arrived()
    assert files.data.is_dir()
    assert files.epoch == 0  # the epoch of what was there before is not that of what came
    files.epoch = 4
    files.depart()
    assert not files.data.exists()
    assert files.epoch == 0


def test_a_primary_that_is_killed_on_its_way_to_a_new_timeline_stays_one(tmp_path):
    """With only the signal it would follow an archive whose timeline is not its own, and never start."""
    files = Files(tmp_path / "site")
    files.prepare()
    files.data.mkdir()
    assert not files.follows
    files.leave()
    assert files.signal.exists()
    assert not Files(files.root).follows
    Files(files.root).prepare()
    files.left()
    assert files.follows
    files.leave()
    files.depart()
    files.arrived()
    assert files.follows


def test_histories_are_archived_before_the_wal_that_needs_them(tmp_path):
    status = tmp_path / "pgdata" / "pg_wal" / "archive_status"
    status.mkdir(parents=True)
    for name in ("000000020000000000000003", "00000002.history", "000000020000000000000002"):
        (status / f"{name}.ready").touch()
    files = Files(tmp_path)
    order = [note.stem for note in files.waiting()]
    assert order == ["00000002.history", "000000020000000000000002", "000000020000000000000003"]
    files.archived(order[0])
    assert (status / "00000002.history.done").exists()
    assert len(files.waiting()) == 2


@pytest.mark.parametrize(
    ("free", "waiting", "text"),
    [
        (50 << 30, 900, ""),
        (3 << 30, 900, ""),
        (1 << 30, 0, "the disk has 1,074 MB left of 107,374: give it room before PostgreSQL stops"),
        (1 << 30, 70, "the disk has 1,074 MB left of 107,374; 70 segments of the WAL wait for a store: give it room"),
    ],
)
def test_a_disk_that_fills_is_noticed(free, waiting, text):
    assert watch.disk(free, 100 << 30, waiting).startswith(text)
    assert bool(watch.disk(free, 100 << 30, waiting)) is bool(text)


@pytest.mark.parametrize(("ahead", "text"), [(None, ""), (59, ""), (-59, ""), (61, "61 s ahead of"), (-7200, "behind")])
def test_a_clock_that_differs_from_the_stores_is_noticed(ahead, text):
    assert text in watch.clock(ahead)
    assert bool(watch.clock(ahead)) is bool(text)


def test_stores_that_disagree_are_noticed_at_the_second_look():
    old, new = "0000000100000000000000AA", "0000000100000000000000AB"
    both = {"first": Standing((), new), "second": Standing((), old)}
    assert watch.stores({}, both) == ""
    assert watch.stores({"first": Standing((), old), "second": Standing((), old)}, both) == ""
    assert watch.stores(both, both) == f"store second has WAL up to {old}, store first had {new} a while ago"
    assert watch.stores(both, {"first": Standing((), new)}) == ""
    kept = {"first": Standing((backup(NOW),), new), "second": Standing((backup(NOW),), new)}
    assert watch.stores(kept, kept | {"second": Standing()}) == "store second has lost its backups"


def test_a_site_that_reads_its_copy_otherwise_is_not_promoted_without_a_word():
    sites = known().sites
    for changed, why in (
        ({"collation": "de-x-icu (made with 153.14, here 153.120)"}, "orders text differently from its indexes: de-x"),
        ({"major": 17}, "has PostgreSQL 17, and aws has 15; run the same version at both"),
    ):
        seen = known(sites={"aws": replace(sites["aws"], major=15), "akash": replace(sites["akash"], **changed)})
        for found in (moves.planned(settings(), seen, "akash", NOW), moves.lossy(settings(), seen, "akash", NOW)):
            (fault,) = found
            assert fault.message.startswith(why)
        assert moves.planned(settings(), seen, "aws", NOW) == []
    assert not moves.well(settings(), known(sites=sites | {"akash": replace(sites["akash"], collation="x")}), NOW)


class Counting:
    """A database that makes backups immediately, and may fail to count."""

    def __init__(self, *, fails: bool) -> None:
        self.fails, self.asked, self.ran = fails, 0, []
        self.files, self.archiver, self.server = self, self, self
        self.promoted, self.epoch = 0.0, 7

    def run(self, word, *words, only):
        self.ran.append((word, only))
        if word == "backup":
            assert words[1:] == ("--annotation=epoch=7",)

    def standing(self, store, *, patient=False):
        return Standing((backup(NOW, store=store),), "1")

    def ask(self, sql, *_rest):
        if sql.startswith("SELECT format"):
            return "public.posts"
        if "pg_switch_wal" in sql:
            return ""
        self.asked += 1
        if self.fails:
            raise StepError("it rains")
        return "0/5000000\n1\npublic.posts|7"


def test_a_count_that_failed_is_made_at_the_next_look_without_another_backup(monkeypatch):
    kept = {}
    monkeypatch.setattr(proofs, "opened", lambda _settings, store: type("S", (), {"read": lambda *_: kept.get(store)}))
    monkeypatch.setattr(proofs, "put", lambda _s, stores, _n, what: kept.update(dict.fromkeys(stores, what)) or [])
    database, counted = Counting(fails=True), {}
    with pytest.raises(StepError, match="it rains"):
        backups.due(settings(), database, {"first": Standing(), "second": Standing()}, counted, print)
    assert [word for word, _ in database.ran] == ["stanza-create", "backup"] * 2
    assert kept == {}
    database.fails, database.ran = False, []
    monkeypatch.setattr(backups.time, "time", lambda: NOW + 60)
    stands = {store: database.standing(store) for store in ("first", "second")}
    for _ in range(2):
        backups.due(settings(), database, stands, counted, print)
    assert database.ran == []
    assert database.asked == 2
    assert {each.backup for each in kept.values()} == {stands["first"].backups[0].label}


def test_the_count_of_a_backup_is_recognised_after_a_restart():
    found = backups.Counted("0/5000000", 1, NOW, {"public.posts": 7}, "20261126-190000F")
    assert backups._label(json.dumps(asdict(found)).encode()) == "20261126-190000F"
    assert [backups._label(each) for each in (None, b"", b"[]", b"{}", b'"x"')] == [""] * 5


class Pushing:
    """An archiver whose stores wait for each other, and one of which may fail at a file."""

    def __init__(self, fails: dict[str, str]) -> None:
        self.fails, self.ran = fails, []
        self.both = threading.Barrier(2)

    def run(self, _word, path, *, only):
        if not self.ran:
            self.both.wait(30)
        if path.endswith(self.fails.get(only, "-")):
            raise StepError("it rains")
        self.ran.append((only, Path(path).name))


@pytest.mark.parametrize(
    ("fails", "left"),
    [({}, []), ({"second": "B"}, ["B"]), ({"first": "A", "second": "B"}, ["A", "B"])],
)
def test_the_last_writes_go_to_both_stores_at_once_and_one_is_enough(tmp_path, fails, left):
    files, reports = Files(tmp_path), []
    status = files.data / "pg_wal" / "archive_status"
    status.mkdir(parents=True)
    for name in ("A", "B"):
        (status / f"{name}.ready").touch()
    database = Postgres.__new__(Postgres)
    database.files, database.archiver, database.report = files, Pushing(fails), reports.append
    database._given = {"first": set(), "second": set()}
    if len(fails) == 2:
        with pytest.raises(StepError, match="the last writes cannot be archived: store first: it rains; store second"):
            database._push_all()
    else:
        database._push_all()
    assert [note.stem for note in files.waiting()] == left
    assert len(reports) == len(fails)
    pushed = [name for store, name in database.archiver.ran if store == "first"]
    assert pushed == ([] if "first" in fails else ["A", "B"])


@pytest.mark.parametrize(
    ("mine", "archived", "epochs", "goes"),
    [
        (1, 1, (0, 2), False),  # the archive has this copy's timeline, and the next writer has put nothing there
        (1, 2, (0, 2), True),
        (2, 1, (0, 2), False),  # this copy's timeline was never archived, and its number will not be exceeded
        (2, 1, (2, 3), True),
        (2, 2, (3, 4), True),  # the writer's timeline has the same number
    ],
)
def test_a_copy_is_given_up_once_the_archive_has_something_of_the_next_writer(mine, archived, epochs, goes):
    """Epoch 3 is written at the other site, on what it had before this copy was promoted in epoch 2, or on more."""
    done: list[object] = []
    kept = Standing(tuple(replace(backup(NOW), epoch=epoch) for epoch in epochs), "")
    database = Postgres.__new__(Postgres)
    database.files = SimpleNamespace(
        data=Path("/"), follows=False, depart=lambda: done.append("departs"), incoming=Path("/")
    )
    database.server = SimpleNamespace(
        stop=lambda *patience: done.append(("stops", *patience)),
        start=lambda: done.append("starts"),
        control=lambda: SimpleNamespace(timeline=mine),
    )
    database.archiver = SimpleNamespace(
        timelines=lambda: {"first": archived, "second": 0}, each=lambda: {"first": kept}
    )
    if goes:
        database.demote(3)
        assert done == [("stops", 0), "departs", ("stops",), "starts"]
    else:
        with pytest.raises(StepError, match="the archive has nothing of the newer primary yet"):
            database.demote(3)
        assert done == [("stops", 0)]


def test_the_epoch_of_a_backup_is_read_where_it_has_one():
    kept = {
        "label": "20261126-190000F",
        "type": "full",
        "timestamp": {"stop": 1},
        "info": {"size": 1},
        "lsn": {"stop": "0/1"},
    }
    answer = [{"repo": [{"status": {"code": 0}}], "backup": [kept, kept | {"annotation": {"epoch": "12"}}]}]
    assert [each.epoch for each in backrest._standing("first", answer).backups] == [0, 12]


def test_a_segment_begins_early_enough_to_be_in_the_stores_within_the_archives_time():
    database = Postgres.__new__(Postgres)
    database.settings = settings()
    database.files = SimpleNamespace(prepare=lambda: None, admit=lambda _: {})
    database.archiver = SimpleNamespace(write=lambda: None, command=lambda *_: "", get="")
    database.server = SimpleNamespace()
    database.prepare("127.0.0.1", 5.0)
    assert (database.settings.archive_timeout_s, database.server.settings["archive_timeout"]) == (60, "54")


@pytest.fixture
def answering(monkeypatch):
    """Answer as an agent, where a connection may last half a second."""
    monkeypatch.setattr(health, "HEALTH_S", 0.5)
    database = SimpleNamespace(role="primary", files=SimpleNamespace(epoch=3))
    handler = agent._handler(SimpleNamespace(state=State("aws"), database=database))
    with health.HealthServer(("127.0.0.1", 0), handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made.server_address
        made.shutdown()
        thread.join()


def test_silent_connections_to_an_agent_end_and_keep_nobody_out(answering):
    before, silent = threading.active_count(), [socket.create_connection(answering, 30) for _ in range(100)]
    try:
        with socket.create_connection(answering, 30) as asks:
            asks.sendall(b"GET /role HTTP/1.0\r\n\r\n")
            shown = b"".join(iter(lambda: asks.recv(4096), b""))
        assert shown.endswith(b'{"site": "aws", "role": "primary", "epoch": 3}\n')
        assert threading.active_count() - before < 100
        assert [each.recv(1) for each in silent] == [b""] * 100
    finally:
        for each in silent:
            each.close()
