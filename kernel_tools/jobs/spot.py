"""A simulation of spot capacity on this machine: it takes running spot jobs' capacity back, as a cloud does."""

from __future__ import annotations

import csv
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder, now, write_json
from kernel_tools.jobs.queue import queue_folder
from kernel_tools.jobs.savings import Prices, read_prices, write_prices
from kernel_tools.jobs.spec import to_seconds
from kernel_tools.jobs.states import JobState
from kernel_tools.jobs.stopping import interrupt_local

__all__ = ["Interruption", "Prices", "get_prices", "read_trace", "set_capacity", "set_prices", "simulate"]


@dataclass(frozen=True, slots=True)
class Interruption:
    """One interruption of a trace, in seconds: when, how long before the kill it is announced, how long capacity
    lacks."""

    at: float
    notice: float = 120.0
    outage: float = 0.0


def set_capacity(available_at: int | None, *, workspace: Workspace | None = None) -> None:
    """Say that spot capacity is there again at a time (milliseconds since 1970 UTC); None for now."""
    root = catalog.root_of(workspace or current_workspace())
    path = queue_folder(root) / "capacity.json"
    if available_at is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"version": 1, "available_at": available_at})


def get_prices(*, workspace: Workspace | None = None) -> Prices:
    """Return the price sheet of the workspace."""
    return read_prices(catalog.root_of(workspace or current_workspace()))


def set_prices(on_demand: float, spot: float, currency: str = "USD", *, workspace: Workspace | None = None) -> None:
    """Replace the price sheet: what an hour costs on demand and on spot capacity."""
    write_prices(catalog.root_of(workspace or current_workspace()), Prices(on_demand, spot, currency))


def simulate(
    rate: float | None = None,
    trace: Sequence[Interruption] | None = None,
    *,
    duration: float | str | None = None,
    notice: float | str = 120.0,
    outage: float | str = 0.001,
    seed: int | None = None,
    workspace: Workspace | None = None,
) -> Iterator[tuple[float, str]]:
    """Interrupt running spot jobs, and yield (seconds since the start, job) for each interruption as it happens.

    Parameters
    ----------
    rate
        Interruptions per hour of each running spot job, at times drawn from an exponential distribution.
    trace
        Or: interruptions of all running spot jobs at fixed times; see `read_trace`.
    duration
        Seconds after which the simulation ends. Default: with the trace, or never.
    notice, outage
        Seconds of warning, and seconds for which there is no capacity afterwards; for `rate`.
    seed
        Makes the drawn times repeatable.
    """
    if (rate is None) == (trace is None):
        raise InvalidArgumentError("Give either rate= or trace=, not both and not neither.")
    if rate is not None and not 0 < rate < 1e7:
        raise InvalidArgumentError(f"rate is {rate!r}: use interruptions per hour above zero.")
    workspace = workspace or current_workspace()
    began = time.monotonic()
    end = None if duration is None else to_seconds(duration, "duration")
    if trace is not None:
        yield from _follow(workspace, trace, began, end)
        return
    assert rate is not None
    draw = random.Random(seed)
    warning, gap = to_seconds(notice, "notice"), to_seconds(outage, "outage")
    due: dict[str, float] = {}
    while end is None or time.monotonic() - began < end:
        elapsed = time.monotonic() - began
        running = _running(workspace)
        due = {name: due.get(name, elapsed + draw.expovariate(rate / 3600)) for name in running}
        for name in [name for name, at in due.items() if at <= elapsed]:
            del due[name]
            if _interrupt(workspace, name, warning, gap):
                yield elapsed, name
        time.sleep(min(0.25, 360 / rate))


def read_trace(path: str | Path) -> list[Interruption]:
    """Read a trace: CSV with a head, or JSON, of `at`, and where wanted `notice` and `outage`, all in seconds.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidArgumentError
        If a line is not understood; the message names it.
    """
    place = Path(path)
    if not place.is_file():
        raise NotFoundError(f"There is no trace {str(path)!r}.")
    text = place.read_text(encoding="utf-8")
    rows = json.loads(text) if place.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(Interruption(**{key: float(value) for key, value in row.items() if value not in (None, "")}))
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"Entry {number} of {str(path)!r} is not understood ({error}): use the columns at, notice and outage, "
                f"in "
                "seconds."
            ) from error
    return sorted(found, key=lambda item: item.at)


def _follow(
    workspace: Workspace, trace: Sequence[Interruption], began: float, end: float | None
) -> Iterator[tuple[float, str]]:
    for item in trace:
        if end is not None and item.at > end:
            return
        while (left := item.at - (time.monotonic() - began)) > 0:
            time.sleep(min(left, 0.25))
        for name in _running(workspace):
            if _interrupt(workspace, name, item.notice, item.outage):
                yield item.at, name


def _running(workspace: Workspace) -> list[str]:
    records, _ = catalog.search(workspace, [JobState.RUNNING], limit=1000)
    return [record.name for record in records if record.is_spot]


def _interrupt(workspace: Workspace, name: str, notice: float, outage: float) -> bool:
    set_capacity(now() + int((notice + outage) * 1000) if outage > 0.001 else None, workspace=workspace)
    try:
        interrupt_local(JobFolder(catalog.root_of(workspace) / name), notice, "simulated")
    except AtelierError:
        return False  # it ended meanwhile
    return True
