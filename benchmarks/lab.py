"""A JupyterLab for benchmarks in a browser, and the scripts that measure there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_SECONDS = 120
SCRIPTS = Path(__file__).parents[1] / "ui-tests" / "bench"


def measure_in_browser(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script of ``ui-tests/bench``, which prints its measurements; `CHROMIUM` names the browser."""
    environment = {**os.environ, "CHROMIUM": os.environ.get("CHROMIUM") or shutil.which("chromium") or ""}
    command = ["node", str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, env=environment, cwd=SCRIPTS.parent, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(f"The browser did not measure:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """Run JupyterLab with ``workspace`` and ``files`` of a folder, and give its address."""
    (folder / "files").mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.root_dir": folder / "files",
        "IdentityProvider.token": "benchmark",
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "ATELIER_HOME": str(folder / "workspace"),
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/lab?token=benchmark&reset"
    try:
        _await_page(url, process, log)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _await_page(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=START_SECONDS) as reply:
                reply.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
