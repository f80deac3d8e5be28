"""Rules for dates and date-times: whole microseconds since 1970 in int64, in UTC.

The calendar is computed as in http://howardhinnant.github.io/date_algorithms.html (civil_from_days).
"""

from __future__ import annotations

from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Value
from kernel_tools.wrangler.lowering.onnx_values import Group, rule

DAY = 86_400_000_000


def _moment(at: Group, name: str = "arg") -> Value:
    value = at.lowering.number(at[name])
    if value.kind != "moment":
        raise UnsupportedError(f"{type(at.node).__name__} of {value.kind}s has no rule")
    return value


class Calendar:
    """Numbers that are computed from numbers, each with one node."""

    def __init__(self, at: Group, like: Value) -> None:
        self.at, self.value = at, like

    def of(self, op: str, left: str, right: float | str, **more: Any) -> str:
        """Return the result of an operation of two numbers."""
        other = right if isinstance(right, str) else self.at.lowering.constant("number", [float(right)]).tensor
        return self.at.graph.add(op, left, other, **more)

    def floor(self, left: str, right: float) -> str:
        """Return a quotient, rounded down."""
        return self.at.graph.add("Floor", self.of("Div", left, right))

    def whole(self, op: str, left: str, right: int) -> str:
        """Return the result of an operation of two integers."""
        return self.at.graph.add(op, left, self.at.lowering.constant("moment", [right]).tensor)

    def past(self, unit: int) -> str:
        """Return the microseconds since a unit of time began."""
        return self.whole("Mod", self.value.tensor, unit)

    def days(self) -> str:
        """Return the days since 1970 as numbers, NaN where the moment is missing."""
        start = self.at.graph.add("Sub", self.value.tensor, self.past(DAY))
        days = self.at.graph.cast(self.whole("Div", start, DAY), "DOUBLE")
        return self.or_missing(days)

    def or_missing(self, tensor: str) -> str:
        """Return numbers, NaN where the moment is missing."""
        if not self.value.may_miss:
            return tensor
        is_missing = self.at.lowering.is_missing(self.value)
        return self.at.graph.add("Where", is_missing, self.at.lowering.missing("number"), tensor)

    def civil(self) -> tuple[str, str, str]:
        """Return year, month and day."""
        shifted = self.of("Add", self.days(), 719_468)
        era = self.floor(shifted, 146_097)
        day_of_era = self.of("Sub", shifted, self.of("Mul", era, 146_097))
        parts = self.of("Sub", day_of_era, self.floor(day_of_era, 1_460))
        parts = self.of("Add", parts, self.floor(day_of_era, 36_524))
        year_of_era = self.floor(self.of("Sub", parts, self.floor(day_of_era, 146_096)), 365)
        before = self.of("Add", self.of("Mul", year_of_era, 365), self.floor(year_of_era, 4))
        before = self.of("Sub", before, self.floor(year_of_era, 100))
        day_of_year = self.of("Sub", day_of_era, before)  # since the first of March
        place = self.floor(self.of("Add", self.of("Mul", day_of_year, 5), 2), 153)
        days = self.floor(self.of("Add", self.of("Mul", place, 153), 2), 5)
        day = self.of("Add", self.of("Sub", day_of_year, days), 1)
        month = self.of("Add", self.of("Mod", self.of("Add", place, 2), 12, fmod=1), 1)
        is_early = self.at.graph.cast(self.of("LessOrEqual", month, 2), "DOUBLE")
        year = self.of("Add", self.of("Add", year_of_era, self.of("Mul", era, 400)), is_early)
        return year, month, day

    def first_of_month(self, year: str, month: str) -> str:
        """Return the days from 1970 to the first of a month."""
        is_early = self.at.graph.cast(self.of("LessOrEqual", month, 2), "DOUBLE")
        year = self.of("Sub", year, is_early)
        place = self.of("Mod", self.of("Add", month, 9), 12, fmod=1)
        days = self.of("Add", self.floor(self.of("Add", self.of("Mul", place, 153), 2), 5), -719_468)
        for share, sign in ((4, "Add"), (100, "Sub"), (400, "Add")):
            days = self.of(sign, days, self.floor(year, share))
        return self.of("Add", days, self.of("Mul", year, 365))

    def january(self, year: str) -> str:
        """Return the days from 1970 to the first of January."""
        return self.first_of_month(year, self.at.lowering.constant("number", [1.0]).tensor)

    def weekday(self, days: str) -> str:
        """Return the day of the week, Monday is 0."""
        shifted = self.of("Add", days, 3)
        return self.of("Sub", shifted, self.of("Mul", self.floor(shifted, 7), 7))

    def clock(self, unit: int, count: int | None) -> str:
        """Return a part of the time of the day."""
        part = self.whole("Div", self.past(DAY), unit)
        part = part if count is None else self.whole("Mod", part, count)
        return self.or_missing(self.at.graph.cast(part, "DOUBLE"))

    def moment(self, days: str) -> str:
        """Return days since 1970 as moments."""
        # NaN has no integer: its place is taken before it is cast.
        safe = self.at.graph.add("Where", self.at.graph.add("IsNaN", days), self._zero(), days)
        moments = self.whole("Mul", self.at.graph.cast(safe, "INT64"), DAY)
        return self.missing_again(moments)

    def missing_again(self, moments: str) -> str:
        """Return moments, missing where the value is."""
        if not self.value.may_miss:
            return moments
        is_missing = self.at.lowering.is_missing(self.value)
        return self.at.graph.add("Where", is_missing, self.at.lowering.missing("moment"), moments)

    def _zero(self) -> str:
        return self.at.lowering.constant("number", [0.0]).tensor


