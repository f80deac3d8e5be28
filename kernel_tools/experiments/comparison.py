"""Comparing runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.experiments.run import Run

if TYPE_CHECKING:
    import pandas as pd


def compare_runs(runs: Sequence[Run], differences_only: bool = True) -> pd.DataFrame:
    """Return parameters, metrics and tags of several runs side by side.

    Parameters
    ----------
    runs
        The runs; each becomes a column.
    differences_only
        Leave out the rows in which all runs are equal.

    Returns
    -------
    DataFrame
        Rows by (kind, key), where kind is run, param, metric or tag; a column per run, named by the run's name, and by
        its id where two have the same name. What a run does not have is None.
    """
    import pandas as pd

    records = [run.record for run in runs]
    columns: list[dict[tuple[str, str], Any]] = []
    for record in records:
        column: dict[tuple[str, str], Any] = {
            ("run", "experiment"): record.experiment,
            ("run", "status"): record.status.value,
            ("run", "user"): record.user,
        }
        column |= {("param", key): value for key, value in record.params.items()}
        column |= {("metric", key): value for key, value in record.metrics.items()}
        column |= {("tag", key): value for key, value in record.tags.items()}
        columns.append(column)
    order = {"run": 0, "param": 1, "metric": 2, "tag": 3}
    keys = sorted({key for column in columns for key in column}, key=lambda key: (order[key[0]], key[1]))
    if differences_only:
        keys = [key for key in keys if len({repr(column.get(key)) for column in columns}) > 1]
    names = [record.name for record in records]
    headers = [record.name if names.count(record.name) == 1 else f"{record.name} ({record.id})" for record in records]
    rows = [[column.get(key) for column in columns] for key in keys]
    index = pd.MultiIndex.from_tuples(keys, names=["kind", "key"])
    return pd.DataFrame(rows, index=index, columns=headers, dtype=object)
