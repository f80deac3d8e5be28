"""Which type a column of text has: the strictest one that every value fits, and why it is no stricter.

A value is missing if its field is empty. From strict to loose:

==========  =========================================================================================
boolean     ``true`` and ``false``, in any case; ``yes``, ``t`` or ``1`` are not
integer     of 64 bits, without leading zeros
float       decimal numbers with a point, an exponent, ``inf``; ``nan`` is missing
date        ISO 8601: ``2024-02-29``, years 0001 to 9999
datetime    ISO 8601 with a time, a blank or ``T`` between, at most microseconds are kept
datetime_tz the same with ``Z`` or an offset: kept as the moment in UTC
time        ``12:30``, ``12:30:59.5``
text        everything else
==========  =========================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources.columns import literal

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine

TextType = Literal["boolean", "integer", "float", "date", "datetime", "datetime_tz", "time", "text"]

SQL_TYPES: dict[TextType, str] = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "datetime_tz": "TIMESTAMPTZ",
    "time": "TIME",
    "text": "VARCHAR",
}
_WHOLE = "0|[1-9][0-9]"
_POWER = "[eE][+-]?[0-9]+"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_PATTERNS: dict[TextType, str] = {
    "boolean": "(?i:true|false)",
    "integer": f" *[+-]?({_WHOLE}*) *",
    "float": (
        f" *[+-]?(({_WHOLE}*)|({_WHOLE}*)[.][0-9]*({_POWER})?|[.][0-9]+({_POWER})?|({_WHOLE}*){_POWER}) *"
        "|(?i:[+-]?(inf|infinity)|nan)"
    ),
    "date": _DATE,
    "datetime": f"{_DATE}([ T]{_CLOCK})?",
    "datetime_tz": f"{_DATE}[ T]{_CLOCK} ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)",
    "time": _CLOCK,
}
_MATCHES = {kind: re.compile(pattern, re.ASCII).fullmatch for kind, pattern in _PATTERNS.items()}
_WORDS: dict[TextType, tuple[str, str]] = {
    "boolean": ("is not true or false", "are not true or false"),
    "integer": ("is not a whole number", "are not whole numbers"),
    "float": ("is not a number", "are not numbers"),
    "date": ("is not a date", "are not dates"),
    "datetime": ("is not a date with a time", "are not dates with a time"),
    "datetime_tz": ("has no date, time and zone", "have no date, time and zone"),
    "time": ("is not a time", "are not times"),
}
_STRICTER: dict[TextType, tuple[TextType, ...]] = {
    "float": ("integer",),
    "datetime": ("date",),
    "text": tuple(_PATTERNS),
}
_FIRST_ROWS = 100
"""Rows that decide which types are tried on the rest."""
_ENOUGH = 0.5
"""Share of values that fit from which a type is tried, and its misfits are told."""
_COLUMNS_AT_ONCE = 100
"""Each pattern of a query takes a few hundred KiB while it runs."""
_MOST_EXACT_INTEGER = 2**53


@dataclass(frozen=True)
class Inferred:
    """The type of a column of text, from how many values, and what is to be said of it."""

    type: TextType
    values: int
    notes: tuple[str, ...] = ()


def fits(name: str, kind: TextType) -> str:
    """Return the condition that the text of a column is a value of a type."""
    if kind == "integer":  # as it would be written; a pattern takes longer
        return (
            f"coalesce(CAST(TRY_CAST({quoted(name)} AS BIGINT) AS VARCHAR) = ltrim(trim({quoted(name)}), '+'), false)"
        )
    match = f"regexp_full_match({quoted(name)}, {literal(_PATTERNS[kind])})"
    if kind == "boolean":
        return match
    if kind == "float":  # a number of more digits than 64 bits hold is none: it would lose some
        column = quoted(name)
        return f"({match} AND (length({column}) < 20 OR contains({column}, '.') OR contains(lower({column}), 'e')))"
    return f"({match} AND TRY_CAST({quoted(name)} AS {SQL_TYPES[kind]}) IS NOT NULL)"


def converted(name: str, kind: TextType) -> str:
    """Return a column of text, all values of which fit, as its type."""
    if kind == "text":
        return quoted(name)
    value = f"TRY_CAST({quoted(name)} AS {SQL_TYPES[kind]})"
    return f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END" if kind == "float" else value


def reading_type(kind: TextType) -> str:
    """Return the DuckDB type as which a column is parsed while the values after the sample are still unseen.

    A parser that was told BIGINT would round 1.5, and one that was told DATE would cut the time.
    """
    return {"boolean": "BOOLEAN", "integer": "DOUBLE", "float": "DOUBLE"}.get(kind, "VARCHAR")


def guarded(position: int, name: str, kind: TextType) -> str:
    """Return a column that was parsed as `reading_type` as its type; a value that does not fit stops the query.

    The query then fails with ``misfit:<position>``.
    """
    column = quoted(name)
    stop = f"error('misfit:{position}')"
    if kind == "integer":
        test = f"{column} = trunc({column}) AND abs({column}) < {_MOST_EXACT_INTEGER}"
        return f"CASE WHEN {column} IS NULL THEN NULL WHEN {test} THEN CAST({column} AS BIGINT) ELSE {stop} END"
    if kind == "float":
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    if kind in ("text", "boolean"):
        return column
    value = f"TRY_CAST({column} AS {SQL_TYPES[kind]})"
    match = f"regexp_full_match({column}, {literal(_PATTERNS[kind])})"
    return (
        f"CASE WHEN {column} IS NULL OR {column} = '' THEN NULL "
        f"ELSE coalesce(CASE WHEN {match} THEN {value} END, {stop}) END"
    )


def type_of(values: Iterable[str]) -> TextType:
    """Return the strictest type that all of a few texts fit."""
    values = list(values)
    if any(len(value) > 18 and value.strip("+-").isdigit() for value in values):
        return "text"
    return next((kind for kind, match in _MATCHES.items() if values and all(map(match, values))), "text")


def infer(engine: Engine, table: str, names: Sequence[str]) -> dict[str, Inferred]:
    """Infer the types of columns of text from all rows of a table."""
    if not names:
        return {}
    candidates = _candidates(engine, table, names)
    counted = _count(engine, table, {name: kinds[:1] for name, kinds in candidates.items()})
    others = {
        name: kinds[1:]
        for name, kinds in candidates.items()
        if len(kinds) > 1 and counted[name][1][kinds[0]] < counted[name][0]
    }
    for name, (_, counts) in _count(engine, table, others).items():
        counted[name][1].update(counts)
    return {name: _decide(engine, table, name, *counted[name]) for name in names}


def _candidates(engine: Engine, table: str, names: Sequence[str]) -> dict[str, list[TextType]]:
    """Return the types that are worth a try, the strictest first: those that half of the first values fit."""
    columns = ", ".join(map(quoted, names))
    with engine.running():
        rows = engine.connection.execute(f"SELECT {columns} FROM {quoted(table)} LIMIT {_FIRST_ROWS}").fetchall()
    found: dict[str, list[TextType]] = {}
    for name, column in zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True):
        values = [value for value in column if value]
        # Text of more than a few hundred characters is none of them, and long to match.
        fitting = {kind: sum(len(one) < 400 and bool(match(one)) for one in values) for kind, match in _MATCHES.items()}
        found[name] = [kind for kind, count in fitting.items() if count >= _ENOUGH * len(values)]
    return found


def _count(
    engine: Engine, table: str, candidates: Mapping[str, Sequence[TextType]]
) -> dict[str, tuple[int, dict[TextType, int]]]:
    """Count the values of each column that are there, and those that fit each of its candidates."""
    counted: dict[str, tuple[int, dict[TextType, int]]] = {}
    items = iter(candidates.items())
    while some := dict(islice(items, _COLUMNS_AT_ONCE)):
        parts = []
        for name, kinds in some.items():
            parts.append(f"count(*) FILTER (WHERE {quoted(name)} <> '')")
            parts += [f"count(*) FILTER (WHERE {fits(name, kind)})" for kind in kinds]
        with engine.running():
            rows = engine.connection.execute(f"SELECT {', '.join(parts)} FROM {quoted(table)}").fetchall()
        numbers = iter(rows[0])
        for name, kinds in some.items():
            counted[name] = next(numbers), {kind: next(numbers) for kind in kinds}
    return counted


def _decide(engine: Engine, table: str, name: str, values: int, counts: dict[TextType, int]) -> Inferred:
    if values == 0:
        return Inferred("text", 0, ("No value is known: kept as text.",))
    chosen: TextType = next((kind for kind in _PATTERNS if counts.get(kind) == values), "text")
    return Inferred(chosen, values, _why_not(engine, table, name, values, counts, chosen))


def _why_not(
    engine: Engine, table: str, name: str, values: int, counts: dict[TextType, int], chosen: TextType
) -> tuple[str, ...]:
    """Say how many values keep the column from the type that most of them fit."""
    near = [kind for kind in _STRICTER.get(chosen, ()) if 0 < counts.get(kind, 0) < values]
    if chosen == "text" and (said := _all_digits(engine, table, name, values)):
        return said
    if not near:
        return ()
    kind = max(near, key=lambda one: (counts[one], one == "float"))
    misfits = values - counts[kind]
    sql = (
        f"SELECT DISTINCT {quoted(name)} FROM (SELECT {quoted(name)} FROM {quoted(table)} "
        f"WHERE {quoted(name)} <> '' AND NOT {fits(name, kind)} LIMIT 1000) ORDER BY 1 LIMIT 3"
    )
    with engine.running():
        examples = [row[0] for row in engine.connection.execute(sql).fetchall()]
    shown = ", ".join(repr(one if len(one) <= 40 else one[:40] + "…") for one in examples)
    words = _WORDS[kind][misfits != 1]
    return (f"{misfits:,} of {values:,} values {words}: {shown}.",)


def _all_digits(engine: Engine, table: str, name: str, values: int) -> tuple[str, ...]:
    """Explain text that is all digits: leading zeros or too many digits would be lost in a number."""
    digits = f"regexp_full_match({quoted(name)}, '[0-9]+')"
    with engine.running():
        first = engine.connection.execute(
            f"SELECT {digits} FROM {quoted(table)} WHERE {quoted(name)} <> '' LIMIT 1"
        ).fetchall()
        if not first[0][0]:
            return ()
        sql = f"SELECT count(*) FILTER (WHERE {digits}), max(length({quoted(name)})) FROM {quoted(table)}"
        found, longest = engine.connection.execute(sql).fetchall()[0]
    if found != values:
        return ()
    if longest > 18:
        return ("Whole numbers of more than 18 digits: kept as text, so that no digit is lost.",)
    return ("Digits with leading zeros: kept as text, so that none is lost.",)
