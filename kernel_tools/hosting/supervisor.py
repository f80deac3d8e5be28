"""One endpoint in the host's hands: its listening socket, the workers that ought to run, and those that crashed."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import replace

import msgspec

from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.processes import ProcessIdentity, identify_process
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.folder import (
    EndpointConfiguration,
    EndpointFolder,
    EndpointStatus,
    ProductionVariant,
    Worker,
    current_time,
)
from kernel_tools.hosting.hosts import run_folder
from kernel_tools.hosting.listeners import BACKLOG, bind, private_path, take_listener
from kernel_tools.hosting.process import WORKER_MODULE, start_detached, stop_processes
from kernel_tools.hosting.records import EndpointState
from kernel_tools.hosting.routing import Route

LOCK_SECONDS = 0.2
MAX_EARLY_CRASHES = 3
"""An endpoint whose workers end so often before the first one is ready is Failed."""

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 30.0
_STEADY_SECONDS = 60.0
_SERVED = (EndpointState.CREATING, EndpointState.IN_SERVICE)

_log = logging.getLogger("atelier.host")


class Supervisor:
    """Brings one endpoint from what is to what ought to be, a step at a time."""

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._listener: socket.socket | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._draining: list[ProcessIdentity] = []
        self._crashes = 0
        self._next_start = 0.0
        self._last_crash = 0.0
        self._routes: tuple[Route, ...] | None = None
        self._launch = ""

    def describe(self) -> dict[str, object]:
        """What `atelier host status` shows."""
        status = self._folder.current_status() if self._folder.exists() else None
        return {
            "state": status.state.value if status else "Deleting",
            "port": status.port if status else None,
            "workers": [process.pid for process in status.processes] if status else [],
            "crashes": self._crashes,
        }

    def reconcile(self) -> None:
        """Do what is to be done now; UnavailableError if the endpoint is in other hands at the moment."""
        self._children = {key: child for key, child in self._children.items() if child.poll() is None}
        status = self._folder.status()
        if status.state not in _SERVED:
            if status.state is EndpointState.DELETING:
                self.close()
            return
        if self._is_as_wanted(status, self._folder.configuration()):
            return
        with self._folder.lock(LOCK_SECONDS):
            status = self._folder.status()
            if status.state not in _SERVED:
                return
            self._bring_forward(status, self._folder.configuration())

    def close(self) -> None:
        """Close the listening socket: the endpoint is deleted, or goes with the host."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def stop(self) -> None:
        """Let all workers finish their requests and end; the endpoint comes back with the next host."""
        try:
            with self._folder.lock():
                status = self._folder.status()
                stop_processes(status.processes)
                if status.state in _SERVED:
                    self._folder.write_status(replace(status, workers=(), process=None))
        except Exception:
            _log.exception("Endpoint %s could not be stopped", self._folder.name)
        self.close()

    def _is_as_wanted(self, status: EndpointStatus, configuration: EndpointConfiguration) -> bool:
        if status.launch != self._launch or self._listener is None or status.process is not None:
            return False
        alive = [worker for worker in status.workers if worker.process.is_alive()]
        if len(alive) < len(status.workers) or self._missing(alive, configuration):
            return False
        return self._surplus(alive, configuration) == [] and self._route_table(alive, configuration) == self._routes

    def _bring_forward(self, status: EndpointStatus, configuration: EndpointConfiguration) -> None:
        now = time.monotonic()
        if status.launch != self._launch:
            self._launch, self._crashes, self._next_start = status.launch, 0, 0.0
        alive = [worker for worker in status.workers if worker.process.is_alive()]
        if len(alive) < len(status.workers) and not self._count_crashes(status, len(status.workers) - len(alive), now):
            return
        port = self._open_listener(status)
        if status.process is not None:  # of format 1: its own socket is closed with it
            stop_processes([status.process])
        if now >= self._next_start:
            alive += [
                self._start(status.launch, variant, configuration) for variant in self._missing(alive, configuration)
            ]
        surplus = self._surplus(alive, configuration)
        kept = [worker for worker in alive if worker not in surplus]
        self._write_routes(kept, configuration)
        changed = replace(status, port=port, workers=tuple(kept), process=None)
        if changed != status:
            self._folder.write_status(changed)
        for worker in surplus:
            self._drain(worker)

    def _count_crashes(self, status: EndpointStatus, count: int, now: float) -> bool:
        """Note that workers ended unbidden; False if the endpoint is given up, because none ever became ready."""
        if now - self._last_crash > _STEADY_SECONDS:
            self._crashes = 0
        self._crashes += count
        self._last_crash = now
        wait = 0.0 if self._crashes == 1 else min(_FIRST_WAIT * 2.0**self._crashes, _LONGEST_WAIT)
        self._next_start = now + wait
        _log.warning("Endpoint %s lost %d workers; the next start is in %.2f s", self._folder.name, count, wait)
        self._folder.workspace.audit.record("endpoint.worker_lost", self._folder.name, {"workers": count})
        if status.state is not EndpointState.CREATING or self._crashes < MAX_EARLY_CRASHES:
            return True
        reason = f"The process of endpoint {self._folder.name!r} ended {self._crashes} times while it was loading the "
        reason += "model; its log says more."
        failed = replace(status, state=EndpointState.FAILED, reason=reason, workers=(), changed_at=current_time())
        self._folder.write_status(failed)
        return False

    def _missing(self, alive: list[Worker], configuration: EndpointConfiguration) -> list[ProductionVariant]:
        """The variants that lack workers, one entry for each worker that is to be started."""
        missing = []
        for variant in configuration.production_variants:
            present = sum(item.variant == variant.name and item.revision == configuration.revision for item in alive)
            missing += [variant] * (variant.workers - present)
        return missing

    def _surplus(self, alive: list[Worker], configuration: EndpointConfiguration) -> list[Worker]:
        """The workers that are to end: those beyond the wanted number, and earlier revisions once this one is ready."""
        surplus: list[Worker] = []
        ready = 0
        for variant in configuration.production_variants:
            mine = [item for item in alive if item.variant == variant.name and item.revision == configuration.revision]
            surplus += sorted(mine, key=lambda item: not item.is_ready)[variant.workers :]
            ready += sum(item.is_ready for item in mine) >= variant.workers
        if ready == len(configuration.production_variants):
            surplus += [item for item in alive if item.revision != configuration.revision]
        return surplus

    def _start(self, launch: str, variant: ProductionVariant, configuration: EndpointConfiguration) -> Worker:
        assert self._listener is not None
        worker_id = secrets.token_hex(4)
        environment = dict(os.environ)
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads burn no processor
        descriptor = self._listener.fileno()
        command = [WORKER_MODULE, str(self._folder.path), launch, worker_id, variant.name]
        child = start_detached(
            [*command, str(configuration.revision), str(descriptor)],
            self._folder.log_path,
            self._folder.workspace.root,
            environment,
            keep=(descriptor,),
        )
        self._children[worker_id] = child
        identity = identify_process(child.pid)
        if identity is None:
            raise UnavailableError(f"A worker of endpoint {self._folder.name!r} ended at once; its log says more.")
        return Worker(worker_id, variant.name, configuration.revision, identity)

    def _drain(self, worker: Worker) -> None:
        try:
            if worker.process.is_alive():
                os.kill(worker.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            return

    def _open_listener(self, status: EndpointStatus) -> int:
        """Have the listening socket: the one held, one taken back from a worker, or the same port bound anew."""
        if self._listener is None:
            for worker in status.workers:
                self._listener = take_listener(run_folder(self._folder.workspace) / f"{worker.id}.listener")
                if self._listener is not None:
                    _log.info("Endpoint %s is adopted with its workers", self._folder.name)
                    break
        if self._listener is None:
            self._listener = bind(status.port)
            self._listener.listen(BACKLOG)
        port: int = self._listener.getsockname()[1]
        return port

    def _route_table(self, workers: list[Worker], configuration: EndpointConfiguration) -> tuple[Route, ...]:
        variants = configuration.production_variants
        weights = {(variant.name, configuration.revision): variant.weight for variant in variants}
        ready = [worker for worker in workers if worker.is_ready]
        found = {(worker.variant, worker.revision) for worker in ready}
        is_shifted = all(key in found for key in weights)
        routes = []
        for variant, revision in sorted(found):
            addresses = [
                str(private_path(self._folder.workspace, worker.id))
                for worker in ready
                if (worker.variant, worker.revision) == (variant, revision)
            ]
            is_present = revision == configuration.revision
            weight = weights.get((variant, revision), 0.0) if is_present else float(not is_shifted)
            routes.append(Route(variant, revision, weight, tuple(sorted(addresses))))
        return tuple(routes)

    def _write_routes(self, workers: list[Worker], configuration: EndpointConfiguration) -> None:
        routes = self._route_table(workers, configuration)
        if routes != self._routes:
            with atomic_write(self._folder.routes_path) as file:
                file.write(msgspec.json.encode(routes))
            self._routes = routes
