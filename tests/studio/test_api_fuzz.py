"""Schemathesis over the whole document, against a running server and a workspace with something in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
)

from kernel_tools import experiments, hosting
from kernel_tools.core.workspace import Workspace
from studio_ext.openapi import DOCUMENT

START_SECONDS = 60
MOST_WORKERS = 2
"""So many an endpoint is scaled to at most: each is a process."""
TOKEN = secrets.token_hex(16)
NOT_PROMISED: list[Any] = [
    missing_required_header,  # wants 401; a Jupyter server answers 403 to a caller who is not logged in
    positive_data_acceptance,  # wants 2xx; a bad filter or page token is 400, and no schema says which are bad
]
document = json.loads(DOCUMENT.read_text())
del document["security"]  # every call is logged in; a call whose only defect is a missing login would be a good one
schema = schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def server(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server in a process of its own; after the tests its log must name no defect."""
    home = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": home,
        "ServerApp.jpserver_extensions": "{'studio_ext': True}",
        "IdentityProvider.token": TOKEN,
        "StudioApp.workspace": served.root,
    }
    command = [sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in options.items())]
    environment = os.environ | {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/studio/api/version", params={"token": TOKEN}).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def known(served: Workspace) -> dict[str, Any]:
    """Names that exist, so that half of the calls get beyond 404."""
    (run,), _ = experiments.search_run_records(workspace=served)
    return {"run_id": run.id, "name": "census", "version": 1, "alias": "champion"}


@pytest.fixture(scope="module")
def operated(served: Workspace) -> Iterator[str]:
    """An endpoint that is scaled, updated and rolled back; other tests keep the one that they know."""
    endpoint = hosting.deploy("census", version=1, name="operated", workspace=served)
    yield endpoint.name
    endpoint.delete()


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_its_promises(case: schemathesis.Case, server: str, known: dict[str, Any], operated: str) -> None:
    is_repaired = _use_known_names(case, known, operated) or _has_blanks(case)
    excluded = [*NOT_PROMISED, negative_data_rejection] if is_repaired else NOT_PROMISED
    case.call_and_validate(base_url=server, headers={"Authorization": f"token {TOKEN}"}, excluded_checks=excluded)


def _has_blanks(case: schemathesis.Case) -> bool:
    """A blank name or value is none: JupyterLab itself adds one to requests that must not be cached."""
    values = {name: value if isinstance(value, list) else [value] for name, value in (case.query or {}).items()}
    return any(not name or "" in value or None in value for name, value in values.items())


def _use_known_names(case: schemathesis.Case, known: dict[str, Any], operated: str) -> bool:
    """Put names that exist in the place of half of the made-up ones; say whether there were any."""
    is_changed = False
    if case.method == "DELETE" or case.path.endswith(("/restart", "/packages")):  # which starts processes each time
        return is_changed
    is_operation = "/endpoints/{" in case.path and case.method == "POST"
    names = known | {"name": operated} if is_operation else known
    for name, value in case.path_parameters.items():
        if name in names and sum(map(ord, str(value))) % 2:
            case.path_parameters[name] = names[name]
            is_changed = True
    if is_changed and is_operation and isinstance(case.body, dict):
        for name in ("workers", "min_workers", "max_workers"):
            if isinstance(asked := case.body.get(name), int):
                case.body[name] = min(asked, MOST_WORKERS)
        if isinstance(case.body.get("version"), int):
            case.body["version"] = case.body["version"] % 2 + 1  # those that there are
    return is_changed
