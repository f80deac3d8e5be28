"""The process of an endpoint: ``python -m kernel_tools.hosting.server <endpoint folder> <launch>``.

It loads one model version, says in `state.json` where it listens, and answers until it is told to end.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.processes import current_process
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import HOST, EndpointConfiguration, EndpointFolder, EndpointStatus, current_time
from kernel_tools.hosting.predictor import Predictor
from kernel_tools.hosting.records import EndpointState

if TYPE_CHECKING:
    import uvicorn

MAX_LOG_BYTES = 10 * 1024 * 1024
DRAIN_SECONDS = 6

_log = logging.getLogger("atelier.endpoint")


class SupersededError(AtelierError):
    """This process is no longer wanted: the endpoint was deleted or started anew meanwhile."""


def main(arguments: list[str]) -> int:
    """Serve the endpoint of a folder; returns the exit code."""
    path, launch = Path(arguments[0]).resolve(), arguments[1]
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.captureWarnings(True)
    folder = EndpointFolder(Workspace(path.parent.parent), path.name)
    threading.Thread(target=_bound_log, args=(folder.log_path,), name="log", daemon=True).start()
    try:
        serve(folder, launch)
    except SupersededError as error:
        _log.info("%s", error)
    return 0


def serve(folder: EndpointFolder, launch: str) -> None:
    """Load the model, tell where it is served, and serve it until SIGTERM."""
    started = time.monotonic()
    status = _update(folder, launch, process=current_process())
    try:
        configuration = folder.configuration()
        predictor = load_predictor(folder.workspace, configuration)
        listener = bind(status.port)
        port = listener.getsockname()[1]
        server = _make_server(configuration, predictor)
        gc.collect()
        gc.freeze()
        listener.listen(2048)
    except Exception as error:
        _log.exception("Loading failed")
        said = str(error) if isinstance(error, AtelierError) else f"{type(error).__name__}: {error}"
        _update(folder, launch, state=EndpointState.FAILED, reason=f"The model could not be loaded. {said}")
        folder.workspace.audit.record("endpoint.failed", folder.name, {"reason": said[:1000]})
        return
    _update(folder, launch, state=EndpointState.IN_SERVICE, port=port)
    _log.info("In service on http://%s:%d after %.2f s", HOST, port, time.monotonic() - started)
    folder.workspace.audit.record("endpoint.in_service", folder.name, {"port": port})
    server.run(sockets=[listener])


def load_predictor(workspace: Workspace, configuration: EndpointConfiguration) -> Predictor:
    """Load the model of a configuration and call it once."""
    from kernel_tools.registry.formats import load_model

    version = configuration.version
    predictor = Predictor(version, load_model(version, workspace.artifacts, trust=configuration.trust))
    predictor.warm_up(version.sample)
    return predictor


def _make_server(configuration: EndpointConfiguration, predictor: Predictor) -> uvicorn.Server:
    import uvicorn

    from kernel_tools.hosting.app import EndpointApplication

    version = configuration.version
    description = {"endpoint": configuration.name, "model": version.model, "version": version.version}
    config = uvicorn.Config(
        EndpointApplication(configuration.name, predictor, description),
        interface="asgi3",
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
    return uvicorn.Server(config)


def bind(port: int | None) -> socket.socket:
    """Bind the port that the endpoint had before if it is free, else any."""
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


def _update(folder: EndpointFolder, launch: str, **changes: object) -> EndpointStatus:
    """Change the endpoint's state if this process is still the one that is wanted, else raise SupersededError."""
    with folder.lock():
        status = folder.status() if folder.exists() else None
        if status is None or status.launch != launch or status.state is EndpointState.DELETING:
            raise SupersededError(f"Endpoint {folder.name!r} was deleted or started anew; this process ends.")
        status = replace(status, changed_at=current_time(), **changes)  # type: ignore[arg-type]  # fields of the caller
        folder.write_status(status)
        return status


def _bound_log(path: Path) -> None:
    while True:
        time.sleep(5)
        try:
            rotate_log(path, MAX_LOG_BYTES)
        except OSError:
            continue  # the endpoint is being deleted: there is no log to bound any more


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
