"""The grid of the Data Wrangler below a cell of a notebook; it runs in Voila too.

The table stays in the kernel: the browser asks for windows of it, for another order, for profiles, by messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
from traitlets import Int, List, Unicode

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.session.reports import column_list
from kernel_tools.wrangler.session.session import arrow_bytes
from kernel_tools.wrangler.session.windows import View, arrange, cell, window

KEPT_VIEWS = 16
"""Orders of the rows that are kept, the newest."""
_MODULE, _VERSION = "jupyter-atelier", "1.0.0"


class FrameWidget(ipywidgets.DOMWidget):  # type: ignore[misc]  # ipywidgets has no types
    """A table as a grid: charts in its headers, sorted and filtered by a click, read by windows.

    Parameters
    ----------
    engine, table
        Where the table is; the widget closes the engine when it is closed.
    label
        What stands before the number of rows.
    """

    _model_name = Unicode("FrameModel").tag(sync=True)
    _model_module = Unicode(_MODULE).tag(sync=True)
    _model_module_version = Unicode(_VERSION).tag(sync=True)
    _view_name = Unicode("FrameView").tag(sync=True)
    _view_module = Unicode(_MODULE).tag(sync=True)
    _view_module_version = Unicode(_VERSION).tag(sync=True)

    view = Unicode().tag(sync=True)
    rows = Int().tag(sync=True)
    columns: List[Any] = List().tag(sync=True)
    label = Unicode().tag(sync=True)

    def __init__(self, engine: Engine, table: str, label: str = "") -> None:
        self._engine = engine
        rows = engine.count(table)
        self._views = {"0": View(table, None, rows)}
        self._number = 0
        super().__init__(view="0", rows=rows, columns=column_list(engine, table), label=label)
        self.on_msg(self._answer)

    def close(self) -> None:
        """Take the grid away, and free its table."""
        super().close()
        self._engine.close()

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        """Answer a question of the browser: a result, bytes, or what was wrong."""
        number = content.get("id")
        try:
            found = self._method(content.get("method"))(**content.get("params", {}))
        except AtelierError as error:
            self.send({"id": number, "error": str(error)})
        except Exception as error:
            self.send({"id": number, "error": f"The kernel failed with {type(error).__name__}: {error}"})
        else:
            if isinstance(found, bytes):
                self.send({"id": number}, [found])
            else:
                self.send({"id": number, "result": found})

    def _method(self, name: object) -> Callable[..., Any]:
        methods: dict[object, Callable[..., Any]] = {
            "arrange": self._arrange,
            "window": self._window,
            "cell": self._cell,
            "profile": self._profile,
        }
        if name not in methods:
            raise InvalidArgumentError(f"A table in a notebook cannot be asked for {name!r}.")
        return methods[name]

    def _view(self, name: str) -> View:
        if name not in self._views:
            raise InvalidArgumentError("This order of the rows was given up for newer ones. Sort or filter again.")
        return self._views[name]

    def _arrange(self, view: str, sort: list[dict[str, Any]], filters: list[dict[str, Any]]) -> dict[str, Any]:
        arranged = arrange(self._engine, self._view(view).table, sort, filters)
        self._number += 1
        self._views[str(self._number)] = arranged
        old = str(self._number - KEPT_VIEWS)
        if old != "0" and (dropped := self._views.pop(old, None)) is not None and dropped.order is not None:
            self._engine.drop(dropped.order)
        return {"view": str(self._number), "rows": arranged.rows}

    def _window(
        self, view: str, start: int, count: int, columns: list[str] | None = None, before: None = None
    ) -> bytes:
        return arrow_bytes(window(self._engine, self._view(view), start, count, columns or None))

    def _cell(self, view: str, row: int, column: str) -> dict[str, Any]:
        return {"value": cell(self._engine, self._view(view), row, column)}

    def _profile(self, view: str, columns: list[str]) -> dict[str, Any]:
        from kernel_tools.wrangler.profiling import profile

        return {"columns": [found.to_dict() for found in profile(self._engine, self._view(view).table, columns)]}


def show(data: Any, label: str = "") -> FrameWidget:
    """Show a table as a grid in a notebook or in Voila.

    Parameters
    ----------
    data
        A frame of pandas or polars, an Arrow table, the path or address of a file, or a recipe, whose rows after the
        last step are shown.
    label
        What stands before the number of rows.

    Returns
    -------
    FrameWidget
        The grid; the last expression of a cell shows it.

    Raises
    ------
    InvalidArgumentError
        If it is nothing that can be read as a table.
    """
    from pathlib import Path

    from kernel_tools.wrangler.document import Source
    from kernel_tools.wrangler.recipe import Recipe
    from kernel_tools.wrangler.sources import frame_source, load

    if isinstance(data, Recipe):
        data, label = data.fit_transform(), label or data.name
    engine = Engine()
    try:
        if isinstance(data, (str, Path)):
            table = load(Source(id="s1", uri=str(data)), engine, name="data").table
        else:
            table = frame_source(data, engine, "data").table
        if not engine.is_stored(table):
            table = engine.materialize(engine.table(table)).get_name()
        return FrameWidget(engine, table, label)
    except BaseException:
        engine.close()
        raise
