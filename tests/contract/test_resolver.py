"""Questions to DNS: the sandbox's name server is asked through the variable, and silence is an error with a reason."""

from __future__ import annotations

import socket

import pytest

from components import resolver
from components.errors import ConfigError, StepError


def test_records_come_as_text_and_what_is_missing_is_none(net) -> None:
    asked = {resolver.VARIABLE: f"127.0.0.1:{net.state.port('dns')}"}
    zone = net.route53.list_hosted_zones()["HostedZones"][0]["Id"]
    servers = net.route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    net.put("caa.dao.example", "CAA", values=['0 issue "amazon.com"'])
    assert resolver.records("dao.example", "NS", asked) == sorted(servers)
    assert resolver.records("caa.dao.example", "CAA", asked) == ['0 issue "amazon.com"']
    assert resolver.records("caa.dao.example", "A", asked) == []
    assert resolver.records("nothing.dao.example", "CAA", asked) == []


def test_a_resolver_that_is_silent_is_an_error_and_not_an_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "LIFETIME_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(StepError, match="no resolver answers for dao"):
            resolver.records("dao.example", "NS", {resolver.VARIABLE: f"127.0.0.1:{silent.getsockname()[1]}"})


def test_a_resolver_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="UNMOOR_RESOLVER is not the address of a resolver"):
        resolver.records("dao.example", "NS", {resolver.VARIABLE: "dns.example"})
