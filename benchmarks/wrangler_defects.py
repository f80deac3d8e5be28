"""Planted defects: how many of them the checks of the wrangler find, and how much of what they say is so."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.harness import Result
from tests.wrangler.judge.planting.campaign import Tally
from tests.wrangler.judge.planting.campaign import run as plant
from tests.wrangler.judge.planting.tables import BASES

SEEDS = range(100, 105)
_RECALL, _PRECISION = 0.95, 0.85


def run() -> Iterator[Result]:
    """Run the campaign: the untouched tables first, then every kind of defect.

    ``ATELIER_DATA`` names the folder with the tables; without it there is Adult only.
    """
    there = [base.name for base in BASES if base.path is not None]
    untouched, *kinds = plant(SEEDS)
    _say(untouched)
    yield Result(
        f"untouched {', '.join(there)}: share of what an oracle counts that is found",
        f"at least {_RECALL}",
        "",
        [untouched.seen / untouched.planted],
        untouched.seen >= _RECALL * untouched.planted,
        note=f"{untouched.planted} facts; {untouched.wrong} findings that nobody wrote down before",
    )
    for tally in kinds:
        _say(tally)
        yield Result(
            f"defect: {tally.name}",
            "",
            "",
            [tally.seen / tally.planted],
            tally.seen >= _RECALL * tally.planted,
            note=f"{tally.wrong} false alarms" if tally.wrong else "",
        )
    planted, seen = sum(tally.planted for tally in kinds), sum(tally.seen for tally in kinds)
    right, wrong = sum(tally.right for tally in kinds), sum(tally.wrong for tally in kinds)
    yield Result(
        f"{planted} planted defects of {len(kinds)} kinds: share found",
        f"at least {_RECALL}",
        "",
        [seen / planted],
        seen >= _RECALL * planted,
    )
    yield Result(
        "findings that came with a planted defect: share that is so",
        f"at least {_PRECISION}",
        "",
        [right / (right + wrong)],
        right >= _PRECISION * (right + wrong),
    )
    alarms = untouched.wrong + wrong
    every = untouched.right + right + alarms
    yield Result(
        "all findings, those of untouched tables too: share that is so",
        f"at least {_PRECISION}",
        "",
        [1 - alarms / every],
        alarms <= (1 - _PRECISION) * every,
    )


def _say(tally: Tally) -> None:
    for line in (*(f"missed: {one}" for one in tally.missed), *(f"false alarm: {one}" for one in tally.alarms)):
        print(line, file=sys.stderr)
