"""Writing points and reading histories: ``metrics/`` and the metrics of ``runs/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.experiments.metrics import History, read_history
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import Point
from studio_ext.mlflow import paging
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import array, at_most_items, between, required, string, strings, whole
from studio_ext.mlflow.errors import invalid
from studio_ext.mlflow.messages import Message, write_number
from studio_ext.mlflow.run_state import find_run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BULK_RUNS = 100
MAX_BULK_POINTS = 25_000
MAX_INTERVAL_POINTS = 2500

Order = Callable[[History], "NDArray[np.intp]"]


def get_history(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer every point of a metric, or a page of them, by time, then step, then value."""
    limit = request.get("max_results")
    if limit is not None and limit <= 0:
        raise invalid(f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer.")
    run_id, key = request["run_id"], request["metric_key"]
    find_run(context, run_id)
    start = paging.read_offset(request.get("page_token"))
    history, order = _read(context, run_id, key, _by_time)
    end = len(order) if limit is None else start + limit
    points = [_write_point(point) for point in _points(history, order[start:end])]
    return paging.write_page("metrics", points, paging.write_token(end) if end < len(order) else None)


def get_history_bulk(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer the points of one metric of several runs, up to a limit; a run that does not exist has none."""
    if not request.get("run_id"):
        raise invalid("GetMetricHistoryBulk request must specify at least one run_id.")
    if not request.get("metric_key"):
        raise invalid("GetMetricHistoryBulk request must specify a metric_key.")
    limit = min(request.get("max_results", MAX_BULK_POINTS), MAX_BULK_POINTS)
    points: list[dict[str, Any]] = []
    for run_id in sorted(set(request["run_id"])):
        try:
            find_run(context, run_id)
        except NotFoundError:
            continue
        history, order = _read(context, run_id, request["metric_key"], _by_time)
        points += [_write_point(point, run_id) for point in _points(history, order[: limit - len(points)])]
    return {"metrics": points}


def get_history_bulk_interval(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer some points of one metric of several runs, evenly chosen by step, always with the first and the last."""
    start, end = request.get("start_step"), request.get("end_step")
    if (start is None) != (end is None):
        raise invalid("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise invalid(f"end_step must be greater than start_step. Found start_step={start} and end_step={end}.")
    limit = request.get("max_results", MAX_INTERVAL_POINTS)
    for run_id in request["run_ids"]:
        find_run(context, run_id)
    points: list[dict[str, Any]] = []
    for run_id in request["run_ids"]:
        history, order = _read(context, run_id, request["metric_key"], _by_step)
        if start is not None and end is not None:
            steps = history.steps[order]
            order = order[(steps >= start) & (steps <= end)]
        chosen = order[_evenly(len(order), limit)]
        points += [_write_point(point, run_id) for point in _points(history, chosen)]
    return {"metrics": points} if points else {}


def write_points(context: Context, run_id: str, metrics: list[dict[str, Any]]) -> None:
    """Write points; they are acknowledged when this returns."""
    points = [
        Point(metric["key"], metric.get("value", 0.0), metric.get("step", 0), metric.get("timestamp", 0))
        for metric in metrics
    ]
    Run(context.workspace, run_id).log_late_points(points)


def _read(context: Context, run_id: str, key: str, order: Order) -> tuple[History, NDArray[np.intp]]:
    """Return the points of a metric, and in which order they are to be answered: repeated ones once."""
    import numpy as np

    try:
        history = read_history(RunFolder(context.workspace, run_id), key)
    except NotFoundError:  # no point of this metric
        whole_numbers = np.empty(0, np.int64)
        return History(key, whole_numbers, whole_numbers, np.empty(0), True, 0), np.empty(0, np.intp)
    positions = order(history)
    columns = [column[positions] for column in (history.steps, history.timestamps, history.values)]
    is_new = np.ones(len(positions), bool)
    if len(positions) > 1:
        same = [column[1:] == column[:-1] for column in columns[:2]]
        values = columns[2]
        same_value = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
        is_new[1:] = ~(same[0] & same[1] & same_value)
    return history, positions[is_new]


def _by_time(history: History) -> NDArray[np.intp]:
    import numpy as np

    return np.lexsort((history.values, history.steps, history.timestamps))


def _by_step(history: History) -> NDArray[np.intp]:
    import numpy as np

    return np.lexsort((history.values, history.timestamps, history.steps))


def _evenly(count: int, limit: int) -> list[int]:
    """Return the positions of the first item of each of `limit` equal buckets; the last position is always among them.

    As SQL's NTILE divides: the first buckets have one item more if there is a remainder.
    """
    if count <= limit:
        return list(range(count))
    size, longer = divmod(count, limit)
    starts = [bucket * size + min(bucket, longer) for bucket in range(limit)]
    if starts[-1] != count - 1:
        starts[-1] = count - 1
    return starts


def _points(history: History, positions: NDArray[np.intp]) -> Iterator[Point]:
    columns = (history.values, history.steps, history.timestamps)
    for value, step, timestamp in zip(*(column[positions].tolist() for column in columns), strict=True):
        yield Point(history.key, value, step, timestamp)


def _write_point(point: Point, run_id: str | None = None) -> dict[str, Any]:
    content = {
        "key": point.key,
        "value": write_number(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
    }
    return content if run_id is None else {**content, "run_id": run_id}


INTERVAL = Endpoint(
    "GET",
    "metrics/get-history-bulk-interval",
    get_history_bulk_interval,
    Message(run_ids=["string"], metric_key="string", start_step="int32", end_step="int32", max_results="int32"),
    {
        "run_ids": [
            required,
            array,
            strings,
            at_most_items(
                MAX_BULK_RUNS,
                f"GetMetricHistoryBulkInterval request must specify at most {MAX_BULK_RUNS} run_ids. "
                "Received {count} run_ids.",
            ),
        ],
        "metric_key": [required, string],
        "start_step": [whole],
        "end_step": [whole],
        "max_results": [
            whole,
            between(1, MAX_INTERVAL_POINTS, f"max_results must be between 1 and {MAX_INTERVAL_POINTS}."),
        ],
    },
)

ENDPOINTS = [
    Endpoint(
        "GET",
        "metrics/get-history",
        get_history,
        Message(run_id="string", run_uuid="string", metric_key="string", page_token="string", max_results="int32"),
        {"run_id": [string, required], "metric_key": [string, required], "page_token": [string]},
    ),
    Endpoint(
        "GET",
        "metrics/get-history-bulk",
        get_history_bulk,
        Message(run_id=["string"], metric_key="string", max_results="int32"),
        {
            "run_id": [
                at_most_items(
                    MAX_BULK_RUNS,
                    f"GetMetricHistoryBulk request cannot specify more than {MAX_BULK_RUNS} run_ids. "
                    "Received {count} run_ids.",
                ),
            ],
        },
    ),
    INTERVAL,
]
