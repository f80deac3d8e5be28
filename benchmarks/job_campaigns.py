"""Jobs and schedules whose surroundings are killed, and trainings that are interrupted; a part of `make soak`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Result
from tests.jobs.campaigns import kill_around, kill_tickers_anywhere
from tests.jobs.interruptions import EVERY, interrupt_many

JOBS = 200
INTERRUPTIONS = 200
TICKERS = 100


def run(folder: Path, jobs: int = JOBS, interruptions: int = INTERRUPTIONS) -> Iterator[Result]:
    """Run the campaigns."""
    report = kill_around(folder / "kills", jobs, seed=1)
    problems = [*report.wrong, *report.twice, *map(str, report.orphans)]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    yield Result(
        f"{jobs} jobs while scripts, kernels, servers and supervisors are killed: wrong ends, started twice, orphans",
        "0",
        "",
        [len(problems)],
        report.is_clean,
        note=f"{report.submitters_killed} who submitted and {report.supervisors_killed} supervisors killed with -9",
    )
    fired = kill_tickers_anywhere(folder / "tickers", TICKERS, seed=1)
    problems = [*fired.wrong, *fired.twice]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    yield Result(
        f"{TICKERS} due times of a schedule whose ticker is killed at any line: firings lost or doubled",
        "0",
        "",
        [len(problems)],
        not problems,
        note=f"{fired.kills} killed",
    )
    found = interrupt_many(folder / "interruptions", interruptions, seed=1)
    problems = [*found.differing, *found.wrong]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.by_kind.items())
    yield Result(
        f"{found.interruptions} interruptions of seeded torch and XGBoost trainings: curves that differ, wrong ends",
        "0",
        "",
        [len(problems)],
        not problems,
        note=kinds,
    )
    yield Result(
        f"work done again after each of them, with checkpoints every {EVERY} s",
        "at most one interval",
        "s",
        found.redone,
        max(found.redone) <= EVERY,
    )
