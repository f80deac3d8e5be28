"""A fitted recipe as polars code that runs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.document import Id, RecipeDocument, Source
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.frame_code import frame_code, kind_of_file
from kernel_tools.wrangler.lowering.layout import arguments, text, texts
from kernel_tools.wrangler.lowering.polars_values import column_code, value_code
from kernel_tools.wrangler.lowering.relations import Chain, Context, Key, Language

if TYPE_CHECKING:
    import ibis

READERS = {"csv": "read_csv", "tsv": "read_csv", "parquet": "read_parquet", "json": "read_json", "jsonl": "read_ndjson",
           "excel": "read_excel", "arrow": "read_ipc"}  # fmt: skip


_TYPES = ", try_parse_dates=True, infer_schema_length=None"


def polars_code(
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    *,
    head: Id | None = None,
) -> str:
    """Return Python that reads the sources and computes a recipe with polars; see `frame_code.frame_code`.

    Raises
    ------
    UnsupportedError
        If a step has no polars code; it names the step and the operation.
    """
    return frame_code(Polars(), document, schemas, states, head=head)


class Polars(Language):
    """How polars writes relations."""

    name = "polars"
    names_frames = False
    tells_zeros_apart = False

    def read(self, source: Source, given: str, schema: ibis.Schema) -> str:
        """Return the call that reads a source."""
        if source.kind == "frame" and source.uri is None:
            return f"pl.DataFrame({given})  # the table that the recipe was made for"
        if source.kind == "database":
            return f"pl.read_database_uri({text(source.query)}, {text(source.uri)})"
        kind = kind_of_file(source)
        if kind not in READERS:
            raise UnsupportedError(f"The source {source.id} ({source.uri}) has no polars code.")
        options = {"csv": _TYPES, "tsv": f', separator="\\t"{_TYPES}'}.get(kind, "")
        return f"pl.{READERS[kind]}({text(source.uri)}{options})"

    def to_pandas(self, variable: str) -> list[str]:
        """Return the statement that makes a frame of pandas with Arrow types."""
        return [f"{variable} = {variable}.to_pandas(use_pyarrow_extension_array=True)"]

    def from_pandas(self, variable: str) -> list[str]:
        """Return the statement that makes a frame of polars again."""
        return [f"{variable} = pl.from_pandas({variable})"]

    def value(self, op: ops.Value, context: Context) -> str:
        """Return an expression of polars."""
        return value_code(op, context.shapes)

    def assign(self, values: Mapping[str, ops.Value], context: Context) -> str:
        """Add columns."""
        return f".with_columns({arguments({name: column_code(one, context.shapes) for name, one in values.items()})})"

    def choose(self, columns: Sequence[str]) -> str:
        """Select."""
        return f".select({texts(columns)})"

    def drop(self, columns: Sequence[str]) -> str:
        """Drop."""
        return f".drop({texts(columns)})"

    def rename(self, names: Mapping[str, str]) -> str:
        """Rename."""
        return f".rename({{{', '.join(f'{text(old)}: {text(new)}' for old, new in names.items())}}})"

    def filter(self, conditions: Sequence[ops.Value], context: Context) -> str:
        """Filter; a condition that is missing does not hold."""
        return f".filter({', '.join(column_code(one, context.shapes) for one in conditions)})"

    def sort(self, names: Sequence[str], descending: Sequence[bool]) -> str:
        """Sort."""
        order = f", descending={_one_or_all(descending)}" if any(descending) else ""
        return f".sort({_name_or_names(names)}{order}, nulls_last=True, maintain_order=True)"

    def limit(self, start: int, rows: int | None) -> str:
        """Take a slice."""
        return f".head({rows})" if not start and rows is not None else f".slice({start}, {rows})"

    def drop_null(self, columns: Sequence[str] | None, how: str) -> str:
        """Drop rows with missing values."""
        if how == "any":
            return f".drop_nulls({'' if columns is None else _name_or_names(columns)})"
        return f".filter(~pl.all_horizontal(pl.col({_name_or_names(columns or ['*'])}).is_null()))"

    def unnest(self, column: str, *, keeps_empty: bool = True) -> str:
        """Explode."""
        return f".explode({text(column)}, empty_as_null={keeps_empty}, keep_nulls={keeps_empty})"

    def unique(self, columns: Sequence[str]) -> str:
        """Keep the first of each."""
        return f'.unique({_name_or_names(columns)}, keep="first", maintain_order=True)'

    def aggregate(self, keys: Sequence[str], metrics: Mapping[str, ops.Value], frame: Chain, context: Context) -> Chain:
        """Group, or select aggregates of all rows."""
        written = arguments({name: value_code(one, context.shapes) for name, one in metrics.items()})
        columns = [*keys, *metrics]
        if not keys:
            return frame.then(f".select({written})", columns)
        if not metrics:
            return frame.then(self.choose(keys), columns).then(self.unique(keys))
        return frame.then(f".group_by({_name_or_names(keys)}, maintain_order=True).agg({written})", columns)

    def unite(self, frames: Sequence[str]) -> str:
        """Concatenate."""
        return "pl.concat([" + ", ".join(frames) + '], how="vertical_relaxed")'

    def join(self, left: Chain, right: str, how: str, keys: Sequence[Key], columns: Sequence[str]) -> Chain:
        """Join; equal keys of the second frame are kept only where they are asked for."""
        if how == "cross":
            return left.then(f'.join({right}, how="cross")', [*left.columns, *columns])
        mine, theirs = [key.left for key in keys], [key.right for key in keys]
        on = f"left_on={_name_or_names(mine)}, right_on={_name_or_names(theirs)}"
        if mine == theirs:
            on = f"on={_name_or_names(mine)}"
        same = ", nulls_equal=True" if keys and all(key.is_identical for key in keys) else ""
        if not same and any(key.is_identical for key in keys):
            raise UnsupportedError("a join in which some keys may be missing")
        if how in ("semi", "anti"):
            return left.then(f'.join({right}, {on}, how="{how}"{same})')
        order = ', maintain_order="left_right"' if how in ("inner", "left") else ""
        kept = ", coalesce=False" if how in ("right", "outer") or set(theirs) & set(columns) else ""
        words = {"outer": "full"}.get(how, how)
        others = [one for one in theirs if one not in columns] if kept else []
        call = f'.join({right}, {on}, how="{words}"{kept}{same}{order})'
        return left.then(call, [*left.columns, *others, *columns])


def _name_or_names(names: Sequence[str]) -> str:
    return text(names[0]) if len(names) == 1 else f"[{texts(names)}]"


def _one_or_all(descending: Sequence[bool]) -> str:
    return repr(descending[0]) if len(set(descending)) == 1 else repr(list(descending))
