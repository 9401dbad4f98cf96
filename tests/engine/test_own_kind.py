"""A kind that a user wrote, through the real engine: our web server in front of an application of theirs on Akash.

On Akash the name of a service is one of the cluster's DNS; the sandbox puts its place where a variable has the name,
which proves that the document and the web server agree, not that a provider's cluster resolves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.web import headers as content
from sandbox.client import Resolver, get
from sandbox.state import REPOSITORY, VARIABLE

from . import docs_stack
from .docs_stack import AKASH, HOST, PRIMARY, STANDBY, TTL, Docs, finished, started, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

_REGISTRY = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from components.dns.route53 import Route53
from components.project import builtin
from tests.engine.own_kind import APPLICATION
REGISTRY = builtin().with_(kinds=[APPLICATION], authorities=[Route53(alias_ttl={TTL})])
"""


@pytest.fixture(scope="module")
def site(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docs]:
    """Yield the workload `docs`, of the user's kind: static on AWS, an application on Akash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))
        made = docs_stack.make(tmp_path_factory.mktemp("own"), sandbox.state, sandbox.environment, _REGISTRY)
        made.write(kind="application")
        yield made
        made.end()


def at_the_lease(site: Docs, path: str) -> str:
    """Return what a visitor of the public host gets from the lease."""
    return site.site_serves("docs-akash", path)


def test_both_halves_stand_with_certificates_for_both_names(site: Docs) -> None:
    run = site.up(mode="active-standby")
    assert finished(run, "docs-akash-probe") < started(run, STANDBY)
    assert site.shown() == {"docs-aws": "valid for both names", "docs-akash": "valid for both names"}
    assert site.again().changes() == {}


def test_visitors_reach_the_application_under_the_public_name(site: Docs) -> None:
    assert at_the_lease(site, "/hello") == f"hello, {HOST} by https"
    address = Resolver(site.state).addresses("docs-akash.dao.example")[0]
    shown = get(f"https://{HOST}/", site.state, address=address).headers
    assert {name: shown.get(name.lower()) for name in content.SECURITY_HEADERS["https"]} == dict(
        content.SECURITY_HEADERS["https"]
    )


def test_the_application_cannot_be_reached_from_outside(site: Docs) -> None:
    address = Resolver(site.state).addresses("docs-akash.dao.example")[0]
    assert site.state.route(address, 8080) is None


def test_no_record_moves_to_an_application_that_is_ill(site: Docs) -> None:
    before = site.records()
    at_the_lease(site, "/ill")
    site.pulumi.environment = {**site.pulumi.environment, docs_stack.PROBE_VARIABLE: "12"}
    said = site.fails(active="decentralized").output
    assert "it answers 503, saying: the application " in said
    assert site.records() == before
    until(lambda: "status 503" in (site.state.root / "health.json").read_text(), "Route 53 has seen it")
    at_the_lease(site, "/fine")


def test_once_it_is_well_the_roles_are_swapped_in_place(site: Docs) -> None:
    site.pulumi.environment = {**site.pulumi.environment, docs_stack.PROBE_VARIABLE: docs_stack.PROBE_S}
    run = site.up()
    assert set(run.changes().values()) <= {"create", "update"}
    assert site.records()[PRIMARY].startswith(AKASH)
    until(lambda: site.served(path="/hello") == f"hello, {HOST} by https", "visitors come to the application")
    site.pulumi.destroy()
