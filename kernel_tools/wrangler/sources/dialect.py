"""How a CSV file is written: its delimiter, its quote, its header and the lines before it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError

_DELIMITERS = (",", "\t", ";", "|")
_LOOKED_AT = 500
"""Rows from which the dialect is found."""
_NUMBER = re.compile(r"\s*[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?%?\s*")
_FEW_CHARACTERS, _MANY_CHARACTERS = 2**15, 2**18
"""How much is looked at; more where lines are long."""


@dataclass(frozen=True)
class Dialect:
    """How to read a CSV file.

    Attributes
    ----------
    names
        Of the columns as the file has them; empty where it has none.
    skipped
        The lines before the header, which are no rows.
    has_header
        Whether the line after them has the names.
    """

    delimiter: str
    quote: str
    escape: str
    names: tuple[str, ...]
    skipped: tuple[str, ...]
    has_header: bool
    newline: str

    @property
    def skip(self) -> int:
        """How many lines stand before the first row."""
        return len(self.skipped) + self.header_lines

    header_lines: int = 1


def find_dialect(text: str, options: Mapping[str, Any], path: str) -> Dialect:
    """Find how a file is written from its beginning; what `options` say is not looked for.

    The delimiter is the one of comma, tab, semicolon and bar that gives most rows the same number of fields, and more
    than one. Lines before the first row of that length are no rows. The first row is the header unless a field of it
    is a number in a column of numbers.

    Raises
    ------
    InvalidArgumentError
        If an option is not usable.
    """
    quote = _character(options, "quote", '"')
    escape = _character(options, "escape", quote)
    is_cut = len(text) > _FEW_CHARACTERS
    few = text[:_FEW_CHARACTERS]
    text = (few if few.count("\n") + few.count("\r") > 50 else text[:_MANY_CHARACTERS]).removeprefix("\ufeff")
    if is_cut:  # the last line is a torso
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
    skip = options.get("skip")
    if skip is not None and (isinstance(skip, bool) or not isinstance(skip, int) or skip < 0):
        raise InvalidArgumentError(f"The option skip must be a number of lines, not {skip!r}.")
    lines = text.split(newline)
    before = tuple(lines[: skip or 0])
    body = newline.join(lines[skip or 0 :])
    delimiter = options.get("delimiter")
    if delimiter is None:
        candidates = ("\t", *_DELIMITERS) if ".tsv" in path.lower() or ".tab" in path.lower() else _DELIMITERS
        delimiter = max(candidates, key=lambda one: _evenness(_rows(body, one, quote, escape)))
    elif not isinstance(delimiter, str) or not 1 <= len(delimiter.encode()) <= 4:
        raise InvalidArgumentError(f"The option delimiter must be a character, not {delimiter!r}.")
    rows = _rows(body, delimiter, quote, escape)
    if skip is None:
        first = _first_row(rows)
        before = tuple(line.rstrip("\r") for line in lines[: rows[first][1]]) if rows else ()
        rows = rows[first:]
    has_header = options.get("header")
    if has_header is None:
        has_header = _has_header([fields for fields, _ in rows])
    if not rows:
        return Dialect(delimiter, quote, escape, (), before, False, newline, 0)
    width = Counter(len(fields) for fields, _ in rows).most_common(1)[0][0]
    header_lines = (rows[1][1] if len(rows) > 1 else rows[0][1] + 1) - rows[0][1] if has_header else 0
    names = tuple(rows[0][0]) if has_header else ("",) * width
    if has_header and len(names) < width:
        names += ("",) * (width - len(names))
    return Dialect(delimiter, quote, escape, names, before, bool(has_header), newline, header_lines)


def _rows(text: str, delimiter: str, quote: str, escape: str) -> list[tuple[list[str], int]]:
    """Return the fields of the first rows and the lines at which they begin, from 0; blank lines are left out."""
    lines = re.split(r"\r\n|\n|\r", text)
    if len(delimiter) > 1:
        return [(line.split(delimiter), number) for number, line in enumerate(lines[:_LOOKED_AT]) if line]
    found: list[tuple[list[str], int]] = []
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=escape == quote,
        escapechar=escape if escape and escape != quote else None,
    )
    start = 0
    limit = csv.field_size_limit(2**24)
    try:
        for fields in reader:
            if fields:
                found.append((fields, start))
            start = reader.line_num
            if len(found) >= _LOOKED_AT:
                break
    except csv.Error:
        pass
    finally:
        csv.field_size_limit(limit)
    return found


def _evenness(rows: list[tuple[list[str], int]]) -> tuple[float, int]:
    if not rows:
        return (0.0, 0)
    width, count = Counter(len(fields) for fields, _ in rows).most_common(1)[0]
    return (round(count / len(rows), 1) if width > 1 else 0.0, width)


def _first_row(rows: list[tuple[list[str], int]]) -> int:
    """Return the index of the row that the table begins with: 0 unless shorter rows stand before a regular table."""
    widths = [len(fields) for fields, _ in rows]
    if len(widths) < 3:
        return 0
    usual, count = Counter(widths).most_common(1)[0]
    first = widths.index(usual)
    is_regular = usual > 1 and count >= 0.5 * len(widths)
    return first if is_regular and all(width < usual for width in widths[:first]) else 0


def _has_header(rows: list[list[str]]) -> bool:
    """Say whether the first row looks like names."""
    if not rows:
        return False
    first, others = rows[0], rows[1:]
    for position, field in enumerate(first):
        if _NUMBER.fullmatch(field):
            below = [row[position] for row in others if position < len(row) and row[position]]
            if not below or sum(bool(_NUMBER.fullmatch(one)) for one in below) > 0.5 * len(below):
                return False
    return any(field.strip() for field in first)


def _character(options: Mapping[str, Any], name: str, default: str) -> str:
    value = options.get(name, default)
    if not isinstance(value, str) or len(value) > 1 or not value.isascii():
        raise InvalidArgumentError(f"The option {name} must be one ASCII character or empty, not {value!r}.")
    return value
