"""A machine's clock that jumps an hour: durations are measured by one that does not, and dates bear it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path

import pytest

from components.dns.powerdns import bundle, stores
from components.errors import ConfigError
from components.kinds.static import memory, objects, releases
from components.stores import guard
from components.targets.akash.market.lost import SILENT, lost
from components.targets.akash.market.observed import Deployment, Lease, Observed
from components.targets.akash.rails import console_client

ROOT = Path(__file__).parents[2] / "components"
#: Who reads the time of day, and what for; everything that waits or counts seconds reads a clock that cannot jump.
DATES = {
    "assess/discover/looks.py", "commands/assess.py", "commands/discover.py", "commands/init.py",
    "commands/inventory.py", "commands/prices.py",  # the day of a report
    "review/state.py", "commands/review.py", "commands/approve.py", "commands/runbook.py",  # an approval
    "commands/zone.py", "dns/powerdns/publish.py", "dns/powerdns/keeper.py",  # a serial; the time of a log line
    "dns/delegation.py",  # compared with the clocks of name servers
    "kinds/static/keep.py",  # the number of a release
    "kinds/static/memory.py", "kinds/static/publish.py",  # compared with times of files, and of an earlier run
    "commands/promote.py", "commands/status.py", "commands/switch.py", "postgres/drill.py",  # the age of a proof
    "kinds/postgres/gate.py", "kinds/postgres/last.py", "probe/move.py", "probe/stands.py",  # likewise, in a stack
    "postgres/agent.py", "postgres/backups.py",  # what people read of a site; when a backup is due
    "postgres/database.py",  # compared with the time of a file
    "probe/client.py",  # days that a certificate has left
    "targets/akash/rails/console_client.py",  # `Retry-After` may be a date
    "targets/akash/resource.py",  # since when a provider is silent, over several updates
}  # fmt: skip
HOUR = 3600.0
JUMPS = (-HOUR, HOUR)


def test_nothing_else_reads_the_time_of_day() -> None:
    wall = re.compile(r"\btime\.time\(|\bdatetime\.(now|today|utcnow)\(|\bdate\.today\(")
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if wall.search(path.read_text())}
    assert found == DATES


@pytest.mark.parametrize("jump", JUMPS)
def test_a_tenure_is_measured_by_a_clock_that_does_not_jump(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    before, there = guard.clock(), time.time()
    monkeypatch.setattr(time, "time", lambda: there + jump)
    assert 0 <= guard.clock() - before < HOUR / 60


@pytest.mark.parametrize("jump", JUMPS)
def test_the_console_is_left_alone_for_half_a_minute_at_most(monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    now = time.time()
    asked = format_datetime(datetime.fromtimestamp(now, UTC) + timedelta(seconds=5), usegmt=True)
    monkeypatch.setattr(time, "time", lambda: now + jump)
    seconds = console_client._seconds(asked)
    assert seconds is not None
    assert 0 <= min(seconds, console_client._LONGEST_WAIT_S) <= 30


@pytest.mark.parametrize("jump", JUMPS)
def test_releases_go_on_in_order(jump: float) -> None:
    now = 1_800_000_000
    first = releases.next_record({}, "docs", "aa" * 32, 1, now)
    second = releases.next_record({"a": first}, "docs", "bb" * 32, 1, int(now + jump))
    third = releases.next_record({"a": second}, "docs", "cc" * 32, 1, now + 60)
    assert first.number < second.number < third.number


@pytest.mark.parametrize("jump", JUMPS)
def test_the_serial_of_a_zone_rises(tmp_path: Path, jump: float) -> None:
    now, serials = 1_800_000_000, []
    for at in (now, int(now + jump), now + 60):
        serials.append(stores.next_serial(tmp_path, "dao.example", at))
        made = bundle.make("dao.example", serials[-1], ["ns.vendor.example"], [], [])
        (tmp_path / f"{made.name}.json").write_bytes(made.raw)
        (tmp_path / "current").write_text(f"{made.name}\n")
    assert serials == sorted(set(serials))
    assert serials[0] == now


@pytest.mark.parametrize(
    ("current", "why"),
    [("../../etc/passwd\n", "names no bundle"), ("", "names no bundle"), (f"{'a' * 64}\n", "which is not there")],
)
def test_a_serial_is_not_guessed_where_the_last_one_cannot_be_read(tmp_path: Path, current: str, why: str) -> None:
    (tmp_path / "current").write_text(current)
    with pytest.raises(ConfigError, match=why):
        stores.next_serial(tmp_path, "dao.example", 1_800_000_000)


@pytest.mark.parametrize("jump", JUMPS)
def test_what_open_pages_ask_for_is_kept_for_most_of_a_day(jump: float) -> None:
    now = 1_800_000_000.0
    last = objects.Manifest({}, {"assets/a.0123456789abcdef.js": now})
    there = {"assets/a.0123456789abcdef.js": "etag"}
    assert objects.changes((), there, last, now + jump).remove == ()
    assert objects.changes((), there, last, now + objects.GRACE_S + HOUR).remove == tuple(there)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_folder_that_changes_after_a_jump_is_never_taken_for_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    (tmp_path / "index.html").write_text("one")
    files = [("index.html", str(tmp_path / "index.html"))]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump)
    before = memory.key(files, {})
    (tmp_path / "index.html").write_text("two")
    assert (memory.key(files, {}) != before) or before is None


@pytest.mark.parametrize("jump", JUMPS)
def test_a_silent_provider_whose_site_serves_is_kept_at_any_reading_of_the_clock(jump: float) -> None:
    silent = Observed(0.0, Deployment("7", "active", ""), lease=Lease("akash1p", "active", Decimal(1)))
    for seconds in (jump, SILENT.after_s + jump):
        assert lost(silent, seconds, served=True) == ""
        assert lost(silent, seconds, served=None) == ""
