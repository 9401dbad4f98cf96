"""The command line: one word for each task; a task's module is loaded only when it is called."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from . import __version__
from .errors import UnmoorError
from .text import device

#: Word → module under `commands/`, and one line of help. This table is the whole command line.
COMMANDS = {
    "init": "Write a first stack file, and what else a project needs. Start here.",
    "doctor": "Check what an update needs, and print how to mend what is not ready.",
    "policy": "Print the rights at AWS that a stack needs, and the trust for GitHub.",
    "plan": "Print what a stack file means: sites, records, steps and cost. Offline.",
    "review": "Show in Markdown what a change of stack files does, for a pull request.",
    "approve": "Record that a signer approved a plan.",
    "flip": "Change a workload's mode in its stack file, if the result can be planned.",
    "adopt": "Take over a host that is live elsewhere, or give it back.",
    "runbook": "Write, or execute, the steps for a workload from its plan.",
    "status": "Ask each site which release it serves, and how long its certificate is valid.",
    "drill": "Restore a database's newest backup elsewhere, check it, and prove it.",
    "switch": "Move a database's writer to its other site, and lose nothing.",
    "promote": "Make a site a database's writer when the other one is gone.",
    "restore": "Bring back a kept version of a workload's content, verified.",
    "zone": "Bring a zone's records along when it moves; compare all that answer for it.",
    "akash": "List what stands in the Console account and whose it is; close one by hand.",
    "rotate": "Hand new values of secrets to every site of a workload.",
    "mend": "Make a stack's state readable again after a kill or a power failure.",
    "sdl": "Check, price, hash and compare Akash documents. Offline.",
    "inventory": "Write a first inventory of what a DAO runs by a few questions.",
    "assess": "Inventory, cost, risk and value of moving, as tables and a report.",
    "explain": "Trace a number of the assessment to its inputs and sources.",
    "content": "Move pages in from a vendor, and keep every old address working.",
    "discover": "Draft the inventory from an AWS account or a DNS zone.",
    "record": "Run a command, and keep what it and the outside exchange, scrubbed.",
    "prices": "Show or refresh the dated price book.",
    "schema": "Print the JSON schema of stack files, for editors.",
    "step": "Take one step of a deployment; Pulumi runs this.",
}
#: The extra that installs a package, by its import name; a package that is missing here comes with the library.
EXTRAS = {
    "markdown_it": "content",
    "mdit_py_plugins": "content",
    "protego": "content",
    "jinja2": "assess",
    "octodns": "zone",
    "boto3": "pulumi",
    "botocore": "pulumi",
    "pulumi": "pulumi",
    "grpc": "pulumi",
    "cryptography": "pulumi",
}


class Commands(click.Group):
    """The table above as a click group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click calls it
        """Return the words in the table's order, which puts first what people do first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 click calls it
        """Import one command."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f".commands.{name}", __package__)
        command: click.Command = module.cli
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click calls it
        """Print the table without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, text in COMMANDS.items() if name != "step"])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="unmoor")
def cli() -> None:
    """Move a DAO's workloads off one cloud, one line of a stack file at a time.

    \b
    See what a stack file means:        unmoor plan --stack prod
    See what an edit would do:          unmoor review --base main
    Do it:                              pulumi preview && pulumi up
    """  # noqa: D301 click reads the backspace


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line. A mistake or a failing device prints a sentence and exits 1; wrong usage exits 2."""
    device.protect()
    if sys.stdin is None:  # it was closed
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 it stays open
    try:
        code = _run(arguments)
        device.flush()
    except BrokenPipeError:
        device.abandon()
        code = 1
    except OSError as error:
        if not (sentence := device.sentence(error)):
            raise
        device.abandon()
        with contextlib.suppress(OSError):
            click.echo(sentence, err=True)
        code = 1
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="unmoor", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted; run it again", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UnmoorError as error:
        click.echo(str(error), err=True)
        return 1
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        click.echo(f"{error.name} is not installed, and this needs it; run: pip install 'unmoor[{extra}]'", err=True)
        return 1
    except FileNotFoundError:
        if not _gone():
            raise
        click.echo("the folder in which this runs is gone; go to another one", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _gone() -> bool:
    """Return whether the current folder was removed."""
    try:
        os.getcwd()  # noqa: PTH109 nothing else is of interest
    except FileNotFoundError:
        return True
    return False


if __name__ == "__main__":
    main()
