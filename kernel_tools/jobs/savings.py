"""What spot capacity saves, told honestly: waiting is not billed, redone work is paid for and saves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.folder import now, read_json, write_json
from kernel_tools.jobs.queue import queue_folder
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import JobHistory, JobState

DEFAULT_PRICES = {"on_demand": 0.20, "spot": 0.06}
"""An example, in the sheet's currency per hour; `set_prices` puts in what is really paid."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The price sheet: what an hour costs."""

    on_demand: float
    spot: float
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Savings:
    """Where the time of a job went, and what it cost. Times are in seconds.

    Attributes
    ----------
    total_seconds
        Time that the job ran, redone work included; waiting is not in it.
    waiting_seconds
        Time in the queue, and without capacity.
    redone_seconds
        Part of `total_seconds` that was done again after an interruption, each stretch counted once.
    billable_seconds
        `total_seconds` at the spot price, in seconds at the on-demand price.
    fraction
        1 - billable / useful time, where useful is total without redone: what would have been paid without spot.
        Negative if redoing work has cost more than the price has saved.
    cost, on_demand_cost
        What the job cost, and what its useful time would have cost on demand, in `currency`.
    """

    total_seconds: float
    waiting_seconds: float
    redone_seconds: float
    billable_seconds: float
    fraction: float
    interruptions: int
    cost: float
    on_demand_cost: float
    currency: str


def read_prices(root: Path) -> Prices:
    """Return the price sheet of a workspace's jobs."""
    content = read_json(queue_folder(root) / "prices.json") or DEFAULT_PRICES
    return Prices(float(content["on_demand"]), float(content["spot"]), str(content.get("currency", "USD")))


def has_prices(root: Path) -> bool:
    """Whether somebody has set the price sheet of a workspace's jobs; else it is an example."""
    return (queue_folder(root) / "prices.json").exists()


def write_prices(root: Path, prices: Prices) -> None:
    """Replace the price sheet; InvalidArgumentError if a price is negative or the on-demand price is zero."""
    if not (prices.on_demand > 0 and 0 <= prices.spot < float("inf") and prices.on_demand < float("inf")):
        raise InvalidArgumentError(f"{prices}: on_demand must be above zero, spot at least zero, both per hour.")
    path = queue_folder(root) / "prices.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "version": 1,
        "on_demand": prices.on_demand,
        "spot": prices.spot,
        "currency": prices.currency,
    }
    write_json(path, content)


def savings_of(root: Path, spec: JobSpec, history: JobHistory) -> Savings:
    """Work the savings of a job out of its events."""
    moment = history.ended_at or now()
    total = history.running_time(moment) / 1000
    redone = min(total, sum(attempt.redone for attempt in history.attempts) / 1000)
    waiting = sum(
        ((stretch.ended_at or moment) - stretch.started_at) / 1000
        for stretch in history.stretches
        if stretch.state in (JobState.QUEUED, JobState.WAITING, JobState.RESTARTING, JobState.INTERRUPTED)
    )
    prices = read_prices(root)
    ratio = prices.spot / prices.on_demand if spec.spot is not None else 1.0
    billable, useful = total * ratio, total - redone
    return Savings(
        total_seconds=total,
        waiting_seconds=waiting,
        redone_seconds=redone,
        billable_seconds=billable,
        fraction=1 - billable / useful if useful > 0 else 0.0,
        interruptions=sum(1 for attempt in history.attempts if attempt.ended_state is JobState.INTERRUPTED),
        cost=billable / 3600 * prices.on_demand,
        on_demand_cost=useful / 3600 * prices.on_demand,
        currency=prices.currency,
    )
