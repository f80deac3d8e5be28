"""A worker: ``python -m kernel_tools.hosting.worker <endpoint folder> <launch> <id> <variant> <revision> <listener>``.

It loads the model of one variant, says in `state.json` that it is ready, and answers on the endpoint's listening
socket, which it inherited from the host, until it is told to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import uvicorn

from kernel_tools.core.errors import AtelierError, NotFoundError
from kernel_tools.core.processes import current_process
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.hosting.answering import Answerer, Reply, Request, Subject
from kernel_tools.hosting.app import EndpointApplication, Place
from kernel_tools.hosting.configuration import EndpointConfiguration, EndpointStatus, ProductionVariant, Worker
from kernel_tools.hosting.connections import GuardedProtocol, GuardedServer, raise_descriptor_limit
from kernel_tools.hosting.counters import Counters, read_counters
from kernel_tools.hosting.doors import Door, read_token
from kernel_tools.hosting.engines.opening import open_engine
from kernel_tools.hosting.folder import HOST, EndpointFolder, current_time, host_is_alive
from kernel_tools.hosting.hosts import ask_host, run_folder, start_host
from kernel_tools.hosting.importing import import_for
from kernel_tools.hosting.listeners import hand_out_listener, private_path
from kernel_tools.hosting.records import CaptureConfig, EndpointState, Limits
from kernel_tools.hosting.routing import Hop, RoutingTable
from kernel_tools.hosting.wear import watch_memory
from kernel_tools.hosting.wire import JSON_TYPE
from kernel_tools.hosting.zygote import importable_modules

if TYPE_CHECKING:
    from kernel_tools.hosting.wire.capture import CaptureWriter

MAX_LOG_BYTES = 10 * 1024 * 1024
DRAIN_SECONDS = 6
IDLE_DRAIN_SECONDS = 1.0
"""How long kept connections may wait for one more request, which ends them, before they are closed."""

_log = logging.getLogger("atelier.endpoint")


class SupersededError(AtelierError):
    """This process is no longer wanted: the endpoint was deleted or started anew meanwhile."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which worker this process is, as its command line says: one variant of one revision in one launch."""

    launch: str
    id: str
    variant: str
    revision: int
    listener: int


def main(arguments: list[str]) -> int:
    """Serve one variant of the endpoint of a folder; returns the exit code."""
    path, launch, worker_id, variant, revision, listener = arguments
    assignment = Assignment(launch, worker_id, variant, int(revision), int(listener))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_descriptor_limit()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.captureWarnings(True)
    folder = EndpointFolder(Workspace(Path(path).parent.parent), Path(path).name)
    threading.Thread(target=_watch, args=(folder, assignment), name="watch", daemon=True).start()
    try:
        serve(folder, assignment)
    except SupersededError as error:
        _log.info("%s", error)
    return 0


def serve(folder: EndpointFolder, assignment: Assignment) -> None:
    """Load the model, tell that it is ready, and serve it until SIGTERM."""
    started = time.monotonic()
    _register(folder, assignment, is_ready=False)
    try:
        configuration = folder.configuration(assignment.revision)
        variant = next(item for item in configuration.production_variants if item.name == assignment.variant)
        for version in () if variant.package is not None else variant.versions:
            import_for(version.format)
        answerer = open_answerer(folder, variant, configuration.limits)
        listener = socket.socket(fileno=assignment.listener)
        private = _private_listener(folder, assignment)
        counters = Counters(assignment.variant, assignment.revision)
        server = _make_server(folder, assignment, configuration, answerer, counters)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # requests make no cycles: looking for them often costs a tenth of a request
    except Exception as error:
        _log.exception("Loading failed")
        said = str(error) if isinstance(error, AtelierError) else f"{type(error).__name__}: {error}"
        _fail(folder, assignment, said)
        return
    hand_out_listener(run_folder(folder.workspace) / f"{assignment.id}.listener", listener)
    status = _register(folder, assignment, is_ready=True)
    scheme = "https" if configuration.security.certificate else "http"
    address = f"{scheme}://{HOST}:{status.port}"
    _log.info("In service on %s after %.2f s (%s)", address, time.monotonic() - started, assignment.variant)
    ask_host(folder.workspace, "nudge")
    path = folder.metrics_path / f"{assignment.id}.json"
    threading.Thread(target=_keep_counters, args=(folder, counters, path), name="counters", daemon=True).start()
    wear = (configuration.limits, partial(_tell_worn, folder, assignment))
    threading.Thread(target=watch_memory, args=wear, name="memory", daemon=True).start()
    server.private = private
    server.run(sockets=[listener])
    answerer.engine.close()
    if server.capture is not None:
        server.capture.close()
    if path.parent.is_dir():
        counters.concurrent_requests = 0
        counters.write(path)
    logging.shutdown()
    os._exit(0)  # a thread in which the model is stuck would be waited for


