"""Where blob files lie: a folder of this machine, or an object store reached through fsspec.

Knows file names, sizes and ages. What the bytes mean (addresses, encryption) is decided in `artifacts`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, MissingExtraError, UnavailableError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import sync_folder

STAGING_FOLDER = "tmp"
STAGING_SUFFIX = ".tmp"
LOCK_FILE = "blobs.lock"

_REFRESH_AFTER = 1800.0
"""Age in seconds from which an object that is stored again is uploaded again (see `ObjectStorage.publish`)."""

_FINGERPRINT_SIZE = 16
"""Leading bytes compared before an upload is skipped; they hold the key id of an encrypted blob."""

DRIVER_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}
"""The extra that brings the driver of a protocol."""


class Storage(Protocol):
    """What `ArtifactStore` needs of the place where its files lie.

    Names are relative, with ``/``. A missing file is always a `FileNotFoundError`.
    """

    copies_on_publish: bool
    """Whether `publish` leaves the published file in place."""

    def staging(self) -> AbstractContextManager[Path]:
        """Give a path on this machine for a file in the making; it is removed at the end of the block."""
        ...

    def publish(self, file: Path, name: str) -> None:
        """Make the whole `file` appear under `name`, in place of what was there, and young again."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for seeking and reading."""
        ...

    def exists(self, name: str) -> bool:
        """Say whether there is a file of this name."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        ...

    def names(self) -> Iterator[str]:
        """List all files, in no order."""
        ...

    def delete_older(self, name: str, seconds: float) -> int | None:
        """Delete a file unless it is younger than `seconds`; return its size, or None if it stays."""
        ...

    def sweep_staging(self, seconds: float) -> int:
        """Delete staged files that nobody has written to for `seconds`; return their size in bytes."""
        ...


def open_storage(url: str) -> Storage:
    """Choose the storage for an fsspec URL; a plain path and ``file://`` are folders of this machine."""
    if "://" not in url:
        return LocalFolder(Path(url).expanduser().resolve())
    if url.startswith("file://"):
        parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
        if parts.netloc not in ("", "localhost"):
            raise InvalidArgumentError(
                f"{url!r} names the computer {parts.netloc!r}: write file:///folder with three slashes."
            )
        local = url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
        return LocalFolder(Path(local))
    return ObjectStorage(url)


