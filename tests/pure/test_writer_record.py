"""The record of a writer as text, and what a person may order."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import ConfigError, StepError
from components.stores import drive, tenure
from components.stores.record import Order, Record, State, parse
from components.stores.tenure import Outcome
from components.writer import agent, switch
from tests.documented import imports, sections
from tests.histories import stores

WORKLOAD = stores.WORKLOAD
texts = st.text(max_size=60)
numbers = st.integers(0, 2**53 - 1)
orders = st.builds(Order, texts, texts, st.booleans(), st.booleans())
records = st.builds(
    Record, st.just(WORKLOAD), texts, numbers, st.sampled_from(State), texts, numbers, numbers,
    st.none() | texts, st.none() | orders, texts,
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(records)
def test_a_record_is_read_as_it_was_written(record):
    assert parse(record.text(), WORKLOAD) == record


@given(records, st.sampled_from(list(Record.__dataclass_fields__)), anything)
def test_a_record_with_a_wrong_value_is_a_sentence_or_a_record_of_the_right_types(record, field, value):
    given_ = json.loads(record.text()) | {field: value}
    with contextlib.suppress(StepError):
        read = parse(json.dumps(given_).encode(), WORKLOAD)
        assert (type(read.state), type(read.epoch), type(read.holder)) == (State, int, str)
        assert json.loads(read.text()) == given_


@given(st.binary(max_size=200))
def test_what_is_no_record_is_a_sentence(content):
    with pytest.raises(StepError, match="is no record of a writer"):
        parse(content, WORKLOAD)


def test_the_manual_shows_a_record():
    page = (Path(__file__).parents[2] / "docs" / "writer.md").read_text()
    shown = next(section for section in sections(page) if section.title == "The record").files["writer/forum.json"]
    assert parse(shown.encode(), "dao/prod/forum").epoch == 7


def test_the_manual_imports_what_there_is():
    page = (Path(__file__).parents[2] / "docs" / "writer.md").read_text()
    fragments = [each for section in sections(page) for each in section.fragments]
    for each in fragments:
        exec(imports(each).replace("unmoor.", "components."), {})  # noqa: S102 the manual is ours
    assert len(fragments) == 1


def test_the_record_of_another_workload_is_refused():
    with pytest.raises(StepError, match="choose another key"):
        parse(Record("dao/staging/forum", "aws", 1, State.WRITING).text(), WORKLOAD)


@pytest.fixture
def store():
    with stores.opened("memory") as opener:
        yield opener("writer/forum.json")


def put(store, **given):
    record = Record(WORKLOAD, "aws", 3, State.WRITING, "aws-1", 5, 9)
    record = replace(record, **given)
    assert store.write(record, store.read()[1] or None)[0] is Outcome.TOOK
    return record


def test_a_record_is_created_once(store):
    switch.create(store, WORKLOAD, "aws")
    with pytest.raises(StepError, match="has a writer already, aws in epoch 0"):
        switch.create(store, WORKLOAD, "akash")


def test_an_order_is_written_and_the_same_one_goes_on(store):
    put(store)
    first = switch.order(store, "akash")
    assert switch.order(store, "akash") == first
    assert store.read()[0].order == Order(first, "akash")


def test_an_order_can_become_one_that_accepts_loss(store):
    put(store)
    first = switch.order(store, "akash")
    assert switch.order(store, "akash", lossy=True) == first
    assert store.read()[0].order == Order(first, "akash", lossy=True)


def test_a_second_order_is_refused_while_one_is_under_way(store):
    put(store)
    switch.order(store, "akash")
    with pytest.raises(StepError, match="a move to akash is under way"):
        switch.order(store, "hetzner")


def test_a_claim_that_comes_to_nothing_is_taken_back_by_an_order_that_accepts_loss_alone(store):
    """The new site claimed and was lost: without this, no order could ever name the old site again."""
    put(store, holder="akash", state=State.CLAIMED, order=Order("first", "akash"))
    with pytest.raises(StepError, match="a move to akash is under way"):
        switch.order(store, "aws")
    second = switch.order(store, "aws", lossy=True)
    assert store.read()[0].order == Order(second, "aws", lossy=True)
    assert switch.stage(store.read()[0], "first", "akash").failed
    assert not switch.stage(store.read()[0], second, "aws").failed


def test_an_order_to_the_writer_is_refused(store):
    put(store)
    with pytest.raises(StepError, match="aws is the writer already"):
        switch.order(store, "aws")


def test_an_order_without_a_record_is_refused(store):
    with pytest.raises(StepError, match="no record of a writer"):
        switch.order(store, "aws")


def test_an_order_is_written_though_the_holder_renews_at_the_same_time(store):
    put(store)
    renewals = [0]

    class Renewing:
        read = store.read

        @staticmethod
        def write(record, etag):
            if renewals[0] < 4:
                renewals[0] += 1
                put(store, serial=9 + renewals[0], beat=5 + renewals[0])
            return store.write(record, etag)

    assert switch.order(Renewing(), "akash") == store.read()[0].order.id
    assert renewals == [4]


def test_an_order_whose_answer_is_lost_is_found_again(store):
    put(store)

    class Deaf:
        read = store.read

        @staticmethod
        def write(record, etag):
            store.write(record, etag)
            return Outcome.LOST, "timed out"

    assert switch.order(Deaf(), "akash") == store.read()[0].order.id


def test_an_order_is_withdrawn_until_the_epoch_is_claimed(store):
    put(store)
    made = switch.order(store, "akash")
    assert switch.withdraw(store, made)
    assert store.read()[0].order is None
    made = switch.order(store, "akash")
    put(store, state=State.CLAIMED, holder="akash", epoch=4, order=Order(made, "akash"))
    assert not switch.withdraw(store, made)


STAGES = [
    ({}, "waiting for akash to answer", False, False),
    ({"order": Order("1", "akash", lossy=True)}, "or for aws to be silent", False, False),
    ({"order": Order("1", "akash", ready=True)}, "aws stops and archives", False, False),
    ({"state": State.FROZEN, "position": "7:ab"}, "akash replays up to 7:ab", False, False),
    ({"state": State.CLAIMED, "holder": "akash", "epoch": 4}, "akash has claimed epoch 4", False, False),
    ({"holder": "akash", "epoch": 4, "order": None}, "akash writes, in epoch 4", True, False),
    ({"order": None, "note": "aws could not archive"}, "aws could not archive", False, True),
    ({"order": None}, "the order is withdrawn; aws writes on", False, True),
]


@pytest.mark.parametrize(("given_", "text", "done", "failed"), STAGES)
def test_a_move_is_described_from_the_record(given_, text, done, failed):
    record = replace(Record(WORKLOAD, "aws", 3, State.WRITING, order=Order("1", "akash")), **given_)
    found = switch.stage(record, "1", "akash")
    assert (text in found.text, found.done, found.failed) == (True, done, failed)


def test_a_move_that_does_not_come_is_withdrawn(store):
    put(store)
    made = switch.order(store, "akash")
    with pytest.raises(
        StepError, match=r"has not moved to akash in 0\.05 s \(waiting for akash to answer\); the order"
    ):
        switch.follow(store, made, "akash", 0.05, lambda _: None)
    assert store.read()[0].order is None


def test_a_store_that_is_away_for_a_moment_does_not_end_the_watching_of_a_move(store):
    put(store)
    made, reports, reads = switch.order(store, "akash"), [], [0]

    class Away:
        write = store.write

        @staticmethod
        def read():
            reads[0] += 1
            if reads[0] == 1:
                raise StepError("store memory: the connection timed out")
            put(store, holder="akash", epoch=4, serial=12)
            return store.read()

    assert switch.follow(Away(), made, "akash", 1, reports.append).epoch == 4
    assert reports == ["store memory: the connection timed out"]


def test_no_site_speaks_through_a_store_that_ignores_conditions(store):
    store._client = stores.Careless(store._client)
    with pytest.raises(ConfigError, match="cannot be fenced"):
        agent.run(store, None, "aws", None)


def test_what_stands_at_the_key_and_is_no_record_is_never_replaced(store):
    store.put(store.key, b"notes", None)
    with pytest.raises(StepError, match=r"store memory: writer/forum.json is no record of a writer"):
        switch.order(store, "akash")
    assert store.content(store.key)[0] == b"notes"


ME = tenure.Me(WORKLOAD, "akash", "akash-1", tenure.Times(ttl_s=30, hand_over_s=60))


@pytest.mark.parametrize("state", [State.FROZEN, State.CLAIMED])
@pytest.mark.parametrize(("lossy", "silent_s", "claims"), [(True, 91, True), (True, 89, False), (False, 1000, False)])
def test_what_can_never_be_replayed_is_given_up_by_a_lossy_order_alone(state, lossy, silent_s, claims):
    order = Order("1", "akash", lossy=lossy, ready=True)
    record = Record(WORKLOAD, "aws", 3, state, "aws-1", 5, 9, position="7:ab", order=order)
    copy = tenure.Copy(following=True, replayed=False)
    mind, _ = tenure.step(ME, tenure.Mind(), tenure.Looked(100, record, "e", copy))
    _, action = tenure.step(ME, mind, tenure.Looked(100 + silent_s, record, "e", copy))
    assert isinstance(action, tenure.Write) is claims


def test_writes_are_permitted_to_the_holder_alone():
    record = Record(WORKLOAD, "aws", 3, State.WRITING, "aws-1", order=Order("1", "akash", ready=True))
    for strict in (True, False):
        me = replace(ME, strict=strict)
        wrote = tenure.Wrote(Outcome.TOOK, record, 100)
        assert tenure.step(me, tenure.Mind(), wrote)[1] == tenure.Look()
        assert isinstance(tenure.step(replace(me, instance="aws-1"), tenure.Mind(), wrote)[1], tenure.Permit)


@pytest.mark.parametrize(
    ("state", "ready", "to", "silent_s", "asleep_s"),
    [
        (State.WRITING, True, "akash", 0, 0.2),
        (State.FROZEN, True, "akash", 29, 0.2),
        (State.FROZEN, True, "akash", 31, 2),
        (State.FROZEN, True, "aws", 0, 2),
        (State.WRITING, False, "aws", 0, 2),
    ],
)
def test_a_site_that_a_move_waits_for_looks_often_while_the_holder_was_heard(state, ready, to, silent_s, asleep_s):
    record = Record(WORKLOAD, "aws", 3, state, "aws-1", 5, 9, position="7:ab", order=Order("1", to, ready=ready))
    copy = tenure.Copy(following=True, replayed=False)
    mind, _ = tenure.step(ME, tenure.Mind(), tenure.Looked(100, record, "e", copy))
    _, action = tenure.step(ME, mind, tenure.Looked(100 + silent_s, record, "e", copy))
    assert action == tenure.Sleep(pytest.approx(asleep_s))


@pytest.mark.parametrize(
    ("order", "asked"),
    [(None, 0), (Order("1", "aws"), 0), (Order("1", "akash", lossy=True), 0), (Order("1", "aws", lossy=True), 1)],
)
def test_the_archive_is_asked_for_a_later_copy_only_where_an_old_one_is_ordered_back(store, order, asked):
    """It takes seconds, and a site that hands over observes its copy several times."""
    put(store, holder="akash", state=State.FROZEN, order=order)
    found = []

    class Old:
        @staticmethod
        def copy(_position):
            return tenure.Copy(primary=True, epoch=2)

        @staticmethod
        def newest():
            found.append(1)
            return True

    event, _ = drive._look(replace(ME, site="aws"), store, Old())
    assert (len(found), event.copy.newest) == (asked, bool(asked))


def test_a_holder_is_ordered_to_write_again_only_by_an_order_that_accepts_loss(store):
    """Its copy was lost with its volume and restored from the archive; such a copy claims nothing by itself."""
    record = put(store)
    made = switch.order(store, "aws", lossy=True)
    assert store.read()[0] == replace(record, serial=10, order=Order(made, "aws", lossy=True))
    restored = tenure.Copy(following=True, replayed=True)
    me = replace(ME, site="aws", instance="aws-2")
    mind, action = tenure.step(me, tenure.Mind(), tenure.Looked(100, store.read()[0], "e", restored))
    answered = action.record
    assert (answered.state, answered.order.ready) == (State.WRITING, True)
    mind, action = tenure.step(me, mind, tenure.Looked(129, answered, "e", restored))
    assert isinstance(action, tenure.Sleep)
    _, action = tenure.step(me, mind, tenure.Looked(131, answered, "e", restored))
    assert (action.record.state, action.record.epoch) == (State.CLAIMED, 4)


def test_a_holder_that_writes_is_not_disturbed_by_an_order_to_itself(store):
    record = put(store, order=Order("1", "aws", lossy=True))
    me = replace(ME, site="aws", instance="aws-1")
    copy = tenure.Copy(primary=True, epoch=3, writable=True)
    _, action = tenure.step(me, tenure.Mind(renewed=99, until=110), tenure.Looked(100, record, "e", copy))
    assert (action.record.state, action.record.order, action.record.epoch) == (State.WRITING, None, 3)


@pytest.mark.parametrize(
    ("backlog", "lossy", "waited_s", "leaves"),
    [(False, False, 0, True), (True, False, 59, False), (True, False, 61, True), (True, True, 0, True)],
)
def test_a_holder_writes_on_until_most_is_archived_before_it_leaves(backlog, lossy, waited_s, leaves):
    """After the freeze, writes wait until the archive has all of it; but an order is not delayed for ever."""
    me = replace(ME, site="aws", instance="aws-1")
    record = Record(WORKLOAD, "aws", 3, State.WRITING, "aws-1", order=Order("1", "akash", lossy=lossy, ready=True))
    copy = tenure.Copy(primary=True, epoch=3, writable=True, backlog=backlog)
    mind = tenure.Mind(renewed=1000, until=1024)
    mind, _ = tenure.step(me, mind, tenure.Looked(1000, record, "e", copy))
    mind = replace(mind, renewed=1000 + waited_s, until=1024 + waited_s)
    _, action = tenure.step(me, mind, tenure.Looked(1000 + waited_s, record, "e", copy))
    assert action == (tenure.Do(tenure.Deed.FREEZE) if leaves else tenure.Sleep(2))
