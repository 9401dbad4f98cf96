"""How a running container accepts a new release: which one, from which stores, and what its visitors notice.

Real Caddy; where BusyBox is on PATH its tools and no others, as in the image. Without it these tests cannot prove that
BusyBox's options are the same.
"""

from __future__ import annotations

import dataclasses
import http.client
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.containers import folder_in, until, web_server
from tests.contract.test_web_server_folder import packed

BIG = 300_000


def script_of(number):
    """Name the script of a release as webpack does."""
    return f"app-{int(number):06x}cf.js"


def release(tmp_path, number, **more):
    """Pack a release: all its files name it, and its script has a name of its own, as generators write them."""
    script = f"assets/{script_of(number)}"
    files = {
        "index.html": f"{number}",
        "big.txt": f"{number} " * (BIG // len(f"{number} ")),
        script: f"{number}",
    }
    return packed(tmp_path / f"site{number}", files | more)


@dataclasses.dataclass
class World:
    """A container and two stores of two vendors; releases by number."""

    container: object
    stores: tuple
    folder: object
    made: dict = dataclasses.field(default_factory=dict)

    def pack(self, number, **more):
        """Put a release's bundle into both stores."""
        version, tar = release(self.folder, number, **more)
        self.made[number] = (version, len(tar))
        for store in self.stores:
            store.hold(version, tar)
        return version

    def name(self, number, *stores, as_number=None):
        """Let stores hold the record of a release; of both where none are given."""
        for store in stores or self.stores:
            store.name(as_number or number, *self.made[number])

    def publish(self, number):
        """Publish as the operator's machine does: bundles first, then records."""
        self.pack(number)
        self.name(number)

    def served(self):
        """Ask for the number that visitors see."""
        return self.container.get("/").text

    def stays(self, number, seconds=3.0):
        """See that nothing else is served for a while, in which each store is asked twice."""
        before = [len(store.asked) for store in self.stores]
        end = time.monotonic() + seconds
        while time.monotonic() < end or any(
            len(store.asked) < at + 2 for store, at in zip(self.stores, before, strict=True) if store.up
        ):
            assert self.served() == str(number)
            time.sleep(0.1)


@pytest.fixture
def world(container, shelves, tmp_path):
    """Return a container that serves release 5, which the document names and both stores do."""
    made = World(None, shelves, tmp_path)
    made.publish(5)
    version, size = made.made[5]
    made.container = (
        container(web_server(version, folder_in(*shelves, size=size, number=5))).start().serves(version, 30)
    )
    return made


def visit(port, path):
    """Ask on a new connection, without a second try: (status, body, ETag), or what went wrong."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Etag", "")
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error), ""
    finally:
        line.close()


def journey(port, tags):
    """Load a page, the script that it names and a big file; return what is wrong with each answer.

    `tags` remembers the ETag of each page by its number: another one would be a header of another release.
    """
    status, number, tag = visit(port, "/")
    if status != 200:
        return [f"failed: / {status} {number}"]
    wrong = [] if tag and tags.setdefault(number, tag) == tag else [f"mixed: the page is {number}, its tag {tag}"]
    status, body, _ = visit(port, f"/assets/{script_of(number)}")
    if (status, body) != (200, number):
        wrong.append(f"failed: script of {number}: {status} {body[:80]}")
    status, body, _ = visit(port, "/big.txt")
    if status != 200:
        wrong.append(f"failed: /big.txt {status} {body[:80]}")
    elif len(words := set(body.split())) != 1:
        wrong.append(f"torn: {sorted(words)}")
    return wrong


@pytest.mark.parametrize("rate", [6, 200])
def test_ten_publications_lose_mix_and_tear_no_request(world, rate):
    """A journey is three requests. The page's script must answer even when the page's release is no longer served."""
    numbers = range(6, 16)
    ids = {number: world.pack(number) for number in numbers}
    tags: dict[str, str] = {}
    port, seen, ended = world.container.http_port, [], threading.Event()

    def load(at):
        while not ended.is_set():
            start = time.monotonic()
            seen.append(journey(port, tags))
            ended.wait(max(0.0, at - (time.monotonic() - start)))

    threads = 1 if rate == 6 else 8
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(load, threads * 3 / rate) for _ in range(threads)]
        begun = time.monotonic()
        try:
            for number in numbers:
                world.name(number)
                world.container.serves(ids[number], 30)
                assert world.container.health() == (ids[number], "")
            took = time.monotonic() - begun
        finally:
            ended.set()
        for each in running:
            each.result()
    wrong = Counter(fault for each in seen for fault in each)
    assert not wrong, wrong.most_common(5)
    assert len(set(tags.values())) == len(tags) > 5
    assert 3 * len(seen) > 0.5 * rate * took  # there was load all the time


def test_one_store_alone_chooses_nothing(world):
    world.pack(6)
    world.name(6, world.stores[0])
    world.stays(5)
    assert "the stores do not name the same release, since " in world.container.health()[1]
    world.name(6, world.stores[1])
    world.container.serves(world.made[6][0], 30)
    until(lambda: world.container.health()[1] == "", "no remark")


def test_two_stores_of_one_vendor_are_one_party(container, shelves, tmp_path):
    made = World(None, shelves, tmp_path)
    made.publish(5)
    version, size = made.made[5]
    folder = folder_in(*shelves, size=size, number=5)
    folder = dataclasses.replace(folder, stores=tuple(("one", url) for _, url in folder.stores))
    made.container = container(web_server(version, folder)).start().serves(version, 30)
    made.publish(6)
    made.stays(5)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x" * 100_000,
        "unmoor1 other 9 {id} {size}\n",
        "unmoor1 docs 99999999999999999999 {id} {size}\n",
        "unmoor1 docs 9 {id} {size}; reboot\n",
        "unmoor1 docs 9 ../../../../etc/passwd {size}\n",
        "unmoor1 docs 4 {id} {size}\n",
        "unmoor1 docs 5 {id} {size}\n",
    ],
)
def test_what_both_stores_hold_changes_nothing_unless_it_is_a_newer_record_of_this_workload(world, line):
    """The last two are an older record that was put back, and another release under the number that is served."""
    version, size = world.pack(6), world.made[6][1]
    for store in world.stores:
        store.content["/docs/newest"] = line.format(id=version, size=size).encode()
    world.stays(5)


def test_a_rollback_is_a_higher_number_and_needs_no_download_of_the_last_release(world):
    world.publish(6)
    world.container.serves(world.made[6][0], 30)
    asked = [sum(each.endswith(".tar") for each in store.asked) for store in world.stores]
    world.name(5, as_number=7)
    world.container.serves(world.made[5][0], 30)
    assert [sum(each.endswith(".tar") for each in store.asked) for store in world.stores] == asked
    world.name(6)
    world.stays(5)
    assert "older than the one that is served, 7" in world.container.health()[1]


def test_a_restart_with_one_store_silent_serves_the_last_agreed_release_and_reports_it(world):
    world.publish(6)
    world.container.serves(world.made[6][0], 30)
    world.container.stop()
    world.stores[1].silence()
    world.container.start().serves(world.made[6][0], 30)
    until(lambda: f"{world.stores[1].url} gives no record, since " in world.container.health()[1], "the remark")
    assert "this is the last release that was agreed on" in world.container.health()[1]
    world.publish(7)
    world.stays(6)


def test_both_stores_silent_leave_the_last_release_through_a_restart_and_both_are_named(world):
    world.publish(6)
    world.container.serves(world.made[6][0], 30)
    for store in world.stores:
        store.silence()
    silent = [f"{store.url} gives no record" for store in world.stores]
    until(lambda: ", ".join(silent) in world.container.health()[1], "the remark")
    world.container.stop()
    world.container.start().serves(world.made[6][0], 30)
    assert world.served() == "6"
    until(lambda: ", ".join(silent) in world.container.health()[1], "the remark again")


def test_a_lost_volume_and_a_silent_store_leave_the_documents_release(world):
    world.publish(6)
    world.container.serves(world.made[6][0], 30)
    world.container.stop()
    world.container.lose_volume()
    world.stores[0].silence()
    world.container.start().serves(world.made[5][0], 30)
    until(lambda: "gives no record" in world.container.health()[1], "the remark")


def test_nothing_below_the_documents_number_is_served(world):
    """The volume's release is older than the document allows, and the stores still name it."""
    world.container.stop()
    version = world.pack(9)
    folder = dataclasses.replace(world.container.server.behind, number=9, size=world.made[9][1])
    world.container.server = dataclasses.replace(world.container.server, version=version, behind=folder)
    seen = []
    world.container.start()
    until(lambda: seen.append(world.served()) or seen[-1] == "9", "release 9")
    assert "5" not in seen


def test_a_release_that_is_damaged_in_one_store_comes_from_the_other(world):
    version, size = world.pack(6), world.made[6][1]
    tar = f"/docs/{version}.tar"
    whole = world.stores[0].content[tar]
    world.stores[0].content[tar] = whole[: size // 2]
    world.name(6)
    world.container.serves(version, 30)
    assert world.served() == "6"


def test_a_release_that_no_store_gives_whole_leaves_the_old_one_and_is_not_downloaded_for_ever(world):
    version, size = world.pack(6), world.made[6][1]
    for store in world.stores:
        store.content[f"/docs/{version}.tar"] = b"x" * size
    world.name(6)
    until(lambda: f"no store gives release {version}, since" in world.container.health()[1], "the remark")
    world.stays(5, 16)
    assert 2 <= world.stores[0].asked.count(f"/docs/{version}.tar") <= 5  # after 1, 2, 4 and 8 s
    world.publish(7)
    world.container.serves(world.made[7][0], 30)


def test_a_download_that_has_no_end_ends(world):
    """One store sends bytes for ever; the record has their number."""
    version = world.pack(6)
    world.stores[0].endless.add(f"/docs/{version}.tar")
    world.name(6)
    world.container.serves(version, 60)


@pytest.mark.parametrize("moment", ["download", "swap"])
def test_a_container_that_is_killed_serves_a_whole_release_afterwards(world, moment):
    version = world.pack(6)
    if moment == "download":
        for store in world.stores:
            store.stalled.add(f"/docs/{version}.tar")
    world.name(6)
    live = world.container.folder / "data" / "unmoor" / "live"
    if moment == "download":
        until(lambda: f"/docs/{version}.tar" in world.stores[0].asked, "the download")
    else:
        until(lambda: len(list(live.iterdir())) == 2, "both names")
    os.killpg(world.container.process.pid, signal.SIGKILL)
    world.container.process.wait()
    for store in world.stores:
        store.stalled.clear()
    world.container.start()
    seen = []
    until(lambda: (served := world.served()).isdecimal() and (seen.append(served) or served), "a release")
    assert seen[0] == "6" or moment == "download"
    world.container.serves(version, 60)
    until(lambda: len(list(live.iterdir())) == 1, "one name")
    assert not (world.container.folder / "data" / "unmoor" / "new").exists()


def test_what_open_pages_ask_for_is_kept_for_a_day_and_nothing_else_is(world):
    world.publish(6)
    world.container.serves(world.made[6][0], 30)
    until(lambda: world.container.get(f"/assets/{script_of(5)}").text == "5", "the old script")
    world.publish(7)
    world.container.serves(world.made[7][0], 30)
    scripts = [world.container.get(f"/assets/{script_of(number)}").text for number in (5, 6, 7)]
    assert scripts == ["5", "6", "7"]
    assert [world.container.get(f"/assets/{script_of(number)}/").status_code for number in (5, 6, 7)] == [404] * 3
    assert world.container.get("/.unmoor/hashed").status_code == 404
    (oldest, *_) = sorted((world.container.folder / "data" / "unmoor" / "kept").iterdir())
    oldest.rename(oldest.with_name(str(int(oldest.name) - 86_500)))
    until(lambda: world.container.get(f"/assets/{script_of(5)}").status_code == 404, "the end of the oldest")
    assert world.container.get(f"/assets/{script_of(6)}").text == "6"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a small disk for the volume of a container; only root may."""
    place = tmp_path / "container0" / "data"
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "unmoor", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_reported_and_paused_for_and_the_old_release_is_served(small_disk, world):
    world.pack(6, **{"more.bin": "x" * 3_000_000})
    world.name(6)
    version = world.made[6][0]
    told = f"release {version} cannot be unpacked; is the disk full?"
    until(lambda: told in world.container.health()[1], f"the remark {world.container.health()}")
    world.stays(5, 12)
    asked = sum(store.asked.count(f"/docs/{version}.tar") for store in world.stores)
    assert 2 <= asked <= 5
    world.publish(7)
    world.container.serves(world.made[7][0], 30)


def test_a_first_release_that_does_not_fit_is_reported(small_disk, container, shelves, tmp_path):
    version, tar = packed(tmp_path / "site", {"index.html": "1", "more.bin": "x" * 3_000_000})
    shelves[0].hold(version, tar)
    made = container(web_server(version, folder_in(shelves[0], size=len(tar)))).start()
    told = f"release {version} cannot be unpacked; is the disk full?"
    until(lambda: told in made.get("/healthz").text, "the reason")
    time.sleep(12)
    assert made.get("/healthz").status_code == 503
    assert told in made.get("/healthz").text
    assert 2 <= len(shelves[0].asked) <= 5
