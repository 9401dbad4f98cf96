"""Who signs is read from the stack file: three sorts of keys, each once, never more wanted than there are."""

from __future__ import annotations

import copy

import pytest

from components.config import models as config
from tests.settings import settings

SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
WALLET = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"


def faults(**more) -> list[str]:
    made = {**copy.deepcopy(settings()), **more}
    return [str(fault) for fault in config.read(made)[1]]


def test_a_comment_or_the_case_of_an_address_is_no_part_of_a_key() -> None:
    read, found = config.read({**settings(), "signers": {"quorum": 1, "keys": {"a": f"{SSH} a@dao", "b": WALLET}}})
    assert not found
    assert read.signers.keys == {"a": SSH, "b": WALLET.lower()}


@pytest.mark.parametrize(
    ("signers", "sentence"),
    [
        (
            {"quorum": 3, "keys": {"a": SSH, "b": WALLET}},
            "signers.quorum: 3 is more than the 2 signers; choose at most 2",
        ),
        ({"quorum": 0, "keys": {"a": SSH}}, "signers.quorum: 0 must be 1 or more"),
        ({"quorum": 1, "keys": {"a": SSH, "b": f"{SSH} b@dao"}}, "signers.keys: a and b have the same key"),
        ({"quorum": 1, "keys": {"a": WALLET, "b": WALLET.lower()}}, "signers.keys: a and b have the same key"),
        ({"quorum": 1, "keys": {"a": "0x1234"}}, "signers.keys.a: is not a public key; give an SSH public key"),
        ({"quorum": 1, "keys": {"a": SSH[:-12]}}, "signers.keys.a: is not a whole SSH public key"),
        ({"quorum": 1, "keys": {"a": SSH.replace("ssh-ed25519", "ssh-rsa", 1)}}, "signers.keys.a: is not a whole SSH"),
        ({"quorum": 1, "keys": {"A!": SSH}}, "signers.keys.A!: 'A!' is not a name"),
        ({"quorum": 1, "keys": {}}, "signers.keys: "),
        ({"quorum": 1}, "signers.keys: is required"),
        ({"keys": {"a": SSH}}, "signers.quorum: is required"),
        ({"quorum": 1, "keys": {"a": SSH}, "treshold": 1}, "signers.treshold: no such setting"),
    ],
)
def test_signers_that_cannot_sign_are_a_sentence_with_a_path(signers, sentence) -> None:
    found = faults(signers=signers)
    assert [one for one in found if one.startswith(sentence)], found


def test_a_private_key_is_refused_and_not_repeated() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----\n"
    (sentence,) = faults(signers={"quorum": 1, "keys": {"a": key}})
    assert sentence.startswith("signers.keys.a: this is a private key")
    assert "b3BlbnNz" not in sentence


def test_approval_needs_signers() -> None:
    assert faults(require_approval=True) == [
        "require_approval: there are no signers; name them under `signers`, with a quorum"
    ]
    assert faults(require_approval=True, signers={"quorum": 9, "keys": {"a": SSH}}) == [
        "signers.quorum: 9 is more than the 1 signers; choose at most 1"
    ]
