"""A look at a table without a recipe: what is in its columns, what is wrong with it, opening it in the studio."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.workspace import atomic_write, current_workspace, validate_name
from kernel_tools.wrangler.document import RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.files import SUFFIX, write_recipe

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.wrangler.analyses import AnalysisResult
    from kernel_tools.wrangler.checks import Report


def profile(data: Any, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return what is in the columns of a table, one row for each column; exact, from all rows.

    Parameters
    ----------
    data
        A frame of pandas or polars, an Arrow table, or the path or address of a file.
    columns
        Their names; None for all.

    Returns
    -------
    pandas.DataFrame
        By the name of the column: type, count, missing, invalid, distinct, unique, minimum, maximum, mean, std, skew,
        kurtosis, quantiles, histogram, top and more; see `kernel_tools.wrangler.profiling.ColumnProfile`.
    """
    import pandas as pd

    from kernel_tools.wrangler.profiling import profile as profile_table

    with _loaded(data) as (engine, table):
        found = [one.to_dict() for one in profile_table(engine, table, columns)]
    return pd.DataFrame(found).set_index("name")


def insights(data: Any, *, target: str | None = None, **options: Any) -> Report:
    """Look for what is wrong with a table, and how to mend it.

    Parameters
    ----------
    data
        A frame of pandas or polars, an Arrow table, or the path or address of a file.
    target
        The column that is to be predicted, if any.
    options
        ``splits``, ``event_time``, ``checks``, ``rows``, ``seed``; see `kernel_tools.wrangler.checks.insights`.

    Returns
    -------
    Report
        The findings, the worst first, each with its numbers and the steps of a recipe that mend it.
    """
    from kernel_tools.core.progress import progress
    from kernel_tools.wrangler.checks import insights as look

    with _loaded(data) as (engine, table), progress("Looking for problems", unit="checks") as work:
        return look(engine, table, target=target, progress=work, **options)


def analyze(data: Any, kind: str, **params: Any) -> AnalysisResult:
    """Draw an analysis of all rows of a table.

    Parameters
    ----------
    data
        A frame of pandas or polars, an Arrow table, or the path or address of a file.
    kind
        One of `kernel_tools.wrangler.analyses.ANALYSES`: histogram, scatter, correlation ...
    params
        Its parameters, as in ``analyze(df, "histogram", column="age")``; code of `custom_plotly` runs.

    Returns
    -------
    AnalysisResult
        ``figure``, ``table``, ``facts``, and whether all rows were used.
    """
    from kernel_tools.wrangler.analyses import analyze as draw

    with _loaded(data) as (engine, table):
        return draw(engine, table, kind, trusted=True, **params)


@dataclass(frozen=True)
class RecipeLink:
    """The file of a recipe; in a notebook a link that opens it in the studio."""

    path: Path

    def _repr_html_(self) -> str:
        shown = escape(os.path.relpath(self.path))
        return f'<a href="{shown}">Open {escape(self.path.name)} in the Data Wrangler</a>'


def wrangle(frame: Any, name: str = "frame") -> RecipeLink:
    """Keep a frame in the workspace, and begin a recipe on it in the current folder.

    Parameters
    ----------
    frame
        A frame of pandas or polars, or an Arrow table.
    name
        What the recipe is called.

    Returns
    -------
    RecipeLink
        In a notebook, a link that opens it.

    Raises
    ------
    InvalidArgumentError
        If the name cannot be that of a file, or this is no frame.
    """
    import pyarrow.parquet as pq

    from kernel_tools.wrangler.sources import frame_source

    validate_name(name, "recipe name")
    with Engine() as engine:
        loaded = frame_source(frame, engine, "frame")
        table = engine.arrow(engine.table(loaded.table))
    digest = hashlib.sha256(loaded.fingerprint.encode()).hexdigest()[:12]
    kept = current_workspace().root / "wrangler" / "frames" / f"{name}-{digest}.parquet"
    if not kept.exists():
        with atomic_write(kept) as file:
            pq.write_table(table, file)
    source = Source(id="s1", kind="file", uri=str(kept), format="parquet", name=name)
    path, number = Path.cwd() / f"{name}{SUFFIX}", 2
    while path.exists():
        path, number = Path.cwd() / f"{name}-{number}{SUFFIX}", number + 1
    return RecipeLink(write_recipe(RecipeDocument(name=name, sources=[source]), path))


@contextmanager
def _loaded(data: Any) -> Iterator[tuple[Engine, str]]:
    from kernel_tools.wrangler.sources import frame_source, load

    with Engine() as engine:
        if isinstance(data, (str, Path)):
            loaded = load(Source(id="s1", uri=str(data)), engine, name="data")
        else:
            loaded = frame_source(data, engine, "data")
        yield engine, loaded.table
