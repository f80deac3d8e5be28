"""The library wandb beside this environment, for benchmarks against it: `python -m scripts.wandb_library` makes it.

A peer, never a dependency: it lives in `build/wandb`, which `make clean` removes, and only the process of the peer has
it on its path.
"""

from __future__ import annotations

import subprocess
import sys

from kernel_tools.core.locks import hold_lock
from scripts.peer_environment import INSTALL_SECONDS, ROOT, clean_environment

VERSION = "0.31.0"
FOLDER = ROOT / "build" / "wandb"


def wandb_path() -> str:
    """Return the folder to put on Python's path; the library is installed into it first if it is missing."""
    stamp = FOLDER / f".wandb-{VERSION}"
    FOLDER.parent.mkdir(exist_ok=True)
    with hold_lock(FOLDER.with_suffix(".lock"), timeout=INSTALL_SECONDS):
        if not stamp.exists():
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--disable-pip-version-check"]
            command = [*install, "--target", str(FOLDER), f"wandb=={VERSION}"]
            subprocess.run(command, check=True, env=clean_environment())
            stamp.touch()
    return str(FOLDER)


if __name__ == "__main__":
    print(wandb_path())
