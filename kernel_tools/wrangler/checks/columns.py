"""Checks of what a column is: empty, constant, an identifier, numbers written as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel_tools.wrangler.checks.finding import Finding, Severity, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, percent, share_words
from kernel_tools.wrangler.profiling import ColumnProfile

MEDIUM_MISSING, HIGH_MISSING = 0.2, 0.5
NEAR_CONSTANT = 0.99
ID_SHARE, FEWEST_IDS = 0.999, 50
MOST_CATEGORIES, CATEGORY_SHARE = 100, 0.05
FREE_TEXT = 40
"""Mean characters of a text that somebody has written, which is neither a category nor an identifier."""
MIXED_SHARE = 0.8
MOST_COLUMNS = 1_000

_NUMBER_LIKE = re.compile(r"\s*[-+]?(\d|\.\d|inf|nan)", re.IGNORECASE)
_ID_NAME = re.compile(r"(^|[_\W])(id|key|uuid|guid|no|nr|number|code|index)$|Id$|ID$")


def missing(scope: Scope) -> Iterator[Finding]:
    """Rows without a value: missing, or of a text empty or only white space."""
    for found in scope.profiles.values():
        blank = found.invalid if found.kind == "string" else 0
        count = found.missing + blank
        if not count or not found.n:
            continue
        share = count / found.n
        is_target = found.name == scope.target
        severity: Severity = (
            "high" if share > HIGH_MISSING or is_target else "medium" if share > MEDIUM_MISSING else "low"
        )
        blanks = f", {blank:,} of them empty text" if blank else ""
        yield _finding(
            "missing",
            found,
            severity,
            "Missing values" if not is_target else "Missing targets",
            f"{found.name} has no value in {share_words(count, found.n)}{blanks}.",
            {"missing": found.missing, "blank": blank, "share": share},
            *_for_missing(found, share, blank, is_target),
        )


def _for_missing(found: ColumnProfile, share: float, blank: int, is_target: bool) -> Iterator[Suggestion]:
    columns = [found.name]
    if blank:
        empty = {"columns": columns, "values": []}
        yield Suggestion("disguised_to_null", empty, "Make empty texts missing values.")
    if is_target:
        yield Suggestion("drop_missing", {"columns": columns}, "A row without a target teaches nothing.")
    elif share > HIGH_MISSING:
        yield Suggestion("drop", {"columns": columns}, "More than half of it is missing.")
    if is_target or not found.count or found.kind not in ("number", "string", "boolean"):
        return
    if share > CATEGORY_SHARE:
        yield Suggestion("missing_indicator", {"columns": columns}, "That a value is missing may mean something.")
    if found.kind == "number":
        yield Suggestion("impute", {"columns": columns, "strategy": "median"}, "Fill with the median.")
    elif found.kind == "string":
        yield Suggestion("fill", {"columns": columns, "value": "missing"}, "Make it a category of its own.")
    else:
        yield Suggestion("impute", {"columns": columns, "strategy": "mode"}, "Fill with the most frequent value.")


def infinite(scope: Scope) -> Iterator[Finding]:
    """Infinite numbers, that most models refuse."""
    for found in scope.of_kind("number"):
        if found.invalid:
            finite = {"lower": found.minimum, "upper": found.maximum, "fix": "null"}
            mend = {"columns": [found.name], "method": "min_max", **finite}
            yield _finding(
                "infinite",
                found,
                "high",
                "Infinite numbers",
                f"{found.name} is infinite in {share_words(found.invalid, found.n)}.",
                {"infinite": found.invalid},
                *([Suggestion("outliers", mend, "Make them missing.")] if found.minimum is not None else []),
            )


def constant(scope: Scope) -> Iterator[Finding]:
    """One value in all rows that have one."""
    for found in scope.profiles.values():
        if found.distinct == 1 and found.count > 1:
            yield _finding(
                "constant",
                found,
                "high" if found.name == scope.target else "medium" if not found.missing else "low",
                "Constant",
                f"{found.name} has one value, {found.top[0].value!r}"
                + (f", or is missing ({share_words(found.missing, found.n)})." if found.missing else "."),
                {"value": found.top[0].value, "count": found.count},
                Suggestion("drop", {"columns": [found.name]}, "A column that is always the same tells nothing."),
            )


def near_constant(scope: Scope) -> Iterator[Finding]:
    """One value in at least 99 % of the rows."""
    for found in scope.profiles.values():
        if found.distinct < 2 or found.name == scope.target:
            continue
        share = found.top[0].count / found.n
        if share >= NEAR_CONSTANT:
            yield _finding(
                "near_constant",
                found,
                "low",
                "Nearly constant",
                f"{found.name} is {found.top[0].value!r} in {percent(share)} of the rows.",
                {"value": found.top[0].value, "share": share},
                Suggestion("drop", {"columns": [found.name]}, "A column that is nearly always the same tells little."),
            )


def is_id_like(found: ColumnProfile) -> bool:
    """Return whether a column looks like an identifier.

    At least 99.9 % of its values are different (of at least 50), and they are short texts, or whole numbers that are
    dense (the range is at most 20 times their count), of one length of six digits or more, or named as an identifier.
    """
    if found.count < FEWEST_IDS or found.distinct < ID_SHARE * found.count:
        return False
    if found.kind == "string":
        return not is_free_text(found)
    low, high = found.minimum, found.maximum
    if found.kind != "number" or not isinstance(low, int) or not isinstance(high, int):
        return False
    is_one_length = low > 0 and len(str(low)) == len(str(high)) >= 6
    return high - low <= 20 * found.count or is_one_length or bool(_ID_NAME.search(found.name))


def is_free_text(found: ColumnProfile) -> bool:
    """Return whether a column holds sentences."""
    return found.kind == "string" and found.lengths is not None and found.lengths.mean > FREE_TEXT


def id_like(scope: Scope) -> Iterator[Finding]:
    """A different value in (nearly) every row: see `is_id_like`."""
    for found in scope.profiles.values():
        if is_id_like(found) and found.name not in (scope.target, scope.splits):
            yield _finding(
                "id_like",
                found,
                "medium",
                "Identifier",
                f"{found.name} has {found.distinct:,} different values in {found.count:,} rows: it names rows, and a "
                "model would learn them by heart.",
                {"distinct": found.distinct, "count": found.count},
                Suggestion("drop", {"columns": [found.name]}, "Leave it out of the features."),
            )


def high_cardinality(scope: Scope) -> Iterator[Finding]:
    """More than 100 categories, and more than 5 % of the rows."""
    for found in scope.of_kind("string"):
        is_category = not is_id_like(found) and not is_free_text(found) and found.name != scope.target
        if is_category and found.distinct > max(MOST_CATEGORIES, CATEGORY_SHARE * found.n):
            yield _finding(
                "high_cardinality",
                found,
                "low",
                "Many categories",
                f"{found.name} has {found.distinct:,} different texts in {found.n:,} rows.",
                {"distinct": found.distinct, "share": found.distinct / found.n},
                Suggestion(
                    "replace_rare",
                    {"columns": [found.name], "min_fraction": 0.0, "max_categories": 50},
                    "Keep the 50 most frequent.",
                ),
                Suggestion("hashing_encode", {"columns": [found.name]}, "Encode it by hashes of its parts."),
            )


def mixed_types(scope: Scope) -> Iterator[Finding]:
    """Text of which at least 80 % are numbers or dates, and the rest is not; or all of it."""
    texts = [found for found in scope.of_kind("string") if found.count > found.invalid]
    if not texts:
        raise SkippedError("there is no text")
    texts = [found for found in texts if _has_number(found)]
    values: dict[str, Any] = {}
    for place, found in enumerate(texts):
        column = scope.data[found.name].cast("string").strip()
        filled = column.length() > 0
        values[f"n{place}"] = filled.sum()
        values[f"number{place}"] = (column.try_cast("float64").notnull() & filled).sum()
        values[f"date{place}"] = (column.try_cast("timestamp").notnull() & filled & (column.length() > 7)).sum()
    counts = scope.aggregate(**values)
    for place, found in enumerate(texts):
        n = counts[f"n{place}"]
        what = "number" if counts[f"number{place}"] >= counts[f"date{place}"] else "date"
        parsed = counts[f"{what}{place}"]
        if not n or parsed < MIXED_SHARE * n:
            continue
        yield _mixed(scope, found, what, parsed, n)


def _has_number(found: ColumnProfile) -> bool:
    """Return whether the smallest, the largest or a frequent text looks like a number or a date."""
    seen = [found.minimum, found.maximum, *(top.value for top in found.top)]
    return any(_NUMBER_LIKE.match(str(value)) for value in seen)


def _mixed(scope: Scope, found: ColumnProfile, what: str, parsed: int, n: int) -> Finding:
    as_type = "float" if what == "number" else "datetime"
    mend = Suggestion(
        "cast", {"columns": [found.name], "type": as_type}, f"Read it as {what}s; the rest becomes missing."
    )
    if parsed == n:
        text = f"{found.name} is text, but all of its {n:,} values are {what}s."
        return _finding("numbers_as_text", found, "low", f"{what.title()}s as text", text, {"parsed": n}, mend)
    column = scope.data[found.name].cast("string").strip()
    cannot = column.try_cast("float64" if what == "number" else "timestamp").isnull() & (column.length() > 0)
    rest = column.name("value").as_table().filter(cannot)
    rest = rest.group_by("value").aggregate(n=rest.count())
    most = scope.engine.arrow(rest.order_by([rest["n"].desc(), rest["value"]]).limit(5)).to_pylist()
    shown = ", ".join(repr(row["value"][:40]) for row in most)
    return _finding(
        "mixed_types",
        found,
        "medium",
        "Mixed types",
        f"{found.name} is text of which {percent(parsed / n)} are {what}s; {n - parsed:,} values are not: {shown}.",
        {"parsed": parsed, "others": n - parsed, "share": parsed / n, "examples": [row["value"][:200] for row in most]},
        mend,
    )


def wide_table(scope: Scope) -> Iterator[Finding]:
    """More than 1,000 columns, or more columns than rows."""
    columns = len(scope.profiles)
    if columns > MOST_COLUMNS or columns > scope.total > 0:
        text = f"The table has {columns:,} columns and {scope.total:,} rows."
        yield Finding("wide_table", (), "low", "Wide table", text, {"columns": columns}, True, scope.total)


def _finding(
    check: str,
    found: ColumnProfile,
    severity: Severity,
    title: str,
    message: str,
    evidence: dict[str, Any],
    *suggestions: Suggestion,
) -> Finding:
    return Finding(check, (found.name,), severity, title, message, evidence, True, found.n, suggestions)
