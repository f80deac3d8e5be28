"""`atelier jobs` and `atelier spot`: list, show, submit, stop and delete jobs; simulate spot capacity."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kernel_tools.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    from kernel_tools import jobs
    from kernel_tools.jobs.records import JobRecord

jobs_app = typer.Typer(help="Jobs: work that survives kernel and server.", no_args_is_help=True)
spot_app = typer.Typer(help="Spot capacity on this machine: simulated, and its prices.", no_args_is_help=True)

WIDE = 1000
"""Columns of a table that no terminal shows."""
Name = Annotated[str, typer.Argument(help="The job's name.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", "-p", help="A parameter as key=value; the value may be JSON.")
]
Inputs = Annotated[list[str] | None, typer.Option("--input", "-i", help="Data as channel=path, or channel=URL.")]


@jobs_app.command("list")
def list_all(
    state: Annotated[list[str] | None, typer.Option(help="Only jobs in this state; may be given again.")] = None,
    experiment: Annotated[str | None, typer.Option(help="Only jobs of this experiment.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Only jobs of this schedule.")] = None,
    text: Annotated[str, typer.Option(help="Only jobs whose name or entry holds it.")] = "",
    limit: Annotated[int, typer.Option(help="How many, at most.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    from kernel_tools import jobs

    records, token = jobs.list_jobs(state or (), experiment, text, limit, schedule=schedule)
    if as_json:
        return print_json([asdict(record) for record in records])
    columns = ("Name", "State", "Entry", "Experiment", "Started", "Time", "Progress")
    print_table(columns, [_cells(record) for record in records], "There are no such jobs.")
    if token is not None:
        typer.echo(f"There are more than {limit}: use --limit, --state or --text.")


@jobs_app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one job: how it stands, what it was told, and why it failed."""
    from kernel_tools import jobs

    job = jobs.get(name)
    record, spec = job.record, json.loads(job.spec.to_json())
    if as_json:
        return print_json({"record": asdict(record), "spec": spec, "failure": job.failure})
    savings = job.savings
    facts = {
        "State": f"{record.state}{f': {record.reason}' if record.reason else ''}",
        "Entry": f"{record.entry_kind} {record.entry}",
        "Experiment": record.experiment or "",
        "Schedule": record.schedule or "",
        "Submitted": f"{when(record.created_at)} by {record.user}",
        "Started": when(record.running_at),
        "Ended": when(record.ended_at),
        "Attempts": str(record.attempts),
        "Parameters": "\n".join(f"{key}={value}" for key, value in spec["params"].items()),
        "Inputs": "\n".join(f"{channel}={data['path']}" for channel, data in spec["inputs"].items()),
        "Outputs": "\n".join(file.path for file in job.output().files[:20]),
        "Cost": f"{savings.cost:.4f} {savings.currency}, {savings.fraction:.0%} saved" if job.spec.spot else "",
    }
    print_facts(facts)
    if job.failure.get("last_output"):
        typer.echo(f"\nIts last output:\n{job.failure['last_output']}")


@jobs_app.command()
def logs(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the attempt has ended.")] = False,
    tail: Annotated[int, typer.Option(help="Lines from the end.", min=1)] = 1000,
    attempt: Annotated[int | None, typer.Option(help="Which attempt, from 1. Default: the newest.", min=1)] = None,
) -> None:
    """Print what a job has printed."""
    from kernel_tools import jobs

    job = jobs.get(name)
    if not follow:
        return typer.echo(job.logs(tail=tail, attempt=attempt))
    for line in job.logs(follow=True, attempt=attempt):
        typer.echo(line)


@jobs_app.command()
def stop(name: Name) -> None:
    """Ask a job to end."""
    from kernel_tools import jobs

    job = jobs.get(name)
    job.stop()
    typer.echo(f"{name} is {job.status}." if job.status.is_end else f"{name} was asked to end.")


