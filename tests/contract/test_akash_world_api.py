"""The sandbox's Console API against the shapes, quirks and error texts that are published of the real one.

That the real service behaves so cannot be proven here: the shapes are those of its schemas and documents.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from .akash_world import OWNERS, AkashWorld, sdl, wait

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AkashWorld]:
    with AkashWorld(tmp_path_factory.mktemp("akash")) as running:
        yield running


def error(status: int, kind: str, message: str, code: str) -> tuple[int, dict[str, str]]:
    return status, {"error": kind, "message": message, "code": code, "type": "client_error"}


def test_a_wrong_key_is_refused(world: AkashWorld) -> None:
    answer = world.api.get("/v1/deployments", headers={"x-api-key": "wrong"})
    assert error(401, "UnauthorizedError", "Invalid API key", "unauthorized") == (answer.status_code, answer.json())


def test_the_console_stands_on_the_internet_under_its_own_name_and_a_valid_certificate(world: AkashWorld) -> None:
    port = world.state.route(world.state.host("console-api.akash.network"), 443)[1]
    with httpx.Client(verify=ssl.create_default_context(cafile=world.state.ca), trust_env=False) as client:
        answer = client.get(
            f"https://127.0.0.1:{port}/v1/balances",
            headers={"x-api-key": "sandbox-key"},
            extensions={"sni_hostname": "console-api.akash.network"},
        )
    assert 200 == answer.status_code


def test_two_ways_to_authenticate_at_once_are_refused(world: AkashWorld) -> None:
    answer = world.api.get("/v1/deployments", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 400
    assert "mutually exclusive" in answer.json()["message"]


def test_an_invalid_document_is_refused_with_its_faults(world: AkashWorld) -> None:
    answer = world.api.post("/v1/deployments", json={"data": {"sdl": "version: '1.0'", "deposit": 5}})
    assert (400, "bad_request") == (answer.status_code, answer.json()["code"])
    assert answer.json()["message"].startswith("Invalid SDL: ")


def test_an_image_that_no_program_stands_for_is_refused_at_once_with_where_to_add_it(world: AkashWorld) -> None:
    document = sdl(image="ghcr.io/some/app:1@sha256:" + "0" * 64)
    answer = world.api.post("/v1/deployments", json={"data": {"sdl": document, "deposit": 5}})
    assert answer.status_code == 400
    assert "no program stands for the image ghcr.io/some/app; add it to sandbox/images.yaml" in answer.json()["message"]


def test_a_request_of_the_wrong_shape_gets_the_list_of_the_validator(world: AkashWorld) -> None:
    answer = world.api.post("/v1/deployments", json={"sdl": sdl(), "deposit": 5})
    assert (400, "validation_error") == (answer.status_code, answer.json()["code"])
    assert [["data", "sdl"]] == [each["path"] for each in answer.json()["data"]]


def test_what_is_no_json_is_refused(world: AkashWorld) -> None:
    answer = world.api.post("/v1/leases", content=b"{")
    assert (400, "Malformed JSON in request body") == (answer.status_code, answer.json()["message"])


@pytest.mark.parametrize(
    ("deposit", "refusal"),
    [
        (0.4, error(400, "BadRequestError", "Failed to create deployment: Deposit too low", "bad_request")),
        (
            1e4,
            error(
                402,
                "PaymentRequiredError",
                "Not enough balance to cover the deployment deposit. Add credits or turn on auto recharge to continue.",
                "unknown_error",
            ),
        ),
    ],
)
def test_a_deposit_has_to_be_enough_and_there(
    world: AkashWorld, deposit: float, refusal: tuple[int, dict[str, str]]
) -> None:
    with world.fault("own-deposits"):
        answer = world.api.post("/v1/deployments", json={"data": {"sdl": sdl(), "deposit": deposit}})
        assert refusal == (answer.status_code, answer.json())
        answer = world.api.post("/v1/deployments", json={"data": {"sdl": sdl()}})
        assert (400, "deposit is required") == (answer.status_code, answer.json()["message"])


def test_under_managed_deposits_half_a_dollar_stands_for_any_request(world: AkashWorld) -> None:
    """`DEPLOYMENT_DEFAULT_DEPOSIT`; the request's deposit is optional, and ignored."""
    opened = [
        world.api.post("/v1/deployments", json={"data": {"sdl": sdl(), **asked}}).json()["data"]["dseq"]
        for asked in ({}, {"deposit": 7})
    ]
    for dseq in opened:
        found = wait(lambda dseq=dseq: (seen := world.api.get(f"/v1/deployments/{dseq}")).status_code == 200 and seen)
        escrow = found.json()["data"]["escrow_account"]["state"]["funds"]
        assert "500000.000000000000000000" == escrow[0]["amount"]
    world.close(*opened)


