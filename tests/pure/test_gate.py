"""No record moves from a site that answers to one without a certificate that browsers accept for the host."""

from __future__ import annotations

import itertools

import pytest

from components.errors import StepError
from components.probe import probe
from components.probe.client import Certificate, Page

HOST, SITE_HOST, ADDRESS, VERSION = "docs.dao.example", "docs-akash.dao.example", "203.0.113.7", "ab" * 32
SHOWN = Certificate("an authority", (SITE_HOST,), 89.0)
NO_TLS = Page(0, "", None, "no TLS: it has no certificate for docs.dao.example yet")
REASON = "there is no certificate for docs.dao.example yet: its challenges do not come here"


class World:
    """A lease at ADDRESS, and other sites that answer the host; time passes when the code sleeps."""

    def __init__(self, others=lambda _: []) -> None:
        self.now = 0.0
        self.host = lambda: NO_TLS
        self.direct = Page(503, f"{REASON}\nserving {VERSION}\n", SHOWN)
        self.plain = Page(503, f"{REASON}\nserving {VERSION}\n", None)
        self.others = others
        self.answering: set[str] = set()
        self.reported: list[str] = []

    def look(self, url, address):
        if address in self.answering:
            return Page(200, "another release", None)
        assert address == ADDRESS
        if url.startswith("http:"):
            return self.plain
        return self.direct if SITE_HOST in url else self.host()

    def probe(self, *without, **more):
        given = {
            "url": f"https://{HOST}/healthz",
            "at": [ADDRESS],
            "version": VERSION,
            "zones": [{"authority": "route53", "zone_id": "Z1"}],
            "site_host": SITE_HOST,
            "timeout_s": 30,
        }
        given = {name: value for name, value in (given | more).items() if name not in without}
        return probe.take(given, self.reported.append, self.look, lambda: self.now, self.sleep, self.current)

    def current(self, zone, host):
        assert (zone["authority"], host) == ("route53", HOST)
        self.answering = set(self.others(self.now))
        return [*self.answering]

    def sleep(self, seconds):
        self.now += seconds

    def refused(self, *without, **more):
        with pytest.raises(StepError) as caught:
            self.probe(*without, **more)
        return str(caught.value)


def test_while_another_site_answers_the_host_only_its_certificate_opens_the_gate():
    world = World(lambda _: ["d111.cloudfront.net"])
    reported = world.refused()
    assert f"it answers: {REASON}; d111.cloudfront.net answers {HOST} now" in reported
    assert reported.endswith("its failover record was left as it is")


def test_the_gate_opens_when_the_certificate_comes():
    world = World(lambda _: ["d111.cloudfront.net"])
    well = Page(200, VERSION, Certificate("an authority", (HOST,), 90.0))
    world.host = lambda: well if world.now > 3 else NO_TLS
    assert world.probe()["certificate"]["names"] == (HOST,)


def test_where_no_site_answers_the_sites_own_name_opens_the_gate_and_it_is_reported():
    world = World()
    assert world.probe()["certificate"]["names"] == (SITE_HOST,)
    assert world.reported[-1].startswith(f"no site answers {HOST} now, so its record may lead to {SITE_HOST} before")


def test_the_absence_of_a_site_is_confirmed_three_times():
    times = []
    world = World(lambda now: times.append(now) or [])
    world.probe()
    assert len(times) == 3


def test_a_site_that_was_silent_for_a_moment_still_answers():
    looks = itertools.cycle([[], [], ["192.0.2.10"]])
    world = World(lambda _: next(looks))
    assert f"answers {HOST} now" in " ".join([world.refused(), *world.reported])


def test_an_error_from_the_zone_counts_as_a_site_that_answers():
    def fails(_):
        raise ConnectionError("Route 53 is gone")

    assert f"who answers {HOST} now cannot be asked (Route 53 is gone)" in World(fails).refused()


@pytest.mark.parametrize(
    ("what", "page"),
    [
        ("direct", Page(0, "", None, "no TLS")),
        ("plain", Page(503, f"{REASON}\nserving {'cd' * 32}\n", None)),
        ("plain", Page(503, "no store gives the content; trying again\n", None)),
        ("plain", Page(0, "", None, "no answer")),
    ],
)
def test_nothing_but_the_hosts_certificate_may_be_missing(what, page):
    world = World()
    setattr(world, what, page)
    world.refused()


def test_once_the_record_leads_there_only_the_hosts_certificate_will_do():
    reported = World().refused("zones", "site_host", moved=True)
    assert reported.endswith("its failover record leads there already")


def test_an_old_certificate_is_no_missing_one():
    """It was valid and was not renewed: moving the record would cure nothing."""
    world = World()
    world.host = lambda: Page(503, f"the certificate for {HOST} ends within 7 days\nserving {VERSION}\n", SHOWN)
    assert f"it answers 503, saying: the certificate for {HOST} ends within 7 days" in world.refused()
