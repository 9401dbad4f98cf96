"""The old vendor serves by the name that is asked, with certificates of its own, and answers no other's challenge."""

from __future__ import annotations

import pytest

from sandbox.client import NotReached, get
from sandbox.net import vendor

HOST = "docs.dao.example"


@pytest.fixture
def live(net):
    vendor.move_in(net.state, HOST)
    net.put(HOST, "CNAME", values=[vendor.SITE])
    return net.state


def test_a_live_host_is_served_with_a_certificate_of_its_own(live):
    page = get(f"https://{HOST}/", live)
    assert (page.status, page.address) == (200, vendor.ADDRESS)
    assert vendor.SIGN in page.body.decode()
    led = get(f"http://{HOST}/guide", live)
    assert (led.status, led.headers["location"]) == (301, f"https://{HOST}/guide")


def test_it_answers_by_name_only(live):
    with pytest.raises(NotReached, match="certificate is not valid"):
        get("https://other.dao.example/", live, address=vendor.ADDRESS)
    assert get("https://other.dao.example/", live, address=vendor.ADDRESS, verify=False).status == 404
    assert get(f"https://{vendor.SITE}/", live).status == 200


def test_a_challenge_for_another_partys_order_is_not_found(live):
    assert get(f"https://{HOST}/.well-known/acme-challenge/token", live).status == 404


def test_its_certificate_can_be_past_its_end(live):
    live.start_fault(vendor.EXPIRED)
    try:
        with pytest.raises(NotReached, match="certificate has expired"):
            get(f"https://{HOST}/", live)
    finally:
        live.end_fault(vendor.EXPIRED)
