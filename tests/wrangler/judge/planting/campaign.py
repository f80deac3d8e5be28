"""Plant defects one at a time, let the checks look, and judge what they say by what was written down before.

A finding that the table did not have before the planting is right if it is the planted one, if it is one that follows
from it, or if it is counted by the oracle; any other new finding is wrong. A planted defect is seen only by a finding
that was not there before. What the checks say of the untouched table is right if the oracle counts it, or if it is in
the table's list of known defects. A finding of the oracle that the checks do not have there is missed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from kernel_tools.wrangler.checks import insights
from kernel_tools.wrangler.engine import Engine
from tests.wrangler.judge.planting.defects import DEFECTS, Planted
from tests.wrangler.judge.planting.oracle import COUNTING, counted
from tests.wrangler.judge.planting.tables import BASES, Base

Found = set[tuple[str, str]]


@dataclass
class Tally:
    """How it went, for one kind of defect or for the untouched tables."""

    name: str
    planted: int = 0
    seen: int = 0
    right: int = 0
    wrong: int = 0
    missed: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def judge(self, where: str, found: Found, truth: Found) -> None:
        """Count findings as right or wrong."""
        for check, columns in sorted(found):
            if (check, columns) in truth:
                self.right += 1
            else:
                self.wrong += 1
                self.alarms.append(f"{where}: {check} {columns}")


def look(frame: pd.DataFrame, target: str, seed: int, **options: str) -> Found:
    """Return what the checks find, as ``(check, columns joined by commas)``."""
    with Engine() as engine:
        engine.register(pa.Table.from_pandas(frame, preserve_index=False), "t")
        engine.connection.execute("CREATE TABLE data AS FROM t")
        report = insights(engine, "data", target=target, seed=seed, **options)
        return {(finding.check, ",".join(finding.columns)) for finding in report}


def generator_of(base: Base, seed: int, kind: str) -> np.random.Generator:
    """Return the chance of one planting."""
    return np.random.default_rng([seed, zlib.crc32(base.name.encode()), zlib.crc32(kind.encode())])


def run(seeds: Iterable[int], bases: Iterable[Base] = BASES, tables_per_seed: int = 1) -> Iterator[Tally]:
    """Yield the tally of the untouched tables, then of every kind; each kind goes to some tables for every seed."""
    seeds, there = list(seeds), [base for base in bases if base.path is not None]
    before: dict[tuple[str, int], Found] = {}
    untouched = Tally("untouched tables")
    for seed in seeds:
        for base in there:
            frame = base.sample(seed)
            found = before[base.name, seed] = look(frame, base.target, seed)
            truth = counted(frame, base.target)
            untouched.judge(f"{base.name} {seed}", found, truth | base.known)
            untouched.planted += len(truth)
            untouched.seen += len(truth & found)
            untouched.missed += [f"{base.name} {seed}: {check} {columns}" for check, columns in sorted(truth - found)]
    yield untouched
    for plant, fits in DEFECTS:
        tally = Tally(plant.__name__)
        able = [base for base in there if fits(base)]
        for place, seed in enumerate(seeds):
            for turn in range(min(tables_per_seed, len(able))):
                base = able[(place * tables_per_seed + turn) % len(able)]
                planted = plant(base.sample(seed), base, generator_of(base, seed, plant.__name__))
                _judge(tally, base, seed, planted, before[base.name, seed])
        yield tally


def _judge(tally: Tally, base: Base, seed: int, planted: Planted, before: Found) -> None:
    found = look(planted.frame, base.target, seed, **planted.options)
    where = f"{tally.name} in {base.name} {seed}"
    tally.planted += 1
    if (planted.check, planted.columns) in found - before:
        tally.seen += 1
    else:
        tally.missed.append(where)
    touched = {*planted.columns.split(","), base.target, ""}
    follows = {
        (check, columns)
        for check, columns in found
        if check in planted.follows and (touched & set(columns.split(",")) or planted.check == "anomalous_rows")
    }
    truth = follows | {(planted.check, planted.columns)}
    truth |= {pair for pair in counted(planted.frame, base.target) if pair[0] in COUNTING}
    tally.judge(where, found - before, truth)
