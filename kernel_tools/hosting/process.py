"""Starting and stopping processes of hosting: in sessions of their own, so that they outlive kernel and server."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kernel_tools.core.errors import ConflictError, UnavailableError
from kernel_tools.core.processes import ProcessIdentity, identify_process

WORKER_MODULE = "kernel_tools.hosting.worker"
ZYGOTE_MODULE = "kernel_tools.hosting.zygote"
GRACE_SECONDS = 8.0
"""How long a process may finish its requests after SIGTERM before it is killed."""


def start_detached(
    arguments: list[str], log_path: Path, folder: Path, environment: dict[str, str], keep: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """Run a module of this package in a session of its own, which reads nothing and writes what it prints to a log.

    `keep` names the file descriptors that it inherits. The caller reaps it.
    """
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_import_environment(environment),
            start_new_session=True,
            pass_fds=keep,
        )


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


def stop_processes(identities: Iterable[ProcessIdentity], grace: float = GRACE_SECONDS) -> None:
    """Stop several processes at once, as `stop_process` does each."""
    wanted = list(identities)
    if wanted:
        with ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(lambda identity: stop_process(identity, grace), wanted))


def _wait_for_end(identity: ProcessIdentity, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while identity.is_alive():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def find_servers(folder: Path) -> list[ProcessIdentity]:
    """Find the running workers of an endpoint folder, for when its state cannot be read.

    A worker is told by its command line, or if a zygote forked it, by the log that it prints to.
    """
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        is_worker = WORKER_MODULE in command and str(folder) in command
        if (is_worker or (ZYGOTE_MODULE in command and _prints_to(process.pid, folder / "log.txt"))) and (
            identity := identify_process(process.pid)
        ):
            found.append(identity)
    return found


def _prints_to(pid: int, log: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/fd/1").samefile(log)
    except OSError:
        return False
