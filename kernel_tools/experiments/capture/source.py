"""Where a run's code came from: script or notebook, the cell, the command, and the state of its git checkout."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from kernel_tools.experiments.capture import git, notebook

SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
GIT_COMMIT = "mlflow.source.git.commit"
GIT_BRANCH = "mlflow.source.git.branch"
GIT_DIRTY = "mlflow.source.git.dirty"
COMMAND = "atelier.source.command"
DIFF_OMITTED = "atelier.source.diff"

DIFF_PATH = "source/diff.patch"
CELL_PATH = "source/cell.py"

MAX_DIFF = 4 * 1024 * 1024
"""Bytes; a longer difference holds data rather than code, and is left out (the tag `atelier.source.diff` says so)."""
MAX_COMMAND = 1000

_SECRET_NAME = re.compile(r"pass(word|wd)?|secret|token|api[-_]?key|credential|access[-_]?key|auth", re.IGNORECASE)
_LOCK = threading.Lock()
_checkouts: dict[tuple[Path, int], git.Checkout | None] = {}


@dataclass(frozen=True, slots=True)
class Source:
    """The source as tags of the run and as files to keep, by artifact path."""

    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def describe_source() -> dict[str, str]:
    """Return the source of the calling code as tags; MLflow's names where it has them."""
    return read_source().tags


def read_source() -> Source:
    """Return where the calling code came from.

    The checkout is compared once in a process, in a notebook once in a cell: what runs is what was imported.
    """
    shell = notebook.current_shell()
    number = notebook.cell_number(shell) if shell is not None else 0
    tags: dict[str, str] = {}
    files: dict[str, bytes] = {}
    if shell is not None and notebook.is_notebook(shell):
        path = notebook.notebook_path(shell)
        tags[SOURCE_TYPE] = "NOTEBOOK"
        tags[SOURCE_NAME] = path or "notebook"
        folder = Path.cwd()
    else:
        script = _script()
        tags[SOURCE_TYPE] = "LOCAL"
        tags[SOURCE_NAME] = script or ("ipython" if shell is not None else Path(sys.executable).name)
        if command := _command():
            tags[COMMAND] = command
        folder = Path(script).resolve().parent if script and Path(script).is_file() else Path.cwd()
    if shell is not None and (code := notebook.cell_code(shell)):
        files[CELL_PATH] = code.encode()
    checkout = _read_checkout(folder, number)
    if checkout is not None:
        tags[GIT_COMMIT] = checkout.commit
        if checkout.branch is not None:
            tags[GIT_BRANCH] = checkout.branch
        if checkout.diff is not None:
            tags[GIT_DIRTY] = str(bool(checkout.diff)).lower()
        if checkout.diff and len(checkout.diff) <= MAX_DIFF:
            files[DIFF_PATH] = checkout.diff
        elif checkout.diff:
            tags[DIFF_OMITTED] = f"left out: {len(checkout.diff):,} bytes, more than {MAX_DIFF:,}"
    return Source(tags, files)


def _read_checkout(folder: Path, cell: int) -> git.Checkout | None:
    with _LOCK:
        key = (folder, cell)
        if key not in _checkouts:
            checkout = git.read_checkout(folder)
            _checkouts.clear()  # earlier cells do not come back
            _checkouts[key] = checkout
        return _checkouts[key]


def _script() -> str | None:
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    return str(path) if path else None


def _command() -> str:
    """Return the command line with the values of what looks like a secret taken out."""
    shown: list[str] = []
    is_secret = False
    for argument in sys.orig_argv[:200]:
        name, separator, _ = argument.partition("=")
        if is_secret and not argument.startswith("-"):
            shown.append("***")
        elif separator and _SECRET_NAME.search(name):
            shown.append(f"{name}=***")
        else:
            shown.append(argument)
        is_secret = argument.startswith("-") and not separator and bool(_SECRET_NAME.search(argument))
    text = " ".join(" ".join(shown).split())
    return text if len(text) <= MAX_COMMAND else f"{text[: MAX_COMMAND - 1]}…"
