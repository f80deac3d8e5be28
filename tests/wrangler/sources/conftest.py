"""An engine, and one call that loads a source and gives its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.engine import Engine, quoted
from kernel_tools.wrangler.sources import Loaded, load

Opened = tuple[Loaded, list[dict[str, Any]]]


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


def rows_of(engine: Engine, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = engine.connection.sql(f"SELECT * FROM {quoted(table)}").to_arrow_table().to_pylist()
    return rows


@pytest.fixture
def opened(engine: Engine, tmp_path: Path) -> Callable[..., Opened]:
    """Return a function that loads a file of `tmp_path`, made of `content` if there is any."""

    def open_file(name: str, content: bytes | str | None = None, *, limit: int | None = None, **given: Any) -> Opened:
        if content is not None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        parameters = given.pop("parameters", None)
        source = Source(id="s", uri=name, **given)
        loaded = load(source, engine, parameters=parameters, name="table", base=tmp_path, limit=limit)
        return loaded, rows_of(engine, "table")

    return open_file


@pytest.fixture
def rejected(engine: Engine) -> Callable[[Loaded], list[tuple[Any, ...]]]:
    """Return a function that gives line, text and reason of the rejected rows."""

    def read(loaded: Loaded) -> list[tuple[Any, ...]]:
        if loaded.rejects_table is None:
            return []
        rows = rows_of(engine, loaded.rejects_table)
        return [(row["line"], row["text"], row["reason"]) for row in rows]

    return read
