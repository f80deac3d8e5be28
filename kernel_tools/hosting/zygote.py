"""``python -m kernel_tools.hosting.zygote <workspace> <fd>``: it has imported what workers need, and forks them.

The host has one while an endpoint is scaled, because importing is most of what starting a worker takes. It forks only
while it is a single thread, so that no lock is held for ever in a child; where it cannot, the host starts workers anew.
It ends with its host. If that one was killed, it starts the next, for an endpoint that sleeps has no worker to do so.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import sysconfig
from pathlib import Path

import msgspec

from kernel_tools.hosting.importing import import_xgboost

MAX_MESSAGE = 1 << 20
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_WITH_THREADS = ("onnxruntime", "__main__")


class ForkRequest(msgspec.Struct, frozen=True):
    """A worker to be forked: its arguments but the listening socket, which comes along; its log and its folder."""

    arguments: list[str]
    log: str
    folder: str


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the host says: import modules, fork, or end."""

    modules: list[str] = []
    fork: ForkRequest | None = None
    is_end: bool = False


class Zygote:
    """Imports, forks, and tells when a child ended, until the host ends."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._threads = os.environ.pop("ATELIER_BLAS_THREADS", "")

    def run(self) -> bool:
        """Do what the host says; False if it went without saying so."""
        signal.signal(signal.SIGCHLD, self._on_child)
        while True:
            try:
                content, descriptors, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, 1)
            except ConnectionResetError:
                continue  # the host closed it with words unread; its own last ones come next
            except OSError:
                return False
            if not content:
                return False
            message = msgspec.json.decode(content, type=Message)
            if message.is_end:
                return True
            for name in message.modules:
                with contextlib.suppress(Exception):
                    import_xgboost() if name == "xgboost" else importlib.import_module(name)
            if message.fork is not None:
                self._fork(message.fork, descriptors[0])
            else:
                self._send({"is_done": 1})

    def _fork(self, request: ForkRequest, listener: int) -> None:
        if len(os.listdir("/proc/self/task")) > 1:
            self._send({"pid": 0})
            os.close(listener)
            return
        gc.collect()
        gc.freeze()  # the children then share these pages
        pid = os.fork()
        if pid == 0:
            self._become_worker(request, listener)
        os.close(listener)
        self._send({"pid": pid})

    def _become_worker(self, request: ForkRequest, listener: int) -> None:
        code = 1
        try:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for stream in (1, 2):
                os.dup2(log, stream)
            os.close(log)
            os.chdir(request.folder)
            self._begin_anew()
            from kernel_tools.hosting.worker import main as serve

            code = serve([*request.arguments, str(listener)])
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stderr.flush()
            os._exit(code)

    def _begin_anew(self) -> None:
        """Undo what a child must not share with its siblings: random numbers, and a BLAS of one thread."""
        os.environ.pop(_BLAS_THREADS, None)
        if self._threads:
            os.environ[_BLAS_THREADS] = self._threads
        if "numpy" in sys.modules:
            import numpy as np

            np.random.seed()
        if "threadpoolctl" in sys.modules:
            sys.modules["threadpoolctl"].threadpool_limits(int(self._threads or os.cpu_count() or 1), user_api="blas")

    def _on_child(self, _number: int, _frame: object) -> None:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                self._send({"has_ended": 1})

    def _send(self, message: dict[str, int]) -> None:
        with contextlib.suppress(OSError):
            self._control.send(msgspec.json.encode(message), socket.MSG_DONTWAIT)


def importable_modules() -> list[str]:
    """Return the modules of installed packages that this process has imported, in order; none of the user's own.

    Those that start a thread when they are imported are left to the workers.
    """
    roots = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(Path(__file__).parents[1]))
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(getattr(module, "__spec__", None), "origin", None) or ""
        if name.partition(".")[0] not in _WITH_THREADS and file.startswith(roots):
            found.append(name)
    return found


def main(arguments: list[str]) -> int:
    """Serve the host at the other end of a socket; returns the exit code."""
    from kernel_tools.core.workspace import Workspace
    from kernel_tools.hosting.hosts import start_host

    workspace = Workspace(Path(arguments[0]))
    control = socket.socket(fileno=int(arguments[1]))
    if not Zygote(control).run() and workspace.root.is_dir():
        start_host(workspace)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
