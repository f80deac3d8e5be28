"""What is found in the rows of an open recipe, over HTTP: insights and analyses."""

from __future__ import annotations

import io
from typing import Any, Literal

from pydantic import Field

from kernel_tools.wrangler.analyses import ANALYSES, analysis_class, analysis_schema
from studio_ext.handlers import StudioHandler
from studio_ext.open_recipes import REFUSED, TaskReply, WranglerHandler, begin
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Body, Query, Reply


class InsightsRequest(Body):
    """What to look at: rows after a step; the columns to be predicted, of parts, of the time; which checks, or all.

    A table of more than `most_rows` is left alone.
    """

    node: str = Field(max_length=100)
    target: str | None = Field(None, max_length=1000)
    splits: str | None = Field(None, max_length=1000)
    event_time: str | None = Field(None, max_length=1000)
    checks: list[str] = Field([], max_length=100)
    most_rows: int | None = Field(None, ge=1)


class InsightsHandler(WranglerHandler):
    """What is wrong with rows."""

    path = "/wrangler/sessions/{session}/insights"

    @operation("find_insights", "Look for what is wrong with the rows after a step", raises=REFUSED, action="execute")
    def post(self, session: str, body: InsightsRequest) -> TaskReply:
        """Run the checks, as a task; the result is a report with findings and the steps that mend them."""
        return begin(self.recipe(session), "insights", **{**body.model_dump(), "checks": body.checks or None})


class InsightsReportQuery(Query):
    """Of which step's rows, and as what."""

    node: str = Field(max_length=100)
    form: Literal["html", "notebook"] = "html"


class InsightsReportHandler(WranglerHandler):
    """The report of the checks as a file."""

    path = "/wrangler/sessions/{session}/insights/report"

    @operation("download_insights", "Download what the checks have found", raises=REFUSED, action="execute")
    def get(self, session: str, query: InsightsReportQuery) -> FileReply:
        """Answer a page that needs nothing else, or a notebook."""
        found = self.recipe(session).process.ask("report", node=query.node, form=query.form)
        content = found["content"].encode()
        name, kind = ("insights.html", "text/html") if query.form == "html" else ("insights.ipynb", "application/json")
        return FileReply(io.BytesIO(content), name, len(content), kind)


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


HANDLERS: list[type[StudioHandler]] = [
    InsightsHandler,
    InsightsReportHandler,
    AnalysisKindsHandler,
    AnalyzeHandler,
]
