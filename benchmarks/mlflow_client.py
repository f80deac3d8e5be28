"""An unmodified MLflow client: our Jupyter server's tracking API against `mlflow server` with its SQLite store."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.experiments import PAGE, fill_catalog
from benchmarks.harness import Result, measure
from benchmarks.many_runs import SEARCHES
from benchmarks.peers import MlflowPeer
from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import clean_environment

LIBRARIES = ("jupyter-atelier", "jupyter-server", "tornado")
PEER = "mlflow server"
TOKEN = "benchmark"
RUNS = 10_000
BATCHES = ((1000, 20), (100, 50))
"""Points in a call, and calls in a sample."""
PAGES = ((50, 10), (1000, 2))
"""Runs on a page without a filter, and pages in a sample."""
START_SECONDS = 180


def run() -> Iterator[Result]:
    """Measure what a client waits for; both servers have the same 10,000 runs."""
    with tempfile.TemporaryDirectory() as name, MlflowPeer() as client:
        folder = Path(name)
        fill_catalog(folder / "workspace", RUNS)
        client.ask("open_store", path=str(folder / "mlflow.db"))
        client.ask("fill", count=RUNS)
        with _start_ours(folder) as ours, _start_theirs(folder) as theirs:
            for server, uri in (("ours", ours), ("theirs", theirs)):
                client.ask("connect", server=server, uri=uri, token=TOKEN)
            for batch, calls in BATCHES:
                yield _log(client, batch, calls)
            for text, order in SEARCHES[:-1]:
                yield _search(client, f"search_runs, {PAGE} of 10,000 runs: {text} by {order[0]}", text, order, PAGE, 1)
            for length, pages in PAGES:
                yield _search(client, f"search_runs, {pages} pages of {length} runs, no filter", "", (), length, pages)


def _log(client: MlflowPeer, batch: int, calls: int) -> Result:
    def log(server: str) -> float:
        return 1000 * float(client.ask("log_batch_to", server=server, calls=calls, batch=batch)) / calls

    return _compare(f"log_batch of {batch:,} points, a call", *measure(lambda: log("ours"), lambda: log("theirs")))


def _search(client: MlflowPeer, what: str, text: str, order: tuple[str, ...], limit: int, pages: int) -> Result:
    found: dict[str, list[str]] = {}

    def search(server: str) -> float:
        asked = {"filter": text, "order": list(order), "limit": limit, "pages": pages}
        seconds, found[server] = client.ask("search_at", server=server, **asked)
        return 1000 * float(seconds)

    samples = measure(lambda: search("ours"), lambda: search("theirs"))
    if found["ours"] != found["theirs"]:
        raise RuntimeError(f"The servers find other runs: {what}.")
    return _compare(what, *samples)


def _compare(what: str, ours: list[float], theirs: list[float]) -> Result:
    met = statistics.median(ours) <= statistics.median(theirs)
    return Result(what, "no slower", "ms", ours, met, PEER, theirs)


@contextlib.contextmanager
def _start_ours(folder: Path) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--ServerApp.open_browser=False"]
    command += [f"--ServerApp.port={port}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.jpserver_extensions={'studio_ext': True}", f"--StudioApp.workspace={folder / 'workspace'}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATELIER_", "JUPYTER_"))}
    environment = {**kept, "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    uri = f"http://127.0.0.1:{port}/studio/mlflow"
    with _running(command, environment, f"{uri}/health", folder / "ours.log"):
        yield uri


@contextlib.contextmanager
def _start_theirs(folder: Path) -> Iterator[str]:
    port = _free_port()
    command = [str(mlflow_python().parent / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
    uri = f"http://127.0.0.1:{port}"
    with _running(command, clean_environment(), f"{uri}/health", folder / "theirs.log"):
        yield uri


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], health: str, log: Path) -> Iterator[None]:
    """Run a server until the block ends; its workers end with it, because they are in its session."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, cwd=log.parent, start_new_session=True
        )
        try:
            _await_health(health, process, log)
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait()


def _await_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
