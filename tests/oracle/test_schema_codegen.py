"""The provider's schema through the engine's own binder and generators, and the generated Go through its compiler.

The generated TypeScript is not compiled: that would take Pulumi's SDK for Node.js.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from components.errors import UnmoorError
from components.provider import schema
from sandbox.engine import resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULES = resolve._MODULES / "pulumi"
TYPES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean"}


@pytest.fixture(scope="module")
def generate() -> Callable[[dict[str, Any], Path], subprocess.CompletedProcess[str]]:
    try:
        program = resolve.codegen()
    except UnmoorError as error:
        pytest.skip(str(error))

    def run(package: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
        (folder / "schema.json").write_text(json.dumps({**package, "version": "1.2.3"}))
        words = [str(program), str(folder / "schema.json"), str(folder)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def generated(generate: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    done = generate(schema.package(), folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_a_schema_that_is_wrong_is_refused(generate: Callable[..., Any], tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(schema.package()))
    wrong["resources"]["unmoor:akash:Deployment"]["required"].append("nothing")
    done = generate(wrong, tmp_path)
    assert done.returncode == 1
    assert "nothing" in done.stderr


@pytest.mark.parametrize("token", schema.package()["resources"])
def test_typescript_has_every_input_and_output_with_its_type(generated: Path, token: str) -> None:
    of = schema.resource(token)
    _, module, name = token.split(":")
    text = (generated / "nodejs" / module / f"{name[:1].lower()}{name[1:]}.ts").read_text()
    outputs = dict(re.findall(r"declare public (?:/\*out\*/ )?readonly (\w+): pulumi\.Output<(.+)>;", text))
    optional = {each: "" if each in of["required"] else " | undefined" for each in of["properties"]}
    assert outputs == {each: typescript(of["properties"][each]) + optional[each] for each in of["properties"]}
    arguments = text[text.index(f"interface {name}Args") :]
    needed = {each: mark == "" for each, mark in re.findall(r"^    (\w+)(\??): pulumi\.Input", arguments, re.MULTILINE)}
    assert needed == {each: each in of["requiredInputs"] for each in of["inputProperties"]}


def typescript(of: dict[str, Any]) -> str:
    if "$ref" in of:
        return "any"
    if of["type"] == "array":
        return f"{typescript(of['items'])}[]"
    if of["type"] == "object":
        return f"{{[key: string]: {typescript(of['additionalProperties'])}}}"
    return TYPES[of["type"]]


USER = """
package main

import (
	"example.com/pulumi-unmoor/sdk/go/unmoor/akash"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		app, err := akash.NewDeployment(ctx, "app", &akash.DeploymentArgs{
			Name:    pulumi.String("app.dev"),
			Service: pulumi.String("web"),
			Sdl:     pulumi.Map{"version": pulumi.String("2.0")},
			Avoid:   pulumi.ToStringArray([]string{"akash1host"}),
		})
		if err != nil {
			return err
		}
		var price pulumi.Float64Output = app.UsdMonth
		ctx.Export("usdMonth", price)
		ctx.Export("hostUri", app.HostUri)
		return nil
	})
}
"""


@pytest.mark.timeout(600)
def test_the_generated_go_compiles_and_so_does_a_program_that_uses_it(generated: Path) -> None:
    """Slow once (75 s on two busy cores, the SDK is compiled), 8 s after."""
    module = generated / "go"
    pinned = (MODULES / "go.mod").read_text().replace("module engine", "module example.com/pulumi-unmoor/sdk/go", 1)
    (module / "go.mod").write_text(pinned)
    shutil.copy(MODULES / "go.sum", module / "go.sum")
    (module / "cmd").mkdir()
    (module / "cmd" / "main.go").write_text(USER)
    words = [str(resolve._go()), *(word.replace("readonly", "mod") for word in resolve.GO_BUILD), "./..."]
    done = subprocess.run(words, cwd=module, env=resolve._go_environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
