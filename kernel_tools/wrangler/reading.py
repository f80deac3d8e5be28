"""Where recipes come from: a table that one begins with, or the file of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernel_tools.wrangler.document import RecipeDocument, Sampling, Source
from kernel_tools.wrangler.files import read_recipe
from kernel_tools.wrangler.recipe import Recipe
from kernel_tools.wrangler.translations import Rows


def read(
    source: Rows, *, name: str | None = None, query: str | None = None, sampling: Mapping[str, Any] | None = None,
    format: str | None = None, **options: Any,
) -> Recipe:  # fmt: skip
    """Begin a recipe with a table.

    Parameters
    ----------
    source
        The path or address of a file or of several (``"data/*.parquet"``, ``"s3://bucket/t.csv"``), the URL of a
        database (with `query`), or a frame of pandas or polars or an Arrow table.
    name
        What the recipe is called; default, the name of the file.
    query
        A table or a SELECT, of a database.
    sampling
        Which rows are taken: ``{"method": "random", "rows": 50_000, "seed": 7}``; see `document.Sampling`.
    format, options
        What the reader is told where it cannot find it out: ``delimiter``, ``encoding``, ``sheet``, ``types``.

    Raises
    ------
    InvalidArgumentError
        If the source is nothing that can be read.
    """
    sample = Sampling.model_validate(dict(sampling or {}))
    if isinstance(source, (str, Path)):
        uri = str(source)
        described = Source(
            id="s1",
            kind="database" if query is not None or _is_database(uri) else "file",
            uri=uri,
            query=query,
            format=format,
            options=options,
            sampling=sample,
        )
        called = name or Path(uri.split("?")[0]).name.split(".")[0].replace("*", "all") or "recipe"
        return Recipe(RecipeDocument(name=called, sources=[described]))
    described = Source(id="s1", kind="frame", options=options, sampling=sample)
    return Recipe(RecipeDocument(name=name or "recipe", sources=[described]), frames={"s1": source})


def load(path: str | Path, *, is_trusted: bool = False) -> Recipe:
    """Open a recipe's file.

    Parameters
    ----------
    is_trusted
        Whether steps that run code of the file may run; or trust them in the studio.

    Raises
    ------
    NotFoundError, InvalidDataError
        If there is no such file, or it is no recipe.
    """
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.wrangler import trust

    path = Path(path)
    document = read_recipe(path)
    trusted = is_trusted or not trust.code_steps(document) or trust.is_trusted(document, current_workspace())
    return Recipe(document, base=path.resolve().parent, is_trusted=trusted)


_DATABASES = ("sqlite", "duckdb", "postgres", "postgresql", "mysql", "trino", "snowflake", "bigquery", "athena",
              "redshift", "mssql", "clickhouse")  # fmt: skip


def _is_database(uri: str) -> bool:
    return "://" in uri and uri.split("://", 1)[0].split("+")[0] in _DATABASES
