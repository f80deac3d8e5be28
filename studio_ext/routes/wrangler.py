"""Recipes that are open in the studio, over HTTP: their steps, and the rows after each. The work is done in the process
of the session; long work is a task that is asked for until it is done."""

from __future__ import annotations

import io
from concurrent.futures import TimeoutError
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from kernel_tools.core.errors import (
    AtelierError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    InvalidDataError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.core.workspace import join_inside
from kernel_tools.wrangler import trust
from kernel_tools.wrangler.analyses import ANALYSES, analysis_class, analysis_schema
from kernel_tools.wrangler.document import RecipeDocument
from kernel_tools.wrangler.files import SUFFIX, parse_recipe
from kernel_tools.wrangler.operators import OPERATORS, operator_class, schema_of
from studio_ext.handlers import StudioHandler
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Body, Query, Reply
from studio_ext.wrangling import OpenRecipe, Task

REFUSED = (InvalidArgumentError, NotFoundError, ConflictError, InvalidDataError, UnavailableError, ForbiddenError,
           TooLargeError)  # fmt: skip
QUICK_SECONDS = 0.1
"""How long a request waits for work that may be done at once."""

PartId = str


class OperatorDetail(Reply):
    """An operator: what the studio calls it, its family, and the JSON Schema of its parameters."""

    op: str
    version: int
    title: str
    family: str
    description: str
    learns: bool
    row_effect: str
    least_inputs: int
    most_inputs: int
    runs_code: bool
    parameters: dict[str, object]


class OperatorList(Reply):
    """All operators, in the order in which they are offered."""

    items: list[OperatorDetail]


class OpenRequest(Body):
    """Which recipe to open: its path below the server's root, and its content as the editor has it."""

    path: str = Field(max_length=4000)
    content: str = Field("", max_length=5_000_000)


class SessionReply(Reply):
    """A session: its id for all that follows, the recipe brought up to date, the steps that run code."""

    session: str
    document: dict[str, object]
    is_trusted: bool
    code_steps: list[str]


class RecipeRequest(Body):
    """The recipe as it is now."""

    document: dict[str, Any]


class ColumnDetail(Reply):
    """A column: its type in words, and its kind, which decides what can be done with it."""

    name: str
    type: str
    kind: str


class PartReport(Reply):
    """What is known of a source or step: what it does, what comes out on the first rows, what is wrong with it.

    `blocked_by` is the step that has to be mended first; `is_whole` says that the source has no more rows than these.
    """

    id: str
    kind: Literal["source", "step"]
    family: str | None
    title: str
    sentence: str
    columns: list[ColumnDetail]
    rows: int | None
    is_whole: bool
    error: str | None
    error_field: str | None
    blocked_by: str | None
    is_enabled: bool
    learns: bool
    is_fitted: bool
    row_effect: str
    warnings: list[str]
    rejected: int


class RecipeReply(Reply):
    """All sources and steps, in their order."""

    parts: list[PartReport]


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


class TaskReply(Reply):
    """Work: whether it is done, how far it is, and what came out."""

    task: str
    method: str
    state: Literal["running", "done"]
    progress: dict[str, object] | None
    result: dict[str, object] | None


class ViewTask(TaskReply):
    """Work that gives a view."""

    result: ViewReply | None  # type: ignore[assignment]  # what is in the dictionary


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


class CompareRequest(Body):
    """The recipe with the step as it is being edited, and the step."""

    document: dict[str, Any]
    node: str = Field(max_length=100)


class CompareReply(Reply):
    """What a step changes on the first rows; `changed` counts cells by column, null if the rows are not the same."""

    parts: list[PartReport]
    before: str | None
    after: str | None
    rows_before: int
    rows_after: int
    is_whole: bool
    added: list[str]
    removed: list[str]
    changed: dict[str, int] | None


class WranglerHandler(StudioHandler):
    """Base of the handlers of recipes."""

    auth_resource = "wrangler"

    def recipe(self, session: str) -> OpenRecipe:
        """Return an open recipe."""
        return self.studio.wrangling.find(session)

    def update(self, recipe: OpenRecipe, document: dict[str, Any]) -> list[PartReport]:
        """Give the session the recipe as it is, and return what it says of the parts."""
        checked = RecipeDocument.model_validate(parse_recipe(_text(document)))
        recipe.is_trusted = trust.is_trusted(checked, self.workspace)
        content = checked.model_dump(mode="json")
        reply = recipe.process.ask("update", document=content, base=str(recipe.base), is_trusted=recipe.is_trusted)
        return [PartReport(**part) for part in reply["parts"]]


class OperatorsHandler(WranglerHandler):
    """The operators."""

    path = "/wrangler/operators"

    @operation("list_operators", "List the operators of recipes")
    def get(self) -> OperatorList:
        """Answer all of them with their schemas."""
        items = []
        for op in OPERATORS:
            kind = operator_class(op)
            items.append(
                OperatorDetail(
                    op=op,
                    version=kind.version,
                    title=kind.title,
                    family=kind.family,
                    description=(kind.__doc__ or "").strip(),
                    learns=kind.learns,
                    row_effect=kind.row_effect,
                    least_inputs=kind.arity[0],
                    most_inputs=kind.arity[1],
                    runs_code=kind.runs_code,
                    parameters=schema_of(op),
                )
            )
        return OperatorList(items=items)


class SessionsHandler(WranglerHandler):
    """Opening recipes."""

    path = "/wrangler/sessions"

    @operation("open_recipe", "Open a recipe", status=201, raises=REFUSED, action="execute")
    def post(self, body: OpenRequest) -> SessionReply:
        """Read it and start its process."""
        file = join_inside(_root(self), body.path)
        name = Path(body.path).name
        document = parse_recipe(body.content, name=name) if body.content.strip() else _new(name)
        recipe = self.studio.wrangling.open(body.path, file.parent)
        recipe.is_trusted = trust.is_trusted(document, self.workspace)
        return SessionReply(
            session=recipe.id,
            document=document.model_dump(mode="json", exclude_none=True),
            is_trusted=recipe.is_trusted,
            code_steps=[node.id for node in trust.code_steps(document)],
        )


class SessionHandler(WranglerHandler):
    """One open recipe."""

    path = "/wrangler/sessions/{session}"

    @operation("update_recipe", "Say what the steps of a recipe give", raises=REFUSED, action="execute")
    def put(self, session: str, body: RecipeRequest) -> RecipeReply:
        """Run the steps on the first rows."""
        return RecipeReply(parts=self.update(self.recipe(session), body.document))

    @operation("close_recipe", "Close a recipe", status=204, action="execute")
    def delete(self, session: str) -> None:
        """End its process."""
        self.studio.wrangling.close(session)


class TrustHandler(WranglerHandler):
    """Trust in the code of a recipe."""

    path = "/wrangler/sessions/{session}/trust"

    @operation("trust_recipe", "Let the code in a recipe run", raises=REFUSED, action="execute")
    def put(self, session: str, body: RecipeRequest) -> RecipeReply:
        """Remember the code, and run the steps."""
        recipe = self.recipe(session)
        trust.trust(parse_recipe(_text(body.document)), self.workspace)
        return RecipeReply(parts=self.update(recipe, body.document))


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


class CompareHandler(WranglerHandler):
    """What a step changes."""

    path = "/wrangler/sessions/{session}/comparison"

    @operation("compare_step", "Say what a step changes, before it is applied", raises=REFUSED, action="execute")
    def post(self, session: str, body: CompareRequest) -> CompareReply:
        """Run the recipe with the step on the first rows."""
        recipe = self.recipe(session)
        parts = self.update(recipe, body.document)
        wrong = next((one for one in parts if one.id == body.node and (one.error or one.blocked_by)), None)
        if wrong is not None:
            return CompareReply(parts=parts, before=None, after=None, rows_before=0, rows_after=0, is_whole=False,
                                added=[], removed=[], changed=None)  # fmt: skip
        return CompareReply(parts=parts, **recipe.process.ask("compare", node=body.node))


class FitRequest(Body):
    """Up to which step."""

    node: str = Field(max_length=100)


class FitHandler(WranglerHandler):
    """Learning."""

    path = "/wrangler/sessions/{session}/fit"

    @operation("fit_recipe", "Let the steps of a recipe learn from all rows", raises=REFUSED, action="execute")
    def post(self, session: str, body: FitRequest) -> TaskReply:
        """Fit, as a task; the result has the fits by the id of the step."""
        return begin(self.recipe(session), "fit", node=body.node)


class InsightsRequest(Body):
    """What to look at: the rows after a step; the column to be predicted, that of the parts, that of the time."""

    node: str = Field(max_length=100)
    target: str | None = Field(None, max_length=1000)
    splits: str | None = Field(None, max_length=1000)
    event_time: str | None = Field(None, max_length=1000)


class InsightsHandler(WranglerHandler):
    """What is wrong with rows."""

    path = "/wrangler/sessions/{session}/insights"

    @operation("find_insights", "Look for what is wrong with the rows after a step", raises=REFUSED, action="execute")
    def post(self, session: str, body: InsightsRequest) -> TaskReply:
        """Run the checks, as a task; the result is a report with findings and the steps that mend them."""
        return begin(self.recipe(session), "insights", **body.model_dump())


class AnalysisKind(Reply):
    """A kind of analysis: what the studio calls it, and the JSON Schema of its parameters."""

    kind: str
    title: str
    description: str
    runs_code: bool
    parameters: dict[str, object]


class AnalysisKinds(Reply):
    """All kinds, in the order in which they are offered."""

    items: list[AnalysisKind]


class AnalysisKindsHandler(WranglerHandler):
    """The kinds of analyses."""

    path = "/wrangler/analyses"

    @operation("list_analyses", "List the kinds of analyses")
    def get(self) -> AnalysisKinds:
        """Answer all of them with their schemas."""
        items = []
        for kind in ANALYSES:
            found = analysis_class(kind)
            items.append(
                AnalysisKind(
                    kind=kind,
                    title=found.title,
                    description=(found.__doc__ or "").strip(),
                    runs_code=found.runs_code,
                    parameters=analysis_schema(kind),
                )
            )
        return AnalysisKinds(items=items)


class AnalyzeRequest(Body):
    """Which analysis of the rows after a step."""

    node: str = Field(max_length=100)
    kind: str = Field(max_length=100)
    params: dict[str, Any] = {}


class AnalyzeHandler(WranglerHandler):
    """An analysis of rows."""

    path = "/wrangler/sessions/{session}/analyses"

    @operation("analyze_rows", "Draw an analysis of all rows after a step", raises=REFUSED, action="execute")
    def post(self, session: str, body: AnalyzeRequest) -> TaskReply:
        """Compute it, as a task; the result has a figure, a table and facts."""
        return begin(self.recipe(session), "analyze", **body.model_dump())


class CodeRequest(Body):
    """Which language: python, or a dialect of SQL."""

    dialect: Literal[
        "python", "pandas", "polars", "duckdb", "postgres", "sqlite", "mysql", "trino", "snowflake", "bigquery"
    ] = "python"


class CodeReply(Reply):
    """The whole recipe as code, and each step."""

    code: str
    steps: dict[str, str]


class CodeHandler(WranglerHandler):
    """A recipe as code."""

    path = "/wrangler/sessions/{session}/code"

    @operation("write_code", "Write a recipe as code", raises=REFUSED, action="execute")
    def post(self, session: str, body: CodeRequest) -> CodeReply:
        """Write it."""
        return CodeReply(**self.recipe(session).process.ask("code", dialect=body.dialect))


class ExportRequest(Body):
    """Where the rows after a step go: a path from the folder of the recipe; the end of the name tells the format."""

    node: str = Field(max_length=100)
    path: str = Field(min_length=1, max_length=4000)
    partition_by: list[str] = Field([], max_length=10)
    compression: Literal["none", "gzip", "zstd", "snappy", "lz4"] | None = None


class ExportHandler(WranglerHandler):
    """Rows as a file."""

    path = "/wrangler/sessions/{session}/exports"

    @operation("export_rows", "Write all rows after a step to a file", raises=REFUSED, action="execute")
    def post(self, session: str, body: ExportRequest) -> TaskReply:
        """Write it below the server's root, as a task."""
        recipe, root = self.recipe(session), _root(self)
        inside = (recipe.base / body.path).resolve()
        if not inside.is_relative_to(root):
            raise InvalidArgumentError(
                f"{body.path!r} is outside of the folder that JupyterLab was started in. Choose a path below it."
            )
        options = {"partition_by": body.partition_by, "compression": body.compression}
        self.workspace.audit.record("recipe.export", f"recipe/{recipe.path}", {"path": body.path})
        return begin(recipe, "export", node=body.node, path=str(inside), options=options)


class TaskHandler(WranglerHandler):
    """Work under way."""

    path = "/wrangler/sessions/{session}/tasks/{task}"

    @operation("wait_for_task", "Ask how far work is", raises=(*REFUSED, AtelierError))
    def get(self, session: str, task: str) -> TaskReply:
        """Answer at once; what the work raised is raised here."""
        return told(self.recipe(session).task(task))

    @operation("stop_task", "Stop work", status=204, raises=REFUSED, action="execute")
    def delete(self, session: str, task: str) -> None:
        """Stop it; if it does not stop by itself, the session's process is started anew."""
        self.recipe(session).task(task).call.stop()


def begin(recipe: OpenRecipe, method: str, **params: Any) -> TaskReply:
    """Start work, and wait a moment for work that is done at once."""
    return told(recipe.begin(method, **params), QUICK_SECONDS)


def told(task: Task, wait: float = 0.0) -> TaskReply:
    """Return how far work is."""
    try:
        result = task.call.result(wait)
    except TimeoutError:
        return TaskReply(task=task.id, method=task.method, state="running", progress=task.progress, result=None)
    return TaskReply(task=task.id, method=task.method, state="done", progress=task.progress, result=result)


def _root(handler: StudioHandler) -> Path:
    root = handler.studio.serverapp.root_dir  # type: ignore[union-attr]  # it runs
    return Path(root).expanduser().resolve()


def _new(name: str) -> RecipeDocument:
    return RecipeDocument(name=name.removesuffix(SUFFIX) or "recipe")


def _text(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document)


HANDLERS: list[type[StudioHandler]] = [
    OperatorsHandler,
    SessionsHandler,
    SessionHandler,
    TrustHandler,
    ViewsHandler,
    ArrangeHandler,
    WindowHandler,
    CellHandler,
    ProfileHandler,
    CompareHandler,
    FitHandler,
    InsightsHandler,
    AnalysisKindsHandler,
    AnalyzeHandler,
    CodeHandler,
    ExportHandler,
    TaskHandler,
]
