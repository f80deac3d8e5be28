"""The profile of texts, booleans and all that has no order of its own: counts of values, then what they look like."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import Kind
from kernel_tools.wrangler.profiling.column_profile import ColumnProfile, Lengths, TextPattern, TopValue

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

MOST_SHAPED = 2_000
"""Distinct values that a pattern is sought in."""

MOST_CHARACTERS = 200
"""Characters of a value that its shape is taken from, and that a profile shows of it."""

_RUN = re.compile(r"[0-9]+|[^\W\d_]+|\s+|.", re.DOTALL)


def profile_categories(engine: Engine, column: ir.Column, kind: Kind, *, rows: int, top: int) -> ColumnProfile:
    """Return the profile of a column whose values are only told apart; what JSON has no form of is shown as text."""
    import pyarrow.compute as pc

    groups = value_counts(engine, column, kind)
    values, counts = groups["value"], groups["n"]
    count = int(pc.sum(counts).as_py() or 0)
    known = ColumnProfile(
        name=column.get_name(),
        type=str(column.type()),
        kind=kind,
        n=rows,
        count=count,
        missing=rows - count,
        distinct=len(values),
        unique=int(pc.sum(pc.equal(counts, 1)).as_py() or 0),
    )
    if not len(values):
        return known
    order = pc.select_k_unstable(groups, top, [("n", "descending"), ("value", "ascending")]) if top else []
    chosen = groups.take(order).to_pylist() if top else []
    known = replace(known, top=[TopValue(_shown(row["value"]), row["n"]) for row in chosen])
    if kind == "boolean":
        return replace(known, mean=sum(row["n"] for row in groups.to_pylist() if row["value"]) / count)
    return _describe_texts(known, groups) if kind == "string" else known


def value_counts(engine: Engine, column: ir.Column, kind: Kind) -> pa.Table:
    """Return the different values of a column (``value``) and how many rows have each (``n``), in no order."""
    dtype = column.type()
    if not (dtype.is_string() or dtype.is_boolean() or dtype.is_binary()):
        column = column.cast("string")
    table = column.name("value").as_table()
    table = table.filter(table["value"].notnull())
    groups = engine.arrow(table.group_by("value").aggregate(n=table.count()))
    return without_dictionaries(groups)


def without_dictionaries(data: pa.Table) -> pa.Table:
    """Return a table whose dictionaries are texts: an enumeration of DuckDB comes as one."""
    import pyarrow as pa

    types = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in data.schema]
    return data.cast(pa.schema(list(zip(data.column_names, types, strict=True))))


def _describe_texts(known: ColumnProfile, groups: pa.Table) -> ColumnProfile:
    import pyarrow.compute as pc

    values, counts = groups["value"], groups["n"]
    lengths = pc.utf8_length(values)
    limits = pc.min_max(lengths)
    bounds = pc.min_max(values)
    blank = pc.or_(pc.equal(lengths, 0), pc.utf8_is_space(values))
    return replace(
        known,
        invalid=int(pc.sum(pc.if_else(blank, counts, 0)).as_py() or 0),
        minimum=_shown(bounds["min"].as_py()),
        maximum=_shown(bounds["max"].as_py()),
        lengths=Lengths(
            minimum=limits["min"].as_py(),
            mean=pc.sum(pc.multiply(lengths.cast("int64"), counts)).as_py() / known.count,
            maximum=limits["max"].as_py(),
        ),
        pattern=text_pattern(groups),
    )


def text_pattern(groups: pa.Table, most: int = MOST_SHAPED) -> TextPattern | None:
    """Return the shape that most of the distinct values have; None if each looks different or there are few."""
    n = len(groups)
    if n < 2:
        return None
    step = max(1, n // most)
    looked = groups["value"].take(list(range(0, n, step))[:most]).to_pylist()
    shapes = Counter(shape_of(value) for value in looked)
    kinds: Counter[tuple[str, ...]] = Counter()
    for shape, number in shapes.items():
        kinds[tuple(kind for kind, _ in shape)] += number
    best, number = min(kinds.items(), key=lambda item: (-item[1], item[0]))
    if number < 2 or not best:
        return None
    same = [shape for shape in shapes if tuple(kind for kind, _ in shape) == best]
    spans = [(min(shape[i][1] for shape in same), max(shape[i][1] for shape in same)) for i in range(len(best))]
    pattern = "".join(_written(kind, *span) for kind, span in zip(best, spans, strict=True))
    return TextPattern(pattern, number / len(looked), len(looked), is_exact=len(looked) == n)


def shape_of(text: str) -> tuple[tuple[str, int], ...]:
    """Return the runs of a text: what each holds (``digits``, ``letters``, ``space``, or a character) and its length.

    Examples
    --------
    ``"AB-12"`` gives ``(("letters", 2), ("-", 1), ("digits", 2))``.
    """
    return tuple((_run_kind(run), len(run)) for run in _RUN.findall(text[:MOST_CHARACTERS]))


def _run_kind(run: str) -> str:
    if run[0].isascii() and run[0].isdigit():
        return "digits"
    if run[0].isalpha():
        return "letters"
    return "space" if run[0].isspace() else run


def _written(kind: str, low: int, high: int) -> str:
    if kind not in ("digits", "letters", "space"):
        return kind
    if kind == "space" and low == high == 1:
        return " "
    return f"{{{kind}:{low}}}" if low == high else f"{{{kind}:{low}-{high}}}"


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[: MOST_CHARACTERS // 2].hex()
    return value[:MOST_CHARACTERS] if isinstance(value, str) else value
