"""Where files lie: paths, globs and folders of this machine, and every address that fsspec or HTTP reaches.

A remote file is fetched whole into a temporary folder; of one whose format allows it, a quick look fetches the
beginning only.
"""

from __future__ import annotations

import glob
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from kernel_tools.core.errors import (
    AtelierError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.core.storage import DRIVER_EXTRAS
from kernel_tools.wrangler.sources import fingerprints
from kernel_tools.wrangler.sources.formats import compression_of, format_of
from kernel_tools.wrangler.sources.partitions import new_place

MAX_FILES = 10_000
"""As many files one source may have."""
BEGINNING = 16 * 2**20
"""Bytes of a remote text that a quick look fetches."""
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class LocalFile:
    """A file to read.

    Attributes
    ----------
    shown
        Its name in messages: as given, without secrets.
    digest
        See `kernel_tools.wrangler.sources.fingerprints`.
    is_part
        Whether only the beginning was fetched.
    """

    path: Path
    shown: str
    digest: str
    is_part: bool = False


@dataclass
class Located:
    """The files of a source; `is_temporary` if they are gone after the block, `is_folder` if it names a folder."""

    files: list[LocalFile]
    is_temporary: bool
    is_folder: bool
    folder: Path
    warnings: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths of the files, in order."""
        return [str(file.path) for file in self.files]


@contextmanager
def located(addresses: Sequence[str], base: Path | None, *, is_quick: bool = False) -> Iterator[Located]:
    """Find the files of addresses, and fetch the remote ones for the length of the block.

    Several addresses come from the ranges of parameters: those without a file are left out with a warning.

    Raises
    ------
    NotFoundError
        If there is no file at all.
    MissingExtraError
        If the driver of an object store is not installed.
    UnavailableError
        If a store or site does not answer as it should.
    """
    with tempfile.TemporaryDirectory(prefix="atelier-source-") as name:
        folder = Path(name)
        found: list[LocalFile] = []
        missing: list[str] = []
        for address in addresses:
            try:
                if is_remote(address):
                    found += _fetch(address, folder, is_quick)
                else:
                    found += _on_this_machine(address, base)
            except NotFoundError as error:
                missing.append(str(error))
                if len(addresses) == 1:
                    raise
        if not found:
            raise NotFoundError(f"None of the {len(addresses):,} files of the range exists. The first: {missing[0]}")
        if len(found) > MAX_FILES:
            raise InvalidArgumentError(
                f"The source has {len(found):,} files; at most {MAX_FILES:,} are read. Narrow the pattern."
            )
        is_folder = len(addresses) == 1 and found[0].shown != addresses[0] and _is_folder(addresses[0], base)
        located = Located(found, any(is_remote(address) for address in addresses), is_folder, folder)
        if missing:
            located.warnings.append(
                f"{len(missing):,} of {len(addresses):,} files of the range do not exist. The first: {missing[0]}"
            )
        yield located


def is_remote(address: str) -> bool:
    """Say whether an address is one of fsspec or HTTP, not a path."""
    return "://" in address and not address.startswith(("file://", "local://"))


def _is_folder(address: str, base: Path | None) -> bool:
    return is_remote(address) or _path(address, base).is_dir()


def without_secrets(address: str) -> str:
    """Return an address without the password, query and fragment that may be in it."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    if at and ":" in user:
        user = user.split(":", 1)[0] + ":***"
    return urlunsplit((parts.scheme, user + at + host, parts.path, "***" if parts.query else "", ""))


def _on_this_machine(address: str, base: Path | None) -> list[LocalFile]:
    path = _path(address, base)
    if path.is_dir():
        paths = _files_below(path)
    elif path.exists():
        paths = [path]
    elif _GLOB.search(address):
        paths = [Path(found) for found in sorted(glob.glob(str(path), recursive=True)) if Path(found).is_file()]
        if not paths:
            raise NotFoundError(f"No file matches {address!r} in {base or Path.cwd()}.")
    else:
        raise NotFoundError(f"There is no file {address!r}{f' in {base}' if base and not path.is_absolute() else ''}.")
    if len(paths) > MAX_FILES:
        raise InvalidArgumentError(
            f"{address!r} has {len(paths):,} files; at most {MAX_FILES:,} are read. Narrow the pattern."
        )
    try:
        return [LocalFile(path, str(path), fingerprints.of_file(path)) for path in paths]
    except PermissionError as error:
        raise InvalidArgumentError(f"{error.filename!r} may not be read: ask its owner, or copy it.") from error


def _path(address: str, base: Path | None) -> Path:
    if address.startswith(("file://", "local://")):
        address = unquote(address.split("://", 1)[1])
    if "\0" in address:
        raise InvalidArgumentError(f"{address!r} is not a path: it contains a NUL character.")
    path = Path(address).expanduser()
    return path if path.is_absolute() or base is None else base / path


def _files_below(folder: Path) -> list[Path]:
    """List the data files of a folder: what `write` made with partitions, for example."""
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )
    if not paths:
        raise NotFoundError(f"The folder {str(folder)!r} has no files.")
    kinds = {format_of(path.name) for path in paths}
    if len(kinds) > 1:
        raise InvalidArgumentError(
            f"The folder {str(folder)!r} has files of several formats ({', '.join(sorted(kinds))}): "
            f"name those you want, for example {str(folder / '**' / '*.parquet')!r}."
        )
    return paths


