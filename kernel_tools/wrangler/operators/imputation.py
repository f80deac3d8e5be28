"""Filling missing values of numbers from other columns: by the nearest rows, and by regressions on each other.

What is learned are plain numbers. The frames have Arrow types; results are fractions of 64 bits.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel_tools.wrangler.operators.base import State, StepError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def matrix(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return columns of numbers as an array of shape (rows, columns), NaN where a value is missing.

    Raises
    ------
    StepError
        If a value is infinite.
    """
    import numpy as np

    found: np.ndarray = frame[list(columns)].astype("float64[pyarrow]").to_numpy(dtype="float64", na_value=np.nan)
    infinite = np.isinf(found).any(axis=0)
    if infinite.any():
        name = columns[int(infinite.argmax())]
        raise StepError(f"The column {name!r} holds infinite values. Make them missing first.", field="columns")
    return found


def with_values(frame: pd.DataFrame, columns: Sequence[str], found: np.ndarray) -> pd.DataFrame:
    """Return the frame with columns replaced by those of an array of shape (rows, columns); NaN becomes missing."""
    import pandas as pd
    import pyarrow as pa

    new = {
        name: pd.Series(pa.array(found[:, place], from_pandas=True), index=frame.index, dtype="float64[pyarrow]")
        for place, name in enumerate(columns)
    }
    return frame.assign(**new)


def learn_neighbors(frame: pd.DataFrame, columns: Sequence[str], *, most: int, seed: int) -> State:
    """Return the rows to remember: all, or `most` of them by chance; rows without any value are left out."""
    import numpy as np

    names = _with_any_value(frame, columns)
    found = matrix(frame, names)
    found = found[~np.isnan(found).all(axis=1)] if names else found
    if len(found) > most:
        found = found[np.sort(np.random.default_rng(seed).choice(len(found), most, replace=False))]
    return {"columns": names, "rows": [[None if value != value else value for value in row] for row in found.tolist()]}


def apply_neighbors(frame: pd.DataFrame, state: State, *, neighbors: int) -> pd.DataFrame:
    """Fill with the means of the nearest remembered rows, as scikit-learn's KNNImputer does."""
    import numpy as np
    from sklearn.impute import KNNImputer

    names = state["columns"]
    if not names or frame.empty:
        return frame
    remembered = np.array(state["rows"], dtype="float64")
    imputer = KNNImputer(n_neighbors=neighbors, keep_empty_features=True).fit(remembered)
    found = matrix(frame, names)
    open_rows = np.isnan(found).any(axis=1)
    if open_rows.any():
        found[open_rows] = imputer.transform(found[open_rows])
    return with_values(frame, names, found)


def learn_iterative(frame: pd.DataFrame, columns: Sequence[str], *, rounds: int) -> State:
    """Return the means that filling begins with, and the regressions in their order."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # makes the next import possible
    from sklearn.impute import IterativeImputer

    names = _with_any_value(frame, columns)
    if not names:
        return {"columns": [], "means": [], "regressions": []}
    imputer = IterativeImputer(max_iter=rounds, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        imputer.fit(matrix(frame, names))
    regressions = [
        {
            "column": int(step.feat_idx),
            "from": step.neighbor_feat_idx.tolist(),
            "weights": step.estimator.coef_.tolist(),
            "intercept": float(step.estimator.intercept_),
        }
        for step in imputer.imputation_sequence_
    ]
    return {"columns": names, "means": imputer.initial_imputer_.statistics_.tolist(), "regressions": regressions}


def apply_iterative(frame: pd.DataFrame, state: State) -> pd.DataFrame:
    """Fill with means, then predict again and again what was missing."""
    import numpy as np

    names = state["columns"]
    if not names:
        return frame
    found = matrix(frame, names)
    missing = np.isnan(found)
    found = np.where(missing, state["means"], found)
    for step in state["regressions"]:
        place, rows = step["column"], missing[:, step["column"]]
        found[rows, place] = found[np.ix_(rows, step["from"])] @ np.array(step["weights"]) + step["intercept"]
    return with_values(frame, names, found)


def _with_any_value(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(columns) if frame[name].notna().any()]
