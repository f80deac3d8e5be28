"""Checkpoints on disk: each a folder that appears whole, with the sha256 of its files; the newest good one counts."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import sync_folder

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
MANIFEST = "checkpoint.json"
_UNFINISHED = ".saving-"


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A checkpoint that is whole: `step` counts what was done, `state` is what was said beside the files."""

    path: Path
    step: int
    state: dict[str, Any]
    saved_at: int


class CheckpointStore:
    """The checkpoints in one folder.

    Parameters
    ----------
    folder
        Default: the job's (``ATELIER_JOB_FOLDER/checkpoints``); outside of a job it has to be given.
    keep
        How many checkpoints are kept. Default: the job's setting, else 2: one may turn out damaged.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, keep: int | None = None) -> None:
        job = os.environ.get("ATELIER_JOB_FOLDER")
        if folder is None and job is None:
            raise InvalidArgumentError(
                "This is no job, which would have a folder for checkpoints: name one with folder=."
            )
        self.folder = Path(folder) if folder is not None else Path(str(job)) / "checkpoints"
        self.keep = keep or int(os.environ.get("ATELIER_CHECKPOINT_KEEP", "2"))
        self.folder.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, write: Callable[[Path], None], state: dict[str, Any] | None = None) -> Path:
        """Save a checkpoint.

        Parameters
        ----------
        step
            How much is done; later checkpoints have larger ones.
        write
            Writes files into the folder that it is given.
        state
            JSON values that are kept beside them.
        """
        name = f"step-{step:015d}-{time.time_ns():020d}"
        unfinished = self.folder / f"{_UNFINISHED}{name}"
        unfinished.mkdir()
        try:
            write(unfinished)
            digests = {}
            for path in sorted(unfinished.rglob("*")):
                if path.is_file():
                    digests[path.relative_to(unfinished).as_posix()] = _digest(path)
                    _sync_file(path)
            content = {
                "version": FORMAT_VERSION,
                "step": step,
                "saved_at": time.time_ns() // 1_000_000,
                "state": state or {},
                "files": digests,
            }
            manifest = unfinished / MANIFEST
            manifest.write_text(json.dumps(content), encoding="utf-8")
            _sync_file(manifest)
            sync_folder(unfinished)
            final = self.folder / name
            unfinished.rename(final)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(self.folder)
        self._prune()
        return final

    def newest(self) -> SavedCheckpoint | None:
        """Return the newest checkpoint whose files are what was saved; damaged ones are named in a warning."""
        return next(self.good(), None)

    def good(self) -> Iterator[SavedCheckpoint]:
        """Yield the checkpoints that are whole, the newest first."""
        for path in self._all():
            try:
                yield _read(path)
            except (OSError, ValueError, KeyError) as error:
                logger.warning("The checkpoint %s is left out, because it is damaged: %s", path, error)

    def _all(self) -> list[Path]:
        return sorted((path for path in self.folder.glob("step-*") if path.is_dir()), reverse=True)

    def _prune(self) -> None:
        """Remove old checkpoints, and what interrupted saves have left; the newest ones may be damaged, so count
        good."""
        kept = 0
        for path in self._all():
            if kept >= self.keep:
                shutil.rmtree(path, ignore_errors=True)
            elif (path / MANIFEST).exists():
                kept += 1
        for path in self.folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(path, ignore_errors=True)


def _read(path: Path) -> SavedCheckpoint:
    content = json.loads((path / MANIFEST).read_bytes())
    if content["version"] > FORMAT_VERSION:
        raise ValueError("it was written by a newer Atelier")
    for name, digest in content["files"].items():
        if _digest(path / name) != digest:
            raise ValueError(f"{name} is not what was saved")
    return SavedCheckpoint(path, int(content["step"]), content["state"], int(content["saved_at"]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
