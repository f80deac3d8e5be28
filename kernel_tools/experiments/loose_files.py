"""Files that belong to no run: what MLflow's clients put below the artifact root under paths of their own.

The bytes are in the artifact store as all others. Below ``loose/`` of the workspace a small JSON file for each path
says which; every part of a path is quoted there, so that no path leads elsewhere or is a name that a system forbids.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import IO, BinaryIO
from urllib.parse import quote, unquote

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.experiments.records import ArtifactRecord
from kernel_tools.experiments.run_artifacts import make_record, validate_artifact_path

FOLDER = "loose"
SUFFIX = ".json"
FOLDER_SUFFIX = ".d"
MAX_PART = 80
"""Characters of a part of a path: quoted it has at most twelve times as many bytes."""


def put_file(workspace: Workspace, path: str, source: BinaryIO) -> ArtifactRecord:
    """Keep what is left of a binary stream under a path; it takes the place of an earlier file there.

    Raises
    ------
    InvalidArgumentError
        If this cannot be a path.
    ConflictError
        If there is a folder of this name.
    """
    place = _place(workspace, path)
    if place.with_suffix(FOLDER_SUFFIX).is_dir():
        raise ConflictError(f"{path!r} is a folder. Choose another name for the file.")
    blob = workspace.artifacts.put_stream(source)
    record = make_record(validate_artifact_path(path), blob.size, blob.sha256)
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as file:
        content = {"path": record.path, "size": record.size, "sha256": record.sha256}
        file.write(json.dumps(content, ensure_ascii=False).encode())
    workspace.audit.record("artifact.put", record.path, {"sha256": record.sha256})
    return record


def open_file(workspace: Workspace, path: str) -> tuple[IO[bytes], int]:
    """Open a file and return it with its size; NotFoundError if there is none."""
    try:
        content = json.loads(_place(workspace, path).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no file {path!r} below the artifact root.") from None
    return workspace.artifacts.open(content["sha256"]), content["size"]


def list_files(workspace: Workspace, folder: str = "") -> list[tuple[str, int | None]]:
    """Return what is directly in a folder, by path: sizes of files, None for folders."""
    root = _place(workspace, folder).with_suffix(FOLDER_SUFFIX) if folder else workspace.root / FOLDER
    prefix = f"{validate_artifact_path(folder)}/" if folder else ""
    found: list[tuple[str, int | None]] = []
    for entry in root.iterdir() if root.is_dir() else []:
        name = prefix + unquote(entry.stem)
        if entry.suffix == SUFFIX:
            found.append((name, json.loads(entry.read_bytes())["size"]))
        elif entry.suffix == FOLDER_SUFFIX and any(entry.rglob(f"*{SUFFIX}")):
            found.append((name, None))
    return sorted(found)


def delete_file(workspace: Workspace, path: str) -> None:
    """Delete a file, or a folder with everything in it; NotFoundError if there is neither."""
    place = _place(workspace, path)
    folder = place.with_suffix(FOLDER_SUFFIX)
    if place.is_file():
        place.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
    else:
        raise NotFoundError(f"There is no file {path!r} below the artifact root.")
    workspace.audit.record("artifact.delete", validate_artifact_path(path))


def loose_references(workspace: Workspace) -> set[str]:
    """Return the sha256 of every blob that such a file refers to."""
    return {json.loads(place.read_bytes())["sha256"] for place in (workspace.root / FOLDER).rglob(f"*{SUFFIX}")}


def _place(workspace: Workspace, path: str) -> Path:
    *folders, name = validate_artifact_path(path).split("/")
    if any(len(quote(part, safe=" ")) > 3 * MAX_PART for part in (*folders, name)):
        raise InvalidArgumentError(f"A part of {path[:80]!r} is too long: use at most {MAX_PART} characters.")
    root = workspace.root / FOLDER
    for folder in folders:
        root = root / f"{_quoted(folder)}{FOLDER_SUFFIX}"
    return root / f"{_quoted(name)}{SUFFIX}"


def _quoted(part: str) -> str:
    """Return a part of a path as a name without dots, so that its suffix tells files from folders."""
    return quote(part, safe=" ").replace(".", "%2E")
