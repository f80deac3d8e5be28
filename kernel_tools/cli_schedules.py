"""`atelier schedules` and `atelier scheduler`: list and change schedules, and look after them without a server."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from typing import Annotated, Any

import typer

from kernel_tools.cli_jobs import (
    AsJson,
    Inputs,
    Params,
    print_facts,
    print_json,
    print_table,
    read_pairs,
    read_params,
    to_entry,
    when,
)

schedules_app = typer.Typer(help="Schedules: jobs that are submitted again and again.", no_args_is_help=True)

TICK_SECONDS = 1.0
Name = Annotated[str, typer.Argument(help="The schedule's name.", show_default=False)]
Cron = Annotated[str | None, typer.Option(help="Five fields, such as '0 3 * * *'.")]
Every = Annotated[str | None, typer.Option(help="Or an interval, such as 6h.")]
TimeZone = Annotated[str | None, typer.Option(help="Such as Europe/Berlin. Default: this machine's.")]


@schedules_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List schedules."""
    from kernel_tools import jobs

    records = jobs.list_schedules()
    if as_json:
        return print_json([asdict(record) for record in records])
    rows = [
        (
            record.name,
            record.entry,
            record.timing,
            "paused" if record.is_paused else when(record.next_at),
            when(record.last_at),
            f"{record.fired:,}",
            f"{record.dropped:,}",
            record.last_error,
        )
        for record in records
    ]
    columns = ("Name", "Entry", "When", "Next", "Last", "Jobs", "Dropped", "Error")
    print_table(columns, rows, "There are no schedules.")


@schedules_app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a schedule, its next times and its newest jobs."""
    from kernel_tools import jobs

    schedule = jobs.get_schedule(name)
    record, times, made = schedule.record, schedule.next_times(5), schedule.jobs(10)
    if as_json:
        return print_json(
            {
                "schedule": asdict(record),
                "next_times": [moment.isoformat() for moment in times],
                "jobs": [asdict(job) for job in made],
            }
        )
    print_facts(
        {
            "When": f"{record.timing}{', paused' if record.is_paused else ''}",
            "Entry": f"{record.entry_kind} {record.entry}",
            "Missed times": record.missed.value,
            "Overlap": record.overlap.value,
            "Made": f"{when(record.created_at)} by {record.user}",
            "Jobs so far": f"{record.fired:,}; {record.dropped:,} times dropped",
            "Last error": f"{when(record.error_at)} {record.last_error}" if record.last_error else "",
            "Next": "\n".join(moment.strftime("%a %Y-%m-%d %H:%M:%S %Z") for moment in times),
            "Newest jobs": "\n".join(f"{job.name}  {job.state}" for job in made),
        }
    )


@schedules_app.command(context_settings={"ignore_unknown_options": True})
def create(
    name: Name,
    entry: Annotated[
        list[str], typer.Argument(help="A script, a notebook, '-m package.module', or a command and its words after --")
    ],
    cron: Cron = None,
    every: Every = None,
    time_zone: TimeZone = None,
    missed: Annotated[str, typer.Option(help="About times that were missed: once, skip or all.")] = "once",
    overlap: Annotated[str, typer.Option(help="While the former job runs: allow or skip.")] = "allow",
    source_dir: Annotated[str | None, typer.Option(help="The folder that holds the code.")] = None,
    param: Params = None,
    input_: Inputs = None,
    experiment: Annotated[str | None, typer.Option(help="The experiment that gets the runs.")] = None,
    max_runtime: Annotated[str | None, typer.Option(help="Such as 30min.")] = None,
) -> None:
    """Submit a script, notebook, module or command again and again."""
    from kernel_tools import jobs

    schedule = jobs.create_schedule(
        name,
        to_entry(entry),
        source_dir,
        read_params(param),
        read_pairs(input_, "--input"),
        experiment,
        cron=cron,
        every=every,
        time_zone=time_zone,
        missed=missed,
        overlap=overlap,
        max_runtime=max_runtime,
    )
    typer.echo(f"{name}: {schedule.record.timing}, next {when(schedule.record.next_at)}.")


@schedules_app.command()
def change(
    name: Name,
    cron: Cron = None,
    every: Every = None,
    time_zone: TimeZone = None,
    missed: Annotated[str | None, typer.Option(help="once, skip or all.")] = None,
    overlap: Annotated[str | None, typer.Option(help="allow or skip.")] = None,
) -> None:
    """Change when a schedule is due; what is not given stays."""
    from kernel_tools import jobs

    record = jobs.get_schedule(name).update(cron=cron, every=every, time_zone=time_zone, missed=missed, overlap=overlap)
    typer.echo(f"{name}: {record.timing}, next {when(record.next_at)}.")


@schedules_app.command()
def run(name: Name) -> None:
    """Submit a job of a schedule at once."""
    from kernel_tools import jobs

    typer.echo(jobs.get_schedule(name).run_now().name)


@schedules_app.command()
def pause(name: Name) -> None:
    """Let the times of a schedule pass by."""
    from kernel_tools import jobs

    jobs.get_schedule(name).pause()
    typer.echo(f"{name} is paused.")


@schedules_app.command()
def resume(name: Name) -> None:
    """Let a paused schedule be due again."""
    from kernel_tools import jobs

    schedule = jobs.get_schedule(name)
    schedule.resume()
    typer.echo(f"{name} is due again at {when(schedule.record.next_at)}.")


@schedules_app.command()
def delete(name: Name) -> None:
    """Forget a schedule. Its jobs stay."""
    from kernel_tools import jobs

    jobs.get_schedule(name).delete()
    typer.echo(f"Deleted {name}.")


def scheduler() -> None:
    """Submit what is due and look after open jobs, until SIGTERM or Ctrl-C; for where no Jupyter server runs."""
    from kernel_tools import jobs
    from kernel_tools.core.errors import AtelierError
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.jobs.catalog import refresh_open

    ending = threading.Event()

    def end(*_: Any) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    workspace = current_workspace()
    schedules = jobs.list_schedules(workspace=workspace)
    typer.echo(f"Looking after the schedules of {workspace.root} (now {len(schedules):,}). Ctrl-C ends it.")
    complaint = ""
    while not ending.is_set():
        try:
            for job in jobs.run_due_schedules(workspace):
                typer.echo(f"{when(job.spec.due_at)}  {job.spec.schedule}: submitted {job.name}")
            refresh_open(workspace)
            complaint = ""
        except (AtelierError, OSError) as error:
            if str(error) != complaint:
                typer.echo(f"atelier: {error}", err=True)
            complaint = str(error)
        ending.wait(TICK_SECONDS)
    typer.echo("Ended; jobs that run go on.")
