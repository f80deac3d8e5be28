"""Steps on frames, again and again: one engine for each thread, and for each step the statement that it runs there.

What a step means is worked out once for each form of frame; after that a frame costs one statement.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.wrangler.engine import Engine, quoted
from kernel_tools.wrangler.sources.columns import described, normal_select
from kernel_tools.wrangler.sources.frames import arrow_table
from kernel_tools.wrangler.sources.loaded import Reading

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

_HERE = threading.local()


def engine() -> Engine:
    """Return the engine of this thread."""
    if not hasattr(_HERE, "engine"):
        _HERE.engine, _HERE.statements = Engine(), WeakKeyDictionary()
    found: Engine = _HERE.engine
    return found


def arrow_of_rows(rows: Any, types: dict[str, str]) -> pa.Table:
    """Return a frame as an Arrow table with the columns of `types`; a column without any value gets its type there.

    Raises
    ------
    InvalidDataError
        If a column is missing.
    """
    import ibis
    import pyarrow as pa

    table = arrow_table(rows, Reading())
    missing = [name for name in types if name not in table.column_names]
    if missing:
        raise InvalidDataError(
            f"The rows have no columns {', '.join(map(repr, missing))}, which the step was fitted with. They have: "
            f"{', '.join(table.column_names)}."
        )
    table = table.select(list(types))
    for place, (name, dtype) in enumerate(types.items()):
        column = table.column(place)
        if column.null_count == len(column):
            table = table.set_column(place, name, pa.nulls(len(column), ibis.dtype(dtype).to_pyarrow()))
    return table


def run(step: Any, table: pa.Table, build: Callable[[ir.Table], ir.Table]) -> pa.Table:
    """Return an Arrow table after a step.

    Parameters
    ----------
    step
        What the statement is kept for, until `forget` or until the step is gone.
    build
        Returns the expression of a table; asked once for each schema.
    """
    own = engine()
    kept = _HERE.statements.setdefault(step, {})
    key = tuple(zip(table.column_names, map(str, table.schema.types), strict=True))
    with own.running():
        if key not in kept:
            name = own.new_name("rows")
            own.connection.register(name, table)
            kept[key] = name, own.sql(build(_in_house_form(own, name)))
        name, statement = kept[key]
        own.connection.register(name, table)
        try:
            return own.connection.sql(statement).to_arrow_table()
        finally:
            own.connection.unregister(name)


def forget(step: Any) -> None:
    """Drop what is kept for a step that learns anew."""
    engine()
    _HERE.statements.pop(step, None)


def shown(table: pa.Table) -> ir.Table:
    """Return an Arrow table as one of the engine of this thread."""
    own = engine()
    name = own.new_name("rows")
    own.connection.register(name, table)
    return _in_house_form(own, name)


def _in_house_form(own: Engine, name: str) -> ir.Table:
    select = normal_select(described(own, f"SELECT * FROM {quoted(name)}"), quoted(name), Reading())
    view = own.new_name("view")
    own.connection.execute(f"CREATE TEMP VIEW {quoted(view)} AS {select}")
    return own.table(view)
