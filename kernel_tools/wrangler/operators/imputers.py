"""Imputation that looks at several columns at once: nearest rows, and predictions of the columns from each other.

What is learned is kept as numbers, so that a recipe holds no pickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.wrangler.operators.base import State


def learn_imputer(strategy: str, frame: pd.DataFrame, neighbors: int, most: int) -> State:
    """Return what `apply_imputer` needs: the first rows at even distances, or the linear predictions of all rounds."""
    data = _numbers(frame)
    if len(data) > most:
        data = data[np.linspace(0, len(data) - 1, most).astype(int)]
    kept = [name for name, column in zip(frame.columns, data.T, strict=True) if not np.isnan(column).all()]
    data = data[:, [list(frame.columns).index(name) for name in kept]] if kept else data[:, :0]
    if strategy == "knn" or not kept:
        return {"strategy": "knn", "columns": kept, "neighbors": neighbors, "rows": _nullable(data)}
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    imputer = IterativeImputer(random_state=0).fit(data)
    rounds = [
        {
            "column": int(step.feat_idx),
            "from": [int(one) for one in step.neighbor_feat_idx],
            "weights": [float(one) for one in step.estimator.coef_],
            "intercept": float(step.estimator.intercept_),
        }
        for step in imputer.imputation_sequence_
    ]
    start = [float(one) for one in imputer.initial_imputer_.statistics_]
    return {"strategy": "iterative", "columns": kept, "start": start, "rounds": rounds}


def apply_imputer(frame: pd.DataFrame, state: State) -> dict[str, Any]:
    """Return the columns filled, as 64-bit floats."""
    import pandas as pd

    names = state["columns"]
    if not names or frame.empty:
        return {}
    data = _numbers(frame[names])
    if state["strategy"] == "knn":
        from sklearn.impute import KNNImputer

        rows = np.array([[np.nan if value is None else value for value in row] for row in state["rows"]], dtype=float)
        filled = KNNImputer(n_neighbors=state["neighbors"], keep_empty_features=True).fit(rows).transform(data)
    else:
        missing = np.isnan(data)
        filled = np.where(missing, np.array(state["start"]), data)
        for step in state["rounds"]:
            column = step["column"]
            predicted = filled[:, step["from"]] @ np.array(step["weights"]) + step["intercept"]
            filled[missing[:, column], column] = predicted[missing[:, column]]
    return {name: pd.array(filled[:, i], dtype="double[pyarrow]") for i, name in enumerate(names)}


def _numbers(frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    return np.column_stack([frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in frame.columns])


def _nullable(data: np.ndarray[Any, Any]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else float(value) for value in row] for row in data]
