"""A plugin of one resource, for the tests of the server: its inputs determine what it does."""

from __future__ import annotations

import time
from typing import Any

from components.errors import Fault, UnmoorError
from components.provider.server import UNKNOWN, Change, Context, Diff, Failure, Partial, State, serve


class Sample:
    """Keeps what it is given; `fail` names a way to fail, `wait` waits until it is cancelled."""

    def check(
        self, news: dict[str, Any], olds: dict[str, Any] | None, ctx: Context
    ) -> tuple[dict[str, Any], list[Failure]]:
        failures = [Failure("size", "must be positive"), Failure("color.hue", "no such color")]
        return {"name": f"{ctx.name}-{ctx.seed.hex()[:4]}", **news}, failures if news.get("size") == -1 else []

    def diff(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> Diff:
        changes = {}
        for key in sorted({*old_inputs, *news}):
            if key not in news:
                changes[key] = Change.DELETE
            elif old_inputs.get(key) != news[key]:
                changes[f"{key}.inner[0]" if key == "deep" else key] = (
                    Change.UPDATE_REPLACE if key == "name" else Change.UPDATE
                )
        return Diff(changes, delete_before_replace="name" in changes)

    def create(self, inputs: dict[str, Any], ctx: Context) -> State:
        if ctx.preview:
            return State("", {**inputs, "made": UNKNOWN})
        return self._done(f"id-{ctx.name}", inputs, ctx)

    def _done(self, id: str, inputs: dict[str, Any], ctx: Context) -> State:
        outputs = {**inputs, "made": f"{ctx.type}@{ctx.timeout_s:g}", "token": "hush", "kinds": _kinds(inputs)}
        state = State(id, outputs, secret=("token",))
        match inputs.get("fail"):
            case "partial":
                raise Partial(State(id, {**outputs, "size": 7}), ["not ready", "not yet"])
            case "operator":
                raise UnmoorError("it cannot be made", [Fault("size", "too big"), Fault("color", "too red")])
            case "bug":
                raise ZeroDivisionError("a bug")
            case "wait":
                assert ctx.cancelled.wait(30)
                raise UnmoorError("stopped when asked")
            case "hang":
                time.sleep(600)
        return state

    def read(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> State | None:
        if inputs.get("gone"):
            return None
        return State(id, {**outputs, "size": 9}, {**inputs, "size": 9})

    def update(
        self, id: str, old_inputs: dict[str, Any], old_outputs: dict[str, Any], news: dict[str, Any], ctx: Context
    ) -> State:
        return State(id, {**news, "was": old_inputs, "preview": ctx.preview})

    def delete(self, id: str, inputs: dict[str, Any], outputs: dict[str, Any], ctx: Context) -> None:
        if inputs.get("keep"):
            raise UnmoorError(f"{id} is in use")


def _kinds(value: Any) -> Any:
    return {key: type(item).__name__ for key, item in value.items()}


def _double(arguments: dict[str, Any]) -> tuple[dict[str, Any], list[Failure]]:
    if "n" not in arguments:
        return {}, [Failure("n", "is missing")]
    return {"n": arguments["n"] * 2}, []


def _configure(settings: dict[str, Any]) -> None:
    if settings.get("region") == "nowhere":
        raise UnmoorError("there is no region 'nowhere'")


if __name__ == "__main__":
    serve("sample", "1.2.3", {"sample:index:Thing": Sample()}, {"sample:index:double": _double}, _configure)
