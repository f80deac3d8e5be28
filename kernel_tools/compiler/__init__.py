"""The compiler: models as packages that ONNX Runtime serves, compared with the original and measured.

A worker imports `kernel_tools.compiler.runtime`, which needs NumPy, ONNX Runtime and msgspec only. Everything else is
loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel_tools.compiler.compiling import compile_model as compile
    from kernel_tools.compiler.manifest import Manifest
    from kernel_tools.compiler.package import Candidate, CompiledPackage, delete_package, get_package, packages
    from kernel_tools.compiler.parity import ParityError
    from kernel_tools.compiler.runtime import CompiledModel
    from kernel_tools.compiler.sources import UnsupportedModelError

__all__ = [
    "Candidate",
    "CompiledModel",
    "CompiledPackage",
    "Manifest",
    "ParityError",
    "UnsupportedModelError",
    "compile",
    "delete_package",
    "get_package",
    "packages",
]

_PLACES = {
    "Candidate": "package:Candidate",
    "CompiledModel": "runtime:CompiledModel",
    "CompiledPackage": "package:CompiledPackage",
    "Manifest": "manifest:Manifest",
    "ParityError": "parity:ParityError",
    "UnsupportedModelError": "sources:UnsupportedModelError",
    "compile": "compiling:compile_model",
    "delete_package": "package:delete_package",
    "get_package": "package:get_package",
    "packages": "package:packages",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'kernel_tools.compiler' has no attribute {name!r}; it has: {', '.join(__all__)}")
    module, _, attribute = _PLACES[name].partition(":")
    return getattr(importlib.import_module(f"kernel_tools.compiler.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