def test_what_was_just_opened_is_not_shown_yet(world: AkashWorld) -> None:
    """Reads lag behind writes: by how much is documented nowhere."""
    with world.fault("read-lag", seconds=2):
        dseq = world.api.post("/v1/deployments", json={"data": {"sdl": sdl()}}).json()["data"]["dseq"]
        assert 404 == world.api.get(f"/v1/deployments/{dseq}").status_code
        listed = world.api.get("/v1/deployments").json()["data"]["deployments"]
        assert dseq not in [each["deployment"]["id"]["dseq"] for each in listed]
        wait(lambda: world.api.get(f"/v1/deployments/{dseq}").status_code == 200)
    world.close(dseq)


def test_the_list_hands_out_leases_in_the_order_in_which_they_were_read(world: AkashWorld) -> None:
    """`deployment-reader.service.ts` list() takes completion order for the page's."""
    made = [world.run(sdl(), "monsoon") for _ in range(2)]
    listed = world.api.get("/v1/deployments").json()["data"]["deployments"]
    shown = {each["deployment"]["id"]["dseq"]: [lease["id"]["dseq"] for lease in each["leases"]] for each in listed}
    assert {made[0]: [made[1]], made[1]: [made[0]]} == shown
    assert made[0] == world.show(made[0])["leases"][0]["id"]["dseq"]
    world.close(*made)


def test_names_are_shown_by_only_one_route_and_late(world: AkashWorld) -> None:
    """`getDeploymentByOwnerAndDseq` asks the indexer's table first."""
    dseq = world.create(sdl())["dseq"]
    owner = world.show(dseq)["deployment"]["id"]["owner"]
    path = f"/v1/deployment/{owner}/{dseq}"
    assert 404 == world.api.get(path).status_code
    found = wait(lambda: (seen := world.api.get(path)).status_code == 200 and seen.json())
    assert "site" == found["other"]["groups"][0]["group_spec"]["name"]
    assert {"deployment", "groups", "escrow_account"} == set(found["other"])
    world.close(dseq)


def test_a_chain_that_is_not_read_leaves_placeholders(world: AkashWorld) -> None:
    """`shouldFallbackToDatabase`, and `UNKNOWN_DB_PLACEHOLDER` of the fallback reader."""
    dseq = world.create(sdl())["dseq"]
    with world.fault("chain-unread"):
        assert "unknown_value" == world.show(dseq)["deployment"]["hash"]
    assert "unknown_value" != world.show(dseq)["deployment"]["hash"]
    world.close(dseq)


def test_creating_twice_opens_two_and_closing_twice_closes_one(world: AkashWorld) -> None:
    before = world.api.get("/v1/balances").json()["data"]
    first, second = world.create(sdl())["dseq"], world.create(sdl())["dseq"]
    assert int(first) < int(second)
    bound = world.api.get("/v1/balances").json()["data"]
    assert (before["balance"] - 1, before["deployments"] + 1) == (bound["balance"], bound["deployments"])
    world.close(first, second, second)
    assert before == world.api.get("/v1/balances").json()["data"]
    assert "closed" == world.show(first)["deployment"]["state"]


