"""One account and one plugin for every test of this folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.aws_account import Account
from tests.contract.aws_account import running as account
from tests.contract.plugin_client import Plugin, Stood, running

from .inputs import CHECK, CHECK_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("aws")) as running_account:
        yield running_account


@pytest.fixture(scope="session")
def plugin(aws: Account) -> Iterator[Plugin]:
    with running("sandbox.aws.plugin", aws.env) as plugin:
        plugin.configure(region="us-east-1", defaultTags=json.dumps({"tags": {"project": "unmoor"}}))
        yield plugin


@pytest.fixture(scope="session")
def zone(plugin: Plugin) -> str:
    return str(plugin.invoke("aws:route53/getZone:getZone", name="dao.example")["zoneId"])


@pytest.fixture
def check(plugin: Plugin) -> Iterator[Stood]:
    stood = plugin.create(CHECK, "shared", CHECK_INPUTS)
    yield stood
    plugin.delete(stood)
