"""The sandbox's validating resolver starts although another program has the port that it was given."""

from __future__ import annotations

import os
import shutil
from types import SimpleNamespace

import pytest

from components.dns.powerdns import bundle
from sandbox.validating import validating
from tests.contract.containers import until
from tests.contract.powerdns import (
    MISSING,
    NO_RESOLVER,
    SERVERS,
    ZONE,
    NameServer,
    Signer,
    ds_of,
    key_file,
    store,
    zone_rows,
)

pytestmark = pytest.mark.skipif(bool(MISSING or NO_RESOLVER), reason=MISSING or NO_RESOLVER or "")


def test_a_resolver_that_ends_at_once_is_started_at_another_port(tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    script = f'#!/bin/sh\n[ -e {tools}/ran ] || {{ touch {tools}/ran; exit 1; }}\nexec {shutil.which("unbound")} "$@"\n'
    (tools / "unbound").write_text(script)
    (tools / "unbound").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    signer, key = Signer(tmp_path / "signer"), key_file(tmp_path / "key")
    server = NameServer(tmp_path / "server", "127.0.0.1")
    with store(tmp_path / "store") as bundles:
        made = bundle.make(ZONE, 1, SERVERS, zone_rows(1), [])
        bundles.put(made, signer.sign(made.raw))
        try:
            server.keep([bundles], signer, "--key", str(key))
            server.start()
            until(lambda: server.serial() == 1 or None, "the zone")
            given = {"servers": {SERVERS[0]: server.address}, "ds": [ds_of(server)]}
            state = SimpleNamespace(delegation=lambda _: given, port=lambda _: server.port)
            with validating(state, ZONE, tmp_path / "unbound") as resolver:
                assert resolver.addresses("n0.dao.example") == ("192.0.2.1",)
        finally:
            server.stop()
    assert (tools / "ran").exists()
