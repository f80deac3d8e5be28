"""The inputs of a job: where they come from, what was in them, and how they get into the job's folder.

Files and folders of this machine are linked. What cannot be linked (an fsspec URL such as ``s3://bucket/key``, a
variable of a notebook) is copied into the job's folder when the job is submitted, not when it starts: the spec, which
never changes, says the sha256 of every input, so the bytes must be known when it is written. A job that waits, is
interrupted or runs again then sees the same bytes, and needs neither network nor credentials.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from kernel_tools.core.errors import (
    AtelierError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.core.storage import DRIVER_EXTRAS
from kernel_tools.core.workspace import sync_folder
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.sources import digest_path
from kernel_tools.jobs.spec import Input, JobSpec

_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::|://)")


@dataclass(frozen=True, slots=True)
class CopiedInput:
    """Data that is copied into the job's folder: the file or folder `place`, and what the spec says it came from."""

    origin: str
    place: Path


Source = str | os.PathLike[str] | CopiedInput
"""Where the data of a channel come from: a path, an fsspec URL, or something to be copied."""


def is_url(source: Source) -> bool:
    """Whether data are reached through fsspec; ``file://`` is a path."""
    return isinstance(source, str) and _URL.match(source) is not None and not source.startswith("file://")


def inputs_to_read(sources: Mapping[str, str | os.PathLike[str]]) -> dict[str, Input]:
    """Check inputs that are read later, again and again: they are there, or a driver for their URL is; errors as for
    `describe_inputs`."""
    found = {}
    for channel, source in sources.items():
        _check_channel(channel)
        if is_url(source):
            _open(channel, str(source))
            found[channel] = Input(str(source), "", 0, is_kept=True)
        else:
            place = _local(channel, source)
            found[channel] = Input(str(place), "", 0, place.is_dir())
    return found


def describe_inputs(sources: Mapping[str, Source]) -> dict[str, Input]:
    """Say what is in the inputs; of those that are copied it is said once they are.

    Raises
    ------
    NotFoundError
        If a file is missing.
    InvalidArgumentError, MissingExtraError
        If a channel or URL cannot be used.
    """
    described = {}
    for channel, source in sources.items():
        _check_channel(channel)
        if isinstance(source, CopiedInput):
            described[channel] = Input(source.origin, "", 0, source.place.is_dir(), is_kept=True)
        elif is_url(source):
            _open(channel, str(source))
            described[channel] = Input(str(source), "", 0, is_kept=True)
        else:
            place = _local(channel, source)
            described[channel] = Input(str(place), *digest_path(place), place.is_dir())
    return described


def place_inputs(folder: JobFolder, sources: Mapping[str, Source], described: Mapping[str, Input]) -> dict[str, Input]:
    """Let the data of each channel stand in a folder of its own, as SageMaker's scripts expect them.

    Returns
    -------
    dict
        What is in the inputs, those included that were copied now.

    Raises
    ------
    NotFoundError
        If there is nothing at a URL.
    UnavailableError
        If what is there cannot be reached or read.
    """
    placed = {}
    for channel, data in described.items():
        source = sources[channel]
        place = folder.input / "data" / channel
        if not data.is_kept:
            _link(Path(data.path), place, data.is_folder)
            placed[channel] = data
            continue
        place.mkdir(parents=True)
        if isinstance(source, CopiedInput):
            _copy(source.place, place)
            is_folder = data.is_folder
        else:
            is_folder = _download(channel, data.path, place)
        _sync_all(place)
        kept = kept_place(folder, channel, is_folder)
        placed[channel] = Input(data.path, *digest_path(kept), is_folder, is_kept=True)
    return placed


def kept_place(folder: JobFolder, channel: str, is_folder: bool) -> Path:
    """Return where a job's folder has the copied data of a channel: a folder, or the one file in it."""
    place = folder.input / "data" / channel
    return place if is_folder else next(place.iterdir())


