"""Logging, searching and reading runs, in turn with MLflow and its SQLite store."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.harness import Result, cpu_seconds, measure, wall_seconds
from benchmarks.many_runs import SEARCHES, synthetic_runs
from benchmarks.peers import MLFLOW, MlflowPeer
from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import Point, Run, catalog, metrics, tables
from kernel_tools.experiments.experiment_catalog import ensure_experiment

HISTORY_NOTE = "1 to 2 ms a run: reading the file and making the DataFrame take about as long as each other"
LIBRARIES = ("jupyter-atelier", "sqlalchemy", "numpy", "pyarrow")
POINTS = 100_000
PEER_POINTS = 500
PEER_BATCHES = 10_000
HISTORIES = (20, 10_000)
PAGE = 50
SLOW_FOR_PEER = (1, 5)
"""Searches that take MLflow more than a minute each over 100,000 runs; there they are measured without it."""


def run() -> Iterator[Result]:
    """Measure every bar of the experiments."""
    with tempfile.TemporaryDirectory() as name, MlflowPeer() as peer:
        folder = Path(name)
        peer.ask("open_store", path=str(folder / "logging.db"))
        yield from _log(folder, peer)
        yield _measure_size(folder, peer, is_compacted=False)
        yield _measure_size(folder, peer, is_compacted=True)
        yield from _read_histories(folder, peer)
        yield from _search(folder, peer, 10_000)
        yield from _search(folder, peer, 100_000)


def _log(folder: Path, peer: MlflowPeer) -> Iterator[Result]:
    workspace = Workspace(folder / "logging")

    def log_singly() -> float:
        log_metric = experiments.start_run("benchmark", workspace=workspace).log_metric
        return 1e6 * cpu_seconds(lambda: [log_metric("loss", step / 7, step) for step in range(POINTS)]) / POINTS

    def log_batches() -> float:
        started = experiments.start_run("benchmark", workspace=workspace)
        batches = [[Point("loss", step / 7, step, step) for step in range(1000)] for _ in range(POINTS // 1000)]
        return 1e6 * cpu_seconds(lambda: [started.log_points(batch) for batch in batches]) / POINTS

    singly, theirs = measure(log_singly, lambda: 1e6 * float(peer.ask("log_metric", points=PEER_POINTS)) / PEER_POINTS)
    ratio = statistics.median(theirs) / statistics.median(singly)
    yield Result("CPU per point, log_metric", "500x less", "us", singly, ratio >= 500, MLFLOW, theirs)
    batches, theirs = measure(
        log_batches, lambda: 1e6 * float(peer.ask("log_batch", points=PEER_BATCHES, batch=1000)) / PEER_BATCHES
    )
    ratio = statistics.median(theirs) / statistics.median(singly)
    note = f"log_metric point by point against batches: {ratio:.3g}x"
    yield Result("CPU per point, batches of 1,000", "15x less", "us", batches, ratio >= 15, MLFLOW, theirs, note)


def _measure_size(folder: Path, peer: MlflowPeer, *, is_compacted: bool) -> Result:
    workspace = Workspace(folder / f"size {is_compacted}")

    def log() -> float:
        logged = experiments.start_run("benchmark", workspace=workspace)
        noise = random.Random(0)
        for _ in range(20_000):
            logged.log_metric("loss", noise.random())
        if is_compacted:
            logged.finish()
        return logged._folder.metrics_size() / 20_000

    ours, theirs = measure(log, lambda: float(peer.ask("bytes_per_point", points=20_000)), repeat=3)
    bar = 15 if is_compacted else 6
    met = statistics.median(theirs) / statistics.median(ours) >= bar
    what = f"bytes on disk per point, {'compacted' if is_compacted else 'open'}"
    return Result(what, f"1/{bar}", "bytes", ours, met, MLFLOW, theirs)


def _read_histories(folder: Path, peer: MlflowPeer) -> Iterator[Result]:
    workspace = Workspace(folder / "histories")
    count, points = HISTORIES
    peer.ask("fill_histories", runs=count, points=points)
    open_runs = [_log_history(workspace, points) for _ in range(count)]
    ended_runs = [_log_history(workspace, points) for _ in range(count)]
    for ended in ended_runs:
        ended.finish()

    def read(runs: list[Run]) -> float:
        _forget()
        return 1000 * wall_seconds(lambda: [one.history("loss") for one in runs])

    for runs, state in ((ended_runs, "ended"), (open_runs, "still running")):
        ours, theirs = measure(partial(read, runs), lambda: 1000 * float(peer.ask("histories")), repeat=3)
        met = statistics.median(theirs) / statistics.median(ours) >= 300
        what = f"full history, {count} runs x {points:,} points, {state}, read for the first time"
        note = "" if met else HISTORY_NOTE
        yield Result(what, "300x less time", "ms", ours, met, MLFLOW, theirs, note)

    def read_buckets() -> float:
        _forget()
        return 1000 * wall_seconds(lambda: [one.history("loss", max_points=500) for one in ended_runs])

    samples, _ = measure(read_buckets)
    met = statistics.median(samples) < 50
    yield Result(f"500-bucket history of {count} runs, read for the first time", "under 50 ms", "ms", samples, met)


def _search(folder: Path, peer: MlflowPeer, count: int) -> Iterator[Result]:
    workspace = fill_catalog(folder / f"search {count}", count)
    peer.ask("open_store", path=str(folder / f"search {count}.db"))
    peer.ask("fill", count=count)
    results = []
    for number, (text, order) in enumerate(SEARCHES):
        if count > 10_000 and number in SLOW_FOR_PEER:
            continue
        ours, theirs = _search_in_turn(workspace, peer, number, repeat=5 if count <= 10_000 else 2)
        what = f"search over {count:,} runs: {text or 'no filter'} by {order[0]}"
        results.append(Result(what, "", "ms", ours, True, MLFLOW, theirs, "the same runs found"))
    yield from results
    filtered = [result for result in results if "no filter" not in result.what]
    ours, theirs = (
        [sum(part) for part in zip(*samples, strict=True)]
        for samples in ([result.ours for result in filtered], [result.peer for result in filtered])
    )
    what = f"the {len(filtered)} searches with a filter over {count:,} runs, together"
    met = statistics.median(theirs) / statistics.median(ours) >= 50
    bar = "50x less time" if count <= 10_000 else ""
    yield Result(what, bar, "ms", ours, met or not bar, MLFLOW, theirs, f"{PAGE} rows each")
    if count > 10_000:
        samples = [_time_search(workspace, number)[0] for _ in range(30) for number in range(len(SEARCHES))]
        peer_samples = [sample for result in results for sample in result.peer]
        ours_p95, peers_p95 = _p95(samples), _p95(peer_samples)
        note = f"p95 {ours_p95:.3g} ms; MLflow's, without the {len(SLOW_FOR_PEER)} slowest, {peers_p95:.3g} ms"
        what = f"each of these searches over {count:,} runs"
        yield Result(what, "p95 under 100 ms", "ms", samples, ours_p95 < 100, MLFLOW, peer_samples, note)


def _p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20, method="inclusive")[-1]


def _search_in_turn(
    workspace: Workspace, peer: MlflowPeer, number: int, repeat: int
) -> tuple[list[float], list[float]]:
    found: list[str] = []

    def ours() -> float:
        milliseconds, found[:] = _time_search(workspace, number)
        return milliseconds

    def theirs() -> float:
        seconds, ids = peer.ask("search", number=number, limit=PAGE)
        if ids != found:
            raise RuntimeError(f"MLflow finds other runs by search {number}: {ids[:3]} instead of {found[:3]}.")
        return 1000 * float(seconds)

    return measure(ours, theirs, repeat=repeat)


def _time_search(workspace: Workspace, number: int) -> tuple[float, list[str]]:
    text, order = SEARCHES[number]
    started = time.perf_counter()
    records, _ = experiments.search_run_records("many", text, order, PAGE, workspace=workspace)
    return 1000 * (time.perf_counter() - started), [record.id for record in records]


def fill_catalog(root: Path, count: int) -> Workspace:
    """Make a workspace whose catalog has many runs, written straight into its tables."""
    workspace = Workspace(root)
    experiment_id = ensure_experiment(workspace, "many")
    rows: dict[str, list[dict[str, object]]] = {"runs": [], "metrics": [], "params": [], "tags": []}
    for item in synthetic_runs(count):
        number = item.number + 1
        rows["runs"].append(
            {
                "number": number,
                "id": item.id,
                "name": f"run {item.number}",
                "experiment_id": experiment_id,
                "status": "FINISHED",
                "user": "user",
                "started_at": item.started_at,
                "ended_at": item.started_at + 500,
                "lifecycle": "active",
                "parent_run_id": None,
                "segment_size": 0,
            }
        )
        rows["metrics"] += [
            {"run_number": number, "key": key, "value": value, "step": 0, "timestamp": item.started_at}
            for key, value in item.metrics.items()
        ]
        rows["params"] += [catalog.text_row(number, key, value) for key, value in item.params.items()]
        rows["tags"] += [catalog.text_row(number, key, value) for key, value in item.tags.items()]
    with workspace.database.write() as connection:
        connection.execute(tables.runs.insert(), rows["runs"])
        connection.execute(tables.latest_metrics.insert(), rows["metrics"])
        connection.execute(tables.params.insert(), rows["params"])
        connection.execute(tables.tags.insert(), rows["tags"])
        catalog.analyze(connection)
    return workspace


def _log_history(workspace: Workspace, points: int) -> Run:
    logged = experiments.start_run("benchmark", workspace=workspace)
    logged.log_points([Point("loss", step / 7, step, 1_700_000_000_000 + step) for step in range(points)])
    return logged


def _forget() -> None:
    """Read from the files again, as a new process would."""
    metrics.forget_readers()
