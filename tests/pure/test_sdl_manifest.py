"""The manifest, the groups and the price of documents whose results are known."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

from components.targets.akash.sdl import document as sdl
from components.targets.akash.sdl import manifest, price, quantity
from components.targets.akash.sdl.manifest import canonical, groups, version

ROOT = Path(__file__).parents[2]
DOCS = sdl.load((ROOT / "sdl" / "docs.yaml").read_bytes(), "sdl/docs.yaml")


def floats(value):
    """Plain data as it comes back over Pulumi's wire: every number is a float."""
    return json.loads(json.dumps(value), parse_int=float)


def small(**resources):
    asked = {"cpu": {"units": 1}, "memory": {"size": "2Gi"}, "storage": {"size": "10Gi"}} | resources
    return {
        "version": "2.0",
        "services": {"web": {"image": "nginx", "expose": [{"port": 80, "to": [{"global": True}]}]}},
        "profiles": {
            "compute": {"p": {"resources": asked}},
            "placement": {"here": {"pricing": {"p": {"denom": "uact", "amount": 8.02}}}},
        },
        "deployment": {"web": {"here": {"profile": "p", "count": 1}}},
    }


def test_a_number_over_the_wire_is_the_same_number():
    data = floats(DOCS.data)
    assert version(manifest.manifest(DOCS.data)) == version(manifest.manifest(data))
    assert groups(DOCS.data) == groups(data)
    assert sdl.check(sdl.Document(data)).errors == ()
    assert DOCS.model == sdl.Document(data).model
    assert canonical(manifest.manifest(DOCS.data)) == canonical(manifest.manifest(data))


def test_the_version_is_the_hash_of_the_canonical_json():
    made = manifest.manifest(DOCS.data)
    assert hashlib.sha256(canonical(made).encode()).digest() == version(made)


def test_canonical_json_escapes_as_go_does():
    assert '{"a":"\\u003cb\\u003e \\u0026 \\u2028\\u2029é","b":1}' == canonical({"b": 1, "a": "<b> & \u2028\u2029é"})


def test_prices_and_placement_do_not_change_the_hash():
    data = sdl.plain_copy(DOCS.data)
    data["profiles"]["placement"]["docs"] |= {"attributes": {"region": "eu"}, "signedBy": {}}
    data["profiles"]["placement"]["docs"]["pricing"]["web"]["amount"] = 1
    assert version(manifest.manifest(DOCS.data)) == version(manifest.manifest(data))


def test_endpoints_say_how_a_port_is_reached():
    (group,) = groups(DOCS.data)
    assert [
        {"kind": "SHARED_HTTP", "sequence_number": 0},
        {"kind": "RANDOM_PORT", "sequence_number": 0},
        {"kind": "LEASED_IP", "sequence_number": 2},
        {"kind": "LEASED_IP", "sequence_number": 2},
    ] == group["resources"][0]["resource"]["endpoints"]


def test_the_chain_and_the_manifest_spell_a_size_differently():
    assert {"size": {"val": "134217728"}} == manifest.manifest(DOCS.data)[0]["services"][0]["resources"]["memory"]
    (group,) = groups(DOCS.data)
    assert {"attributes": [], "quantity": {"val": "134217728"}} == group["resources"][0]["resource"]["memory"]
    assert {"denom": "uact", "amount": "27.900000000000000000"} == group["resources"][0]["price"]


def test_services_of_one_profile_share_a_unit_and_add_up():
    data = small()
    data["services"]["api"] = {"image": "nginx", "expose": [{"port": 9000, "to": [{"global": True}]}]}
    data["deployment"]["api"] = {"here": {"profile": "p", "count": 2}}
    (group,) = groups(data, "go")
    (unit,) = group["resources"]
    assert 3 == unit["count"]
    assert [{"sequence_number": 0}, {"kind": 1, "sequence_number": 0}] == unit["resource"]["endpoints"]
    assert [("api", 1), ("web", 1)] == [
        (each["name"], each["resources"]["id"]) for each in manifest.manifest(data)[0]["services"]
    ]


def test_trusted_execution_is_in_the_manifest_and_asked_of_the_bidders():
    data = small()
    data["services"]["web"]["params"] = {"tee": "cpu"}
    data["profiles"]["placement"]["here"]["attributes"] = {"region": "eu"}
    params = manifest.manifest(data)[0]["services"][0]["params"]
    assert {"storage": None, "tee": {"type": "cpu", "attestation": True}} == params
    assert [{"key": "region", "value": "eu"}, {"key": "tee/type", "value": "cpu"}] == groups(data)[0]["requirements"][
        "attributes"
    ]


def test_the_header_buffer_is_in_the_manifest_only_if_it_is_set():
    data = small()
    expose = data["services"]["web"]["expose"][0]
    for size, expected in ((4096, 4096), (0, None)):
        expose["http_options"] = {"proxy_buffer_size": size}
        options = manifest.manifest(data)[0]["services"][0]["expose"][0]["httpOptions"]
        assert expected == options.get("proxyBufferSize")


