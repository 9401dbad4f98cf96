"""Names, health checks and the visitor against the running processes.

It proves that the parts speak to each other and to standard clients; not that AWS behaves so.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler

import dns.flags
import dns.query
import dns.rcode

from sandbox.client import Visitor
from sandbox.net.tls import Authority
from sandbox.state import State
from tests.loopback import Loopback

from .net_world import VERSION, until, values


def test_dns_answers_over_udp_and_tcp_in_any_case_and_keeps_the_case_asked(net):
    net.put("txt.dao.example", "TXT", values=['"hello"'])
    for over in (dns.query.udp, dns.query.tcp):
        answer = net.ask("TxT.DAO.example", "TXT", over)
        assert (["TxT.DAO.example."], ['"hello"']) == ([str(one.name) for one in answer.answer], values(answer))
        assert answer.flags & dns.flags.AA


def test_kinds_of_absence_are_distinguished(net):
    net.put("there.dao.example", values=["203.0.113.1"])
    nodata, nxdomain = net.ask("there.dao.example", "AAAA"), net.ask("not-there.dao.example")
    assert (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) == (nodata.rcode(), nxdomain.rcode())
    assert ["dao.example.", "dao.example."] == [str(one.authority[0].name) for one in (nodata, nxdomain)]


def test_types_that_name_hosts_are_absolute_however_they_were_written(net):
    net.put("dao.example", "MX", values=["10 mail.dao.example"])
    net.put("dao.example", "CAA", values=['0 issue "letsencrypt.org"'])
    assert ["10 mail.dao.example."] == values(net.ask("dao.example", "MX"))
    assert ['0 issue "letsencrypt.org"'] == values(net.ask("dao.example", "CAA"))
    assert 4 == len(values(net.ask("dao.example", "NS")))
    assert 1 == len(values(net.ask("dao.example", "SOA")))


def test_cnames_are_followed_out_of_the_zone_to_names_of_the_world(net):
    net.state.publish_host("gateway.example", "198.51.100.77")
    net.put("link.dao.example", "CNAME", values=["Gateway.example"])
    assert ["gateway.example.", "198.51.100.77"] == [one.lower() for one in values(net.ask("link.dao.example"))]


def test_the_zone_of_a_closed_account_is_refused_and_that_of_a_suspended_one_answers(net):
    net.state.publish_host("elsewhere.example", "198.51.100.78")
    net.put("closed.dao.example", values=["203.0.113.9"])
    assert ["203.0.113.9"] == values(net.ask("closed.dao.example"))
    net.state.start_fault("aws-account-suspended")
    try:
        assert ["203.0.113.9"] == values(net.ask("closed.dao.example"))
    finally:
        net.state.end_fault("aws-account-suspended")
    net.state.start_fault("aws-account-closed")
    try:
        for name in ("closed.dao.example", "not-there.dao.example", "dao.example"):
            answer = net.ask(name)
            assert (dns.rcode.REFUSED, 0, []) == (answer.rcode(), answer.flags & dns.flags.AA, answer.answer)
        assert ["198.51.100.78"] == values(net.ask("elsewhere.example"))
    finally:
        net.state.end_fault("aws-account-closed")
    assert ["203.0.113.9"] == values(net.ask("closed.dao.example"))


def test_too_much_for_a_datagram_is_had_over_tcp(net):
    net.put("many.dao.example", "TXT", values=[f'"{n:03}{"x" * 200}"' for n in range(20)])
    assert net.ask("many.dao.example", "TXT").flags & dns.flags.TC
    assert 20 == len(values(net.ask("many.dao.example", "TXT", dns.query.tcp)))


def test_rubbish_does_not_end_the_server(net):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for rubbish in (b"", b"\0", os.urandom(200)):
            sender.sendto(rubbish, ("127.0.0.1", net.state.port("dns")))
    assert dns.rcode.NOERROR == net.ask("dao.example", "SOA").rcode()


def check_of(net, host, **config):
    shape = {"Type": "HTTP", "Port": 80, "FullyQualifiedDomainName": host, "RequestInterval": 10, "FailureThreshold": 1}
    made = net.route53.create_health_check(CallerReference=host, HealthCheckConfig=shape | config)
    return made["HealthCheck"]["Id"]


def shown(net, check):
    return json.loads((net.state.root / "health.json").read_text()).get(check, {})


def test_a_sick_primary_hands_over_to_the_secondary_and_takes_back(net, peer):
    net.state.publish_route("203.0.113.21", 80, peer.port)
    net.put("direct.dao.example", values=["203.0.113.21"])
    check = check_of(net, "direct.dao.example", Type="HTTP_STR_MATCH", ResourcePath="/healthz", SearchString="5555")
    net.put("fail.dao.example", values=["203.0.113.21"], SetIdentifier="p", Failover="PRIMARY", HealthCheckId=check)
    net.put("fail.dao.example", values=["203.0.113.22"], SetIdentifier="s", Failover="SECONDARY")
    assert until(lambda: shown(net, check).get("healthy") and peer.seen)
    assert ["203.0.113.21"] == values(net.ask("fail.dao.example"))
    peer.body = b"not what it should be"
    assert until(lambda: values(net.ask("fail.dao.example")) == ["203.0.113.22"])
    assert not shown(net, check)["healthy"]
    peer.body = VERSION.encode()
    assert until(lambda: values(net.ask("fail.dao.example")) == ["203.0.113.21"])
    path, headers, _ = peer.seen[-1]
    assert ("/healthz", "direct.dao.example") == (path, headers["host"])


def test_a_check_over_https_believes_any_certificate_as_the_real_one_does(net, tmp_path):
    stranger = Authority(State(tmp_path / "stranger"))
    names = []
    context = stranger.context(("wrong.example",))
    context.sni_callback = lambda _, name, __: names.append(name)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = Loopback(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    net.state.publish_route("203.0.113.31", 443, server.server_address[1])
    check = check_of(net, "tls.dao.example", Type="HTTPS", Port=443, IPAddress="203.0.113.31")
    assert until(lambda: "status 204" in json.dumps(shown(net, check)))
    assert "tls.dao.example" in names
    server.shutdown()
    server.server_close()


def test_the_visitor_keeps_an_address_for_its_ttl_and_writes_down_what_fails(net, peer):
    net.state.publish_route("203.0.113.61", 80, peer.port)
    net.put("visited.dao.example", values=["203.0.113.61"], TTL=4)
    visitor = Visitor("http://visited.dao.example/healthz", net.state)
    visitor.start()
    assert until(lambda: visitor.samples)
    net.state.publish_route("203.0.113.62", 80, peer.port)
    net.put("visited.dao.example", values=["203.0.113.62"], TTL=4)
    net.state.withdraw_route("203.0.113.61", 80)
    assert until(lambda: visitor.samples[-1].ok and visitor.samples[-1].address == "203.0.113.62")
    visitor.stop()
    first, last = visitor.samples[0], visitor.samples[-1]
    assert (True, VERSION, "203.0.113.61") == (first.ok, first.version, first.address)
    failed = visitor.failed(first.time, last.time)
    assert {"203.0.113.61"} == {one.address for one in failed}
    assert visitor.outage() == last.time - failed[0].time
