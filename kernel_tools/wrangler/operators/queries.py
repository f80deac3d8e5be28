"""What a SELECT of a step may be: one statement that reads the table of the step and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.wrangler.operators.base import StepError

if TYPE_CHECKING:
    from sqlglot import exp


def parse_select(query: str, table: str) -> exp.Query:
    """Return the parsed SELECT.

    Raises
    ------
    StepError
        If it is no SELECT, more than one statement, or reads something else than `table`.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = [one for one in sqlglot.parse(query, dialect="duckdb") if one is not None]
    except (SqlglotError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StepError(f"This is no SQL: {said}", field="query") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise StepError(f"A step is one SELECT over the table {table}; this is something else.", field="query")
    tree = statements[0]
    own = {cte.alias for cte in tree.find_all(exp.CTE)} | {table}
    for found in tree.find_all(exp.Table):
        if not isinstance(found.this, exp.Identifier) or found.name not in own or found.db:
            raise StepError(
                f"The SELECT reads {found.sql('duckdb')!r}. It may only read {table}, the rows so far; join other "
                "tables with the step Join.",
                field="query",
            )
    for function in tree.find_all(exp.Anonymous):
        if function.name.lower() in _REFUSED or function.name.lower().startswith(
            ("read_", "pragma_", "duckdb_", "glob")
        ):
            raise StepError(f"The function {function.name} may not be used in a step.", field="query")
    if list(tree.find_all(exp.Command, exp.Into)):
        raise StepError("A step is one SELECT that changes nothing.", field="query")
    return tree


_REFUSED = frozenset({"getenv", "query", "query_table", "sniff_csv", "parquet_scan", "sqlite_scan", "postgres_scan",
                      "which_secret", "current_setting", "nextval", "write_log", "load_aws_credentials"})  # fmt: skip
