"""One run over HTTP: shown with all that belongs to it, changed, deleted and restored."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from kernel_tools import experiments, hosting, registry
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token
from kernel_tools.experiments.catalog import count_children, read_tree
from kernel_tools.experiments.metric_summaries import MetricSummary, summarize_metrics
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import ArtifactRecord, DatasetInput, RunRecord, RunTree
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.texts import MAX_TEXT
from kernel_tools.hosting.records import EndpointRecord
from kernel_tools.registry.records import VersionRecord
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, PageQuery, Reply

SHOWN_ARTIFACTS = 200
SHOWN_INPUTS = 100
SUMMARIES = 100
NESTED_ROWS = 1000
ANCESTORS = 20
MAX_TAGS = 100
ORIGIN_PATHS = ("source/diff.patch", "source/cell.py", "environment/packages.txt", "output/output.txt")
"""Artifacts that tell how the run was made and what it printed."""


class RunLink(Reply):
    """A run by its name."""

    id: str
    name: str


class RunDetail(Reply):
    """A run, what it kept, and what came of it.

    `artifacts` and `inputs` are the first of `artifact_count` and `input_count`; `origin_files` are those artifacts
    that tell how the run was made and what it printed. `parents` are the runs around it, the outermost first.
    """

    run: RunRecord
    artifacts: list[ArtifactRecord]
    artifact_count: int
    origin_files: list[ArtifactRecord]
    inputs: list[DatasetInput]
    input_count: int
    parents: list[RunLink]
    child_count: int
    versions: list[VersionRecord]
    endpoints: list[EndpointRecord]


class ChangeRunRequest(Body):
    """What to change of a run; what is not named stays. A tag that is null is deleted.

    With `expected_note` the note is changed only if it still is that one.
    """

    name: str | None = None
    note: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    expected_note: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    tags: dict[str, str | None] = Field({}, max_length=MAX_TAGS)
    is_favourite: bool | None = None

    @model_validator(mode="after")
    def _expects_for_a_note(self) -> Self:
        if self.expected_note is not None and self.note is None:
            raise ValueError("expected_note says what note replaces; give note too")
        return self


class SummaryQuery(PageQuery):
    """Which metrics to sum up."""

    search: str = Field("", max_length=250, description="What the keys contain, in any case.")


class SummaryPage(Reply):
    """Some metrics by key, and how many there are."""

    metrics: list[MetricSummary]
    metric_count: int
    next_page_token: str | None


class NestedRun(Reply):
    """A run inside another one; `depth` is 1 for those directly inside."""

    depth: int
    run: RunRecord


class NestedRuns(Reply):
    """Runs at any depth, each before those inside it; if not `is_complete`, the oldest of them."""

    runs: list[NestedRun]
    is_complete: bool


class RunHandler(StudioHandler):
    """One run."""

    path = "/runs/{run_id}"
    auth_resource = "experiments"

    @operation("get_run", "Show a run, its artifacts, model versions and endpoints", raises=(NotFoundError,))
    def get(self, run_id: Name) -> RunDetail:
        """Answer the run with its links."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        versions, _ = registry.list_versions(run_id=run_id, workspace=self.workspace)
        ours = {(version.model, version.version) for version in versions}
        endpoints = [endpoint.record for endpoint in hosting.list_endpoints(workspace=self.workspace)]
        record, artifacts, inputs = run.record, run.artifacts, run.inputs
        return RunDetail(
            run=record,
            artifacts=artifacts[:SHOWN_ARTIFACTS],
            artifact_count=len(artifacts),
            origin_files=[artifact for artifact in artifacts if artifact.path in ORIGIN_PATHS],
            inputs=inputs[:SHOWN_INPUTS],
            input_count=len(inputs),
            parents=self._parents(record.parent_run_id),
            child_count=count_children(self.workspace.database, run_id),
            versions=versions,
            endpoints=[item for item in endpoints if (item.model, item.version) in ours],
        )

    @operation("change_run", "Rename, annotate or tag a run", raises=(NotFoundError, ConflictError))
    def patch(self, run_id: Name, body: ChangeRunRequest) -> RunRecord:
        """Change what is named, and answer the run as it is then."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        if body.note is not None:
            run.set_note(body.note, body.expected_note)
        if body.name is not None:
            run.rename(body.name)
        _change_tags(run, body.tags)
        if body.is_favourite is not None:
            run.set_favourite(body.is_favourite)
        return run.record

    @operation("delete_run", "Delete a run; it can be restored", status=204, raises=(NotFoundError,))
    def delete(self, run_id: Name) -> None:
        """Delete."""
        experiments.get_run(run_id, workspace=self.workspace).delete()

    def _parents(self, run_id: str | None) -> list[RunLink]:
        parents: list[RunLink] = []
        while run_id is not None and len(parents) < ANCESTORS and run_id not in {parent.id for parent in parents}:
            try:
                document = RunFolder(self.workspace, run_id).load()
            except NotFoundError:
                break
            parents.insert(0, RunLink(id=run_id, name=document.name))
            run_id = document.parent_run_id
        return parents


class RestoreRunHandler(StudioHandler):
    """The way back of a deleted run."""

    path = "/runs/{run_id}/restore"
    auth_resource = "experiments"

    @operation("restore_run", "Restore a deleted run", raises=(NotFoundError,))
    def post(self, run_id: Name) -> RunRecord:
        """Restore, and answer the run."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        run.restore()
        return run.record


