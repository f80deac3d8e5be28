"""Parameters of recipes: their values, and where ``${name}`` stands in addresses and queries.

In an address ``${region}`` is a value, and ``${day:%Y-%m-%d}`` a value in a format: of a datetime one of `strftime`, of
a number one of Python, as ``${month:02d}``. ``${start..end:%Y/%m/%d}`` is a range: one address for each different text
from one datetime to the other, both included, in the steps of the smallest unit of the format (year, month, day, hour,
minute). ``$${`` is a plain ``${``. In a query see `kernel_tools.wrangler.sources.queries`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.document import Parameter

MAX_ADDRESSES = 10_000
"""As many addresses a range may stand for."""
REFERENCE = re.compile(r"\$\$\{|\$\{\s*(\w+)\s*(?:\.\.\s*(\w+)\s*)?(?::([^}]*))?\}")
_RELATIVE = re.compile(r"([+-])\s*(\d{1,6})\s*([smhdwMy])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STEPS = (
    ("SfTXc", timedelta(seconds=1)),
    ("M", timedelta(minutes=1)),
    ("HI", timedelta(hours=1)),
    ("djFxDaAuw", timedelta(days=1)),
    ("UWV", timedelta(weeks=1)),
)


def parameter_values(
    definitions: Mapping[str, Parameter], given: Mapping[str, Any] | None = None, *, now: datetime | None = None
) -> dict[str, Any]:
    """Return the value of each parameter: the one given, else the default, checked and as its type.

    Parameters
    ----------
    now
        What relative datetimes start from; None takes the clock.

    Returns
    -------
    dict
        Numbers are int or float, strings and patterns str, datetimes `datetime` in UTC without its zone. A parameter
        with no value is left out; only a source that needs it complains.

    Raises
    ------
    InvalidArgumentError
        If a value does not fit its parameter, or is for none.
    """
    given = given or {}
    for name in given:
        if name not in definitions:
            known = f"the parameters are {', '.join(definitions)}" if definitions else "the recipe has none"
            raise InvalidArgumentError(f"There is no parameter {name!r}: {known}.")
    values = {}
    for name, definition in definitions.items():
        value = given.get(name)
        value = definition.default if value is None else value
        if value is not None:
            values[name] = typed(name, definition, value, now)
    return values


def typed(name: str, definition: Parameter, value: Any, now: datetime | None = None) -> Any:
    """Return a value as the type of its parameter.

    Raises
    ------
    InvalidArgumentError
    """
    if definition.type == "datetime":
        return parse_datetime(value, name, now)
    if definition.type == "number":
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or isinstance(value, bool):
            raise InvalidArgumentError(f"The parameter {name!r} must be a number, not {value!r}.")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if not isinstance(value, (str, int, float)):
        raise InvalidArgumentError(f"The parameter {name!r} must be a text, not {value!r}.")
    text = str(value)
    if definition.type == "pattern":
        _match(name, definition.pattern or ".*", text)
    return text


def parse_datetime(value: Any, name: str, now: datetime | None = None) -> datetime:
    """Return a datetime in UTC, without its zone, of ISO 8601 or relative text.

    ``now``, ``today`` (midnight), or an amount from now, ``-30d``, ``+2w``, in seconds ``s``, minutes ``m``, hours
    ``h``, days ``d``, weeks ``w``, months ``M`` or years ``y``; ``today-1d`` starts at midnight.

    Raises
    ------
    InvalidArgumentError
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    text = str(value).strip()
    moment = (now or datetime.now(UTC)).replace(tzinfo=None)
    rest = text
    if text.startswith("today"):
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        rest = text.removeprefix("today").strip()
    elif text.startswith("now"):
        rest = text.removeprefix("now").strip()
    try:
        if not rest:
            return moment
        if found := _RELATIVE.fullmatch(rest):
            return _shifted(moment, int(found[1] + found[2]), found[3])
        return parse_datetime(datetime.fromisoformat(text), name)
    except (ValueError, OverflowError) as error:
        raise InvalidArgumentError(
            f"The parameter {name!r} must be a datetime like 2024-02-29, 2024-02-29T12:30 or -30d, not {value!r}."
        ) from error


