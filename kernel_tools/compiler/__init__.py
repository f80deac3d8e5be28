"""The compiler: models as packages that ONNX Runtime serves, compared with the original and measured.

A worker imports `kernel_tools.compiler.runtime`, which needs NumPy, ONNX Runtime and msgspec only. Everything else is
loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.faces import lazy_face

if TYPE_CHECKING:
    from kernel_tools.compiler.compiling import compile_model as compile
    from kernel_tools.compiler.job import compile_as_job
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
    "compile_as_job",
    "delete_package",
    "get_package",
    "packages",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "compiling": "compile=compile_model",
        "job": "compile_as_job",
        "manifest": "Manifest",
        "package": "Candidate CompiledPackage delete_package get_package packages",
        "parity": "ParityError",
        "runtime": "CompiledModel",
        "sources": "UnsupportedModelError",
    },
)
