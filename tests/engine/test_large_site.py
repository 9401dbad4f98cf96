"""A documentation of 789 pages and 1,040 images, 590 MiB, through all modes: `python -m tests large`.

Its images are named as screen shots are, with spaces and parentheses; the bytes are random, so nothing compresses.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sandbox.client import get

from .docs_stack import AKASH, AWS, HOST, PROBE_VARIABLE, Docs, until

if TYPE_CHECKING:
    from pathlib import Path

#: Set by `python -m tests large`.
LARGE = "TESTS_LARGE"
pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not os.environ.get(LARGE), reason="takes minutes; `python -m tests large` runs it"),
]
PAGES, IMAGES, BYTES = 789, 1040, 590 << 20
MODES = {
    "centralized": {"mode": "centralized"},
    "active-standby": {"mode": "active-standby"},
    "turned round": {"active": "decentralized"},
    "decentralized": {"mode": "decentralized"},
}


def image(number: int) -> str:
    """Name an image as people do."""
    folder = ("assets", ".gitbook-assets", "assets/more images")[number % 3]
    return f"{folder}/image {number % 7} ({number}){' copy' if number % 5 == 0 else ''}.png"


def write(site: Path) -> None:
    """Write the pages and the images."""
    dice = random.Random(1)
    noise = dice.randbytes(1 << 20)
    for number in range(PAGES):
        page = site / f"part {number % 20}" / f"page-{number}" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"<h1>{number}</h1><img src='/{quote(image(number))}'>" + "text " * 1500)
    for number in range(IMAGES):
        picture = site / image(number)
        picture.parent.mkdir(parents=True, exist_ok=True)
        at = dice.randrange(1 << 19)
        picture.write_bytes(number.to_bytes(4, "big") + (noise + noise)[at : at + (BYTES - PAGES * 7600) // IMAGES])


@pytest.fixture(scope="module")
def large(docs: Docs) -> Docs:
    write(docs.site)
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: "600"}
    return docs


@pytest.mark.parametrize("name", MODES)
def test_it_flips_and_every_image_is_served(large: Docs, name: str) -> None:
    docs = large
    docs.up(**MODES[name])
    until(lambda: docs.served() == docs.version(), "it is served")
    until(lambda: docs.address().startswith(AWS if name in ("centralized", "active-standby") else AKASH), "it moved")
    address = docs.address()
    for number in range(0, IMAGES, 13):
        answer = get(f"https://{HOST}/{quote(image(number))}", docs.state, address=address)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
        assert answer.body == (docs.site / image(number)).read_bytes()
    for number in range(0, PAGES, 13):
        answer = get(f"https://{HOST}/{quote(f'part {number % 20}/page-{number}')}/", docs.state, address=address)
        assert (answer.status, answer.body[: 9 + len(str(number))]) == (200, f"<h1>{number}</h1>".encode())


def test_it_ends(large: Docs) -> None:
    large.pulumi.destroy()
    assert large.leases() == {}
