"""Where the artifacts of MLflow's runs and models are on this machine, and which files are there.

An address is followed only to a folder that is named after its owner, as MLflow names them, and never out of it: a
store that somebody else wrote must not make an import read any file of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import join_inside
from kernel_tools.experiments.run_artifacts import validate_artifact_path

SERVED = "mlflow-artifacts"
SERVED_FOLDER = "mlartifacts"
"""Where `mlflow server` keeps what it serves unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class ArtifactFiles:
    """The files below an address, by their relative paths, and why some or all of them cannot be imported."""

    files: dict[str, Path] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)


class ArtifactFolders:
    """Finds the artifacts of a store.

    Parameters
    ----------
    base
        What relative addresses are relative to.
    root
        The folder that holds the artifacts of a server, or the copy of a folder that is somewhere else by now.
    """

    def __init__(self, base: Path, root: Path | None) -> None:
        served = base / SERVED_FOLDER
        self._base = base
        self._root = root.expanduser().resolve() if root is not None else None
        self._served = self._root or (served if served.is_dir() else None)

    def list_files(self, uri: str, owner_id: str, known: Path | None = None) -> ArtifactFiles:
        """Return the files of a run or a logged model; `known` is their folder if the store says so by its form."""
        if known is not None and known.is_dir():
            return _walk(known)
        found = self._find(uri, owner_id)
        if isinstance(found, str):
            return ArtifactFiles(refusals=[found] if found else [])
        return _walk(found)

    def _find(self, uri: str, owner_id: str) -> Path | str:
        """Return a folder, or why there is none; nothing to say about a folder that was never made."""
        parsed = urlparse(uri)
        path = unquote(parsed.path) if parsed.scheme else uri
        parts = [part for part in Path(path).parts if part not in ("/", ".")]
        if owner_id not in parts or ".." in parts:
            return f"The address {uri!r} is not one that MLflow gives."
        if parsed.scheme == SERVED:
            if self._served is None:
                return "The artifacts are kept by an MLflow server: name its folder of them with --artifacts."
            return self._existing(join_inside(self._served, *parts))
        if parsed.scheme not in ("", "file"):
            return f"The artifacts are in {parsed.scheme}://, which is not copied; clients still find them there."
        folder = Path(path) if Path(path).is_absolute() else self._base / path
        if folder.is_dir():
            return folder
        if self._root is not None:
            for start in range(parts.index(owner_id) + 1):
                candidate = join_inside(self._root, *parts[start:])
                if candidate.is_dir():
                    return candidate
            return ""
        return "" if _root_of(folder, owner_id).is_dir() else f"There is no folder {_root_of(folder, owner_id)}."

    def _existing(self, folder: Path) -> Path | str:
        assert self._served is not None
        return folder if folder.is_dir() else "" if self._served.is_dir() else f"There is no folder {self._served}."


def _root_of(folder: Path, owner_id: str) -> Path:
    """Return the folder of the experiments above an owner's, whose existence tells that artifacts are kept there."""
    for parent in folder.parents:
        if parent.name == owner_id:
            above = parent.parent
            return (above.parent if above.name == "models" else above).parent
    return folder


def _walk(root: Path) -> ArtifactFiles:
    found = ArtifactFiles()
    for path in _files_below(root):
        name = path.relative_to(root).as_posix()
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
                raise InvalidArgumentError(f"The file {name!r} is a link that leads out of its folder.")
            found.files[validate_artifact_path(name)] = path
        except InvalidArgumentError as error:
            found.refusals.append(str(error))
    return found


def _files_below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names))
