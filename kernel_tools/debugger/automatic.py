"""The Debugger without a change of code: in a job that has the setting, whatever trains is watched by itself."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType

from kernel_tools.debugger.companion import CONFIG_VARIABLE

_INSTALLERS = {
    "torch": "kernel_tools.debugger.pytorch.automatic",
    "xgboost": "kernel_tools.debugger.boosting.automatic",
    "lightgbm": "kernel_tools.debugger.boosting.automatic",
}
"""Modules with an ``install(config)``, by the library that they watch."""


def install() -> None:
    """Have the libraries watched that the user's code imports later on."""
    content = os.environ.get(CONFIG_VARIABLE)
    if not content:
        return
    settings = json.loads(content)

    def install_for(library: str) -> None:
        from kernel_tools.debugger.records import Config

        try:
            importlib.import_module(_INSTALLERS[library]).install(Config.from_dict(settings))
        except Exception as error:  # the job goes on without the Debugger
            warnings.warn(f"The Debugger cannot watch {library}: {type(error).__name__}: {error}", stacklevel=2)

    sys.meta_path.insert(0, _AfterImport(set(_INSTALLERS), install_for))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function once when a module of a name was imported."""

    def __init__(self, names: set[str], call: Callable[[str], None]) -> None:
        self._names = names
        self._call = call

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module as ever; what loads it calls the function afterwards."""
        if name not in self._names:
            return None
        self._names.discard(name)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            self._call(name)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader
        return spec
