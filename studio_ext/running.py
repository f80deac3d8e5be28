"""What this Jupyter server has running: its kernels and terminals, looked at and stopped in its event loop.

Verbs work in threads; whatever touches a manager of the server goes through `Running.wait_for`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_core.utils import ensure_async

from kernel_tools.core.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from studio_ext.app import StudioApp

T = TypeVar("T")

EXECUTING = frozenset({"busy", "restarting", "autorestarting"})
STARTING_MS = 60_000
"""A kernel that nobody has spoken with is called starting for ever; after this long it is idle."""
LOOP_SECONDS = 60.0
"""How long a thread waits for the event loop, which also waits for kernels to end."""


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel of this server. `path` is that of the notebook, console or file that it belongs to."""

    id: str
    name: str
    state: str
    pid: int | None
    last_activity: int
    connections: int
    path: str | None

    @property
    def is_executing(self) -> bool:
        """Whether it executes something."""
        return self.state in EXECUTING


@dataclass(frozen=True, slots=True)
class RunningTerminal:
    """A terminal of this server."""

    name: str
    pid: int | None
    last_activity: int
    connections: int


class Running:
    """The kernels and terminals of one server."""

    def __init__(self, studio: StudioApp) -> None:
        self._studio = studio

    @property
    def kernel_manager(self) -> Any:
        """The server's manager of kernels."""
        return self._server.kernel_manager

    @property
    def terminal_manager(self) -> Any | None:
        """The server's manager of terminals; None without the extension that brings them."""
        return self._server.web_app.settings.get("terminal_manager")

    def wait_for(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something in the server's event loop, from a thread, and wait for it.

        Raises
        ------
        UnavailableError
            If it takes longer than a minute.
        """
        future = asyncio.run_coroutine_threadsafe(work(), self._server.io_loop.asyncio_loop)
        try:
            return future.result(LOOP_SECONDS)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            raise UnavailableError(
                f"The Jupyter server has not answered for {LOOP_SECONDS:g} s. Look into its log, then try again."
            ) from error

    async def kernels(self) -> list[RunningKernel]:
        """Return all kernels with the documents that they belong to."""
        manager = self.kernel_manager
        sessions: list[dict[str, Any]] = await ensure_async(self._server.session_manager.list_sessions())
        paths = {session["kernel"]["id"]: session["path"] for session in sessions if session.get("kernel")}
        return [
            RunningKernel(
                id=kernel_id,
                name=_display_name(manager, kernel_id),
                state=_state(kernel),
                pid=_pid(kernel),
                last_activity=_milliseconds(kernel.last_activity),
                connections=manager._kernel_connections.get(kernel_id, 0),
                path=paths.get(kernel_id),
            )
            for kernel_id in manager.list_kernel_ids()
            if (kernel := manager.get_kernel(kernel_id)) is not None and getattr(kernel, "last_activity", None)
        ]

    async def terminals(self) -> list[RunningTerminal]:
        """Return all terminals."""
        manager = self.terminal_manager
        found = {} if manager is None else dict(manager.terminals)
        return [
            RunningTerminal(
                name=name,
                pid=getattr(terminal.ptyproc, "pid", None),
                last_activity=_milliseconds(terminal.last_activity),
                connections=len(terminal.clients),
            )
            for name, terminal in found.items()
        ]

    async def stop_kernel(self, kernel_id: str) -> None:
        """Shut a kernel down; NotFoundError if there is none."""
        if kernel_id not in self.kernel_manager:
            raise NotFoundError(f"There is no kernel {kernel_id!r}. It may have ended by itself; refresh the list.")
        await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id))

    async def stop_terminal(self, name: str) -> None:
        """End a terminal and what runs in it; NotFoundError if there is none."""
        manager = self.terminal_manager
        if manager is None or name not in manager.terminals:
            raise NotFoundError(f"There is no terminal {name!r}. It may have ended by itself; refresh the list.")
        await manager.terminate(name, force=True)

    @property
    def _server(self) -> Any:
        assert self._studio.serverapp is not None
        return self._studio.serverapp


def restart_culler(manager: Any, start: Callable[[], Awaitable[None] | None]) -> None:
    """Let a manager of the server look at its timeout and interval anew; it reads them only when it begins."""
    if manager._culler_callback is not None:
        manager._culler_callback.stop()
        manager._culler_callback = None
    manager._initialized_culler = False
    start()


def _display_name(manager: Any, kernel_id: str) -> str:
    kernel = manager.get_kernel(kernel_id)
    try:
        return str(kernel.kernel_spec.display_name)
    except (AttributeError, KeyError, LookupError):  # its specification was removed meanwhile
        return str(kernel.kernel_name)


def _state(kernel: Any) -> str:
    state = getattr(kernel, "execution_state", None) or "starting"
    is_unspoken = state == "starting" and time.time() * 1000 - _milliseconds(kernel.last_activity) > STARTING_MS
    return "idle" if is_unspoken else str(state)


def _pid(kernel: Any) -> int | None:
    pid = getattr(getattr(kernel, "provisioner", None), "pid", None)
    return pid if isinstance(pid, int) and pid > 0 else None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