def midnight(at: Group, value: Value) -> Value:
    """Return moments without the time of the day."""
    calendar = Calendar(at, value)
    start = at.graph.add("Sub", value.tensor, calendar.past(DAY))
    return at.like(calendar.missing_again(start), value, kind="moment")


@rule(ops.Date)
def date_of(at: Group) -> Value:
    """The day of a moment."""
    return midnight(at, _moment(at))


@rule(ops.ExtractYear, ops.ExtractMonth, ops.ExtractDay, ops.ExtractQuarter)
def part_of_date(at: Group) -> Value:
    """Year, month, day or quarter."""
    value = _moment(at)
    calendar = Calendar(at, value)
    year, month, day = calendar.civil()
    if isinstance(at.node, ops.ExtractQuarter):
        return at.like(calendar.floor(calendar.of("Add", month, 2), 3), value)
    found = {ops.ExtractYear: year, ops.ExtractMonth: month, ops.ExtractDay: day}
    return at.like(found[type(at.node)], value)


@rule(ops.ExtractDayOfYear)
def day_of_year(at: Group) -> Value:
    """The day of the year, from 1."""
    value = _moment(at)
    calendar = Calendar(at, value)
    first = calendar.january(calendar.civil()[0])
    return at.like(calendar.of("Add", calendar.of("Sub", calendar.days(), first), 1), value)


@rule(ops.DayOfWeekIndex)
def day_of_week(at: Group) -> Value:
    """The day of the week, Monday is 0."""
    value = _moment(at)
    calendar = Calendar(at, value)
    return at.like(calendar.weekday(calendar.days()), value)


@rule(ops.ExtractWeekOfYear)
def week_of_year(at: Group) -> Value:
    """The week of ISO 8601: that of its Thursday in the Thursday's year."""
    value = _moment(at)
    calendar = Calendar(at, value)
    days = calendar.days()
    thursday = calendar.of("Add", calendar.of("Sub", days, calendar.weekday(days)), 3)
    as_moment = Value("moment", calendar.moment(thursday), value.width, value.may_miss, value.is_constant)
    first = calendar.january(Calendar(at, as_moment).civil()[0])
    return at.like(calendar.of("Add", calendar.floor(calendar.of("Sub", thursday, first), 7), 1), value)