def _fetch(address: str, folder: Path, is_quick: bool) -> list[LocalFile]:
    shown = without_secrets(address)
    try:
        if address.startswith(("http://", "https://")):
            return [_download(address, shown, folder, is_quick)]
        return _from_store(address, shown, folder, is_quick)
    except AtelierError:
        raise
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {shown!r}.") from error
    except Exception as error:
        reason = str(error).replace(address, shown)
        raise UnavailableError(
            f"{shown!r} cannot be read: {type(error).__name__}: {reason}. Check the address, the network and the "
            "credentials."
        ) from error


def _download(address: str, shown: str, folder: Path, is_quick: bool) -> LocalFile:
    import httpx

    with httpx.stream("GET", address, follow_redirects=True, timeout=60) as reply:
        if reply.status_code in (404, 410):
            raise NotFoundError(f"There is no file {shown!r} (HTTP {reply.status_code}).")
        if reply.is_error:
            raise UnavailableError(f"{shown!r} cannot be read: HTTP {reply.status_code} {reply.reason_phrase}.")
        path = _place(folder, urlsplit(address).path)
        is_part = _copy(reply.iter_bytes(2**20), path, is_quick)
        tag = reply.headers.get("etag") or reply.headers.get("last-modified")
        version = f"{address}\0{tag}\0{reply.headers.get('content-length')}" if tag else None
    return LocalFile(path, shown, version or fingerprints.of_file(path), is_part)


def _from_store(address: str, shown: str, folder: Path, is_quick: bool) -> list[LocalFile]:
    files, root = _file_system(address, shown)
    names = sorted(files.glob(root)) if _GLOB.search(root) else [root]
    if len(names) == 1 and files.isdir(names[0]):
        names = sorted(files.find(names[0]))
    if not names:
        raise NotFoundError(f"No file matches {shown!r}.")
    protocol = address.split("://", 1)[0]
    found = []
    for name in names[: MAX_FILES + 1]:
        info = files.info(name)
        path = _place(folder, name)
        with files.open(name, "rb") as source:
            is_part = _copy(_blocks(source), path, is_quick)
        version = {key: str(info[key]) for key in ("ETag", "etag", "md5", "md5Hash", "crc32c") if info.get(key)}
        digest = f"{protocol}://{name}\0{version}" if version else fingerprints.of_file(path)
        if not version and is_part:
            digest = f"{protocol}://{name}\0{info.get('size')}\0{info.get('created')}"
        found.append(LocalFile(path, f"{protocol}://{name}", digest, is_part))
    return found


def _blocks(source: Any) -> Iterator[bytes]:
    while block := source.read(2**20):
        yield block


def _file_system(address: str, shown: str) -> tuple[Any, str]:
    import fsspec.core

    protocol = address.split("://", 1)[0]
    try:
        files, root = fsspec.core.url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        raise MissingExtraError(f"The driver for {protocol}://", DRIVER_EXTRAS.get(protocol, protocol)) from error
    except ValueError as error:
        raise InvalidArgumentError(
            f"{shown!r} is no address of files: take a path, s3://, gs://, abfs:// or https://."
        ) from error
    return files, str(root)


def _place(folder: Path, name: str) -> Path:
    """Return a path below `folder`, each in a folder of its own, that ends like `name`."""
    return new_place(folder, PurePosixPath(name)) / (
        re.sub(r"[^\w.-]", "_", name.rstrip("/").rsplit("/", 1)[-1]) or "file"
    )


def _copy(blocks: Iterator[bytes], path: Path, is_quick: bool) -> bool:
    """Write `blocks` to `path`, of a text only the beginning for a quick look; return whether some are missing."""
    can_stop = is_quick and format_of(path.name) in ("csv", "jsonl") and compression_of(path.name) is None
    size = 0
    with path.open("wb") as file:
        for block in blocks:
            file.write(block)
            size += len(block)
            if can_stop and size >= BEGINNING:
                break
        else:
            return False
    _drop_last_line(path)
    return True


def _drop_last_line(path: Path) -> None:
    """Cut a beginning behind its last line end, so that no row is a torso."""
    with path.open("rb+") as file:
        file.seek(max(0, path.stat().st_size - 2**20))
        start = file.tell()
        end = file.read().rfind(b"\n")
        if end >= 0:
            file.truncate(start + end + 1)
