"""Compile requirements.lock from pyproject.toml with uv, without the CUDA packages of PyTorch's Linux build.

Extra arguments go to uv, for example ``--upgrade`` or ``--upgrade-package pandas``; without them every pin that still
fits is kept. What is resolved, and for which platforms, is said in pyproject.toml under ``[tool.uv]``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path("requirements.lock")
# A CPU build of PyTorch needs none of these; a CUDA build asks pip for exactly the versions that it was made with.
# XGBoost asks for nvidia-nccl-cu12 in every build.
CUDA_PACKAGE = re.compile(r"(?!nvidia-nccl-cu12==)(nvidia-|cuda-|triton==)")


def compile_lock(options: list[str]) -> None:
    """Run uv, which reads the present lock for the pins to keep, and drop the CUDA packages from its result."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--output-file", str(LOCK)]
    subprocess.run([*command, *options], check=True)
    lines = LOCK.read_text(encoding="utf-8").splitlines(keepends=True)
    LOCK.write_text("".join(line for line in lines if CUDA_PACKAGE.match(line) is None), encoding="utf-8")


if __name__ == "__main__":
    compile_lock(sys.argv[1:])
