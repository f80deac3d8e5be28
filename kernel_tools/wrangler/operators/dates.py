"""The operator that takes dates apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

Part = Literal[
    "year", "quarter", "month", "week", "day", "day_of_year", "day_of_week", "is_weekend", "hour", "minute", "second"
]

_PERIODS = {"quarter": 4, "month": 12, "week": 53, "day": 31, "day_of_year": 366, "day_of_week": 7, "hour": 24,
            "minute": 60, "second": 60}  # fmt: skip
_FIRST_IS_ONE = frozenset({"quarter", "month", "week", "day", "day_of_year"})
_OF_A_DAY = frozenset({"hour", "minute", "second"})


class DateParts(Operator):
    """Add columns for parts of dates and date-times.

    ``ordinal`` adds the numbers: months, quarters and days from 1, the day of the week from 0 (Monday), the week of ISO
    8601, hours, minutes and seconds from 0. ``cyclic`` adds sine and cosine of the part's place in its period, so that
    December is next to January; a year and is_weekend have no period and stay numbers.
    """

    op = "date_parts"
    title = "Date parts"
    family = "dates"

    columns: list[str] = pick_columns("date", "datetime", description="The columns.")
    parts: list[Part] = Field(["year", "month", "day_of_week"], min_length=1, description="Which parts.")
    mode: Literal["ordinal", "cyclic"] = Field("ordinal", description="As numbers, or as sine and cosine.")
    keep_original: bool = Field(True, description="Keep the column itself too.")

    def sentence(self) -> str:
        """Name columns and parts."""
        return f"Take {', '.join(self.parts).replace('_', ' ')} of {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse the hours of days."""
        super().check(*schemas)
        for name in self.columns:
            wrong = sorted(_OF_A_DAY.intersection(self.parts))
            if wrong and kind_of(schemas[0][name]) == "date":
                raise StepError(f"{name!r} holds dates, which have no {' and no '.join(wrong)}.", field="parts")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take the parts."""
        table, new = tables[0], {}
        for name in self.columns:
            for part in self.parts:
                number = _number(table[name], part)
                if self.mode == "ordinal" or part not in _PERIODS:
                    new[f"{name}_{part}"] = number
                    continue
                place = number - 1 if part in _FIRST_IS_ONE else number
                angle = place.cast("float64") * (2 * math.pi / _PERIODS[part])
                new[f"{name}_{part}_sin"], new[f"{name}_{part}_cos"] = angle.sin(), angle.cos()
        taken = with_columns(table, new)
        return taken if self.keep_original else taken.drop(*self.columns)


def _number(moment: Any, part: str) -> Any:
    if part == "day_of_week":
        return moment.day_of_week.index().cast("int64")
    if part == "is_weekend":
        return (moment.day_of_week.index() >= 5).cast("int64")
    if part == "week":
        return moment.week_of_year().cast("int64")
    return getattr(moment, part)().cast("int64")
