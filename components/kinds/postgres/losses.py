"""What does not survive on a target, and what would not work there: rows of a service, and those of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Fault
from ..service import losses as of_services
from ..service.options import ServiceOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .options import PostgresOptions

AWS, AKASH = of_services.AWS, of_services.AKASH
#: Rows of a service that apply to the application here, by target; the others are about balancers, tasks and releases.
_SHARED = {
    AKASH: ("probes", "ports", "limits", "outgoing address", "IPv6", "secrets on Akash", "readers"),
    AWS: ("limits", "IPv6"),
}
_REFUSED = ("private network", "instance role", "private image")
_OWN = {
    AKASH: (
        (
            "its data ends with the lease: until the other site writes, or a new lease has restored it from a store, "
            "nothing does; what was not archived is lost"
        ),
        "the Akash provider can read all of its data",
    ),
    AWS: (
        (
            "its secrets lie in clear on its encrypted volume: who may read that volume or run commands on the machine "
            "can read them"
        ),
        "a machine that fails stands still until it is started again, or the other site is promoted",
    ),
}
_BOTH = (
    "a release ends the old containers before the new ones start: nothing is written or answered meanwhile",
    "the standby answers no visitor: where its writer is lost, nothing does until a person promotes the other site",
)


def sentences(options: PostgresOptions, target: str) -> Iterator[str]:
    """Return what does not survive on a target, one sentence each."""
    rows = {row.name: row for row in of_services.TABLE}
    yield from (rows[name].sentence for name in _SHARED[target])
    yield from _OWN[target]
    yield from _BOTH
    if options.database.fence == "relaxed":
        yield (
            "`fence: relaxed` lets it write on while the record's store is out of reach: if the other site is promoted "
            "then, both write, and what this one took is lost"
        )
    if options.database.retain_full is None:
        yield "no backup is ever deleted (`retain_full`), and the stores' bills grow"


def faults(options: PostgresOptions, target: str) -> Iterator[Fault]:
    """Return what would not work on a target, by path in the options."""
    application = ServiceOptions.model_construct(
        image=options.image, port=options.port, command=options.command, args=options.args, env=options.env, secrets={}
    )
    for row in of_services.TABLE:
        if target in row.targets and row.name in _REFUSED:
            yield from (Fault(path, row.sentence) for path in row.at(application))
