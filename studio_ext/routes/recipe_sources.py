"""The tables of an open recipe, over HTTP: how the types of their columns were found, which rows did not fit."""

from __future__ import annotations

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, NotFoundError, UnavailableError
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Reply


class SourceColumn(Reply):
    """A column: its type, from how many values of text it was inferred, and why it is no stricter."""

    name: str
    type: str
    kind: str
    inferred_from: int | None
    notes: list[str]


class RejectedRow(Reply):
    """A row that did not fit."""

    file: str | None
    line: int | None
    text: str
    reason: str


class SourceReport(Reply):
    """What is known of a table; `rejects` are the first of the `rejected` rows, `is_whole` that all rows were read."""

    columns: list[SourceColumn]
    warnings: list[str]
    fingerprint: str
    rejected: int
    rejects: list[RejectedRow]
    is_whole: bool


class SourceHandler(StudioHandler):
    """One source of an open recipe."""

    path = "/wrangler/sessions/{session}/sources/{source}"
    auth_resource = "wrangler"

    @operation(
        "describe_source",
        "Say how a table of a recipe was read",
        raises=(InvalidArgumentError, InvalidDataError, NotFoundError, UnavailableError),
    )
    def get(self, session: str, source: str) -> SourceReport:
        """Answer types with their reasons, and rejected rows."""
        recipe = self.studio.wrangling.find(session)
        return SourceReport(**recipe.process.ask("source", source=source))


HANDLERS: list[type[StudioHandler]] = [SourceHandler]
