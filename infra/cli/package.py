"""`prism package`: the zip of a function for AWS, and the name of an image.

Belongs here: the command and its table. Does not belong here: how it is built (infra/packaging).
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import err, out, say
from infra.packaging.libraries import PYTHON, Arch

LARGEST = 8


class FunctionName(StrEnum):
    """The functions of infra/packaging/function.py."""

    API = "api"
    PLANNER = "planner"
    EVENTS = "events"
    MEDIA = "media"


def package(
    function: Annotated[FunctionName, typer.Option("--function", help="which function")] = FunctionName.API,
    arch: Annotated[Arch, typer.Option(help="the processor of the function")] = Arch.ARM64,
    folder: Annotated[Path, typer.Option("--out", help="where the zip goes")] = Path("dist"),
    tag: Annotated[
        bool, typer.Option("--image-tag", help="build nothing; print the tag of Dagster's image of this code")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Build the zip of a function for AWS. The same sources and lock give the same bytes."""
    if tag:
        from infra.packaging.image import image_tag

        typer.echo(image_tag())
        return
    from infra.packaging.function import FUNCTIONS, package_function

    chosen = FUNCTIONS[function.value]
    with err.status(f"building {chosen.name} for {arch.value}"):
        built = package_function(chosen, arch)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"prism-{chosen.name}-{arch.value}.zip"
    path.write_bytes(built.archive.body)
    if not built.byte_code:
        say(f"no Python {PYTHON} on this machine: the zip holds sources without byte-code, and starts slower")
    facts = {
        "file": str(path),
        "arch": arch.value,
        "sha256": built.archive.sha256,
        "files": built.archive.files,
        "zip_bytes": len(built.archive.body),
        "unpacked_bytes": built.archive.unpacked_bytes,
        "unpacked_bytes_at_most": chosen.max_unpacked_bytes,
        "byte_code": built.byte_code,
    }
    if as_json:
        typer.echo(json.dumps(facts | {"parts": built.parts}))
        return
    table = Table("part", "unpacked bytes", title=f"{path} · {built.archive.sha256[:12]}")
    for name, size in list(built.parts.items())[:LARGEST]:
        table.add_row(name, f"{size:,}")
    rest = list(built.parts.values())[LARGEST:]
    table.add_row(f"{len(rest)} others", f"{sum(rest):,}")
    table.add_section()
    table.add_row("unpacked", f"{built.archive.unpacked_bytes:,} of at most {chosen.max_unpacked_bytes:,}")
    table.add_row("zip", f"{len(built.archive.body):,}")
    out.print(table)