def addresses(text: str, values: Mapping[str, Any]) -> list[str]:
    """Return the addresses that a text with parameters stands for, without a repetition, in order.

    Raises
    ------
    InvalidArgumentError
        If a parameter has no value or a format does not suit it, or if there are more than `MAX_ADDRESSES`.
    """
    made = [""]
    end = 0
    for found in REFERENCE.finditer(text):
        before, end = text[end : found.start()], found.end()
        parts = ["${"] if found[0] == "$${" else _texts(found, values)
        if len(made) * len(parts) > MAX_ADDRESSES:
            raise InvalidArgumentError(f"{text!r} stands for more than {MAX_ADDRESSES:,} addresses: narrow the range.")
        made = [one + before + part for one in made for part in parts]
    return [one + text[end:] for one in made]


def value_of(name: str, values: Mapping[str, Any]) -> Any:
    """Return the value of a parameter.

    Raises
    ------
    InvalidArgumentError
        If it has none.
    """
    if values.get(name) is None:
        known = f" The parameters with a value are {', '.join(values)}." if values else ""
        raise InvalidArgumentError(f"The parameter {name!r} has no value: give it one, or a default.{known}")
    value = values[name]
    return typed(name, value, value.default) if isinstance(value, Parameter) else value


def formatted(name: str, value: Any, how: str | None) -> str:
    """Return a value as text, in a format if there is one.

    Raises
    ------
    InvalidArgumentError
        If the format does not suit the value.
    """
    if isinstance(value, datetime):
        return value.strftime(how) if how else value.isoformat()
    try:
        return format(value, how or "")
    except (ValueError, TypeError) as error:
        raise InvalidArgumentError(f"The format {how!r} does not suit the parameter {name!r}, {value!r}.") from error


def _texts(found: re.Match[str], values: Mapping[str, Any]) -> list[str]:
    name, last, how = found[1], found[2], found[3]
    value = value_of(name, values)
    if last is None:
        return [formatted(name, value, how)]
    end = value_of(last, values)
    if not isinstance(value, datetime) or not isinstance(end, datetime):
        raise InvalidArgumentError(f"{found[0]!r} is a range: {name!r} and {last!r} must be datetimes.")
    if not how:
        raise InvalidArgumentError(f"{found[0]!r} needs a format, for example ${{{name}..{last}:%Y-%m-%d}}.")
    if value > end:
        raise InvalidArgumentError(f"{found[0]!r} is empty: {name} ({value}) is after {last} ({end}).")
    texts: dict[str, None] = {}
    moment = value
    for _ in range(MAX_ADDRESSES):
        if moment >= end:
            break
        texts[moment.strftime(how)] = None
        moment = _next(moment, how)
    else:
        raise InvalidArgumentError(f"{found[0]!r} has more than {MAX_ADDRESSES:,} steps: narrow the range.")
    texts[end.strftime(how)] = None
    return list(texts)


def _next(moment: datetime, how: str) -> datetime:
    """Return the next moment at which a text in a format may change."""
    units = set(re.findall(r"%[-#]?(\w)", how))
    try:
        for letters, step in _STEPS:
            if units & set(letters):
                return moment + step
        return _shifted(moment.replace(day=1), 1, "M" if units & set("mbBh") else "y")
    except (ValueError, OverflowError):
        return datetime.max


def _shifted(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _UNITS:
        return moment + timedelta(**{_UNITS[unit]: amount})
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = (datetime(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _match(name: str, pattern: str, text: str) -> None:
    try:
        matches = re.fullmatch(pattern, text)
    except re.error as error:
        raise InvalidArgumentError(f"The pattern of the parameter {name!r} is not usable: {error}.") from error
    if not matches:
        raise InvalidArgumentError(f"The parameter {name!r}, {text!r}, does not match its pattern {pattern!r}.")
