"""`local.Command`: when a command runs, with which text, and what a preview may show (commandController.go).

It cannot prove `assetPaths` and `archivePaths` (refused here), nor `remote.*` and `local.run` (not served).
"""

# ruff: noqa: ARG002, D102 the protocol's names; what each method does is described there

from __future__ import annotations

import secrets
from typing import Any

from components.provider.server import UNKNOWN, Change, Context, Diff, Failure, State

from .process import Run, perform

TOKEN = "command:local:Command"  # noqa: S105 a type token

_TEXT, _LIST, _MAP, _FLAG, _ANY = "a string", "a list", "a map of strings", "true or false", "a list"
#: Every input of CommandArgs and its shape.
INPUTS = {
    "addPreviousOutputInEnv": _FLAG,
    "archivePaths": _LIST,
    "assetPaths": _LIST,
    "create": _TEXT,
    "delete": _TEXT,
    "dir": _TEXT,
    "environment": _MAP,
    "interpreter": _LIST,
    "logging": _TEXT,
    "stdin": _TEXT,
    "triggers": _ANY,
    "update": _TEXT,
}
_TYPES: dict[str, type] = {_TEXT: str, _LIST: list, _MAP: dict, _FLAG: bool}
#: `logging` and the streams that it shows live.
LOGGING = {
    "stdout": frozenset({"stdout"}),
    "stderr": frozenset({"stderr"}),
    "stdoutAndStderr": frozenset({"stdout", "stderr"}),
    "none": frozenset(),
}
_NOT_HERE = ("archivePaths", "assetPaths")


class LocalCommand:
    """Runs `create`, `update` and `delete`, and remembers the last output."""

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        return news, [failure for name, value in news.items() for failure in _faults(name, value)]

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        changes = {}
        for name in sorted({*old_inputs, *news}):
            if name not in news:
                changes[name] = Change.DELETE_REPLACE if name == "triggers" else Change.DELETE
            elif name not in old_inputs:
                changes[name] = Change.ADD_REPLACE if name == "triggers" else Change.ADD
            elif old_inputs[name] != news[name]:
                changes[name] = Change.UPDATE_REPLACE if name == "triggers" else Change.UPDATE
        return Diff(changes)

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        if ctx.preview:
            return _state("", inputs, UNKNOWN, UNKNOWN, ctx)
        return self._run(f"{ctx.name}{secrets.token_hex(4)}", inputs.get("create"), inputs, {}, ctx)

    def update(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> State:
        if not ctx.preview:
            return self._run(id, news.get("update", news.get("create")), news, old_outputs, ctx)
        if any(news.get(name) != value for name, value in old_inputs.items()):
            return _state(id, news, UNKNOWN, UNKNOWN, ctx)
        return _state(id, news, old_outputs.get("stdout", ""), old_outputs.get("stderr", ""), ctx)

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        return State(id, outputs, inputs)  # there is nothing to observe: a refresh never sees drift

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        self._run(id, outputs.get("delete"), outputs, outputs, ctx)

    def _run(self, id: str, text: str | None, inputs: dict[str, Any], olds: dict[str, Any], ctx: Context) -> State:
        stdout, stderr = olds.get("stdout", ""), olds.get("stderr", "")
        if text is None:
            return _state(id, inputs, stdout, stderr, ctx)
        environment = dict(inputs.get("environment") or {})
        if inputs.get("addPreviousOutputInEnv", True):
            previous = {"PULUMI_COMMAND_STDOUT": stdout, "PULUMI_COMMAND_STDERR": stderr}
            environment |= {name: value for name, value in previous.items() if value}
        run = Run(
            text=text,
            interpreter=inputs.get("interpreter") or (),
            directory=inputs.get("dir"),
            environment=environment,
            stdin=inputs.get("stdin") or "",
            logged=LOGGING[inputs.get("logging", "stdoutAndStderr")],
        )
        stdout, stderr = perform(run, ctx.cancelled, ctx.timeout_s, ctx.log)
        return _state(id, inputs, stdout, stderr, ctx)


def _state(id: str, inputs: dict[str, Any], stdout: Any, stderr: Any, ctx: Context) -> State:
    outputs = {**inputs, "stdout": stdout, "stderr": stderr}
    return State(id, outputs, secret=("stdout", "stderr") if ctx.secret else ())


def _faults(name: str, value: Any) -> list[Failure]:
    if name not in INPUTS:
        return [Failure(name, f"no such property; choose from {', '.join(sorted(INPUTS))}")]
    if value is UNKNOWN:
        return []
    found = []
    if not isinstance(value, _TYPES[INPUTS[name]]):
        found.append(Failure(name, f"must be {INPUTS[name]}, not {type(value).__name__}"))
    elif name in _NOT_HERE:
        found.append(Failure(name, "the sandbox's command plugin collects no files"))
    elif name == "logging" and value not in LOGGING:
        found.append(Failure(name, f"'{value}' is not one of {', '.join(LOGGING)}"))
    elif isinstance(value, dict):
        wrong = {key: item for key, item in value.items() if item is not UNKNOWN and not isinstance(item, str)}
        found += [
            Failure(f"{name}.{key}", f"must be a string, not {type(item).__name__}") for key, item in wrong.items()
        ]
    return found
