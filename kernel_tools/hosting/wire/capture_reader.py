"""Captured requests and replies, page by page, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kernel_tools.core.encryption import HEADER_SIZE, EncryptedSource, parse_header
from kernel_tools.core.errors import IntegrityError, InvalidArgumentError
from kernel_tools.core.workspace import join_inside
from kernel_tools.hosting.wire.capture import SUFFIXES, capture_files

MAX_PAGE = 500
MAX_PAGE_BYTES = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class CapturedExchange:
    """One captured exchange. `input` and `output` are as `capture.encode_event` writes them; `time` is ISO 8601."""

    id: str
    variant: str
    time: str
    inference_id: str
    custom_attributes: str
    input: dict[str, str] | None
    output: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class CapturePage:
    """Some captures; `cursor` reads on, None at the end."""

    captures: list[CapturedExchange]
    cursor: str | None


def read_captures(folder: Path, key: bytes | None, cursor: str | None = None, limit: int = 50) -> CapturePage:
    """Return captures, the newest file and line first.

    Parameters
    ----------
    folder
        The captures of an endpoint: ``<capture root>/<endpoint>``, with a folder for each variant.
    key
        The workspace's encryption key; needed for encrypted files.
    cursor
        What the page before gave. Files that came since are not shown, those removed since are skipped.
    limit
        At most so many, up to 500. A page of more than 4 MiB ends earlier.

    Raises
    ------
    InvalidArgumentError
        If the cursor is not one of a page.
    EncryptionKeyError, BrokenBlobError
        If a file is encrypted by another key, or was changed.
    IntegrityError
        If a line is not one that Atelier wrote.
    """
    folder = folder.resolve()
    start = _parse_cursor(folder, cursor)
    captures: list[CapturedExchange] = []
    size = 0
    for path in sorted(capture_files(folder), key=_order, reverse=True):
        if start is not None and _order(path) > _order(start[0]):
            continue
        try:
            lines = read_file(path, key).splitlines()
        except FileNotFoundError:
            continue  # removed for its age meanwhile
        stop = min(start[1], len(lines)) if start is not None and path == start[0] else len(lines)
        for index in range(stop - 1, -1, -1):
            if len(captures) == min(max(limit, 1), MAX_PAGE) or (
                captures and size + len(lines[index]) > MAX_PAGE_BYTES
            ):
                return CapturePage(captures, f"{path.relative_to(folder).as_posix()}:{index + 1}")
            size += len(lines[index])
            try:
                captures.append(_capture(msgspec.json.decode(lines[index]), path.relative_to(folder).parts[0]))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                name = path.relative_to(folder).as_posix()
                raise IntegrityError(
                    f"Line {index + 1} of the captured file {name!r} cannot be read ({error!r}): move the file away."
                ) from error
    return CapturePage(captures, None)


def read_file(path: Path, key: bytes | None) -> bytes:
    """Return the content of a captured file, deciphered."""
    if not path.name.endswith(".enc"):
        return path.read_bytes()
    with path.open("rb") as file:
        sha256 = parse_header(file.read(HEADER_SIZE), path.name).sha256
        source = EncryptedSource(file, path.stat().st_size, key, sha256)
        content = bytearray()
        while len(content) < source.size:
            content += source.read_at(len(content), source.size)
        return bytes(content)


def _order(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return path.parts[-5:], path.parts


def _parse_cursor(folder: Path, cursor: str | None) -> tuple[Path, int] | None:
    if cursor is None:
        return None
    match = re.fullmatch(r"([^:\0]{1,500}):([0-9]{1,9})", cursor)
    if match is None or not match[1].endswith(SUFFIXES):
        raise InvalidArgumentError(f"The cursor {cursor[:80]!r} is none: send the one of the page before.")
    return join_inside(folder, *match[1].split("/")), int(match[2])


def _capture(event: dict[str, Any], variant: str) -> CapturedExchange:
    metadata, data = event["eventMetadata"], event["captureData"]
    return CapturedExchange(
        metadata["eventId"],
        variant,
        metadata["inferenceTime"],
        metadata.get("inferenceId", ""),
        ",".join(metadata.get("customAttributes", [])),
        data.get("endpointInput"),
        data.get("endpointOutput"),
    )
