"""A recipe on an engine of its own, from reading the sources to closing the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import ConflictError
from kernel_tools.wrangler.document import Id, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.sources import Loaded, frame_source, load, parameter_values


@contextmanager
def running_on(
    document: RecipeDocument,
    *,
    given: Mapping[Id, Any],
    base: Path | None = None,
    memory_limit: str | None = None,
    limit: int | None = None,
    **options: Any,
) -> Iterator[tuple[Execution, Engine]]:
    """Yield the execution of a recipe whose sources are loaded, and its engine.

    Parameters
    ----------
    given
        The rows of sources that do not read their own, by their ids: frames, Arrow tables or paths.
    limit
        How many rows of each source are taken; None means all.
    options
        Of `Execution`.

    Raises
    ------
    ConflictError
        If the rows of a source were only there in Python, where the recipe was made.
    """
    with Engine(memory_limit=memory_limit) as engine:
        tables, fingerprints = {}, {}
        for source in document.sources:
            loaded = _load(source, engine, document, given.get(source.id), base, limit)
            tables[source.id] = engine.table(loaded.table)
            fingerprints[source.id] = loaded.fingerprint
        yield Execution(document, engine, tables, fingerprints=fingerprints, **options), engine


def _load(
    source: Source, engine: Engine, document: RecipeDocument, rows: Any, base: Path | None, limit: int | None
) -> Loaded:
    name = engine.new_name("source")
    if isinstance(rows, (str, Path)):
        source, rows = source.model_copy(update={"kind": "file", "uri": str(rows), "format": None}), None
    if rows is not None:
        return frame_source(rows, engine, name)
    if source.kind == "frame" and source.uri is None:
        raise ConflictError(
            f"The rows of the source {source.id!r} were a table in Python and are not kept in the recipe. Give them: "
            f"recipe.fit({{{source.id!r}: frame}})."
        )
    values = parameter_values(document.parameters)
    return load(source, engine, parameters=values, name=name, base=base, limit=limit)
