"""The Pulumi program: read the stack file, plan it, deploy the plan. A project's `__main__.py` calls `run`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def run() -> None:
    """Plan and deploy the stack that Pulumi has chosen, in the folder that it has chosen.

    Raises pulumi.RunError for an operator's mistake: a sentence, not a traceback.
    """
    # Most objects that are loaded here, mainly of pulumi_aws, live to the end. A garbage collection takes longer than
    # planning.
    gc.disable()
    import pulumi
    from pulumi.runtime import config

    from .config import held
    from .deploy import credentials, standing
    from .deploy.workload import deploy
    from .doctor import room
    from .doctor import run as doctor
    from .errors import UnmoorError
    from .plan.stack import from_pulumi
    from .project import registry
    from .review import state

    try:
        known = registry(Path.cwd())
        settings = {**config.get_config_env(), **config.CONFIG.get()}
        stack = pulumi.get_stack()
        sealed, own = config.get_config_secret_keys_env(), f"{pulumi.get_project()}/{stack}"
        topology = from_pulumi(settings, known, Path.cwd(), sealed, stack=stack)
        if not pulumi.runtime.is_dry_run():
            room.demand(Path.cwd())
            room.hold_for(Path.cwd(), lambda text: print(text, file=sys.stderr, flush=True))  # noqa: T201 the engine shows it
            values = held.of(settings, sealed)
            credentials.demand(topology, known, values)
            doctor.demand(topology, known, own)
            if values:
                held.offer(own, values)
        before = state.outputs()
        approved = state.demand(topology, before)
        taken = standing.demand(topology, known, before)
        left = standing.left(topology, known, before)
        outputs = deploy(topology, known, rounds=taken, left=left) | approved
    except UnmoorError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in outputs.items():
        pulumi.export(name, value)
    # Skip the collection at interpreter exit for the same reason.
    gc.freeze()
