"""A fitted recipe as pandas code that runs alone; columns hold Arrow types, and rows are numbered from 0 on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.document import Id, RecipeDocument, Source
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.frame_code import frame_code, kind_of_file
from kernel_tools.wrangler.lowering.layout import arguments, is_infix, text, texts
from kernel_tools.wrangler.lowering.pandas_groups import aggregate_code
from kernel_tools.wrangler.lowering.pandas_values import condition_code, is_constant, type_code, value_code
from kernel_tools.wrangler.lowering.relations import Chain, Context, Key, Language

if TYPE_CHECKING:
    import ibis

READERS = {"csv": "read_csv", "tsv": "read_csv", "parquet": "read_parquet", "orc": "read_orc", "json": "read_json",
           "jsonl": "read_json", "excel": "read_excel", "arrow": "read_feather"}  # fmt: skip

_NO_TEXT = 'keep_default_na=False, na_values=[""], '


def pandas_code(
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    *,
    head: Id | None = None,
) -> str:
    """Return Python that reads the sources and computes a recipe with pandas; see `frame_code.frame_code`.

    Raises
    ------
    UnsupportedError
        If a step has no pandas code; it names the step and the operation.
    """
    return frame_code(Pandas(), document, schemas, states, head=head)


class Pandas(Language):
    """How pandas writes relations."""

    name = "pandas"
    names_frames = True
    tells_zeros_apart = True

    def read(self, source: Source, given: str, schema: ibis.Schema) -> str:
        """Return the call that reads a source, with Arrow types."""
        if source.kind == "frame" and source.uri is None:
            return f"pa.table({given}).to_pandas(types_mapper=pd.ArrowDtype).reset_index(drop=True)"
        if source.kind == "database":
            return f'pd.read_sql({text(source.query)}, {text(source.uri)}, dtype_backend="pyarrow")'
        kind = kind_of_file(source)
        if kind not in READERS or "*" in (source.uri or ""):
            raise UnsupportedError(f"The source {source.id} ({source.uri}) has no pandas code.")
        options = {"csv": _NO_TEXT, "tsv": f'sep="\\t", {_NO_TEXT}', "jsonl": "lines=True, "}.get(kind, "")
        return f'pd.{READERS[kind]}({text(source.uri)}, {options}dtype_backend="pyarrow"){_times(schema, kind)}'

    def to_pandas(self, variable: str) -> list[str]:
        """Return nothing: it is one."""
        return []

    def from_pandas(self, variable: str) -> list[str]:
        """Return nothing: it is one."""
        return []

    def value(self, op: ops.Value, context: Context) -> str:
        """Return a column."""
        return value_code(op, context)

    def assign(self, values: Mapping[str, ops.Value], context: Context) -> str:
        """Add columns."""
        codes = {name: _column(one, context) for name, one in values.items()}
        return f".assign({arguments(codes)})"

    def choose(self, columns: Sequence[str]) -> str:
        """Take columns."""
        return f"[[{texts(columns)}]]"

    def drop(self, columns: Sequence[str]) -> str:
        """Drop."""
        return f".drop(columns=[{texts(columns)}])"

    def rename(self, names: Mapping[str, str]) -> str:
        """Rename."""
        return f".rename(columns={{{', '.join(f'{text(old)}: {text(new)}' for old, new in names.items())}}})"

    def filter(self, conditions: Sequence[ops.Value], context: Context) -> str:
        """Filter; a condition that is missing does not hold."""
        codes = [condition_code(one, context) for one in conditions]
        joined = " & ".join(f"({one})" if is_infix(one) and len(codes) > 1 else one for one in codes)
        return f"[{joined}].reset_index(drop=True)"

    def sort(self, names: Sequence[str], descending: Sequence[bool]) -> str:
        """Sort."""
        down = [not one for one in descending]
        order = "" if all(down) else f", ascending={down[0] if len(set(down)) == 1 else down!r}"
        return f'.sort_values({_name_or_names(names)}{order}, kind="stable", ignore_index=True)'

    def limit(self, start: int, rows: int | None) -> str:
        """Take a slice."""
        if not start and rows is not None:
            return f".head({rows})"
        return f".iloc[{start or ''}:{'' if rows is None else start + rows}].reset_index(drop=True)"

    def drop_null(self, columns: Sequence[str] | None, how: str) -> str:
        """Drop rows with missing values."""
        subset = "" if columns is None else f"subset=[{texts(columns)}], "
        word = "" if how == "any" else f'how="{how}", '
        return f".dropna({subset}{word}ignore_index=True)"

    def unnest(self, column: str, *, keeps_empty: bool = True) -> str:
        """Explode."""
        full = "" if keeps_empty else f".loc[lambda rows: (rows[{text(column)}].list.len() > 0).fillna(False)]"
        return f"{full}.explode({text(column)}, ignore_index=True)"

    def unique(self, columns: Sequence[str]) -> str:
        """Keep the first of each."""
        return f".drop_duplicates([{texts(columns)}], ignore_index=True)"

    def aggregate(self, keys: Sequence[str], metrics: Mapping[str, ops.Value], frame: Chain, context: Context) -> Chain:
        """Group, or make a row of aggregates of all rows."""
        if not metrics:
            return frame.then(self.choose(keys), keys).then(self.unique(keys))
        return aggregate_code(keys, metrics, frame, context)

    def unite(self, frames: Sequence[str]) -> str:
        """Concatenate."""
        return f"pd.concat([{', '.join(frames)}], ignore_index=True)"

    def join(self, left: Chain, right: str, how: str, keys: Sequence[Key], columns: Sequence[str]) -> Chain:
        """Merge; missing keys have no partner, which pandas has to be told."""
        if how == "cross":
            return left.then(f'.merge({right}, how="cross")', [*left.columns, *columns])
        mine, theirs = [key.left for key in keys], [key.right for key in keys]
        is_identical = all(key.is_identical for key in keys)
        if not is_identical and any(key.is_identical for key in keys):
            raise UnsupportedError("a join in which some keys may be missing")
        known = "" if is_identical else f".dropna(subset=[{texts(theirs)}])"
        if how in ("semi", "anti"):
            return self._with_partner(left, right, how, mine, theirs)
        on = f"on={_name_or_names(mine)}"
        if mine != theirs:
            on = f"left_on={_name_or_names(mine)}, right_on={_name_or_names(theirs)}"
        others = [one for one in theirs if one not in columns and one not in mine]
        names = [*left.columns, *others, *columns]
        if how == "right" and not is_identical:
            left, known = left.then(f".dropna(subset=[{texts(mine)}])"), ""
        if how == "outer" and not is_identical:
            found = f'{left.code}.merge({right}{known}, {on}, how="outer")'
            lonely = f"{right}.loc[lambda rows: rows[[{texts(theirs)}]].isna().any(axis=1)]"
            return Chain(f"pd.concat([{found}, {lonely}], ignore_index=True)", names)
        return left.then(f'.merge({right}{known}, {on}, how="{how}")', names)

    def _with_partner(self, left: Chain, right: str, how: str, mine: Sequence[str], theirs: Sequence[str]) -> Chain:
        if len(mine) == 1:
            condition = f"rows[{text(mine[0])}].isin({right}[{text(theirs[0])}].dropna())"
        else:
            partners = f"pd.MultiIndex.from_frame({right}[[{texts(theirs)}]].dropna())"
            condition = f"pd.MultiIndex.from_frame(rows[[{texts(mine)}]]).isin({partners})"
        mark = "~" if how == "anti" else ""
        return left.then(f".loc[lambda rows: {mark}{condition}].reset_index(drop=True)")


def _column(op: Any, context: Context) -> str:
    while isinstance(op, ops.Alias):
        op = op.arg
    if isinstance(op, ops.Literal) and op.value is None:
        return f"lambda rows: pd.Series(pd.NA, index=rows.index, dtype={type_code(op.dtype)})"
    if isinstance(op, ops.Cast) and is_constant(op) and isinstance(op.arg, ops.Literal) and op.arg.value is None:
        return f"lambda rows: pd.Series(pd.NA, index=rows.index, dtype={type_code(op.to)})"
    return value_code(op, context)


def _times(schema: ibis.Schema, kind: str) -> str:
    """Return the call that makes dates and moments of the texts of a file."""
    if kind not in ("csv", "tsv", "json", "jsonl"):
        return ""
    types = {name: type_code(one) for name, one in schema.items() if one.is_date() or one.is_timestamp()}
    return f".astype({{{', '.join(f'{text(name)}: {one}' for name, one in types.items())}}})" if types else ""


def _name_or_names(names: Sequence[str]) -> str:
    return text(names[0]) if len(names) == 1 else f"[{texts(names)}]"
