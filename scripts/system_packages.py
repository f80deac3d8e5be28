"""Finds programs of the system that tests need, and installs Debian's package of one that is missing if we may."""

from __future__ import annotations

import os
import shutil
import subprocess

APT = ["apt-get", "--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]


def may_install() -> bool:
    """Say whether this process may install Debian packages."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str) -> bool:
    """Install a Debian package; print why if it did not work."""
    print(f"Installing Debian's {package} ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", package]):
        result = subprocess.run(
            [*APT, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            print(f"apt-get {' '.join(arguments)} failed: {(result.stderr or result.stdout).strip()}", flush=True)
            return False
    return True


def find_chromium() -> str | None:
    """Return the path of Chromium: ``CHROMIUM`` if it is set, else the first one on the path."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
