"""Our web server over HTTPS: certificates from a real ACME server, asked for through the other site too.

Cannot prove that a public authority accepts CloudFront in between; here the other site is Caddy as well.
"""

from __future__ import annotations

import datetime as dt
import re
import socket
import ssl
import subprocess
import warnings

import pytest

from components.probe.client import visit
from components.web.caddy.server import front
from tests.contract.authority import self_signed
from tests.contract.containers import folder_in, until, web_server
from tests.contract.test_web_server_folder import FILES, packed

#: How the script reads a time out.
FORM, TIME = "%Y-%m-%d %H:%M UTC", r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
HOST, FIRST, SECOND = "docs.dao.example", "docs-akash.dao.example", "docs-akash-2.dao.example"


@pytest.fixture
def secure(container, authority, shelves, tmp_path, monkeypatch):
    """Make a container for a direct name whose peer is another; its certificates are trusted by this process too."""
    version, tar = packed(tmp_path / "site")
    shelves[0].hold(version, tar)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trust))

    def make(direct=FIRST, peer=SECOND, directory=authority.directory, others=(), **environment):
        names = {"site_host": direct, "peer": peer, "redirect_from": others}
        made = container(
            web_server(version, folder_in(shelves[0]), "https", acme_directory=directory, **names),
            **{"SSL_CERT_FILE": str(authority.trust)}
            | dict.fromkeys(("HTTP_PROXY", "http_proxy"), f"http://127.0.0.1:{authority.street.server_port}")
            | environment,
        )
        authority.street.doors[direct] = made.http_port
        return made

    make.version = version
    make.doors = authority.street.doors
    make.seen = authority.street.seen
    return make


def asked(made, name, path="/"):
    return visit(f"https://{name}:{made.https_port}{path}", "127.0.0.1")


def settled(made, direct):
    """Wait until the web server has the certificate of its own name: until then it may reload its configuration.

    Caddy opens a new listener for each configuration, and resets connections that the old one has not accepted yet. The
    site may be well before that, but a single request at that moment gets no answer.
    """
    until(lambda: asked(made, direct).status, f"HTTPS for {direct}")


def kept(made):
    """Return the names whose certificates are on its volume."""
    return {path.stem for path in (made.folder / "data").glob("caddy/certificates/*/*/*.crt")}


def test_a_fresh_site_gets_both_certificates_and_browsers_accept_them(secure):
    made = secure()
    secure.doors[HOST] = made.http_port
    made.start().ready()
    for name in (HOST, FIRST):
        page = until(lambda name=name: (p := asked(made, name)).status and p, f"HTTPS for {name}")
        assert (page.status, page.body) == (200, FILES["index.html"])
        assert page.certificate.names == (name,)
    assert asked(made, HOST, "/healthz").body == secure.version


def test_a_standby_gets_the_certificate_of_the_public_host_through_the_primary(secure):
    """The authority asks the primary, which does not know the token, and passes the question on."""
    primary, standby = secure(FIRST, SECOND), secure(SECOND, FIRST)
    secure.doors[HOST] = primary.http_port
    primary.start()
    standby.start()
    primary.ready()
    standby.ready()
    assert HOST in kept(standby)
    settled(standby, SECOND)
    assert asked(standby, HOST).certificate.names == (HOST,)
    assert any(host == SECOND and path.startswith("/.well-known/acme-challenge/") for host, path in secure.seen)


def test_another_host_has_a_certificate_once_it_leads_here_and_hinders_nothing_before(secure):
    """It has no visitors before, so a site is well without."""
    made = secure(others=("www.dao.example", "dao.example"))
    secure.doors[HOST] = made.http_port
    made.start().ready()
    assert asked(made, "www.dao.example").status == 0
    secure.doors["www.dao.example"] = made.http_port
    page = until(lambda: (p := asked(made, "www.dao.example", "/a?b")).status and p, "HTTPS for another host")
    assert (page.status, page.certificate.names) == (301, ("www.dao.example",))
    assert asked(made, "dao.example").status == 0
    made.ready()


