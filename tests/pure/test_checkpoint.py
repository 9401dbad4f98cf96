"""What a killed engine leaves of a stack's state in a folder, and how it is readable again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.commands.mend import cli
from components.errors import ConfigError, StepError
from components.stores import checkpoint

WHOLE = {"version": 3, "checkpoint": {"stack": "organization/dao/prod"}}


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """Make a state as v3.259.0 does, with that of another stack."""
    made = tmp_path / ".pulumi" / "stacks" / "dao"
    made.mkdir(parents=True)
    for name in ("prod", "staging"):
        for number, end in enumerate(("json", "json.bak")):
            (made / f"{name}.{end}").write_text(json.dumps({**WHOLE, "number": number}))
            (made / f"{name}.{end}.attrs").write_text('{"md5":""}')
    (tmp_path / ".pulumi" / "meta.yaml.attrs").write_text('{"md5":""}')
    return made


def files(stacks: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in stacks.parents[1].rglob("*") if path.is_file()}


def test_a_whole_state_is_left_alone(stacks: Path, tmp_path: Path) -> None:
    before = files(stacks)
    assert checkpoint.mend(tmp_path, "dao", "prod") == []
    assert files(stacks) == before


@pytest.mark.parametrize("note", ["stacks/dao/prod.json.attrs", "stacks/dao/prod.json.bak.attrs", "meta.yaml.attrs"])
def test_a_note_that_was_cut_off_goes_and_nothing_else(stacks: Path, tmp_path: Path, note: str) -> None:
    before, path = files(stacks), tmp_path / ".pulumi" / note
    path.write_bytes(b"")
    (done,) = checkpoint.mend(tmp_path, "dao", "prod")
    assert done.startswith(f"{path.name} was cut off and is removed")
    assert files(stacks) == {name: held for name, held in before.items() if name != path.name}


@pytest.mark.parametrize("left", [0, 1, 30])
def test_a_state_that_was_cut_off_gives_way_to_its_copy(stacks: Path, tmp_path: Path, left: int) -> None:
    state = stacks / "prod.json"
    cut = state.read_bytes()[:left]
    state.write_bytes(cut)
    (done,) = checkpoint.mend(tmp_path, "dao", "prod")
    assert done == "prod.json was cut off; prod.json.bak takes its place, and prod.json.broken keeps what there was"
    assert json.loads(state.read_bytes())["number"] == 1
    assert (stacks / "prod.json.broken").read_bytes() == cut
    assert not (stacks / "prod.json.attrs").exists()
    assert checkpoint.mend(tmp_path, "dao", "prod") == []


def test_a_cut_off_copy_is_passed_over_for_the_newest_backup(stacks: Path, tmp_path: Path) -> None:
    kept = tmp_path / ".pulumi" / "backups" / "dao" / "prod"
    kept.mkdir(parents=True)
    for number in (100, 200):
        (kept / f"prod.{number}.json").write_text(json.dumps({**WHOLE, "number": number}))
    (kept / "prod.300.json").write_bytes(b"{")
    for name in ("prod.json", "prod.json.bak"):
        (stacks / name).write_bytes(b"")
    checkpoint.mend(tmp_path, "dao", "prod")
    assert json.loads((stacks / "prod.json").read_bytes())["number"] == 200


def test_without_a_whole_copy_nothing_is_touched(stacks: Path, tmp_path: Path) -> None:
    for name in ("prod.json", "prod.json.bak"):
        (stacks / name).write_bytes(b"{")
    before = files(stacks)
    with pytest.raises(StepError, match="no copy of it is whole"):
        checkpoint.mend(tmp_path, "dao", "prod")
    assert files(stacks) == before


def test_another_stacks_files_are_not_touched(stacks: Path, tmp_path: Path) -> None:
    for name in ("staging.json", "staging.json.attrs"):
        (stacks / name).write_bytes(b"")
    assert checkpoint.mend(tmp_path, "dao", "prod") == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("file:///var/state", Path("/var/state")),
        ("file://~/state?no_tmp_dir=true", Path.home() / "state"),
        ("file://./state", Path("state")),
        ("s3://dao-state", None),
        ("https://api.pulumi.com", None),
    ],
)
def test_only_a_folder_is_repaired(url: str, place: Path | None) -> None:
    assert checkpoint.folder(url) == place


def test_the_command_takes_the_backend_of_the_process_or_of_the_project(
    stacks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: dao\nruntime: python\n")
    with pytest.raises(ConfigError, match="PULUMI_BACKEND_URL is not set"):
        CliRunner().invoke(cli, ["--stack", "prod"], catch_exceptions=False)
    (tmp_path / "Pulumi.yaml").write_text("name: dao\nruntime: python\nbackend: {url: file://.}\n")
    (stacks / "prod.json.attrs").write_bytes(b"")
    shown = [CliRunner().invoke(cli, ["--stack", "prod"], catch_exceptions=False).output for _ in range(2)]
    assert shown[0].startswith("prod.json.attrs was cut off and is removed")
    assert shown[1] == "nothing to mend: the state is whole\n"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://dao-state")
    assert "nothing to mend: s3://" in CliRunner().invoke(cli, ["--stack", "prod"], catch_exceptions=False).output


def test_a_folder_without_a_project_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is no project; run it where"):
        CliRunner().invoke(cli, ["--stack", "prod"], catch_exceptions=False)
