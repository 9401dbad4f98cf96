"""The sandbox's certificate authority: made once in the state folder, and its certificates."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import ssl
from functools import cached_property
from typing import TYPE_CHECKING

import trustme

from ..state import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..state import State

CERTIFICATE_DAYS = 90
_ORGANIZATION = "unmoor sandbox"
#: Certificates are valid from a little before their creation, as public authorities do against clock skew.
BACKDATED = dt.timedelta(hours=1)
#: Longer names do not fit a common name (RFC 5280 ub-common-name); verifiers look at the alternative names anyway.
LONGEST_COMMON_NAME = 64


class Authority:
    """Issues certificates that everything in the sandbox trusts. The first user creates the authority."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.root.mkdir(parents=True, exist_ok=True)
        with _alone(state.root / "ca.lock"):
            if not state.ca_key.exists():
                self._make()
        self._authority = trustme.CA.from_pem(state.ca.read_bytes(), state.ca_key.read_bytes())

    def _make(self) -> None:
        made = trustme.CA(organization_name=_ORGANIZATION, organization_unit_name="root")
        pem = made.cert_pem.bytes().decode()
        write(self._state.ca, pem)
        write(self._state.ca_bundle, pem)
        # Written last, because its existence means that the authority is complete; `write` makes files of mode 0600.
        write(self._state.ca_key, made.private_key_pem.bytes().decode())

    def trust(self, pem: str) -> None:
        """Let everything in the sandbox trust another root too; the same one twice is in the bundle once."""
        with _alone(self._state.root / "ca.lock"):
            bundle = self._state.ca_bundle.read_text()
            if pem.strip() not in bundle:
                write(self._state.ca_bundle, f"{bundle.rstrip()}\n{pem.strip()}\n")

    def certificate(
        self, names: Sequence[str], *, days: float = CERTIFICATE_DAYS, since: dt.datetime | None = None
    ) -> tuple[str, str]:
        """Issue a certificate for DNS names (`*.` too) or IP addresses: (certificate, key), both PEM.

        It is valid for `days` from `since` (now, a little backdated), so `since` in the past gives an expired one.
        """
        made = self._issue(names, days, since)
        return made.cert_chain_pems[0].bytes().decode(), made.private_key_pem.bytes().decode()

    def context(
        self, names: Sequence[str], *, days: float = CERTIFICATE_DAYS, since: dt.datetime | None = None
    ) -> ssl.SSLContext:
        """Return a server's TLS (1.2 and up, HTTP/1.1) with a fresh certificate for the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._issue(names, days, since).configure_cert(context)
        return context

    def _issue(self, names: Sequence[str], days: float, since: dt.datetime | None) -> trustme.LeafCert:
        start = since or dt.datetime.now(dt.UTC) - BACKDATED
        return self._authority.issue_cert(
            *names,
            common_name=names[0] if len(names[0]) <= LONGEST_COMMON_NAME else _ORGANIZATION,
            organization_name=_ORGANIZATION,
            not_before=start,
            not_after=start + dt.timedelta(days=days),
        )

    @cached_property
    def client(self) -> ssl.SSLContext:
        """A client's TLS that trusts this authority alone."""
        return ssl.create_default_context(cafile=self._state.ca)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that one process at a time has."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
