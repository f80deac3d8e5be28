"""Servers under load: what a request costs them in processor time, their memory, and how soon they first answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.mlflow_environment import VERSION as MLFLOW
from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import ROOT, clean_environment
from scripts.serving_environments import BENTOML, LITSERVE, bentoml_python, litserve_python

NAMES = {"litserve": f"LitServe {LITSERVE}", "mlflow": f"MLflow {MLFLOW}", "bentoml": f"BentoML {BENTOML}"}
START_SECONDS = 120.0
_APPS = Path(__file__).with_name("serving")


@dataclass
class Server:
    """A server that answers: the processes that it is, where, and what it is asked.

    Attributes
    ----------
    started
        Seconds from its start to its first answer.
    """

    pid: int
    port: int
    body: str
    started: float
    path: str = "/invocations"

    def processes(self) -> list[psutil.Process]:
        """Return the server's process and all that it has started."""
        process = psutil.Process(self.pid)
        return [process, *process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return the processor time of all of them so far."""
        return sum(sum(one.cpu_times()[:2]) for one in self.processes())

    def memory_mib(self) -> float:
        """Return their memory, what they share counted once (PSS)."""
        return sum(one.memory_full_info().pss for one in self.processes()) / 2**20

    def load(self, connections: int, each: int, per_second: float = 0.0) -> dict[str, float]:
        """Ask, as fast as it answers or at a rate; returns what `serving_load` measures and ``cpu_us`` of a request."""
        before = self.cpu_seconds()
        command = [sys.executable, "-m", "benchmarks.serving_load", str(self.port), self.path, self.body]
        done = subprocess.run(
            [*command, str(connections), str(each), str(per_second)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found: dict[str, float] = json.loads(done.stdout)
        return {**found, "cpu_us": (self.cpu_seconds() - before) / found["requests"] * 1e6}


@contextmanager
def peer(name: str, folder: Path, rows: list[list[float]]) -> Iterator[Server]:
    """Run the server of a peer on ``model.ubj`` of a folder."""
    port = free_port()
    python = {"litserve": litserve_python, "mlflow": mlflow_python, "bentoml": bentoml_python}[name]()
    command = [str(python), str(_APPS / "litserve_server.py"), str(folder), str(port)]
    if name == "mlflow":  # saving in its own format is not a part of the start
        save = [str(python), str(_APPS / "mlflow_model.py"), str(folder)]
        subprocess.run(save, env=clean_environment(), check=True, capture_output=True)
        command = [str(python), "-m", "mlflow", "models", "serve", "--model-uri", str(folder / "mlflow-model")]
        command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    if name == "bentoml":
        options = ["--working-dir", str(_APPS), "--port", str(port), "--host", "127.0.0.1"]
        command = [str(python), "-m", "bentoml", "serve", "bentoml_service:Service", *options]
    body = json.dumps({"inputs": rows} if name == "mlflow" else {"instances": rows})
    environment = {**clean_environment(), "MODEL_FOLDER": str(folder), "BENTOML_DO_NOT_TRACK": "true"}
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    began = time.perf_counter()
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        await_answer(process, port, body, folder / f"{name}.log")
        yield Server(process.pid, port, body, time.perf_counter() - began)
    finally:
        for one in psutil.Process(process.pid).children(recursive=True):  # BentoML's are in sessions of their own
            with suppress(psutil.NoSuchProcess):
                one.kill()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def ask(port: int, body: str, path: str = "/invocations") -> int:
    """Ask once on a connection of its own; return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def await_answer(process: subprocess.Popen[bytes], port: int, body: str, log: Path | None = None) -> None:
    """Wait until a server answers; RuntimeError with its log if it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if ask(port, body) == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-3000:] if log else ''}")
