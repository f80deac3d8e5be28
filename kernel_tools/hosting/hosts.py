"""The host of a workspace as its clients see it: found or started, nudged, asked how it is, and stopped."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.process import start_detached

HOST_MODULE = "kernel_tools.hosting.host"
START_SECONDS = 30.0
_MAX_SOCKET_PATH = 60  # of the 107 bytes that a Unix socket's path may have, so that file names fit behind it


def run_folder(workspace: Workspace) -> Path:
    """The folder of the workspace's Unix sockets, for its owner only: a short one when the workspace's path is long."""
    folder = workspace.root.resolve() / "endpoints" / ".run"
    if len(os.fsencode(folder)) > _MAX_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"atelier-{os.getuid()}-{digest}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise UnavailableError(f"The folder {str(folder)!r} belongs to another user. Ask its owner to remove it.")
    folder.chmod(0o700)
    return folder


def ask_host(workspace: Workspace, verb: str, timeout: float = 10.0) -> dict[str, Any] | None:
    """Send one word to the host and return its reply; None if no host answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(run_folder(workspace) / "host"))
            connection.sendall(verb.encode() + b"\n")
            reply = b"".join(iter(lambda: connection.recv(65536), b""))
        found = msgspec.json.decode(reply)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def nudge_host(workspace: Workspace) -> None:
    """Tell the host that a desired state changed, and start one if there is none.

    Raises
    ------
    UnavailableError
        If a host cannot be started.
    """
    end = time.monotonic() + START_SECONDS
    starting: subprocess.Popen[bytes] | None = None
    while ask_host(workspace, "nudge") is None:
        if starting is None or starting.poll() is not None:
            starting = start_host(workspace)
        if time.monotonic() > end:
            raise UnavailableError(
                f"The host of endpoints did not start within {START_SECONDS:g} s. Read {str(log_path(workspace))!r}."
            )
        time.sleep(0.02)


def start_host(workspace: Workspace) -> subprocess.Popen[bytes]:
    """Start a host in a session of its own; it ends at once if there is one already."""
    environment = {**os.environ, "ATELIER_HOME": str(workspace.root)}
    environment["ATELIER_ARTIFACT_ROOT"] = workspace.artifacts.root_url
    log_path(workspace).parent.mkdir(parents=True, exist_ok=True)
    process = start_detached([HOST_MODULE, str(workspace.root)], log_path(workspace), workspace.root, environment)
    threading.Thread(target=process.wait, name=f"reaper of {process.pid}", daemon=True).start()
    return process


def stop_host(workspace: Workspace, timeout: float = 60.0) -> bool:
    """Let the host drain all endpoints and end; False if none was running.

    Raises
    ------
    UnavailableError
        If it has not ended in time.
    """
    if ask_host(workspace, "stop") is None:
        return False
    end = time.monotonic() + timeout
    while ask_host(workspace, "status") is not None:
        if time.monotonic() > end:
            raise UnavailableError(f"The host of endpoints is still draining after {timeout:g} s. Wait, and ask again.")
        time.sleep(0.02)
    return True


def log_path(workspace: Workspace) -> Path:
    """Where the host writes what happens."""
    return workspace.root / "endpoints" / ".host.log"
