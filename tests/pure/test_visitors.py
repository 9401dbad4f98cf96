"""Whether visitors are served from a deployment whose provider is silent: any server that speaks counts."""

from __future__ import annotations

import pytest

from components.probe.client import Page
from components.targets.akash import visitors

NOBODY = Page(0, "", None, "no answer in time")


@pytest.mark.parametrize(
    ("page", "served"),
    [
        (Page(200, "", None), True),
        (Page(503, "", None), True),
        (Page(0, "", None, "its certificate is not valid for browsers: expired", spoke=True), True),
        (NOBODY, False),
        (Page(0, "", None, "no answer (certificate authority of the proxy)"), False),
    ],
)
def test_any_answer_of_a_server_counts(page: Page, served: bool) -> None:
    asked: list[tuple[str, str]] = []

    def visit(url: str, address: str, _seconds: float) -> Page:
        asked.append((url, address))
        return page if url.startswith("https:") else NOBODY

    assert visitors.by(visit)({"address": "203.0.113.7", "uris": ["a.ingress.example"]}) is served
    assert asked == [(f"{scheme}://203.0.113.7/", "203.0.113.7") for scheme in ("http", "https")]


def test_a_deployment_without_a_place_is_not_known() -> None:
    assert visitors.by(lambda *_: NOBODY)({"address": "", "uris": []}) is None
