"""The host: ``python -m kernel_tools.hosting.host <workspace>``, one for each workspace, started when it is needed.

It holds the listening sockets of all endpoints open and sees to it that the workers that ought to run do run. Requests
do not pass through it. All that it knows is in files, so that the host that follows one that was killed goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

import msgspec

from kernel_tools.core.errors import AtelierError, UnavailableError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.processes import current_process
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.hosting.folder import EndpointFolder, endpoint_folders, host_file
from kernel_tools.hosting.hosts import START_SECONDS, ask_host, run_folder
from kernel_tools.hosting.nursery import Nursery
from kernel_tools.hosting.supervisor import Supervisor

TICK_SECONDS = 0.5
IDLE_SECONDS = 20.0
"""A host without endpoints ends after so long."""

_log = logging.getLogger("atelier.host")


class Host:
    """Watches over the endpoints of a workspace until it is told to stop, or has none for a while."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._supervisors: dict[str, Supervisor] = {}
        self._nursery = Nursery(workspace)
        self._wakeup, alarm = socket.socketpair()
        self._alarm = alarm
        self._is_stopping = False
        for end in (self._wakeup, alarm):
            end.setblocking(False)

    def run(self) -> None:
        """Reconcile whenever something happened, and twice a second."""
        signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with self._listen() as control:
            with atomic_write(host_file(self._workspace)) as file:
                file.write(msgspec.json.encode(current_process()))
            _log.info("Host %d watches over %s", os.getpid(), self._workspace.root)
            idle_since = time.monotonic()
            while not self._is_stopping and self._workspace.root.is_dir():
                self._reconcile()
                if self._supervisors:
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since > IDLE_SECONDS:
                    _log.info("No endpoints; the host ends")
                    break
                ready = self._wait(control)
                if self._wakeup.fileno() in ready:
                    with contextlib.suppress(BlockingIOError):
                        while self._wakeup.recv(4096):
                            pass
                if control.fileno() in ready:
                    self._answer(control)
            self._nursery.close()
            if self._is_stopping:
                for supervisor in self._supervisors.values():
                    supervisor.stop()
            if self._workspace.root.is_dir():
                (run_folder(self._workspace) / "host").unlink(missing_ok=True)
                host_file(self._workspace).unlink(missing_ok=True)

    def _wait(self, control: socket.socket) -> set[int]:
        """Wait for a tick, a signal, a client, or a connection to an endpoint that has no worker, and wake that one."""
        sleeping = {
            listener.fileno(): supervisor
            for supervisor in self._supervisors.values()
            if (listener := supervisor.sleeping_listener) is not None
        }
        poll = select.poll()
        zygote = self._nursery.control
        others = [zygote.fileno()] if zygote is not None else []
        for descriptor in (control.fileno(), self._wakeup.fileno(), *others, *sleeping):
            poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(TICK_SECONDS * 1000)}
        for descriptor in ready & sleeping.keys():
            sleeping[descriptor].wake()
        self._nursery.hear()
        return ready

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._is_stopping = True

    def _listen(self) -> socket.socket:
        path = run_folder(self._workspace) / "host"
        path.unlink(missing_ok=True)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(str(path))
        control.listen(128)
        return control

    def _answer(self, control: socket.socket) -> None:
        """Answer one client of the control socket: status, stop, or a nudge."""
        connection, _ = control.accept()
        with connection:
            connection.settimeout(1)
            try:
                verb = connection.recv(64).strip()
                if verb == b"stop":
                    self._is_stopping = True
                endpoints = {name: supervisor.describe() for name, supervisor in self._supervisors.items()}
                connection.sendall(msgspec.json.encode({"pid": os.getpid(), "endpoints": endpoints}))
            except OSError:
                return

    def _reconcile(self) -> None:
        self._nursery.reap()
        folders = {folder.name: folder for folder in self._folders()}
        for name in [name for name in self._supervisors if name not in folders]:
            self._supervisors.pop(name).close()
        for name, folder in folders.items():
            supervisor = self._supervisors.get(name) or self._supervisors.setdefault(
                name, Supervisor(folder, self._nursery)
            )
            try:
                supervisor.reconcile()
                supervisor.observe()
            except AtelierError as error:
                _log.warning("Endpoint %s is left as it is for now: %s", name, error)
            except Exception:
                _log.exception("Endpoint %s could not be reconciled", name)
        scaled = [folders[name].modules_path for name, item in self._supervisors.items() if item.is_scaled]
        self._nursery.keep_zygote(bool(scaled), scaled)

    def _folders(self) -> list[EndpointFolder]:
        try:
            return endpoint_folders(self._workspace)
        except OSError:
            return []


def main(arguments: list[str]) -> int:
    """Run the host of a workspace; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    workspace = Workspace(Path(arguments[0]).resolve())
    lock = workspace.root / "endpoints" / ".host.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and lock.parent.is_dir():
        try:
            with hold_lock(lock, 0):
                Host(workspace).run()
            return 0
        except UnavailableError:
            if ask_host(workspace, "status") is not None:
                return 0
            time.sleep(0.05)  # the one that holds the lock is starting or ending
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
