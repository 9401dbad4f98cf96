"""An approval counts for one plan, one place in the chain, one project and stack, in time, by those who judge it."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from datetime import date

import pytest

from components.config.signers import Signers
from components.errors import ConfigError, PlanError
from components.review import record, signatures
from components.review.approval import Approved, Scope, Wanted, demand, expiry, following, judge, sentence, tip
from components.review.record import Approval, Entry
from tests.signing import Gpg, Ssh, Wallet, broken

SCOPE, TODAY, UNTIL = Scope("unmoor", "prod"), date(2026, 11, 26), "2026-12-26"
PLANS = [letter * 64 for letter in "0123456789abcdef"]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Three signers, each with another sort of key, and one who is none of them."""
    folder = tmp_path_factory.mktemp("keys")
    carol = Gpg(folder)
    yield {"alice": Ssh(folder), "bob": Wallet(), "carol": carol, "mallory": Ssh(folder, "mallory")}
    carol.close()


def signers(people, quorum=2, names=("alice", "bob", "carol")) -> Signers:
    return Signers(quorum=quorum, keys={name: people[name].key for name in names})


def approve(people, wanted, number, after, names, until=UNTIL, scope=SCOPE) -> Entry:
    made = [
        Approval(signer=n, expires=until, signature=people[n].sign(sentence(scope, number, after, wanted, until)))
        for n in names
    ]
    return Entry(number=number, plan=wanted.plan, after=after, signers=wanted.signers, approvals=made)


@pytest.fixture(scope="module")
def first(people) -> Wanted:
    return Wanted(PLANS[0], signers(people), required=True)


@pytest.mark.parametrize("pair", list(itertools.combinations(["alice", "bob", "carol"], 2)))
def test_any_two_of_three_approve_with_any_sort_of_key(people, first, pair) -> None:
    said = demand(SCOPE, None, first, [approve(people, first, 1, "", pair)], TODAY)
    assert str(said) == (
        f"approved by {', '.join(pair)} (2 needed); it is the first, so the signers that it names itself have judged it"
    )


@pytest.mark.parametrize("one", ["alice", "bob", "carol"])
def test_one_of_them_is_not_enough(people, first, one) -> None:
    with pytest.raises(
        PlanError, match="signers: 1 of 2 needed approve it, of the signers that it names itself"
    ) as caught:
        demand(SCOPE, None, first, [approve(people, first, 1, "", [one])], TODAY)
    assert one not in str(caught.value).split("missing: 1 more of ")[1].splitlines()[0]


@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_a_signature_fits_its_key_and_its_text_only(people, name) -> None:
    key = signers(people).keys[name]
    signature = people[name].sign("the text")
    assert signatures.verify(key, "the text", signature) is None
    assert signatures.verify(key, "the text ", signature)
    assert signatures.verify(key, "the text", broken(signature))
    assert signatures.verify(key, "the text", "")
    others = {other: signers(people).keys[other] for other in ("alice", "bob", "carol") if other != name}
    assert all(signatures.verify(other, "the text", signature) for other in others.values())


