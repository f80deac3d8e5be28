"""The source of a job: a copy of what it runs, and its digest, so that later changes do not reach a job that waits."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, TooLargeError

LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".venv", "venv", "node_modules", ".atelier",
    ".mypy_cache",
     ".pytest_cache", ".ruff_cache"}
)  # fmt: skip
"""Folders that are not taken along."""
LARGEST_SOURCE = 500_000_000
MOST_FILES = 20_000


def copy_source(source: Path, target: Path) -> str:
    """Copy a file, or a folder with all below it, into `target`, and return the digest of the copy.

    Raises
    ------
    NotFoundError
        If there is no such file or folder.
    TooLargeError
        If it has more than 20,000 files or 500 MB: data belong into inputs.
    """
    if not source.exists():
        raise NotFoundError(f"There is no {str(source)!r}. Give a path that exists, or one below the current folder.")
    target.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    total = 0
    files = [(source.name, source)] if source.is_file() else list(source_files(source))
    if len(files) > MOST_FILES:
        raise TooLargeError(_too_large(source, f"more than {MOST_FILES:,} files"))
    for relative, path in files:
        total += path.stat().st_size
        if total > LARGEST_SOURCE:
            raise TooLargeError(_too_large(source, f"more than {LARGEST_SOURCE:,} bytes"))
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
        digest.update(f"{relative}\0".encode("utf-8", "surrogateescape") + _digest(place))
    return digest.hexdigest()


def digest_path(path: Path) -> tuple[str, int]:
    """Return the sha256 and the size in bytes of a file, or of the names and contents of all files below a folder."""
    if path.is_file():
        return _digest(path).hex(), path.stat().st_size
    digest = hashlib.sha256()
    size = 0
    for relative, file in source_files(path):
        digest.update(f"{relative}\0".encode("utf-8", "surrogateescape") + _digest(file))
        size += file.stat().st_size
    return digest.hexdigest(), size


def require_inside(source: Path, target: str) -> str:
    """Return the path of an entry below its source folder; InvalidArgumentError if it leads out of it."""
    path = source / target
    if not path.resolve().is_relative_to(source.resolve()):
        raise InvalidArgumentError(f"{target!r} is not below source_dir {str(source)!r}: give a path relative to it.")
    if not path.is_file():
        near = ", ".join(sorted(item.name for item in source.glob("*.py"))[:5])
        raise NotFoundError(f"There is no {target!r} in {str(source)!r}." + (f" There are: {near}." if near else ""))
    return target


def source_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that are taken along from a folder, by their path below it, in a fixed order."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not name.endswith(".pyc"):
                yield path.relative_to(folder).as_posix(), path


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _too_large(source: Path, what: str) -> str:
    return (
        f"The source {str(source)!r} has {what}. Give a smaller source_dir, and data as inputs={{'train': path}}: they "
        "are linked, not copied."
    )
