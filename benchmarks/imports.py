"""What `import kernel_tools` costs beyond the bare interpreter, and what it does not import."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.harness import Result, measure, wall_seconds

LIBRARIES = ("jupyter-atelier",)
HEAVY = ("torch", "xgboost", "shap", "plotly", "ray", "mlflow", "pandas", "numpy", "sqlalchemy")
BAR_MS = 150


def run() -> Iterator[Result]:
    """Start interpreters in turn, with and without the import."""
    ours, bare = measure(lambda: _start("import kernel_tools"), lambda: _start("pass"), repeat=15)
    difference = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
    loaded = _loaded()
    yield Result(
        "import kernel_tools, beyond the interpreter",
        f"under {BAR_MS} ms; no {', '.join(HEAVY[:6])}",
        "ms",
        difference,
        statistics.median(difference) < BAR_MS and not loaded,
        note=f"loads {', '.join(loaded)}" if loaded else f"loads none of {', '.join(HEAVY)}",
    )


def _start(statement: str) -> float:
    return 1000 * wall_seconds(lambda: subprocess.run([sys.executable, "-c", statement], check=True))


def _loaded() -> list[str]:
    script = f"import sys, kernel_tools; print(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
