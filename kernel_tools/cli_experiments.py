"""`atelier experiments`: list, compact, rebuild, import from MLflow, collect garbage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kernel_tools.core.workspace import Workspace
    from kernel_tools.experiments.mlflow_import import MlflowSource, Verification

MAX_SHOWN = 50
"""Refusals and differences that are printed one by one."""

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


@experiments_app.command("import")
def import_from_mlflow(
    location: Annotated[
        str, typer.Argument(help="A database of MLflow's, such as sqlite:///mlflow.db, or a folder mlruns.")
    ],
    artifacts: Annotated[
        Path | None, typer.Option(help="The folder of an MLflow server's artifacts, or a copy of one.")
    ] = None,
    experiment: Annotated[
        list[str] | None, typer.Option(help="Name or id of an experiment; may be given several times. Default: all.")
    ] = None,
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Compare, and change nothing.")] = False,
) -> None:
    """Bring the runs and models of an MLflow store over, then compare both; what is here already stays as it is."""
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.experiments.mlflow_import import open_source
    from kernel_tools.registry.mlflow_verification import verify_models

    workspace = current_workspace()
    try:
        source = open_source(location, artifacts, experiment)
        is_whole = verify_only or _import(workspace, source)
        found = source.verify_runs(workspace)
        verify_models(workspace, source, found)
    except KeyboardInterrupt:
        typer.echo("Stopped. What has come over stays; the same command goes on from there.", err=True)
        raise typer.Exit(130) from None
    _show(found)
    if not (found.is_same and is_whole):
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


def _import(workspace: Workspace, source: MlflowSource) -> bool:
    """Bring everything over and say what was done; returns whether nothing was refused."""
    from kernel_tools.experiments.mlflow_import import import_lock
    from kernel_tools.registry.mlflow_import import import_models

    with import_lock(workspace):
        places, runs = source.import_runs(workspace)
        models = import_models(workspace, source, places)
    if not any((places.added, runs.added, runs.completed, models.models, models.versions, models.logged_models)):
        typer.echo(f"Nothing new in {source.store.location}: its {runs.known:,} runs are here already.")
    else:
        typer.echo(
            f"Imported {places.added:,} experiments, {runs.added:,} runs, {models.logged_models:,} logged models, "
            f"{models.models:,} registered models and {models.versions:,} versions; {runs.known:,} runs were here."
        )
    if runs.completed:
        typer.echo(f"Added the files of {runs.completed:,} runs that had come over without.")
    for note in [*places.notes, *models.notes]:
        typer.echo(f"Note: {note}")
    reasons: dict[str, list[str]] = {}
    for run_id, refusals in runs.left_out.items():
        for reason in refusals:
            reasons.setdefault(reason, []).append(run_id)
    for reason, ids in reasons.items():
        typer.echo(f"Left out, artifacts of {len(ids):,} runs ({', '.join(ids[:3])}): {reason}")
    refused = [*(f"Run {run_id}: {reason}" for run_id, reason in runs.refused.items()), *models.refused]
    for sentence in refused[:MAX_SHOWN]:
        typer.echo(f"Refused: {sentence}", err=True)
    return not refused


def _show(found: Verification) -> None:
    """Print the table of counts, and what differs."""
    typer.echo(f"{'':<18}{'MLflow':>14}{'here':>14}")
    for what, (there, here) in found.counts.items():
        typer.echo(f"{what:<18}{there:>14,}{here:>14,}{'' if there == here else '  differs'}")
    for difference in found.differences[:MAX_SHOWN]:
        typer.echo(f"Differs: {difference}", err=True)
    if len(found.differences) > MAX_SHOWN:
        typer.echo(f"... and {len(found.differences) - MAX_SHOWN:,} more differences.", err=True)
    typer.echo("Everything is the same." if found.is_same else "Not everything is the same.")
