"""Leases of the sandbox's Akash run as local processes: they serve, restart, update in place, and end with the lease.

They are no containers: nothing here proves that an image exists, or that a command runs in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from sandbox.akash.workload import expanded
from sandbox.images import find_caddy

from .akash_world import SERVE, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as running:
        yield running


def journal(world: AkashWorld) -> dict:
    return json.loads((world.state.root / "akash" / "world.json").read_text())


def containers(world: AkashWorld, dseq: str) -> list[dict]:
    return [each for each in journal(world)["containers"] if each["dseq"] == dseq]


def test_a_lease_serves_on_its_leased_address_until_it_is_closed(world: AkashWorld) -> None:
    dseq = world.run(sdl(ip="site-one"))
    status = world.status(dseq)
    assert [{"Port": 80, "ExternalPort": 80, "Protocol": "TCP", "IP": "203.0.113.10"}] == status["ips"]["web"]
    assert "hello\n" == world.get("203.0.113.10").text
    world.close(dseq)
    assert world.state.route("203.0.113.10", 80) is None
    assert not list((world.state.root / "akash" / "leases").glob(f"{dseq}*"))


@pytest.mark.skipif(find_caddy() is None, reason="no caddy: set CADDY, or let the sandbox build it once")
def test_real_caddy_serves_a_verified_bundle(world: AkashWorld, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("from the bundle\n")
    subprocess.run(["tar", "-cf", "bundle.tar", "index.html"], cwd=tmp_path, check=True)
    digest = subprocess.run(["sha256sum", "bundle.tar"], cwd=tmp_path, check=True, capture_output=True, text=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        port = server.stdout.readline().split("port ")[1].split()[0]
        script = (
            "set -e; wget -q -T 5 -O b.tar http://127.0.0.1:1/b.tar || wget -q -T 5 -O b.tar $URL; "
            "echo $VERSION > sums; sha256sum -c sums; tar -xf b.tar; "
            'exec caddy file-server --listen "127.0.0.1:$HTTP_PORT"'
        )
        env = (f"URL=http://127.0.0.1:{port}/bundle.tar", f"VERSION={digest.stdout.split()[0]}  b.tar")
        image = "docker.io/library/caddy:2.10.2-alpine@sha256:" + "0" * 64
        dseq = world.run(sdl(script, ip="caddy", env=env, image=image))
        address = world.status(dseq)["ips"]["web"][0]["IP"]
        assert "from the bundle\n" == world.get(address).text
        world.close(dseq)
    finally:
        server.kill()
        server.communicate()


def test_a_container_knows_its_lease_and_nothing_of_this_machine(world: AkashWorld) -> None:
    dseq = world.run(
        sdl(f"env > index.html; command -v curl >> index.html; {SERVE}", ip="env", env=("GREETING=hi=there",))
    )
    address = world.status(dseq)["ips"]["web"][0]["IP"]
    seen = dict(line.partition("=")[::2] for line in world.get(address).text.splitlines())
    world.close(dseq)
    assert (dseq, "1", "1", "hi=there") == (
        seen["AKASH_DEPLOYMENT_SEQUENCE"],
        seen["AKASH_GROUP_SEQUENCE"],
        seen["AKASH_ORDER_SEQUENCE"],
        seen["GREETING"],
    )
    assert "provider.europa.example" == seen["AKASH_CLUSTER_PUBLIC_HOSTNAME"]
    assert not {"UNMOOR_SANDBOX", "AWS_SECRET_ACCESS_KEY", "VIRTUAL_ENV"} & set(seen)
    assert not [line for line in seen if line.endswith("/curl")]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$(A) $(B) $A $", "1 $(B) $A $"),
        ("$$(A) $$$$ $$$(A)", "$(A) $$ $1"),
        ("$((1 + 1)) $() $(A", "$((1 + 1)) $() $(A"),
    ],
)
def test_references_to_variables_are_expanded_as_kubernetes_does(text: str, made: str) -> None:
    """The cases of kubernetes, third_party/forked/golang/expansion/expand_test.go, in short."""
    assert expanded(text, {"A": "1"}) == made


def test_an_unknown_image_never_becomes_available(world: AkashWorld) -> None:
    opened = world.create(sdl(image="ghcr.io/nobody/nothing:1"))
    wait(lambda: "monsoon" in world.bids(opened["dseq"]))
    world.take(opened, "monsoon")
    wait(lambda: [each["state"] for each in containers(world, opened["dseq"])] == ["ImagePullBackOff"])
    assert (0, 1) == tuple(world.status(opened["dseq"])["services"]["web"][key] for key in ("available", "total"))
    world.close(opened["dseq"])


def test_a_crashed_process_starts_again_and_one_that_keeps_crashing_waits(world: AkashWorld) -> None:
    opened = world.create(sdl("exit 3"))
    wait(lambda: "monsoon" in world.bids(opened["dseq"]))
    world.take(opened, "monsoon")
    wait(lambda: [each["state"] for each in containers(world, opened["dseq"])] == ["CrashLoopBackOff"])
    assert [2] == [each["restarts"] for each in containers(world, opened["dseq"])]
    assert 0 == world.status(opened["dseq"])["services"]["web"]["available"]
    world.close(opened["dseq"])


def test_an_update_in_place_keeps_address_and_volume_and_nothing_else(world: AkashWorld) -> None:
    script = f'echo run >> "$XDG_DATA_HOME/runs"; cp "$XDG_DATA_HOME/runs" .; touch scratch-$WHO; ls > files; {SERVE}'
    dseq = world.run(sdl(script, ip="kept", volume="beta3"))
    address = world.status(dseq)["ips"]["web"][0]["IP"]
    assert "run\n" == world.get(address, "/runs").text
    update = sdl(script, ip="kept", volume="beta3", env=("WHO=two",))
    answer = world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": update}})
    assert 200 == answer.status_code
    assert 0 == answer.json()["data"]["leases"][0]["status"]["services"]["web"]["updated_replicas"]
    wait(lambda: world.up(dseq))
    assert address == world.status(dseq)["ips"]["web"][0]["IP"]
    assert "run\nrun\n" == world.get(address, "/runs").text
    assert "files\nruns\nscratch-two\n" == world.get(address, "/files").text

    again = world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": update}})
    assert answer.json()["data"]["deployment"] == again.json()["data"]["deployment"]
    assert world.up(dseq)  # nothing changed, so nothing was stopped
    assert "run\nrun\n" == world.get(address, "/runs").text
    world.close(dseq)


def test_an_update_cannot_change_what_was_ordered(world: AkashWorld) -> None:
    base = sdl().replace("cpu:\n          units: 1\n", "cpu: {units: 1}\n")
    dseq = world.run(base, "monsoon")
    for (old, new), words in (
        (("cpu: {units: 1}", "cpu: {units: 2}"), 'service "web": CPU resources mismatch for ID 1'),
        (("site:", "elsewhere:"), 'unknown deployment group "elsewhere"'),
        (("count: 1", "count: 2"), "over-utilized replicas (2) > group spec resources count (1)"),
        (("- global: true", "- {global: true, ip: new}"), "over-utilized IP endpoints"),
    ):
        assert old in base
        changed = base.replace(old, new) + ("endpoints: {new: {kind: ip}}\n" if "ip: new" in new else "")
        answer = world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": changed}})
        assert (422, "ProviderError") == (answer.status_code, answer.json()["error"])
        assert answer.json()["message"].startswith("manifest cross-validation error: ")
        assert words in answer.json()["message"]
    world.close(dseq)


def test_an_update_that_is_stopping_the_old_process_ends_with_the_lease(world: AkashWorld) -> None:
    stubborn = "trap '' TERM; while :; do sleep 1; done"
    dseq = world.run(sdl(stubborn), "monsoon")
    family = [
        each
        for each in psutil.Process(world.process.pid).children()
        if each.name() == "sh" and each.cwd().find(f"/{dseq}-") > 0
    ]
    assert family
    world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": sdl(stubborn, env=("A=1",))}})
    world.close(dseq)
    wait(lambda: not [each for each in family if alive(each)])


def test_a_manifest_of_another_document_is_refused_by_the_provider(world: AkashWorld) -> None:
    opened, other = world.create(sdl()), world.create(sdl(env=("X=1",)))
    wait(lambda: "monsoon" in world.bids(opened["dseq"]))
    answer = world.take({**opened, "manifest": other["manifest"]}, "monsoon")
    assert (422, "manifest version validation failed") == (answer.status_code, answer.json()["message"])
    assert 200 == world.take(opened, "monsoon").status_code  # the lease is there; sending the right one mends it
    world.close(opened["dseq"], other["dseq"])


def test_the_same_ip_endpoint_name_twice_on_one_provider_gets_one_address(world: AkashWorld) -> None:
    first = world.run(sdl(ip="same"), "europa")
    second = world.run(sdl(ip="same"), "europa")
    assert 1 == len(world.status(first)["ips"]["web"])
    assert {} == world.status(second)["ips"]
    world.close(first, second)


def test_the_shared_ingress_answers_for_its_own_name_and_accepted_hosts_only(world: AkashWorld) -> None:
    dseq = world.run(sdl(accept=("www.dao.example",)), "monsoon")
    own, custom = world.status(dseq)["services"]["web"]["uris"]
    assert own.endswith(".ingress.monsoon.example")
    assert "www.dao.example" == custom
    address = world.state.host(own)
    wait(lambda: world.get(address, host=own).status_code == 200)
    assert ("hello\n", "hello\n") == (world.get(address, host=own).text, world.get(address, host=custom).text)
    assert 404 == world.get(address, host="other.example").status_code

    trusted = ssl.create_default_context(cafile=world.state.ca)
    port = world.state.route(address, 443)[1]
    with httpx.Client(verify=trusted, trust_env=False) as client:
        answer = client.get(f"https://127.0.0.1:{port}/", headers={"Host": own}, extensions={"sni_hostname": own})
        assert "hello\n" == answer.text
    with (
        httpx.Client(verify=trusted, trust_env=False) as client,
        pytest.raises(httpx.ConnectError, match=r"self-signed|self signed"),
    ):
        client.get(f"https://127.0.0.1:{port}/", headers={"Host": custom}, extensions={"sni_hostname": custom})
    world.close(dseq)
    assert 404 == world.get(address, host=own).status_code


def test_a_host_stays_with_the_first_lease_on_a_provider_and_then_leads_nowhere(world: AkashWorld) -> None:
    first = world.run(sdl(accept=("www.dao.example",)), "monsoon")
    second = world.run(sdl(accept=("www.dao.example",)), "monsoon")
    (own,) = world.status(second)["services"]["web"]["uris"]
    world.close(first)
    assert [own] == world.status(second)["services"]["web"]["uris"]
    assert 404 == world.get(world.state.host(own), host="www.dao.example").status_code
    world.close(second)


def test_wget_is_that_of_busybox(world: AkashWorld, tmp_path: Path) -> None:
    shim = Path(shutil.which("env")).resolve()  # any file, to fetch something that is not text
    (tmp_path / "served").mkdir()
    shutil.copy(shim, tmp_path / "served" / "file")
    script = "cp -r $FROM/. .; " + SERVE
    dseq = world.run(sdl(script, ip="wget", env=(f"FROM={tmp_path / 'served'}",)))
    port = world.state.route(world.status(dseq)["ips"]["web"][0]["IP"], 80)[1]
    world.get(world.status(dseq)["ips"]["web"][0]["IP"])
    run = [sys.executable, "-I", "-S", "sandbox/akash/image/wget.py"]
    url = f"http://127.0.0.1:{port}"
    clean = {"PATH": os.environ["PATH"]}
    good = subprocess.run([*run, "-q", "-T", "5", "-O", tmp_path / "got", f"{url}/file"], env=clean, check=False)
    assert (0, shim.read_bytes()) == (good.returncode, (tmp_path / "got").read_bytes())
    bad = subprocess.run([*run, "-q", "-O", "-", f"{url}/none"], env=clean, capture_output=True, text=True, check=False)
    assert (1, "wget: server returned error: HTTP/1.1 404 File not found\n") == (bad.returncode, bad.stderr)
    world.close(dseq)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def whole(family: list[psutil.Process]) -> list[psutil.Process]:
    """Return the processes of a world once its container has begun what it runs; none before."""
    names = set()
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            names.add(each.name())
    return family if {"sh", "sleep"} <= names else []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_lease_outlives_its_world(tmp_path: Path, how: signal.Signals) -> None:
    with AkashWorld(tmp_path) as doomed:
        doomed.run(sdl("sleep 1000 & sleep 1001", ip="last"))
        family = wait(lambda: whole(psutil.Process(doomed.process.pid).children(recursive=True)))
        doomed.process.send_signal(how)
        doomed.process.wait(15)
        wait(lambda: not [each for each in family if alive(each)])
