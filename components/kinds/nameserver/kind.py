"""The kind `nameserver`: the name servers of the stack's own, which the setting `dns.servers` places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...config import own_names
from ...dns import records
from ...dns.powerdns import csk
from ...errors import ConfigError, Fault
from ...kind import Kind, Rollout, State
from ...release import Release
from .akash import OnAkash
from .options import NameserverOptions

if TYPE_CHECKING:
    from pathlib import Path

#: The file of a project with the zone's records that are not the stack's.
_RECORDS = f"stacks/{records.FILE}"


class Nameserver(Kind[NameserverOptions]):
    """Name servers. Their release is a hash of their settings; the zone's records are its data."""

    name = own_names.KIND
    options = NameserverOptions
    state = State.NONE
    rollout = Rollout.ONE_BY_ONE
    needs_host = False
    written = False
    on = {"akash": OnAkash()}  # noqa: RUF012 it is never changed

    def release(self, options: NameserverOptions, root: Path) -> Release:
        """Return the release, with the records of `stacks/zone.yaml` as data if the file exists."""
        try:
            found = records.load(root / _RECORDS, options.zone)
        except FileNotFoundError:
            found = []
        except ConfigError as error:
            faults = error.faults or (Fault("", error.title),)
            raise ConfigError(error.title, [Fault(_RECORDS, str(fault)) for fault in faults]) from None
        plain = [{"host": each.host, "type": each.type, "ttl": each.ttl, "values": list(each.values)} for each in found]
        return Release(options.identity(), plain)

    def secrets(self, options: NameserverOptions) -> dict[str, str]:  # noqa: ARG002 the same for all
        """Return the variable that holds the zone's signing key."""
        return {"key": csk.VARIABLE}


KIND = Nameserver()
