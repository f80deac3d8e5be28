"""`atelier host`: the process that watches over the endpoints of a workspace."""

from __future__ import annotations

import typer

from kernel_tools.cli_jobs import print_facts
from kernel_tools.core.workspace import current_workspace

host_app = typer.Typer(help="The host of endpoints; it starts by itself when it is needed.", no_args_is_help=True)


@host_app.command()
def run() -> None:
    """Run the host in this terminal, until Ctrl-C drains the endpoints."""
    from kernel_tools.hosting.host import main

    raise typer.Exit(main([str(current_workspace().root)]))


@host_app.command()
def status() -> None:
    """Show whether the host runs, and what its endpoints do."""
    from kernel_tools.hosting.hosts import ask_host

    answer = ask_host(current_workspace(), "status")
    if answer is None:
        typer.echo("No host runs for this workspace. It starts with the next deploy, or with `atelier host run`.")
        return
    facts = {"host": f"process {answer['pid']}"}
    for name, told in answer["endpoints"].items():
        workers = ", ".join(str(pid) for pid in told["workers"]) or "none"
        facts[name] = f"{told['state']} on port {told['port']}, workers {workers}, crashes {told['crashes']}"
    print_facts(facts)


@host_app.command()
def stop() -> None:
    """Let all endpoints finish their requests and end; they come back with the next host."""
    from kernel_tools.hosting.hosts import stop_host

    typer.echo("The host has ended." if stop_host(current_workspace()) else "No host runs for this workspace.")
