"""Batch transforms over HTTP; they are jobs, decided in `kernel_tools.hosting.batch`."""

from __future__ import annotations

from pydantic import Field, FiniteFloat

from kernel_tools import hosting, jobs
from kernel_tools.core.errors import ConflictError, NotFoundError, UnavailableError
from kernel_tools.hosting.batch.plan import BatchPlan, OnError
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, ModelName, PageQuery, Reply, VersionNumber


class TransformLine(Reply):
    """A batch transform: its job, what predicts, its files, and how much is done, 0 to 1; null is not known."""

    job: str
    state: jobs.JobState
    reason: str
    created_at: int
    user: str
    model: str | None
    version: int | None
    inputs: list[str]
    output: str | None
    on_error: OnError | None
    done: FiniteFloat | None


class TransformPage(Reply):
    """Some batch transforms, the newest first."""

    transforms: list[TransformLine]
    next_page_token: str | None


class TransformRequest(Body):
    """Which version predicts which files, and where to."""

    model: ModelName
    version: VersionNumber | None = None
    input: str = Field(min_length=1, max_length=4096)
    output: str = Field(min_length=1, max_length=4096)
    join_input: bool = True
    on_error: OnError = "stop"
    trust: bool = False


class TransformReply(Reply):
    """The name of the job that transforms."""

    job: str


class TransformsHandler(StudioHandler):
    """All batch transforms."""

    path = "/batch-transforms"
    auth_resource = "hosting"

    @operation("list_batch_transforms", "List batch transforms")
    def get(self, query: PageQuery) -> TransformPage:
        """Answer one page."""
        found, token = hosting.list_batch_transforms(self.limit(query), query.page_token, workspace=self.workspace)
        return TransformPage(transforms=[_line(record, plan) for record, plan in found], next_page_token=token)

    @operation(
        "start_batch_transform",
        "Begin to predict all rows of files, in a job",
        status=201,
        raises=(NotFoundError, ConflictError, UnavailableError),
        action="execute",
    )
    def post(self, body: TransformRequest) -> TransformReply:
        """Begin, and answer the job."""
        options = body.model_dump(include={"version", "join_input", "on_error", "trust"})
        transform = hosting.batch_transform(
            body.model, body.input, body.output, wait=False, workspace=self.workspace, **options
        )
        return TransformReply(job=transform.job.name)


def _line(record: jobs.JobRecord, plan: BatchPlan | None) -> TransformLine:
    progress = record.progress
    is_known = progress is not None and bool(progress.total)
    done = progress.done / (progress.total or 1) if progress is not None and is_known else None
    return TransformLine(
        job=record.name,
        state=record.state,
        reason=record.reason,
        created_at=record.created_at,
        user=record.user,
        model=plan.variant.version.model if plan else None,
        version=plan.variant.version.version if plan else None,
        inputs=[file.path for file in plan.inputs] if plan else [],
        output=plan.output if plan else None,
        on_error=plan.on_error if plan else None,
        done=1.0 if record.state == jobs.JobState.COMPLETED else done,
    )


HANDLERS: list[type[StudioHandler]] = [TransformsHandler]
