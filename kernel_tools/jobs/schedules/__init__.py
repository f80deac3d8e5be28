"""Schedules: jobs that are submitted again and again, at times of a cron expression or at intervals."""

from __future__ import annotations

from kernel_tools.jobs.schedules.creation import create_schedule, create_schedule_of_job
from kernel_tools.jobs.schedules.firing import run_due_schedules
from kernel_tools.jobs.schedules.handle import Schedule, get_schedule, list_schedules
from kernel_tools.jobs.schedules.records import Missed, Overlap, ScheduleRecord

__all__ = [
    "Missed",
    "Overlap",
    "Schedule",
    "ScheduleRecord",
    "create_schedule",
    "create_schedule_of_job",
    "get_schedule",
    "list_schedules",
    "run_due_schedules",
]
