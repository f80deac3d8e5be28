"""MLflow's side of the benchmarks: runs in MLflow's own environment, takes commands as lines of JSON, answers times.

It is started by `benchmarks.peer` with a folder for its SQLite store, and knows nothing of Atelier.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from many_runs import SEARCHES, synthetic_runs

STORE: dict[str, Any] = {}
SERVERS: dict[str, Any] = {}
"""Clients of tracking servers, by the server's name; `log_batch_to` and `search_at` speak HTTP with them."""


def open_store(path: str) -> float:
    """Open a new SQLite store, or one that exists, and go on with it."""
    from mlflow import MlflowClient

    STORE.update(path=path, client=MlflowClient(f"sqlite:///{path}"))
    client = STORE["client"]
    found = client.get_experiment_by_name("many")
    STORE["experiment"] = found.experiment_id if found else client.create_experiment("many")
    return 0.0


def log_metric(points: int) -> float:
    """Return the CPU seconds of single, synchronous calls."""
    client, run_id = STORE["client"], _start_run()
    started = time.process_time()
    for step in range(points):
        client.log_metric(run_id, "loss", step / 7, step=step, synchronous=True)
    return time.process_time() - started


def log_batch(points: int, batch: int) -> float:
    """Return the CPU seconds of batches."""
    from mlflow.entities import Metric

    client, run_id = STORE["client"], _start_run()
    started = time.process_time()
    for first in range(0, points, batch):
        now = int(time.time() * 1000)
        metrics = [Metric("loss", step / 7, now, step) for step in range(first, first + batch)]
        client.log_batch(run_id, metrics=metrics)
    return time.process_time() - started


def bytes_per_point(points: int) -> float:
    """Return by how much the store grows with every point of one run."""
    before = _size()
    log_batch(points, 1000)
    return (_size() - before) / points


def fill(count: int) -> float:
    """Write many runs straight into the tables."""
    started = time.perf_counter()
    experiment = int(STORE["experiment"])
    content: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ("runs", "latest", "metrics", "params", "tags")}
    for run in synthetic_runs(count):
        content["runs"].append((run.id, f"run {run.number}", "user", run.started_at, run.started_at + 500, experiment))
        for key, value in run.metrics.items():
            content["latest"].append((key, value, run.started_at, run.id))
            content["metrics"].append((key, value, run.started_at, run.id))
        content["params"] += [(key, value, run.id) for key, value in run.params.items()]
        content["tags"] += [(key, value, run.id) for key, value in run.tags.items()]
    with sqlite3.connect(STORE["path"]) as connection:
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, user_id, start_time, end_time, experiment_id, status, lifecycle_stage, "
            "source_type, source_name, entry_point_name, source_version, artifact_uri) "
            "VALUES (?, ?, ?, ?, ?, ?, 'FINISHED', 'active', 'LOCAL', '', '', '', 'file:///nowhere')",
            content["runs"],
        )
        insert = "(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, 0, 0)"
        connection.executemany(f"INSERT INTO latest_metrics {insert}", content["latest"])
        connection.executemany(f"INSERT INTO metrics {insert}", content["metrics"])
        connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", content["params"])
        connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", content["tags"])
    return time.perf_counter() - started


def search(number: int, limit: int) -> tuple[float, list[str]]:
    """Return the seconds of one of the searches, and the ids that it found."""
    text, order = SEARCHES[number]
    started = time.perf_counter()
    found = STORE["client"].search_runs([STORE["experiment"]], text, order_by=list(order), max_results=limit)
    seconds = time.perf_counter() - started
    return seconds, [run.info.run_id for run in found]


def fill_histories(runs: int, points: int) -> float:
    """Write long histories straight into the tables; later `histories` reads them."""
    started = time.perf_counter()
    ids = [_start_run() for _ in range(runs)]
    with sqlite3.connect(STORE["path"]) as connection:
        for run_id in ids:
            rows: Iterable[tuple[Any, ...]] = (
                ("loss", step / 7, 1_700_000_000_000 + step, run_id, step) for step in range(points)
            )
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)", rows
            )
    STORE["histories"] = ids
    return time.perf_counter() - started


def histories() -> float:
    """Return the seconds of reading every point of all histories."""
    started = time.perf_counter()
    for run_id in STORE["histories"]:
        STORE["client"].get_metric_history(run_id, "loss")
    return time.perf_counter() - started


def connect(server: str, uri: str, token: str) -> str:
    """Let a client find a tracking server; returns the version of MLflow."""
    import mlflow

    os.environ["MLFLOW_TRACKING_TOKEN"] = token
    client = mlflow.MlflowClient(uri)
    SERVERS[server] = (client, client.get_experiment_by_name("many").experiment_id)
    return str(mlflow.__version__)


def log_batch_to(server: str, calls: int, batch: int) -> float:
    """Return the seconds of logging batches of points to a server, into a new run."""
    from mlflow.entities import Metric

    client, experiment = SERVERS[server]
    run_id = client.create_run(experiment).info.run_id
    metrics = [
        [Metric("loss", step / 7, 17, step) for step in range(call * batch, (call + 1) * batch)]
        for call in range(calls)
    ]
    started = time.perf_counter()
    for part in metrics:
        client.log_batch(run_id, metrics=part)
    seconds = time.perf_counter() - started
    client.set_terminated(run_id)
    client.delete_run(run_id)
    return seconds


def search_at(server: str, filter: str, order: list[str], limit: int, pages: int = 1) -> tuple[float, list[str]]:
    """Return the seconds of reading some pages of runs from a server, and the ids."""
    client, experiment = SERVERS[server]
    ids: list[str] = []
    token = None
    started = time.perf_counter()
    for _ in range(pages):
        page = client.search_runs([experiment], filter, order_by=order, max_results=limit, page_token=token)
        ids += [run.info.run_id for run in page]
        token = page.token
    return time.perf_counter() - started, ids


def _start_run() -> str:
    return str(STORE["client"].create_run(STORE["experiment"]).info.run_id)


def _size() -> int:
    with sqlite3.connect(STORE["path"]) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        return int(pages * connection.execute("PRAGMA page_size").fetchone()[0])


COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        open_store,
        log_metric,
        log_batch,
        bytes_per_point,
        fill,
        search,
        fill_histories,
        histories,
        connect,
        log_batch_to,
        search_at,
    )
}


def main() -> None:
    """Answer commands until the input ends; what the libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        command = json.loads(line)
        answer = COMMANDS[command.pop("command")](**command)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
