"""Firing: at its due times a schedule becomes jobs, each exactly once, whoever ticks and whoever is killed.

Under the schedule's lock it is first decided, and written down, which due times get a job; then these are submitted,
and written down as done. A job's name says its schedule and due time, so that who comes after a kill sees what was
submitted already, and submits the rest.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kernel_tools.core.audit import acting_user, current_user
from kernel_tools.core.errors import AtelierError, ConflictError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs import catalog, submission
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.folder import now as clock
from kernel_tools.jobs.plans import FUNCTION_FILE
from kernel_tools.jobs.schedules.folder import ScheduleFolder, ScheduleState, schedule_folders, schedules_root
from kernel_tools.jobs.schedules.records import Missed, Overlap
from kernel_tools.jobs.spec import Input, JobSpec
from kernel_tools.jobs.states import JobState

if TYPE_CHECKING:
    from kernel_tools.jobs.handle import Job

logger = logging.getLogger(__name__)

GRACE = 60_000
"""Milliseconds after which a due time that nobody looked at counts as missed."""
MOST_MADE_UP = 100
"""Missed times that ``missed="all"`` makes up for at most."""


def run_due_schedules(workspace: Workspace, now: int | None = None) -> list[Job]:
    """Submit the jobs of all schedules that are due, and return them. Any number of processes may do so at once.

    What goes wrong with one schedule is logged, kept with it, and does not stop the others.

    Parameters
    ----------
    workspace
        Whose schedules.
    now
        The present time in milliseconds since 1970 UTC; default: the clock's.
    """
    moment = clock() if now is None else now
    made: list[Job] = []
    for folder in schedule_folders(schedules_root(workspace)):
        try:
            if folder.read().is_due(moment):
                with folder.try_locked() as is_held:
                    if is_held:
                        made += _run_due(workspace, folder, moment)
        except (AtelierError, OSError) as error:
            _complain(folder.name, str(error))
    return made


def submit_now(workspace: Workspace, folder: ScheduleFolder) -> Job:
    """Submit a job of a schedule outside of its times; errors are those of `kernel_tools.jobs.submit`."""
    name = f"{folder.name}-{_stamp(clock())}-{secrets.token_hex(4)}"
    return _submit(workspace, folder, folder.spec(), name, None)


def decide(state: ScheduleState, moment: int) -> ScheduleState:
    """Decide which due times up to now get a job, as the schedule's policy about missed times says."""
    due, older = state.timing.between(state.cursor, moment, MOST_MADE_UP)
    if not due:
        return replace(state, next_at=state.timing.next_after(state.cursor))
    if state.missed is Missed.SKIP:
        chosen = [at for at in due if moment - at <= GRACE]
    elif state.missed is Missed.ONCE:
        chosen = due[-1:]
    else:
        chosen = due
    return replace(
        state,
        cursor=due[-1],
        next_at=state.timing.next_after(due[-1]),
        pending=tuple(chosen),
        dropped=state.dropped + older + len(due) - len(chosen),
    )


def _run_due(workspace: Workspace, folder: ScheduleFolder, moment: int) -> list[Job]:
    state = folder.read()  # as it is under the lock
    made, state = _submit_pending(workspace, folder, state)
    if not state.pending and not state.is_paused and state.is_due(moment):
        state = decide(state, moment)
        folder.write(state)
        more, _ = _submit_pending(workspace, folder, state)
        made += more
    return made


def _submit_pending(
    workspace: Workspace, folder: ScheduleFolder, state: ScheduleState
) -> tuple[list[Job], ScheduleState]:
    """Submit what was decided. A failure that may pass (no catalog, a full disk) is tried again by the next tick."""
    made: list[Job] = []
    spec = folder.spec() if state.pending else None
    for due in state.pending:
        assert spec is not None
        name = f"{folder.name}-{_stamp(due)}"
        rest = tuple(at for at in state.pending if at > due)
        try:
            if (
                state.overlap is Overlap.SKIP
                and not submission.is_submitted(JobFolder(catalog.root_of(workspace) / name))
                and _is_busy(workspace, folder)
            ):
                state = replace(state, pending=rest, dropped=state.dropped + 1)
            else:
                made.append(_submit(workspace, folder, spec, name, due))
                state = replace(
                    state,
                    pending=rest,
                    last_at=due,
                    last_job=name,
                    fired=state.fired + 1,
                    last_error="",
                    error_at=None,
                )
        except (UnavailableError, OSError) as error:
            if state.last_error != str(error):
                state = replace(state, last_error=str(error), error_at=due)
                folder.write(state)
            raise
        except AtelierError as error:
            _complain(folder.name, str(error))
            state = replace(state, pending=rest, dropped=state.dropped + 1, last_error=str(error), error_at=due)
            workspace.audit.record("schedule.fail", f"schedule/{folder.name}", {"due_at": due, "reason": str(error)})
        folder.write(state)
    return made, state


def _submit(workspace: Workspace, folder: ScheduleFolder, template: JobSpec, name: str, due: int | None) -> Job:
    """Submit one job, at due times as the user who made the schedule; finish what somebody was killed while doing."""
    from kernel_tools.jobs.handle import Job

    template_folder = folder.template
    function = template_folder.path / FUNCTION_FILE
    order = submission.Order(
        template.entry,
        template_folder.source,
        working_dir=template.working_dir,
        function_file=function if function.exists() else None,
    )
    user = current_user() if due is None else template.created_by
    with acting_user(user):
        if due is None or not submission.is_submitted(JobFolder(catalog.root_of(workspace) / name)):
            fresh = submission.new_spec(order, name, template.experiment)
            spec = replace(
                template,
                name=name,
                created_at=fresh.created_at,
                created_by=user,
                run_id=fresh.run_id,
                packages=fresh.packages if template.python == sys.executable else template.packages,
                inputs={},
                schedule=folder.name,
                due_at=due,
            )
            submission.submit_order(workspace, order, spec, paths_of(template.inputs))
        else:
            _finish(workspace, JobFolder(catalog.root_of(workspace) / name), folder.name)
        workspace.audit.record("schedule.fire", f"schedule/{folder.name}", {"job": name, "due_at": due})
    return Job(workspace, name)


def _finish(workspace: Workspace, folder: JobFolder, schedule: str) -> None:
    """Do what was left to do of a submission that was cut off after the job's first event."""
    spec = JobSpec.from_json(folder.spec.read_bytes(), folder.name)
    if spec.schedule != schedule:
        raise ConflictError(
            f"There is a job {folder.name!r} that does not come from the schedule {schedule!r}. Rename the schedule."
        )
    catalog.refresh_job(workspace, folder)
    if spec.run_id is not None:
        from kernel_tools.jobs.runs import ensure_run

        ensure_run(workspace, spec)


def _is_busy(workspace: Workspace, folder: ScheduleFolder) -> bool:
    """Whether a job of the schedule has not ended."""
    states = [state for state in JobState if not state.is_end]
    return bool(catalog.search(workspace, states, schedule=folder.name, limit=1)[0])


def paths_of(inputs: Mapping[str, Input]) -> dict[str, str]:
    """Return where the inputs of a spec come from, by channel."""
    return {channel: data.path for channel, data in inputs.items()}


def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


_complained: dict[str, str] = {}


def _complain(schedule: str, message: str) -> None:
    """Log what is wrong with a schedule, once and not at every tick."""
    if _complained.get(schedule) != message:
        _complained[schedule] = message
        logger.warning("Schedule %s: %s", schedule, message)