def test_the_list_has_what_is_open_without_status_and_with_pages(world: AkashWorld) -> None:
    made = [world.create(sdl())["dseq"] for _ in range(2)]
    listed = world.api.get("/v1/deployments", params={"skip": 1, "limit": 1}).json()["data"]
    assert {"total": 2, "skip": 1, "limit": 1, "hasMore": False} == listed["pagination"]
    assert {"deployment", "leases", "escrow_account"} == set(listed["deployments"][0])
    assert made[1] == listed["deployments"][0]["deployment"]["id"]["dseq"]
    world.close(*made)
    assert 0 == world.api.get("/v1/deployments").json()["data"]["pagination"]["total"]


def test_the_hash_is_that_of_the_manifest_which_is_what_a_lost_create_is_found_by(world: AkashWorld) -> None:
    opened = world.create(sdl())
    digest = hashlib.sha256(opened["manifest"].encode()).digest()
    assert base64.b64encode(digest).decode() == world.show(opened["dseq"])["deployment"]["hash"]
    assert 0 == opened["signTx"]["code"]
    world.close(opened["dseq"])


def test_the_document_is_rewritten_as_the_chain_has_it(world: AkashWorld) -> None:
    opened = world.create(sdl().replace("uact", "uakt"))
    owner = world.show(opened["dseq"])["deployment"]["id"]["owner"]
    path = f"/v1/deployment/{owner}/{opened['dseq']}"
    chain = wait(lambda: (seen := world.api.get(path)).status_code == 200 and seen.json())["other"]
    (group,) = chain["groups"]
    assert ("site", "open") == (group["group_spec"]["name"], group["state"])
    assert ["akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"] == group["group_spec"]["requirements"]["signed_by"][
        "any_of"
    ]
    assert "uact" == group["group_spec"]["resources"][0]["price"]["denom"]
    assert [{"kind": "SHARED_HTTP", "sequence_number": 0}] == group["group_spec"]["resources"][0]["resource"][
        "endpoints"
    ]
    world.close(opened["dseq"])


def test_bids_come_from_audited_providers_at_the_price_of_the_formula(world: AkashWorld) -> None:
    dseq = world.api.post("/v1/deployments", json={"data": {"sdl": sdl()}}).json()["data"]["dseq"]
    assert {} == world.bids(dseq)
    bids = wait(lambda: (found := world.bids(dseq)) and len(found) == 4 and found)
    assert {"europa", "cascadia", "tundra", "monsoon"} == set(bids)
    # The worked example of the price script: 1 CPU, 2 GiB, 10 GiB of disk and an endpoint are 8.02 uact a block.
    assert "8.02" == bids["europa"]["price"]["amount"][:4]
    assert {"owner", "dseq", "gseq", "oseq", "provider", "bseq"} == set(bids["europa"]["id"])
    assert (dseq, 1, "open", "uact") == (
        bids["europa"]["id"]["dseq"],
        bids["europa"]["id"]["gseq"],
        bids["europa"]["state"],
        bids["europa"]["price"]["denom"],
    )
    world.close(dseq)


def test_a_lease_taken_twice_is_one_and_the_other_bids_are_lost(world: AkashWorld) -> None:
    opened = world.create(sdl())
    wait(lambda: {"monsoon", "europa"} <= set(world.bids(opened["dseq"])))
    for _ in range(2):
        answer = world.take(opened, "monsoon")
        assert answer.status_code == 200
        assert [OWNERS["monsoon"]] == [each["id"]["provider"] for each in answer.json()["data"]["leases"]]
    states = {name: bid["state"] for name, bid in world.bids(opened["dseq"]).items()}
    assert ("active", "lost") == (states["monsoon"], states["europa"])
    (lease,) = world.show(opened["dseq"])["leases"]
    assert ("active", "0") == (lease["state"], lease["closed_on"])
    world.close(opened["dseq"])
    (lease,) = world.show(opened["dseq"])["leases"]
    assert ("closed", "lease_closed_owner", None) == (lease["state"], lease["reason"], lease["status"])