def test_a_wallets_library_does_not_let_deep_json_end_the_process() -> None:
    """Its py_ecc raises the recursion limit to 100,000 when it is imported, and the C stack ends before that."""
    program = (
        "import json\n"
        "from components.review import signatures\n"
        "print(signatures.verify('0x' + 'a' * 40, 'text', '0x' + '1' * 130))\n"
        "try: json.loads('[' * 100_000 + ']' * 100_000)\n"
        "except RecursionError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "refused"


def test_a_wallet_that_is_foreign_is_named(people) -> None:
    stranger = Wallet()
    said = signatures.verify(signers(people).keys["bob"], "text", stranger.sign("text"))
    assert said == f"it was made by {stranger.key}, or over another text"


def test_an_ssh_signature_for_something_else_is_none_of_ours(people) -> None:
    assert signatures.verify(signers(people).keys["alice"], "text", people["alice"].sign("text", "git"))


def test_the_operators_own_keyring_does_not_decide(people, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(people["carol"].home))
    stranger = Gpg(tmp_path)
    try:
        assert signatures.verify(stranger.key, "text", people["carol"].sign("text"))
        assert signatures.verify(
            stranger.key.strip() + "\n" + signers(people).keys["carol"], "text", people["carol"].sign("text")
        )
    finally:
        stranger.close()


@pytest.mark.parametrize(
    ("change", "sentence_part"),
    [
        ({"until": "2026-11-25"}, "alice: the approval expired on 2026-11-25; sign again"),
        ({"names": ["mallory", "bob"]}, "mallory: is not a signer of the plan; its signers are 2 of alice, bob, carol"),
        (
            {"scope": Scope("unmoor", "staging")},
            "alice: the signature does not fit: it was made by another key, or over",
        ),
        ({"scope": Scope("other", "prod")}, "alice: the signature does not fit"),
        ({"number": 2}, "it was approved as number 2, and this is number 1: an approval is used once"),
        ({"after": PLANS[9]}, "it was approved to replace another plan than the one that is deployed"),
    ],
)
def test_a_wrong_approval_is_a_sentence(people, first, change, sentence_part) -> None:
    given = {"number": 1, "after": "", "names": ["alice", "bob"], **change}
    with pytest.raises(PlanError) as caught:
        demand(SCOPE, None, first, [approve(people, first, **given)], TODAY)
    assert sentence_part in str(caught.value)


def test_two_signatures_of_one_signer_count_once(people, first) -> None:
    entry = approve(people, first, 1, "", ["alice", "alice"])
    with pytest.raises(PlanError, match="alice: approved twice, and counts once"):
        demand(SCOPE, None, first, [entry], TODAY)


def test_a_date_that_was_changed_in_the_file_breaks_the_signature(people, first) -> None:
    entry = approve(people, first, 1, "", ["alice", "bob"], until="2026-11-25")
    later = tuple(one.model_copy(update={"expires": UNTIL}) for one in entry.approvals)
    with pytest.raises(PlanError, match="does not fit"):
        demand(SCOPE, None, first, [entry.model_copy(update={"approvals": later})], TODAY)


def test_a_plan_cannot_appoint_its_own_judges(people, first) -> None:
    """A pull request names mallory as the only signer, and mallory signs."""
    deployed = Approved(1, first.plan, first.signers)
    coup = Wanted(PLANS[1], signers(people, 1, ["mallory"]), required=True)
    with pytest.raises(PlanError, match="mallory: is not a signer of the last approved plan"):
        demand(SCOPE, deployed, coup, [approve(people, coup, 2, first.plan, ["mallory"])], TODAY)
    for forged in (approve(people, coup, 1, "", ["mallory"]), approve(people, coup, 2, "", ["mallory"])):
        with pytest.raises(PlanError, match="this plan is not approved"):
            demand(SCOPE, deployed, coup, [forged], TODAY)
    assert demand(SCOPE, deployed, coup, [approve(people, coup, 2, first.plan, ["alice", "carol"])], TODAY)


def test_approval_is_not_switched_off_without_approval(people, first) -> None:
    deployed = Approved(1, first.plan, first.signers)
    off = Wanted(PLANS[1], None, required=False)
    with pytest.raises(PlanError, match="0 of 2 needed"):
        demand(SCOPE, deployed, off, [], TODAY)
    assert demand(SCOPE, deployed, off, [approve(people, off, 2, first.plan, ["alice", "bob"])], TODAY)
    assert following(off, deployed, None) is None


def test_what_needs_no_approval_is_let_through(people, first) -> None:
    assert demand(SCOPE, None, Wanted(PLANS[0], None, required=False), [], TODAY) is None
    deployed = Approved(1, first.plan, first.signers)
    assert demand(SCOPE, deployed, first, [], date(2036, 1, 1)) is None
    assert following(first, deployed, None) == deployed


def test_going_back_to_an_old_plan_needs_a_new_approval(people, first) -> None:
    """A replay: the plan was approved once, and another has been deployed since."""
    second = Wanted(PLANS[1], first.signers, required=True)
    entries = [
        approve(people, first, 1, "", ["alice", "bob"]),
        approve(people, second, 2, first.plan, ["alice", "bob"]),
    ]
    deployed = Approved(2, second.plan, second.signers)
    with pytest.raises(PlanError, match="approved as number 1, and this is number 3: an approval is used once"):
        demand(SCOPE, deployed, first, entries, TODAY)
    again = approve(people, first, 3, second.plan, ["alice", "bob"])
    assert demand(SCOPE, deployed, first, [*entries, again], TODAY)
    third = Approved(3, first.plan, first.signers)
    with pytest.raises(PlanError, match="an approval is used once"):
        demand(SCOPE, third, second, [*entries, again], TODAY)


def test_a_plan_may_follow_one_that_was_approved_and_never_deployed(people, first) -> None:
    deployed = Approved(1, first.plan, first.signers)
    second = Wanted(PLANS[1], signers(people, 1, ["bob"]), required=True)
    third = Wanted(PLANS[2], second.signers, required=True)
    good = approve(people, second, 2, first.plan, ["alice", "carol"])
    last = approve(people, third, 3, second.plan, ["bob"])
    assert demand(SCOPE, deployed, third, [last, good], TODAY)
    found = judge(SCOPE, deployed, third, [last, good], TODAY)
    assert following(third, deployed, found) == Approved(3, third.plan, third.signers)
    half = approve(people, second, 2, first.plan, ["alice"])
    with pytest.raises(PlanError, match="0 of 2 needed"):
        demand(SCOPE, deployed, third, [last, half], TODAY)
    forged = good.model_copy(update={"signers": signers(people, 1, ["mallory"])})
    stolen = approve(people, third, 3, second.plan, ["mallory"])
    with pytest.raises(PlanError, match="0 of 2 needed"):
        demand(SCOPE, deployed, third, [stolen, forged], TODAY)


def test_the_chain_in_git_ends_at_the_last_plan_with_a_quorum(people, first) -> None:
    second = Wanted(PLANS[1], first.signers, required=True)
    one = approve(people, first, 1, "", ["alice", "bob"], until="2020-01-01")
    two = approve(people, second, 2, first.plan, ["alice"])
    assert tip(SCOPE, []) is None
    assert tip(SCOPE, [two, one]) == Approved(1, first.plan, first.signers)


def test_the_file_keeps_what_was_signed(people, first, tmp_path) -> None:
    path = tmp_path / "approvals.prod.yaml"
    entry = approve(people, first, 1, "", ["alice", "bob", "carol"])
    entries: tuple[Entry, ...] = ()
    for one in entry.approvals:
        entries = record.add(entries, entry.model_copy(update={"approvals": ()}), one)
    record.write(path, entries)
    assert record.read(path) == (entry,)
    assert demand(SCOPE, None, first, record.read(path), TODAY)
    assert record.add(entries, entry, entry.approvals[0])[0].approvals[-1] == entry.approvals[0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("plan: x\n", "not a file of approvals"),
        (
            f"- {{plan: {PLANS[0]}, signer: a@dao.example, on: '2026-11-23'}}\n",
            "without signatures, which prove nothing",
        ),
        (f"- {{number: 1, plan: {'g' * 64}}}\n", "entries[0].plan"),
        (
            f"- {{number: 1, plan: {PLANS[1]}, approvals: [{{signer: a, expires: soon, signature: b}}]}}\n",
            "is not a date",
        ),
        (f"- {{number: 1, plan: '{PLANS[10]}'}}\n" * 2, "a plan stands twice"),
        ("- [\n", "approvals.prod.yaml:2: "),
        ("#" * (2 << 20) + "#", "the document is larger than 2,097,152 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path, text, part) -> None:
    path = tmp_path / "approvals.prod.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        record.read(path)
    assert part in str(caught.value)


def test_an_expired_key_does_not_sign(tmp_path, monkeypatch) -> None:
    gone = Gpg(tmp_path, "seconds=1")
    try:
        signature = gone.sign("text")
        time.sleep(2)
        assert signatures.verify(gone.key, "text", signature) == "its key has expired"
    finally:
        gone.close()


def test_a_program_that_is_missing_is_a_sentence(people, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for name, part in (("alice", "ssh-keygen, which is not installed"), ("carol", "gpg, which is not installed")):
        with pytest.raises(ConfigError, match=part):
            signatures.verify(signers(people).keys[name], "text", "signature")


@pytest.mark.parametrize(
    ("given", "part"), [("soon", "is not a date"), ("2026-11-25", "is over"), ("2030-01-01", "too far")]
)
def test_an_approval_has_an_end_in_sight(given, part) -> None:
    with pytest.raises(ConfigError, match=part):
        expiry(given, TODAY)
    assert expiry(None, TODAY) == "2026-12-26"
