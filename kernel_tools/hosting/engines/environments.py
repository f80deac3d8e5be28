"""Environments for models that name requirements: one for each set of them, kept in the workspace and shared."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import Workspace

INSTALL_SECONDS = 1800.0
_READY = ".complete"


def environment_python(workspace: Workspace, requirements: Path) -> Path:
    """Return the interpreter of an environment that has some requirements; made the first time they are asked for.

    Parameters
    ----------
    requirements
        A file as pip takes it. Environments are told apart by its text and by the version of Python.

    Raises
    ------
    UnavailableError
        If they cannot be installed, with what pip says.
    """
    text = requirements.read_text(encoding="utf-8")
    digest = hashlib.sha256(f"{sys.version}\n{text}".encode()).hexdigest()[:20]
    root = workspace.folder("environments", digest)
    root.parent.mkdir(parents=True, exist_ok=True)
    python = root / "bin" / "python"
    if (root / _READY).exists():
        return python
    with hold_lock(root.with_suffix(".lock"), timeout=INSTALL_SECONDS):
        if (root / _READY).exists():
            return python
        shutil.rmtree(root, ignore_errors=True)
        venv.create(root, with_pip=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--quiet",
            "-r",
            str(requirements),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(root, ignore_errors=True)
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise UnavailableError(
                f"What {requirements.name} asks for cannot be installed: {' '.join(said[-2:])[:1000]} Correct the "
                "file and register the model again."
            )
        (root / _READY).touch()
    return python