def test_a_closed_deployment_takes_neither_lease_nor_update(world: AkashWorld) -> None:
    opened = world.create(sdl())
    wait(lambda: "monsoon" in world.bids(opened["dseq"]))
    world.close(opened["dseq"])
    lease = world.take(opened, "monsoon")
    assert (400, "Failed to create lease: Deployment closed") == (lease.status_code, lease.json()["message"])
    update = world.api.put(f"/v1/deployments/{opened['dseq']}", json={"data": {"sdl": sdl(env=("A=b",))}})
    assert (400, "Deployment closed") == (update.status_code, update.json()["message"])


def test_an_unknown_deployment_is_not_found(world: AkashWorld) -> None:
    answer = world.api.get("/v1/deployments/123")
    assert error(404, "NotFoundError", "Deployment not found", "not_found") == (answer.status_code, answer.json())
    assert [] == world.api.get("/v1/bids", params={"dseq": "123"}).json()["data"]


def test_a_lease_request_is_checked_field_by_field(world: AkashWorld) -> None:
    answer = world.api.post("/v1/leases", json={"manifest": "[]", "leases": [{"dseq": 1, "gseq": 1}]})
    assert (400, ["leases", 0, "dseq"]) == (answer.status_code, answer.json()["data"][0]["path"])


def test_topping_up_adds_to_the_escrow_and_can_be_left_to_console(world: AkashWorld) -> None:
    dseq = world.create(sdl())["dseq"]
    answer = world.api.post("/v1/deposit-deployment", json={"data": {"dseq": dseq, "deposit": 2.5}})
    state = answer.json()["data"]["escrow_account"]["state"]
    assert "3000000.000000000000000000" == state["funds"][0]["amount"]
    assert 2 == len(state["deposits"])
    path = f"/v2/deployment-settings/{dseq}"
    assert world.api.get(path).json()["data"]["autoTopUpEnabled"] is False
    assert world.api.patch(path, json={"data": {"autoTopUpEnabled": True}}).json()["data"]["autoTopUpEnabled"] is True
    assert world.api.get(path).json()["data"]["autoTopUpEnabled"] is True
    too_much = world.api.post("/v1/deposit-deployment", json={"data": {"dseq": dseq, "deposit": 500}})
    assert (400, "Insufficient funds") == (too_much.status_code, too_much.json()["message"])
    world.close(dseq)


def test_screening_shows_who_could_bid_before_anything_is_paid(world: AkashWorld) -> None:
    unit = {
        "resource": {
            "id": 1,
            "cpu": {"units": {"val": "1000"}},
            "memory": {"quantity": {"val": "1073741824"}},
            "gpu": {"units": {"val": "0"}},
            "storage": [{"name": "default", "quantity": {"val": "1073741824"}}],
            "endpoints": [{"kind": "LEASED_IP", "sequence_number": 1}],
        },
        "count": 1,
        "price": {"denom": "uact", "amount": "1"},
    }
    assert 400 == world.api.post("/v1/bid-screening", json={"resources": [unit]}).status_code
    broken = {**unit, "price": {"denom": "uact", "amount": "1.5"}}
    assert 400 == world.api.post("/v1/bid-screening", json={"resources": [broken], "timezone": "UTC"}).status_code
    answer = world.api.post("/v1/bid-screening", json={"resources": [unit], "timezone": "UTC"})
    found = {each["organization"]: each["isAudited"] for each in answer.json()["providers"]}
    assert {"europa": True, "cascadia": True, "tundra": True, "bargain": False} == found


def test_providers_and_the_wallet_have_their_published_shapes(world: AkashWorld) -> None:
    listed = world.api.get("/v1/providers").json()
    one = world.api.get(f"/v1/providers/{OWNERS['europa']}").json()
    assert len(listed) >= 4
    assert ("https://provider.europa.example:8443", True, True) == (one["hostUri"], one["isOnline"], one["isAudited"])
    assert {"key": "region", "value": "eu-west", "auditedBy": ["akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"]} in one[
        "attributes"
    ]
    user = world.api.get("/v1/user/me").json()["data"]["id"]
    (wallet,) = world.api.get("/v1/wallets", params={"userId": user}).json()["data"]
    assert ("uact", False) == (wallet["denom"], wallet["isTrialing"])
    assert 400 == world.api.get("/v1/wallets").status_code
