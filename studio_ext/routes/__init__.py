"""The handlers, in the order in which their paths are tried."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler, UnknownPathHandler
from studio_ext.routes import experiments, home, hosting, registry, system

HANDLERS: list[type[StudioHandler]] = [
    *system.HANDLERS,
    *home.HANDLERS,
    *experiments.HANDLERS,
    *registry.HANDLERS,
    *hosting.HANDLERS,
    UnknownPathHandler,
]
