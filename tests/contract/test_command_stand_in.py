"""The `command` stand-in against pulumi-command v1.2.1, as its source reads and as `pulumi_command` names things.

It cannot prove what the real plugin does on a cancel: there only the shell is killed.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components.provider.stubs import provider_pb2
from components.provider.wire import UNKNOWN, decode, encode
from sandbox.command.resource import INPUTS, LOGGING, TOKEN

from .plugin_client import EngineError, Plugin, running, urn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with running("sandbox.command", {"OUTSIDE": "world"}) as plugin:
        plugin.configure()
        yield plugin


def test_the_inputs_are_those_of_the_official_class() -> None:
    import pulumi_command
    from pulumi._types import input_type_py_to_pulumi_names

    assert set(INPUTS) == set(input_type_py_to_pulumi_names(pulumi_command.local.CommandArgs).values())
    assert set(LOGGING) == {member.value for member in pulumi_command.local.Logging}
    assert f"'{TOKEN}'" in inspect.getsource(pulumi_command.local.Command)


def test_a_command_runs_in_a_shell_with_both_streams_kept(plugin: Plugin) -> None:
    stood = plugin.create(TOKEN, "it", {"create": "printf 'a\\nb\\n\\n'; echo no >&2; echo $OUTSIDE >&2"})
    assert (stood.outputs["stdout"], stood.outputs["stderr"]) == ("a\nb\n", "no\nworld")
    assert stood.id.startswith("it")
    assert len(stood.id) == len("it") + 8


def test_stdin_environment_dir_and_interpreter_reach_it(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {
        "create": "import os, sys; print(sys.stdin.read(), os.environ['NAME'], os.getcwd())",
        "stdin": "in",
        "environment": {"NAME": "x"},
        "dir": str(tmp_path),
        "interpreter": ["python3", "-c"],
    }
    assert plugin.create(TOKEN, "it", inputs).outputs["stdout"] == f"in x {tmp_path}"


def test_a_preview_runs_nothing_and_knows_no_output(plugin: Plugin, tmp_path: Path) -> None:
    outputs = plugin.preview(TOKEN, "it", {"create": f"touch {tmp_path}/ran"})
    assert outputs == {"create": f"touch {tmp_path}/ran", "stdout": UNKNOWN, "stderr": UNKNOWN}
    assert not (tmp_path / "ran").exists()


def test_nothing_to_run_is_fine(plugin: Plugin) -> None:
    assert plugin.create(TOKEN, "it", {"delete": "true"}).outputs["stdout"] == ""


@pytest.mark.parametrize("name", ["create", "delete", "environment", "dir", "logging", "stdin"])
def test_any_changed_input_is_an_update(plugin: Plugin, name: str) -> None:
    values: dict[str, tuple[Any, Any]] = {"environment": ({"A": "1"}, {"A": "2"}), "logging": ("none", "stdout")}
    before, after = values.get(name, ("true", "true #") if name != "dir" else ("/", "/tmp"))
    stood = plugin.create(TOKEN, "it", {"create": "true", name: before})
    assert plugin.diff(stood, {"create": "true", name: after}) == {name: "UPDATE"}


def test_triggers_always_replace(plugin: Plugin) -> None:
    stood = plugin.create(TOKEN, "it", {"create": "true", "update": "true", "triggers": [1]})
    assert plugin.diff(stood, {"create": "true", "update": "true", "triggers": [2]}) == {"triggers": "UPDATE_REPLACE"}
    assert plugin.diff(stood, {"create": "true", "update": "true"}) == {"triggers": "DELETE_REPLACE"}


def test_an_update_without_its_own_text_runs_create_again(plugin: Plugin) -> None:
    stood = plugin.create(TOKEN, "it", {"create": "echo $N", "environment": {"N": "1"}})
    assert plugin.update(stood, {"create": "echo $N", "environment": {"N": "2"}}).outputs["stdout"] == "2"


def test_update_and_delete_get_the_previous_output(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {"create": "echo one", "update": "echo $PULUMI_COMMAND_STDOUT two", "stdin": "x"}
    stood = plugin.update(plugin.create(TOKEN, "it", inputs), {**inputs, "stdin": "y"})
    assert stood.outputs["stdout"] == "one two"
    inputs["delete"] = f'echo "$PULUMI_COMMAND_STDOUT" > {tmp_path}/gone; cat >> {tmp_path}/gone'
    plugin.delete(plugin.update(stood, inputs))
    assert (tmp_path / "gone").read_text() == "one two two\nx"


def test_the_previous_output_stays_out_when_asked(plugin: Plugin) -> None:
    inputs = {"create": "echo [$PULUMI_COMMAND_STDOUT]", "addPreviousOutputInEnv": False}
    stood = plugin.create(TOKEN, "it", inputs)
    assert plugin.update(stood, {**inputs, "stdin": "x"}).outputs["stdout"] == "[]"


def test_a_preview_of_an_update_loses_the_output_only_when_a_former_input_changed(plugin: Plugin) -> None:
    stood = plugin.create(TOKEN, "it", {"create": "echo one"})
    added = plugin.update(stood, {"create": "echo one", "stdin": "new"}, preview=True)
    changed = plugin.update(stood, {"create": "echo two"}, preview=True)
    assert (added.outputs["stdout"], changed.outputs["stdout"]) == ("one", UNKNOWN)


def test_a_failure_shows_the_command_and_all_its_output(plugin: Plugin) -> None:
    with pytest.raises(EngineError) as error:
        plugin.create(TOKEN, "it", {"create": "echo out; echo err >&2; exit 3", "logging": "none"})
    assert str(error.value).startswith('exit status 3: running "echo out; echo err >&2; exit 3":\n')
    assert sorted(str(error.value).splitlines()[1:]) == ["err", "out"]


def test_a_secret_input_makes_the_output_secret(plugin: Plugin) -> None:
    properties = encode({"create": "echo $T", "environment": {"T": "t"}}, {("environment", "T")})
    request = provider_pb2.CreateRequest(urn=urn(TOKEN, "it"), properties=properties)
    outputs, secrets = decode(plugin.call("Create", request).properties)
    assert outputs["stdout"] == "t"
    assert secrets == {("environment", "T"), ("stdout",), ("stderr",)}


def test_a_refresh_sees_nothing(plugin: Plugin) -> None:
    stood = plugin.create(TOKEN, "it", {"create": "echo one"})
    assert plugin.read(stood) == stood


def test_every_wrong_input_is_named_at_once(plugin: Plugin) -> None:
    news = {"craete": "x", "create": 1, "logging": "loud", "environment": {"A": 1}, "assetPaths": ["*"]}
    assert plugin.refused(TOKEN, news) == {
        "craete": f"no such property; choose from {', '.join(sorted(INPUTS))}",
        "create": "must be a string, not int",
        "logging": "'loud' is not one of stdout, stderr, stdoutAndStderr, none",
        "environment.A": "must be a string, not int",
        "assetPaths": "the sandbox's command plugin collects no files",
    }


def test_a_long_line_fails_where_the_real_plugin_would_hang(plugin: Plugin) -> None:
    inputs = {"create": "head -c 70000 /dev/zero | tr '\\0' x"}
    with pytest.raises(EngineError, match="hangs here for ever; set logging to none"):
        plugin.create(TOKEN, "it", inputs)
    assert len(plugin.create(TOKEN, "it", {**inputs, "logging": "none"}).outputs["stdout"]) == 70000


def test_a_time_limit_ends_the_children_too(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {"create": f"sleep 600 & echo $! > {tmp_path}/child; wait"}
    with pytest.raises(EngineError, match="context deadline exceeded"):
        plugin.create(TOKEN, "it", inputs, timeout=1)
    assert _gone(int((tmp_path / "child").read_text()))


def _cancel(plugin: Plugin) -> None:
    plugin.call("Cancel", provider_pb2.google_dot_protobuf_dot_empty__pb2.Empty())


@pytest.mark.parametrize("end", [_cancel, Plugin.hang_up], ids=["a cancel", "a killed engine"])
def test_the_children_end_with(end: Callable[[Plugin], Any], tmp_path: Path) -> None:
    said: list[str] = []
    with running("sandbox.command") as plugin:

        def create() -> None:
            try:
                plugin.create(TOKEN, "it", {"create": f"sleep 600 & echo $! > {tmp_path}/child; wait"})
            except EngineError as error:
                said.append(str(error))

        thread = threading.Thread(target=create)
        thread.start()
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
            time.sleep(0.05)
        end(plugin)
        thread.join(30)
        assert _gone(int((tmp_path / "child").read_text()))
    assert len(said) == 1
    assert end is not _cancel or said[0].startswith("context canceled")


def _gone(process: int) -> bool:
    for _ in range(100):
        stat = Path(f"/proc/{process}/stat")
        if stat.parent.parent.exists() and Path("/proc/self").exists():
            if not stat.exists() or stat.read_text().split()[2] == "Z":
                return True
        else:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return True
        time.sleep(0.05)
    return False
