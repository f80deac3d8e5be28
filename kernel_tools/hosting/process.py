"""Starting and stopping the process of an endpoint: a session of its own, so that it outlives kernel and server."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import threading
import time
from pathlib import Path

from kernel_tools.core.errors import ConflictError, UnavailableError
from kernel_tools.core.processes import ProcessIdentity, identify_process

SERVER_MODULE = "kernel_tools.hosting.server"
GRACE_SECONDS = 8.0
"""How long a process may finish its requests after SIGTERM before it is killed."""


def start_server(folder: Path, launch: str, log_path: Path, environment: dict[str, str]) -> int:
    """Start the server of an endpoint folder and return its pid.

    The process leads a session of its own, reads nothing, writes what it prints to the log, and is reaped here.
    """
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", SERVER_MODULE, str(folder), launch],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.parent.parent,
            env=_import_environment(environment),
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=f"reaper of {process.pid}", daemon=True).start()
    return process.pid


def _import_environment(environment: dict[str, str]) -> dict[str, str]:
    """Let the new process find this package where it was found here: a source folder may be on this one's path only."""
    source = str(Path(__file__).parents[2])
    if source in (*site.getsitepackages(), site.getusersitepackages()):
        return environment
    paths = [source, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def stop_process(identity: ProcessIdentity, grace: float = GRACE_SECONDS) -> None:
    """Ask a process to finish its requests and end, and kill it if it has not ended after `grace` seconds.

    A process that is gone already, or whose pid now belongs to another, is left alone.

    Raises
    ------
    ConflictError
        If the process runs on another host.
    UnavailableError
        If it cannot be ended.
    """
    import platform

    import psutil

    if not identity.is_alive():
        return
    if identity.host != platform.node():
        raise ConflictError(
            f"The process {identity.pid} runs on host {identity.host!r}, not on this one. Do this on that host."
        )
    try:
        process = psutil.Process(identity.pid)
        process.terminate()
        if not _wait_for_end(identity, grace):
            process.kill()
            if not _wait_for_end(identity, 5.0):
                raise UnavailableError(f"Process {identity.pid} cannot be killed. End it by hand, then try again.")
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise UnavailableError(
            f"Process {identity.pid} belongs to another user and cannot be stopped. Ask its owner to."
        ) from error


def _wait_for_end(identity: ProcessIdentity, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while identity.is_alive():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def find_servers(folder: Path) -> list[ProcessIdentity]:
    """Find the running servers of an endpoint folder by their command lines, for when its state cannot be read."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if SERVER_MODULE in command and str(folder) in command and (identity := identify_process(process.pid)):
            found.append(identity)
    return found
