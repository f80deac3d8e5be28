"""Atelier's library: each capability is a module of its own, imported on first use.

``import kernel_tools as kt`` costs next to nothing; ``kt.experiments``, ``kt.registry``, ... load what they need.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from kernel_tools.core import seams

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from kernel_tools import compiler, debugger, experiments, hosting, jobs, registry, wrangler

__version__ = "0.1.0"

CAPABILITIES = ("compiler", "debugger", "experiments", "hosting", "jobs", "registry", "wrangler")

__all__ = [
    "CAPABILITIES",
    "__version__",
    "compiler",
    "debugger",
    "experiments",
    "hosting",
    "jobs",
    "load_ipython_extension",
    "registry",
    "wrangler",
]

# Rooms of upper floors that lower ones ask; each is imported when it is first asked.
seams.provide("job_companion", "debugger", "kernel_tools.debugger.companion:")
seams.provide("recipes", "wrangler", "kernel_tools.wrangler.reading:load")
seams.provide("lineage", "hosting", "kernel_tools.hosting.lineage:endpoint_links")


def __getattr__(name: str) -> ModuleType:
    if name in CAPABILITIES:
        return importlib.import_module(f"kernel_tools.{name}")
    raise AttributeError(f"module 'kernel_tools' has no attribute {name!r}; it has: {', '.join(CAPABILITIES)}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add Atelier's magics to a notebook (``%load_ext kernel_tools``)."""
    from kernel_tools.magics import register_magics

    register_magics(shell)