def test_a_standby_is_well_only_with_the_certificates_of_all_hosts_that_the_primary_answers(secure):
    """Its records may follow at once."""
    primary, standby = (secure(*names, others=("www.dao.example",)) for names in ((FIRST, SECOND), (SECOND, FIRST)))
    secure.doors |= dict.fromkeys((HOST, "www.dao.example"), primary.http_port)
    primary.start()
    standby.start().ready()
    assert {HOST, "www.dao.example"} <= kept(standby)
    settled(standby, SECOND)
    assert asked(standby, "www.dao.example").certificate.names == ("www.dao.example",)


def test_health_fails_with_the_reason_until_there_is_a_certificate(secure):
    made = secure(directory="https://localhost:9/dir")
    secure.doors[HOST] = made.http_port
    made.start()
    shown = until(lambda: (output := made.get("/healthz").text).count("does not answer") and output, "the reason")
    assert shown == (
        f"there is no certificate for {HOST} yet; the authority https://localhost:9/dir does not answer\n"
        f"serving {secure.version}\n"
    )


def test_health_reports_challenges_that_do_not_come_here_and_the_issuer_is_not_asked_in_vain(secure):
    """A failed validation costs a minute, and five of them an hour."""
    made = secure()
    made.start()
    shown = until(lambda: (output := made.get("/healthz").text).count("challenges") and output, "the reason")
    assert shown == (
        f"there is no certificate for {HOST} yet: its challenges do not come here; the site that answers {HOST} must"
        f" pass /.well-known/acme-challenge/* on to {FIRST}\nserving {secure.version}\n"
    )
    assert [line for line in made.log().splitlines() if f'"identifier":"{HOST}"' in line] == []
    secure.doors[HOST] = made.http_port
    made.ready()


def test_a_restart_keeps_the_certificates_of_its_volume(secure):
    made = secure()
    secure.doors[HOST] = made.http_port
    made.start().ready()
    before = [path.read_text() for path in sorted((made.folder / "data").glob("caddy/certificates/*/*/*.crt"))]
    made.stop()
    del secure.doors[HOST], secure.doors[FIRST]
    made.start().ready()
    assert asked(made, HOST).certificate.names == (HOST,)
    assert [path.read_text() for path in sorted((made.folder / "data").glob("caddy/certificates/*/*/*.crt"))] == before


def test_plain_http_leads_to_https_and_keeps_only_health_and_challenges(secure):
    made = secure().start()
    settled(made, FIRST)
    for host, path, target in (
        (HOST, "/guide/?q=1", f"https://{HOST}/guide/?q=1"),
        (FIRST, "/", f"https://{FIRST}/"),
        ("203.0.113.7", "/x", f"https://{HOST}/x"),
        ("evil.example", "/x", f"https://{HOST}/x"),
    ):
        answer = made.get(path, headers={"Host": host})
        assert (answer.status_code, answer.headers["location"]) == (308, target)


def test_a_question_without_an_answer_does_not_go_round_for_ever(secure):
    first, second = secure(FIRST, SECOND), secure(SECOND, FIRST)
    first.start()
    second.start()
    settled(first, FIRST)
    settled(second, SECOND)
    path = "/.well-known/acme-challenge/unknown"
    assert first.get(path, headers={"Host": HOST}).status_code == 404
    assert secure.seen.count((SECOND, path)) == 1
    assert secure.seen.count((FIRST, path)) == 1  # it may be a successor's name by now


def test_a_lease_passes_questions_on_to_its_successor(secure):
    """The site's own name leads to the new lease before the public host does; the other site does not stand."""
    old, new = secure(FIRST, SECOND), secure(FIRST, SECOND)
    secure.doors |= {HOST: old.http_port, FIRST: old.http_port}
    old.start().ready()
    secure.doors[FIRST] = new.http_port
    new.start().ready()
    assert HOST in kept(new)
    settled(new, FIRST)
    assert asked(new, HOST).certificate.names == (HOST,)


