"""Taking what an open recipe gives elsewhere, over HTTP: code, files, models, jobs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kernel_tools.wrangler import trust
from kernel_tools.wrangler.recipe import Recipe
from studio_ext.handlers import StudioHandler
from studio_ext.open_recipes import REFUSED, TaskReply, WranglerHandler, begin, checked_document
from studio_ext.operations import operation
from studio_ext.schema import Body, Reply


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
        recipe = self.recipe(session)
        inside = self.inside(recipe, body.path)
        options = {"partition_by": body.partition_by, "compression": body.compression}
        self.workspace.audit.record("recipe.export", f"recipe/{recipe.path}", {"path": body.path})
        return begin(recipe, "export", node=body.node, path=str(inside), options=options)


class TranslateRequest(Body):
    """What the recipe becomes, and where it goes: a path from the folder of the recipe."""

    form: Literal["notebook", "sklearn", "onnx", "pandas", "polars", "sql", "atelier"]
    path: str = Field(min_length=1, max_length=4000)


class TranslateHandler(WranglerHandler):
    """The recipe in other words."""

    path = "/wrangler/sessions/{session}/translations"

    @operation("translate_recipe", "Write a recipe as a notebook, code or a model", raises=REFUSED, action="execute")
    def post(self, session: str, body: TranslateRequest) -> TaskReply:
        """Write it below the server's root, as a task; the result has the path."""
        recipe = self.recipe(session)
        inside = self.inside(recipe, body.path)
        details = {"path": body.path, "form": body.form}
        self.workspace.audit.record("recipe.translate", f"recipe/{recipe.path}", details)
        return begin(recipe, "translate", form=body.form, path=str(inside))


class RecipeJobRequest(Body):
    """A job that computes all rows after a step and writes them; with `cron` or `every` (seconds) again and again."""

    document: dict[str, Any]
    node: str = Field(max_length=100)
    path: str = Field(min_length=1, max_length=4000)
    name: str = Field(min_length=1, max_length=100)
    cron: str | None = Field(None, max_length=200)
    every: float | None = Field(None, ge=1, le=366 * 86_400)


class RecipeJobReply(Reply):
    """The name of the job, or of the schedule."""

    name: str
    is_schedule: bool


class RecipeJobsHandler(WranglerHandler):
    """A recipe as a job."""

    path = "/wrangler/sessions/{session}/jobs"

    @operation("submit_recipe", "Submit a recipe as a job, or as a schedule", status=201, raises=REFUSED,
               action="execute")  # fmt: skip
    def post(self, session: str, body: RecipeJobRequest) -> RecipeJobReply:
        """Submit it."""
        opened = self.recipe(session)
        document = checked_document(body.document)
        recipe = Recipe(
            document, base=opened.base, is_trusted=trust.is_trusted(document, self.workspace), head=body.node
        )
        output = self.inside(opened, body.path)
        if body.cron is not None or body.every is not None:
            schedule = recipe.schedule(output, body.name, cron=body.cron, every=body.every, workspace=self.workspace)
            return RecipeJobReply(name=schedule.name, is_schedule=True)
        job = recipe.run_as_job(output, name=body.name, workspace=self.workspace)
        return RecipeJobReply(name=job.id, is_schedule=False)


HANDLERS: list[type[StudioHandler]] = [
    CodeHandler,
    ExportHandler,
    TranslateHandler,
    RecipeJobsHandler,
]
