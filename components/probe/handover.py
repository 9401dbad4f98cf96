"""Hand an application's secrets to its lease: over TLS, at the address that the Akash provider shows for a live lease.

The certificate of the site's own name is validated, but that alone would trust a stranger: the next tenant of an
earlier lease's address can get such a certificate while the name still leads there. So the market is asked right
before, and the name is never resolved.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import operator_key
from ..deploy.credentials import secret
from ..errors import StepError, UnmoorError
from ..web.caddy.secrets import HANDOVER
from .client import visit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from ..targets.akash.market.observed import Observed

#: Seconds between two tries, and between handing over and asking which set was accepted.
_PAUSE, _TAKING = 2.0, 1.5
_ACCEPTED, _TAKEN = 202, 200
_NO_ADDRESS = "its Akash provider shows no address for it"


def _look(dseq: str) -> Observed:
    """Ask the market for a deployment."""
    from ..targets.akash.market.reconcile import WallClock
    from ..targets.akash.rails.console import ConsoleRail

    with ConsoleRail(WallClock(threading.Event())) as rail:
        return rail.look(dseq)


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    look: Callable[[str], Observed] = _look,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Hand over `secrets` (name → variable of `stack`) to deployment `dseq`, at its own name `host`.

    `service` is the service of its document that accepts them. The certificate is derived from `lease`. With `at` the
    addresses are the account's own, and no lease is looked up. It tries for `timeout_s` seconds, because a new lease
    gets its certificate only after a while. Raises ConfigError if a variable has no value, StepError with the last
    fault. No error and no result holds a value.
    """
    values = {name: secret(variable, given.get("stack", "")) for name, variable in given["secrets"].items()}
    body, digest = written(values)
    context = _with(operator_key.certificate(given["lease"]))
    end, last = clock() + float(given["timeout_s"]), ""
    while fault := _once(given, body, digest, context, look, sleep):
        if fault != last:
            report(f"waiting to hand over the secrets to {given['host']}: {fault}")
            last = fault
        if clock() + _PAUSE > end:
            within = f"{given['timeout_s']:.0f} s"
            raise StepError(f"{given['host']} did not take its secrets within {within}: {fault}")
        sleep(_PAUSE)
    return {"host": given["host"], "secrets": sorted(values)}


def written(values: Mapping[str, str]) -> tuple[bytes, str]:
    """Return the form that a web server accepts, as `secrets.sh` reads it, and the hash by which it names the set."""
    lines = "".join(f"{name}={base64.b64encode(values[name].encode()).decode()}\n" for name in sorted(values))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return f"{lines}sha256 {digest}".encode(), digest


def _once(
    given: Mapping[str, Any],
    body: bytes,
    digest: str,
    context: ssl.SSLContext,
    look: Callable[[str], Observed],
    sleep: Callable[[float], None],
) -> str:
    """Try once; return the fault, or "" if the site has accepted this set."""
    if given.get("at"):
        return _to(given["at"][0], given["host"], body, digest, context, sleep)
    try:
        seen = look(given["dseq"])
    except UnmoorError as error:
        return str(error)
    if seen.open is None or seen.lease is None or seen.lease.state != "active":
        return f"the market shows no live lease of deployment {given['dseq']}"
    addresses = seen.ips.get(given["service"]) or ()
    return _to(addresses[0], given["host"], body, digest, context, sleep) if addresses else _NO_ADDRESS


def _to(
    address: str, host: str, body: bytes, digest: str, context: ssl.SSLContext, sleep: Callable[[float], None]
) -> str:
    """Hand over to an address, unless it has this set; return the difficulty."""
    url = f"https://{host}{HANDOVER}"
    page = visit(url, address, context=context)
    if page.fault or (page.status == _TAKEN and page.body.strip() == digest):
        return page.fault
    page = visit(url, address, context=context, content=body)
    if page.fault:
        return page.fault
    if page.status != _ACCEPTED:
        why = f"its document has the hash of another certificate than the one that {operator_key.VARIABLE} gives"
        return f"it answers {page.status}: {why}"
    sleep(_TAKING)
    page = visit(url, address, context=context)
    return "" if page.body.strip() == digest else page.fault or "it has not taken them yet"


def _with(made: operator_key.Certificate) -> ssl.SSLContext:
    """Return a context that validates servers as browsers do, and shows a client certificate.

    OpenSSL reads keys only from files here, so the key lies in one for a moment, under a password that is used nowhere
    else.
    """
    import httpx
    from cryptography.hazmat.primitives import serialization

    password = secrets.token_bytes(32)
    sealed = made.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.hex().encode()),
    )
    context = httpx.create_ssl_context()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "operator.pem")
        file.touch(mode=0o600)
        file.write_bytes(made.certificate + sealed)
        context.load_cert_chain(file, password=password.hex())
    return context
