"""Models and their versions over HTTP. What they are is decided in `kernel_tools.registry`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import Field

from kernel_tools import experiments, hosting, registry
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.experiments.records import RunRecord
from kernel_tools.hosting.records import EndpointRecord
from kernel_tools.registry.records import ModelCard, ModelGroup, Promotion, Stage, VersionRecord, VersionStatus
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, ModelName, PageQuery, Reply, VersionNumber

MAX_TAGS = 100


class ModelQuery(PageQuery):
    """Which models to answer."""

    filter: str = Field("", max_length=2000, description="MLflow's grammar, such as `tags.team = 'risk'`.")
    order_by: list[Annotated[str, Field(max_length=200)]] = Field(
        [], max_length=5, description="Such as `name DESC`; by default the newest first."
    )


class ModelPage(Reply):
    """Some models."""

    models: list[ModelGroup]
    next_page_token: str | None


class VersionPage(Reply):
    """Some versions, the newest first."""

    versions: list[VersionRecord]
    next_page_token: str | None


class PromotionPage(Reply):
    """Some promotions, the newest first."""

    promotions: list[Promotion]
    next_page_token: str | None


class VersionDetail(Reply):
    """A version, where it came from and where it serves; its card, if it has one."""

    version: VersionRecord
    run: RunRecord | None
    endpoints: list[EndpointRecord]
    card: ModelCard | None


class ApprovalRequest(Body):
    """A decision about a version."""

    status: VersionStatus
    note: str = Field("", max_length=10_000)


class CreateModelRequest(Body):
    """A new model."""

    name: str
    description: str = ""
    tags: dict[str, str] = Field({}, max_length=MAX_TAGS)


class ChangeModelRequest(Body):
    """What to change of a model; what is not named stays. A tag that is null is deleted."""

    name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] = Field({}, max_length=MAX_TAGS)


class ChangeVersionRequest(Body):
    """What to change of a version; what is not named stays. A tag that is null is deleted."""

    description: str | None = None
    licence: str | None = None
    tags: dict[str, str | None] = Field({}, max_length=MAX_TAGS)
    stage: Stage | None = None
    archive_existing: bool = False


class AliasRequest(Body):
    """Which version has the alias."""

    version: VersionNumber


class PromotionRequest(Body):
    """What the version becomes, and why."""

    alias: str = "champion"
    reason: str = Field(max_length=10_000)


class ModelsHandler(StudioHandler):
    """All models."""

    path = "/models"
    auth_resource = "registry"

    @operation("list_models", "List models, or search them")
    def get(self, query: ModelQuery) -> ModelPage:
        """Answer one page."""
        limit = self.limit(query)
        if query.filter or query.order_by:
            page, token = registry.search_model_records(
                query.filter, query.order_by, limit, query.page_token, workspace=self.workspace
            )
        else:
            page, token = registry.list_models(limit, query.page_token, workspace=self.workspace)
        return ModelPage(models=page, next_page_token=token)

    @operation("create_model", "Make a model without versions", status=201, raises=(ConflictError,))
    def post(self, body: CreateModelRequest) -> ModelGroup:
        """Make it, and answer it."""
        return registry.create_model(body.name, body.description, body.tags, workspace=self.workspace)


class ModelHandler(StudioHandler):
    """One model."""

    path = "/models/{name}"
    auth_resource = "registry"

    @operation("get_model", "Show a model", raises=(NotFoundError,))
    def get(self, name: ModelName) -> ModelGroup:
        """Answer the model."""
        return registry.get_model(name, workspace=self.workspace)

    @operation("change_model", "Rename, describe or tag a model", raises=(NotFoundError, ConflictError))
    def patch(self, name: ModelName, body: ChangeModelRequest) -> ModelGroup:
        """Change what is named, and answer the model as it is then."""
        group = registry.get_model(name, workspace=self.workspace)
        if body.description is not None:
            registry.describe_model(name, body.description, workspace=self.workspace)
        _change_tags(
            body.tags,
            lambda tags: registry.set_model_tags(name, tags, workspace=self.workspace),
            lambda key: registry.delete_model_tag(name, key, workspace=self.workspace),
        )
        if body.name is not None and body.name != name:
            group = registry.rename_model(name, body.name, workspace=self.workspace)
        return registry.get_model(group.name, workspace=self.workspace)

    @operation("delete_model", "Delete a model with its versions", status=204, raises=(NotFoundError, ConflictError))
    def delete(self, name: ModelName) -> None:
        """Delete."""
        registry.delete_model(name, workspace=self.workspace)


class VersionsHandler(StudioHandler):
    """The versions of one model."""

    path = "/models/{name}/versions"
    auth_resource = "registry"

    @operation("list_versions", "List the versions of a model, the newest first", raises=(NotFoundError,))
    def get(self, name: ModelName, query: PageQuery) -> VersionPage:
        """Answer one page."""
        page, token = registry.list_versions(
            name, limit=self.limit(query), page_token=query.page_token, workspace=self.workspace
        )
        return VersionPage(versions=page, next_page_token=token)


class AliasHandler(StudioHandler):
    """One alias of a model."""

    path = "/models/{name}/aliases/{alias}"
    auth_resource = "registry"

    @operation("set_alias", "Give a version an alias; another version loses it", raises=(NotFoundError,))
    def put(self, name: ModelName, alias: str, body: AliasRequest) -> ModelGroup:
        """Set it, and answer the model as it is then."""
        registry.set_alias(name, alias, body.version, workspace=self.workspace)
        return registry.get_model(name, workspace=self.workspace)

    @operation("delete_alias", "Take an alias away", status=204, raises=(NotFoundError,))
    def delete(self, name: ModelName, alias: str) -> None:
        """Delete."""
        registry.delete_alias(name, alias, workspace=self.workspace)


class PromotionsHandler(StudioHandler):
    """The promotions of one model."""

    path = "/models/{name}/promotions"
    auth_resource = "registry"

    @operation("list_promotions", "List what was promoted and why, the newest first", raises=(NotFoundError,))
    def get(self, name: ModelName, query: PageQuery) -> PromotionPage:
        """Answer one page."""
        page, token = registry.list_promotions(name, self.limit(query), query.page_token, workspace=self.workspace)
        return PromotionPage(promotions=page, next_page_token=token)


class VersionHandler(StudioHandler):
    """One version of a model."""

    path = "/models/{name}/versions/{version}"
    auth_resource = "registry"

    @operation("get_version_detail", "Show a model version, its run and its endpoints", raises=(NotFoundError,))
    def get(self, name: ModelName, version: VersionNumber) -> VersionDetail:
        """Answer the version with its links."""
        found = registry.get(name, version=version, workspace=self.workspace)
        endpoints = [endpoint.record for endpoint in hosting.list_endpoints(workspace=self.workspace)]
        return VersionDetail(
            version=found.record,
            run=self._source_run(found.record.run_id),
            endpoints=[record for record in endpoints if (record.model, record.version) == (name, version)],
            card=found.card(),
        )

    @operation("change_version", "Describe, tag, license or stage a version", raises=(NotFoundError,))
    def patch(self, name: ModelName, version: VersionNumber, body: ChangeVersionRequest) -> VersionRecord:
        """Change what is named, and answer the version as it is then."""
        found = registry.get(name, version=version, workspace=self.workspace)
        if body.description is not None:
            found.describe(body.description)
        if body.licence is not None:
            found.set_licence(body.licence)
        _change_tags(body.tags, found.set_tags, found.delete_tag)
        if body.stage is not None:
            found.set_stage(body.stage, body.archive_existing)
        return found.record

    @operation("delete_version", "Delete a version", status=204, raises=(NotFoundError, ConflictError))
    def delete(self, name: ModelName, version: VersionNumber) -> None:
        """Delete."""
        registry.delete_version(name, version, workspace=self.workspace)

    def _source_run(self, run_id: str | None) -> RunRecord | None:
        """Return the run, or None if there was none or it is gone since."""
        if run_id is None:
            return None
        quoted = run_id.replace("'", "''")
        runs, _ = experiments.search_run_records(filter=f"run_id = '{quoted}'", workspace=self.workspace)
        return next(iter(runs), None)


class ApprovalHandler(StudioHandler):
    """The decision about one version."""

    path = "/models/{name}/versions/{version}/approval"
    auth_resource = "registry"

    @operation(
        "decide_version", "Approve a model version, reject it, or take that back", raises=(NotFoundError, ConflictError)
    )
    def put(self, name: ModelName, version: VersionNumber, body: ApprovalRequest) -> VersionRecord:
        """Decide, and answer the version as it is then."""
        return registry.decide_version(name, version, body.status, body.note, workspace=self.workspace)


class PromotionHandler(StudioHandler):
    """The promotion of one version."""

    path = "/models/{name}/versions/{version}/promotion"
    auth_resource = "registry"

    @operation("promote_version", "Give a version an alias, with a reason", raises=(NotFoundError, ConflictError))
    def post(self, name: ModelName, version: VersionNumber, body: PromotionRequest) -> Promotion:
        """Promote, and answer what was done."""
        return registry.promote(name, version, body.alias, body.reason, workspace=self.workspace)


def _change_tags(
    tags: Mapping[str, str | None], set_tags: Callable[[dict[str, str]], object], delete_tag: Callable[[str], object]
) -> None:
    kept = {key: value for key, value in tags.items() if value is not None}
    if kept:
        set_tags(kept)
    for key in tags.keys() - kept.keys():
        delete_tag(key)


HANDLERS: list[type[StudioHandler]] = [
    ModelsHandler,
    ModelHandler,
    VersionsHandler,
    AliasHandler,
    PromotionsHandler,
    VersionHandler,
    ApprovalHandler,
    PromotionHandler,
]
