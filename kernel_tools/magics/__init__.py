"""Notebook magics of ``%load_ext kernel_tools``: `%atelier`, and those of each capability in a module of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.magics.debugger import DebuggerMagics
from kernel_tools.magics.experiments import ExperimentMagics
from kernel_tools.magics.hosting import HostingMagics
from kernel_tools.magics.jobs import JobMagics
from kernel_tools.magics.workspace import WorkspaceMagics
from kernel_tools.magics.wrangler import WranglerMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = [
    "DebuggerMagics",
    "ExperimentMagics",
    "HostingMagics",
    "JobMagics",
    "WorkspaceMagics",
    "WranglerMagics",
    "register_magics",
]


def register_magics(shell: InteractiveShell) -> None:
    """Add all of Atelier's magics to a shell."""
    shell.register_magics(WorkspaceMagics, ExperimentMagics, JobMagics, DebuggerMagics, WranglerMagics, HostingMagics)
