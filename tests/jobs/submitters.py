"""Who submits jobs and is killed with -9 for it: a script, a kernel, a Jupyter server."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from kernel_tools.core.workspace import Workspace

CODE = """
import sys
from kernel_tools import jobs
for number in range({first}, {last}):
    job = jobs.submit({script!r}, name=f"job-{{number:04d}}", params=dict(seconds={seconds}, code=int(number % 5 == 4),
                      marks={marks!r}), retries=jobs.Retries(lost=50 * (number % 2)))
    print("submitted", job.name, flush=True)
"""


@dataclass(frozen=True)
class Order:
    """Which jobs are to be submitted. Every fifth fails by itself; an odd one may be started again when it is lost,
    but not if a server submits it, whose form does not ask for that."""

    script: Path
    marks: Path
    seconds: float
    first: int
    count: int

    @property
    def code(self) -> str:
        """The Python that submits them and prints the name of each."""
        return CODE.format(
            first=self.first,
            last=self.first + self.count,
            script=str(self.script),
            seconds=self.seconds,
            marks=str(self.marks),
        )


class Submitter(Protocol):
    """Submits until it is killed."""

    def names(self) -> Iterator[str]:
        """Yield the name of each job whose submission was acknowledged."""

    def kill(self) -> None:
        """Kill it with -9, and it alone."""


class Script:
    """A plain Python process."""

    def __init__(self, workspace: Workspace, order: Order) -> None:
        self._count = order.count
        self._process = subprocess.Popen(
            [sys.executable, "-c", order.code + "\nimport time; time.sleep(1000)"],
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(workspace),
        )

    def names(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in itertools.islice(self._process.stdout, self._count):
            yield line.split()[1]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Kernel:
    """A notebook's kernel that executes a cell."""

    def __init__(self, workspace: Workspace, order: Order) -> None:
        self._manager = KernelManager()
        self._manager.start_kernel(env=_environment(workspace))
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self._client.execute(order.code)

    def names(self) -> Iterator[str]:
        left = ""
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=60)
            except queue.Empty:
                return
            if message["msg_type"] == "stream":
                lines = (left + message["content"]["text"]).split("\n")
                left = lines.pop()
                yield from (line.split()[1] for line in lines if line.startswith("submitted"))
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return

    def kill(self) -> None:
        assert self._manager.provisioner is not None
        os.kill(self._manager.provisioner.pid, signal.SIGKILL)  # type: ignore[attr-defined]  # of a local kernel
        self._client.stop_channels()
        self._manager.cleanup_resources()


class Server:
    """A Jupyter server whose "Run as job" is used."""

    def __init__(self, workspace: Workspace, order: Order) -> None:
        self._order = order
        runtime = workspace.root.parent / f"server-{order.first}"
        runtime.mkdir()
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
        command += ["--IdentityProvider.token=campaign", "--ServerApp.jpserver_extensions={'studio_ext': True}"]
        environment = {**_environment(workspace), "JUPYTER_RUNTIME_DIR": str(runtime)}
        with open(runtime / "log", "wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=order.script.parent, stdout=log, stderr=subprocess.STDOUT
            )
        while not (found := list(runtime.glob("jpserver-*.json"))):
            assert self._process.poll() is None, (runtime / "log").read_text()
            time.sleep(0.05)
        self._url = json.loads(found[0].read_text())["url"]

    def names(self) -> Iterator[str]:
        order = self._order
        for number in range(order.first, order.first + order.count):
            body = {
                "path": order.script.name,
                "name": f"job-{number:04d}",
                "params": {"seconds": order.seconds, "code": int(number % 5 == 4), "marks": str(order.marks)},
            }
            request = urllib.request.Request(
                f"{self._url}studio/api/submissions",
                json.dumps(body).encode(),
                {"Authorization": "token campaign", "Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    yield json.load(reply)["job"]["name"]
            except urllib.error.HTTPError as error:
                raise AssertionError(error.read().decode()) from error

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


SUBMITTERS = (Script, Kernel, Server)


def _environment(workspace: Workspace) -> dict[str, str]:
    library = str(Path(__file__).parents[2])
    return {**os.environ, "ATELIER_HOME": str(workspace.root), "PYTHONPATH": library}
