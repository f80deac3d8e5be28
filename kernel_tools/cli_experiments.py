"""`atelier experiments`: list, compact, rebuild, collect garbage."""

from __future__ import annotations

from typing import Annotated

import typer

experiments_app = typer.Typer(help="Experiments and the runs in them.", no_args_is_help=True)


@experiments_app.command("list")
def list_all(
    everything: Annotated[bool, typer.Option("--all", help="Show deleted ones, too.")] = False,
) -> None:
    """List the experiments, the most recently used first."""
    from kernel_tools import experiments

    token: str | None = None
    while True:
        view = experiments.View.ALL if everything else experiments.View.ACTIVE_ONLY
        page, token = experiments.search_experiment_records(view=view, limit=1000, page_token=token)
        for item in page:
            notes = [item.lifecycle.value] * (item.lifecycle == "deleted") + ["archived"] * item.is_archived
            shown = f" ({', '.join(notes)})" if notes else ""
            typer.echo(f"{item.id:>18}  {item.run_count:>8,} runs  {item.name}{shown}")
        if token is None:
            return


@experiments_app.command()
def compact(
    run_id: Annotated[str | None, typer.Argument(help="One run. Default: all ended runs.")] = None,
) -> None:
    """Put the metrics of ended runs into one compressed file each."""
    from kernel_tools import experiments

    typer.echo(f"Compacted {experiments.compact(run_id):,} runs.")


@experiments_app.command()
def rebuild() -> None:
    """Build the catalog's tables of experiments and runs again from their files and folders."""
    from kernel_tools import experiments

    found = experiments.rebuild()
    typer.echo(f"Found {found.experiments:,} experiments and {found.runs:,} runs.")
    for damage in found.damaged:
        typer.echo(f"Damaged: {damage}", err=True)
    if found.damaged:
        raise typer.Exit(1)


@experiments_app.command("gc")
def collect_garbage(
    days: Annotated[float, typer.Option("--older-than", help="Days since the deletion.", min=0)] = 30.0,
) -> None:
    """Remove for good what was deleted long enough ago, and the stored files that nothing refers to any more."""
    from kernel_tools import experiments, registry
    from kernel_tools.core.workspace import current_workspace

    removed = experiments.collect_garbage(days * 86400)
    workspace = current_workspace()
    referenced = experiments.artifact_references(workspace) | registry.artifact_references(workspace)
    freed = workspace.artifacts.collect_garbage(referenced)
    typer.echo(
        f"Removed {removed.runs:,} runs and {removed.experiments:,} experiments; freed {freed.bytes / 2**20:,.1f} MiB."
    )
