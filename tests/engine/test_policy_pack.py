"""A policy pack sees our resources as it sees any, and one that forbids one of them keeps it from being made.

The pack stands on the engine's protocol. That the SDKs for policies read our resources is not proved.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandbox.drive import EngineFailed

from . import policy_pack
from .docs_stack import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from .docs_stack import Docs

pytestmark = pytest.mark.timeout(600)

DEPLOYMENT = "unmoor:akash:Deployment"
#: Types of which the DAO's rules may speak: one of each provider that a stack of ours has.
TYPES = {DEPLOYMENT, "unmoor:akash:Account", "aws:cloudfront/distribution:Distribution", "command:local:Command"}


def preview(docs: Docs, pack: Path) -> str:
    """Preview under a pack; return what was printed, whether it failed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(docs.pulumi.environment, "PATH", with_engine(docs, pack))
        try:
            return docs.pulumi.preview("--policy-pack", str(pack)).output
        except EngineFailed as failed:
            return "refused\n" + failed.run.output


def with_engine(docs: Docs, pack: Path) -> str:
    """Return the sandbox's PATH, on which the engine is, with the pack's program."""
    return f"{pack.parent / 'bin'}:{docs.pulumi.environment['PATH']}"


def test_a_pack_is_shown_every_kind_of_resource_with_what_a_preview_knows(docs: Docs, tmp_path: Path) -> None:
    docs.write(mode="active-standby")
    pack = policy_pack.make(tmp_path, "aws:lambda/function:Function")
    shown = preview(docs, pack)
    assert not shown.startswith("refused")
    assert "dao@v1.0.0" in shown
    seen = policy_pack.seen(pack)
    assert {each["type"] for each in seen} >= TYPES
    (lease,) = [each["properties"] for each in seen if each["type"] == DEPLOYMENT]
    assert HOST in json.dumps(lease)
    (distribution,) = [each["properties"] for each in seen if "Distribution" in each["type"]]
    assert HOST in distribution["aliases"]


def test_no_credential_of_the_environment_is_shown_to_a_pack(docs: Docs, tmp_path: Path) -> None:
    pack = policy_pack.make(tmp_path, "aws:lambda/function:Function")
    secret = docs.pulumi.environment["AKASH_CONSOLE_API_KEY"]
    preview(docs, pack)
    assert len(policy_pack.seen(pack)) > len(TYPES)
    assert secret not in (pack / policy_pack.SEEN).read_text()


def test_a_mandatory_rule_fails_the_preview_and_keeps_an_update_from_making_the_resource(
    docs: Docs, tmp_path: Path
) -> None:
    pack = policy_pack.make(tmp_path, DEPLOYMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(docs.pulumi.environment, "PATH", with_engine(docs, pack))
        with pytest.raises(EngineFailed) as refused:
            docs.pulumi.preview("--policy-pack", str(pack))
        with pytest.raises(EngineFailed):
            docs.pulumi.up("--policy-pack", str(pack))
    assert f"the DAO forbids {DEPLOYMENT}" in refused.value.run.output
    assert docs.leases() == {}
