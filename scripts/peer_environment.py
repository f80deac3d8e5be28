"""Environments of their own for libraries that Atelier is measured against or tested with: `build/<name>-env`.

Peers are never dependencies: they would bring hundreds of megabytes and limits on other libraries. `make clean` removes
them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.locks import hold_lock

ROOT = Path(__file__).parents[1]
INSTALL_SECONDS = 1200.0
"""How long one process waits for another that installs."""


class PeerEnvironmentError(Exception):
    """The environment is not there and cannot be made; the message says why."""


def peer_python(name: str, version: str, packages: Sequence[str], *, probe: str, make: bool = True) -> Path:
    """Return the interpreter of an environment, which is made first if it is missing.

    Parameters
    ----------
    name, version
        Of the peer; another version is another environment.
    packages
        What is installed, as pip takes it.
    probe
        A module that has to be importable there.
    make
        Whether to make a missing environment (some minutes, and a package index).

    Raises
    ------
    PeerEnvironmentError
        If it is missing and is not or cannot be made.
    """
    folder = ROOT / "build" / f"{name}-env"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / f".{name}-{version}"
    if stamp.exists() and python.exists():
        return python
    if not make:
        raise PeerEnvironmentError(
            f"There is no {name} {version} in {folder}. Make it with: python -m scripts.{name}_environment"
        )
    # Two test processes ask at once in a fresh clone: the second one waits for the first instead of clearing its work.
    folder.parent.mkdir(exist_ok=True)
    with hold_lock(folder.with_suffix(".lock"), timeout=INSTALL_SECONDS):
        if not (stamp.exists() and python.exists()):
            if folder.is_symlink():
                folder.unlink()
            shutil.rmtree(folder, ignore_errors=True)
            try:
                _run([sys.executable, "-m", "venv", str(folder)])
                _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
                _run([str(python), "-c", f"import {probe}"])
            except (OSError, subprocess.CalledProcessError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                output = str(getattr(error, "stderr", "") or error).strip().splitlines()
                reason = output[-1] if output else error
                raise PeerEnvironmentError(
                    f"{name} {version} could not be installed into {folder}: {reason}"
                ) from error
            stamp.touch()
    return python


def clean_environment() -> dict[str, str]:
    """Return environment variables for a process of a peer, without those that point at our packages."""
    ours = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("MLFLOW_")}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, env=clean_environment())
