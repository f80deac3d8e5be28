"""The statistics of a numpy array, where what trains is not PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.debugger.records import COLUMN, COLUMNS, QUANTILES

_SAMPLE = 128
_FIRST_QUANTILE = COLUMN["q01"]
_RANKS = [round(quantile * (_SAMPLE - 1)) for quantile in QUANTILES]


def statistics_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a row of `COLUMNS` (float32); all NaN but the counts if nothing in it is finite."""
    values = np.asarray(array, "f8").reshape(-1)
    row = np.full(len(COLUMNS), np.nan, "f4")
    if not len(values):
        return row
    finite = values[np.isfinite(values)]
    nans = int(np.isnan(values).sum())
    row[:3] = (nans, len(values) - len(finite) - nans, np.mean(values == 0))
    if len(finite):
        row[3:9] = (
            finite.min(),
            finite.max(),
            finite.mean(),
            finite.std(),
            np.abs(finite).sum(),
            np.sqrt(np.square(finite).sum()),
        )
        places = np.rint(np.linspace(0, len(finite) - 1, _SAMPLE)).astype("i8")
        row[_FIRST_QUANTILE:] = np.sort(finite[places])[_RANKS]
    return row
