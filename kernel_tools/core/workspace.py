"""The workspace: the folder that holds the truth about runs, models, jobs and endpoints.

Finds or creates it, validates every name that becomes a file or folder name, and hands out its database, artifact
store and audit log. What those hold is decided by the rooms above.
"""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    from kernel_tools.core.artifacts import ArtifactStore
    from kernel_tools.core.audit import AuditLog
    from kernel_tools.core.database import Database

WORKSPACE_FOLDER = ".atelier"
ENCRYPTION_VARIABLES = ("ATELIER_ENCRYPTION_KEY", "ATELIER_ENCRYPTION_KEY_FILE")
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def validate_name(name: str, what: str = "name") -> str:
    """Return `name` if it may be a name in Atelier, else raise.

    Parameters
    ----------
    name
        1 to 128 characters out of letters, digits, ``.``, ``_`` and ``-``; the first is a letter or a digit.
    what
        What the name belongs to, for the message ("experiment name", "endpoint name").

    Raises
    ------
    InvalidArgumentError
        If the name is anything else.
    """
    if not isinstance(name, str) or NAME_PATTERN.fullmatch(name) is None:
        raise InvalidArgumentError(
            f"{name!r} is not a valid {what}: use 1 to 128 letters, digits, '.', '_' or '-', "
            "starting with a letter or a digit."
        )
    return name


def validate_title(title: str, what: str = "title") -> str:
    """Return `title` if it may be shown as the name of something that is no file: 1 to 250 printable characters.

    Raises
    ------
    InvalidArgumentError
        If it is empty, longer, or holds control characters.
    """
    if not isinstance(title, str) or not 0 < len(title) <= 250 or not title.isprintable() or title != title.strip():
        raise InvalidArgumentError(
            f"{str(title)[:80]!r} is not a valid {what}: use 1 to 250 printable characters, no space at either end."
        )
    return title


def join_inside(folder: Path, *parts: str) -> Path:
    """Join `parts` to `folder` and refuse a result that is not below it.

    Raises
    ------
    InvalidArgumentError
        If a part is absolute, holds a NUL character, or leads out of the folder, also through a symbolic link.
    """
    shown = "/".join(parts)
    if any("\0" in part or "\\" in part for part in parts):
        raise InvalidArgumentError(f"{shown!r} is not a valid path: NUL and backslash are not allowed.")
    base = folder.resolve()
    joined = base.joinpath(*parts)
    is_plain = not any(Path(part).is_absolute() or ".." in Path(part).parts for part in parts)
    if not is_plain or joined == base or base not in _resolve(joined, shown).parents:
        raise InvalidArgumentError(f"{shown!r} is not a path inside {folder.name!r}: use a relative path without '..'.")
    return joined


def _resolve(path: Path, shown: str) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, UnicodeError) as error:  # a loop of links, or characters that no file name has
        raise InvalidArgumentError(f"{shown!r} is not a valid path: {error}.") from error


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under `path` whole or not at all: temporary name, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a no-op where folders cannot be opened, as on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_workspace(start: Path | None = None) -> Path:
    """Say where the workspace is.

    It is ``ATELIER_HOME``, else the nearest ``.atelier/`` upwards, else the user's data folder.
    """
    home = os.environ.get("ATELIER_HOME")
    if home:
        return Path(home).expanduser().resolve()
    current = (start or Path.cwd()).resolve()
    for folder in (current, *current.parents):
        candidate = folder / WORKSPACE_FOLDER
        if candidate.is_dir():
            return candidate
    from platformdirs import user_data_path

    return user_data_path("atelier", appauthor=False)


class Workspace:
    """One workspace folder and the stores in it.

    Parameters
    ----------
    root
        The workspace folder; it is created if it does not exist.
    database_url
        SQLAlchemy URL of the catalog. Default: ``ATELIER_DATABASE_URL``, else SQLite in the workspace.
    artifact_root
        fsspec URL of the artifact store. Default: ``ATELIER_ARTIFACT_ROOT``, else ``blobs/`` in the workspace.

    Raises
    ------
    InvalidArgumentError
        If the folder cannot be created or is a file.
    """

    def __init__(
        self, root: str | os.PathLike[str], *, database_url: str | None = None, artifact_root: str | None = None
    ) -> None:
        self.root = Path(root).expanduser().resolve()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(
                f"The workspace {str(self.root)!r} cannot be created: {error.strerror}. "
                "Set ATELIER_HOME to a folder that you may write to."
            ) from error
        self._database_url = database_url
        self._artifact_root = artifact_root

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and other._identity == self._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[Any, ...]:
        return (self.root, self._database_url, self._artifact_root)

    @functools.cached_property
    def database(self) -> Database:
        """The catalog, migrated to this version's schema."""
        from kernel_tools.core.database import Database

        url = self._database_url or os.environ.get("ATELIER_DATABASE_URL")
        return Database(url or f"sqlite:///{self.root / 'catalog.db'}", lock_path=self.root / "migrate.lock")

    @functools.cached_property
    def artifacts(self) -> ArtifactStore:
        """The content-addressed artifact store."""
        from kernel_tools.core.artifacts import ArtifactStore, load_encryption_key

        root = self._artifact_root or os.environ.get("ATELIER_ARTIFACT_ROOT")
        return ArtifactStore(root or (self.root / "blobs").as_uri(), key=load_encryption_key(self.root))

    @functools.cached_property
    def audit(self) -> AuditLog:
        """The hash-chained audit log."""
        from kernel_tools.core.audit import AuditLog

        return AuditLog(self.root / "audit.jsonl")

    def folder(self, kind: str, name: str) -> Path:
        """Return the folder of one object, such as ``folder("runs", run_id)``; it need not exist yet."""
        return join_inside(self.root / kind, validate_name(name, f"name below {kind}/"))


@functools.lru_cache(maxsize=16)
def _open(root: Path, database_url: str | None, artifact_root: str | None, _state: tuple[object, ...]) -> Workspace:
    return Workspace(root, database_url=database_url, artifact_root=artifact_root)


def current_workspace() -> Workspace:
    """Open the workspace that `find_workspace` finds; the same object while process and environment are the same."""
    return _open(
        find_workspace(),
        os.environ.get("ATELIER_DATABASE_URL"),
        os.environ.get("ATELIER_ARTIFACT_ROOT"),
        (os.getpid(), *(os.environ.get(name) for name in ENCRYPTION_VARIABLES)),
    )
