"""How long JupyterLab takes to start with the extension, compared with the same JupyterLab without it."""

from __future__ import annotations

import json
import os
import signal
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

from benchmarks.harness import Result, measure

LIBRARIES = ("jupyter-atelier", "jupyterlab", "jupyter-server")
BAR = 1.1
TIMEOUT_S = 120


def run() -> Iterator[Result]:
    """Start servers in turn until their page is answered."""
    ours, without = measure(lambda: _start(True), lambda: _start(False))
    ratio = statistics.median(ours) / statistics.median(without)
    yield Result(
        "JupyterLab, start to the first page answered",
        f"at most {BAR} times the time without",
        "s",
        ours,
        ratio <= BAR,
        "without the extension",
        without,
        note=f"{ratio:.3f} times the time without",
    )


def _start(with_extension: bool) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {"ServerApp": {"jpserver_extensions": {"studio_ext": with_extension, "jupyterlab": True}}}
        (folder / "jupyter_server_config.json").write_text(json.dumps(config))
        (folder / "labconfig").mkdir()
        disabled = {"disabledExtensions": {"jupyter-atelier": not with_extension}}
        (folder / "labconfig" / "page_config.json").write_text(json.dumps(disabled))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}"]
        environment = {
            **os.environ,
            "JUPYTER_TOKEN": "benchmark",
            "JUPYTER_CONFIG_DIR": name,
            "ATELIER_HOME": str(folder / "workspace"),
        }
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_page(f"http://127.0.0.1:{port}/lab?token=benchmark", process)
            return time.perf_counter() - started
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _await_page(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:
                reply.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise RuntimeError("JupyterLab did not start.")
