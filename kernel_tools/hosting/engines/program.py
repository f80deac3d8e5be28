"""The engine of any program that answers ``GET /ping`` and ``POST /invocations``: SageMaker's container contract."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.hosting.engines.protocol import Payload
from kernel_tools.hosting.wire.errors import ModelError, UnsupportedContentError

START_SECONDS = 120.0
GRACE_SECONDS = 30.0
"""From SIGTERM to SIGKILL, as the contract has it."""


class ProgramEngine:
    """A program that is told its port by ``PORT`` and ``SAGEMAKER_BIND_TO_PORT``, and serves on 127.0.0.1.

    Parameters
    ----------
    command
        The program and its arguments; ``{port}`` in one of them is replaced.
    folder
        Where it runs, and what ``SM_MODEL_DIR`` names.
    timeout
        Seconds that an answer may take.

    Raises
    ------
    InvalidDataError
        If it ends, or does not answer ``/ping`` in time.
    """

    def __init__(self, command: Sequence[str], folder: Path, timeout: float = 60.0) -> None:
        self._command, self._folder, self._timeout = list(command), folder, timeout
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._process = self._start()

    def invoke(self, payload: Payload, accept: str) -> Payload:
        """Pass a request on.

        Raises
        ------
        ModelError
            If the program answers with an error, ends, or takes too long.
        UnsupportedContentError
            If it answers 415.
        """
        headers = {"Content-Type": payload.content_type, "Accept": accept}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        try:
            connection.request("POST", "/invocations", payload.body, headers)
            response = connection.getresponse()
            body = response.read()
        except TimeoutError as error:
            raise ModelError(f"The model's program did not answer within {self._timeout:g} s.") from error
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(f"The model's program does not answer: {error}.") from error
        finally:
            connection.close()
        if response.status == 415:
            raise UnsupportedContentError(f"The model's program takes no {payload.content_type!r}.")
        if response.status >= 400:
            said = body.decode("utf-8", "replace")[:2000]
            raise ModelError(said or "The model's program said nothing.", response.status)
        return Payload(body, response.headers.get("Content-Type", accept))

    def close(self) -> None:
        """Ask the program to end, and kill it if it has not ended in time."""
        _end(self._process, GRACE_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PORT": str(self._port), "SAGEMAKER_BIND_TO_PORT": str(self._port)}
        environment["SM_MODEL_DIR"] = str(self._folder)
        command = [part.replace("{port}", str(self._port)) for part in self._command]
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, cwd=self._folder, env=environment, start_new_session=True
            )
        except OSError as error:
            raise InvalidDataError(
                f"The model's program {command[0]!r} cannot be started: {error.strerror}."
            ) from error
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if self._is_up():
                return process
            time.sleep(0.05)
        code = process.poll()
        _end(process, 1.0)
        if code is None:
            raise InvalidDataError(f"The model's program did not answer GET /ping within {START_SECONDS:g} s.")
        raise InvalidDataError(f"The model's program ended with code {code} before it answered GET /ping.")

    def _is_up(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            process.wait()
            return
