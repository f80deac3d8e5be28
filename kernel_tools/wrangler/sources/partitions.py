"""Folders named ``column=value``, as Hive and `kernel_tools.wrangler.sources.writing` make them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from kernel_tools.wrangler.sources.inference import SQL_TYPES, type_of

_MISSING = "__HIVE_DEFAULT_PARTITION__"


def partition_types(paths: Sequence[Path]) -> dict[str, str]:
    """Return the columns that the folders of the files stand for, and their DuckDB types.

    A folder counts if it is above every file. The type is inferred from the names, as that of text.
    """
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
