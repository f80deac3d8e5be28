"""Jobs as a list shows them: their records with duration, cost and time line, and those that ended lately."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import sqlalchemy as sa

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder, now
from kernel_tools.jobs.records import JobRecord
from kernel_tools.jobs.savings import Prices, has_prices, read_prices
from kernel_tools.jobs.states import JobHistory, Stretch
from kernel_tools.jobs.tables import jobs

MAX_STRETCHES = 100
"""Stretches of one row; of a job with more, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow(JobRecord):
    """A job with what a list shows of it.

    Attributes
    ----------
    duration
        Milliseconds that its code has run in all attempts, also in the one that goes on.
    cost
        What that has cost, in `currency`; None as long as nobody has set prices.
    stretches
        The newest stretches of its life, the oldest first.
    """

    duration: int
    cost: float | None
    currency: str
    stretches: list[Stretch]


def read_rows(workspace: Workspace, records: Iterable[JobRecord]) -> list[JobRow]:
    """Return records as rows; a job whose events cannot be read has no time line."""
    root = catalog.root_of(workspace)
    prices = read_prices(root) if has_prices(root) else None
    rows = []
    for record in records:
        try:
            history = JobFolder(root / record.name).history()
        except (AtelierError, OSError):
            history = JobHistory()
        rows.append(_row(record, history, prices))
    return rows


def list_ended(workspace: Workspace, since: int, limit: int = 20) -> list[JobRecord]:
    """Return the jobs that ended after a time (milliseconds since 1970 UTC), the latest first."""
    catalog.refresh_open(workspace)
    query = sa.select(jobs.c.name).where(jobs.c.ended_at > since).order_by(jobs.c.ended_at.desc()).limit(limit)
    with workspace.database.read() as connection:
        names = connection.execute(query).scalars().all()
    return [catalog.read_record(workspace, name) for name in names]


def _row(record: JobRecord, history: JobHistory, prices: Prices | None) -> JobRow:
    duration = history.running_time(history.ended_at or now())
    cost = None
    if prices is not None:
        cost = duration / 3_600_000 * (prices.spot if record.is_spot else prices.on_demand)
    return JobRow(
        **{field.name: getattr(record, field.name) for field in fields(JobRecord)},
        duration=duration,
        cost=cost,
        currency=prices.currency if prices else "",
        stretches=list(history.stretches[-MAX_STRETCHES:]),
    )
