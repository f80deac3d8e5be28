"""Starting workers: forked by a zygote that has imported what they need if there is one, else as new processes."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.hosts import log_path
from kernel_tools.hosting.process import WORKER_MODULE, ZYGOTE_MODULE, start_detached
from kernel_tools.hosting.zygote import ForkRequest, Message

FORK_SECONDS = 2.0
_MODULES_IN_A_MESSAGE = 500
_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Threads that libraries start when they are imported would stand in the way of forking."""
_FIRST = ["kernel_tools.hosting.worker"]
_log = logging.getLogger("atelier.host")


def worker_environment() -> dict[str, str]:
    """The environment of workers: waiting threads burn no processor."""
    environment = dict(os.environ)
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return environment


class Nursery:
    """Starts the workers of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._control: socket.socket | None = None
        self._zygote: subprocess.Popen[bytes] | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self._known: set[str] = set()
        self._unheard = 0
        """Messages that the zygote has not dealt with yet; it forks when there are none."""

    @property
    def control(self) -> socket.socket | None:
        """Becomes readable when a forked worker ended."""
        return self._control

    def start(self, folder: EndpointFolder, arguments: list[str], listener: int) -> int:
        """Start a worker that inherits the listening socket; returns its process id."""
        pid = self._fork(ForkRequest(arguments, str(folder.log_path), str(self._workspace.root)), listener)
        if pid:
            return pid
        child = start_detached(
            [WORKER_MODULE, *arguments, str(listener)],
            folder.log_path,
            self._workspace.root,
            worker_environment(),
            keep=(listener,),
        )
        self._children.append(child)
        return child.pid

    def reap(self) -> None:
        """Let ended children go."""
        self._children = [child for child in self._children if child.poll() is None]
        if self._zygote is not None and self._zygote.poll() is not None:
            self._forget()

    def keep_zygote(self, is_needed: bool, modules: list[Path]) -> None:
        """Have a zygote if one is needed, which has imported the modules that workers listed in these files."""
        if not is_needed or sys.platform != "linux":
            self.close()
            return
        if self._control is None:
            self._open()
        self.hear()
        listed = [name for path in modules for name in _listed(path)]
        wanted = [name for name in dict.fromkeys([*_FIRST, *listed]) if name not in self._known]
        self._known.update(wanted)
        for start in range(0, len(wanted), _MODULES_IN_A_MESSAGE):
            self._send(Message(modules=wanted[start : start + _MODULES_IN_A_MESSAGE]))
            self._unheard += 1

    def hear(self) -> None:
        """Take what the zygote said: that children ended, which the supervisors see for themselves."""
        while self._control is not None:
            try:
                self._control.setblocking(False)
                self._take(self._control.recv(4096))
            except BlockingIOError:
                return
            except OSError:
                self._forget()

    def close(self) -> None:
        """End the zygote; the workers that it forked go on."""
        if self._control is not None:
            self._send(Message(is_end=True))
            self._forget()

    def _open(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = worker_environment()
        environment["ATELIER_BLAS_THREADS"] = environment.get("OPENBLAS_NUM_THREADS", "")
        environment |= _WITHOUT_THREADS
        command = [ZYGOTE_MODULE, str(self._workspace.root), str(theirs.fileno())]
        self._zygote = start_detached(
            command, log_path(self._workspace), self._workspace.root, environment, keep=(theirs.fileno(),)
        )
        theirs.close()

    def _fork(self, request: ForkRequest, listener: int) -> int:
        self.hear()
        if self._control is None or self._unheard:
            return 0
        pid = None
        try:
            self._control.settimeout(FORK_SECONDS)
            socket.send_fds(self._control, [msgspec.json.encode(Message(fork=request))], [listener])
            while pid is None:
                pid = self._take(self._control.recv(4096))
        except OSError as error:
            _log.warning("The zygote does not fork (%s); the worker is started anew", error)
            self._forget()
            return 0
        if pid == 0:
            _log.info("The zygote has threads and forks nothing; the worker is started anew")
        return pid

    def _take(self, content: bytes) -> int | None:
        """Note what the zygote said; returns the process id if it speaks of one that it forked."""
        if not content:
            raise ConnectionError("the zygote has ended")
        said = msgspec.json.decode(content, type=dict[str, int])
        self._unheard -= said.get("is_done", 0)
        return said.get("pid")

    def _send(self, message: Message) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.settimeout(1.0)
                self._control.send(msgspec.json.encode(message))

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._zygote is not None and self._zygote.poll() is None:
            self._children.append(self._zygote)
        self._control, self._zygote, self._known = None, None, set()
        self._unheard = 0


def _listed(path: Path) -> list[str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[str])
    except (OSError, ValueError):
        return []