def test_the_own_certificate_is_judged_for_the_inside_only(secure, authority):
    """The judge is Caddy's TLS client, which trusts what the image trusts; here, not what this authority signs."""
    made = secure(SSL_CERT_FILE=str(authority.folder / "pebble.crt"))
    secure.doors[HOST] = made.http_port
    made.start()
    until(
        lambda: made.get("/healthz").text.startswith(f"the certificate for {HOST} is not valid for browsers\n"),
        f"the reason; {made.log()}",
    )


def functions():
    """Return the part of the script that judges certificates."""
    text = front()
    now = text[text.index("now() {") : text.index("# Caddy's configuration")]
    return f"{now}\n{text[text.index('certificates() {') : text.index('# Print what is wrong behind')]}"


WELL, NONE = "", f"there is no certificate for {HOST} yet"
ENDS = f"the certificate for {HOST} ends within 7 days and was not renewed; by the clock of its machine it is NOW"
LATER = f"the certificate for {HOST} is valid from TIME on, and by the clock of its machine it is NOW: one of the two"


@pytest.mark.parametrize(
    ("since", "days", "sentence"),
    [
        (0, None, NONE),
        (-60, -1, ENDS),
        (-60, 6.9, ENDS),
        (-60, 7.1, WELL),
        (-60, 300, WELL),
        (-0.01, 90, WELL),
        (0.01, 90, f"{LATER} is wrong"),
        (1, 90, f"{LATER} is wrong"),
    ],
)
def test_a_certificate_counts_as_a_fault_before_its_time_and_a_week_before_its_end(tmp_path, since, days, sentence):
    """Reads the dates with the image's tools; whether the certificate is trusted is asked of Caddy, not here."""
    if days is not None:
        folder = tmp_path / "caddy" / "certificates" / "an-authority" / HOST
        self_signed(HOST, folder / HOST, days=days, since=since)
        (folder / HOST).with_suffix(".crt").rename(folder / f"{HOST}.crt")
    now = dt.datetime.now(dt.UTC)
    done = subprocess.run(
        ["sh", "-uc", f"stands=' {HOST}=seen' OTHERS=\nwget() {{ true; }}\n{functions()}\ncertificate"],
        env={"XDG_DATA_HOME": str(tmp_path), "HOST": HOST, "HTTP_PORT": "80", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    times = [dt.datetime.strptime(found, FORM).replace(tzinfo=dt.UTC) for found in re.findall(TIME, done.stdout)]
    wanted = {"TIME": now + dt.timedelta(days=since), "NOW": now}
    named = [wanted[word] for word in re.findall("TIME|NOW", sentence)]
    assert all(abs(seen - meant) < dt.timedelta(minutes=2) for seen, meant in zip(times, named, strict=True))
    assert (re.sub(TIME, "", done.stdout).strip("\n"), done.stderr) == (re.sub("TIME|NOW", "", sentence), "")


def test_visitors_without_a_certificate_for_their_name_are_refused(secure):
    made = secure()
    secure.doors[HOST] = made.http_port
    made.start().ready()
    settled(made, FIRST)
    page = asked(made, "other.dao.example")
    assert page.fault.startswith("no TLS: it has no certificate for other.dao.example yet")


def test_visitors_speak_http_2_over_tls_1_2_or_newer(secure):
    made = secure()
    secure.doors[HOST] = made.http_port
    made.start().ready()
    settled(made, FIRST)
    offered = ssl.create_default_context()
    offered.set_alpn_protocols(["h2", "http/1.1"])
    with connected(made, offered) as line:
        assert (line.selected_alpn_protocol(), line.version()) == ("h2", "TLSv1.3")
    offered.maximum_version = ssl.TLSVersion.TLSv1_2
    with connected(made, offered) as line:
        assert line.version() == "TLSv1.2"
    old = ssl.create_default_context()
    old.set_ciphers("DEFAULT:@SECLEVEL=0")  # or our own side would refuse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        connected(made, old)


def connected(made, context):
    """Connect to the site as a visitor of the public host."""
    return context.wrap_socket(socket.create_connection(("127.0.0.1", made.https_port), 10), server_hostname=HOST)
