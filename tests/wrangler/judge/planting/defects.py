"""Kinds of defects: each is planted by a function, says which check is to find it and where, and what follows from it.

A function gets a sample of a real table, the table's description and a generator, and changes the sample in place or
returns another. Where a defect is planted is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from tests.wrangler.judge.planting.tables import Base

PLACE = "planted"
"""The name of a column that is added."""


@dataclass
class Planted:
    """A table with a defect.

    `columns` joined by commas is where; `follows` are checks that may speak of the same columns too, or of the table.
    """

    frame: pd.DataFrame
    check: str
    columns: str
    follows: frozenset[str] = frozenset()
    options: dict[str, str] = field(default_factory=dict)


Plant = Callable[[pd.DataFrame, Base, np.random.Generator], Planted]


def _texts(frame: pd.DataFrame, base: Base, most: int = 60) -> list[str]:
    names = [name for name in frame if not is_numeric_dtype(frame[name]) and name != base.target]
    return [name for name in names if 2 <= frame[name].nunique() <= most]


def _numbers(frame: pd.DataFrame, base: Base, fewest: int = 40) -> list[str]:
    return [
        name
        for name in frame
        if is_numeric_dtype(frame[name])
        and name != base.target
        and frame[name].nunique() >= fewest
        and frame[name].mode().size
        and (frame[name] == frame[name].mode()[0]).mean() < 0.5
    ]


def _choose(names: list[str], generator: np.random.Generator) -> str:
    return str(generator.choice(names))


def _some(frame: pd.DataFrame, share: float, generator: np.random.Generator) -> np.ndarray:
    return generator.choice(len(frame), max(3, round(share * len(frame))), replace=False)


def missing_values(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    full = [name for name in frame if frame[name].notna().all() and name != base.target]
    name = _choose(full, generator)
    frame[name] = frame[name].mask(
        np.isin(np.arange(len(frame)), _some(frame, generator.uniform(0.02, 0.6), generator))
    )
    return Planted(frame, "missing", name)


def blank_text(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    names = [name for name in _texts(frame, base) if frame[name].notna().all()]
    name = _choose(names, generator)
    frame[name] = frame[name].astype(object)
    frame.loc[_some(frame, 0.05, generator), name] = generator.choice(["", " ", "\t "])
    return Planted(frame, "missing", name)


def token(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose(_texts(frame, base), generator)
    frame[name] = frame[name].astype(object)
    frame.loc[_some(frame, 0.03, generator), name] = generator.choice(["?", "N/A", "unknown", "null", "-"])
    return Planted(frame, "disguised_missing", name)


def sentinel(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    names = [name for name in _numbers(frame, base) if frame[name].min() >= 0 and frame[name].max() < 5_000]
    name = _choose(names, generator)
    frame.loc[_some(frame, 0.03, generator), name] = generator.choice([-1, -99, -999, 9999, 99999])
    return Planted(frame, "disguised_missing", name, frozenset({"outliers", "skew", "anomalous_rows"}))


def odd_default(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    """A number that is no usual stand-in, far from all others."""
    names = [name for name in _numbers(frame, base) if (frame[name] == frame[name].mode()[0]).mean() < 0.02]
    name = _choose(names, generator)
    frame.loc[_some(frame, 0.12, generator), name] = round(float(frame[name].max() * 4 + 777))
    return Planted(frame, "disguised_missing", name, frozenset({"outliers", "skew", "anomalous_rows"}))


def garbage_in_numbers(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose(_numbers(frame, base), generator)
    frame[name] = frame[name].astype(str).astype(object)
    frame.loc[_some(frame, 0.02, generator), name] = generator.choice(["error", "12kg", "see note", "1,5 m"])
    return Planted(frame, "mixed_types", name, frozenset({"high_cardinality", "text_patterns"}))


def constant_column(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[PLACE] = generator.choice(["v1", "2024"])
    return Planted(frame, "constant", PLACE, frozenset({"numbers_as_text"}))


def nearly_constant_column(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[PLACE] = np.where(generator.random(len(frame)) < 0.004, "b", "a")
    return Planted(frame, "near_constant", PLACE)


def number_id(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[PLACE] = generator.permutation(len(frame)) + int(generator.integers(1, 10**6))
    return Planted(frame, "id_like", PLACE)


def text_id(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[PLACE] = [f"{value:016x}" for value in generator.integers(2**60, size=len(frame))]
    return Planted(frame, "id_like", PLACE)


def many_categories(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    kinds = max(130, len(frame) // 8)
    frame[PLACE] = np.char.add("shop ", generator.integers(kinds, size=len(frame)).astype(str))
    return Planted(frame, "high_cardinality", PLACE)


def repeated_rows(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    again = frame.iloc[_some(frame, 0.03, generator)]
    frame = pd.concat([frame, again], ignore_index=True).sample(frac=1, random_state=int(generator.integers(100)))
    return Planted(frame.reset_index(drop=True), "duplicate_rows", "")


def repeated_column(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose([name for name in frame if frame[name].nunique() > 1 and name != base.target], generator)
    frame[PLACE] = frame[name]
    follows = ["missing", "outliers", "skew", "near_constant", "disguised_missing", "strong_predictor", "collinearity"]
    return Planted(frame, "duplicate_columns", f"{name},{PLACE}", frozenset(follows))


def outlying_numbers(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose([name for name in _numbers(frame, base) if _is_tame(frame[name])], generator)
    frame[name] = frame[name].astype(float)
    rows = _some(frame, 0.005, generator)
    frame.loc[rows, name] = frame[name].mean() + frame[name].std() * generator.uniform(8, 20, len(rows))
    return Planted(frame, "outliers", name, frozenset({"skew"}))


def _is_tame(column: pd.Series) -> bool:
    low, high = column.quantile([0.05, 0.95])
    reach = 5 * column.clip(low, high).std(ddof=0)
    return bool(reach > 0 and not ((column - column.median()).abs() > reach).any())


def skewed_column(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[PLACE] = generator.lognormal(0, 1.5, len(frame))
    return Planted(frame, "skew", PLACE, frozenset({"outliers"}))


def odd_rows(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    names = [
        name for name in frame if is_numeric_dtype(frame[name]) and name != base.target and frame[name].nunique() > 10
    ]
    for row in _some(frame, 0.001, generator):
        for name in generator.choice(names, 2 * len(names) // 3, replace=False):
            frame[name] = frame[name].astype(float)
            frame.loc[row, name] = frame[name].max() + 0.2 * frame[name].std()
    return Planted(frame, "anomalous_rows", "", frozenset({"skew", "outliers", "multicollinearity"}))


def leak(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    if base.is_regression:
        frame[PLACE] = frame[base.target] * 1.2 + generator.normal(0, 0.05 * frame[base.target].std(), len(frame))
    else:
        codes = frame[base.target].astype("category").cat.codes.to_numpy()
        wrong = generator.random(len(frame)) < 0.005
        frame[PLACE] = np.where(wrong, generator.permutation(codes), codes) * 10 + generator.normal(0, 1, len(frame))
    return Planted(frame, "target_leakage", PLACE, frozenset({"skew", "outliers", "label_noise"}))


def later_time(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    days = generator.integers(0, 1_000, len(frame)).astype("timedelta64[D]")
    frame["event"] = np.datetime64("2023-01-01", "us") + days
    behind = np.where(generator.random(len(frame)) < 0.2, 5, -30).astype("timedelta64[D]")
    frame[PLACE] = frame["event"] + behind
    frame["before"] = frame["event"] - np.timedelta64(3, "D")
    return Planted(frame, "time_leakage", PLACE, options={"event_time": "event"})


def lopsided_classes(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    classes = frame[base.target].value_counts().index
    is_small = (frame[base.target] == classes[-1]).to_numpy()
    keep = generator.permutation(np.flatnonzero(is_small))[: max(12, int((~is_small).sum() * 0.02))]
    frame = frame.iloc[np.sort(np.r_[np.flatnonzero(~is_small), keep])].reset_index(drop=True)
    return Planted(frame, "class_imbalance", base.target)


def rare_class(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    rows = generator.choice(len(frame), 4, replace=False)
    new = 7 if is_numeric_dtype(frame[base.target]) else "other"
    if not is_numeric_dtype(frame[base.target]):
        frame[base.target] = frame[base.target].astype(object)
    frame.loc[rows, base.target] = new
    return Planted(frame, "rare_classes", base.target)


def endless_classes(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame[base.target] = np.char.add("kind ", generator.zipf(1.3, len(frame)).clip(max=400).astype(str))
    return Planted(frame, "too_many_classes", base.target, frozenset({"class_imbalance", "strong_predictor"}))


def default_target(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame.loc[_some(frame, 0.2, generator), base.target] = frame[base.target].median().astype(int)
    return Planted(frame, "frequent_label", base.target)


def wrong_labels(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    classes = list(frame[base.target].unique())
    rows = _some(frame, 0.12, generator)
    frame.loc[rows, base.target] = [
        classes[(classes.index(label) + generator.integers(1, len(classes))) % len(classes)]
        for label in frame.loc[rows, base.target]
    ]
    return Planted(frame, "label_noise", base.target)


def twin_number(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose(_numbers(frame, base), generator)
    frame[PLACE] = 2.5 * frame[name] + generator.normal(0, 0.1 * frame[name].std(), len(frame))
    follows = {"outliers", "skew", "strong_predictor", "missing"}
    return Planted(frame, "collinearity", f"{name},{PLACE}", frozenset(follows))


def moved_part(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame["part"] = np.where(generator.random(len(frame)) < 0.3, "test", "train")
    name = _choose([name for name in _numbers(frame, base) if _is_tame(frame[name])], generator)
    frame[name] = frame[name].astype(float)
    frame.loc[frame["part"] == "test", name] += 0.8 * frame[name].std()
    return Planted(frame, "drift_between_splits", name, frozenset({"outliers", "skew"}), {"splits": "part"})


def shared_rows(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    frame["part"] = np.where(generator.random(len(frame)) < 0.3, "test", "train")
    rows = frame[frame["part"] == "train"].sample(frac=0.03, random_state=int(generator.integers(100)))
    frame = pd.concat([frame, rows.assign(part="test")], ignore_index=True)
    return Planted(frame, "train_test_overlap", "", frozenset({"duplicate_rows"}), {"splits": "part"})


def broken_codes(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    codes = np.char.add("AB-", generator.integers(1_000, 1_400, len(frame)).astype(str)).astype(object)
    rows = _some(frame, 0.01, generator)
    codes[rows] = [f"{number}/x" for number in generator.integers(10, 20, len(rows))]
    frame[PLACE] = codes
    return Planted(frame, "text_patterns", PLACE, frozenset({"high_cardinality"}))


def spellings(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    name = _choose([name for name in _texts(frame, base) if _has_letters(frame[name])], generator)
    frame[name] = frame[name].astype(object)
    rows = _some(frame, 0.1, generator)
    frame.loc[rows, name] = frame.loc[rows, name].map(
        lambda value: f" {value.upper()}" if isinstance(value, str) else value
    )
    return Planted(frame, "inconsistent_text", name)


def _has_letters(column: pd.Series) -> bool:
    return bool(column.dropna().str.lower().ne(column.dropna().str.upper()).all())


def personal_data(frame: pd.DataFrame, base: Base, generator: np.random.Generator) -> Planted:
    numbers = generator.integers(10**7, 10**8, len(frame)) // 10 * 10 + 1
    shapes = [
        [f"user{number}@example.org" for number in numbers],
        [f"+49 {number // 10**5} {number % 10**5:05d}" for number in numbers],
        [_card(int(number)) for number in numbers],
    ]
    frame[PLACE] = shapes[int(generator.integers(3))]
    return Planted(
        frame, "pii_hint", PLACE, frozenset({"id_like", "high_cardinality", "text_patterns", "numbers_as_text"})
    )


def _card(number: int) -> str:
    digits = f"4{number:014d}"
    total = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2]) + sum(int(digit) for digit in digits[-2::-2])
    return digits + str(-total % 10)


DEFECTS: list[tuple[Plant, Callable[[Base], bool]]] = [
    (missing_values, lambda base: True),
    (
        blank_text,
        lambda base: base.name in ("adult", "german_credit", "churn_telco", "lending_club", "ames", "diamonds"),
    ),
    (token, lambda base: base.name in ("adult", "german_credit", "churn_telco", "lending_club", "ames", "diamonds")),
    (sentinel, lambda base: base.name not in ("spambase",)),
    (odd_default, lambda base: base.name in ("adult", "german_credit", "churn_telco", "lending_club")),
    (garbage_in_numbers, lambda base: base.name != "spambase"),
    (constant_column, lambda base: True),
    (nearly_constant_column, lambda base: True),
    (number_id, lambda base: True),
    (text_id, lambda base: True),
    (many_categories, lambda base: True),
    (repeated_rows, lambda base: True),
    (repeated_column, lambda base: True),
    (
        outlying_numbers,
        lambda base: base.name in ("adult", "german_credit", "churn_telco", "lending_club", "satellite"),
    ),
    (skewed_column, lambda base: True),
    (odd_rows, lambda base: base.is_mostly_numbers),
    (leak, lambda base: True),
    (later_time, lambda base: True),
    (lopsided_classes, lambda base: not base.is_regression and base.name != "lending_club"),
    (rare_class, lambda base: not base.is_regression and base.name != "satellite"),
    (endless_classes, lambda base: not base.is_regression),
    (default_target, lambda base: base.is_regression),
    (wrong_labels, lambda base: base.is_separable),
    (twin_number, lambda base: base.name != "spambase"),
    (moved_part, lambda base: base.name in ("adult", "german_credit", "churn_telco", "lending_club", "satellite")),
    (shared_rows, lambda base: True),
    (broken_codes, lambda base: True),
    (spellings, lambda base: base.name in ("adult", "churn_telco", "ames", "diamonds")),
    (personal_data, lambda base: True),
]
"""Each kind of defect, and which tables can have it."""
