"""An environment with ydata-profiling, for a benchmark against it: `python -m scripts.ydata_environment` makes it."""

from __future__ import annotations

from pathlib import Path

from scripts.peer_environment import peer_python

VERSION = "4.18.4"
PACKAGES = (f"ydata-profiling=={VERSION}", "pyarrow", "setuptools<81")
"""The library needs pkg_resources, which newer setuptools do not have."""


def ydata_python() -> Path:
    """Return the interpreter of the environment; see `peer_python`."""
    return peer_python("ydata", VERSION, PACKAGES, probe="ydata_profiling")


if __name__ == "__main__":
    print(ydata_python())