_CLOCK = {
    ops.ExtractHour: (3_600_000_000, None),
    ops.ExtractMinute: (60_000_000, 60),
    ops.ExtractSecond: (1_000_000, 60),
}


@rule(*_CLOCK)
def part_of_day(at: Group) -> Value:
    """Hour, minute or second."""
    value = _moment(at)
    return at.like(Calendar(at, value).clock(*_CLOCK[type(at.node)]), value)


@rule(ops.ExtractEpochSeconds)
def epoch_seconds(at: Group) -> Value:
    """Whole seconds since 1970, rounded down."""
    value = _moment(at)
    calendar = Calendar(at, value)
    start = at.graph.add("Sub", value.tensor, calendar.past(1_000_000))
    seconds = at.graph.cast(calendar.whole("Div", start, 1_000_000), "DOUBLE")
    return at.like(calendar.or_missing(seconds), value)


_UNITS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "D": DAY}


@rule(ops.TimestampTruncate, ops.DateTruncate, single=True)
def truncated(at: Group) -> Value:
    """The start of a unit of time."""
    value, unit = _moment(at), at.node.unit.short
    calendar = Calendar(at, value)
    if unit in _UNITS:
        start = at.graph.add("Sub", value.tensor, calendar.past(_UNITS[unit]))
        return at.like(calendar.missing_again(start), value, kind="moment")
    if unit == "W":
        days = calendar.days()
        return at.like(calendar.moment(calendar.of("Sub", days, calendar.weekday(days))), value, kind="moment")
    year, month, _ = calendar.civil()
    if unit == "Q":
        quarter = calendar.floor(calendar.of("Sub", month, 1), 3)
        month = calendar.of("Add", calendar.of("Mul", quarter, 3), 1)
    elif unit == "Y":
        return at.like(calendar.moment(calendar.january(year)), value, kind="moment")
    elif unit != "M":
        raise UnsupportedError(f"moments cannot be cut to {at.node.unit} in a graph")
    return at.like(calendar.moment(calendar.first_of_month(year, month)), value, kind="moment")


@rule(ops.DateDelta, single=True)
def days_between(at: Group) -> Value:
    """Midnights between two dates."""
    if getattr(at.node.part, "value", None) != "day":
        raise UnsupportedError("only days between dates have a rule")
    left, right = _moment(at, "left"), _moment(at, "right")
    first, second = Calendar(at, left).days(), Calendar(at, right).days()
    return at.like(at.graph.add("Sub", first, second), left, right)


@rule(ops.DateFromYMD, single=True)
def made_date(at: Group) -> Value:
    """A date that is written out."""
    parts = [at.node.year, at.node.month, at.node.day]
    if not all(isinstance(part, ops.Literal) for part in parts):
        raise UnsupportedError("a date has to be written out")
    from datetime import date

    from kernel_tools.wrangler.lowering.onnx_values import microseconds

    return at.lowering.constant("moment", [microseconds(date(*(part.value for part in parts)))])


@rule(ops.TimestampFromUNIX, single=True)
def from_unix(at: Group) -> Value:
    """Numbers since 1970 as moments."""
    value = at.number("arg")
    size = {"s": 1_000_000, "ms": 1_000, "us": 1}[at.node.unit.short]
    calendar = Calendar(at, value)
    is_missing = at.graph.add("IsNaN", value.tensor)
    safe = at.graph.add("Where", is_missing, at.lowering.constant("number", [0.0]).tensor, value.tensor)
    moments = calendar.whole("Mul", at.graph.cast(safe, "INT64"), size)
    tensor = at.graph.add("Where", is_missing, at.lowering.missing("moment"), moments)
    return at.like(tensor, value, kind="moment")
