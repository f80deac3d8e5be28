"""What a Chrome trace says: tables of operators, kernels, modules and steps, and a time line that can be drawn."""

from __future__ import annotations

import gzip
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.debugger.profiling.torch_trace import FILE, MODULE_PREFIX, STEP_PREFIX

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.debugger.trial import Trial

VERSION = 1
TABLES = "trace-tables.json"
MOST_EVENTS = 20_000
"""Events of the time line, the longest ones."""
_ON_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")


@dataclass(slots=True)
class _Event:
    name: str
    kind: str
    thread: str
    start: float
    duration: float
    own: float = 0.0
    depth: int = 0
    device: float = 0.0
    link: Any = None


@dataclass(frozen=True, slots=True)
class TraceTables:
    """What a trace says, each a list of plain rows.

    Attributes
    ----------
    operators
        name, calls, own_ms (without what it calls), total_ms, device_ms (of the kernels that it has started).
    kernels
        name, calls, total_ms.
    modules
        name, kind, calls, own_ms, total_ms: of the forward pass.
    steps
        step, start_ms, total_ms.
    events
        name, kind (operator, module, step, kernel or call), thread, depth, start_ms, total_ms: the time line.
    duration
        Milliseconds from the first event to the last.
    """

    operators: list[dict[str, Any]] = field(default_factory=list)
    kernels: list[dict[str, Any]] = field(default_factory=list)
    modules: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    duration: float = 0.0


def has_trace(trial: Trial) -> bool:
    """Whether `torch.profiler` has recorded steps of a run."""
    return (trial.folder / FILE).exists()


def trace_tables(trial: Trial) -> TraceTables:
    """Return what the trace of a run says; it is read once, and the tables are kept beside it.

    Raises
    ------
    NotFoundError
        If `torch.profiler` has recorded no step.
    IntegrityError
        If the file is no Chrome trace.
    """
    path, kept = trial.folder / FILE, trial.folder / TABLES
    if not path.exists():
        raise NotFoundError(
            "torch.profiler has recorded no step of this run. Ask for some: "
            "kernel_tools.debugger.Config(profile=(10, 14))."
        )
    try:
        if kept.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            plain = json.loads(kept.read_text(encoding="utf-8"))
            if plain.pop("version") == VERSION:
                return TraceTables(**plain)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # it is made again
    tables = read_trace(path)
    plain = {"version": VERSION, **{name: getattr(tables, name) for name in TraceTables.__slots__}}
    temporary = kept.with_name(f"{TABLES}.{os.getpid()}")
    temporary.write_text(json.dumps(plain), encoding="utf-8")
    os.replace(temporary, kept)
    return tables


def operator_table(trial: Trial) -> pd.DataFrame:
    """Return the operators of the trace, those that took longest by themselves first; see `TraceTables`."""
    import pandas as pd

    return pd.DataFrame(trace_tables(trial).operators, columns=["name", "calls", "own_ms", "total_ms", "device_ms"])


def module_table(trial: Trial) -> pd.DataFrame:
    """Return the modules of the trace, those whose forward pass took longest by themselves first."""
    import pandas as pd

    return pd.DataFrame(trace_tables(trial).modules, columns=["name", "kind", "calls", "own_ms", "total_ms"])