class LocalFolder:
    """Blob files in a folder: staged below ``tmp/`` of the same file system, synced, then renamed.

    A lock file makes the rename of a writer and the look-then-delete of the garbage collector exclude each other.
    """

    copies_on_publish = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self._synced: set[str] = set()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Stage below ``tmp/``, on the file system of the blobs."""
        folder = self.root / STAGING_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, suffix=STAGING_SUFFIX)
        os.close(descriptor)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def publish(self, file: Path, name: str) -> None:
        """Move `file`, which is synced, to its name, and make the name durable."""
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            os.utime(file)
            os.replace(file, target)
        sync_folder(target.parent)
        if target.parent.name not in self._synced:
            sync_folder(self.root)
            self._synced.add(target.parent.name)

    def open(self, name: str) -> BinaryIO:
        """Open a file for seeking and reading."""
        return (self.root / name).open("rb", buffering=0)

    def exists(self, name: str) -> bool:
        """Say whether there is a file of this name."""
        return (self.root / name).is_file()

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        if self.root.is_dir():
            with self._locked():
                (self.root / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """List all files."""
        for path in self.root.glob("[0-9a-f][0-9a-f]/*"):
            yield f"{path.parent.name}/{path.name}"

    def delete_older(self, name: str, seconds: float) -> int | None:
        """Delete a file that is old enough; no writer can renew it in between."""
        path = self.root / name
        with self._locked():
            return _unlink_older(path, seconds)

    def sweep_staging(self, seconds: float) -> int:
        """Delete staged files that a crashed writer left behind."""
        staged = (self.root / STAGING_FOLDER).glob(f"*{STAGING_SUFFIX}")
        return sum(_unlink_older(path, seconds) or 0 for path in staged)

    def _locked(self) -> AbstractContextManager[None]:
        return hold_lock(self.root / LOCK_FILE)


def _unlink_older(path: Path, seconds: float) -> int | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if time.time() - status.st_mtime < seconds:
        return None
    path.unlink(missing_ok=True)
    return status.st_size


class ObjectStorage:
    """Blob files as objects of any fsspec file system: ``s3://``, ``gs://``, ``abfs://``, ``memory://``.

    Objects are made in the temporary folder of this machine and uploaded whole. Object stores have no lock: a writer
    of content that is already there renews an object older than half an hour, so that a garbage collector with
    ``older_than`` of an hour or more (the default) does not take it away before it is referred to.
    """

    copies_on_publish = True

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = _open_file_system(url)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Stage in the temporary folder of this machine."""
        descriptor, name = tempfile.mkstemp(prefix="atelier-", suffix=STAGING_SUFFIX)
        os.close(descriptor)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def publish(self, file: Path, name: str) -> None:
        """Upload `file`, unless the same content was uploaded in the last half hour."""
        with self._reaching():
            if not self._is_same_and_young(file, name):
                self._files.put_file(str(file), self._path(name))

    def open(self, name: str) -> BinaryIO:
        """Open a file for seeking and reading."""
        with self._reaching():
            opened: BinaryIO = self._files.open(self._path(name), "rb")
            return opened

    def exists(self, name: str) -> bool:
        """Say whether there is a file of this name."""
        with self._reaching():
            return bool(self._files.isfile(self._path(name)))

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        with self._reaching(), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def names(self) -> Iterator[str]:
        """List all files."""
        with self._reaching():
            found = self._files.find(self._root)
        for path in found:
            yield str(path)[len(self._root) :].lstrip("/")

    def delete_older(self, name: str, seconds: float) -> int | None:
        """Delete a file that is old enough; it stays where the store does not tell ages."""
        with self._reaching(), suppress(FileNotFoundError):
            age = self._age(name)
            if age is not None and age >= seconds:
                size = int(self._files.size(self._path(name)))
                self._files.rm_file(self._path(name))
                return size
        return None

    def sweep_staging(self, seconds: float) -> int:
        """Return 0: staged files lie in the temporary folder of each machine, which its system cleans."""
        return 0

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _age(self, name: str) -> float | None:
        """Age in seconds, None where the file system does not know it."""
        try:
            modified = self._files.modified(self._path(name))
        except NotImplementedError:
            return None
        if modified.tzinfo is None:
            modified = modified.replace(tzinfo=UTC)
        return float((datetime.now(UTC) - modified).total_seconds())

    def _is_same_and_young(self, file: Path, name: str) -> bool:
        try:
            age = self._age(name)
            if age is None or age > _REFRESH_AFTER or self._files.size(self._path(name)) != file.stat().st_size:
                return False
            stored = self._files.cat_file(self._path(name), start=0, end=_FINGERPRINT_SIZE)
        except FileNotFoundError:
            return False
        with file.open("rb") as source:
            return bool(source.read(_FINGERPRINT_SIZE) == stored)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn whatever the driver of the store raises into one error that names the store."""
        try:
            yield
        except (AtelierError, FileNotFoundError):
            raise
        except Exception as error:
            raise UnavailableError(
                f"The artifact store {self.url!r} cannot be used: {type(error).__name__}: {error}. "
                "Check ATELIER_ARTIFACT_ROOT, the network and the credentials."
            ) from error


def _open_file_system(url: str) -> tuple[Any, str]:
    import fsspec.core

    protocol = url.split("://", 1)[0]
    try:
        files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        raise MissingExtraError(f"The driver for {protocol}://", DRIVER_EXTRAS.get(protocol, protocol)) from error
    except ValueError as error:
        raise InvalidArgumentError(
            f"{url!r} is not an artifact root: {error}. Use a folder, s3://, gs:// or abfs://."
        ) from error
    return files, str(root).rstrip("/")
