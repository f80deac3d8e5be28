"""How columns come into the engine: names that are unique there, missing values as NULL, few types.

DuckDB's names do not tell upper and lower case apart. NaN becomes NULL, infinity stays. Timestamps of any precision
become microseconds, enumerations text; a timestamp with a zone is the moment in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kernel_tools.wrangler.engine import quoted

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine
    from kernel_tools.wrangler.sources.loaded import Reading

_CASTS = {
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
    "TIME_NS": "TIME",
    "BIT": "VARCHAR",
}


def literal(value: object) -> str:
    """Return a Python value as an SQL literal: text, number, truth value, list, or dict as a struct."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def unique_names(names: Iterable[str | None], reading: Reading) -> list[str]:
    """Make names unique without regard to case: ``a``, ``a_2``; a column without one is ``column_<position>``."""
    given = [name.strip() if name and name.strip() else f"column_{index}" for index, name in enumerate(names, 1)]
    taken = {name.casefold() for name in given}
    seen: set[str] = set()
    unique, renamed = [], []
    for name in given:
        new = name
        if name.casefold() in seen:
            number = 2
            while (new := f"{name}_{number}").casefold() in taken:
                number += 1
            renamed.append(f"{name!r} -> {new!r}")
            taken.add(new.casefold())
        seen.add(new.casefold())
        unique.append(new)
    if renamed:
        more = f" and {len(renamed) - 5:,} more" if len(renamed) > 5 else ""
        reading.warnings.append(f"Columns with the same name were renamed: {', '.join(renamed[:5])}{more}.")
    return unique


def described(engine: Engine, select: str) -> list[tuple[str, str]]:
    """Return the names and DuckDB types of the columns of a SELECT without running it."""
    with engine.running():
        rows = engine.connection.execute(f"DESCRIBE {select}").fetchall()
    return [(row[0], row[1]) for row in rows]


def normal_select(columns: Sequence[tuple[str, str]], origin: str, reading: Reading) -> str:
    """Return the SELECT that brings the columns (name, DuckDB type) of `origin`, a FROM item, into the house's form."""
    names = unique_names((name for name, _ in columns), reading)
    parts = []
    for (old, kind), new in zip(columns, names, strict=True):
        value = quoted(old)
        if kind in ("DOUBLE", "FLOAT"):
            value = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"
        elif kind.startswith("ENUM("):
            value = f"CAST({value} AS VARCHAR)"
        elif kind == "JSON":
            value = f"json_extract_string({value}, '$')"
            reading.note(new, "Values of several kinds: kept as text.")
        elif kind == '"NULL"':
            value = f"CAST({value} AS VARCHAR)"
            reading.note(new, "No value is known: kept as text.")
        elif kind in _CASTS:
            value = f"CAST({value} AS {_CASTS[kind]})"
        if kind == "TIMESTAMP_NS":
            reading.note(new, "Times are rounded to the microsecond.")
        parts.append(f"{value} AS {quoted(new)}")
    return f"SELECT {', '.join(parts)} FROM {origin}"
