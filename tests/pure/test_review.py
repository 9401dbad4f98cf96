"""A change of a stack file shows with its meaning, and what must not be merged is refused."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.__main__ import cli
from components.commands import review as command
from components.errors import ConfigError
from components.kind import State
from components.kinds.static.kind import KIND as STATIC
from components.kinds.static.kind import Static
from components.plan.stack import topology
from components.project import builtin
from components.review.comment import LIMIT, MARKER, markdown
from components.review.review import review
from components.runbook.case import RING, case
from components.runbook.effort import hours
from components.runbook.table import chapters
from tests.settings import settings

REGISTRY = builtin()


class Writer(Static):
    """The same kind, with data that one site alone may write."""

    state = State.WRITER


def planned(made: dict | None, registry=REGISTRY, **others: str):
    return topology(made, registry, None, others=others) if made else None


def reviewed(old: dict | None, new: dict, *, stateful: bool = False):
    registry = REGISTRY.with_(kinds=[Writer()]) if stateful else REGISTRY
    return review("prod", "main", (planned(old, registry), planned(new, registry)), registry)


def shown(old: dict | None, new: dict, **more) -> str:
    return markdown([reviewed(old, new, **more)])


def test_the_first_sentence_has_the_money_its_percentage_the_flip_and_the_verdict() -> None:
    lines = shown(settings("centralized"), settings("active-standby")).splitlines()
    assert lines[0] == MARKER
    assert re.fullmatch(
        r"\*\*prod: \$(\d+\.\d\d) → \$(\d+\.\d\d) a month \(\+\$\d+\.\d\d, \+\d+%\)\. docs centralized → "
        r"active-standby \(active: centralized\)\. No approval is required\.\*\*",
        lines[1],
    )


def test_what_stays_central_is_the_next_sentence() -> None:
    lines = shown(settings("active-standby"), settings("decentralized")).splitlines()
    assert lines[3] == "* AWS alone can still switch off docs: the zone."
    before = reviewed(settings("centralized"), settings("decentralized"))
    assert before.freed == ("AWS alone can still switch off docs: every site",)


def test_plan_begins_with_what_stays_central_too(project: Path) -> None:
    (project / FILE).write_text(STACK.replace("MODE", "decentralized"))
    lines = CliRunner().invoke(cli, ["plan", "--stack", "prod"], standalone_mode=False).output.splitlines()
    assert lines[1:3] == [
        "  central  AWS alone can still switch this off: the zone",
        "  central  aws alone can still switch this off: every copy",
    ]


def test_equal_plans_are_no_change_and_nothing_else_is() -> None:
    found = reviewed(settings(), settings())
    assert not found.changed
    assert markdown([found]).startswith(f"{MARKER}\n**No change of what is built**: 1 stack is planned")
    assert f"\nPlan `{found.plan}`, compared with main.\n" in markdown([found])
    for edit in ({"retain": 1, "stores": ["aws", "storj"]}, {"stores": ["aws"], "retain": 3}):
        found = reviewed(settings(), settings(backup=edit))
        assert found.changed
        assert found.was != found.plan
        assert "No change" not in markdown([found])


def edited(path: str, value: object) -> dict:
    """Return the stack with one setting changed; a value of None removes it."""
    made = settings("active-standby")
    made["acme"] = {"directory": "https://acme-v02.api.letsencrypt.org/directory", "issuer": "letsencrypt.org"}
    here, *rest = made, *path.split(".")
    for part in rest[:-1]:
        here = here[part]
    if value is None:
        del here[rest[-1]]
    else:
        here[rest[-1]] = value
    return made


DOCS = "workloads.docs"
EDITS = [
    (f"{DOCS}.options.version", "a" * 64, f"{DOCS}.options.version", "this version in place of the folder's content"),
    (
        "stores.storj.public_url",
        "https://evil.example/x",
        f"{DOCS}.stores.storj.public_url",
        "Containers fetch what they",
    ),
    ("acme.directory", "https://acme.evil.example/d", "acme.directory", "Certificates outside AWS are asked for at"),
    ("acme.issuer", "evil.example", "acme.issuer", "The only authority that CAA records let sign"),
    (f"{DOCS}.options.budget_usd_month", 120, f"{DOCS}.options.budget_usd_month", "cost 10 times what it may cost now"),
    (f"{DOCS}.backup.stores", ["aws"], f"{DOCS}.stores.storj.vendor", "Who can delete this copy"),
    ("stores.storj.vendor", "aws", f"{DOCS}.stores.storj.vendor", "Who can delete this copy"),
    (f"{DOCS}.backup.retain", 1, f"{DOCS}.retain", "Older versions are deleted from every store"),
    ("stores.storj.access_key", "OTHER_KEY", f"{DOCS}.stores.storj.access_key", "may be another account's"),
    (
        f"{DOCS}.placement.decentralized",
        ["akash", "akash"],
        f"{DOCS}.placement.decentralized",
        "targets that later flips",
    ),
    ("ttl", 60, "zone.ttl", "how long a failover takes"),
    ("dns", {"zone_id": "Z0EVIL"}, "zone.id", "another zone of this name"),
    (f"{DOCS}.host", "www.dao.example", f"{DOCS}.host", "links to the old one break"),
]


@pytest.mark.parametrize(("path", "value", "where", "meaning"), EDITS, ids=[f"{e[0]}={e[1]}"[:50] for e in EDITS])
def test_every_edit_shows_with_old_new_and_meaning(path, value, where, meaning) -> None:
    found = reviewed(edited("ttl", 30), edited(path, value))
    change = next(one for one in found.changes if one.where == where)
    assert change.old != change.new
    assert meaning in change.meaning
    text = markdown([found])
    plain = text.replace("\\", "").replace("&#58;", ":")
    assert f"* {where}" in plain
    assert meaning in plain
    assert "No change" not in text


def test_a_region_and_the_end_of_approval_show_too() -> None:
    before = planned({**settings(), **SIGNED}, **{"aws:region": "us-east-1"})
    after = planned({**settings(), "signers": SIGNED["signers"]}, **{"aws:region": "eu-west-1"})
    found = review("prod", "main", (before, after), REGISTRY)
    said = {one.where: (one.old, one.new, one.caution, one.meaning) for one in found.changes}
    assert said["settings[aws:region]"][:3] == ("us-east-1", "eu-west-1", True)
    assert said["require_approval"] == (True, False, True, "Updates need no approval any more.")


SIGNED = {
    "require_approval": True,
    "signers": {"quorum": 2, "keys": {name: f"0x{n:040x}" for n, name in enumerate(["alice", "bob", "carol"])}},
}


def test_other_signers_are_a_caution_each() -> None:
    new = {**settings(), **copy.deepcopy(SIGNED)}
    new["signers"]["quorum"] = 1
    new["signers"]["keys"] = {"alice": "0x" + "9" * 40, "mallory": "0x" + "8" * 40}
    found = reviewed({**settings(), **SIGNED}, new)
    assert {one.where: one.meaning for one in found.changes if one.caution} == {
        "signers.quorum": "Fewer signers can approve a plan.",
        "signers.keys.alice": "Another key signs in this name.",
        "signers.keys.mallory": "This key may approve the plans that follow.",
        "signers.keys.bob": "This signer no longer counts.",
        "signers.keys.carol": "This signer no longer counts.",
    }


def test_everything_at_once_shows_everything() -> None:
    """The flip must not hide what else a pull request changes."""
    new = edited("acme.issuer", "evil.example")
    new["workloads"]["docs"]["mode"] = "decentralized"
    new["workloads"]["docs"]["backup"] = {"stores": ["aws"], "retain": 1}
    new["workloads"]["docs"]["options"]["budget_usd_month"] = 999
    text = shown(edited("ttl", 30), new).split("<details>")[0].replace("\\", "")
    for part in ("acme.issuer", "docs.retain", "budget_usd_month", "stores.storj.vendor", "docs.mode"):
        assert f"{part}" in text, part
    assert "storj gets no copies any more; 1 of 2 remain" in text


def test_a_description_of_the_model_is_the_meaning_where_no_row_has_one() -> None:
    found = reviewed(settings(), settings(options={"site": "public"}))
    (change,) = [one for one in found.changes if one.where == "workloads.docs.options.site"]
    assert change.meaning == STATIC.options.model_fields["site"].description


def test_a_workload_with_state_does_not_skip_active_standby() -> None:
    found = reviewed(settings("centralized"), settings("decentralized"), stateful=True)
    assert found.refused
    assert "go through active-standby" in markdown([found])


def test_a_workload_without_state_may_jump_and_is_warned() -> None:
    found = reviewed(settings("centralized"), settings("decentralized"))
    assert not found.refused
    assert "active-standby is skipped" in markdown([found])


def test_changing_every_store_at_once_is_refused() -> None:
    old, new = (settings(backup={"stores": [store], "retain": 3}) for store in ("aws", "storj"))
    assert reviewed(old, new).refused


@pytest.mark.parametrize("ingresses", [("dedicated", "shared"), ("shared", "dedicated")])
def test_records_that_would_turn_between_addresses_and_names_are_refused(ingresses) -> None:
    """Route 53 allows no CNAME next to another type, so such an update fails at the first record."""
    old, new = (settings("active-standby", options={"site": "site", "ingress": each}) for each in ingresses)
    (sentence,) = reviewed(old, new).refused
    assert sentence.startswith("docs: the records of docs.dao.example would turn between addresses and names")


def test_a_renamed_workload_is_refused_because_its_host_is_still_owned() -> None:
    old, new = settings(), settings()
    new["workloads"] = {"manual": new["workloads"]["docs"]}
    (sentence,) = reviewed(old, new).refused
    assert sentence.startswith("manual: docs.dao.example is taken over from docs, whose records stand until the end")


def test_removing_a_workload_with_state_is_refused() -> None:
    old = copy.deepcopy(settings())
    old["workloads"]["blog"] = {**old["workloads"]["docs"], "host": "blog.dao.example"}
    found = reviewed(old, settings(), stateful=True)
    assert [one.name for one in found.workloads if one.refused] == ["blog"]
    assert not reviewed(old, settings()).refused


def test_losing_the_standby_is_reported() -> None:
    assert "there is no standby any more" in shown(settings("active-standby"), settings("decentralized"))


def test_stores_at_one_vendor_are_reported_with_any_change() -> None:
    new = copy.deepcopy(settings())
    new["stores"]["storj"]["vendor"] = "aws"
    assert "all stores are at one vendor" in shown(settings(), new)
    assert (
        "docs: all stores are at one vendor, who alone can delete every copy; name a second"
        in reviewed(new, new).cautions
    )


def test_a_new_stack_has_no_before() -> None:
    found = reviewed(None, settings())
    assert found.was is None
    assert "docs new, centralized" in markdown([found])
    assert not [change for change in found.changes if change.caution]
    assert "zone.name" not in markdown([found]).split("<details>")[0]


HOSTILE = "<script>|`x`[a](https://evil.example) @dao/signers \u202eevil\u2066 <!-- --> \x1b[31m\n# h"


def test_nothing_from_outside_is_shown_unescaped() -> None:
    one = reviewed(settings(), settings("active-standby"))
    changes = tuple(dataclasses.replace(each, path=("a", HOSTILE), new=HOSTILE) for each in one.changes)
    hostile = dataclasses.replace(one, stack=HOSTILE, base=HOSTILE, changes=changes, notes=(HOSTILE,))
    text = markdown([hostile], [(HOSTILE, HOSTILE)], [HOSTILE])
    for sign in ("<script>", "@dao", "](https://", "\u202e", "\u2066", "\x1b", "\n# h"):
        assert sign not in text, sign
    assert text.count("<!--") == 1


def test_long_values_show_where_they_differ() -> None:
    old, new = settings("active-standby"), settings("active-standby")
    for made, end in ((old, "good"), (new, "evil")):
        made["stores"]["storj"]["public_url"] = "https://gateway.example/" + "x" * 300 + end
    assert re.search(r"…x+good → \*\*…x+evil\*\*", shown(old, new))


# ---- one world --------------------------------------------------------------


@pytest.mark.parametrize("course", RING, ids=str)
def test_plan_review_runbook_and_outputs_agree_to_the_cent(course) -> None:
    from components.deploy.workload import outputs

    before, after = settings("centralized"), settings(str(course.mode), str(course.active))
    old, new = planned(before), planned(after)
    found = review("prod", "main", (old, new), REGISTRY)
    (plan,) = new.workloads
    assert found.usd_month[1] == plan.usd_month == outputs(plan)["usd_month"] == found.workloads[0].usd_month[1]
    assert f"Bill: ${plan.usd_month:.2f} a month" in markdown([found]) or not found.changed
    assert round(sum(line.usd_month for line in found.bills[1]), 2) == plan.usd_month
    assert found.central[1] == tuple(
        {
            f"{c.company} alone can still switch off docs: "
            + ", ".join(each.what for each in plan.central if each.company == c.company): 0
            for c in plan.central
        }
    )


def test_the_hours_of_a_flip_are_the_runbooks(tmp_path: Path) -> None:
    from components.config import models as config

    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("x")
    for at, course in enumerate(RING):
        read, _ = config.read(settings(str(course.mode), str(course.active)))
        now = case("prod", read, "docs", REGISTRY, tmp_path)
        for to in now.neighbours:
            name = "swap" if to.mode is course.mode else str(to.mode)
            (chapter,) = [each for each in chapters(now) if each.name == name]
            new = planned(settings(str(to.mode), str(to.active)))
            assert hours(now.plan, new.workloads[0], new) == chapter.hours > 0, (at, to)
    ends = [planned(settings(str(RING[at].mode))) for at in (0, -1)]
    assert hours(ends[0].workloads[0], ends[1].workloads[0], ends[1]) == pytest.approx(3 * 1.2)


# ---- the command ------------------------------------------------------------

STACK = """config:
  aws:region: us-east-1
  unmoor:zone: dao.example
  unmoor:stores:
    aws: {vendor: aws, bucket: dao-aws, public_url: "https://s3.example/dao"}
  unmoor:workloads:
    docs: {kind: static, mode: MODE, host: docs.dao.example, backup: {stores: [aws]}}