@jobs_app.command()
def rerun(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="Of the new job.")] = None,
    param: Params = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; exit code 1 if it is not Completed.")] = False,
) -> None:
    """Submit a job again, with the same source, parameters and inputs, or other parameters."""
    from kernel_tools import jobs

    job = jobs.get(name).rerun(new_name, params=read_params(param))
    finish(job, wait)


@jobs_app.command(context_settings={"ignore_unknown_options": True})
def submit(
    entry: Annotated[
        list[str], typer.Argument(help="A script, a notebook, '-m package.module', or a command and its words after --")
    ],
    source_dir: Annotated[str | None, typer.Option(help="The folder that holds the code.")] = None,
    param: Params = None,
    input_: Inputs = None,
    experiment: Annotated[str | None, typer.Option(help="The experiment that gets a run for the job.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the job.")] = None,
    cpus: Annotated[int | None, typer.Option(help="Processors.")] = None,
    memory: Annotated[str | None, typer.Option(help="Such as 4GiB.")] = None,
    max_runtime: Annotated[str | None, typer.Option(help="Such as 30min.")] = None,
    retries: Annotated[int, typer.Option(help="How often to try again after an error.")] = 0,
    spot: Annotated[bool, typer.Option("--spot", help="May be interrupted.")] = False,
    priority: Annotated[int, typer.Option(help="Higher starts first.")] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; exit code 1 if it is not Completed.")] = False,
) -> None:
    """Submit a script, notebook, module or command."""
    from kernel_tools import jobs

    job = jobs.submit(
        to_entry(entry),
        source_dir,
        read_params(param),
        read_pairs(input_, "--input"),
        experiment,
        name=name,
        resources=jobs.Resources(cpus, memory),
        max_runtime=max_runtime,
        retries=jobs.Retries(errors=retries),
        spot=jobs.Spot() if spot else None,
        priority=priority,
    )
    finish(job, wait)


@jobs_app.command()
def delete(names: Annotated[list[str], typer.Argument(help="Jobs that have ended.", show_default=False)]) -> None:
    """Delete jobs with their logs, checkpoints and output. Their runs stay."""
    from kernel_tools import jobs

    for name in names:
        jobs.get(name).delete()
        typer.echo(f"Deleted {name}.")


