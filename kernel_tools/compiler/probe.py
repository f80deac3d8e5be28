"""A process that answers one request with one model and prints the memory that it holds then, in MiB.

`python -m kernel_tools.compiler.probe REQUEST`, where the request is JSON: ``folder``, ``body`` and, for an original,
``format``, ``model_class``, ``signature`` and ``trust``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(request: dict[str, Any]) -> float:
    """Answer the request, and return the memory of this process."""
    if "format" in request:
        _ask_original(request)
    else:
        from kernel_tools.compiler.runtime import CompiledModel

        CompiledModel(request["folder"]).answer(request["body"])
    return held_mib()


def _ask_original(request: dict[str, Any]) -> None:
    from kernel_tools.compiler.sources import find_source
    from kernel_tools.core.forms import InputReader
    from kernel_tools.core.signature import Signature
    from kernel_tools.registry.formats import load_files

    folder = Path(request["folder"])
    model = load_files(request["format"], folder, request["model_class"], trust=request["trust"])
    rows = InputReader(Signature.from_dict(request["signature"])).read(request["body"])
    find_source(model).answer(model, rows)


def held_mib() -> float:
    """Return the memory that this process has for itself, with its share of what it shares; else its greatest size."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(main(json.loads(sys.argv[1])))
