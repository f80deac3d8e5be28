"""`atelier debugger`: what the Debugger has found in a run, rules over it, its report, its tensors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kernel_tools.cli_jobs import AsJson, print_json

debugger_app = typer.Typer(help="What happened inside a training, and what to do about it.", no_args_is_help=True)

RunName = Annotated[str, typer.Argument(help="The id of a run, or the name of a job.", show_default=False)]


@debugger_app.command()
def findings(run: RunName, as_json: AsJson = False) -> None:
    """Show what the rules have found while the run was watched."""
    from kernel_tools import debugger
    from kernel_tools.debugger.opening import find_named

    found = debugger.findings(find_named(run))
    if as_json:
        return print_json(asdict(found))
    typer.echo(repr(found))


@debugger_app.command()
def evaluate(
    run: RunName,
    rule: Annotated[
        list[str] | None, typer.Option(help="A rule; may be given again. Default: the default set.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate rules over what was captured of a run."""
    from kernel_tools import debugger
    from kernel_tools.debugger.opening import find_named

    found = debugger.evaluate(rule or "default", find_named(run))
    if as_json:
        return print_json(asdict(found))
    typer.echo(repr(found))


@debugger_app.command()
def report(
    run: RunName,
    format: Annotated[str, typer.Option(help="html or notebook.")] = "html",
    output: Annotated[Path | None, typer.Option(help="The file to write.", show_default=False)] = None,
) -> None:
    """Write the profiler's report: where the time went, and what would save some."""
    from kernel_tools import debugger
    from kernel_tools.debugger.opening import find_named

    typer.echo(str(debugger.profile_report(find_named(run), output, format=format)))


@debugger_app.command()
def export(
    run: RunName, path: Annotated[Path, typer.Argument(help="The Parquet file to write.", show_default=False)]
) -> None:
    """Write everything that was captured of a run into a Parquet file."""
    from kernel_tools import debugger
    from kernel_tools.debugger.opening import find_named

    rows = debugger.export(find_named(run), path)
    typer.echo(f"{path}: {rows:,} rows.")
