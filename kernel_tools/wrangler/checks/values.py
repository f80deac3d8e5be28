"""Checks of single values: stand-ins for missing ones, outliers, skew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel_tools.wrangler.checks.columns import is_id_like
from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, number, share_words
from kernel_tools.wrangler.profiling import ColumnProfile

TOKENS = frozenset(
    """? ?? na n/a n.a. n.a #n/a #na nan null nil none <na> <null> unknown unk undefined missing not_available
    - -- --- . tbd -99 -999 -9999 9999 99999 1900-01-01 1970-01-01 0000-00-00""".split()  # noqa: SIM905
) | {"not available", "no data", "no answer"}
"""Texts that stand for a missing value, in lower case and without the white space around them."""

SENTINELS = frozenset({-1, -9, -99, -999, -9999, -99999, 999, 9999, 99999, 999999, 9999999})
"""Numbers that often stand for a missing value."""

DATES = ("1900-01-01", "1970-01-01", "9999-12-31", "0001-01-01", "1899-12-30")
"""Dates that often stand for a missing value."""

SENTINEL_GAP = 0.5
"""How far from all others a number must lie, as a part of their range."""
FREQUENT, FEWEST = 5, 10
"""A lonely number that is no known stand-in must be this many times as frequent as any other, and in 10 rows."""
_MEND = "Make them missing values, that later steps can fill."
OUTLIER_DEVIATIONS = 5.0
MOST_SKEW = 2.0
FEWEST_DISTINCT = 11
"""Different values that a number needs to have a distribution at all."""


def disguised_missing(scope: Scope) -> Iterator[Finding]:
    """Known tokens in text, lonely frequent numbers at an end of a column, and dates that nobody means."""
    yield from _tokens(scope)
    yield from _sentinels(scope)
    for found in scope.of_kind("date", "datetime"):
        hits = [top for top in found.top if str(top.value)[:10] in DATES and 1 < top.count < found.count]
        at_end = {str(found.minimum)[:10], str(found.maximum)[:10]}
        values = [str(top.value)[:10] for top in hits if str(top.value)[:10] in at_end]
        if values:
            mend = {"columns": [found.name], "values": values}
            yield _disguised(
                found, values, sum(top.count for top in hits), Suggestion("disguised_to_null", mend, _MEND)
            )


def _tokens(scope: Scope) -> Iterator[Finding]:
    texts = list(scope.of_kind("string"))
    found_in: dict[str, list[dict[str, Any]]] = {}
    for found in texts:
        if found.lengths is None or found.lengths.minimum > 20 or _is_code(found):
            continue
        column = scope.data[found.name].cast("string")
        hits = (
            column.name("value").as_table().filter((column.length() < 25) & column.strip().lower().isin(sorted(TOKENS)))
        )
        hits = hits.group_by("value").aggregate(n=hits.count())
        found_in[found.name] = scope.engine.arrow(hits.order_by([hits["n"].desc(), hits["value"]])).to_pylist()
    for found in texts:
        hits_here = [row for row in found_in.get(found.name, []) if row["value"].strip()]
        if hits_here:
            values = [row["value"] for row in hits_here]
            mend = {"columns": [found.name], "values": values}
            yield _disguised(
                found,
                values,
                sum(row["n"] for row in hits_here),
                Suggestion("disguised_to_null", mend, _MEND),
            )


def _is_code(found: ColumnProfile) -> bool:
    """Return whether all values have two characters, of which NA is one: codes of countries."""
    lengths = found.lengths
    return lengths is not None and lengths.minimum == lengths.maximum == 2 and found.distinct > 20


def _sentinels(scope: Scope) -> Iterator[Finding]:
    columns = [
        found
        for found in scope.of_kind("number")
        if found.distinct > 2 and found.minimum is not None and not is_id_like(found)
    ]
    values: dict[str, Any] = {}
    for place, found in enumerate(columns):
        x = scope.data[found.name]
        finite = ~x.isinf() & ~x.isnan() if x.type().is_floating() else x.notnull()
        values[f"low{place}"] = x.min(where=finite & (x != found.minimum))
        values[f"high{place}"] = x.max(where=finite & (x != found.maximum))
        values[f"at_low{place}"] = (x == found.minimum).sum()
        values[f"at_high{place}"] = (x == found.maximum).sum()
    ends = scope.aggregate(**values)
    for place, found in enumerate(columns):
        low, high = float(found.minimum), float(found.maximum)  # type: ignore[arg-type]  # of numbers
        next_low, next_high = float(ends[f"low{place}"]), float(ends[f"high{place}"])
        hits = []
        if _is_sentinel(low, next_low, high - next_low, ends[f"at_low{place}"], found, is_low=True):
            hits.append((found.minimum, ends[f"at_low{place}"]))
        if _is_sentinel(high, next_high, next_high - low, ends[f"at_high{place}"], found, is_low=False):
            hits.append((found.maximum, ends[f"at_high{place}"]))
        if hits:
            values_found = [value for value, _ in hits]
            mend = {"columns": [found.name], "values": values_found}
            yield _disguised(
                found,
                values_found,
                sum(count for _, count in hits),
                Suggestion("disguised_to_null", mend, _MEND),
            )


def _is_sentinel(end: float, nearest: float, spread: float, count: int, found: ColumnProfile, *, is_low: bool) -> bool:
    """Return whether the number at an end of a column stands for a missing value.

    A known stand-in has to lie at least half the range of the others away from them, or be their only negative number
    (twice at least); another number has to lie further away than their whole range, and be five times as frequent as
    any of them.
    """
    if end == 0 or count < 2:
        return False
    gap = abs(nearest - end)
    if end in SENTINELS:
        return (is_low and end < 0 <= nearest) or gap > SENTINEL_GAP * spread
    others = max((top.count for top in found.top if top.value != end), default=0)
    is_repeated = count >= FEWEST and count > FREQUENT * others
    return gap > spread and is_repeated


def _disguised(found: ColumnProfile, values: list[Any], count: int, *suggestions: Suggestion) -> Finding:
    shown = ", ".join(repr(value) for value in values[:5])
    return Finding(
        "disguised_missing",
        (found.name,),
        "high" if count > 0.05 * found.n else "medium",
        "Disguised missing values",
        f"{found.name} is {shown} in {share_words(count, found.n)}: that seems to stand for a missing value.",
        {"values": values[:20], "count": count, "share": count / found.n},
        True,
        found.n,
        suggestions,
    )


def outliers(scope: Scope) -> Iterator[Finding]:
    """Numbers further from the median than five robust standard deviations.

    The robust standard deviation is that of the values clipped to the 5 % and 95 % quantiles, as in SageMaker Data
    Wrangler; a column where it is zero has no outliers.
    """
    columns = [
        found for found in scope.of_kind("number") if found.distinct >= FEWEST_DISTINCT and not is_id_like(found)
    ]
    if not columns:
        raise SkippedError("there are no numbers")
    spreads = scope.aggregate(
        **{
            f"s{place}": _clipped(scope.data[found.name], found).std(how="pop", where=_finite(scope.data[found.name]))
            for place, found in enumerate(columns)
        }
    )
    beyond: dict[str, Any] = {}
    for place, found in enumerate(columns):
        reach = OUTLIER_DEVIATIONS * (spreads[f"s{place}"] or 0.0)
        x = scope.data[found.name]
        middle: Any = found.quantiles["0.5"]
        if reach > 0:
            beyond[f"low{place}"] = ((x < middle - reach) & _finite(x)).sum()
            beyond[f"high{place}"] = ((x > middle + reach) & _finite(x)).sum()
    counts = scope.aggregate(**beyond)
    for place, found in enumerate(columns):
        low, high = counts.get(f"low{place}") or 0, counts.get(f"high{place}") or 0
        if low + high:
            yield _outliers(found, low, high, spreads[f"s{place}"])


def _clipped(x: Any, found: ColumnProfile) -> Any:
    return x.cast("float64").clip(lower=found.quantiles["0.05"], upper=found.quantiles["0.95"])


def _finite(x: Any) -> Any:
    return x.notnull() & ~x.isinf() & ~x.isnan() if x.type().is_floating() else x.notnull()


def _outliers(found: ColumnProfile, low: int, high: int, spread: float) -> Finding:
    middle: Any = found.quantiles["0.5"]
    limits = [middle - OUTLIER_DEVIATIONS * spread, middle + OUTLIER_DEVIATIONS * spread]
    share = (low + high) / found.n
    return Finding(
        "outliers",
        (found.name,),
        "medium" if share > 0.01 else "low",
        "Outliers",
        f"{found.name} lies outside {number(limits[0])} to {number(limits[1])} (median and five robust standard "
        f"deviations) in {share_words(low + high, found.n)}; it reaches from {number(found.minimum)} to "
        f"{number(found.maximum)}.",
        {"low": low, "high": high, "share": share, "limits": limits, "robust_std": spread, "median": middle},
        True,
        found.n,
        (
            Suggestion(
                "outliers",
                {"columns": [found.name], "method": "robust", "fix": "clip", "deviations": OUTLIER_DEVIATIONS},
                "Clip them to these limits.",
            ),
        ),
    )


def skew(scope: Scope) -> Iterator[Finding]:
    """Numbers with an absolute skew of more than 2."""
    for found in scope.of_kind("number"):
        if found.skew is None or abs(found.skew) <= MOST_SKEW or found.distinct < FEWEST_DISTINCT or is_id_like(found):
            continue
        low: Any = found.minimum
        columns = [found.name]
        if found.skew > 0 and low >= 0:
            mend = Suggestion("log", {"columns": columns, "add": 0.0 if low > 0 else 1.0}, "Take logarithms.")
        else:
            mend = Suggestion("yeo_johnson", {"columns": columns}, "Transform it by a power that is learned.")
        yield Finding(
            "skew",
            (found.name,),
            "medium" if abs(found.skew) > 10 else "low",
            "Skewed",
            f"{found.name} is skewed: {found.skew:.3g} (excess kurtosis {number(found.kurtosis)}).",
            {"skew": found.skew, "kurtosis": found.kurtosis},
            True,
            found.n,
            (mend,),
        )
