"""A workspace for jobs, and scripts that are written where the tests run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from kernel_tools.core.workspace import Workspace

END = 60.0
"""Seconds after which a test gives up waiting for a job; nothing is measured by it."""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield Workspace(tmp_path / "home")
    marked = f"ATELIER_HOME={tmp_path / 'home'}"
    for process in psutil.process_iter():
        try:
            if (
                marked in (f"{key}={value}" for key, value in process.environ().items())
                and process.pid != psutil.Process().pid
            ):
                process.kill()
        except psutil.Error:
            continue


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """Write a script and return its path."""

    def write(code: str, name: str = "train.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        return path

    return write
