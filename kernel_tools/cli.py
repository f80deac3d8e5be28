"""The command `atelier`: start the studio, try it, check it."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from kernel_tools import __version__
from kernel_tools.cli_debugger import debugger_app
from kernel_tools.cli_experiments import experiments_app
from kernel_tools.cli_hosting import host_app
from kernel_tools.cli_jobs import jobs_app, spot_app
from kernel_tools.cli_schedules import scheduler, schedules_app
from kernel_tools.core.errors import AtelierError, NotFoundError

app = typer.Typer(
    name="atelier",
    help="Atelier: a machine-learning studio inside JupyterLab.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit_app = typer.Typer(help="The log of every state change.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
artifacts_app = typer.Typer(help="The stored files of runs and models.", no_args_is_help=True)
app.add_typer(artifacts_app, name="artifacts")
app.add_typer(experiments_app, name="experiments")
app.add_typer(jobs_app, name="jobs")
app.add_typer(debugger_app, name="debugger")
app.add_typer(schedules_app, name="schedules")
app.add_typer(host_app, name="host")
app.add_typer(spot_app, name="spot")
app.command()(scheduler)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"atelier {__version__}")


@app.command()
def lab(
    path: Annotated[str | None, typer.Argument(help="Notebook or folder to open. Default: the quickstart.")] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes 8888 or the next free one.")] = 0,
    browser: Annotated[bool | None, typer.Option(help="Open a browser. Default: if there is one.")] = None,
) -> None:
    """Open JupyterLab with the studio, on 127.0.0.1."""
    from kernel_tools.launch import launch_lab

    launch_lab(path, port=port, browser=browser)


@app.command()
def demo() -> None:
    """Run the quickstart without a browser, in a fresh workspace, and print what came out."""
    from kernel_tools.launch import run_demo

    if not run_demo():
        raise typer.Exit(1)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check versions, the extension, and the workspace; exit code 1 if something is wrong."""
    from kernel_tools.doctor import examine, print_findings

    findings = examine()
    if as_json:
        typer.echo(json.dumps([finding.to_dict() for finding in findings], indent=2))
    else:
        print_findings(findings)
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


@audit_app.command("verify")
def audit_verify() -> None:
    """Check the hash chain of the audit log; names the first broken record."""
    from kernel_tools.core.workspace import current_workspace

    report = current_workspace().audit.verify()
    if report.ok:
        typer.echo(f"The audit log is whole: {report.records:,} records.")
        return
    typer.echo(f"The audit log is broken at record {report.first_broken}: {report.reason}", err=True)
    raise typer.Exit(1)


@artifacts_app.command("gc")
def artifacts_gc(
    hours: Annotated[float, typer.Option(help="Keep what is younger than this, whoever refers to it.", min=0)] = 1.0,
) -> None:
    """Delete stored files that no run and no model version refers to."""
    from kernel_tools import experiments, registry
    from kernel_tools.core.workspace import current_workspace

    workspace = current_workspace()
    referenced = experiments.artifact_references(workspace) | registry.artifact_references(workspace)
    freed = workspace.artifacts.collect_garbage(referenced, older_than=hours * 3600)
    typer.echo(f"Freed {freed.bytes / 2**20:,.1f} MiB; {len(referenced):,} files are in use.")


def main() -> None:
    """Run the command; an expected error is one line on stderr and exit code 2, not a traceback."""
    try:
        app()
    except NotFoundError as error:
        typer.echo(f"atelier: {error}", err=True)
        sys.exit(3)
    except AtelierError as error:
        typer.echo(f"atelier: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
