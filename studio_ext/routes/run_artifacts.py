"""The files of one run over HTTP: a folder at a time, by a part of their names, and the rows of tables."""

from __future__ import annotations

from pydantic import Field

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidDataError, NotFoundError, TooLargeError
from kernel_tools.experiments.records import ArtifactEntry, ArtifactRecord
from kernel_tools.experiments.table_windows import TableWindow, read_table_window
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Name, PageQuery, Query, Reply

MAX_ROWS = 1000


class FolderQuery(PageQuery):
    """Which files to list."""

    folder: str = Field("", max_length=1000, description="Such as `model`; by default the top.")
    search: str = Field("", max_length=250, description="What paths contain, in any case, at any depth.")


class FolderPage(Reply):
    """Some of what is directly inside a folder, folders first, or of the files that were searched for."""

    folders: list[ArtifactEntry]
    files: list[ArtifactRecord]
    next_page_token: str | None


class TableQuery(Query):
    """Which rows of which table."""

    path: str = Field(min_length=1, max_length=2000)
    start: int = Field(0, ge=0, le=2**40)
    limit: int = Field(200, ge=1, le=MAX_ROWS)


class ArtifactsHandler(StudioHandler):
    """The files of one run."""

    path = "/runs/{run_id}/artifacts"
    auth_resource = "experiments"

    @operation("list_artifacts", "List the files of a run, a folder at a time", raises=(NotFoundError,))
    def get(self, run_id: Name, query: FolderQuery) -> FolderPage:
        """Answer one page."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        prefix = f"{query.folder.strip('/')}/" if query.folder.strip("/") else ""
        inside = [record for record in run.artifacts if record.path.startswith(prefix)]
        folders: list[ArtifactEntry] = []
        if query.search:
            wanted = query.search.casefold()
            files = [record for record in inside if wanted in record.path.casefold()]
        else:
            folders = [entry for entry in run.list_artifacts(query.folder.strip("/")) if entry.is_folder]
            files = [record for record in inside if "/" not in record.path[len(prefix) :]]
        page, token = self.page([*folders, *files], query)
        return FolderPage(
            folders=[item for item in page if isinstance(item, ArtifactEntry)],
            files=[item for item in page if isinstance(item, ArtifactRecord)],
            next_page_token=token,
        )


class ArtifactTableHandler(StudioHandler):
    """The rows of one table."""

    path = "/runs/{run_id}/artifacts/table"
    auth_resource = "experiments"

    @operation(
        "read_artifact_table",
        "Show some rows of a Parquet, CSV, TSV or JSON file",
        raises=(NotFoundError, InvalidDataError, TooLargeError),
    )
    def get(self, run_id: Name, query: TableQuery) -> TableWindow:
        """Answer the rows."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        return read_table_window(run, query.path, query.start, query.limit)


HANDLERS: list[type[StudioHandler]] = [ArtifactsHandler, ArtifactTableHandler]
