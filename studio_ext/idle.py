"""Applies the idle policy to this Jupyter server: to Jupyter's own culling, and by the rule of `studio_ext.quiet`.

One light task looks at the kernels twice a minute while a policy asks for it; it rests otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jupyter_core.utils import ensure_async

from kernel_tools.core.errors import AtelierError
from studio_ext.idle_policy import SETTINGS_FILE, IdlePolicy, read_policy
from studio_ext.process_trees import TreeUse, measure_trees
from studio_ext.quiet import Observation, QuietWatch, is_to_stop
from studio_ext.running import EXECUTING, RunningKernel, restart_culler

if TYPE_CHECKING:
    from studio_ext.app import StudioApp

logger = logging.getLogger(__name__)

LOOK_SECONDS = 30.0


class IdleKeeper:
    """Keeps one server to the workspace's idle policy.

    Parameters
    ----------
    studio
        The extension.
    clock
        Seconds that are never set back; given by tests.
    """

    def __init__(self, studio: StudioApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._studio = studio
        self._clock = clock
        self._watch = QuietWatch()
        self._applied: IdlePolicy | None = None
        self._changed_at = 0
        self._task: asyncio.Task[None] | None = None

    def present_policy(self) -> IdlePolicy:
        """Return what holds now: the workspace's policy, else what the server was configured with."""
        policy = read_policy(self._studio.workspace_root)
        if policy is not None:
            return policy
        kernels, terminals = self._studio.running.kernel_manager, self._studio.running.terminal_manager
        return IdlePolicy(
            cull_idle_timeout=max(0, kernels.cull_idle_timeout),
            cull_interval=max(1, kernels.cull_interval),
            cull_connected=kernels.cull_connected,
            cull_busy=kernels.cull_busy,
            cull_inactive_timeout=0 if terminals is None else max(0, terminals.cull_inactive_timeout),
        )

    async def follow(self) -> None:
        """Apply the workspace's policy, and go on looking for changes of it; called in the event loop."""
        try:
            self._apply_changes()
        except AtelierError as error:
            logger.warning("The idle policy is not followed: %s", error)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_on())

    def rest(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def look(self) -> list[str]:
        """Look at all kernels once, stop those that the quiet rule says, and return their ids."""
        self._apply_changes()
        policy = self._applied
        if policy is None or policy.quiet_minutes == 0:
            return []
        kernels = await self._studio.running.kernels()
        roots = [kernel.pid for kernel in kernels if kernel.pid is not None]
        loop = asyncio.get_running_loop()
        uses = await loop.run_in_executor(self._studio.executor, measure_trees, roots)
        at = self._clock()
        self._watch.keep_only([kernel.id for kernel in kernels])
        stopped = []
        for kernel in kernels:
            observation = _observe(kernel, uses.get(kernel.pid or 0))
            quiet_seconds = self._watch.observe(kernel.id, observation, at)
            if is_to_stop(policy, observation, quiet_seconds) and await self._stop(kernel, quiet_seconds):
                stopped.append(kernel.id)
        return stopped

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (AtelierError, OSError) as error:
                logger.warning("The idle policy could not be followed: %s", error)
            except Exception:
                logger.exception("A defect in the idle policy; it goes on.")

    def _apply_changes(self) -> None:
        """Take over what somebody has set since, in this server or in another one of the workspace."""
        root = self._studio.workspace_root
        try:
            changed_at = (root / SETTINGS_FILE).stat().st_mtime_ns
        except FileNotFoundError:
            return
        policy = read_policy(root) if changed_at != self._changed_at else self._applied
        self._changed_at = changed_at
        if policy is not None and policy != self._applied:
            self._apply(policy)

    def _apply(self, policy: IdlePolicy) -> None:
        self._applied = policy
        kernels, terminals = self._studio.running.kernel_manager, self._studio.running.terminal_manager
        for name in ("cull_idle_timeout", "cull_interval", "cull_connected", "cull_busy"):
            setattr(kernels, name, getattr(policy, name))
        restart_culler(kernels, kernels.initialize_culler)
        if terminals is not None:
            terminals.cull_inactive_timeout = policy.cull_inactive_timeout
            terminals.cull_interval = policy.cull_interval
            restart_culler(terminals, terminals._initialize_culler)

    async def _stop(self, kernel: RunningKernel, quiet_seconds: float) -> bool:
        """Stop a kernel unless it has begun to execute meanwhile; say whether it was stopped."""
        manager = self._studio.running.kernel_manager
        if kernel.id not in manager or manager.get_kernel(kernel.id).execution_state in EXECUTING:
            return False
        minutes = int(quiet_seconds // 60)
        logger.warning("Stopping kernel %s (%s): quiet for %d minutes.", kernel.id, kernel.path or kernel.name, minutes)
        await ensure_async(manager.shutdown_kernel(kernel.id))
        loop = asyncio.get_running_loop()
        details = {"path": kernel.path, "reason": f"quiet for {minutes} minutes"}
        audit = self._studio.open_workspace().audit
        await loop.run_in_executor(
            self._studio.executor, lambda: audit.record("kernel.stop", f"kernel/{kernel.id}", details)
        )
        return True


def _observe(kernel: RunningKernel, use: TreeUse | None) -> Observation:
    return Observation(
        cpu_seconds=None if use is None else use.cpu_seconds,
        io_bytes=None if use is None else use.io_bytes,
        is_executing=kernel.is_executing,
        last_activity=kernel.last_activity,
        connections=kernel.connections,
    )
