"""Two sites with real PostgreSQL: every acknowledged row is stored once, in order, by one writer."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil
import pytest
from botocore.exceptions import ClientError

from components.errors import StepError
from components.kinds.postgres.wanted import Wanted
from components.postgres import backups
from components.postgres.files import Files
from components.probe import move
from components.stores import s3
from components.stores.record import State
from sandbox.pair import check, world
from sandbox.pair.rows import Ack
from sandbox.pair.world import ROOT, SITES, World, until

from . import happenings
from .happenings import HAPPENINGS, MOVE_S, WELL_S, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.skipif(not world.installed(), reason="needs PostgreSQL 15, pgBackRest and amcheck"),
    pytest.mark.timeout(900),
]

#: Tests that take too long for every run; `python -m tests stateful` runs them.
long = pytest.mark.skipif(not os.environ.get("TESTS_STATEFUL"), reason="`python -m tests stateful` runs it")


@pytest.fixture(scope="module")
def quiet() -> Iterator[World]:
    """Both sites well, and no client yet."""
    with world.opened() as made:
        made.begin()
        yield made


@pytest.fixture(scope="module")
def run(quiet: World) -> Iterator[Run]:
    client = quiet.client()
    try:
        yield Run(quiet, client)
    finally:
        client.close()


def intact(run: Run) -> None:
    """Assert that every row acknowledged until now is stored."""
    run.well()
    acks = list(run.client.acks)
    assert check.violations(acks, run.world.rows(), run.lost) == []


def test_the_writer_does_not_move_before_a_restore_from_each_store_is_proved(quiet: World) -> None:
    until(quiet.well, "both sites well", WELL_S)
    refused = quiet.ran("switch", "forum", "--to", quiet.other())
    assert refused.returncode == 1
    assert refused.stdout.count("no restore from it is proved; run `unmoor drill`") == 2
    assert quiet.record().order is None


def test_rows_are_not_counted_while_the_newest_transaction_runs(quiet: World) -> None:
    """It may have logged its commit, and the snapshot that counts would not have its rows."""
    writer = quiet.holder()
    running = quiet.postgres(writer)
    with subprocess.Popen(quiet.console(writer), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        session.stdin.write("BEGIN; SELECT pg_current_xact_id();\n")
        session.stdin.flush()
        assert session.stdout.readline()
        assert backups.count(quiet.settings, running) is None
        session.stdin.write("COMMIT;\n")
    assert backups.count(quiet.settings, running) is not None


def test_a_drill_restores_from_each_store_counts_the_rows_and_proves_it(quiet: World) -> None:
    """Right after the first backup, of a database that nothing has written to since."""
    until(quiet.backed_up, "counted backups")
    done = quiet.ran("drill", "forum")
    assert done.returncode == 0, done.stdout
    found = re.findall(r"store (\w+): .* restored in .* and checked in .*: [\d,]+ rows of \d tables", done.stdout)
    assert found == ["first", "second"]


def test_a_drill_waits_for_the_wal_of_the_moment_that_was_counted(run: Run) -> None:
    made, writer = run.world, run.writer
    run.acknowledged()
    made.cut(writer, "first")
    try:
        made.count("first")
        drill = made.unmoor("drill", "forum", "--store", "first")
        shown = until(lambda: (line := drill.stdout.readline()) and "; waiting for " in line and line, "a drill waits")
    finally:
        made.cut(writer, "first", cut=False)
    rest = drill.communicate(timeout=300)[0]
    assert drill.returncode == 0, shown + rest
    assert re.search(r"store first: .* checked in .*: [1-9][\d,]* rows of 1 tables", rest)
    run.well()


def test_a_planned_switch_and_back_by_the_command_lose_nothing(run: Run) -> None:
    for _ in SITES:
        to = run.other
        run.world.reported(to)
        done = run.world.ran("switch", "forum", "--to", to)
        assert done.returncode == 0, done.stdout
        assert f"{to} reports that it takes writes" in done.stdout
        intact(run)
        assert run.writer == to


@pytest.mark.parametrize(
    "what",
    [
        "postgres killed",
        *(pytest.param(each, marks=long) for each in ("agent killed", "site killed", "restore killed")),
    ],
)
def test_a_site_that_is_killed_comes_back_by_itself(run: Run, what: str) -> None:
    HAPPENINGS[what](run)
    intact(run)


@long
@pytest.mark.parametrize("what", [name for name in HAPPENINGS if "killed when" in name])
def test_a_kill_in_a_switch_loses_nothing(run: Run, what: str) -> None:
    HAPPENINGS[what](run)
    intact(run)


@long
def test_a_dump_is_rehearsed_and_moved_in(run: Run) -> None:
    made, dump = run.world, run.world.folder / "project" / "old.dump"
    run.well()
    made.asked(
        "CREATE SCHEMA old; CREATE TABLE old.members AS SELECT n AS id, 'm' || n AS name FROM generate_series(1, 500) n"
    )
    made.asked("ALTER TABLE old.members ADD PRIMARY KEY (id); CREATE SEQUENCE old.next START 501")
    made.dump(dump, "old")
    made.asked("DROP SCHEMA old CASCADE")
    rehearsed = made.ran("drill", "forum", "--dump", str(dump))
    assert rehearsed.returncode == 0, rehearsed.stdout
    assert "old.members: 500 rows" in rehearsed.stdout
    assert re.search(r"old.dump: .* 500 rows of 1 tables, \d+ indexes", rehearsed.stdout)
    half = dump.with_name("half.dump")
    half.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    refused = made.ran("drill", "forum", "--dump", str(half))
    assert refused.returncode == 1
    assert "pg_restore failed" in refused.stdout
    made.restore(dump)
    assert made.asked("SELECT count(*), max(name) FROM old.members").strip() == "500|m99"
    assert made.asked("SELECT nextval('old.next')").strip() == "501"


@long
def test_an_index_that_this_site_orders_differently_is_shown_and_forbids_the_move(run: Run) -> None:
    made, other = run.world, run.other
    run.well()
    made.asked('CREATE TABLE sorted (name text COLLATE "de-x-icu" PRIMARY KEY)')
    made.superuser("UPDATE pg_collation SET collversion = '1' WHERE collname = 'de-x-icu'")
    try:
        shown = re.compile(rf"^  {other}\b.*orders text differently", re.MULTILINE)
        until(lambda: shown.search(made.ran("status", "forum").stdout), f"the difference at {other}", 240)
        refused = made.ran("switch", "forum", "--to", other)
        assert refused.returncode == 1
        assert "orders text differently from its indexes: de-x-icu (made with 1, here" in refused.stdout
        assert run.writer != other
    finally:
        made.superuser("DROP TABLE sorted")
        made.superuser('ALTER COLLATION "de-x-icu" REFRESH VERSION')


@long
def test_a_claim_is_taken_back_and_a_kill_on_the_way_to_a_new_timeline_loses_nothing(run: Run) -> None:
    HAPPENINGS["claim taken back"](run)
    intact(run)


@long
@pytest.mark.parametrize("what", ["timeline lost", "timeline lost with rows", "timeline cut off"])
def test_a_site_whose_timeline_was_never_archived_follows_again(run: Run, what: str) -> None:
    HAPPENINGS[what](run)
    intact(run)


def test_nothing_is_written_while_the_records_store_does_not_answer(run: Run) -> None:
    HAPPENINGS["record away"](run)
    intact(run)


@long
def test_one_store_gives_the_standby_what_the_other_one_cannot(run: Run) -> None:
    HAPPENINGS["first store away for a while"](run)
    intact(run)


def test_two_operators_at_once_move_one_writer(run: Run) -> None:
    HAPPENINGS["two operators"](run)
    intact(run)


def test_a_promoted_site_goes_on_and_the_old_one_comes_back_as_its_standby(run: Run) -> None:
    HAPPENINGS["promoted, site gone"](run)
    intact(run)


@long
def test_a_writer_that_is_cut_off_and_replaced_writes_nothing_more(run: Run) -> None:
    HAPPENINGS["promoted, site cut off"](run)
    intact(run)


@long
def test_a_promotion_does_not_wait_for_the_rest_of_a_record_that_was_never_archived() -> None:
    """A segment that is full ends within a record, unlike one that the writer ends after the archive's time."""
    with world.opened(archive_timeout_s=60) as made:
        made.begin()
        run = Run(made, made.client())
        run.well()
        writer, to = run.writer, run.other
        made.asked("CREATE TABLE bulk AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) n")
        until(lambda: not Files(made.sites[writer].root).waiting(), "all full segments in the archive", WELL_S)
        made.kill(writer)
        gone = time.monotonic()
        assert happenings.move(run, to, lossy=True), run.notes[-1]
        assert "cannot be replayed" not in made.sites[to].log
        run.acknowledged()
        made.start(writer)
        run.well()
        happenings.give_up(run, writer, gone)
        assert run.violations() == []


