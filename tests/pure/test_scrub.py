"""What leaves in a recording is public, or a pseudonym: no canary survives, and what replay needs does."""

from __future__ import annotations

import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.recording import settings
from components.recording.scrub import Scrubber, own_words

KEY, WORDS = "0123", own_words()
#: What must never be seen: each a form in which a DAO's own things come.
CANARIES = {
    "a console key": "ac.sk.production.4bd9f0c1e2",
    "a secret key": "wJalrXUtnFEMIbPxRfiCYzKq",
    "an access key": "AKIAZQXJWVKYPTRNMLHD",
    "a wallet": "akash1zqxjwvkyptrnmlhdgfcsb0987654321zqxjwv",
    "an account": "904871265533",
    "an address": "45.77.201.19",
    "an address of six": "2a01:4f8:c17:b8f::2",
    "a mail address": "zorvath@quillmark.xyz",
    "a zone": "quillmarkdao.xyz",
    "a host of vocabulary": "treasury.compound.finance",
    "a workload": "zorvathforum",
    "a bucket": "quillmark-backups-eu",
    "a person": "Zorvath",
    "a hosted zone": "Z0839QXJWVKYPTRNMLHD",
    "a deployment": "24681357",
    "a certificate": "1f0c7a52-9e44-4d6b-8a31-77c09be5d2f1",
    "a hash": "c0ffee11d00dfeed" * 4,
}
CREDENTIALS = ("ac.sk.production.4bd9f0c1e2", "wJalrXUtnFEMIbPxRfiCYzKq", "AKIAZQXJWVKYPTRNMLHD")


def scrubber(**more: tuple[str, ...]) -> Scrubber:
    return Scrubber(settings.Settings("/x", KEY, CREDENTIALS, words=WORDS, **more))


PLACES = [
    "{}",
    "it answers: {} is not yours",
    "https://api.example.org/v1/{}/leases?owner={}",
    "arn:aws:iam::123456789012:role/{}",
    "<Name>{}</Name>",
    "({})={};",
    "{}.",
]


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("place", PLACES)
def test_no_canary_survives_in_a_text(canary: str, place: str) -> None:
    shown = scrubber().text(place.format(canary, canary))
    assert canary.lower() not in shown.lower()


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("field", ["name", "id", "message", "reason", "what-no-one-knows", "owner"])
def test_no_canary_survives_as_a_value_or_a_field(canary: str, field: str) -> None:
    if field == "reason" and canary.isalpha():  # one word in a field of a contract is kept, unless a stack file has it
        assert canary.lower() not in json.dumps(scrubber(names=(canary,)).value({field: canary})).lower()
        return
    given = {field: canary, "in": [canary], "of": {"n": [canary]}}
    if not canary.isalpha():  # the name of a field may be any word that no stack file names
        given[canary] = canary
    assert canary.lower() not in json.dumps(scrubber().value(given)).lower()


def test_names_of_the_stack_file_are_replaced_wherever_they_stand() -> None:
    """Also as a part of a word that this program's source has."""
    hiding = scrubber(names=("docs", "Zorvath"))
    shown = hiding.value({"docs": {"reason": "Zorvath", "state": "docs", "message": "docs and docs-akash"}})
    assert "docs" not in json.dumps(shown)
    assert "zorvath" not in json.dumps(shown).lower()


@given(st.text(alphabet="0123456789", min_size=6, max_size=20))
def test_long_numbers_keep_their_length_and_no_more(number: str) -> None:
    shown = scrubber().text(f"dseq {number}")
    assert re.fullmatch(rf"dseq [1-9]{{{len(number)}}}", shown)


@given(st.integers(min_value=0, max_value=10**24), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_stay_numbers(whole: int, part: float) -> None:
    shown = scrubber().value([whole, part, True, None])
    assert [type(each) for each in shown] == [int, float, bool, type(None)]
    assert whole > 99999 or shown[0] == whole


@given(st.text(max_size=200))
def test_any_text_can_be_scrubbed(text: str) -> None:
    assert isinstance(scrubber().text(text), str)


@pytest.mark.parametrize(
    "text",
    [
        "active",
        "2026-11-26T15:04:05.123Z",
        "512Mi",
        "us-east-1",
        "/v1/deployments",
        "The deployment is still being provisioned; try again in a moment",
        "0.25",
        "AccessDenied",
        "max-age=60",
        "application/json; charset=utf-8",
    ],
)
def test_what_is_public_is_kept(text: str) -> None:
    assert scrubber().text(text) == text


def test_fields_that_end_in_a_number_keep_their_names() -> None:
    assert list(scrubber().value({"uptime7d": 1, "ipv4": 2})) == ["uptime7d", "ipv4"]


def test_headers_of_public_words_keep_their_names() -> None:
    given = {"headers": {"accept-encoding": "gzip", "x-api-key": "(not kept)", "x-quillmark-id": "7"}}
    shown = scrubber().value(given)["headers"]
    assert {"accept-encoding", "x-api-key"} < set(shown)
    assert "x-quillmark-id" not in shown


def test_one_name_is_one_pseudonym_in_a_recording_and_another_in_the_next() -> None:
    here, there = scrubber(), Scrubber(settings.Settings("/x", "another key"))
    host = "quillmarkdao.xyz"
    assert here.text(host) == here.text(f"{host} ")[:-1] != there.text(host)
    assert here.text(f"forum.{host}").endswith("." + here.text(host))


def test_pseudonyms_keep_the_form_that_readers_check() -> None:
    hiding = scrubber()
    assert re.fullmatch("akash1[a-z0-9]{37}", hiding.text(CANARIES["a wallet"]))
    assert re.fullmatch("[0-9a-f]{64}", hiding.text(CANARIES["a hash"]))
    assert ipaddress.ip_address(hiding.text(CANARIES["an address"])) in ipaddress.ip_network("198.18.0.0/15")
    assert ipaddress.ip_address(hiding.text(CANARIES["an address of six"])) in ipaddress.ip_network("2001:db8::/32")
    assert hiding.text("d111111abcdef8.cloudfront.net").endswith(".cloudfront.net")
    assert re.fullmatch(r"arn:aws:iam::\d{12}:user/[a-z]{3}", hiding.text("arn:aws:iam::123456789012:user/bob"))


def test_credentials_are_found_by_the_names_of_variables() -> None:
    environ = {
        "AWS_SECRET_ACCESS_KEY": "abcdef-1",
        "AKASH_CONSOLE_API_KEY": "abcdef-2", "PULUMI_CONFIG_PASSPHRASE": "abcdef-3",
        "GITHUB_TOKEN": "abcdef-4", "HOME": "/home/z", "AWS_SHARED_CREDENTIALS_FILE": "/home/z/aws", "SHORT_KEY": "a",
    }  # fmt: skip
    assert settings.credentials(environ) == ("abcdef-1", "abcdef-2", "abcdef-3", "abcdef-4")


def test_names_are_found_in_stack_files() -> None:
    words = frozenset({"host", "zone", "bucket", "kind", "static", "vendor", "options", "env"})
    config = {
        "aws:region": "us-east-1",
        "unmoor:zone": "quillmark.xyz",
        "unmoor:stores": {"main": {"vendor": "aws", "bucket": "quill-backups"}},
        "unmoor:workloads": {
            "forum": {"kind": "static", "host": "talk.quillmark.xyz", "options": {"env": {"WHO": "x"}}}
        },
    }
    assert set(settings.names([config, None, "no mapping"], words)) == {
        "quillmark.xyz", "quillmark", "main", "quill-backups", "forum", "talk.quillmark.xyz", "talk", "WHO",
    }  # fmt: skip