def test_the_formula_price_is_that_of_the_published_example():
    """1 CPU, 2 GiB, 10 GiB, 1 endpoint: 1.60 + 1.60 + 0.20 + 0.05 = 3.45 USD = 8.02 uact a block."""
    asked = price.usd_month(small())
    assert Decimal("3.45") == asked.usd
    assert 3.45 == float(asked)
    assert {"cpu": "1.60", "memory": "1.60", "ephemeral": "0.20", "endpoint": "0.05"} == {
        part.name: f"{part.usd:.2f}" for part in asked.parts
    }
    assert Decimal("8.02") == price.ceiling_uact("3.45").quantize(Decimal("0.01"))
    assert Decimal("3.45") == price.ceiling_usd_month(small())


def test_every_class_of_storage_and_gpus_and_addresses_have_their_price():
    volumes = [{"size": "100Gi"}]
    for kind, persistent in (("beta1", True), ("beta2", "true"), ("beta3", True), ("default", True), ("ram", False)):
        volumes.append({"name": kind, "size": "100Gi", "attributes": {"class": kind, "persistent": persistent}})
    data = small(storage=volumes, gpu={"units": "2", "attributes": {"vendor": {"nvidia": None}}})
    data["services"]["web"]["expose"][0]["to"][0]["ip"] = "main"
    data["deployment"]["web"]["here"]["count"] = 2.0
    amounts = {part.name: (float(part.amount), float(part.usd)) for part in price.usd_month(data).parts}
    assert {
        "cpu": (2.0, 3.2), "memory": (4.0, 3.2), "ephemeral": (400.0, 8.0), "beta1": (200.0, 2.0),
        "beta2": (200.0, 6.0),
        "beta3": (400.0, 16.0), "endpoint": (2.0, 0.1), "ip": (1.0, 5.0), "gpu": (4.0, 400.0),
    } == amounts  # fmt: skip


def test_a_budget_is_shared_out_and_never_exceeded():
    data = small()
    data["profiles"]["compute"]["q"] = {"resources": {"cpu": {"units": 4}, "memory": {"size": "8Gi"}, "storage": []}}
    data["services"]["api"] = {"image": "nginx"}
    data["deployment"]["api"] = {"here": {"profile": "q", "count": 3}}
    data["profiles"]["placement"]["here"]["pricing"]["q"] = {"denom": "uact", "amount": 1}
    shares = price.ceilings(data, 20)
    assert {("here", "p"), ("here", "q")} == set(shares)
    for (place, profile), amount in shares.items():
        data["profiles"]["placement"][place]["pricing"][profile] = {"denom": "uact", "amount": str(amount)}
    assert Decimal("19.99") <= price.ceiling_usd_month(data) <= 20


@pytest.mark.parametrize(
    ("units", "thousandths"),
    [
        ("500m", 500),
        (0.5, 500),
        (1, 1000),
        (2.0, 2000),
        ("1.5", 1500),
        (0.07, 70),
        ("x", None),
        ("1.5mm", None),
        (None, None),
    ],
)
def test_processors_are_counted_exactly(units, thousandths):
    assert thousandths == quantity.millicpu(units)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1k", 1000),
        ("1Ki", 1024),
        ("1.5Gi", 1610612736),
        ("0.1k", 100),
        ("1", None),
        ("1mi", 1024**2),
        ("Mi", None),
        ("1e3Mi", None),
    ],
)
def test_sizes_are_counted_exactly(written, size):
    assert size == quantity.size(written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-9, "0.000000001"),
        (float("inf"), "inf"),
        ("x", "x"),
    ],
)
def test_a_scalar_is_written_as_the_network_writes_it(value, written):
    assert written == quantity.text(value)


def test_the_typed_form_is_frozen_and_has_the_words_of_the_document():
    web = DOCS.model.services["web"]
    assert (80, "TCP", "docs") == (web.expose[0].port, web.expose[0].proto, web.expose[0].to[0].ip)
    assert "beta3" == DOCS.model.profiles.compute["web"].resources.storage[1].attributes.class_
    with pytest.raises(AttributeError):
        web.image = "x"
    with pytest.raises(TypeError):
        DOCS.model.services["web"] = web


def test_one_volume_without_its_list_is_a_list_of_one():
    assert "10Gi" == sdl.Document(small()).model.profiles.compute["p"].resources.storage[0].size


def test_an_empty_list_and_nothing_are_nothing():
    data = small()
    data["services"]["web"]["command"] = None
    assert sdl.Document(data).model.services["web"].command is None


def test_reading_documents_needs_no_pulumi():
    import subprocess
    import sys

    program = (
        "import sys; from components.targets.akash.sdl import document as sdl, manifest, overlay, changes, price, fix\n"
        "sdl.load(open('sdl/docs.yaml', 'rb').read())\n"
        "heavy = {'pulumi', 'pydantic', 'httpx', 'boto3', 'rich', 'grpc'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        process_group=0,
        timeout=60,
    )
    assert (0, "") == (done.returncode, done.stderr)
