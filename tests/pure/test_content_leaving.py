"""The chapter about leaving a vendor: when it applies, its order, and that each of its commands can be typed."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from components.__main__ import cli
from components.config import models as config
from components.project import registry
from components.runbook.case import Case, case
from components.runbook.markdown import write
from components.runbook.table import chapters
from components.runbook.vendor import OLD_ADDRESSES
from tests.settings import settings, site_folder


@pytest.fixture
def moved(tmp_path: Path) -> Case:
    """Return a workload that serves on the network, after its pages came from a vendor."""
    site_folder(tmp_path)
    read, faults = config.read(settings("decentralized", "decentralized"))
    assert read, faults
    return dataclasses.replace(
        case("prod", read, "docs", registry(tmp_path), tmp_path), old_site="https://docs.dao.example"
    )


def leaving(of: Case):
    return [chapter for chapter in chapters(of) if chapter.name == "leave-vendor"]


def test_it_applies_where_there_was_a_vendor(moved: Case) -> None:
    assert len(leaving(moved)) == 1
    assert leaving(dataclasses.replace(moved, old_site="")) == []
    assert "Leave the vendor of the pages" in write(moved)


def test_the_domain_is_removed_last_and_only_when_no_name_leads_there(moved: Case) -> None:
    (chapter,) = leaving(moved)
    assert [step.name for step in chapter.steps] == [
        "export",
        "freeze",
        "addresses",
        "search",
        "webhooks",
        "names",
        "domain",
    ]
    names, domain = chapter.steps[-2:]
    assert names.do.command == domain.do.command == './unmoor content names dao.example "${VENDOR:-gitbook}"'
    assert domain.approval
    assert all(step.otherwise for step in chapter.steps if step.name != "webhooks")


def test_every_command_is_shell_and_every_one_of_ours_exists(moved: Case) -> None:
    (chapter,) = leaving(moved)
    commands = [check.command for step in chapter.steps for check in (step.do, step.verify)]
    done = subprocess.run(["sh", "-n"], input="\n".join(commands), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    ours = [shlex.split(command) for command in commands if command.startswith("./unmoor content")]
    assert len(ours) == 5
    for _, *words in ours:
        group = cli.get_command(click.Context(cli), words[0])
        assert isinstance(group, click.Group)
        found = group.get_command(click.Context(group), words[1])
        assert found is not None
        found.make_context(words[1], words[2:])


def test_the_list_of_old_addresses_is_what_brings_it_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.commands.runbook import _old_site

    assert _old_site(tmp_path) == ""
    (tmp_path / OLD_ADDRESSES).write_text(json.dumps({"format": 1, "from": "https://old.example", "addresses": []}))
    assert _old_site(tmp_path) == "https://old.example"
    (tmp_path / OLD_ADDRESSES).write_text("{")  # a broken list must not take the runbook away
    assert _old_site(tmp_path) == ""
    assert "the chapter about leaving the vendor is left out" in capsys.readouterr().err
