"""Calling back when a module is imported: hooks are put into a library when, and only if, somebody uses it."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from kernel_tools.experiments.capture.guard import guarded

_searching = threading.local()


class ImportWatcher(MetaPathFinder):
    """Calls `callback(name)` as soon as one of the named modules is loaded, at once for those that are.

    Parameters
    ----------
    names
        Full names of modules.
    callback
        Called in the importing thread; it may fail without failing the import.
    """

    def __init__(self, names: Sequence[str], callback: Callable[[str], None]) -> None:
        self._names = frozenset(names)
        self._callback = callback

    def start(self) -> None:
        """Watch from now on."""
        sys.meta_path.insert(0, self)
        for name in self._names:
            module = sys.modules.get(name)
            if module is not None and not getattr(module.__spec__, "_initializing", False):
                self.notify(name)

    def stop(self) -> None:
        """Watch no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def notify(self, name: str) -> None:
        """Call back for a module that is loaded."""
        with guarded(f"what {name} does"):
            self._callback(name)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a watched module as everybody else finds it, and give it a loader that calls back."""
        if fullname not in self._names or getattr(_searching, "name", None) == fullname:
            return None
        _searching.name = fullname
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            _searching.name = None
        if spec is not None and spec.loader is not None:
            spec.loader = _NotifyingLoader(spec.loader, self)  # type: ignore[assignment]  # a loader by its methods
        return spec


class _NotifyingLoader:
    """A module's own loader, plus a call when the module is loaded."""

    def __init__(self, loader: Any, watcher: ImportWatcher) -> None:
        self._loader = loader
        self._watcher = watcher

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._watcher.notify(module.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
