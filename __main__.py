"""The Pulumi program: read the stack file, plan it, deploy the plan."""

import gc
from pathlib import Path

import pulumi
from pulumi.runtime import config as runtime_config

from components.deploy import credentials
from components.deploy.workload import deploy
from components.errors import UnmoorError
from components.plan.stack import from_pulumi
from components.project import registry
from components.review import state

# What is loaded here, most of it pulumi_aws, is needed to the end: to look for garbage in it takes longer than to plan.
gc.disable()

try:
    known = registry(Path.cwd())
    topology = from_pulumi(
        {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()},
        known,
        Path.cwd(),
        runtime_config.get_config_secret_keys_env(),
    )
    if not pulumi.runtime.is_dry_run():
        credentials.demand(topology, known)
    approved = state.demand(topology)
    outputs = deploy(topology, known) | approved
except UnmoorError as error:
    # An operator's mistake is a sentence, not a traceback.
    raise pulumi.RunError(str(error)) from None

for name, value in outputs.items():
    pulumi.export(name, value)

# Nor does the interpreter look through all of it as it ends.
gc.freeze()
