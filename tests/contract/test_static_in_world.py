"""The shipped document of a static site on the sandbox's Akash: its container takes new releases from two stores.

The tools here are those that the sandbox links from this machine; tests/contract/test_web_server_releases.py has
BusyBox's.
"""

from __future__ import annotations

import psutil
import pytest
import yaml

from components.kinds.static import sizes
from components.kinds.static.document import sized
from components.targets.akash.ingress import Ingress
from components.targets.akash.sdl.overlay import overlay
from components.targets.akash.sdl.steady import taken
from sandbox.images import find_caddy

from .akash_world import AkashWorld, wait
from .containers import folder_in, web_server
from .test_web_server_folder import packed

pytestmark = pytest.mark.skipif(find_caddy() is None, reason="no caddy: set CADDY, or let the sandbox build it once")


def document(server, needed):
    """Return the document of a site as the kind makes it, and as the provider takes it."""
    laid = overlay(
        sized(Ingress.DEDICATED, needed),
        service="web",
        env=server.environment() | {"POLL": "0.5"},
        **server.command(),
        ceiling_usd_month=100,
    )
    return yaml.safe_dump(taken(None, laid.data, 1_000))


def caddy(world):
    """Return the one web server that runs."""
    (found,) = [each for each in psutil.Process(world.process.pid).children(recursive=True) if each.name() == "caddy"]
    return found


def test_a_lease_takes_a_release_without_a_manifest_and_serves_it_after_a_crash(tmp_path, shelves):
    made = {}
    for number in (1, 2):
        made[number] = packed(tmp_path / f"site{number}", {"index.html": f"release {number}"})
        for store in shelves:
            store.hold(*made[number])
    version, tar = made[1]
    server = web_server(version, folder_in(*shelves, size=len(tar), number="now"), "http")
    with AkashWorld(tmp_path / "akash") as world:
        dseq = world.run(document(server, sizes.sizes(len(tar), 1)))
        address = world.status(dseq)["ips"]["web"][0]["IP"]
        wait(lambda: world.get(address).text == "release 1", 30)
        running = caddy(world)
        for store in shelves:
            store.name(1_001, made[2][0], len(made[2][1]))
        wait(lambda: world.get(address).text == "release 2", 30)
        wait(lambda: world.get(address, "/healthz").text == made[2][0], 30)
        assert caddy(world) == running
        shelves[0].silence()
        running.kill()
        wait(lambda: "gives no record" in world.get(address, "/healthz").text, 30)
        assert world.get(address).text == "release 2"
        world.close(dseq)
