"""Planted faults: how many of them the Debugger's default rules see, and how often they cry wolf."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.harness import Result
from tests.debugger.faults.campaign import leave_healthy, plant_all

LIBRARIES = ("torch", "scikit-learn")
SEEDS = 20
HEALTHY = 40
_RECALL = 0.95
_ALARMS = HEALTHY // 20


def run() -> Iterator[Result]:
    """Run the campaign: healthy trainings first, then every kind of fault."""
    quiet = leave_healthy(range(HEALTHY))
    print("\n".join(quiet.alarms), end="\n" if quiet.alarms else "", file=sys.stderr)
    hints = ", ".join(f"{rule} {count}" for rule, count in quiet.hints.most_common()) or "none"
    yield Result(
        f"{HEALTHY} healthy trainings (digits, Adult, text): trainings with a false alarm",
        f"at most {_ALARMS}",
        "",
        [len(quiet.alarms)],
        len(quiet.alarms) <= _ALARMS,
        note=f"hints: {hints}",
    )
    seen = planted = 0
    for caught in plant_all(range(SEEDS)):
        seen, planted = seen + caught.seen, planted + caught.seeds
        yield Result(
            f"fault: {caught.name}",
            "",
            "",
            [caught.seen / caught.seeds],
            caught.seen >= _RECALL * caught.seeds,
            note=", ".join(f"{rule} {count}" for rule, count in caught.by.most_common())
            + (f"; missed by seeds {caught.missed}" if caught.missed else ""),
        )
    yield Result(
        f"{planted} planted faults: share seen by a rule that was named before",
        f"at least {_RECALL}",
        "",
        [seen / planted],
        seen >= _RECALL * planted,
    )