def open_answerer(folder: EndpointFolder, variant: ProductionVariant, limits: Limits) -> Answerer:
    """Load the model of a variant and call it once."""
    version = variant.version
    engine = open_engine(folder.workspace, variant, limits.timeout_seconds)
    classes = version.signature.classes if version.signature is not None else None
    subject = Subject(folder.name, version.model, version.version, variant.name, folder.log_path.as_uri(), classes)
    answerer = Answerer(subject, engine)
    answerer.warm_up(variant.versions[0].sample)
    return answerer


class _DrainingServer(GuardedServer):
    """Stops accepting at SIGTERM, ends kept connections with their next answer, and waits a little for that answer."""

    application: EndpointApplication
    private: socket.socket
    capture: CaptureWriter | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; the private socket speaks no TLS, whatever the public one does."""
        await super().startup(sockets)
        make = partial(
            GuardedProtocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        self.servers.append(await asyncio.get_running_loop().create_server(make, sock=self.private))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.application.is_draining = True
        for server in self.servers:
            server.close()
        end = time.monotonic() + IDLE_DRAIN_SECONDS
        while self.server_state.connections and time.monotonic() < end and not self.force_exit:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def _make_server(
    folder: EndpointFolder,
    assignment: Assignment,
    configuration: EndpointConfiguration,
    answerer: Answerer,
    counters: Counters,
) -> _DrainingServer:
    table = RoutingTable(folder.routes_path)
    place = Place(assignment.variant, assignment.revision, table, Hop())
    threading.Thread(target=_follow_routes, args=(table,), name="routes", daemon=True).start()
    security = configuration.security
    door = Door(security, folder.workspace, read_token(folder.token_path))
    application = EndpointApplication(answerer, configuration.limits, door=door, place=place, counters=counters)
    application.on_async = partial(_take_async, folder)
    application.on_metrics = partial(_metrics, folder, assignment, counters)
    config = uvicorn.Config(
        application,
        interface="asgi3",
        http=GuardedProtocol,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    config.load()
    if security.certificate:
        from kernel_tools.hosting.wire.certificates import load_certificate

        config.ssl = load_certificate(Path(security.certificate), Path(security.key))
    server = _DrainingServer(config)
    server.application = application
    application.on_stuck = partial(_give_way, server, folder, assignment)
    if configuration.capture is not None:
        server.capture = _start_capture(folder, assignment.variant, configuration.capture, counters)
        application.on_exchange = partial(_capture, server.capture, counters)
    return server


def _take_async(folder: EndpointFolder, request: Request) -> Reply:
    """Take an asynchronous invocation into the endpoint's queue."""
    from kernel_tools.hosting.asynchronous.submission import accept_async
    from kernel_tools.hosting.wire.sagemaker import read_headers

    name = request.route.parameters["endpoint"]
    if name != folder.name:
        raise NotFoundError(f"Endpoint {name[:80]!r} is not served here: this is {folder.name!r}.")
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()}
    headers = read_headers(request.route.operation, given)
    return Reply(*accept_async(folder.workspace, folder.name, headers, request.body))


def _metrics(folder: EndpointFolder, assignment: Assignment, counters: Counters) -> tuple[bytes, str]:
    """The metrics of all workers; this one's are written first."""
    from kernel_tools.hosting.exposition import render_metrics

    if folder.metrics_path.is_dir():
        counters.write(folder.metrics_path / f"{assignment.id}.json")
    return render_metrics(folder.name, read_counters(folder.metrics_path))


def _start_capture(folder: EndpointFolder, variant: str, config: CaptureConfig, counters: Counters) -> CaptureWriter:
    from kernel_tools.core.encryption import load_encryption_key
    from kernel_tools.hosting.wire.capture import CaptureWriter

    key = load_encryption_key(folder.workspace.root)
    return CaptureWriter(folder.captures_path / variant, config, key)


def _capture(writer: CaptureWriter, counters: Counters, request: Request, reply: Reply) -> None:
    from kernel_tools.hosting.wire.capture import Exchange

    def text(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in headers if key == name), "")

    sent = request.headers.items()
    writer.offer(
        Exchange(
            request.body,
            text(sent, b"content-type") or JSON_TYPE,
            reply.body,
            text(reply.headers, b"content-type"),
            time.time(),
            text(sent, b"x-amzn-sagemaker-inference-id"),
            text(sent, b"x-amzn-sagemaker-custom-attributes"),
        )
    )
    counters.captured, counters.capture_dropped = writer.captured, writer.dropped


def _private_listener(folder: EndpointFolder, assignment: Assignment) -> socket.socket:
    """The Unix socket by which workers of other variants pass requests on to this one."""
    private = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = private_path(folder.workspace, assignment.id)
    path.unlink(missing_ok=True)
    private.bind(str(path))
    private.listen(512)
    return private


