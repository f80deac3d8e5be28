"""The environment of a run: Python, machine, and the versions of all installed packages."""

from __future__ import annotations

import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

PACKAGES_PATH = "environment/packages.txt"

_LOCK = threading.Lock()
_packages: tuple[tuple[tuple[str, int], ...], dict[str, str]] | None = None


def describe_environment() -> dict[str, Any]:
    """Return what the code runs on.

    Returns
    -------
    dict
        python, implementation, platform, machine, processors (a number), memory (bytes, or None where it is not
        known), accelerators (names; only those that a library which is loaded already knows of) and packages (name to
        version).
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "memory": _memory(),
        "accelerators": _accelerators(),
        "packages": installed_packages(),
    }


def environment_text(environment: dict[str, Any]) -> str:
    """Write an environment as a requirements file: the machine in comments, then ``name==version`` lines."""
    memory = environment["memory"]
    machine = [
        f"# Python {environment['python']} ({environment['implementation']})",
        f"# {environment['platform']}, {environment['processors']} processors"
        + (f", {memory / 2**30:.1f} GiB memory" if memory else ""),
        *(f"# {name}" for name in environment["accelerators"]),
    ]
    packages = [f"{name}=={version}" for name, version in sorted(environment["packages"].items())]
    return "\n".join([*machine, *packages]) + "\n"


def installed_packages() -> dict[str, str]:
    """Return the installed packages and their versions, from the names of their metadata folders.

    Read again when a folder of `sys.path` has changed, as after an installation from a notebook.
    """
    global _packages
    folders = [Path(entry or ".") for entry in dict.fromkeys(sys.path)]
    state = tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders if folder.is_dir())
    with _LOCK:
        if _packages is None or _packages[0] != state:
            _packages = (state, _read_packages([folder for folder, _ in state]))
        return dict(_packages[1])


def _read_packages(folders: list[str]) -> dict[str, str]:
    packages: dict[str, str] = {}
    for folder in folders:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for entry in names:
            stem, suffix = os.path.splitext(entry)
            if suffix in (".dist-info", ".egg-info") and "-" in stem:
                name, version = stem.split("-")[:2]
                packages.setdefault(name.lower().replace("_", "-"), version)  # the first on the path is imported
    return packages


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not on this platform
        return None


def _accelerators() -> list[str]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
