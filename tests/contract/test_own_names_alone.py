"""The drill of a closed AWS account at own name servers: names that a stack's own servers answer need nothing of it.

Visitors look names up through a resolver that validates. One of the two stores is the account's.
"""

from __future__ import annotations

import os
import signal
import threading
from itertools import count

import pytest

from components.dns.plain import Row
from components.dns.powerdns import bundle
from tests.contract.containers import until
from tests.contract.powerdns import (
    MISSING,
    NO_RESOLVER,
    PRIMARY,
    SERVERS,
    ZONE,
    NameServer,
    Signer,
    key_file,
    resolved,
    store,
    unbound,
    zone_rows,
)

pytestmark = pytest.mark.skipif(bool(MISSING or NO_RESOLVER), reason=MISSING or NO_RESOLVER or "")

#: Look-ups while the account is closed, and while one server does not answer; each of a name that no cache has.
WHILE_CLOSED, WHILE_FROZEN = 500, 200
NAMES = 2_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two signed servers with their keepers, two stores, and a resolver in front."""
    folder = tmp_path_factory.mktemp("own")
    signer, key = Signer(folder / "signer"), key_file(folder / "key")
    first = NameServer(folder / "first", "127.77.2.1")
    servers = [first, NameServer(folder / "second", "127.77.2.2", first.port)]
    with store(folder / "aws") as aws, store(folder / "other") as other:
        put(signer, made(1), aws, other)
        try:
            for each in servers:
                each.keep([aws, other], signer, "--key", str(key))
                each.start()
                until(lambda each=each: each.serial() == 1 or None, "the zone")
            with unbound(folder, first) as resolver:
                yield servers, (aws, other), signer, key, resolver
        finally:
            for each in servers:
                each.stop()


def made(serial, *more):
    return bundle.make(ZONE, serial, SERVERS, [*zone_rows(NAMES), *more], [])


def put(signer, what, *stores):
    for each in stores:
        each.put(what, signer.sign(what.raw))


def test_no_validated_look_up_is_lost_while_the_account_is_closed_and_the_zone_goes_on_changing(world):
    servers, (aws, other), signer, _, resolver = world
    lost, numbers, closed = [], count(), threading.Event()

    def visit():
        for number in numbers:
            # A quick machine asks for the first names again, and the last are left for the next test.
            if not resolved(resolver, f"n{number % (NAMES - WHILE_FROZEN)}.dao.example", 5):
                lost.append(number)
            if closed.is_set() and number >= WHILE_CLOSED:
                return

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        for each in aws.folder.iterdir():
            each.unlink()
        servers[0].kill("keeper")
        servers[0].keep([aws, other], signer)  # it begins anew, with the store of the account gone
        put(signer, made(2, Row("new.dao.example", "A", 5, PRIMARY)), other)
        for each in servers:
            until(lambda each=each: each.serial() == 2 or None, "the zone of the other store")
    finally:
        closed.set()
        visitor.join()
    asked = next(numbers)
    assert asked > WHILE_CLOSED
    assert lost == [], f"{len(lost)} of {asked}"
    assert resolved(resolver, "new.dao.example", 5) == PRIMARY


def test_no_look_up_fails_while_one_of_the_two_servers_does_not_answer(world):
    servers, _, _, _, resolver = world
    frozen = servers[1].processes["pdns"]
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        names = [f"n{NAMES - 1 - number}.dao.example" for number in range(WHILE_FROZEN)]
        assert [name for name in names if not resolved(resolver, name, 5)] == []
    finally:
        os.kill(frozen.pid, signal.SIGCONT)


def test_no_look_up_fails_for_good_while_two_of_three_servers_do_not_answer(world, tmp_path):
    """Before a resolver has learned that both are dead, it may ask them for longer than a visitor waits."""
    servers, (_, other), signer, key, _ = world
    third = NameServer(tmp_path / "third", "127.77.2.3", servers[0].port)
    frozen = [each.processes["pdns"] for each in servers]
    try:
        third.keep([other], signer, "--key", str(key))
        third.start()
        until(lambda: third.serial() == servers[0].serial() or None, "the zone at the third server")
        with unbound(tmp_path / "resolver", servers[0], 3) as resolver:
            for each in frozen:
                os.kill(each.pid, signal.SIGSTOP)
            names = [f"n{number}.dao.example" for number in range(WHILE_FROZEN)]
            slow = [name for name in names if not resolved(resolver, name, 5)]
            assert len(slow) <= 2
            for name in slow:
                until(lambda name=name: resolved(resolver, name, 5), f"{name}, asked again")
    finally:
        for each in frozen:
            os.kill(each.pid, signal.SIGCONT)
        third.stop()
