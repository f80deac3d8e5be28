"""The rows of an open recipe, over HTTP: views, windows of them, values, profiles."""

from __future__ import annotations

import io
from typing import Any, Literal

from pydantic import Field

from studio_ext.handlers import StudioHandler
from studio_ext.open_recipes import REFUSED, ColumnDetail, TaskReply, WranglerHandler, begin
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Body, Query, Reply


class ViewTask(TaskReply):
    """Work that gives a view."""

    result: ViewReply | None  # type: ignore[assignment]  # what is in the dictionary


class ViewReply(Reply):
    """Rows to look at: their id for windows, how many, the columns, and what steps have learned for them."""

    view: str
    rows: int
    is_whole: bool
    columns: list[ColumnDetail]
    fits: dict[str, dict[str, object]]


class RowsRequest(Body):
    """Which rows to look at: those after a step, the first ones or all."""

    node: str = Field(max_length=100)
    is_whole: bool = False


class SortRequest(Body):
    """A column to sort by."""

    column: str = Field(max_length=1000)
    descending: bool = False


class FilterRequest(Body):
    """A condition on a column."""

    column: str = Field(max_length=1000)
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "between", "in", "contains", "is missing", "is not missing"]
    value: Any = None


class ArrangeRequest(Body):
    """How to sort and filter a view."""

    view: str = Field(max_length=200)
    sort: list[SortRequest] = Field([], max_length=20)
    filters: list[FilterRequest] = Field([], max_length=50)


class ArrangedReply(Reply):
    """A view of the same table with rows in another order, or fewer of them."""

    view: str
    rows: int


class RowWindowRequest(Body):
    """Which rows and columns of a view; `before` is a view of the same rows that cells are compared with."""

    view: str = Field(max_length=200)
    start: int = Field(0, ge=0, le=2**53)
    count: int = Field(200, ge=1, le=2000)
    columns: list[str] = Field([], max_length=1000)
    before: str | None = Field(None, max_length=200)


class CellQuery(Query):
    """Which cell."""

    view: str = Field(max_length=200)
    row: int = Field(ge=0, le=2**53)
    column: str = Field(max_length=1000)


class CellReply(Reply):
    """A value whole, as text; null if it is missing."""

    value: str | None


class ColumnsRequest(Body):
    """Which columns of a view."""

    view: str = Field(max_length=200)
    columns: list[str] = Field(max_length=100)


class ProfileReply(Reply):
    """What is in columns: one profile for each."""

    columns: list[dict[str, object]]


class ViewsHandler(WranglerHandler):
    """Rows to look at."""

    path = "/wrangler/sessions/{session}/views"

    @operation("open_view", "Look at the rows after a step", raises=REFUSED, action="execute")
    def post(self, session: str, body: RowsRequest) -> ViewTask:
        """Compute them, as a task."""
        task = begin(self.recipe(session), "view", node=body.node, is_whole=body.is_whole)
        return ViewTask.model_validate(task.model_dump())


class ArrangeHandler(WranglerHandler):
    """Rows in another order."""

    path = "/wrangler/sessions/{session}/arrangements"

    @operation("arrange_view", "Sort and filter the rows of a view", raises=REFUSED, action="execute")
    def post(self, session: str, body: ArrangeRequest) -> ArrangedReply:
        """Compute the order."""
        content = body.model_dump()
        return ArrangedReply(**self.recipe(session).process.ask("arrange", **content))


class WindowHandler(WranglerHandler):
    """A window on rows."""

    path = "/wrangler/sessions/{session}/window"

    @operation("read_window", "Read rows of a view as an Arrow stream", raises=REFUSED, action="execute")
    def post(self, session: str, body: RowWindowRequest) -> FileReply:
        """Answer the Arrow IPC stream."""
        content = self.recipe(session).process.ask(
            "window",
            view=body.view,
            start=body.start,
            count=body.count,
            columns=body.columns or None,
            before=body.before,
        )
        return FileReply(io.BytesIO(content), "window.arrows", len(content), "application/vnd.apache.arrow.stream")


class CellHandler(WranglerHandler):
    """One value."""

    path = "/wrangler/sessions/{session}/cell"

    @operation("read_cell", "Read one value whole", raises=REFUSED, action="execute")
    def get(self, session: str, query: CellQuery) -> CellReply:
        """Answer it as text."""
        return CellReply(**self.recipe(session).process.ask("cell", **query.model_dump()))


class ProfileHandler(WranglerHandler):
    """Profiles of columns."""

    path = "/wrangler/sessions/{session}/profile"

    @operation("profile_columns", "Say what is in columns of a view", raises=REFUSED, action="execute")
    def post(self, session: str, body: ColumnsRequest) -> TaskReply:
        """Compute it, as a task; the result is a `ProfileReply`."""
        return begin(self.recipe(session), "profile", **body.model_dump())


HANDLERS: list[type[StudioHandler]] = [
    ViewsHandler,
    ArrangeHandler,
    WindowHandler,
    CellHandler,
    ProfileHandler,
]
