"""Functions of the container's script one by one, under BusyBox's shell and tools where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from components.web.caddy.server import front
from tests.contract.containers import APPLETS

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def shell(tmp_path):
    """Run lines after the script's functions, without starting anything, and return what they print."""
    tools = os.environ["PATH"]
    if busybox := shutil.which("busybox"):
        tools = str(tmp_path / "bin")
        (tmp_path / "bin").mkdir()
        for applet in APPLETS.split():
            (tmp_path / "bin" / applet).symlink_to(busybox)
    functions = front().split("\nstart\n")[0]
    assert "keep_content() {" in functions

    def run(lines, **environment):
        done = subprocess.run(
            [shutil.which("sh", path=tools), "-c", f"{functions}\n{lines}", "front", "{}", "never"],
            env={"PATH": tools, "XDG_DATA_HOME": str(tmp_path), "WORKLOAD": "docs", "VERSION": OLD} | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == "", done.stderr
        return done.stdout

    return run


def record(number, release, workload="docs"):
    return f"unmoor1 {workload} {number} {release} 10240"


@pytest.mark.parametrize(
    ("served", "lowest", "heard", "taken"),
    [
        ((-1, ""), 7, ("", ""), (7, OLD)),
        ((-1, ""), 7, (record(9, NEW), record(9, NEW)), (9, NEW)),
        ((-1, ""), 7, (record(9, NEW), record(8, OTHER)), (7, OLD)),
        ((-1, ""), 7, (record(6, NEW), record(6, NEW)), (7, OLD)),
        ((7, OLD), 7, (record(9, NEW), record(9, NEW)), (9, NEW)),
        ((7, OLD), 7, (record(9, NEW), ""), None),
        ((7, OLD), 7, (record(9, NEW), record(9, OTHER)), None),
        ((7, OLD), 7, (record(9, NEW), record(10, NEW)), None),
        ((9, NEW), 7, (record(8, OLD), record(8, OLD)), None),
        ((9, NEW), 7, (record(9, OTHER), record(9, OTHER)), None),
        ((5, NEW), 7, (record(5, NEW), record(5, NEW)), (7, OLD)),
        ((7, NEW), 7, (record(7, NEW), record(7, NEW)), (7, OLD)),
        ((9, NEW), 7, (record(999_999_999_999, OTHER), record(999_999_999_999, OTHER)), (999_999_999_999, OTHER)),
        ((0, OLD), 0, (record(9, NEW), record(9, NEW)), None),
        ((-1, ""), 0, (record(9, NEW), record(9, NEW)), (0, OLD)),
    ],
)
def test_which_release_is_taken(shell, served, lowest, heard, taken):
    """What is served; the document's number, with the release OLD; what each vendor's store names; what follows."""
    lines = f"""
record() {{ case $1 in one) line='{heard[0]}' ;; two) line='{heard[1]}' ;; esac; [ -n "$line" ] && echo "$line"; }}
number={served[0]} release='{served[1]}' failed=''
choose
[ -z "$next" ] || echo "$next_number $next"
"""
    printed = shell(lines, STORES="a=one b=two", NUMBER=str(lowest))
    assert printed.split() == ([str(taken[0]), taken[1]] if taken else [])


def test_agreement_is_of_vendors_and_a_third_can_stand_in_for_one_that_is_silent(shell):
    lines = f"""
record() {{ case $1 in three) return 1 ;; *) echo '{record(9, NEW)}' ;; esac; }}
hear
echo "$agreed|$note"
"""
    assert shell(lines, STORES="a=one a=two b=three") == "|three gives no record\n"
    assert shell(lines, STORES="a=one b=two c=three") == f"{record(9, NEW)}|three gives no record\n"


def test_the_newest_of_several_agreements_counts_by_number_and_not_by_text(shell):
    lines = f"""
record() {{ case $1 in a*) echo '{record(9, OLD)}' ;; *) echo '{record(10, NEW)}' ;; esac; }}
hear
echo "$agreed"
"""
    assert shell(lines, STORES="a=a1 b=a2 c=b1 d=b2") == f"{record(10, NEW)}\n"


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (record(9, NEW), True),
        (f"{record(9, NEW)}\n{record(10, OTHER)}", True),
        (record(9, NEW, "other"), False),
        (record(9, NEW, "docs2"), False),
        (record("09", NEW), False),
        (record(10**12, NEW), False),
        (record(9, NEW[:-1]), False),
        (f"{record(9, NEW)} more", False),
        (f"x{record(9, NEW)}", False),
        (" " * 300 + record(9, NEW), False),
        ("", False),
    ],
)
def test_what_a_store_holds_is_read_strictly(shell, tmp_path, content, read):
    (tmp_path / "held").write_text(content)
    lines = "timeout() { cat held; }\nrecord https://store.example || echo none"
    assert shell(lines) == (f"{record(9, NEW)}\n" if read else "none\n")


