"""A recipe in other words: SQL, Python, scikit-learn, ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.document import Id, RecipeDocument
from kernel_tools.wrangler.graph import before

if TYPE_CHECKING:
    from onnx import ModelProto
    from sklearn.pipeline import Pipeline

    from kernel_tools.wrangler.recipe import Recipe


Rows = Any
"""Rows from elsewhere: a frame of pandas or polars, an Arrow table, or the path of a file."""


class Translations:
    """What `Recipe` can be written as."""

    if TYPE_CHECKING:
        document: RecipeDocument

        @property
        def head(self) -> Id:
            """The id of the step that the next one comes after."""

        def _execution(self, data: Any, **options: Any) -> Any: ...

    def to_sql(self, dialect: str = "duckdb", *, tables: Mapping[Id, str] | None = None) -> str:
        """Return a SELECT that does the same to new rows, with a named part for each step.

        Parameters
        ----------
        dialect
            duckdb, postgres, sqlite, mysql, trino, athena, snowflake, bigquery, clickhouse or mssql.
        tables
            What the table of each source is called in the database, by the id of the source.

        Raises
        ------
        ConflictError
            If a step has not learned yet.
        UnsupportedError
            If a step has no SQL in this dialect.
        """
        from kernel_tools.wrangler.lowering.sql_code import sql_code

        with self._execution(None, limit=1000, is_training=False, may_learn=False) as (execution, _):
            schemas = {one.id: execution.table(one.id).schema() for one in self._parts()}
            return sql_code(self.document, schemas, execution.state, head=self.head, dialect=dialect, tables=tables)

    def to_python(self, dialect: str = "pandas") -> str:
        """Return Python that runs alone and gives the same table, in the variable ``df``.

        Parameters
        ----------
        dialect
            ``pandas`` or ``polars``: a comment and a statement or two for each step. ``sql``: one SELECT, run by
            DuckDB. ``atelier``: the lines that build this recipe, in the variable ``recipe``.

        Raises
        ------
        ConflictError
            If a step has not learned yet.
        UnsupportedError
            If a step has no words there; it names the step.
        """
        from kernel_tools.wrangler.lowering.duckdb_code import duckdb_code
        from kernel_tools.wrangler.lowering.fluent_code import fluent_code
        from kernel_tools.wrangler.lowering.pandas_code import pandas_code
        from kernel_tools.wrangler.lowering.polars_code import polars_code

        if dialect == "atelier":
            return fluent_code(self.document, self.head)
        if dialect == "sql":
            return duckdb_code(before(self.document, self.head), self.to_sql())
        writers = {"pandas": pandas_code, "polars": polars_code}
        if dialect not in writers:
            raise InvalidArgumentError(f"There is no dialect {dialect!r}. Use pandas, polars, sql or atelier.")
        with self._execution(None, limit=1000, is_training=False, may_learn=False) as (execution, _):
            schemas = {one.id: execution.table(one.id).schema() for one in self._parts()}
            return writers[dialect](self.document, schemas, execution.state, head=self.head)

    def to_notebook(self, path: str | Path) -> Path:
        """Write a notebook that builds the recipe, lets it learn and writes its rows; return the path of it."""
        from kernel_tools.wrangler.lowering.forms import write_form

        return write_form(cast("Recipe", self), "notebook", Path(path))

    def to_sklearn(self, *, target: str | None = None) -> Pipeline:
        """Return the steps as a scikit-learn pipeline; see `kernel_tools.wrangler.lowering.estimators.to_sklearn`."""
        from kernel_tools.wrangler.lowering.estimators import to_sklearn

        return to_sklearn(cast("Recipe", self), target=target)

    def to_onnx(
        self, data: Rows | None = None, *, matrix: bool = False, columns: list[str] | None = None
    ) -> ModelProto:
        """Return the fitted recipe as an ONNX model; see `kernel_tools.wrangler.lowering.onnx.to_onnx`."""
        from kernel_tools.wrangler.lowering.onnx import to_onnx

        return to_onnx(cast("Recipe", self), data, matrix=matrix, columns=columns)

    def _parts(self) -> list[Any]:
        document = before(self.document, self.head)
        return [*document.sources, *document.nodes]
