"""A really running Jupyter server with the extension, and MLflow's own clients in an environment of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel_tools.core.workspace import Workspace
from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import PeerEnvironmentError, clean_environment

TOKEN = "token-of-the-tests"
ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "clients"
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server: its address, and the workspace that it works on."""

    url: str
    workspace: Workspace

    @property
    def tracking_uri(self) -> str:
        return f"{self.url}/studio/mlflow"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["error_code"]


class Rest:
    """Calls the protocol without a client."""

    def __init__(self, server: Server, client: httpx.Client) -> None:
        self.server = server
        self.client = client

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        """Call a path below ``/studio/mlflow``; a body that is not bytes is sent as JSON."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"} | options.pop("headers", {})
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = self.server.tracking_uri + path
        self.client.cookies.clear()  # the server logs a caller with a token in
        response = self.client.request(method, url, content=content, headers=headers, **options)
        return Answer(response.status_code, response.headers, response.content)

    def api(self, method: str, path: str, request: Any = None, *, prefix: str = "/api/2.0/mlflow/") -> Answer:
        """Call an endpoint, the request in the query string of a GET, else in the body."""
        if method == "GET":
            return self.call("GET", prefix + path, params=request)
        return self.call(method, prefix + path, {} if request is None else request)

    def ok(self, method: str, path: str, request: Any = None) -> Any:
        """Call an endpoint that must succeed."""
        answer = self.api(method, path, request)
        assert answer.status == 200, answer.content
        return answer.json


@contextmanager
def start_server(folder: Path, *settings: str, database_url: str | None = None) -> Iterator[Server]:
    """Run a Jupyter server with further settings, in a process of its own, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATELIER_", "JUPYTER_"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    if database_url is not None:
        environment["ATELIER_DATABASE_URL"] = database_url
    options = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.open_browser=False",
        "--ServerApp.jpserver_extensions={'studio_ext': True}",
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={TOKEN}",
        f"--StudioApp.workspace={folder / 'workspace'}",
        *settings,
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--ServerApp.allow_root=True")
    command = [sys.executable, "-m", "jupyter_server", *options]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            running = Server(f"http://127.0.0.1:{port}", Workspace(folder / "workspace"))
            _wait_for(running, process, folder / "server.log")
            yield running
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("mlflow-server")) as running:
        yield running


@pytest.fixture(scope="session")
def spare_rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """Calls to a server that no other test uses."""
    with start_server(tmp_path_factory.mktemp("spare")) as running, httpx.Client(timeout=60) as client:
        yield Rest(running, client)


@pytest.fixture
def viewers_rest(tmp_path: Path) -> Iterator[Rest]:
    """Calls to a server on which everybody is a viewer."""
    settings = (
        "--ServerApp.authorizer_class=studio_ext.authorizer.RoleAuthorizer",
        "--RoleAuthorizer.default_role=viewer",
    )
    with start_server(tmp_path, *settings) as running, httpx.Client(timeout=60) as client:
        yield Rest(running, client)


@pytest.fixture(scope="session")
def rest(server: Server) -> Iterator[Rest]:
    with httpx.Client(timeout=60) as client:
        yield Rest(server, client)


class Clients:
    """Runs files of `clients/` with MLflow's client, each once, and remembers what every case said."""

    def __init__(self, python: Path, server: Server, folder: Path) -> None:
        self._python = python
        self._server = server
        self._folder = folder
        self._results: dict[str, dict[str, str]] = {}

    def check(self, file: str, case: str) -> None:
        """Fail with the traceback if a case failed in the client's process."""
        if file not in self._results:
            self._results[file] = self._run(file)
        message = self._results[file].get(case, "The client's process ended before this case.")
        if message:
            pytest.fail(message, pytrace=False)

    def _run(self, file: str) -> dict[str, str]:
        environment = clean_environment() | {
            "MLFLOW_TRACKING_URI": self._server.tracking_uri,
            "MLFLOW_TRACKING_TOKEN": TOKEN,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "GIT_PYTHON_REFRESH": "quiet",
            # Of every model that is logged, a process finds out what it imports: ten seconds each, and not our matter.
            "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",
            "MLFLOW_INPUT_EXAMPLE_INFERENCE_TIMEOUT": "1",
        }
        command = [str(self._python), str(CASES / "run_cases.py"), str(CASES / f"{file}.py"), str(self._folder / file)]
        done = subprocess.run(command, env=environment, cwd=self._folder, capture_output=True, text=True, timeout=900)
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"case"')]
        if not lines:
            pytest.fail(f"The client's process said nothing:\n{done.stderr[-3000:]}", pytrace=False)
        return {result["case"]: result["message"] for result in map(json.loads, lines)}


@pytest.fixture(scope="session")
def clients(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Clients:
    try:
        python = mlflow_python()
    except PeerEnvironmentError as error:
        pytest.skip(str(error))
    return Clients(python, server, tmp_path_factory.mktemp("clients"))


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            if httpx.get(f"{server.tracking_uri}/health", headers=headers, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"The Jupyter server did not start:\n{log.read_text()[-3000:]}", pytrace=False)
