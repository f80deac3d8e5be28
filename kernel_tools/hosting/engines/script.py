"""The engine of a model with code of its own: `inference.py` in a process that is started, watched and replaced."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.engines.environments import environment_python
from kernel_tools.hosting.engines.protocol import Payload
from kernel_tools.hosting.wire.errors import ModelError, UnsupportedContentError

_log = logging.getLogger(__name__)
_RUNNER = Path(__file__).with_name("script_runner.py")
START_SECONDS = 300.0


class ScriptEngine:
    """A folder with `inference.py`, in a process of its own; one request at a time.

    Parameters
    ----------
    folder
        The model's folder. ``requirements.txt`` beside `inference.py` gives the process an environment of its own.
    workspace
        Where environments are kept.
    timeout
        Seconds that an answer may take; then the process is killed, and another one started for the next request.
    keep
        What keeps the folder from being removed while it lives.

    Raises
    ------
    InvalidDataError
        If the model cannot be loaded, with what its code says.
    UnavailableError
        If its requirements cannot be installed.
    """

    def __init__(self, folder: Path, workspace: Workspace, timeout: float = 60.0, keep: object = None) -> None:
        self._keep = keep
        self._folder, self._timeout = folder, timeout
        wanted = next((path for path in _places(folder, "requirements.txt") if path.exists()), None)
        self._python = str(environment_python(workspace, wanted)) if wanted else sys.executable
        self._lock = threading.Lock()
        self._process = self._start()

    def invoke(self, payload: Payload, accept: str) -> Payload:
        """Answer a request.

        Raises
        ------
        ModelError
            If the code raises, ends its process, or takes too long.
        UnsupportedContentError
            If it takes or gives no bodies of that type.
        """
        with self._lock:
            if self._process.poll() is not None:
                _log.warning("The model's process has ended with code %s; another one starts", self._process.returncode)
                self._process = self._start()
            header = {"content_type": payload.content_type, "accept": accept, "length": len(payload.body)}
            try:
                reply, body = self._exchange(self._process, header, payload.body, self._timeout)
            except TimeoutError as error:
                self._process.kill()
                self._process.wait()
                raise ModelError(
                    f"The model's code did not answer within {self._timeout:g} s, and was ended."
                ) from error
            except (OSError, EOFError) as error:
                code = self._process.wait()
                raise ModelError(f"The model's code ended its process (exit code {code}) on this request.") from error
        if reply["status"] == "unsupported":
            raise UnsupportedContentError(str(reply["message"]))
        if reply["status"] != "ok":
            raise ModelError(f"The model's code raised {reply['message']}")
        return Payload(body, str(reply["content_type"]))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["SM_MODEL_DIR"] = str(self._folder)
        process = subprocess.Popen(
            [self._python, "-P", str(_RUNNER), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._folder,
            env=environment,
        )
        try:
            reply, _ = self._exchange(process, None, b"", START_SECONDS)
        except (OSError, EOFError, TimeoutError) as error:
            process.kill()
            code = process.wait()
            raise InvalidDataError(
                f"The model's code ended its process (exit code {code}) while it was loaded. Its log says more."
            ) from error
        if reply["status"] != "ready":
            process.wait()
            raise InvalidDataError(f"The model's code cannot be loaded: {reply['message']}")
        return process

    @staticmethod
    def _exchange(
        process: subprocess.Popen[bytes], header: dict[str, Any] | None, body: bytes, timeout: float
    ) -> tuple[dict[str, Any], bytes]:
        assert process.stdin is not None and process.stdout is not None
        end = time.monotonic() + timeout
        if header is not None:
            _write(process.stdin.fileno(), json.dumps(header).encode() + b"\n" + body, end)
        source = process.stdout.fileno()
        received = bytearray()
        while b"\n" not in received:
            received += _read(source, end)
        line, _, rest = bytes(received).partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        content = bytearray(rest)
        while len(content) < reply["length"]:
            content += _read(source, end)
        return reply, bytes(content)


def _places(folder: Path, name: str) -> list[Path]:
    return [folder / "code" / name, folder / name]


def _is_ready(descriptor: int, event: int, end: float) -> bool:
    """Wait for a descriptor, which may be above the 1,024 that `select` bears."""
    waiting = select.poll()
    waiting.register(descriptor, event)
    return bool(waiting.poll(1000 * max(0.0, end - time.monotonic())))


def _read(descriptor: int, end: float) -> bytes:
    if not _is_ready(descriptor, select.POLLIN, end):
        raise TimeoutError
    part = os.read(descriptor, 1 << 20)
    if not part:
        raise EOFError
    return part


def _write(descriptor: int, content: bytes, end: float) -> None:
    os.set_blocking(descriptor, False)
    view = memoryview(content)
    while view:
        if not _is_ready(descriptor, select.POLLOUT, end):
            raise TimeoutError
        view = view[os.write(descriptor, view) :]
