"""How the JSON values of one column become an array of its dtype, and what is said about a value that does not fit."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any

from kernel_tools.core.signature import Column, ColumnType

MAX_SHOWN = 60
MAX_CATEGORIES_SHOWN = 10


Maker = Callable[["ColumnReader", list[Any]], Any]
"""Makes another array of values that fit than pandas', such as what ONNX Runtime is fed with."""


class NotGiven:
    """Stands in for the value of a row that lacks the column."""


def show_value(value: Any) -> str:
    """Return a value as a short text for a message, in JSON's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:
        return "a whole number of more than 60 digits"
    if isinstance(value, dict | list | tuple):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)} item{'s' * (len(value) != 1)}"
    shown = repr(value)
    return shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 3] + "..."


class ColumnReader(ABC):
    """Reads the values of one column. A subclass says what fits (`refuse`, `clean`) and makes the array (`build`).

    Values of the types in `fast_types` go straight to `build`; anything else, and anything that `build` fails on, is
    looked at value by value.
    """

    expected = ""
    fast_types: frozenset[type] = frozenset()

    def __init__(self, column: Column) -> None:
        self.column = column
        self.maker: Maker | None = None
        if column.nullable:
            self.fast_types = self.fast_types | {type(None)}

    def read(self, values: list[Any], problems: list[str], limit: int) -> Any:
        """Return the array, or None after adding what is wrong to `problems`, until that holds `limit` of them."""
        if self.fast_types.issuperset(map(type, values)):
            try:
                return self.make(values)
            except (ValueError, OverflowError):
                pass  # the search below finds the value and says what is wrong with it
        found = len(problems)
        for row, value in enumerate(values):
            reason = self._refuse(value)
            if reason:
                shown = "" if value is NotGiven else f" {show_value(value)}"
                problems.append(f"Row {row}, column {self.column.name!r}:{shown} {reason}")
                if len(problems) >= limit:
                    break
        if len(problems) > found:
            return None
        return self.make([None if value is None else self.clean(value) for value in values])

    def make(self, values: list[Any]) -> Any:
        """Make the array as `maker` does, or else as `build` does; ValueError or OverflowError if a value is beyond."""
        return self.build(values) if self.maker is None else self.maker(self, values)

    def _refuse(self, value: Any) -> str:
        if value is NotGiven:
            return f"the value is missing. Send {self.expected}{' or null' if self.column.nullable else ''}."
        if value is None:
            return "" if self.column.nullable else f"is not allowed here. Send {self.expected}."
        return self.refuse(value)

    @abstractmethod
    def refuse(self, value: Any) -> str:
        """Say why a value does not fit and what to do, as the end of a sentence; empty if it fits."""

    def clean(self, value: Any) -> Any:
        """Return a value that fits in the type that `build` takes."""
        return value

    @abstractmethod
    def build(self, values: list[Any]) -> Any:
        """Make pandas' array; ValueError or OverflowError if a value is beyond the dtype."""

    def _mismatch(self, value: Any) -> str:
        if isinstance(value, str) and self.column.type in (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN):
            return f"is text. Send {self.expected}, without quotes."
        kinds: dict[type, str] = {str: "text", bool: "a boolean", int: "a number", float: "a number"}
        kind = kinds.get(type(value))
        return f"is {kind}. Send {self.expected}." if kind else f"does not fit. Send {self.expected}."


class LongReader(ColumnReader):
    """Whole numbers, within the range of the dtype."""

    expected = "a whole number"
    fast_types = frozenset({int})

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        import numpy as np

        self._dtype = column.dtype or ("Int64" if column.nullable else "int64")
        self._is_plain = not column.nullable
        digits = self._dtype.lower().removesuffix("[pyarrow]")
        limits = np.iinfo(np.int64 if digits in ("object", "long") else digits)
        self._minimum, self._maximum = int(limits.min), int(limits.max)

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._mismatch(value)
        if isinstance(value, float) and not value.is_integer():
            return f"is not a whole number. Send {self.expected}."
        if not self._minimum <= value <= self._maximum:
            return f"is out of range. Send a whole number from {self._minimum} to {self._maximum}."
        return ""

    def clean(self, value: Any) -> int:
        """See `ColumnReader`."""
        return int(value)

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        import numpy as np

        if self._is_plain:
            return np.array(values, dtype=self._dtype)
        if any(value is not None and not self._minimum <= value <= self._maximum for value in values):
            raise OverflowError
        return build_array(values, self._dtype)


