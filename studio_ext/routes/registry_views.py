"""Views of models over HTTP: cards, files, versions side by side, and where they come from."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field

from kernel_tools import registry
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.experiments.comparison import ComparedRow
from kernel_tools.registry.comparison import compare_records, read_compared
from kernel_tools.registry.figures import lineage_graph
from kernel_tools.registry.history import VersionHistory
from kernel_tools.registry.lineage_graph import Lineage
from kernel_tools.registry.records import ModelCard, VersionRecord
from studio_ext.handlers import StudioHandler
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Body, ModelName, PlotlyFigure, Query, Reply, VersionNumber

MAX_COMPARED = 20


class CardPage(Reply):
    """All revisions of a card, the newest first, and the newest as one Markdown text."""

    cards: list[ModelCard]
    markdown: str


class CardRequest(Body):
    """Parts of a model card, in Markdown; what is not named stays."""

    text: str | None = None
    intended_use: str | None = None
    data: str | None = None
    metrics: str | None = None
    ethics: str | None = None
    limits: str | None = None


class FileQuery(Query):
    """Which file of a version."""

    path: str = Field(min_length=1, max_length=2000)


class VersionKey(Body):
    """A version."""

    model: ModelName
    version: VersionNumber


class ComparisonRequest(Body):
    """Which versions to compare."""

    versions: list[VersionKey] = Field(min_length=2, max_length=MAX_COMPARED)
    differences_only: bool = False


class ComparisonReply(Reply):
    """Versions and the lines of their comparison; each line has a value for every version, in their order."""

    versions: list[VersionRecord]
    rows: list[ComparedRow]


class LineageQuery(Query):
    """Whose lineage."""

    node: str = Field(
        min_length=1, max_length=1000, description="Such as `run/<id>`, `model/<name>/<version>` or `endpoint/<name>`."
    )
    direction: Literal["upstream", "downstream", "both"] = "both"


class LineageReply(Reply):
    """The graph, and the figure that notebooks show."""

    lineage: Lineage
    figure: PlotlyFigure


class CardHandler(StudioHandler):
    """The model card of one version."""

    path = "/models/{name}/versions/{version}/card"
    auth_resource = "registry"

    @operation("list_cards", "Show the model card of a version, with its earlier revisions", raises=(NotFoundError,))
    def get(self, name: ModelName, version: VersionNumber) -> CardPage:
        """Answer all revisions; none if the version has no card."""
        cards = registry.list_cards(name, version, workspace=self.workspace)
        return CardPage(cards=cards, markdown=registry.render_card(cards[0]) if cards else "")

    @operation("write_card", "Write the next revision of the model card", raises=(NotFoundError,))
    def put(self, name: ModelName, version: VersionNumber, body: CardRequest) -> ModelCard:
        """Write the parts that are named, and answer the card as it is then."""
        changes = {part: text for part, text in body.model_dump().items() if text is not None}
        return registry.write_card(name, version, workspace=self.workspace, **changes)


class FileHandler(StudioHandler):
    """The bytes of one file of a version."""

    path = "/models/{name}/versions/{version}/files/content"
    auth_resource = "registry"

    @operation("download_model_file", "Download a file of a version", raises=(NotFoundError,))
    def get(self, name: ModelName, version: VersionNumber, query: FileQuery) -> FileReply:
        """Stream the file as a download."""
        found = registry.get(name, version, workspace=self.workspace)
        file = found.open_file(query.path)
        size = next(item.size for item in found.record.files if item.path == query.path)
        return FileReply(file, PurePosixPath(query.path).name, size, "application/octet-stream")


class HistoryHandler(StudioHandler):
    """What happened to one version."""

    path = "/models/{name}/versions/{version}/events"
    auth_resource = "registry"

    @operation(
        "list_version_events", "Show what happened to a version, as the audit log tells", raises=(NotFoundError,)
    )
    def get(self, name: ModelName, version: VersionNumber) -> VersionHistory:
        """Answer the events, the newest first."""
        return registry.version_history(name, version, workspace=self.workspace)


class ComparisonHandler(StudioHandler):
    """Versions side by side."""

    path = "/models-comparison"
    auth_resource = "registry"

    @operation("compare_versions", "Compare versions", raises=(NotFoundError,), action="read")
    def post(self, body: ComparisonRequest) -> ComparisonReply:
        """Answer the lines, or only those that differ."""
        records = read_compared(self.workspace, [(key.model, key.version) for key in body.versions])
        rows = compare_records(self.workspace, records)
        kept = [row for row in rows if row.is_different or not body.differences_only]
        return ComparisonReply(versions=records, rows=kept)


class LineageHandler(StudioHandler):
    """Where something comes from and where it is used."""

    path = "/lineage"
    auth_resource = "registry"

    @operation("get_lineage", "Show the lineage of a run, version, endpoint or dataset", raises=(NotFoundError,))
    def get(self, query: LineageQuery) -> LineageReply:
        """Answer the graph and its figure."""
        graph = registry.lineage(query.node, query.direction, workspace=self.workspace)
        figure = figure_json(lineage_graph(graph))
        return LineageReply(lineage=graph, figure=PlotlyFigure(data=figure["data"], layout=figure["layout"]))


HANDLERS: list[type[StudioHandler]] = [CardHandler, FileHandler, HistoryHandler, ComparisonHandler, LineageHandler]
