"""What the checks that count ought to find, counted once more with pandas and numpy by their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

COUNTING = frozenset(
    """missing constant near_constant high_cardinality duplicate_rows duplicate_columns outliers skew collinearity
    multicollinearity class_imbalance rare_classes too_many_classes frequent_label""".split()  # noqa: SIM905
)
"""The checks whose findings are told here."""

Truth = set[tuple[str, str]]


def counted(frame: pd.DataFrame, target: str) -> Truth:
    """Return ``(check, columns joined by commas)`` of all that is to be found."""
    truth: Truth = set()
    for name, column in frame.items():
        truth |= {(check, str(name)) for check in _of_column(frame, str(name), column, target)}
    truth |= _of_pairs(frame, target) | _of_target(frame[target], target)
    if _can_repeat(frame) and frame.duplicated().any():
        truth.add(("duplicate_rows", ""))
    return truth


def _of_column(frame: pd.DataFrame, name: str, column: pd.Series, target: str) -> set[str]:
    found = set()
    is_number = is_numeric_dtype(column) and not is_bool_dtype(column)
    is_text = not is_number and not is_bool_dtype(column) and column.dtype.kind != "M"
    blank = column.dropna().astype(str).str.strip().eq("").sum() if is_text else 0
    if column.isna().sum() + blank:
        found.add("missing")
    counts = column.value_counts()
    if len(counts) == 1:
        found.add("constant")
    elif name != target and counts.iloc[0] / len(frame) >= 0.99:
        found.add("near_constant")
    if (
        is_text
        and name != target
        and len(counts) > max(100, 0.05 * len(frame))
        and len(counts) < 0.999 * column.count()
    ):
        found.add("high_cardinality")
    if not is_number or len(counts) <= 10 or _is_unique_whole(column):
        return found
    low, high = column.quantile([0.05, 0.95])
    reach = 5 * column.clip(low, high).std(ddof=0)
    if reach > 0 and ((column - column.median()).abs() > reach).any():
        found.add("outliers")
    if abs(column.skew()) > 2:
        found.add("skew")
    return found


def _is_unique_whole(column: pd.Series) -> bool:
    return bool(is_integer_dtype(column) and column.nunique() >= 0.999 * column.count())


def _of_pairs(frame: pd.DataFrame, target: str) -> Truth:
    truth: Truth = set()
    names = [str(name) for name in frame.columns]
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if (
                frame[first].dtype == frame[second].dtype
                and frame[first].nunique() > 1
                and frame[first].equals(frame[second])
            ):
                truth.add(("duplicate_columns", f"{first},{second}"))
    numbers = frame.drop(columns=target).select_dtypes("number")
    numbers = numbers.loc[:, [numbers[name].nunique() > 2 and not _is_unique_whole(numbers[name]) for name in numbers]]
    numbers = numbers.iloc[:, :60]
    matrix = numbers.corr().fillna(0.0).to_numpy().copy()
    np.fill_diagonal(matrix, 0.0)
    paired = (np.abs(matrix) > 0.95).any(axis=0)
    for i, j in zip(*np.where(np.triu(np.abs(matrix) > 0.95)), strict=True):
        first, second = numbers.columns[i], numbers.columns[j]
        if not numbers[first].equals(numbers[second]):
            truth.add(("collinearity", f"{first},{second}"))
    np.fill_diagonal(matrix, 1.0)
    kept = numbers.columns[~paired]
    if len(kept) > 2:
        for name in kept:
            others = [other for other in kept if other != name]
            rows = numbers[kept].dropna()
            x = np.column_stack([np.ones(len(rows)), rows[others].to_numpy(float)])
            y = rows[name].to_numpy(float)
            residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
            if residual.var() * 10 < y.var():
                truth.add(("multicollinearity", str(name)))
    return truth


def _of_target(column: pd.Series, target: str) -> Truth:
    counts = column.value_counts()
    is_class = not is_numeric_dtype(column) or len(counts) <= 20
    if not is_class:
        return {("frequent_label", target)} if counts.iloc[0] > 0.1 * column.count() else set()
    truth: Truth = set()
    large = counts[counts >= 10]
    if len(large) > 1 and large.iloc[0] > 10 * large.iloc[-1]:
        truth.add(("class_imbalance", target))
    if (counts < 10).any() and len(counts) <= 100:
        truth.add(("rare_classes", target))
    if len(counts) > 100:
        truth.add(("too_many_classes", target))
    return truth


def _can_repeat(frame: pd.DataFrame) -> bool:
    return float(np.log(frame.nunique().clip(lower=1)).sum()) >= np.log(10 * len(frame))
