"""Steps that somebody writes: a SELECT, or Python on a pandas or polars frame, on rows or on a column.

Python runs with the rights of the process, and out of a file only when the recipe is trusted; a SELECT is parsed, and
may read nothing but the table of the step.
"""

from __future__ import annotations

import textwrap
import traceback
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.operators.base import Operator, RowEffect, State, StepError, hinted, pick_column

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import pandas as pd

TABLE = "df"
"""What the table is called in the code of a step."""


class CustomSql(Operator):
    """Compute the table with a SELECT; the rows so far are the table ``df``. The dialect is DuckDB's."""

    op = "custom_sql"
    title = "Custom SQL"
    family = "custom"
    row_effect = "other"

    query: str = hinted("sql", min_length=1, max_length=100_000, description="As in: SELECT *, a / b AS c FROM df")

    def sentence(self) -> str:
        """Show the start of the query."""
        return f"SQL: {' '.join(self.query.split())[:80]}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse anything but one SELECT over `df`."""
        from kernel_tools.wrangler.operators.queries import parse_select

        parse_select(self.query, TABLE)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Put the query behind the table."""
        import ibis.expr.operations as ops

        from kernel_tools.wrangler.operators.queries import parse_select

        query = parse_select(self.query, TABLE).sql("duckdb")
        view = ops.AliasedRelation(parent=tables[0].op(), name=TABLE)
        return ops.SQLStringView(parent=view, query=query, schema=_schema_of(query, tables[0].schema())).to_expr()


def _schema_of(query: str, schema: ibis.Schema) -> ibis.Schema:
    """Return the columns that a query gives for a table of `schema`, asked of an empty one.

    The connection has no other table and reaches no file: what `parse_select` did not see fails here, before the query
    comes near the engine.

    Raises
    ------
    StepError
        If the query does not fit the table.
    """
    import duckdb
    import ibis

    with duckdb.connect(config=_CLOSED) as connection:
        connection.register(TABLE, schema.to_pyarrow().empty_table())
        try:
            found = connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise StepError(f"The query does not fit the table: {str(error).splitlines()[0]}", field="query") from error
    return ibis.Schema.from_pyarrow(found.schema)


_CLOSED: dict[str, Any] = {"enable_external_access": "false", "python_enable_replacements": "false"}


class CodeOperator(Operator):
    """Base of the steps with Python."""

    family = "custom"
    row_effect: ClassVar[RowEffect] = "other"
    runs_code = True

    @property
    def is_eager(self) -> bool:
        """Python works on frames."""
        return True

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse code that is no Python."""
        super().check(*schemas)
        _compiled(getattr(self, "source", ""))


class CustomPandas(CodeOperator):
    """Run Python on a pandas frame ``df`` (Arrow types); ``df`` afterwards is the table."""

    op = "custom_pandas"
    title = "Custom pandas"

    source: str = hinted("code", min_length=1, max_length=100_000, description='As in: df["ratio"] = df["a"] / df["b"]')

    def sentence(self) -> str:
        """Show the first line."""
        return f"pandas: {self.source.strip().splitlines()[0][:80]}"

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Run the code."""
        import numpy as np
        import pandas as pd

        found = _run(self.source, {TABLE: frames[0].copy(), "pd": pd, "np": np})
        if not isinstance(found, pd.DataFrame):
            raise StepError(f"After the code, df is a {type(found).__name__}, not a DataFrame.", field="source")
        return found

    def code(self, *variables: str, state: State) -> list[str]:
        """Return the code itself."""
        return _renamed(self.source, variables[0])


class CustomPolars(CodeOperator):
    """Run Python on a polars frame ``df``; ``df`` afterwards is the table. A lazy frame is collected."""

    op = "custom_polars"
    title = "Custom polars"

    source: str = hinted(
        "code",
        min_length=1,
        max_length=100_000,
        description='As in: df = df.with_columns(twice=pl.col("a") * 2)',
    )

    def sentence(self) -> str:
        """Show the first line."""
        return f"polars: {self.source.strip().splitlines()[0][:80]}"

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Run the code."""
        import pandas as pd
        import pyarrow as pa

        try:
            import polars as pl
        except ImportError as error:
            raise MissingExtraError("polars", "wrangler") from error
        frame = pl.from_arrow(pa.Table.from_pandas(frames[0], preserve_index=False))
        found = _run(self.source, {TABLE: frame, "pl": pl})
        if isinstance(found, pl.LazyFrame):
            found = found.collect()
        if not isinstance(found, pl.DataFrame):
            raise StepError(f"After the code, df is a {type(found).__name__}, not a polars DataFrame.", field="source")
        frame_of: pd.DataFrame = found.to_arrow().to_pandas(types_mapper=pd.ArrowDtype)
        return frame_of

    def code(self, *variables: str, state: State) -> list[str]:
        """Convert, run, convert back."""
        name = variables[0]
        return [
            "import polars as pl",
            f"{name} = pl.from_pandas({name})",
            *_renamed(self.source, name),
            f"{name} = {name}.to_pandas(use_pyarrow_extension_array=True)",
        ]


