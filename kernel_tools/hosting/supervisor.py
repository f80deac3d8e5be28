"""One endpoint in the host's hands: its listening socket, the workers that ought to run, and those that crashed."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import time
from dataclasses import replace

import msgspec

from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.processes import identify_process
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.asynchronous.dispatchers import Dispatchers
from kernel_tools.hosting.autoscaler import Autoscaler
from kernel_tools.hosting.configuration import EndpointStatus, ProductionVariant, Worker
from kernel_tools.hosting.counters import ended_workers, fold_counters, read_counters, sum_counters
from kernel_tools.hosting.custom_metrics import last_metrics
from kernel_tools.hosting.fleets import Fleet, missing, read_fleets, route_table, surplus
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.hosts import run_folder
from kernel_tools.hosting.listeners import BACKLOG, bind, private_path, take_listener
from kernel_tools.hosting.nursery import Nursery
from kernel_tools.hosting.observer import Observer
from kernel_tools.hosting.process import stop_processes
from kernel_tools.hosting.records import EndpointState
from kernel_tools.hosting.routing import Route
from kernel_tools.hosting.updates import UpdateProgress

LOCK_SECONDS = 0.2
MAX_EARLY_CRASHES = 3
"""An endpoint whose workers end so often before the first one is ready is Failed."""

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 30.0
_STEADY_SECONDS = 60.0
_NOT_SERVED = (EndpointState.FAILED, EndpointState.DELETING)
_PASSING = (EndpointState.UPDATING, EndpointState.ROLLING_BACK, EndpointState.SYSTEM_UPDATING)
_FOLD_SECONDS = 30.0

_log = logging.getLogger("atelier.host")


class Supervisor:
    """Brings one endpoint from what is to what ought to be, a step at a time."""

    def __init__(self, folder: EndpointFolder, nursery: Nursery) -> None:
        self._folder = folder
        self._nursery = nursery
        self._listener: socket.socket | None = None
        self._running: set[str] = set()
        self._crashes = 0
        self._next_start = 0.0
        self._last_crash = 0.0
        self._routes: tuple[Route, ...] | None = None
        self._launch = ""
        self._autoscaler = Autoscaler(folder)
        self._next_fold = 0.0
        self._dispatchers = Dispatchers(folder)
        self._observer = Observer(folder)

    @property
    def sleeping_listener(self) -> socket.socket | None:
        """The listening socket while no worker is to accept on it: a connection that waits there calls for one."""
        is_waiting = self._autoscaler.is_asleep and not self._autoscaler.is_called
        return self._listener if is_waiting else None

    @property
    def is_scaled(self) -> bool:
        """Whether autoscaling starts workers of this endpoint."""
        return self._autoscaler.scale is not None

    def wake(self) -> None:
        """Have a worker started with the next step, for a connection waits."""
        self._autoscaler.is_called = True

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
        status = self._folder.status()
        if status.state in _NOT_SERVED:
            if status.state is EndpointState.DELETING:
                self.close()
            return
        self._dispatchers.reconcile(status)
        if self._is_as_wanted(status):
            return
        with self._folder.lock(LOCK_SECONDS):
            status = self._folder.status()
            if status.state in _NOT_SERVED:
                return
            self._bring_forward(status)

    def observe(self) -> None:
        """Note in the endpoint's history what its workers count, if it is time."""
        if self._listener is not None:
            self._observer.look()

    def close(self) -> None:
        """Close the listening socket: the endpoint is deleted, or goes with the host."""
        self._dispatchers.stop()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def stop(self) -> None:
        """Let all workers finish their requests and end; the endpoint comes back with the next host."""
        self._dispatchers.stop()
        try:
            with self._folder.lock():
                status = self._folder.status()
                stop_processes(status.processes)
                if status.state not in _NOT_SERVED:
                    self._folder.write_status(replace(status, state=EndpointState.CREATING, workers=(), process=None))
        except Exception:
            _log.exception("Endpoint %s could not be stopped", self._folder.name)
        self.close()

    def _is_as_wanted(self, status: EndpointStatus) -> bool:
        if status.launch != self._launch or self._listener is None or status.process is not None:
            return False
        progress = self._folder.update_progress()
        if progress is not None and not progress.is_over:
            return False
        alive = [worker for worker in status.workers if worker.process.is_alive()]
        if self._running - {worker.id for worker in alive} or len(alive) < len(status.workers):
            return False
        fleets = read_fleets(self._folder, progress)
        if status.state in _PASSING or (status.state.is_serving and self._is_rescaled(fleets, alive)):
            return False
        return not (missing(fleets, alive) or surplus(fleets, alive)) and self._table(fleets, alive) == self._routes

    def _is_rescaled(self, fleets: list[Fleet], alive: list[Worker]) -> bool:
        """Whether autoscaling decides otherwise than what is written."""
        configuration = fleets[0].configuration
        scale = self._autoscaler.next_scale(configuration, alive, fleets[0].is_ready(alive))
        return scale is not None and scale.workers() != fleets[0].scaled

    def _bring_forward(self, status: EndpointStatus) -> None:
        now = time.monotonic()
        if status.launch != self._launch:
            self._launch, self._crashes, self._next_start, self._running = status.launch, 0, 0.0, set()
            if status.state is EndpointState.CREATING:
                self._folder.write_scale(None)  # what starts does not sleep
                self._autoscaler = Autoscaler(self._folder)
        alive = [worker for worker in status.workers if worker.process.is_alive()]
        lost = (self._running | {worker.id for worker in status.workers}) - {worker.id for worker in alive}
        self._running -= lost
        if lost:
            status = self._count_crashes(status, alive, len(lost), now)
            if status.state is EndpointState.FAILED:
                return
        scale = self._folder.scale()
        is_asleep = scale is not None and scale.is_asleep
        if not alive and self._listener is None and status.state.is_serving and not is_asleep:
            status = replace(status, state=EndpointState.CREATING)  # nothing answers until the first worker is ready
        port = self._open_listener(status)
        if status.process is not None:  # of format 1: its own socket is closed with it
            stop_processes([status.process])
        progress = self._update(status, alive)
        fleets, state = self._scale(status, progress, alive)
        if now >= self._next_start:
            alive += [self._start(status.launch, variant, revision) for variant, revision in missing(fleets, alive)]
        ending = surplus(fleets, alive)
        kept = [worker for worker in alive if worker not in ending]
        self._write_routes(fleets, kept)
        if state.is_serving and fleets[0].is_ready(kept) and not missing(fleets, kept) and not _is_under_way(progress):
            state = EndpointState.IN_SERVICE
        changed = replace(status, state=state, port=port, workers=tuple(kept), process=None)
        if changed != status:
            self._folder.write_status(changed)
        self._running = {worker.id for worker in kept}
        for worker in ending:
            self._drain(worker)
        if now >= self._next_fold:
            self._next_fold = now + _FOLD_SECONDS
            fold_counters(self._folder.metrics_path, ended_workers(self._folder.metrics_path, self._running))

    def _scale(
        self, status: EndpointStatus, progress: UpdateProgress | None, alive: list[Worker]
    ) -> tuple[list[Fleet], EndpointState]:
        """Do what autoscaling decides; returns the fleets and the state that follow."""
        fleets, state = read_fleets(self._folder, progress), status.state
        if not state.is_serving:
            return fleets, state
        if _is_under_way(progress):
            return fleets, EndpointState.UPDATING
        if state is EndpointState.UPDATING:
            is_back = progress is not None and progress.phase == "rolled_back"
            state = EndpointState.ROLLING_BACK if is_back else EndpointState.IN_SERVICE
        if self._is_rescaled(fleets, alive):
            scale = self._autoscaler.scale
            assert scale is not None
            before = {item.name: fleets[0].wanted(item) for item in fleets[0].configuration.production_variants}
            for variant, workers in scale.workers().items():
                if workers != before.get(variant):
                    details: dict[str, object] = {
                        "variant": variant,
                        "from": before.get(variant),
                        "workers": workers,
                        "by": "autoscaling",
                    }
                    self._folder.record_event("scale", details)
                    _log.info("Endpoint %s: %s is scaled to %d workers", self._folder.name, variant, workers)
            self._folder.write_scale(scale)
            fleets, state = read_fleets(self._folder, progress), EndpointState.SYSTEM_UPDATING
        return fleets, state

    def _update(self, status: EndpointStatus, alive: list[Worker]) -> UpdateProgress | None:
        """Take the next step of an update, if it is time for one."""
        progress = self._folder.update_progress()
        if progress is None or progress.is_over:
            return progress
        fleets = read_fleets(self._folder, progress)
        counted = sum_counters(
            item for item in read_counters(self._folder.metrics_path) if item.revision == progress.revision
        )
        failure = status.reason if status.failed_revision == progress.revision else ""
        custom = last_metrics(self._folder.custom_metrics_path, progress.began_at)
        step = progress.next_step(current_time(), fleets[0].is_ready(alive), counted, failure, custom)
        if step != progress:
            if step.phase == "rolled_back":
                self._folder.restore_configuration(progress.previous)
            self._folder.write_update(step)
            self._folder.record_event("update", {"phase": step.phase, "share": step.share, "reason": step.reason})
            if step.is_over:
                self._folder.workspace.audit.record(f"endpoint.update_{step.phase}", self._folder.name)
        return step

    def _count_crashes(self, status: EndpointStatus, alive: list[Worker], count: int, now: float) -> EndpointStatus:
        """Note that workers ended unbidden.

        The endpoint is given up if none ever became ready, and is out of service while none lasts.
        """
        if now - self._last_crash > _STEADY_SECONDS:
            self._crashes = 0
        self._crashes += count
        self._last_crash = now
        wait = 0.0 if self._crashes == 1 else min(_FIRST_WAIT * 2.0**self._crashes, _LONGEST_WAIT)
        self._next_start = now + wait
        _log.warning("Endpoint %s lost %d workers; the next start is in %.2f s", self._folder.name, count, wait)
        self._folder.workspace.audit.record("endpoint.worker_lost", self._folder.name, {"workers": count})
        self._folder.record_event("worker_lost", {"workers": count, "next_start_in_seconds": wait})
        if self._crashes < MAX_EARLY_CRASHES or any(worker.is_ready for worker in alive):
            return status
        said = f"{status.reason} " if status.failed_revision and status.reason else ""
        if status.state.is_serving:
            reason = (
                f"{said}The workers of endpoint {self._folder.name!r} ended {self._crashes} times within a minute; "
            )
            reason += "its log says more. The host goes on starting them."
            return replace(status, state=EndpointState.OUT_OF_SERVICE, reason=reason, changed_at=current_time())
        if status.state is not EndpointState.CREATING:
            return status
        reason = f"The process of endpoint {self._folder.name!r} ended {self._crashes} times while it was loading the "
        reason += "model; its log says more."
        failed = replace(status, state=EndpointState.FAILED, reason=reason, workers=(), changed_at=current_time())
        self._folder.write_status(failed)
        return failed

    def _start(self, launch: str, variant: ProductionVariant, revision: int) -> Worker:
        assert self._listener is not None
        worker_id = secrets.token_hex(4)
        arguments = [str(self._folder.path), launch, worker_id, variant.name, str(revision)]
        identity = identify_process(self._nursery.start(self._folder, arguments, self._listener.fileno()))
        if identity is None:
            raise UnavailableError(f"A worker of endpoint {self._folder.name!r} ended at once; its log says more.")
        return Worker(worker_id, variant.name, revision, identity)

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

    def _table(self, fleets: list[Fleet], workers: list[Worker]) -> tuple[Route, ...]:
        return route_table(fleets, workers, lambda worker_id: str(private_path(self._folder.workspace, worker_id)))

    def _write_routes(self, fleets: list[Fleet], workers: list[Worker]) -> None:
        routes = self._table(fleets, workers)
        if routes != self._routes:
            with atomic_write(self._folder.routes_path) as file:
                file.write(msgspec.json.encode(routes))
            self._routes = routes


def _is_under_way(progress: UpdateProgress | None) -> bool:
    return progress is not None and not progress.is_over
