"""`python -m tests.replay DIR`: play a recording to our client, hold the stand-ins to it, and list each difference."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from . import client, exchange, shapes

#: What the stand-ins answer, learnt from recordings of runs against the sandbox.
KNOWN = Path(__file__).with_name("known.json")


@click.command()
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path, exists=True))
@click.option("--learn", is_flag=True, help="The folders are runs against the sandbox: write known.json from them.")
@click.pass_context
def main(context: click.Context, *, folders: tuple[Path, ...], learn: bool) -> None:
    """Play the recordings in DIR to our client, hold the stand-ins to them, and list each difference.

    \b
    Console   each answer is given to our client, which must read it, and compared with the stand-in's
    AWS, DNS  fields, types and statuses are compared with the stand-in's
    web       pages have no contract: they are counted

    Exit 1 when there is a difference.
    """  # noqa: D301 click reads the backspace
    try:
        exchanges = [each for folder in folders for each in exchange.load(folder)]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if not exchanges:
        raise click.UsageError("the folder holds no exchanges; `unmoor record` writes them")
    if learn:
        lines = [f"{json.dumps(kind)}: {json.dumps(shape)}" for kind, shape in sorted(shapes.learn(exchanges).items())]
        KNOWN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        click.echo(f"{KNOWN.name}: learnt from {len(exchanges)} exchanges")
        return
    found = differences(exchanges)
    for line, files in sorted(found.items()):
        click.echo(f"{line}  ({files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''})")
    doors = Counter("console" if each.console else each.door for each in exchanges)
    counted = ", ".join(f"{number} {door}" for door, number in sorted(doors.items()))
    click.echo(f"{len(exchanges)} exchanges ({counted}): {len(found) or 'no'} differences")
    context.exit(1 if found else 0)


def differences(exchanges: list[exchange.Exchange]) -> dict[str, list[str]]:
    """Return each difference with the files that show it."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for each in exchanges:
        for line in [*client.differences(each), *shapes.differences(each, known)]:
            found.setdefault(line, []).append(each.file)
    return found


if __name__ == "__main__":
    main(prog_name="python -m tests.replay")
