"""One row, read in a few microseconds if all of its values are plainly right; all others get a closer look."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from kernel_tools.compiler.manifest import Feed
from kernel_tools.core.signature import Column, ColumnType, Signature

_FLOAT32_MAX = float(np.finfo("float32").max)

Feeds = dict[str, Any]
ReadRow = Callable[[Any], Feeds | None]
"""Takes a dictionary or a list, returns the inputs of the graph, or None if the row needs a closer look."""


def quick_row(feeds: Sequence[Feed], signature: Signature, *, is_list: bool = False) -> ReadRow | None:
    """Return what reads one row whose values are all plainly right, or None where the signature allows no such way.

    A column of categories is looked up in a dictionary; all other columns must be numbers or booleans of plain dtypes,
    or texts. A row is a dictionary, or with `is_list` the list of the signature's columns.
    """
    columns = {column.name: column for column in signature.columns}
    held = [name for feed in feeds for name in feed.columns or []]
    if not columns or sorted(held) != sorted(columns) or any(feed.columns is None for feed in feeds):
        return None
    names = [column.name for column in signature.columns]
    width = len(names) if is_list else None
    parts = []
    for feed in feeds:
        keys = [names.index(name) if is_list else name for name in feed.columns or []]
        make = _quick_texts if feed.dtype == "object" else _quick_numbers
        part = make(feed, columns, keys, width)
        if part is None:
            return None
        parts.append(part)
    if len(parts) == 1:
        return parts[0]

    def read(row: Any) -> Feeds | None:
        fed: Feeds = {}
        for part in parts:
            one = part(row)
            if one is None:
                return None
            fed.update(one)
        return fed

    return read


def _taker(keys: list[Any]) -> Callable[[Any], Sequence[Any]]:
    """What takes some values out of a row, always as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    [key] = keys
    return lambda row: (row[key],)


def _quick_texts(feed: Feed, columns: dict[str, Column], keys: list[Any], width: int | None) -> ReadRow | None:
    """Texts as they are; those of a column of categories must be one of them."""
    chosen = [columns[name] for name in feed.columns or []]
    if any(column.type is not ColumnType.STRING for column in chosen) or set(feed.encodings) != {"text"}:
        return None
    known = [(place, frozenset(item.categories)) for place, item in enumerate(chosen) if item.categories is not None]
    take, name = _taker(keys), feed.name

    def read(row: Any) -> Feeds | None:
        if width is not None and len(row) != width:
            return None
        try:
            values = take(row)
        except (KeyError, TypeError):
            return None
        for value in values:
            if type(value) is not str:
                return None
        for place, allowed in known:
            if values[place] not in allowed:
                return None
        array = np.empty((1, len(values)), dtype=object)
        array[0] = values
        return {name: array}

    return read


def _quick_numbers(feed: Feed, columns: dict[str, Column], keys: list[Any], width: int | None) -> ReadRow | None:
    """Numbers, and categories by their codes."""
    if feed.dtype not in ("float32", "float64"):
        return None
    codes: list[tuple[int, dict[Any, float]]] = []
    numbers: list[int] = []
    types: list[frozenset[type]] = []
    limits: list[float] = []
    for place, (name, encoding) in enumerate(zip(feed.columns or [], feed.encodings, strict=True)):
        column = columns[name]
        if encoding == "code":
            known: dict[Any, float] = {value: float(code) for code, value in enumerate(column.categories or [])}
            if column.type not in (ColumnType.STRING,):
                return None  # 1 and True and 1.0 are the same key
            codes.append((place, known | ({None: math.nan} if column.nullable else {})))
            continue
        plain = _PLAIN.get(column.dtype or _DEFAULTS.get(column.type, ""))
        if encoding != "number" or column.categories is not None or plain is None:
            return None
        numbers.append(place)
        types.append(plain[0] | ({type(None)} if column.nullable else set()))
        limits.append(plain[1])
    allowed = frozenset.intersection(*types) if types else frozenset()
    if types and any(kinds != allowed for kinds in types):
        return _mixed_row(feed, keys, width, codes, numbers, types, min(limits))
    if codes:
        return _mixed_row(feed, keys, width, codes, numbers, [allowed] * len(numbers), min(limits, default=math.inf))
    return _plain_row(feed, keys, width, allowed, min(limits, default=math.inf))


_PLAIN: dict[str, tuple[frozenset[type], float]] = {
    "float64": (frozenset({int, float}), float(np.finfo("float64").max)),
    "int64": (frozenset({int}), float(2**62)),
    "int32": (frozenset({int}), float(2**31 - 1)),
    "int16": (frozenset({int}), float(2**15 - 1)),
    "int8": (frozenset({int}), float(2**7 - 1)),
    "bool": (frozenset({bool}), 1.0),
}
"""The dtypes that a float64 holds as they are, with the types and the greatest value that need no closer look."""
_DEFAULTS = {ColumnType.DOUBLE: "float64", ColumnType.LONG: "int64"}


def _plain_row(feed: Feed, keys: list[Any], width: int | None, allowed: frozenset[type], limit: float) -> ReadRow:
    """All columns of numbers take the same types, so one set of types tells whether they fit."""
    take = _taker(keys)
    name, dtype = feed.name, feed.dtype

    def read(row: Any) -> Feeds | None:
        if width is not None and len(row) != width:
            return None
        try:
            values = take(row)
        except (KeyError, TypeError):
            return None
        if not allowed.issuperset(map(type, values)):
            return None
        return _row_array(name, dtype, values, None in values, limit)

    return read


def _mixed_row(
    feed: Feed,
    keys: list[Any],
    width: int | None,
    codes: list[tuple[int, dict[Any, float]]],
    numbers: list[int],
    types: Sequence[frozenset[type]],
    limit: float,
) -> ReadRow:
    take = _taker(keys)
    name, dtype = feed.name, feed.dtype
    checks = list(zip(numbers, types, strict=True))

    def read(row: Any) -> Feeds | None:
        if width is not None and len(row) != width:
            return None
        try:
            values = list(take(row))
            for place, known in codes:
                values[place] = known[values[place]]
        except (KeyError, TypeError):
            return None
        has_missing = False
        for place, kinds in checks:
            kind = type(values[place])
            if kind not in kinds:
                return None
            has_missing = has_missing or values[place] is None
        return _row_array(name, dtype, values, has_missing or bool(codes), limit)

    return read


def _row_array(name: str, dtype: str, values: Any, has_missing: bool, limit: float) -> Feeds | None:
    try:
        if not has_missing and sum(map(abs, values)) <= min(limit, _FLOAT32_MAX):  # so is each of them
            return {name: np.array([values], dtype=dtype)}
        array = np.array([values], dtype=np.float64)
    except (OverflowError, ValueError):
        return None
    extreme = np.abs(array)
    greatest = np.fmax.reduce(extreme, axis=None) if has_missing else extreme.max()
    if not greatest <= limit and not (has_missing and greatest != greatest):
        return None
    if dtype == "float32" and greatest < _FLOAT32_MAX:
        array = array.astype(np.float32)
    elif dtype == "float32":
        with np.errstate(over="ignore"):  # it costs microseconds
            array = array.astype(np.float32)
    return {name: array}