def test_a_wrong_pass_phrase_is_no_proof_and_no_copy(run: Run) -> None:
    done = run.world.ran("drill", "forum", "--store", "first", ARCHIVE_CIPHER="another pass phrase")
    assert done.returncode == 1
    assert "store first: NOT restorable" in done.stdout
    status = run.world.ran("status", "forum")
    assert status.returncode == 1
    assert re.search(r"store first +NOT restorable", status.stdout)


def test_a_standby_follows_with_keys_that_the_store_lets_write_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = run.world, run.other
    run.well()
    keys = made.reader("first")
    made.stop(other)
    made.start(other, **keys)
    made.cut(other, "second")
    try:
        number = run.client.acks[-1].number
        until(lambda: made.has(other, number + 50), "rows of the store that may only be read", 240)
        with monkeypatch.context() as patch:
            for name, value in keys.items():
                patch.setenv(name, value)
            store = s3.OpenStore("first", made.settings.stores["first"])
            archived = store.find(f"{made.settings.prefix}/archive/")
            assert store.read(archived[0].key, 1)
            for key in (archived[0].key, f"{made.settings.prefix}/proof-first.json"):
                with pytest.raises(StepError, match="access denied"):
                    store.write(key, b"a standby's")
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.client(made.settings.stores["first"]).delete_object(Bucket="forum-archive", Key=archived[0].key)
    finally:
        made.cut(other, "second", cut=False)
        made.stop(other)
        made.start(other)
    intact(run)