@jobs_app.command("gc")
def collect_garbage(
    older_than: Annotated[str, typer.Option(help="Since the end of a job, such as 30d or 12h.")] = "30d",
    keep_last: Annotated[
        int, typer.Option(help="Ended jobs that stay however old: of each schedule, and of the others.", min=0)
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and delete nothing.")] = False,
) -> None:
    """Delete jobs that ended long enough ago."""
    from kernel_tools import jobs

    removed = jobs.delete_ended(older_than, keep_last=keep_last, is_trial=dry_run)
    if dry_run:
        for name in removed.jobs:
            typer.echo(name)
    verb = "Would delete" if dry_run else "Deleted"
    typer.echo(f"{verb} {len(removed.jobs):,} jobs, {removed.bytes / 2**20:,.1f} MiB.")


@spot_app.command()
def simulate(
    rate: Annotated[float | None, typer.Option(help="Interruptions per hour of each running spot job.")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Or a CSV or JSON file: at, and where wanted notice and outage, in seconds.")
    ] = None,
    duration: Annotated[str | None, typer.Option(help="Such as 10min. Default: with the trace, or never.")] = None,
    notice: Annotated[str, typer.Option(help="Warning before the kill, with --rate.")] = "120s",
    outage: Annotated[str, typer.Option(help="Time without capacity, with --rate.")] = "1ms",
    seed: Annotated[int | None, typer.Option(help="Makes the drawn times repeatable.")] = None,
) -> None:
    """Take running spot jobs' capacity back, as a cloud does, and say which; Ctrl-C ends it."""
    from kernel_tools.jobs import spot

    steps = None if trace is None else spot.read_trace(trace)
    count = 0
    try:
        for at, name in spot.simulate(rate, steps, duration=duration, notice=notice, outage=outage, seed=seed):
            count += 1
            typer.echo(f"{at:8.1f} s  interrupted {name}")
    except KeyboardInterrupt:
        spot.set_capacity(None)  # nobody is left who would give it back
    typer.echo(f"Interrupted {count:,} times.")


@spot_app.command()
def prices(
    on_demand: Annotated[float | None, typer.Option(help="Price of an hour on demand.")] = None,
    spot_price: Annotated[float | None, typer.Option("--spot", help="Price of an hour on spot capacity.")] = None,
    currency: Annotated[str | None, typer.Option(help="Such as EUR.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the price sheet behind the savings of jobs, or change what is given."""
    from kernel_tools.jobs import spot

    sheet = spot.get_prices()
    if (on_demand, spot_price, currency) != (None, None, None):
        spot.set_prices(
            sheet.on_demand if on_demand is None else on_demand,
            sheet.spot if spot_price is None else spot_price,
            currency or sheet.currency,
        )
        sheet = spot.get_prices()
    if as_json:
        return print_json(asdict(sheet))
    print_facts({"On demand": f"{sheet.on_demand:g} {sheet.currency}/h", "Spot": f"{sheet.spot:g} {sheet.currency}/h"})


def to_entry(words: list[str]) -> str | list[str]:
    """Read an entry: one word is a script, a notebook or a command, ``-m module`` a module, more words a command."""
    if words[0] == "-m" and len(words) == 2:
        return f"-m {words[1]}"
    if len(words) == 1 and words[0].startswith("-m "):
        return words[0]
    return words[0] if len(words) == 1 and words[0].endswith((".py", ".ipynb")) else words


def read_pairs(pairs: list[str] | None, option: str) -> dict[str, str]:
    """Read options of the form name=value; InvalidArgumentError names the one that is not."""
    found = {}
    for pair in pairs or ():
        name, mark, value = pair.partition("=")
        if not mark or not name:
            raise InvalidArgumentError(f"{option} {pair!r} is not of the form name=value.")
        found[name] = value
    return found


def read_params(pairs: list[str] | None) -> dict[str, Any]:
    """Read parameters: a value that is JSON (a number, true, a list) is what it says, anything else a text."""
    return {name: _plain(value) for name, value in read_pairs(pairs, "--param").items()}


def finish(job: jobs.Job, wait: bool) -> None:
    """Say the job's name; with `wait` follow its output to the end, and fail if it did."""
    typer.echo(job.name)
    if not wait:
        return
    attempt = 1
    while attempt == 1 or not (job.status.is_end and len(job.attempts) < attempt):
        for line in job.logs(follow=True, attempt=attempt):
            typer.echo(line)
        attempt += 1
    if job.status != "Completed":
        typer.echo(f"{job.name} is {job.status}: {job.reason}", err=True)
        raise typer.Exit(1)


def print_json(content: Any) -> None:
    """Print something for scripts."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], if_empty: str) -> None:
    """Print rows for people, as wide as the terminal; long as they are where nobody looks."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return typer.echo(if_empty)
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number > 0, overflow="ellipsis" if number else "fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def print_facts(facts: dict[str, str]) -> None:
    """Print names and values; empty ones are left out."""
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        for number, line in enumerate(value.splitlines()):
            typer.echo(f"{'' if number else name:<{width}}{line}")


def when(moment: int | None) -> str:
    """Write a time in milliseconds as this machine's clock shows it."""
    return "" if moment is None else datetime.fromtimestamp(moment / 1000).strftime("%Y-%m-%d %H:%M:%S")


def _cells(record: JobRecord) -> tuple[str, ...]:
    progress = record.progress
    done = "" if progress is None or not progress.total else f"{progress.done / progress.total:.0%}"
    return (
        record.name,
        record.state.value,
        record.entry,
        record.experiment or "",
        when(record.running_at),
        _duration(record),
        done,
    )


def _duration(record: JobRecord) -> str:
    from kernel_tools.jobs.folder import now

    if record.running_at is None:
        return ""
    seconds = (record.running_time if record.ended_at is not None else now() - record.running_at) / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d} min"


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
