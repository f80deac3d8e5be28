"""The output folder of a job, looked at a folder at a time; nothing in its files is executed."""

from __future__ import annotations

import itertools
import mimetypes
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import join_inside
from kernel_tools.experiments.records import ArtifactEntry, ArtifactRecord
from kernel_tools.jobs.functions import RESULT_JSON, RESULT_PICKLE

MAX_ENTRIES = 10_000
"""Files and folders that are listed of one folder, or found by a search."""
_OWN = frozenset({RESULT_JSON, RESULT_PICKLE})


class OutputFiles:
    """The files that a job has left.

    Parameters
    ----------
    folder
        The job's output folder; it need not exist.
    name
        The job's name, for messages.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder.resolve()
        self._name = name

    def entries(self, folder: str = "") -> list[ArtifactEntry | ArtifactRecord]:
        """Return what is directly inside a folder, folders first, by name; their sha256 is not worked out."""
        place = join_inside(self._folder, folder) if folder else self._folder
        try:
            entries = list(itertools.islice(os.scandir(place), MAX_ENTRIES))
        except (FileNotFoundError, NotADirectoryError):
            return []
        paths = sorted((Path(entry.path) for entry in entries), key=lambda path: path.name)
        folders = [path for path in paths if path.is_dir() and not path.is_symlink()]
        return [
            *(ArtifactEntry(self._relative(path), True, _size_below(path)) for path in folders),
            *(self._record(path) for path in paths if self._is_shown(path)),
        ]

    def search(self, text: str) -> list[ArtifactRecord]:
        """Return the files whose path contains a text, in any case."""
        wanted = text.casefold()
        found = (path for path in _walk(self._folder) if wanted in self._relative(path).casefold())
        return [self._record(path) for path in itertools.islice(found, MAX_ENTRIES) if self._is_shown(path)]

    def count(self) -> int:
        """Return the number of files; counting ends at `MAX_ENTRIES`."""
        return sum(1 for _ in itertools.islice((p for p in _walk(self._folder) if self._is_shown(p)), MAX_ENTRIES))

    def artifact(self, path: str) -> ArtifactRecord:
        """Return one file; NotFoundError if there is none."""
        return self._record(self._place(path))

    def open_artifact(self, path: str) -> IO[bytes]:
        """Open one file for reading; NotFoundError if there is none."""
        return self._place(path).open("rb")

    def _place(self, path: str) -> Path:
        place = join_inside(self._folder, path)
        if not place.is_file():
            raise NotFoundError(f"Job {self._name!r} has left no file {path!r}.")
        return place

    def _is_shown(self, path: Path) -> bool:
        """Whether a file is the job's: not what Atelier keeps there, and not a link that leads elsewhere."""
        if path.name in _OWN or not path.is_file():
            return False
        try:
            join_inside(self._folder, self._relative(path))
        except InvalidArgumentError:
            return False
        return True

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _record(self, path: Path) -> ArtifactRecord:
        status = path.stat()
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return ArtifactRecord(self._relative(path), status.st_size, "", media_type, status.st_mtime_ns // 1_000_000)


class OutputTables(OutputFiles):
    """The same files, told apart by when they were written: what reads tables keeps them by their sha256."""

    def artifact(self, path: str) -> ArtifactRecord:
        """Return one file, with what stands for its sha256."""
        record = super().artifact(path)
        return replace(record, sha256=f"{self._folder}/{path} {record.size} {record.created_at}")


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))


def _size_below(folder: Path) -> int:
    sizes = (path.lstat().st_size for path in itertools.islice(_walk(folder), MAX_ENTRIES))
    return sum(sizes)