def test_a_database_whose_sites_were_removed_goes_on_from_what_its_stores_keep(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do what `pulumi up` does after `pulumi destroy`: empty volumes, and a record whose holder stopped cleanly."""
    made, writer = run.world, run.writer
    run.well()
    for site in (run.other, writer):
        made.stop(site)
    assert made.record().state is State.FROZEN
    for site in SITES:
        made.lose(site)
        made.start(site)
    for site in SITES:
        until(lambda site=site: made.follows(site), f"{site} follows", WELL_S)
    wanted = Wanted("active-standby", writer, SITES, 15)
    settings = made.settings.model_dump(mode="json", exclude_none=True)
    monkeypatch.setattr(move.probe, "take", lambda *_: {"version": "1"})
    given = {"settings": settings, "wanted": asdict(wanted), "within_s": MOVE_S, "probe": {}}
    assert move.take(given, run.note)["writer"] == writer
    intact(run)


@long
def test_a_writer_that_was_lost_with_its_volume_writes_again_only_by_an_operators_decision(run: Run) -> None:
    made, writer = run.world, run.writer
    run.well()
    made.kill(writer)
    gone = time.monotonic()
    made.lose(writer)
    made.start(writer)
    until(lambda: made.follows(writer), f"{writer} follows", WELL_S)
    with pytest.raises(StepError, match=f"`unmoor promote forum --to {writer}` makes it write from there"):
        move._recall(made.settings, writer, MOVE_S, run.note)
    done = made.ran("promote", "forum", "--to", writer, "--accept-loss", "--yes")
    assert done.returncode == 0, done.stdout
    run.well()
    assert run.writer == writer
    before = [ack for ack in list(run.client.acks) if ack.at <= gone]
    run.lost |= {ack.number for ack in check.given_up(before, made.rows(), writer, run.lost)}
    intact(run)


@long
def test_wal_that_is_damaged_in_one_store_is_replayed_from_the_other(run: Run) -> None:
    run.well()
    other = run.other
    run.world.kill(other)
    number = run.client.acks[-1].number
    run.acknowledged(100)
    assert run.world.damage("first") > 0
    run.world.start(other)
    until(lambda: run.world.has(other, number + 50), "the rows at the standby")
    intact(run)


def test_an_agent_stops_cleanly_and_leaves_no_process(run: Run) -> None:
    run.well()
    other = run.other
    family = run.world.family(other)
    assert len(family) > 3
    assert run.world.stop(other) == 0
    assert [each for each in family if each.is_running()] == []
    run.world.start(other)
    run.well()


def test_an_agent_without_its_secrets_names_them_and_starts_nothing(run: Run) -> None:
    site = run.world.sites["aws"]
    words = [*world.unprivileged(), sys.executable, "-m", "components.postgres", str(site.file), "--site", "azure"]
    words += ["--data", str(run.world.folder / "nowhere"), "--http", "here"]
    environment = {name: value for name, value in os.environ.items() if name not in {"ARCHIVE_CIPHER", "FIRST_SECRET"}}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for each in (
        "ARCHIVE_CIPHER is not set",
        "FIRST_SECRET is not set",
        "'azure' is not a site",
        "'here' is not an address",
    ):
        assert each in done.stderr
    assert not (run.world.folder / "nowhere").exists()


def test_no_secret_is_in_an_argument_a_file_or_a_log(run: Run) -> None:
    secrets = [value.encode() for value in world.SECRETS.values() if not value.endswith("-access")]
    for name, site in run.world.sites.items():
        for process in run.world.family(name):
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since the list was read
                assert not [each for each in secrets if each.decode() in " ".join(process.cmdline())]
        for path in [*site.root.glob("*.conf"), site.root.with_suffix(".log")]:
            assert not [each for each in secrets if each in path.read_bytes()]


@long
def test_a_store_that_was_emptied_is_filled_again_with_a_pass_phrase_of_its_own(run: Run) -> None:
    """Rotate the archive's pass phrase: a new bucket for it, and a restart of both agents, the standby's first."""
    made, writer, other = run.world, run.writer, run.other
    run.well()
    os.environ["NEW_CIPHER"] = "another pass phrase"  # until the world ends
    made.change(ciphers={"first": "NEW_CIPHER"}, bucket=("first", "forum-archive-2"))
    for site in (other, writer):
        made.stop(site)
        made.start(site)
        until(lambda site=site: made.answer(site).get("role") in {"standby", "primary"}, f"{site} is back", 400)
    run.well()
    assert run.writer == writer

    def proved() -> bool:
        return made.ran("drill", "forum", "--store", "first").returncode == 0

    until(proved, "a proof from the new bucket", 400)
    wrong = made.ran("drill", "forum", "--store", "first", NEW_CIPHER="a pass phrase for the archive")
    assert wrong.returncode == 1
    assert proved()
    intact(run)


def test_every_acknowledged_row_is_stored_once_and_in_order_at_the_end(run: Run) -> None:
    assert run.world.record().state is State.WRITING
    assert run.violations() == []
    assert len(run.client.acks) > 200
    assert len(check.writers(run.client.acks)) > 3


def test_the_check_finds_what_is_lost_twice_out_of_order_or_at_another_site() -> None:
    acks = [Ack(number, "aws", 0.0) for number in (1, 2, 3)]
    good = [(1, 1, "aws"), (2, 2, "aws"), (3, 3, "aws")]
    assert check.violations(acks, good) == []
    assert check.violations(acks, good[:2]) == ["row 3 was acknowledged and is gone"]
    assert check.violations(acks, good[:2], {3}) == []
    assert check.violations(acks, [*good, (4, 3, "aws")])[0] == "row 3 is there twice"
    assert check.violations(acks, [(1, 1, "aws"), (2, 3, "aws"), (3, 2, "aws")]) == [
        "row 2 has a lower number than 3 before it"
    ]
    assert check.violations(acks, [(1, 1, "aws"), (2, 2, "akash"), (3, 3, "aws")]) == [
        "row 2 was acknowledged by aws and is of akash"
    ]
