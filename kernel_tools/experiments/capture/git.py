"""What git knows about the code: commit, branch, and the difference between them and the files on disk."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 2.0
"""Seconds that git may take to compare the files; a repository that needs longer is not asked again."""

_too_slow: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Checkout:
    """The state of a working tree.

    `diff` is the difference of the tracked files to the commit, b"" without one; None if git is missing or too slow.
    """

    root: Path
    commit: str
    branch: str | None
    diff: bytes | None


def read_checkout(folder: Path) -> Checkout | None:
    """Return the state of the working tree that a folder is in; None outside of one, or before the first commit."""
    root = find_root(folder)
    if root is None:
        return None
    git_folder = _git_folder(root)
    head = _read(git_folder / "HEAD")
    if head is None:
        return None
    reference = head.removeprefix("ref: ") if head.startswith("ref: ") else None
    commit = _resolve(git_folder, reference) if reference else head
    if commit is None:
        return None
    branch = reference.removeprefix("refs/heads/") if reference else None
    return Checkout(root, commit, branch, _diff(root))


def find_root(folder: Path) -> Path | None:
    """Return the working tree that a folder is in."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def _git_folder(root: Path) -> Path:
    link = root / ".git"
    if link.is_file():  # a worktree or a submodule: "gitdir: <path>"
        target = (_read(link) or "").removeprefix("gitdir: ")
        return (root / target).resolve()
    return link


def _resolve(git_folder: Path, reference: str) -> str | None:
    shared = _read(git_folder / "commondir")
    folders = [git_folder] + ([(git_folder / shared).resolve()] if shared else [])
    for folder in folders:
        commit = _read(folder / reference)
        if commit is not None:
            return commit
    for folder in folders:
        for line in (_read(folder / "packed-refs") or "").splitlines():
            if line.endswith(f" {reference}"):
                return line.split(" ", 1)[0]
    return None


def _diff(root: Path) -> bytes | None:
    if root in _too_slow:
        return None
    command = ["git", "-C", str(root), "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT, env=environment, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        _too_slow.add(root)
        return None
    except OSError:  # git is not installed
        return None
    return answer.stdout if answer.returncode == 0 else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
