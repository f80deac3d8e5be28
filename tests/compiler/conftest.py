"""Tables that models of all kinds are fitted on, with missing values, texts and categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

ROWS = 500


@pytest.fixture(autouse=True)
def _measure_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests ask what is answered, not how fast."""
    monkeypatch.setattr("kernel_tools.compiler.measuring.ROW_SECONDS", 0.0)


@pytest.fixture(scope="session")
def numbers() -> np.ndarray:
    """Return numbers of two digits, so that many rows lie on the thresholds of trees, one in ten missing."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(ROWS, 5)).round(2)
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


@pytest.fixture(scope="session")
def target(numbers: np.ndarray) -> np.ndarray:
    """Return three classes."""
    known = np.nan_to_num(numbers)
    return (known[:, 0] + known[:, 1] ** 2 > 0.5).astype(int) + (known[:, 2] > 0)


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    """Return a table with whole numbers, numbers, texts, categories and booleans."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "age": rng.integers(17, 90, ROWS),
            "hours": rng.normal(40, 9, ROWS),
            "job": rng.choice(["clerk", "boss", "cook", None], ROWS),
            "sex": pd.Categorical(rng.choice(["m", "f"], ROWS)),
            "is_new": rng.random(ROWS) < 0.3,
        }
    )
    table.loc[rng.random(ROWS) < 0.1, "hours"] = np.nan
    return table


@pytest.fixture(scope="session")
def income(people: pd.DataFrame) -> np.ndarray:
    """Return two classes, as texts."""
    return np.where(people.age + people.hours.fillna(0) > 90, ">50K", "<=50K")
