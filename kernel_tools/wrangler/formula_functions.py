"""The functions, conversions and divisions of formulas: what each takes, and the Ibis value that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.kinds import KIND_WORDS, Kind, kind_of

TYPES = {
    "BIGINT": "int64",
    "INT": "int64",
    "INTEGER": "int64",
    "DOUBLE": "float64",
    "FLOAT": "float64",
    "REAL": "float64",
    "TEXT": "string",
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "DATETIME": "timestamp",
}
"""The types of ``CAST(x AS type)``, and what they are called elsewhere."""

WHOLE_NUMBER = r"^\s*([+-]?[0-9]{1,18})(\.0*)?\s*$"
NUMBER = r"^\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?)\s*$"
DATE = r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})([ T].*)?$"
TIMESTAMP = r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?)Z?\s*$"
"""What text has to look like to be converted; the first group is the value."""

TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


class FunctionError(InvalidArgumentError):
    """A function that does not take what it was given."""


def converted(value: Any, dtype: str) -> Any:
    """Return a value as another type; what cannot be converted becomes NULL.

    Text becomes a number if it is one (spaces around it do not count), a whole number only without decimals; a date or
    date-time if it is one of ISO 8601 without a zone or in UTC; true or false if it is one of `TRUE_WORDS` and
    `FALSE_WORDS` in any case. Numbers become whole numbers by dropping the decimals, true unless they are 0; true and
    false become 1 and 0. Date-times become dates by dropping the time; other values become the text of ISO 8601, of
    SQL.

    Parameters
    ----------
    value
        Any column or value.
    dtype
        int64, float64, string, boolean, date or timestamp.

    Raises
    ------
    FunctionError
        If there is no such conversion.
    """
    kind = kind_of(value.type())
    if dtype not in _CONVERSIONS.get(kind, ()):
        raise FunctionError(f"{KIND_WORDS[kind].capitalize()} cannot be converted to {dtype}.")
    if kind == "string":
        return _from_text(value, dtype)
    if kind == "number" and dtype == "int64":
        return value.cast("int64") if value.type().is_integer() else _truncated(value)
    if kind == "number" and dtype == "boolean":
        return value != 0
    if kind == "boolean" and dtype == "float64":
        return value.cast("int64").cast("float64")
    if kind == "boolean" and dtype == "string":
        return ibis.cases((value, "true"), (~value, "false"))
    return value if value.type().copy(nullable=True) == ibis.dtype(dtype) else value.cast(dtype)


_CONVERSIONS: dict[Kind, tuple[str, ...]] = {
    "number": ("int64", "float64", "string", "boolean"),
    "string": ("int64", "float64", "string", "boolean", "date", "timestamp"),
    "boolean": ("int64", "float64", "string", "boolean"),
    "date": ("string", "date", "timestamp"),
    "datetime": ("string", "date", "timestamp"),
    "time": ("string",),
}


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def try_strptime(text: str, format: str) -> datetime:
    """Read text as a date-time in a format; NULL if it does not fit. A function of DuckDB."""
    raise NotImplementedError


def _from_text(value: ir.StringValue, dtype: str) -> Any:
    if dtype == "string":
        return value
    if dtype == "boolean":
        word = value.strip().lower()
        return ibis.cases((word.isin(TRUE_WORDS), True), (word.isin(FALSE_WORDS), False))
    pattern = {"int64": WHOLE_NUMBER, "float64": NUMBER, "date": DATE, "timestamp": TIMESTAMP}[dtype]
    return value.re_extract(pattern, 1).nullif("").try_cast(dtype)


def _truncated(value: ir.NumericValue) -> Any:
    cut = ibis.cases((value < 0, value.ceil()), else_=value.floor())
    return (value.abs() < 2.0**63).ifelse(cut, None).cast("int64")


def quotient(sign: str, left: Any, right: Any) -> Any:
    """Return the value of ``/``, ``//`` or ``%``: NULL where the second number is 0."""
    written = right.op()
    if not isinstance(written, ibis.expr.operations.Literal) or written.value == 0:
        right = right.nullif(0)
    return {"/": lambda: left / right, "//": lambda: left // right, "%": lambda: left % right}[sign]()


def _only_where(test: Any, value: Any) -> Any:
    return test.ifelse(value, None)


def _power(base: Any, exponent: Any) -> Any:
    raised = base.cast("float64") ** exponent
    written = exponent.op()
    if isinstance(written, ibis.expr.operations.Literal) and float(written.value).is_integer() and written.value >= 0:
        return raised
    return _only_where(~(raised.isnan() | raised.isinf()), raised)


def _log(value: Any, base: Any = None) -> Any:
    if base is None:
        return _only_where(value > 0, value.log10())
    written = base.op()
    if isinstance(written, ibis.expr.operations.Literal) and written.value > 0 and written.value != 1:
        return _only_where(value > 0, value.ln() / base.ln())
    return _only_where((value > 0) & (base > 0) & (base != 1), value.ln() / base.ln())


def _log_of_base(first: Any, second: Any = None) -> Any:
    """SQL writes the base first: log(2, x)."""
    return _log(first) if second is None else _log(second, first)


def _count(value: Any, what: str, least: int = 0, most: int = 1_000_000_000) -> int:
    written = value.op() if value is not None else None
    if not isinstance(written, ibis.expr.operations.Literal) or not isinstance(written.value, int):
        raise FunctionError(f"{what} has to be a whole number that is written out.")
    if not least <= written.value <= most:
        raise FunctionError(f"{what} has to be from {least} to {most}.")
    return int(written.value)


def _written(value: Any, what: str) -> str:
    written = value.op() if value is not None else None
    if not isinstance(written, ibis.expr.operations.Literal) or not isinstance(written.value, str):
        raise FunctionError(f"{what} has to be text that is written out.")
    return str(written.value)


def _extracted(text: Any, pattern: Any, group: Any = None) -> Any:
    written = _pattern(pattern)
    groups = re.compile(written).groups
    return text.re_extract(written, 0 if group is None else _count(group, "The group of the pattern", 0, groups))


def _replaced(text: Any, pattern: Any, new: Any) -> Any:
    return text.re_replace(_pattern(pattern, new), _written(new, "What is put in"))


def _pattern(value: Any, new: Any = None) -> str:
    """Return a regular expression that RE2, which DuckDB has, knows as well as Python."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = _written(value, "A pattern")
    try:
        re.compile(pattern)
        replacement = "" if new is None else _written(new, "What is put in")
        pc.replace_substring_regex(pa.array([""]), pattern=pattern, replacement=replacement)
    except (re.error, pa.ArrowInvalid) as error:
        raise FunctionError(f"The pattern {pattern!r} cannot be used: {str(error).rstrip('.')}.") from error
    return pattern


def _substring(text: Any, start: Any, length: Any = None) -> Any:
    first = _count(start, "Where a part of text starts", 1)
    return text.substr(first - 1) if length is None else text.substr(first - 1, _count(length, "The length of a part"))


def _truncated_date(unit: Any, moment: Any) -> Any:
    name = _written(unit, "The unit of date_trunc").lower()
    if name not in _UNITS:
        raise FunctionError(f"date_trunc knows no {name!r}. There are: {', '.join(_UNITS)}.")
    return moment.truncate(_UNITS[name])


_UNITS = {"year": "Y", "quarter": "Q", "month": "M", "week": "W", "day": "D", "hour": "h", "minute": "m", "second": "s"}


def _days_between(first: Any, second: Any) -> Any:
    return second.cast("date").epoch_days() - first.cast("date").epoch_days()


@dataclass(frozen=True)
class Function:
    """A function of formulas.

    Attributes
    ----------
    build
        Makes the value of the values of its arguments.
    kinds
        What each argument may be; the last one stands for all that follow. None is anything.
    least, most
        How many arguments it takes.
    is_of_one_type
        Whether all arguments are brought to one type first, and may be NULL.
    says
        What it does, for the studio and the documentation.
    """

    name: str
    build: Callable[..., Any]
    kinds: tuple[tuple[Kind, ...] | None, ...]
    least: int
    most: int
    says: str
    is_of_one_type: bool = False

    def __call__(self, *arguments: Any) -> Any:
        """Return the value.

        Raises
        ------
        FunctionError
            If the arguments are too few, too many or of a wrong kind.
        """
        if not self.least <= len(arguments) <= self.most:
            wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            raise FunctionError(f"{self.name} takes {wanted} arguments, here are {len(arguments)}. {self.says}")
        for place, argument in enumerate(arguments):
            kinds = self.kinds[min(place, len(self.kinds) - 1)]
            if argument is None and not self.is_of_one_type:
                raise FunctionError(f"{self.name} cannot be computed of NULL.")
            if kinds and argument is not None and kind_of(argument.type()) not in kinds:
                wanted = " or ".join(KIND_WORDS[kind] for kind in kinds)
                held = KIND_WORDS[kind_of(argument.type())]
                raise FunctionError(f"{self.name} needs {wanted} as argument {place + 1}, here are {held}. {self.says}")
        return self.build(*arguments)


_ANY, _NUMBER, _TEXT, _BOOLEAN = None, ("number",), ("string",), ("boolean",)
_DATE, _MOMENT = ("date", "datetime"), ("datetime", "time")


def _functions() -> dict[str, Function]:
    table: list[tuple[str, Callable[..., Any], tuple[Any, ...], int, int, str]] = [
        ("abs", lambda x: x.abs(), (_NUMBER,), 1, 1, "abs(x): without the sign."),
        ("sign", lambda x: x.sign(), (_NUMBER,), 1, 1, "sign(x): -1, 0 or 1."),
        ("ceil", lambda x: x.ceil(), (_NUMBER,), 1, 1, "ceil(x): rounded up."),
        ("floor", lambda x: x.floor(), (_NUMBER,), 1, 1, "floor(x): rounded down."),
        (
            "round",
            lambda x, d=None: x.round() if d is None else x.round(_count(d, "The number of decimals", -15, 15)),
            (_NUMBER,),
            1,
            2,
            "round(x, decimals): halves away from 0.",
        ),
        ("sqrt", lambda x: _only_where(x >= 0, x.sqrt()), (_NUMBER,), 1, 1, "sqrt(x): NULL below 0."),
        ("exp", lambda x: _only_where(x < 709, x.exp()), (_NUMBER,), 1, 1, "exp(x): NULL from 709 on."),
        ("ln", lambda x: _only_where(x > 0, x.ln()), (_NUMBER,), 1, 1, "ln(x): NULL unless above 0."),
        ("log10", _log, (_NUMBER,), 1, 1, "log10(x): NULL unless above 0."),
        ("log2", lambda x: _only_where(x > 0, x.log2()), (_NUMBER,), 1, 1, "log2(x): NULL unless above 0."),
        ("log", _log_of_base, (_NUMBER,), 1, 2, "log(x) of base 10, log(base, x)."),
        ("power", _power, (_NUMBER,), 2, 2, "power(x, y): NULL where it is no number."),
        ("mod", lambda x, y: quotient("%", x, y), (_NUMBER,), 2, 2, "mod(x, y): the rest, with the sign of x."),
        ("lower", lambda s: s.lower(), (_TEXT,), 1, 1, "lower(text)."),
        ("upper", lambda s: s.upper(), (_TEXT,), 1, 1, "upper(text)."),
        ("trim", lambda s: s.strip(), (_TEXT,), 1, 1, "trim(text): without space at both ends."),
        ("ltrim", lambda s: s.lstrip(), (_TEXT,), 1, 1, "ltrim(text): without space at the start."),
        ("rtrim", lambda s: s.rstrip(), (_TEXT,), 1, 1, "rtrim(text): without space at the end."),
        ("length", lambda s: s.length().cast("int64"), (_TEXT,), 1, 1, "length(text): in characters."),
        ("reverse", lambda s: s.reverse(), (_TEXT,), 1, 1, "reverse(text)."),
        (
            "left",
            lambda s, n: s.substr(0, _count(n, "The length of a part")),
            (_TEXT, _NUMBER),
            2,
            2,
            "left(text, n): the first n.",
        ),
        (
            "right",
            lambda s, n: s.right(_count(n, "The length of a part")),
            (_TEXT, _NUMBER),
            2,
            2,
            "right(text, n): the last n.",
        ),
        ("substr", _substring, (_TEXT, _NUMBER), 2, 3, "substr(text, start, length): the first character is 1."),
        ("contains", lambda s, p: s.contains(p), (_TEXT,), 2, 2, "contains(text, part)."),
        ("starts_with", lambda s, p: s.startswith(p), (_TEXT,), 2, 2, "starts_with(text, part)."),
        ("ends_with", lambda s, p: s.endswith(p), (_TEXT,), 2, 2, "ends_with(text, part)."),
        ("replace", lambda s, a, b: s.replace(a, b), (_TEXT,), 3, 3, "replace(text, part, new): everywhere."),
        (
            "regexp_matches",
            lambda s, p: s.re_search(_pattern(p)),
            (_TEXT,),
            2,
            2,
            "regexp_matches(text, pattern): anywhere in it.",
        ),
        (
            "regexp_extract",
            _extracted,
            (_TEXT, _TEXT, _NUMBER),
            2,
            3,
            "regexp_extract(text, pattern, group): '' without a match.",
        ),
        (
            "regexp_replace",
            _replaced,
            (_TEXT,),
            3,
            3,
            "regexp_replace(text, pattern, new): everywhere.",
        ),
        ("year", lambda d: d.year().cast("int64"), (_DATE,), 1, 1, "year(date)."),
        ("quarter", lambda d: d.quarter().cast("int64"), (_DATE,), 1, 1, "quarter(date): 1 to 4."),
        ("month", lambda d: d.month().cast("int64"), (_DATE,), 1, 1, "month(date): 1 to 12."),
        ("week", lambda d: d.week_of_year().cast("int64"), (_DATE,), 1, 1, "week(date): of ISO 8601."),
        ("day", lambda d: d.day().cast("int64"), (_DATE,), 1, 1, "day(date): of the month."),
        ("weekday", lambda d: d.day_of_week.index().cast("int64"), (_DATE,), 1, 1, "weekday(date): Monday is 0."),
        ("dayofyear", lambda d: d.day_of_year().cast("int64"), (_DATE,), 1, 1, "dayofyear(date): from 1."),
        ("hour", lambda d: d.hour().cast("int64"), (_MOMENT,), 1, 1, "hour(date-time)."),
        ("minute", lambda d: d.minute().cast("int64"), (_MOMENT,), 1, 1, "minute(date-time)."),
        ("second", lambda d: d.second().cast("int64"), (_MOMENT,), 1, 1, "second(date-time)."),
        (
            "epoch",
            lambda d: d.epoch_seconds().cast("int64"),
            (("datetime",),),
            1,
            1,
            "epoch(date-time): seconds since 1970.",
        ),
        ("date_trunc", _truncated_date, (_TEXT, _DATE), 2, 2, "date_trunc('month', date): the start of its month."),
        ("days_between", _days_between, (_DATE,), 2, 2, "days_between(first, second): midnights in between."),
        ("if", lambda c, a, b: c.ifelse(a, b), (_BOOLEAN, _ANY), 3, 3, "if(condition, then, otherwise)."),
        ("isnull", lambda x: x.isnull(), (_ANY,), 1, 1, "isnull(x)."),
    ]
    of_one_type: list[tuple[str, Callable[..., Any], int, str]] = [
        ("coalesce", lambda *x: ibis.coalesce(*_there(x)), 100, "coalesce(x, y, ...): the first that is not NULL."),
        ("concat", lambda *x: _concatenated(x), 100, "concat(text, text, ...): NULL counts as ''."),
        ("greatest", lambda *x: ibis.greatest(*_there(x)), 100, "greatest(x, y, ...): NULL does not count."),
        ("least", lambda *x: ibis.least(*_there(x)), 100, "least(x, y, ...): NULL does not count."),
        ("nullif", lambda x, y: x if y is None else x.nullif(y), 2, "nullif(x, y): NULL where they are equal."),
    ]
    found = {row[0]: Function(*row) for row in table}
    for name, build, most, says in of_one_type:
        kinds: tuple[Any, ...] = (_TEXT,) if name == "concat" else (_ANY,)
        found[name] = Function(name, build, kinds, 2 if name != "coalesce" else 1, most, says, is_of_one_type=True)
    for other, name in {"ceiling": "ceil", "pow": "power", "len": "length", "substring": "substr"}.items():
        found[other] = found[name]
    return found


def _there(arguments: tuple[Any, ...]) -> list[Any]:
    return [one for one in arguments if one is not None]


def _concatenated(arguments: tuple[Any, ...]) -> Any:
    first, *rest = [one.fill_null("") for one in _there(arguments)]
    for one in rest:
        first = first + one
    return first


FUNCTIONS: dict[str, Function] = _functions()
"""The functions of formulas, by name."""
