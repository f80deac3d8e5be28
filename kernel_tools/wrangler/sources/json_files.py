"""JSON and JSON Lines: types from all values, nested objects as structs, broken lines kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.wrangler.engine import first_line
from kernel_tools.wrangler.sources import rejects
from kernel_tools.wrangler.sources.arrow_files import make
from kernel_tools.wrangler.sources.columns import described, literal, normal_select
from kernel_tools.wrangler.sources.encodings import find_encoding, plain_text, read_head
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.sources.locations import LocalFile, Located
from kernel_tools.wrangler.sources.partitions import new_place, partition_types

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine

MAX_OBJECT = 128 * 2**20
"""Bytes of the largest object; DuckDB is told so only for files that need it, since it takes twice that a thread."""
_USUAL_OBJECT = 16 * 2**20
_QUICK_SAMPLE = 20_480


def read_json(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make a JSON document a table: a list of objects, one object, or objects one after another."""
    return _read(located, engine, name, options, limit, "auto")


def read_json_lines(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make JSON Lines a table, a row a line.

    The keys and types are those of all lines, for a quick look of the first 20,480. A line that is no JSON object is a
    rejected row; a column whose values are of several kinds becomes text.
    """
    return _read(located, engine, name, options, limit, "newline_delimited")


def _read(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], limit: int | None, format: str
) -> Reading:
    import duckdb

    unknown = [key for key in options if key != "encoding"]
    if unknown:
        raise InvalidArgumentError(f"{unknown[0]!r} is no option of JSON files: the option is encoding.")
    reading = Reading()
    partitions = partition_types(located)
    files = []
    for file in located.files:
        head = read_head(file.path)
        if not head.strip():
            raise InvalidDataError(f"{file.shown!r} is empty: it has no JSON.")
        encoding = find_encoding(head, options.get("encoding"))
        files.append((file, plain_text(file.path, encoding, located.folder)))
    try:
        _make(engine, name, [path for _, path in files], partitions, reading, limit, format)
    except (duckdb.Error, InvalidDataError) as error:
        if format == "auto" or "alformed JSON" not in str(error):
            raise _broken(files[0][0], error) from error
        with rejects.collected(engine, name, reading) as book:
            sound = [_sound_lines(file, path, located.folder, book) for file, path in files]
            try:
                _make(engine, name, sound, partitions, reading, limit, format)
            except (duckdb.Error, InvalidDataError) as second:
                raise _broken(files[0][0], second) from second
    return reading


def _make(
    engine: Engine,
    name: str,
    paths: list[Path],
    partitions: dict[str, str],
    reading: Reading,
    limit: int | None,
    format: str,
) -> None:
    import duckdb

    sample = -1 if limit is None else _QUICK_SAMPLE
    folders = f"true, hive_types = {literal(partitions)}" if partitions else "false"
    for size in (_USUAL_OBJECT, MAX_OBJECT):
        origin = (
            f"read_json({literal([str(path) for path in paths])}, format = {literal(format)}, sample_size = {sample}, "
            f"maximum_object_size = {size}, union_by_name = {literal(len(paths) > 1)}, maximum_depth = -1, "
            f"hive_partitioning = {folders})"
        )
        try:
            columns = described(engine, f"SELECT * FROM {origin}")
            make(engine, name, normal_select(columns, origin, reading), limit, is_lazy=False)
            return
        except (duckdb.Error, InvalidDataError) as error:
            if "maximum_object_size" not in str(error) or size == MAX_OBJECT:
                raise


def _sound_lines(file: LocalFile, path: Path, folder: Path, book: rejects.Book) -> Path:
    """Copy the lines that are objects; put the others into the book."""
    copy = new_place(folder, path) / "sound.jsonl"
    with path.open("rb") as source, copy.open("wb") as target:
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                reason = None if isinstance(found, dict) else "is no JSON object"
            except (ValueError, RecursionError) as error:
                reason = f"is no JSON: {str(error).rstrip('.')}"
            if reason is None:
                target.write(line if line.endswith(b"\n") else line + b"\n")
            else:
                book.add(file.shown, number, line.decode("utf-8", "replace").rstrip("\r\n"), reason)
    if copy.stat().st_size == 0:
        raise InvalidDataError(f"{file.shown!r} has no line that is a JSON object.")
    return copy


def _broken(file: LocalFile, error: BaseException) -> InvalidDataError:
    return InvalidDataError(f"{file.shown!r} cannot be read as JSON: {first_line(error)}")
