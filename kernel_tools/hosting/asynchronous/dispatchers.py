"""The host's part: it starts a dispatcher when an endpoint's queue has work, and says so when one died."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess

from kernel_tools.core.errors import AtelierError
from kernel_tools.hosting.asynchronous.queue import AsyncQueue, has_queue
from kernel_tools.hosting.configuration import EndpointStatus
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.process import start_detached

DISPATCHER_MODULE = "kernel_tools.hosting.asynchronous.dispatcher"
_PAUSE = 1000

_log = logging.getLogger("atelier.host")


def wanted_dispatchers(folder: EndpointFolder) -> int:
    """Return how many dispatchers an endpoint ought to have now: 1 if its queue has work, else 0."""
    if not has_queue(folder):
        return 0
    with AsyncQueue(folder) as queue:
        return int(queue.has_work())


def backlog_of(folder: EndpointFolder) -> int:
    """Return how many asynchronous requests of an endpoint are not over."""
    if not has_queue(folder):
        return 0
    with AsyncQueue(folder) as queue:
        return queue.metrics(1).backlog


def start_dispatcher(folder: EndpointFolder, worker: str) -> subprocess.Popen[bytes]:
    """Start a dispatcher in a session of its own; the caller reaps it."""
    log = folder.path / "async" / "log.txt"
    return start_detached([DISPATCHER_MODULE, str(folder.path), worker], log, folder.workspace.root, dict(os.environ))


class Dispatchers:
    """The dispatchers of one endpoint in the host's hands."""

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._not_before = 0

    def reconcile(self, status: EndpointStatus) -> None:
        """Start what is missing, and give back what a dispatcher that died had in hand."""
        for worker in [worker for worker, child in self._children.items() if child.poll() is not None]:
            child = self._children.pop(worker)
            if child.returncode != 0 and self._folder.exists():
                _log.warning("A dispatcher of endpoint %s ended with %s", self._folder.name, child.returncode)
                self._not_before = current_time() + _PAUSE
                with AsyncQueue(self._folder) as queue:
                    queue.release_worker(worker)
        if not status.state.is_serving or current_time() < self._not_before:
            return
        try:
            wanted = wanted_dispatchers(self._folder)
        except AtelierError as error:
            _log.warning("The queue of endpoint %s cannot be read: %s", self._folder.name, error)
            return
        for _ in range(wanted - len(self._children)):
            worker = secrets.token_hex(8)
            self._children[worker] = start_dispatcher(self._folder, worker)

    def stop(self) -> None:
        """Let the dispatchers give back what they have in hand, and end."""
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            try:
                child.wait(2.0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()
