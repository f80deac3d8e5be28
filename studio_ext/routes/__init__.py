"""The handlers, in the order in which their paths are tried."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler, UnknownPathHandler
from studio_ext.routes import comparison, experiments, home, hosting, registry, registry_views, system

HANDLERS: list[type[StudioHandler]] = [
    *system.HANDLERS,
    *home.HANDLERS,
    *experiments.HANDLERS,
    *comparison.HANDLERS,
    *registry.HANDLERS,
    *registry_views.HANDLERS,
    *hosting.HANDLERS,
    UnknownPathHandler,
]