def test_the_configuration_gets_ports_names_and_rules_at_their_places(shell, tmp_path):
    rules = tmp_path / "unmoor" / "rules"
    rules.mkdir(parents=True)
    (rules / "abc").write_text('s {"x":"@"},\nh {"y":"@ @"},\n')
    config = '{"automate":[],"http_port":80,"https_port":443,"a":[{"@id":"s"}],"b":[{"@id":"h"}]}'
    lines = f"config='{config}' names='\"docs.dao.example\"'\nconfigure\ncat caddy.json"
    assert shell(lines, HTTP_PORT="8080", HTTPS_PORT="8443") == (
        '{"automate":["docs.dao.example"],"http_port":8080,"https_port":8443,"a":[{"x":"abc"},\n{"@id":"s"}],'
        '"b":[{"y":"abc @"},\n{"@id":"h"}]}\n'
    )


def test_a_file_that_has_not_changed_is_left_so_that_caddy_does_not_read_it_again(shell, tmp_path):
    lines = """
config='{"http_port":80,"https_port":443}'
configure
touch -t 200001010000 caddy.json
configure
"""
    shell(lines)
    assert (tmp_path / "caddy.json").stat().st_mtime < 10**9


def test_a_try_that_cost_nothing_is_repeated_soon_and_one_that_cost_a_download_is_not(shell):
    lines = "pause=1 came={}\nfor each in 1 2 3 4 5 6 7 8 9 10 11 12; do longer; printf '%s ' $pause; done"
    assert shell(lines.format("")) == "2 4 8 16 30 30 30 30 30 30 30 30 "
    assert shell(lines.format("yes")) == "2 4 8 16 32 64 128 256 512 1024 1800 1800 "


#: The date is an hour earlier from its second reading on.
SET_BACK = """
date() { [ -e read ] && echo 1799996400 || echo 1800000000; touch read; }
"""


def test_a_release_that_no_store_gave_is_tried_again_in_time_when_the_date_is_set_back(shell):
    lines = f"""{SET_BACK}
run() {{ command "$@"; rounds=$((rounds + 1)); [ $rounds -lt 20 ] || exit; }}
choose() {{ next={NEW} next_number=9 note=; }}
fetch() {{ echo tried; tries=$((tries + 1)) why=none; [ $tries -lt 2 ] || exit; return 1; }}
log() {{ :; }}
mkdir -p health "$CONTENT"
rounds=0 tries=0
keep_content
"""
    assert shell(lines) == "tried\ntried\n"


def test_what_open_pages_ask_for_is_kept_for_a_day_though_the_machine_restarts(shell):
    lines = """
clock=100000
now() { echo $clock; }
left() { forget_hashed; ls "$CONTENT/kept" | tr '\n' ' '; }
mkdir -p "$CONTENT/kept/99000" "$CONTENT/kept/13600"
left
clock=50
left
clock=86449
left
clock=86450
left
"""
    assert shell(lines) == "99000 50 50 "
