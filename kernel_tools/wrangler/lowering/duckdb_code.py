"""A fitted recipe as Python that needs DuckDB alone: the sources are read, and one SELECT does the rest."""

from __future__ import annotations

from kernel_tools.wrangler.document import RecipeDocument, Source
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.sql_code import source_names

READERS = {"csv": "read_csv", "tsv": "read_csv", "parquet": "read_parquet", "json": "read_json", "jsonl": "read_json"}


def duckdb_code(document: RecipeDocument, select: str) -> str:
    """Return the lines that read the sources of a recipe and run its SELECT; the result is the variable ``df``.

    Raises
    ------
    UnsupportedError
        If DuckDB alone cannot read a source.
    """
    names = source_names(document)
    lines = ["import duckdb", ""]
    lines += [f"{names[source.id]} = {_read(source)}" for source in document.sources]
    query = select.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return "\n".join([*lines, 'df = duckdb.sql("""', query, '""").df()', ""])


def _read(source: Source) -> str:
    if source.kind == "frame" and source.uri is None:
        return "frame  # the table that the recipe was made for"
    ending = (source.uri or "").lower().removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[-1]
    kind = source.format or {"ndjson": "jsonl"}.get(ending, ending)
    if source.kind == "database" or kind not in READERS:
        raise UnsupportedError(f"The source {source.id} ({source.uri or source.query}) cannot be read by DuckDB alone.")
    return f"duckdb.{READERS[kind]}({source.uri!r})"
