"""The schedule: what is held after making one, and what `get_schedule` finds again."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace, validate_name
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.schedules.firing import submit_now
from kernel_tools.jobs.schedules.folder import ScheduleFolder, ScheduleState, schedule_folders, schedules_root
from kernel_tools.jobs.schedules.records import Missed, Overlap, ScheduleRecord, to_missed, to_overlap
from kernel_tools.jobs.schedules.timing import make_timing
from kernel_tools.jobs.spec import JobSpec

if TYPE_CHECKING:
    from kernel_tools.jobs.handle import Job

MOST_TIMES = 1000


class Schedule:
    """One schedule of a workspace."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = validate_name(name, "schedule name")
        self._workspace = workspace
        self._folder = ScheduleFolder(schedules_root(workspace) / name)
        self._folder.require()

    def __repr__(self) -> str:
        record = self.record
        return f"<Schedule {self.name!r}, {'paused' if record.is_paused else record.timing}>"

    @property
    def record(self) -> ScheduleRecord:
        """The schedule as one row."""
        return record_of(self._folder)

    @property
    def spec(self) -> JobSpec:
        """The template of the schedule's jobs; its inputs say where they are, not yet what is in them."""
        return self._folder.spec()

    def next_times(self, count: int = 5) -> list[datetime]:
        """Return the next due times, in the schedule's time zone; none while it is paused."""
        if not 1 <= count <= MOST_TIMES:
            raise InvalidArgumentError(f"count is {count!r}: use a whole number from 1 to {MOST_TIMES:,}.")
        state = self._folder.read()
        if state.is_paused:
            return []
        zone = ZoneInfo(state.timing.time_zone)
        times = itertools.islice(state.timing.following(state.cursor), count)
        return [datetime.fromtimestamp(at / 1000, zone) for at in times]

    def run_now(self) -> Job:
        """Submit a job at once, besides those at due times, also while the schedule is paused.

        Raises
        ------
        NotFoundError
            If an input is not there.
        """
        return submit_now(self._workspace, self._folder)

    def pause(self) -> None:
        """Let due times pass by until `resume`; they are not made up for."""
        self.update(is_paused=True)

    def resume(self) -> None:
        """Be due again, from now on."""
        self.update(is_paused=False)

    def update(
        self,
        *,
        cron: str | None = None,
        every: float | str | None = None,
        time_zone: str | None = None,
        missed: str | None = None,
        overlap: str | None = None,
        is_paused: bool | None = None,
    ) -> ScheduleRecord:
        """Change when and how the schedule is due, from now on; what is not given stays. What it runs never changes.

        Raises
        ------
        InvalidArgumentError
            If something is not understood; nothing is changed then.
        """
        with self._folder.locked():
            before = self._folder.read()
            after = _changed(before, cron, every, time_zone, is_paused)
            if missed is not None:
                after = replace(after, missed=to_missed(missed))
            if overlap is not None:
                after = replace(after, overlap=to_overlap(overlap))
            if after == before:
                return self.record
            self._folder.write(after)
        details = {
            "cron": after.timing.cron,
            "every": after.timing.every,
            "time_zone": after.timing.time_zone,
            "missed": after.missed.value,
            "overlap": after.overlap.value,
            "is_paused": after.is_paused,
        }
        self._workspace.audit.record("schedule.update", f"schedule/{self.name}", details)
        return self.record

    def jobs(self, limit: int = 100) -> list[JobRecord]:
        """Return the newest jobs that the schedule has made, the newest first."""
        return catalog.search(self._workspace, schedule=self.name, limit=limit)[0]

    def delete(self) -> None:
        """Forget the schedule. Its jobs stay, also those that run."""
        with self._folder.locked():
            gone = self._folder.path.with_name(f".{self.name}.{now()}.deleted")
            self._folder.path.rename(gone)
        self._workspace.audit.record("schedule.delete", f"schedule/{self.name}")
        shutil.rmtree(gone, ignore_errors=True)


def list_schedules(*, workspace: Workspace | None = None) -> list[ScheduleRecord]:
    """Return all schedules, by name; one whose files are damaged is paused and says so in `last_error`."""
    folders = schedule_folders(schedules_root(workspace or current_workspace()))
    records = []
    for folder in folders:
        try:
            records.append(record_of(folder))
        except NotFoundError:
            continue  # deleted meanwhile, or none of ours
        except (IntegrityError, OSError) as error:
            records.append(_damaged(folder.name, str(error)))
    return records


def get_schedule(name: str, *, workspace: Workspace | None = None) -> Schedule:
    """Return a schedule by its name; NotFoundError if there is none."""
    return Schedule(workspace or current_workspace(), name)


def record_of(folder: ScheduleFolder) -> ScheduleRecord:
    """Return a schedule's row."""
    state, spec = folder.read(), folder.spec()
    return ScheduleRecord(
        name=folder.name,
        entry_kind=spec.entry.kind,
        entry=spec.entry.target,
        experiment=spec.experiment,
        user=state.created_by,
        created_at=state.created_at,
        cron=state.timing.cron,
        every=state.timing.every,
        time_zone=state.timing.time_zone,
        timing=state.timing.describe(),
        missed=state.missed,
        overlap=state.overlap,
        is_paused=state.is_paused,
        next_at=None if state.is_paused else state.next_at,
        last_at=state.last_at,
        last_job=state.last_job,
        fired=state.fired,
        dropped=state.dropped,
        last_error=state.last_error,
        error_at=state.error_at,
    )


def _damaged(name: str, message: str) -> ScheduleRecord:
    return ScheduleRecord(
        name=name,
        entry_kind="",
        entry="",
        experiment=None,
        user="",
        created_at=0,
        cron=None,
        every=None,
        time_zone="UTC",
        timing="",
        missed=Missed.ONCE,
        overlap=Overlap.ALLOW,
        is_paused=True,
        next_at=None,
        last_at=None,
        last_job=None,
        fired=0,
        dropped=0,
        last_error=message,
        error_at=None,
    )


def _changed(
    state: ScheduleState, cron: str | None, every: float | str | None, time_zone: str | None, is_paused: bool | None
) -> ScheduleState:
    """Return the state with another timing, or paused, or not; both make it be due from now on."""
    moment = now()
    timing = state.timing
    if cron is not None or every is not None:
        timing = make_timing(cron, every, time_zone or timing.time_zone, moment)
    elif time_zone is not None:
        timing = make_timing(timing.cron, timing.every, time_zone, timing.anchor)
    paused = state.is_paused if is_paused is None else is_paused
    is_same_timing = replace(timing, anchor=state.timing.anchor) == state.timing
    if is_same_timing and paused == state.is_paused:
        return state
    timing = state.timing if is_same_timing else timing
    return replace(state, timing=timing, is_paused=paused, cursor=moment, next_at=timing.next_after(moment))
