"""Models and their versions over HTTP. What they are is decided in `kernel_tools.registry`."""

from __future__ import annotations

from pydantic import Field

from kernel_tools import experiments, hosting, registry
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.experiments.records import RunRecord
from kernel_tools.hosting.records import EndpointRecord
from kernel_tools.registry.records import ModelGroup, VersionRecord, VersionStatus
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, PageQuery, Reply, VersionNumber


class ModelPage(Reply):
    """Some models."""

    models: list[ModelGroup]
    next_page_token: str | None


class VersionPage(Reply):
    """Some versions, the newest first."""

    versions: list[VersionRecord]
    next_page_token: str | None


class VersionDetail(Reply):
    """A version, where it came from and where it serves."""

    version: VersionRecord
    run: RunRecord | None
    endpoints: list[EndpointRecord]


class ApprovalRequest(Body):
    """A decision about a version."""

    status: VersionStatus
    note: str = Field("", max_length=10_000)


class ModelsHandler(StudioHandler):
    """All models."""

    path = "/models"
    auth_resource = "registry"

    @operation("list_models", "List models")
    def get(self, query: PageQuery) -> ModelPage:
        """Answer one page."""
        page, token = registry.list_models(self.limit(query), query.page_token, workspace=self.workspace)
        return ModelPage(models=page, next_page_token=token)


class VersionsHandler(StudioHandler):
    """The versions of one model."""

    path = "/models/{name}/versions"
    auth_resource = "registry"

    @operation("list_versions", "List the versions of a model, the newest first", raises=(NotFoundError,))
    def get(self, name: Name, query: PageQuery) -> VersionPage:
        """Answer one page."""
        page, token = registry.list_versions(
            name, limit=self.limit(query), page_token=query.page_token, workspace=self.workspace
        )
        return VersionPage(versions=page, next_page_token=token)


class VersionHandler(StudioHandler):
    """One version of a model."""

    path = "/models/{name}/versions/{version}"
    auth_resource = "registry"

    @operation("get_version_detail", "Show a model version, its run and its endpoints", raises=(NotFoundError,))
    def get(self, name: Name, version: VersionNumber) -> VersionDetail:
        """Answer the version with its links."""
        found = registry.get(name, version=version, workspace=self.workspace)
        endpoints = [endpoint.record for endpoint in hosting.list_endpoints(workspace=self.workspace)]
        return VersionDetail(
            version=found.record,
            run=self._source_run(found.record.run_id),
            endpoints=[record for record in endpoints if (record.model, record.version) == (name, version)],
        )

    def _source_run(self, run_id: str | None) -> RunRecord | None:
        """Return the run, or None if there was none or it is gone since."""
        if run_id is None:
            return None
        runs, _ = experiments.search_run_records(filter=f"run_id = '{run_id}'", workspace=self.workspace)
        return next(iter(runs), None)


class ApprovalHandler(StudioHandler):
    """The decision about one version."""

    path = "/models/{name}/versions/{version}/approval"
    auth_resource = "registry"

    @operation(
        "decide_version", "Approve a model version, reject it, or take that back", raises=(NotFoundError, ConflictError)
    )
    def put(self, name: Name, version: VersionNumber, body: ApprovalRequest) -> VersionRecord:
        """Decide, and answer the version as it is then."""
        found = registry.get(name, version=version, workspace=self.workspace)
        found.set_status(body.status, note=body.note)
        return found.record


HANDLERS: list[type[StudioHandler]] = [ModelsHandler, VersionsHandler, VersionHandler, ApprovalHandler]