def sources_again(folder: JobFolder, spec: JobSpec) -> dict[str, Source]:
    """Return the inputs of a job for another that is to see the same: copies are taken from the job's own folder.

    Raises
    ------
    ConflictError
        If an input is no longer what it was.
    """
    from kernel_tools.core.errors import ConflictError

    sources: dict[str, Source] = {}
    for channel, data in spec.inputs.items():
        try:
            place = kept_place(folder, channel, data.is_folder) if data.is_kept else Path(data.path)
            is_same = place.exists() and digest_path(place)[0] == data.sha256
        except (OSError, StopIteration):
            is_same = False
        if not is_same:
            raise ConflictError(
                f"The input {channel!r} of job {spec.name!r}, {data.path!r}, is no longer what it was. To run with "
                f"what is there now: job.rerun(inputs={{{channel!r}: path}})."
            )
        sources[channel] = CopiedInput(data.path, place) if data.is_kept else data.path
    return sources


def _check_channel(channel: str) -> None:
    if not isinstance(channel, str) or not _CHANNEL.fullmatch(channel):
        raise InvalidArgumentError(f"{channel!r} is not a channel: use 1 to 64 letters, digits, '_' and '-'.")


def _local(channel: str, source: str | os.PathLike[str]) -> Path:
    text = os.fspath(source)
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    place = Path(text).expanduser().resolve()
    if not place.exists():
        raise NotFoundError(f"The input {channel!r} is to be {os.fspath(source)!r}, which does not exist.")
    return place


def _link(data: Path, place: Path, is_folder: bool) -> None:
    if is_folder:
        place.symlink_to(data)
    else:
        place.mkdir()
        (place / data.name).symlink_to(data)


def _copy(source: Path, place: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, place / source.name)


def _download(channel: str, url: str, place: Path) -> bool:
    """Copy what is at a URL into a folder; returns whether it is a folder itself."""
    files, path = _open(channel, url)
    with _reaching(channel, url):
        if files.isdir(path):
            files.get(path.rstrip("/") + "/", f"{place}{os.sep}", recursive=True)
            return True
        name = PurePosixPath(urlsplit(path).path if "://" in path else path).name or "data"
        files.get_file(path, str(place / name))
        return False


def _open(channel: str, url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    if "@" in urlsplit(url).netloc:
        raise InvalidArgumentError(
            f"The URL of the input {channel!r} holds a name or password, which would stand in the job's spec. Let the "
            "store's own settings or environment variables hold it."
        )
    import fsspec.core

    protocol = re.split("::|://", url)[-2].lower() if "://" in url else url.partition("::")[0]
    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        if protocol in DRIVER_EXTRAS:
            raise MissingExtraError(f"The driver for {protocol}://", DRIVER_EXTRAS[protocol]) from error
        raise InvalidArgumentError(
            f"The input {channel!r} is to be {url!r}, for which a driver is missing: {error}."
        ) from error
    except (ValueError, TypeError) as error:
        raise InvalidArgumentError(
            f"The input {channel!r} is to be {url!r}, which is not understood: {error}. Use a path, or an fsspec URL "
            "such as s3://bucket/key."
        ) from error
    return files, str(path)


@contextmanager
def _reaching(channel: str, url: str) -> Iterator[None]:
    """Turn whatever a driver raises into an error that names the input."""
    try:
        yield
    except AtelierError:
        raise
    except FileNotFoundError as error:
        raise NotFoundError(f"The input {channel!r} is to be {url!r}, where there is nothing.") from error
    except Exception as error:
        raise UnavailableError(
            f"The input {channel!r}, {url!r}, cannot be read: {type(error).__name__}: {error}. Check the network and "
            "the credentials."
        ) from error


def _sync_all(place: Path) -> None:
    """Make copied data safe on the disk, as the spec that names their digest will be."""
    for folder, _, names in os.walk(place):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(folder))
