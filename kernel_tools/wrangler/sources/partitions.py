"""Folders named ``column=value``, as Hive and `kernel_tools.wrangler.sources.writing` make them."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kernel_tools.wrangler.sources.inference import SQL_TYPES, type_of

if TYPE_CHECKING:
    from kernel_tools.wrangler.sources.locations import Located

_MISSING = "__HIVE_DEFAULT_PARTITION__"


def partition_types(located: Located) -> dict[str, str]:
    """Return the columns that the folders of several files, or of a folder's file, stand for, and their DuckDB types.

    A name counts if a folder with it is above every file. The type is inferred from the values, as that of text.
    """
    paths = [file.path for file in located.files]
    if len(paths) == 1 and not located.is_folder:
        return {}
    values: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for path in paths:
        for part in path.parts[:-1]:
            column, equals, value = part.partition("=")
            if equals and column:
                values.setdefault(column, set()).add(unquote(value))
                counts[column] = counts.get(column, 0) + 1
    return {
        column: SQL_TYPES[type_of(found - {_MISSING, ""})]
        for column, found in values.items()
        if counts[column] == len(paths)
    }


def new_place(folder: Path, path: PurePath) -> Path:
    """Make a folder below `folder` for a copy of a file, with the same columns in its path."""
    place = Path(tempfile.mkdtemp(dir=folder)).joinpath(*(part for part in path.parts[:-1] if "=" in part))
    place.mkdir(parents=True, exist_ok=True)
    return place
