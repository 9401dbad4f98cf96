"""An operator's mistakes under a real `pulumi preview`: every fault at once, by its path, before anything happens."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.drive import EngineFailed

from .docs_stack import Docs

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def edited(docs: Docs) -> Iterator[dict[str, Any]]:
    """Yield the settings, which a test makes invalid."""
    right = copy.deepcopy(docs.settings)
    yield docs.settings
    docs.settings.clear()
    docs.settings.update(right)
    docs.write()


def preview(docs: Docs, *, update: bool = False, **variables: str) -> list[str]:
    """Preview or update, which must fail as a mistake does; return the sentences of the error."""
    docs.write()
    environment = docs.pulumi.environment
    docs.pulumi.environment = {**environment, **variables}
    with pytest.raises(EngineFailed) as failed:
        docs.pulumi.up() if update else docs.pulumi.preview()
    docs.pulumi.environment = environment
    said = str(failed.value)
    assert "Traceback" not in said
    kept = (json.loads(docs.pulumi.export())["deployment"] or {}).get("resources", [])
    assert {each["type"] for each in kept} <= {"pulumi:pulumi:Stack"}
    # The engine shows the error as it comes, then again below this heading, and adds that the program has ended.
    told = said.partition("Diagnostics:\n")[2].partition("error: ")[2].partition("\n    error: an unhandled")[0]
    return [line.strip().removeprefix("- ") for line in told.splitlines()]


def test_what_cannot_be_read_is_reported_at_once_by_its_path(docs: Docs, edited: dict[str, Any]) -> None:
    edited["unmoor:zne"] = "dao.example"
    edited["unmoor:stores"]["storj"]["secret_key"] = NO_SECRET
    workload = edited["unmoor:workloads"]["docs"]
    workload |= {"mode": "standby", "mdoe": "centralized"}
    workload["backup"] |= {"retain": "ten"}
    title, *faults = preview(docs)
    assert title == "the stack configuration is not valid:"
    assert dict(fault.split(": ", 1) for fault in faults) == {
        "zne": "no such setting; did you mean zone?",
        "stores.storj.secret_key": "this is not the name of an environment variable, like STORJ_SECRET_KEY; "
        "the value itself never stands here",
        "workloads.docs.mode": "'standby' is not a mode; choose centralized, active-standby or decentralized",
        "workloads.docs.mdoe": "no such setting; did you mean mode?",
        "workloads.docs.backup.retain": "must be a whole number, not 'ten'",
    }


def test_what_cannot_be_built_is_reported_at_once_by_its_path(docs: Docs, edited: dict[str, Any]) -> None:
    missing, empty = docs.site.parent / "missing", docs.site.parent / "empty"
    empty.mkdir()
    first = edited["unmoor:workloads"]["docs"]
    edited["unmoor:workloads"]["second"] = first | {"host": "second.dao.example", "options": {"site": str(empty)}}
    first |= {"host": "docs.dao.elsewhere", "placement": {"centralized": "aws", "decentralized": ["flux"]}}
    first |= {"backup": {"stores": ["aws", "storage"]}, "options": {"site": str(missing)}}
    title, *faults = preview(docs)
    assert title == "the stack configuration is not valid:"
    assert dict(fault.split(": ", 1) for fault in faults) == {
        "workloads.docs.host": "docs.dao.elsewhere is outside the zone; choose a name that ends in .dao.example",
        "workloads.docs.backup.stores[1]": "no store named 'storage'; did you mean storj?; "
        "declare it under stores or choose from aws, storj",
        "workloads.docs.placement.decentralized[0]": "static does not run on 'flux'; choose from akash, aws",
        "workloads.docs.options.site": f"{missing} does not exist; "
        "build the site first, or name the folder that the site generator writes",
        "workloads.second.options.site": f"{empty} is empty; build the site first",
    }


def test_an_apex_that_would_be_a_cname_is_refused_before_anything_happens(docs: Docs, edited: dict[str, Any]) -> None:
    workload = edited["unmoor:workloads"]["docs"]
    workload |= {"host": "dao.example", "options": workload["options"] | {"ingress": "shared"}}
    title, fault = preview(docs)
    assert title == "the stack configuration is not valid:"
    assert fault == (
        "workloads.docs.host: dao.example is the zone's apex, where no CNAME may stand, and a site of this workload is "
        "reached by a name; choose a name below the apex, or an ingress with an address of its own"
    )


def test_missing_credentials_are_reported_at_once_by_their_variables(docs: Docs, edited: dict[str, Any]) -> None:
    edited["unmoor:workloads"]["docs"]["mode"] = "active-standby"
    assert preview(docs, update=True, AKASH_CONSOLE_API_KEY="", STORJ_SECRET_KEY="") == [
        "credentials are missing:",
        "stores.storj.secret_key: the environment variable STORJ_SECRET_KEY is not set; export it",
        "workloads.docs: akash needs the environment variable AKASH_CONSOLE_API_KEY; export it",
    ]


def test_a_preview_needs_no_credential_of_a_store_or_a_target(docs: Docs, edited: dict[str, Any]) -> None:
    edited["unmoor:workloads"]["docs"]["mode"] = "active-standby"
    docs.write()
    environment = docs.pulumi.environment
    docs.pulumi.environment = {**environment, "AKASH_CONSOLE_API_KEY": "", "STORJ_SECRET_KEY": ""}
    try:
        assert "create" in docs.pulumi.preview().changes().values()
    finally:
        docs.pulumi.environment = environment
