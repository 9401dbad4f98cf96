"""What breaks in the sandbox's Akash on request, and what a client sees of it.

The faults are the kinds of failure that are reported of the real network; their exact course there is not proven here.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from sandbox.akash.account import USER
from sandbox.faults import UNPULLED

from .akash_world import OWNERS, SERVE, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as running:
        yield running


def events(world: AkashWorld) -> str:
    return "\n".join(json.loads((world.state.root / "akash" / "world.json").read_text())["events"])


def test_a_provider_that_is_gone_takes_its_lease_along_but_not_the_escrow(world: AkashWorld) -> None:
    dseq = world.run(sdl(ip="gone"), "europa")
    address = world.status(dseq)["ips"]["web"][0]["IP"]
    process = world.state.route(address, 80)
    with world.fault(f"provider-gone-{OWNERS['europa']}", hold=0.2):
        wait(lambda: world.state.route(address, 80) is None)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{process[1]}/", trust_env=False)
        assert world.status(dseq) is None
        lease = wait(lambda: (seen := world.show(dseq)["leases"][0])["state"] == "closed" and seen)
        assert "lease_closed_reason_unstable" == lease["reason"]
        seen = world.show(dseq)
        assert ("active", "open") == (seen["deployment"]["state"], seen["escrow_account"]["state"]["state"])
        owner = seen["deployment"]["id"]["owner"]
        path = f"/v1/deployment/{owner}/{dseq}"
        wait(lambda: world.api.get(path).json()["other"]["groups"][0]["state"] == "paused")
        assert world.api.get("/v1/balances").json()["data"]["deployments"] > 0.49
        assert world.state.route("198.51.100.101", 443) is None
        other = world.create(sdl())["dseq"]
        wait(lambda: {"cascadia", "tundra", "monsoon"} <= set(world.bids(other)))
        assert "europa" not in world.bids(other)
        world.close(dseq, other)
        assert 0 == world.api.get("/v1/balances").json()["data"]["deployments"]
    wait(lambda: world.state.route("198.51.100.101", 443))


def test_a_reclaimed_lease_runs_on_and_takes_no_manifest_and_one_without_notice_is_not_reclaimed(
    world: AkashWorld,
) -> None:
    agreed = yaml.safe_dump(yaml.safe_load(sdl(ip="agreed")) | {"version": "2.1", "reclamation": {"min_window": "24h"}})
    reclaimed, kept = world.run(agreed, "tundra"), world.run(sdl(ip="kept"))
    address = world.status(reclaimed)["ips"]["web"][0]["IP"]
    with world.fault("reclaim"):
        wait(lambda: world.show(reclaimed)["leases"][0]["state"] == "reclaiming")
    assert world.show(kept)["leases"][0]["state"] == "active"
    changed = yaml.safe_dump(
        yaml.safe_load(agreed) | {"services": yaml.safe_load(sdl(ip="agreed", env=("A=1",)))["services"]}
    )
    refused = world.api.put(f"/v1/deployments/{reclaimed}", json={"data": {"sdl": changed}})
    assert (refused.status_code, refused.json()["message"]) == (404, "no lease for deployment")
    assert world.get(address).text == "hello\n"
    world.close(reclaimed, kept)


def test_a_list_that_lags_lacks_what_is_shown_and_another_account_has_nothing_of_this_one(world: AkashWorld) -> None:
    with world.fault("list-lag", seconds=60):
        dseq = world.create(sdl())["dseq"]
        assert (listed(world), world.api.get(f"/v1/deployments/{dseq}").status_code) == ([], 200)
    assert listed(world) == [dseq]
    (ours,) = world.api.get("/v1/wallets", params={"userId": USER}).json()["data"]
    with world.fault("other-account"):
        (theirs,) = world.api.get("/v1/wallets", params={"userId": USER}).json()["data"]
        assert theirs["address"] != ours["address"]
        assert listed(world) == []
        for ask in (world.api.get, world.api.delete):
            assert ask(f"/v1/deployments/{dseq}").status_code == 404
    assert listed(world) == [dseq]
    world.close(dseq)


def listed(world: AkashWorld) -> list[str]:
    found = world.api.get("/v1/deployments").json()["data"]["deployments"]
    return [each["deployment"]["id"]["dseq"] for each in found]


def test_no_bids_means_none(world: AkashWorld) -> None:
    with world.fault("no-bids"):
        dseq = world.create(sdl())["dseq"]
        time.sleep(1.2)  # the quickest bid after half a second
        assert {} == world.bids(dseq)
    wait(lambda: world.bids(dseq))
    world.close(dseq)


def test_a_bid_too_dear_is_above_the_ceiling_and_so_never_made(world: AkashWorld) -> None:
    with world.fault("bid-too-dear", factor=4):
        dear, rich = world.create(sdl(ceiling=20))["dseq"], world.create(sdl(ceiling=100))["dseq"]
        wait(lambda: "monsoon" in world.bids(rich))
        assert "25.67" == world.bids(rich)["monsoon"]["price"]["amount"][:5]
        assert {} == world.bids(dear)
        assert "requested rate is too low. min expected 25.67" in events(world)
    world.close(dear, rich)


def test_an_empty_escrow_closes_the_deployment_finally(world: AkashWorld) -> None:
    dseq = world.run(sdl(), "monsoon")
    with world.fault("escrow-empty"):
        wait(lambda: world.show(dseq)["deployment"]["state"] == "closed")
        later = world.create(sdl())["dseq"]
        time.sleep(0.5)
        assert "active" == world.show(later)["deployment"]["state"]  # it strikes once
    seen = world.show(dseq)
    (lease,) = seen["leases"]
    assert ("insufficient_funds", "lease_closed_reason_insufficient_funds") == (lease["state"], lease["reason"])
    assert ("overdrawn", None) == (seen["escrow_account"]["state"]["state"], lease["status"])
    answer = world.api.post("/v1/deposit-deployment", json={"data": {"dseq": dseq, "deposit": 1}})
    assert (400, "Deployment closed") == (answer.status_code, answer.json()["message"])
    world.close(dseq, later)


def test_a_halted_chain_takes_no_transaction_and_leases_go_on(world: AkashWorld) -> None:
    dseq = world.run(sdl(ip="halt"), "cascadia")
    address = world.status(dseq)["ips"]["web"][0]["IP"]
    opened = world.create(sdl())
    wait(lambda: "monsoon" in world.bids(opened["dseq"]))
    with world.fault("chain-halted"):
        refused = [
            world.api.post("/v1/deployments", json={"data": {"sdl": sdl(), "deposit": 5}}),
            world.take(opened, "monsoon"),
            world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": sdl(ip="halt", env=("A=1",))}}),
            world.api.post("/v1/deposit-deployment", json={"data": {"dseq": dseq, "deposit": 1}}),
            world.api.delete(f"/v1/deployments/{dseq}"),
        ]
        assert [503] * 5 == [each.status_code for each in refused]
        assert {"service_unavailable"} == {each.json()["code"] for each in refused}
        assert "hello\n" == world.get(address).text
        assert world.up(dseq)
    assert 200 == world.take(opened, "monsoon").status_code
    world.close(dseq, opened["dseq"])


def test_a_share_of_the_calls_is_turned_away_in_words_that_are_not_the_apis(world: AkashWorld) -> None:
    with world.fault("api-429", share=0.5):
        answers = [world.api.get("/v1/balances") for _ in range(6)]
    assert [200, 429, 200, 429, 200, 429] == [each.status_code for each in answers]
    assert ("1", "error code: 1015") == (answers[1].headers["Retry-After"], answers[1].text)


def test_an_answer_that_never_comes_does_not_undo_what_was_done(world: AkashWorld) -> None:
    with world.fault("api-timeout"):
        with pytest.raises(httpx.ReadTimeout):
            world.api.post("/v1/deployments", json={"data": {"sdl": sdl(), "deposit": 5}}, timeout=0.5)
        (lost,) = wait(lambda: world.api.get("/v1/deployments").json()["data"]["deployments"])
    world.close(lost["deployment"]["id"]["dseq"])


def test_a_lost_answer_can_be_one_of_a_number_and_end_in_a_cut(world: AkashWorld) -> None:
    with world.fault("api-timeout", times=1, hold=0.2):
        with pytest.raises(httpx.RemoteProtocolError):
            world.api.post("/v1/deployments", json={"data": {"sdl": sdl(), "deposit": 5}})
        assert world.state.fault("api-timeout") is None
    (lost,) = wait(lambda: world.api.get("/v1/deployments").json()["data"]["deployments"])
    world.close(lost["deployment"]["id"]["dseq"])


def test_a_lost_volume_is_empty_and_its_service_starts_again(world: AkashWorld) -> None:
    script = f'echo run >> "$XDG_DATA_HOME/runs"; cp "$XDG_DATA_HOME/runs" .; echo $$$$ > pid; {SERVE}'
    dseq = world.run(sdl(script, ip="volume", volume="beta3"), "cascadia")
    address = world.status(dseq)["ips"]["web"][0]["IP"]
    update = sdl(script, ip="volume", volume="beta3", env=("A=1",))
    world.api.put(f"/v1/deployments/{dseq}", json={"data": {"sdl": update}})
    wait(lambda: world.get(address, "/runs").text == "run\nrun\n")
    before = world.get(address, "/pid").text
    with world.fault("volume-lost"):
        wait(lambda: world.get(address, "/pid").text != before)
    assert "run\n" == world.get(address, "/runs").text
    world.close(dseq)


def test_an_image_that_cannot_be_pulled_keeps_a_lease_waiting_until_its_registry_answers(world: AkashWorld) -> None:
    running = world.run(sdl(ip="before"), "europa")
    with world.fault(UNPULLED):
        opened = world.create(sdl())
        wait(lambda: "europa" in world.bids(opened["dseq"]))
        assert world.take(opened, "europa").status_code == 200
        wait(lambda: world.status(opened["dseq"]))
        assert not world.up(opened["dseq"])
        assert world.up(running), "what runs needs no image"
    wait(lambda: world.up(opened["dseq"]))
    world.close(running, opened["dseq"])