class DoubleReader(ColumnReader):
    """Finite numbers; a missing one is NaN."""

    expected = "a number"
    fast_types = frozenset({int, float})

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._dtype = column.dtype or "float64"
        self._is_plain = self._dtype in ("float16", "float32", "float64")

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        import numpy as np

        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._mismatch(value)
        if isinstance(value, float) and not math.isfinite(value):
            return "is not finite. Send a finite number, or null where it is not known."
        kind = self._dtype.lower().removesuffix("[pyarrow]")
        limit = float(np.finfo(kind if kind in ("float16", "float32") else "float64").max)
        return "" if abs(value) <= limit else f"is out of range for {self._dtype}."

    def clean(self, value: Any) -> float:
        """See `ColumnReader`."""
        return float(value)

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        import numpy as np

        with np.errstate(over="ignore"):
            array = np.array(values, dtype=self._dtype if self._is_plain else "float64")
        if len(values) - np.count_nonzero(np.isfinite(array)) != values.count(None):
            raise ValueError
        return array if self._is_plain else build_array(values, self._dtype)


class BooleanReader(ColumnReader):
    """true and false."""

    expected = "true or false"
    fast_types = frozenset({bool})

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        return "" if isinstance(value, bool) else self._mismatch(value)

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        return build_array(values, self.column.dtype or ("boolean" if self.column.nullable else "bool"))


class StringReader(ColumnReader):
    """Text."""

    expected = "text"
    fast_types = frozenset({str})

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        return "" if isinstance(value, str) else self._mismatch(value)

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        return build_array(values, self.column.dtype or "str")


class DatetimeReader(ColumnReader):
    """Dates and times in ISO 8601; with an offset exactly if the column has a time zone."""

    fast_types = frozenset()

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._dtype = column.dtype or "datetime64[us]"
        self._has_zone = "," in self._dtype
        self.expected = f"an ISO 8601 date such as '2024-01-31T12:00:00{'Z' if self._has_zone else ''}'"

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        if not isinstance(value, str):
            return self._mismatch(value)
        try:
            has_offset = datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            return f"is not a date. Send {self.expected}."
        if has_offset != self._has_zone:
            return f"{'has a' if has_offset else 'has no'} time zone offset. Send {self.expected}."
        try:
            self.make([value])
        except (ValueError, OverflowError):
            return f"cannot be held as {self._dtype}. Send {self.expected}."
        return ""

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        import pandas as pd

        return pd.to_datetime(values, format="ISO8601", utc=self._has_zone or None).astype(self._dtype)


class CategoryReader(ColumnReader):
    """The categories of the training data, in their order."""

    def __init__(self, column: Column) -> None:
        self._allowed = _READERS[column.type].fast_types
        if column.type is ColumnType.DOUBLE or column.type is ColumnType.LONG:
            self._allowed = frozenset({int, float})
        self.fast_types = self._allowed
        super().__init__(column)
        categories = column.categories or []
        self._codes: dict[Any, int] = {value: code for code, value in enumerate(categories)}
        self._codes[None] = -1
        shown = ", ".join(show_value(value) for value in categories[:MAX_CATEGORIES_SHOWN])
        rest = len(categories) - MAX_CATEGORIES_SHOWN
        self.expected = f"one of {shown}" + (f" and {rest} more" if rest > 0 else "")

    def refuse(self, value: Any) -> str:
        """See `ColumnReader`."""
        if type(value) not in self._allowed:
            return self._mismatch(value)
        return "" if value in self._codes else f"is not a known category. Send {self.expected}."

    def codes(self, values: list[Any]) -> list[int]:
        """Return the positions of values among the categories, -1 for None; ValueError if one is no category."""
        codes = [self._codes.get(value, -2) for value in values]
        if -2 in codes:
            raise ValueError
        return codes

    def build(self, values: list[Any]) -> Any:
        """See `ColumnReader`."""
        import pandas as pd

        return pd.Categorical.from_codes(self.codes(values), dtype=self._dtype, validate=False)

    @functools.cached_property
    def _dtype(self) -> Any:
        import pandas as pd

        categories = self.column.categories or []
        is_text = self.column.type is ColumnType.STRING
        return pd.CategoricalDtype(pd.Index(categories, dtype="str") if is_text else categories, self.column.is_ordered)


_READERS: dict[ColumnType, type[ColumnReader]] = {
    ColumnType.BOOLEAN: BooleanReader,
    ColumnType.LONG: LongReader,
    ColumnType.DOUBLE: DoubleReader,
    ColumnType.STRING: StringReader,
    ColumnType.DATETIME: DatetimeReader,
}


def column_reader(column: Column) -> ColumnReader:
    """Make the reader of a column."""
    return CategoryReader(column) if column.categories is not None else _READERS[column.type](column)


def build_array(values: list[Any], dtype: str) -> Any:
    """Make a one-dimensional array of any pandas dtype."""
    import numpy as np
    import pandas as pd

    if dtype == "object":
        return pd.Series(values, dtype=object)  # as an array, pandas would make text of it again
    return np.array(values, dtype=bool) if dtype == "bool" else pd.array(values, dtype=dtype)