class RunMetricsHandler(StudioHandler):
    """The metrics of one run at a glance."""

    path = "/runs/{run_id}/metrics"
    auth_resource = "experiments"

    @operation("summarize_metrics", "Show last, lowest and highest values and small curves", raises=(NotFoundError,))
    def get(self, run_id: Name, query: SummaryQuery) -> SummaryPage:
        """Answer one page, by key."""
        folder = RunFolder(self.workspace, run_id)
        folder.load()
        wanted = query.search.casefold()
        keys = [key for key in sorted(read_latest(folder)) if wanted in key.casefold()]
        start, limit = decode_page_token(query.page_token), min(query.limit or SUMMARIES, SUMMARIES)
        end = start + limit
        return SummaryPage(
            metrics=summarize_metrics(folder, keys[start:end]),
            metric_count=len(keys),
            next_page_token=encode_page_token(end) if end < len(keys) else None,
        )


class NestedRunsHandler(StudioHandler):
    """The runs inside one run."""

    path = "/runs/{run_id}/nested"
    auth_resource = "experiments"

    @operation("list_nested_runs", "Show the runs inside a run, at any depth", raises=(NotFoundError,))
    def get(self, run_id: Name) -> NestedRuns:
        """Answer them as the rows of a tree."""
        record = experiments.get_run(run_id, workspace=self.workspace).record
        tree = read_tree(self.workspace, record, limit=NESTED_ROWS + 1)
        rows = _flatten(tree)
        return NestedRuns(runs=rows[:NESTED_ROWS], is_complete=len(rows) <= NESTED_ROWS)


def _flatten(tree: RunTree) -> list[NestedRun]:
    rows: list[NestedRun] = []
    waiting = [(1, child) for child in reversed(tree.children)]
    while waiting:
        depth, branch = waiting.pop()
        rows.append(NestedRun(depth=depth, run=branch.run))
        waiting += [(depth + 1, child) for child in reversed(branch.children)]
    return rows


def _change_tags(run: Run, tags: dict[str, str | None]) -> None:
    kept = {key: value for key, value in tags.items() if value is not None}
    if kept:
        run.set_tags(kept)
    for key in (tags.keys() - kept.keys()) & run.tags.keys():
        run.delete_tag(key)


HANDLERS: list[type[StudioHandler]] = [
    RunHandler,
    RestoreRunHandler,
    RunMetricsHandler,
    NestedRunsHandler,
]
