"""The listening sockets of endpoints: bound once, handed to workers, and taken back from them after the host died."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import HOST
from kernel_tools.hosting.hosts import run_folder

_log = logging.getLogger(__name__)
BACKLOG = 4096


def private_path(workspace: Workspace, worker_id: str) -> Path:
    """The Unix socket on which a worker takes requests from workers of other variants."""
    return run_folder(workspace) / worker_id


def bind(port: int | None) -> socket.socket:
    """Bind the port that the endpoint had before if it is free, else any; it does not listen yet."""
    for candidate in (port, 0) if port else (0,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, candidate))
            return listener
        except OSError:
            listener.close()
            if candidate == 0:
                raise
            _log.info("Port %d is taken; another one is used", candidate)
    raise RuntimeError("unreachable: port 0 is always tried")


def hand_out_listener(path: Path, listener: socket.socket) -> None:
    """Give the listening socket to whoever connects to a Unix socket: the host that follows one that was killed."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    server.listen(4)
    kept = listener.dup()

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            with connection:
                try:
                    socket.send_fds(connection, [b"listener"], [kept.fileno()])
                except OSError:
                    continue

    threading.Thread(target=serve, name="listener", daemon=True).start()


def take_listener(path: Path) -> socket.socket | None:
    """Take a listening socket from a worker; None if it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            _, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
    except OSError:
        return None
    return socket.socket(fileno=descriptors[0]) if descriptors else None
