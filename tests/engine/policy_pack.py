"""A policy pack on the engine's own protocol (`pulumi/analyzer.proto`), in place of the SDK of policies for Python.

The engine starts `pulumi-analyzer-policy-RUNTIME ENGINE_ADDRESS .` in the pack's folder for a runtime that is no
language plug-in (`NewPolicyAnalyzer` in the SDK's plugin/analyzer_plugin.go) and reads a port from its first line. It
has one mandatory rule: no resource is of the type in FORBIDDEN. What it is shown is appended to SEEN, one JSON object
a line.
"""

# ruff: noqa: N802  the protocol names and describes the methods

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

RUNTIME = "tests"
SEEN, FORBIDDEN = "seen.jsonl", "forbidden"


def make(folder: Path, forbidden: str) -> Path:
    """Make a pack that forbids a type of resource, and its program in a folder `bin` for PATH; return the pack."""
    pack, programs = folder / "pack", folder / "bin"
    for each in (pack, programs):
        each.mkdir(parents=True)
    (pack / "PulumiPolicy.yaml").write_text(f"runtime: {RUNTIME}\nversion: 1.0.0\ndescription: what a DAO forbids\n")
    (pack / FORBIDDEN).write_text(forbidden)
    program = programs / f"pulumi-analyzer-policy-{RUNTIME}"
    root = Path(__file__).parents[2]
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
        "from tests.engine.policy_pack import main\nmain()\n"
    )
    program.chmod(0o755)
    return pack


def seen(pack: Path) -> list[dict[str, Any]]:
    """Return the resources that a pack was shown: type, name and properties."""
    return [json.loads(line) for line in (pack / SEEN).read_text().splitlines()]


def main() -> None:
    """Serve the protocol until the engine ends this process."""
    import grpc
    from google.protobuf import empty_pb2, json_format
    from pulumi.runtime.proto import analyzer_pb2 as messages
    from pulumi.runtime.proto import analyzer_pb2_grpc as services
    from pulumi.runtime.proto import plugin_pb2

    forbidden, rule = Path(FORBIDDEN).read_text(), "no-forbidden-type"

    class Rules(services.AnalyzerServicer):
        def GetPluginInfo(self, *_: Any) -> Any:
            return plugin_pb2.PluginInfo(version="1.0.0")

        def GetAnalyzerInfo(self, *_: Any) -> Any:
            policy = messages.PolicyInfo(name=rule, enforcementLevel=messages.MANDATORY)
            return messages.AnalyzerInfo(name="dao", version="1.0.0", policies=[policy])

        def Configure(self, *_: Any) -> Any:
            return empty_pb2.Empty()

        def ConfigureStack(self, *_: Any) -> Any:
            return messages.AnalyzerStackConfigureResponse()

        def Analyze(self, request: Any, _: Any) -> Any:
            shown = {"type": request.type, "name": request.name}
            with Path(SEEN).open("a") as file:
                file.write(json.dumps(shown | {"properties": json_format.MessageToDict(request.properties)}) + "\n")
            wrong = messages.AnalyzeDiagnostic(
                policyName=rule, policyPackName="dao", policyPackVersion="1.0.0", urn=request.urn,
                message=f"the DAO forbids {request.type}", enforcementLevel=messages.MANDATORY,
            )  # fmt: skip
            return messages.AnalyzeResponse(diagnostics=[wrong] if request.type == forbidden else [])

        def AnalyzeStack(self, *_: Any) -> Any:
            return messages.AnalyzeResponse()

        def Remediate(self, *_: Any) -> Any:
            return messages.RemediateResponse()

    server = grpc.server(ThreadPoolExecutor(4))
    services.add_AnalyzerServicer_to_server(Rules(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
