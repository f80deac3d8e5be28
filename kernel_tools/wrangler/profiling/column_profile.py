"""What is known of a column; values are what JSON can hold, dates and times are ISO 8601 text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from kernel_tools.wrangler.kinds import Kind

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges: a bin holds its lower edge and not its upper one, but the last bin holds both.

    Whole numbers that span fewer values than there are bins have a bin each; the last edge is then the one after.
    """

    edges: list[Value]
    counts: list[int]


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value and how many rows have it."""

    value: Value
    count: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """The lengths of texts, in characters."""

    minimum: int
    mean: float
    maximum: int


@dataclass(frozen=True, slots=True)
class TextPattern:
    """The shape that most texts have, as in ``{digits:5}-{letters:2}``.

    Attributes
    ----------
    pattern
        Runs of ``{digits}``, ``{letters}``, ``{space}`` with their lengths, and the other characters as they are.
    share
        Of the values that were looked at, how many have this shape (0 to 1).
    n
        How many distinct values were looked at.
    is_exact
        Whether these were all that there are.
    """

    pattern: str
    share: float
    n: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is known of a column.

    Attributes
    ----------
    name, type, kind
        Its name, its type in Ibis's words, the kind that decides what can be done to it.
    n
        How many rows were looked at.
    count, missing
        How many rows have a value, and how many have none; NaN is none.
    invalid
        Of `count`, texts that are empty or only white space, and infinite numbers.
    distinct, unique
        How many different values there are, and how many of them occur once; of numbers, the finite ones.
    minimum, maximum
        The smallest and largest finite number, date, or text (by code points).
    mean, std, skew, kurtosis
        Of finite numbers; the standard deviation with n - 1, skew and excess kurtosis without bias, as pandas has
        them. None where there are too few values or they are all equal. `mean` of a boolean is the share of true.
    zeros, negatives
        How many numbers are zero, and how many below it.
    quantiles
        By their order as text ("0", "0.01", ..., "1"), interpolated linearly; of finite numbers, dates and date-times.
    histogram
        Of finite numbers, dates and date-times.
    top
        The most frequent values, ties by value.
    lengths, pattern
        Of texts.
    approximate
        Whether anything of these is not exact; this profiler is exact in all but `pattern`, which says so itself.
    """

    name: str
    type: str
    kind: Kind
    n: int
    count: int
    missing: int
    invalid: int = 0
    distinct: int = 0
    unique: int = 0
    minimum: Value = None
    maximum: Value = None
    mean: float | None = None
    std: float | None = None
    skew: float | None = None
    kurtosis: float | None = None
    zeros: int | None = None
    negatives: int | None = None
    quantiles: dict[str, Value] = field(default_factory=dict)
    histogram: Histogram | None = None
    top: list[TopValue] = field(default_factory=list)
    lengths: Lengths | None = None
    pattern: TextPattern | None = None
    approximate: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self)