"""
FILE = "stacks/Pulumi.prod.yaml"


def git(*arguments: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@dao.example"]
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout


def commit() -> None:
    git("add", "-A")
    git("commit", "-qm", "a commit", "--allow-empty")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a stack file committed on main."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    (tmp_path / FILE).write_text(STACK.replace("MODE", "centralized"))
    git("init", "-q", "-b", "main")
    commit()
    return tmp_path


def run(*words: str):
    result = CliRunner().invoke(cli, ["review", *words], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def test_the_command_compares_with_a_commit(project: Path) -> None:
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    result = run("--base", "main")
    assert result.return_value == 0
    assert "docs centralized → active-standby" in result.output
    assert "* Work: by the runbook, 1.2 h (docs)." in result.output


def test_each_text_of_a_commit_is_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    ask = command._git

    def noted(*words: str):
        if words[0] == "show":
            read.append(words[1])
        return ask(*words)

    monkeypatch.setattr(command, "_git", noted)
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    commit()
    assert "docs centralized → active-standby" in run("--base", "HEAD~1", "--head", "HEAD").output
    assert len(read) == len(set(read)) == 2


def test_one_stack_is_one_json_object(project: Path) -> None:
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    found = json.loads(run("--base", "main", "--json", "prod").output)
    assert {"hash", "changed", "changes", "cautions", "usd_month", "central"} <= found.keys()
    assert found["changed"] is True
    assert set(found["changes"][0]) == {"path", "old", "new", "group", "meaning", "caution"}
    assert found["usd_month"]["after"] > found["usd_month"]["before"]
    assert found["central"]["after"] == [
        "AWS alone can still switch off docs: the zone",
        "aws alone can still switch off docs: every copy",
    ]
    assert json.loads(run("--base", "main", "--json").output) == [found]


def test_a_comment_or_the_order_is_no_change(project: Path) -> None:
    lines = STACK.replace("MODE", "centralized").splitlines()
    moved = [lines[0], "  # a comment", *lines[5:], *lines[2:5], lines[1]]
    (project / FILE).write_text("\n".join(moved) + "\n")
    assert "**No change of what is built**: 1 stack is planned" in run("--base", "main").output


PROGRAM = "the program that builds changes too, and no plan hash covers what it does: "


@pytest.mark.parametrize("name", ["pulumi.py", "yaml/loader.py", "hashlib.so", "unmoor", "setup.sh", "uv.lock"])
def test_a_file_that_python_or_a_signer_would_run_changes_the_program(project: Path, name: str) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("raise SystemExit('their program ran')\n")
    commit()
    assert f"{PROGRAM}{name};" in run("--base", "HEAD~1", "--head", "HEAD").output


def test_a_file_of_the_program_that_is_moved_away_changes_it(project: Path) -> None:
    (project / "components").mkdir()
    (project / "components" / "approval").write_text("a check\n" * 20)
    commit()
    (project / "attic").mkdir()
    git("mv", "components/approval", "attic/approval")
    commit()
    assert f"{PROGRAM}components/approval;" in run("--base", "HEAD~1", "--head", "HEAD").output


def test_a_strangers_commit_is_reviewed_without_being_checked_out(project: Path) -> None:
    git("checkout", "-qb", "pull")
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    (project / "project.py").write_text("raise SystemExit('their program ran')\n")
    commit()
    git("checkout", "-q", "main")
    result = run("--base", "main", "--head", "pull")
    assert "docs centralized → active-standby" in result.output
    assert f"{PROGRAM}project.py" in result.output


def test_a_stack_file_that_cannot_be_read_spoils_its_own_review_alone(project: Path) -> None:
    git("checkout", "-qb", "pull")
    (project / "stacks/Pulumi.broken.yaml").write_bytes(b"config: \xff\n")
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    commit()
    git("checkout", "-q", "main")
    assert run("--base", "main", "--head", "pull", "prod", "--json").return_value == 0
    result = run("--base", "main", "--head", "pull")
    assert result.return_value == 1
    assert "broken must not be merged" in result.output
    assert "prod must not be merged" not in result.output


def test_a_stack_that_would_use_another_ones_names_is_refused_with_both(project: Path) -> None:
    git("checkout", "-qb", "pull")
    second = project / "stacks/Pulumi.staging.yaml"
    second.write_text(STACK.replace("MODE", "centralized"))
    commit()
    git("checkout", "-q", "main")
    result = run("--base", "main", "--head", "pull", "staging", "--json")
    (found,) = [json.loads(result.output)]
    assert result.return_value == 1
    assert "docs.dao.example is used by stack prod too" in found["error"]
    git("checkout", "-q", "pull")
    lines = STACK.replace("MODE", "centralized").replace("docs.dao", "beta.dao").splitlines()
    second.write_text("\n".join([lines[0], "  unmoor:label: staging", *lines[1:]]) + "\n")
    commit()
    git("checkout", "-q", "main")
    assert run("--base", "main", "--head", "pull", "staging", "--json").return_value == 0


def test_a_base_that_does_not_exist_is_a_sentence(project: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: no such branch, tag or commit"):
        run("--base", "nowhere")
    with pytest.raises(ConfigError, match="choose another with --head"):
        run("--base", "main", "--head", "nowhere")


def test_a_base_that_does_not_parse_is_a_sentence_and_does_not_stop_its_repair(project: Path) -> None:
    good = (project / FILE).read_text()
    (project / FILE).write_text("config: [\n")
    commit()
    (project / FILE).write_text(good)
    result = run("--base", "main")
    assert result.return_value == 0
    assert "the base cannot be planned, so everything is shown as new" in result.output
    assert f"{FILE} at main:2: not YAML" in result.output


def test_a_change_that_cannot_be_planned_is_a_sentence_with_a_path_and_stops_no_other(project: Path) -> None:
    (project / "stacks/Pulumi.other.yaml").write_text(STACK.replace("MODE", "centralized").replace("docs.dao", "o.dao"))
    (project / FILE).write_text(STACK.replace("MODE", "central"))
    result = run("--base", "main")
    assert result.return_value == 1
    assert "**prod must not be merged: it cannot be planned.**" in result.output
    assert "workloads.docs.mode: 'central' is not a mode" in result.output
    assert "**other: " in result.output
    with pytest.raises(ConfigError, match="is not a mode"):
        run("--base", "main", "prod")


def test_a_new_and_a_removed_stack_are_sentences(project: Path) -> None:
    (project / FILE).rename(project / "stacks/Pulumi.new.yaml")
    result = run("--base", "main")
    assert "**new: $0.00 → " in result.output
    assert f"{FILE}: this stack file is removed. That destroys nothing" in result.output.replace("\\", "")


@pytest.mark.parametrize(
    "text",
    [
        "config: &a [*a]\n",
        "a: &a [x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(9))
        + "config: {'unmoor:zone': *j}\n",
        "#" * (2 << 20) + "\nconfig: {}\n",
        "config: !!python/object/apply:os.system ['touch /tmp/owned']\n",
        "config: {'unmoor:zone': \"\\e[31m\\u202e<script>\"}\n",
    ],
)
def test_a_hostile_stack_file_is_a_sentence_in_bounded_time(project: Path, text: str) -> None:
    git("checkout", "-qb", "pull")
    (project / FILE).write_text(text)
    commit()
    git("checkout", "-q", "main")
    start = time.process_time()
    result = run("--base", "main", "--head", "pull")
    assert time.process_time() - start < 5
    assert result.return_value == 1
    assert "prod must not be merged: it cannot be planned" in result.output
    assert len(result.output) < 5_000
    assert not {"\x1b", "\u202e"} & set(result.output)
    assert "<script>" not in result.output


def test_risks_come_from_the_plans_and_not_from_a_vendor_of_the_inventory(project: Path) -> None:
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    text = (Path(__file__).parents[2] / "stacks/inventory.yaml").read_text()
    made = []
    for vendor in ("gitbook", "hetzner"):
        (project / "stacks/inventory.yaml").write_text(text.replace("compute: gitbook", f"compute: {vendor}"))
        made.append(run("--base", "main").output)
    assert text.count("compute: gitbook") == 1
    assert made[0] == made[1]
    assert "gitbook" not in made[0].lower()
    assert re.search(r"\* Risk of an outage or deplatforming: \w+, (as before|before \w+) \(docs\)\.", made[0])
    assert re.search(
        r"\* Expected downtime: [\d.]+ to [\d.]+ h a year, before [\d.]+ to [\d.]+ h a year \(docs\)\.", made[0]
    )


def test_an_inventory_that_cannot_be_read_is_a_note(project: Path) -> None:
    (project / FILE).write_text(STACK.replace("MODE", "active-standby"))
    (project / "stacks/inventory.yaml").write_text("dao: [\n")
    result = run("--base", "main")
    assert result.return_value == 0
    assert (
        "there are no risks in this review, as the inventory cannot be read. stacks/inventory.yaml:2" in result.output
    )
    assert "docs centralized → active-standby" in result.output


# ---- size -------------------------------------------------------------------


def many(count: int, mode: str, **options: object) -> dict:
    made = settings(mode)
    one = made["workloads"]["docs"]
    made["workloads"] = {
        f"w{n}": {**copy.deepcopy(one), "host": f"w{n}.dao.example", "options": {**one["options"], **options}}
        for n in range(count)
    }
    return made


def test_one_changed_line_is_two_thousand_characters_before_the_folds() -> None:
    for mode in ("active-standby", "decentralized"):
        for old in ("centralized", "active-standby"):
            text = shown(settings(old), settings(mode)).split("<details>")[0]
            assert len(text) <= 2000, (old, mode, len(text))


def test_fifty_changed_workloads_fit_into_a_comment() -> None:
    new = many(50, "decentralized")
    for n, one in enumerate(new["workloads"].values()):
        one["options"]["budget_usd_month"] = 20 + n
        one["backup"]["retain"] = 200 + n
    text = shown(many(50, "active-standby"), new)
    assert len(text) <= LIMIT
    assert text.count("times what it may cost now") == 50
    assert "w0, w1 and 48 more active-standby" in text


def test_a_comment_that_would_be_too_long_is_cut_with_a_note() -> None:
    one = reviewed(settings(), settings("active-standby"))
    broken = [(f"s{n}", "x" * 2000) for n in range(100)]
    text = markdown([one], broken)
    assert len(text) <= LIMIT
    assert text.endswith("run `./unmoor review` for all of it.\n")


def test_the_same_change_gives_the_same_comment() -> None:
    assert shown(many(3, "centralized"), many(3, "active-standby")) == shown(
        many(3, "centralized"), many(3, "active-standby")
    )