def _follow_routes(table: RoutingTable) -> None:
    while True:
        time.sleep(0.05)
        table.refresh()


def _keep_counters(folder: EndpointFolder, counters: Counters, path: Path) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        with atomic_write(folder.modules_path) as file:
            file.write(msgspec.json.encode(importable_modules()))
    written = (0, 0)
    while True:
        time.sleep(0.25)
        present = (counters.invocations, counters.concurrent_requests)
        if present != written and path.parent.is_dir():
            written = present
            try:
                counters.write(path)
            except OSError:
                continue  # the endpoint is being deleted


def _register(folder: EndpointFolder, assignment: Assignment, *, is_ready: bool) -> EndpointStatus:
    """Write this worker into the endpoint's state; the first one that is ready puts the endpoint in service."""
    with folder.lock():
        status = _wanted_status(folder, assignment)
        worker = Worker(assignment.id, assignment.variant, assignment.revision, current_process(), is_ready)
        others = [item for item in status.workers if item.id != assignment.id]
        status = replace(status, workers=(*others, worker))
        if is_ready and status.state in (EndpointState.CREATING, EndpointState.OUT_OF_SERVICE):
            now = current_time()
            status = replace(status, state=EndpointState.IN_SERVICE, changed_at=now, in_service_at=now, reason="")
        folder.write_status(status)
        if is_ready and status.changed_at == status.in_service_at:  # before whoever waits for the lock acts on it
            folder.workspace.audit.record("endpoint.in_service", folder.name, {"port": status.port})
        return status


def _fail(folder: EndpointFolder, assignment: Assignment, said: str) -> None:
    """Take this worker out of the endpoint's state; an endpoint that has no other is Failed."""
    with folder.lock():
        status = _wanted_status(folder, assignment)
        others = tuple(item for item in status.workers if item.id != assignment.id)
        reason = f"The model could not be loaded. {said}"
        status = replace(status, workers=others, changed_at=current_time())
        status = replace(status, failed_revision=assignment.revision, reason=reason)
        if status.state is EndpointState.CREATING:
            status = replace(status, state=EndpointState.FAILED)
        folder.write_status(status)
    folder.workspace.audit.record("endpoint.failed", folder.name, {"reason": said[:1000]})


def _tell_worn(folder: EndpointFolder, assignment: Assignment, reason: str) -> None:
    """Have the host start another worker in place of this one, which is told to end when that one answers."""
    try:
        with folder.lock():
            status = _wanted_status(folder, assignment)
            workers = tuple(replace(item, is_worn=item.is_worn or item.id == assignment.id) for item in status.workers)
            folder.write_status(replace(status, workers=workers))
            folder.record_event("worker_worn", {"worker": assignment.id, "reason": reason})
    except AtelierError as error:
        _log.warning("This worker could not ask for another one: %s", error)
    ask_host(folder.workspace, "nudge")


def _give_way(server: uvicorn.Server, folder: EndpointFolder, assignment: Assignment) -> None:
    """End because the model is stuck: accept nothing more, and have another worker started at once."""
    for listening in server.servers:
        listening.close()
    server.should_exit = True
    reason = "Its model is stuck."
    threading.Thread(target=_tell_worn, args=(folder, assignment, reason), name="worn", daemon=True).start()


def _wanted_status(folder: EndpointFolder, assignment: Assignment) -> EndpointStatus:
    """Return the endpoint's state if this process is still one that is wanted, else raise SupersededError."""
    status = folder.status() if folder.exists() else None
    if status is None or status.launch != assignment.launch or status.state is EndpointState.DELETING:
        raise SupersededError(f"Endpoint {folder.name!r} was deleted or started anew; this process ends.")
    return status


def _watch(folder: EndpointFolder, assignment: Assignment) -> None:
    """Bound the log, end a worker that is no longer wanted, and start a new host if the old one was killed."""
    while True:
        time.sleep(2)
        try:
            rotate_log(folder.log_path, MAX_LOG_BYTES)
            status = folder.status()
        except (OSError, AtelierError):
            if not folder.exists():
                os.kill(os.getpid(), signal.SIGTERM)
            continue
        if status.launch != assignment.launch:
            os.kill(os.getpid(), signal.SIGTERM)
        elif _is_kept(status, assignment) and not host_is_alive(folder.workspace):
            with contextlib.suppress(OSError):
                start_host(folder.workspace)


def _is_kept(status: EndpointStatus, assignment: Assignment) -> bool:
    """Whether the endpoint answers, and by this worker: one that drains leaves it to the others to have a host."""
    return status.in_service_at > 0 and any(worker.id == assignment.id for worker in status.workers)


def rotate_log(path: Path, limit: int) -> None:
    """Move a log of more than `limit` bytes aside, over the one moved before, and print to a new one from now on."""
    if path.stat().st_size <= limit:
        return
    path.replace(path.with_name("log.1.txt"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
