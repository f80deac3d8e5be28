"""The files of asynchronous inference: inputs that the queue keeps, outputs that appear whole and once, failures.

No folder of an endpoint is made here, or one that is being deleted would come back.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from kernel_tools.core.errors import (
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.core.workspace import NAME_PATTERN, Workspace, sync_folder
from kernel_tools.hosting.asynchronous.records import MAX_PAYLOAD_BYTES

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredInput:
    """An input on the disk: `digest` tells it from another."""

    path: Path
    digest: str
    size: int
    is_owned: bool


def file_stem(identifier: str) -> str:
    """Return the name of an inference id's files: the id itself where it may be a name."""
    is_plain = NAME_PATTERN.fullmatch(identifier) and not identifier.endswith("-error")
    return identifier if is_plain else hashlib.sha256(identifier.encode()).hexdigest()[:40]


def store_input(
    folder: Path, identifier: str, source: IO[bytes] | bytes, limit: int = MAX_PAYLOAD_BYTES
) -> StoredInput:
    """Copy an input into the queue's folder, a block at a time; it is on the disk when this returns.

    Raises
    ------
    TooLargeError
        If it is larger than 1 GB.
    UnavailableError
        If it cannot be written.
    """
    path = folder / f"{file_stem(identifier)}.{secrets.token_hex(4)}"
    digest, size = hashlib.sha256(), 0
    with _written_or_removed(path) as file:
        blocks = [source] if isinstance(source, bytes) else iter(lambda: source.read(_BLOCK), b"")
        for block in blocks:
            size += len(block)
            if size > limit:
                raise TooLargeError(f"The input is larger than {limit:,} bytes. Split it into several requests.")
            digest.update(block)
            file.write(block)
    return StoredInput(path, digest.hexdigest(), size, is_owned=True)


def named_input(location: str | os.PathLike[str]) -> StoredInput:
    """Return an input that its owner keeps, named by a path or a ``file://`` URI; it is read when its turn comes.

    Raises
    ------
    InvalidArgumentError
        If the location is neither, or no regular file.
    NotFoundError
        If there is no such file.
    ForbiddenError
        If it may not be read.
    TooLargeError
        If it is larger than 1 GB.
    """
    path = local_path(location).resolve()
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise NotFoundError(f"The input {str(path)!r} does not exist.") from error
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"The input {str(path)!r} cannot be used: {error}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidArgumentError(f"The input {str(path)!r} is not a file: name a regular file.")
    if not os.access(path, os.R_OK):
        raise ForbiddenError(f"The input {str(path)!r} may not be read by this user.")
    if status.st_size > MAX_PAYLOAD_BYTES:
        raise TooLargeError(f"The input {str(path)!r} is larger than {MAX_PAYLOAD_BYTES:,} bytes. Split it.")
    return StoredInput(path, f"{path}:{status.st_size}:{status.st_mtime_ns}", status.st_size, is_owned=False)


def input_for_caller(
    workspace: Workspace, endpoint: str, folder: Path, identifier: str, location: str, roots: tuple[str, ...]
) -> StoredInput:
    """Return an input that a caller over the network names, if it lies where such callers may read.

    That is the queue's own folder of inputs, ``inputs`` in the workspace, and the configured roots; nothing else of the
    workspace, which holds keys and what other endpoints were asked.

    Raises
    ------
    ForbiddenError
        If it lies elsewhere, also through a symbolic link.
    InvalidArgumentError
        If the location cannot be used, or is on S3 and s3fs is not installed.
    """
    if urlsplit(location).scheme == "s3":
        return _fetch(folder, identifier, location, roots)
    path = local_path(location).resolve()
    allowed = [folder, workspace.root / "inputs", *(Path(root) for root in roots if "://" not in root)]
    if not any(root.resolve() in path.parents for root in allowed):
        raise ForbiddenError(
            f"The input {location[:200]!r} is outside of what callers of endpoint {endpoint!r} may name: put it below "
            f"{str(workspace.root / 'inputs')!r}, or add its folder to the endpoint's input_roots."
        )
    return named_input(path)


def _fetch(folder: Path, identifier: str, location: str, roots: tuple[str, ...]) -> StoredInput:
    from importlib.util import find_spec

    if find_spec("s3fs") is None:
        raise InvalidArgumentError(
            f"The input {location[:200]!r} is on S3, which this installation does not read: install s3fs, or name a "
            "file by a file:// URI."
        )
    if ".." in location or not any(location.startswith(root.rstrip("/") + "/") for root in roots if "://" in root):
        raise ForbiddenError(f"The input {location[:200]!r} is below no s3:// prefix of the endpoint's input_roots.")
    import fsspec

    try:
        with fsspec.open(location, "rb") as source:
            return store_input(folder, identifier, source)
    except OSError as error:
        raise NotFoundError(f"The input {location[:200]!r} cannot be read: {error}.") from error


def local_path(location: str | os.PathLike[str]) -> Path:
    """Return the path that a path or ``file://`` URI names.

    Raises
    ------
    InvalidArgumentError
        If it is a URI of another kind, or holds characters that no path has.
    """
    text = os.fspath(location)
    if not isinstance(text, str) or not 0 < len(text) <= 4096 or "\0" in text:
        raise InvalidArgumentError("A location must be a path or a file:// URI of at most 4,096 characters.")
    if "://" not in text:
        return Path(text).expanduser()
    try:
        address = urlsplit(text)
    except ValueError as error:
        raise InvalidArgumentError(f"The location {text[:200]!r} is not a URI: {error}.") from error
    path = unquote(address.path)
    if address.scheme != "file" or address.netloc not in ("", "localhost") or not path or "\0" in path:
        raise InvalidArgumentError(f"The location {text[:200]!r} cannot be used: give a path or a file:// URI.")
    return Path(path)


def temporary_output(output: Path, lease: str) -> Path:
    """Return where the holder of a lease writes an output before it appears."""
    return output.parent / f".{output.name[:200]}.{lease}.tmp"


def publish(written: Path, output: Path) -> None:
    """Make an output appear; one that is there already was the first, and stays.

    The caller is in the queue's transaction: nobody else publishes meanwhile.
    """
    if output.exists():
        written.unlink(missing_ok=True)
    else:
        os.replace(written, output)
        sync_folder(output.parent)


def write_failure(path: Path, message: str) -> None:
    """Write why a request failed, over what an earlier try wrote."""
    temporary = path.parent / f".{path.name[:200]}.{secrets.token_hex(4)}.tmp"
    try:
        with temporary.open("wb") as file:
            file.write(message.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def _written_or_removed(path: Path) -> Iterator[IO[bytes]]:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UnavailableError(
                f"The input cannot be kept in {str(path.parent)!r}: {error.strerror or error}. Check that its disk is "
                "writable and not full; nothing was queued."
            ) from error
        raise