def read_trace(path: Path) -> TraceTables:
    """Read a Chrome trace, plain or compressed by gzip; IntegrityError if it is none."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            content = json.load(file)
        found = content["traceEvents"] if isinstance(content, dict) else content
        events = [event for plain in found if (event := _event(plain)) is not None]
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path} is no Chrome trace ({type(error).__name__}: {error}).") from error
    return summarize(events)


def summarize(events: list[_Event]) -> TraceTables:
    """Make the tables."""
    if not events:
        return TraceTables()
    _nest(events)
    _link_kernels(events)
    start = min(event.start for event in events)
    steps = sorted((event for event in events if event.kind == "step"), key=lambda event: event.start)
    shown = sorted(events, key=lambda event: -event.duration)[:MOST_EVENTS]
    return TraceTables(
        operators=_table(event for event in events if event.kind == "operator"),
        kernels=[
            {name: row[name] for name in ("name", "calls", "total_ms")}
            for row in _table(event for event in events if event.kind == "kernel")
        ],
        modules=[
            {"name": name, "kind": kind.rstrip(")"), **{key: row[key] for key in ("calls", "own_ms", "total_ms")}}
            for row in _table(event for event in events if event.kind == "module")
            for name, _, kind in [row["name"].rpartition(" (")]
        ],
        steps=[
            {"step": int(event.name), "start_ms": _ms(event.start - start), "total_ms": _ms(event.duration)}
            for event in steps
        ],
        events=[
            {
                "name": event.name,
                "kind": event.kind,
                "thread": event.thread,
                "depth": event.depth,
                "start_ms": _ms(event.start - start),
                "total_ms": _ms(event.duration),
            }
            for event in sorted(shown, key=lambda event: event.start)
        ],
        duration=_ms(max(event.start + event.duration for event in events) - start),
    )


def _event(plain: Mapping[str, Any]) -> _Event | None:
    """Read an event that has a duration; anything else of a trace says nothing here."""
    if plain.get("ph") != "X" or "dur" not in plain:
        return None
    category, name = str(plain.get("cat", "")), str(plain["name"])
    thread = f"{plain.get('pid')}/{plain.get('tid')}"
    kind = "operator" if category == "cpu_op" else "kernel" if category in _ON_DEVICE else "call"
    if category == "user_annotation":
        if name.startswith(STEP_PREFIX) and name[len(STEP_PREFIX) :].isdigit():
            kind, name = "step", name[len(STEP_PREFIX) :]
        elif name.startswith(MODULE_PREFIX):
            kind, name = "module", name[len(MODULE_PREFIX) :]
    elif category in ("Trace", "gpu_user_annotation", "overhead"):
        return None
    link = (plain.get("args") or {}).get("External id")
    return _Event(name, kind, thread, float(plain["ts"]), float(plain["dur"]), link=link)


def _nest(events: list[_Event]) -> None:
    """Find out how deep each event lies in others of its thread, and what it took without those in it."""
    threads: dict[str, list[_Event]] = defaultdict(list)
    for event in events:
        threads[event.thread].append(event)
    for own in threads.values():
        own.sort(key=lambda event: (event.start, -event.duration))
        open_events: list[_Event] = []
        for event in own:
            while open_events and open_events[-1].start + open_events[-1].duration <= event.start:
                open_events.pop()
            event.depth = len(open_events)
            event.own = event.duration
            if open_events:
                open_events[-1].own -= event.duration
            open_events.append(event)
        _own_of_kind(own, "module")


def _own_of_kind(events: list[_Event], kind: str) -> None:
    """Let what a module took by itself hold the operators in it, and leave out only other modules."""
    open_events: list[_Event] = []
    for event in events:
        if event.kind != kind:
            continue
        while open_events and open_events[-1].start + open_events[-1].duration <= event.start:
            open_events.pop()
        event.own = event.duration
        if open_events:
            open_events[-1].own -= event.duration
        open_events.append(event)


def _link_kernels(events: list[_Event]) -> None:
    """Give each operator the time of the kernels that it has started."""
    operators = {event.link: event for event in events if event.kind == "operator" and event.link is not None}
    for event in events:
        if event.kind == "kernel" and event.link in operators:
            operators[event.link].device += event.duration


def _table(events: Iterable[_Event]) -> list[dict[str, Any]]:
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for event in events:
        row = sums[event.name]
        for index, value in enumerate((1, event.own, event.duration, event.device)):
            row[index] += value
    rows = [
        {"name": name, "calls": int(calls), "own_ms": _ms(own), "total_ms": _ms(total), "device_ms": _ms(device)}
        for name, (calls, own, total, device) in sums.items()
    ]
    return sorted(rows, key=lambda row: -max(row["own_ms"], row["device_ms"]))


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 4)
