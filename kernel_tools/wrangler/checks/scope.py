"""What the checks look at: a table, what it is for, and what several checks need, computed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.checks.features import Features, Rows, Target, Task, make_features, read_target, take_rows
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.profiling import ColumnProfile, profile

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from kernel_tools.wrangler.checks.predictive_power import Power

MODEL_ROWS = 20_000
"""Rows that checks which train models take by chance, unless told otherwise."""


class SkippedError(Exception):
    """A check that has nothing to look at; the text says why."""


@dataclass
class Scope:
    """A table and what it is for.

    Attributes
    ----------
    target, task
        The column that is to be predicted, and how.
    splits
        The column that says which part (train, test) a row belongs to.
    event_time
        The column with the time at which a prediction would be made.
    rows, seed
        How many rows models take by chance.
    notes
        What the checks did not look at.
    """

    engine: Engine
    table: str
    target: str | None = None
    task: Task | None = None
    splits: str | None = None
    event_time: str | None = None
    rows: int = MODEL_ROWS
    seed: int = 0
    notes: list[str] = field(default_factory=list)

    @cached_property
    def data(self) -> ir.Table:
        """The table."""
        return self.engine.table(self.table)

    @cached_property
    def profiles(self) -> dict[str, ColumnProfile]:
        """The profile of each column."""
        return {found.name: found for found in profile(self.engine, self.table, top=20)}

    @property
    def total(self) -> int:
        """How many rows the table has."""
        return next((found.n for found in self.profiles.values()), 0)

    def of_kind(self, *kinds: str) -> Iterator[ColumnProfile]:
        """Yield the profiles of columns of these kinds that have values."""
        return (found for found in self.profiles.values() if found.kind in kinds and found.count)

    def first(self, expression: ir.Table) -> dict[str, Any]:
        """Compute the only row of an expression."""
        row: dict[str, Any] = self.engine.arrow(expression).to_pylist()[0]
        return row

    def aggregate(self, table: ir.Table | None = None, **values: Any) -> dict[str, Any]:
        """Compute aggregates in one pass; none gives an empty dictionary."""
        return self.first((self.data if table is None else table).aggregate(**values)) if values else {}

    @cached_property
    def sample(self) -> Rows:
        """Rows for models, all columns."""
        return take_rows(self.engine, self.table, self.data.columns, rows=self.rows, seed=self.seed)

    @property
    def inputs(self) -> list[str]:
        """The columns that may predict something: all but the target and the parts."""
        return [name for name in self.data.columns if name not in (self.target, self.splits)]

    @cached_property
    def features(self) -> Features:
        """The inputs of `sample` as a matrix."""
        return make_features(self.engine, self.table, self.sample, self.inputs)

    @cached_property
    def aim(self) -> Target:
        """The target of `sample`; SkippedError without one."""
        return read_target(self.engine, self.table, self.sample, self.require_target(), self.task)

    @cached_property
    def power(self) -> list[Power]:
        """How well each input predicts the target."""
        from kernel_tools.wrangler.checks.predictive_power import predictive_power

        return predictive_power(
            self.engine,
            self.table,
            self.require_target(),
            self.inputs,
            task=self.task,
            rows=self.rows,
            seed=self.seed,
        )

    def require_target(self) -> str:
        """Return the target; SkippedError without one."""
        if self.target is None:
            raise SkippedError("no target was given")
        return self.target


def share_words(count: int, total: int) -> str:
    """Say a part of a whole, as in "120 of 4,000 rows (3 %)"."""
    return f"{count:,} of {total:,} rows ({percent(count / total if total else 0)})"


def percent(share: float) -> str:
    """Say a share in percent with two digits that count."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def number(value: Any) -> str:
    """Say a number with four digits that count."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
