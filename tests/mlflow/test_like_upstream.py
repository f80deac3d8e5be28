"""The same requests to MLflow's own server and to this one: the same status, code, message and shape of the answer.

Left out of the table are requests that this server refuses on purpose or answers more than MLflow does; they are in
`docs/mlflow.md`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import PeerEnvironmentError, clean_environment
from tests.mlflow.upstream_requests import API, REQUESTS, SETUP, Request

TOKEN = "token-of-the-tests"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
ID = re.compile(r"[0-9a-f]{32}|\d+")
SAME_WORDS = 20
"""Characters at the beginning of a message that must be the same; what follows may be advice."""
NOT_COMPARED = ("workspace", "user_id", "aliases")
START_SECONDS = 90


class Peer:
    """A server that the requests go to, and what it called the things that they made."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._headers = headers
        self._known: dict[str, str] = {}
        self._client = httpx.Client(timeout=60)

    def call(self, request: Request) -> httpx.Response:
        """Send a request, and keep of the answer what it says to keep."""
        method, target, content = request
        path, _, kept = target.partition(" => ")
        filled = self._fill(path)
        url = self._url + (filled if filled.startswith("/") else API + filled)
        self._client.cookies.clear()
        options: dict[str, Any] = {"content": content} if isinstance(content, bytes) else {"json": self._fill(content)}
        if method in ("GET", "HEAD"):
            options = {"params": self._fill(content)} if content else {}
        response = self._client.request(method, url, headers=self._headers, **options)
        if kept and response.status_code == 200:
            name, _, place = kept.partition(" ")
            value = response.json()
            for part in place.split("."):
                value = value[part]
            self._known[name] = value
        return response

    def _fill(self, content: Any) -> Any:
        if isinstance(content, str):
            return PLACEHOLDER.sub(lambda match: self._known.get(match[1], match[0]), content)
        if isinstance(content, list):
            return [self._fill(item) for item in content]
        return {key: self._fill(value) for key, value in content.items()} if isinstance(content, dict) else content


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's own server."""
    try:
        python = mlflow_python()
    except PeerEnvironmentError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("upstream")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--serve-artifacts"]
    options += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(python), "-m", "mlflow", "server", *options],
            cwd=folder,
            env=clean_environment() | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"MLflow's server did not start:\n{log.read_text()[-3000:]}", pytrace=False)


def test_requests_are_answered_as_by_mlflows_own_server(upstream: str, spare_rest: Any) -> None:
    theirs = Peer(upstream, {})
    ours = Peer(spare_rest.server.tracking_uri, {"Authorization": f"Bearer {TOKEN}"})
    for request in SETUP:
        answers = (theirs.call(request), ours.call(request))
        assert [answer.status_code for answer in answers] == [200, 200], (request, [answer.text for answer in answers])
    different = []
    for request in REQUESTS:
        expected, answer = theirs.call(request), ours.call(request)
        if not is_same(expected, answer):
            shown = [f"{found.status_code} {found.text[:500]}" for found in (expected, answer)]
            different.append(f"{str(request)[:200]}\n  MLflow: {shown[0]}\n  here:   {shown[1]}")
    assert not different, f"{len(different)} of {len(REQUESTS)} differ:\n" + "\n".join(different)


def is_same(expected: httpx.Response, answer: httpx.Response) -> bool:
    contents = [read(response) for response in (expected, answer)]
    if expected.status_code != answer.status_code:
        return False
    if expected.status_code == 200:
        return shape(contents[0]) == shape(contents[1])
    codes = [content.get("error_code") for content in contents]
    messages = [ID.sub("N", str(content.get("message"))) for content in contents]
    is_near = len(os.path.commonprefix(messages)) >= min(SAME_WORDS, len(messages[0]))
    return codes[0] == codes[1] and is_near


def read(response: httpx.Response) -> Any:
    """Return the JSON of an answer; an empty one is an empty object."""
    try:
        return json.loads(response.text or "{}")
    except ValueError:
        return {} if response.status_code != 200 else response.text


def shape(content: Any) -> Any:
    """Return the names and types of an answer; lists without their order, and without what is empty."""
    if isinstance(content, dict):
        parts = {key: shape(value) for key, value in content.items() if key not in NOT_COMPARED}
        return {key: part for key, part in sorted(parts.items()) if part != {}}
    if isinstance(content, list):
        return sorted((shape(item) for item in content), key=str)
    return type(content).__name__
