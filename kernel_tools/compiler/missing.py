"""Missing numbers, which many models refuse and every graph takes: where the original refuses them."""

from __future__ import annotations

from typing import Any

from kernel_tools.compiler.subjects import Subject

MOST_COLUMNS = 1000
"""Further columns are not asked about one by one."""
WHOLE_ARRAY = ""
"""Stands for all values of a model that takes arrays."""


def refused_missing(subject: Subject) -> list[str]:
    """Return the columns in which the original takes no missing number, found by asking it; of arrays `WHOLE_ARRAY`.

    A graph computes on with NaN, and trees send it down some branch: without this a compiled model would answer where
    the original says that the row is wrong.
    """
    import numpy as np

    row = subject.sample[:1]
    if not hasattr(row, "columns"):
        array = np.array(row)
        if array.dtype.kind != "f":
            return []
        array[(0,) * array.ndim] = np.nan
        return [WHOLE_ARRAY] if _is_refused(subject, array) else []
    numbers = [name for name in row.columns if getattr(row[name].dtype, "kind", "") == "f"][:MOST_COLUMNS]
    whole = row.copy()
    whole[numbers] = np.nan
    if not numbers or not _is_refused(subject, whole):
        return []
    refused = []
    for name in numbers:
        changed = row.copy()
        changed[name] = np.nan
        if _is_refused(subject, changed):
            refused.append(str(name))
    return refused


def _is_refused(subject: Subject, rows: Any) -> bool:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            subject.source.answer(subject.model, rows)
    except Exception:  # whatever the model raises
        return True
    return False