class CustomPython(CodeOperator):
    """Compute a column with a Python function, from each row (a dictionary) or from the values of a column (a list).

    The code defines ``transform``: it takes one row and returns a value, or takes the list and returns one as long.
    """

    op = "custom_python"
    title = "Custom Python function"
    row_effect: ClassVar[RowEffect] = "same"

    source: str = hinted(
        "code", min_length=1, max_length=100_000, description='As in: def transform(row): return row["a"] + 1'
    )
    new_column: str = hinted("new_column", min_length=1, description="What the result is called.")
    mode: Literal["row", "column"] = Field("row", description="What the function is given.")
    column: str | None = pick_column(default=None, description="The column whose values it is given.")

    def sentence(self) -> str:
        """Name the result."""
        return (
            f"Python: {self.new_column} from each row"
            if self.mode == "row"
            else f"Python: {self.new_column} from {self.column}"
        )

    def check(self, *schemas: ibis.Schema) -> None:
        """Ask for the column."""
        super().check(*schemas)
        if self.mode == "column" and self.column is None:
            raise StepError("Say which column the function is given.", field="column")

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Call the function."""
        import pyarrow as pa

        frame = frames[0]
        transform = _run(self.source, {}, result="transform")
        if not callable(transform):
            raise StepError("The code has to define a function: def transform(row): ...", field="source")
        table = pa.Table.from_pandas(frame, preserve_index=False)
        try:
            if self.mode == "row":
                results = [transform(row) for row in table.to_pylist()]
            else:
                results = list(transform(table[self.column].to_pylist()))
        except (Exception, SystemExit) as error:
            raise _failed(error) from error
        if len(results) != len(frame):
            raise StepError(f"transform returned {len(results)} values for {len(frame)} rows.", field="source")
        return _with_column(frame, self.new_column, results)

    def code(self, *variables: str, state: State) -> list[str]:
        """Call the function."""
        name, new = variables[0], self.new_column
        call = (
            f'[transform(row) for row in {name}.to_dict("records")]'
            if self.mode == "row"
            else f"transform({name}[{self.column!r}].tolist())"
        )
        return [*textwrap.dedent(self.source).strip().splitlines(), f"{name}[{new!r}] = {call}"]


def _with_column(frame: pd.DataFrame, name: str, results: list[Any]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        array = pa.array(results, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StepError(f"The results are of types that do not go into one column: {error}.", field="source") from error
    return frame.assign(**{name: pd.Series(pd.arrays.ArrowExtensionArray(array), index=frame.index)})


def _compiled(source: str) -> Any:
    try:
        return compile(textwrap.dedent(source), "<step>", "exec")
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise StepError(f"The code is no Python{line}: {getattr(error, 'msg', error)}.", field="source") from error


def _run(source: str, names: dict[str, Any], result: str = TABLE) -> Any:
    """Run code and return one of its variables.

    Raises
    ------
    StepError
        With the line and the words of what it raised.
    """
    code = _compiled(source)
    try:
        exec(code, names)  # what a custom step is; `Execution` has asked whether it may
    except (Exception, SystemExit) as error:
        raise _failed(error) from error
    return names.get(result)


def _failed(error: Exception | SystemExit) -> StepError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<step>"]
    where = f"Line {lines[-1]} of the code" if lines else "The code"
    return StepError(f"{where} failed: {type(error).__name__}: {error}", field="source")


def _renamed(source: str, variable: str) -> list[str]:
    lines = textwrap.dedent(source).strip().splitlines()
    return lines if variable == TABLE else [f"{TABLE} = {variable}", *lines, f"{variable} = {TABLE}"]
