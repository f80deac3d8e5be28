"""Endpoints against LitServe, BentoML and MLflow: starts, processor time and memory of the same XGBoost model."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.harness import Result, measure
from benchmarks.serving_peers import NAMES, Server, await_answer, free_port, peer
from kernel_tools import compiler, hosting, registry
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.hosts import stop_host
from kernel_tools.hosting.process import find_servers

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = ("jupyter-atelier", "xgboost", "onnxruntime", "uvicorn", "pandas")
BAR_DEPLOY_S = 1.5
CONNECTIONS, EACH, ROUNDS, STARTS = 16, 125, 5, 5
RATE = 1000.0


def run() -> Iterator[Result]:
    """Serve 300 trees on 30 features by all servers at once, and ask them in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = Workspace(folder / "workspace")
        table, version = _register(workspace, folder)
        rows = table[:1].to_numpy().tolist()
        try:
            yield from _starts(workspace, table, rows, folder)
            yield from _costs(workspace, version, rows, folder)
            yield from _from_zero(workspace, table)
        finally:
            stop_host(workspace)


def _starts(workspace: Workspace, table: pd.DataFrame, rows: Any, folder: Path) -> Iterator[Result]:
    """From `deploy` to the first answer, by the model itself and by its compiled package."""

    def deploy(engine: str) -> float:
        began = time.perf_counter()
        endpoint = hosting.deploy("trees", engine=engine, name="start", workspace=workspace)
        endpoint.predict(table[:1])
        seconds = time.perf_counter() - began
        endpoint.delete()
        return seconds

    def start(name: str) -> float:
        with peer(name, folder, rows) as server:
            return server.started

    peers = {name: measure(lambda: start(name), repeat=3)[0] for name in NAMES}  # noqa: B023  # called at once
    quickest = min(peers, key=lambda name: statistics.median(peers[name]))
    told = ", ".join(f"{NAMES[name]} {statistics.median(found):.1f} s" for name, found in peers.items())
    for engine, what in (("framework", "by XGBoost"), ("onnx", "compiled")):
        if engine == "onnx":
            compiler.compile(registry.get("trees", workspace=workspace), "onnx", table)
        samples, _ = measure(lambda: deploy(engine), repeat=STARTS)  # noqa: B023  # called at once
        median = statistics.median(samples)
        title = f"deploy to first answer, {what}"
        yield Result(title, f"under {BAR_DEPLOY_S} s", "s", samples, median < BAR_DEPLOY_S)
        share = median / statistics.median(peers[quickest])
        note = f"{share:.3f} of the quickest; {told}"
        yield Result(title, "1/15 of each peer's", "s", samples, share < 1 / 15, NAMES[quickest], peers[quickest], note)


def _costs(workspace: Workspace, version: Any, rows: Any, folder: Path) -> Iterator[Result]:
    """Processor time of a request and memory, all servers up, asked in turn."""
    with ExitStack() as stack:
        ours = {engine: stack.enter_context(_endpoint(workspace, engine, rows)) for engine in ("framework", "onnx")}
        echo = stack.enter_context(_echo(rows))
        peers = {name: stack.enter_context(peer(name, folder, rows)) for name in NAMES}
        servers = {**ours, "echo": echo, **peers}
        found: dict[str, list[float]] = {name: [] for name in servers}
        for number in range(ROUNDS + 1):
            for name, server in servers.items():
                cost = server.load(CONNECTIONS, EACH)["cpu_us"]
                if number:
                    found[name].append(float(f"{cost:.4g}"))
        best = min(peers, key=lambda name: statistics.median(found[name]))
        least = statistics.median(found[best])
        told = ", ".join(f"{NAMES[name]} {statistics.median(found[name]):,.0f} µs" for name in peers)
        for engine, what, bar in (("framework", "by XGBoost", 4), ("onnx", "compiled", 20)):
            ratio = least / statistics.median(found[engine])
            yield Result(
                f"CPU of a request with one row, {what}", f"1/{bar} of the best peer's", "µs", found[engine],
                ratio >= bar, NAMES[best], found[best], told,
            )  # fmt: skip
        yield _against_echo(servers["onnx"], echo)
        memory = {name: [round(server.memory_mib(), 1)] for name, server in servers.items()}
        told = ", ".join(f"{NAMES[name]} {memory[name][0]:.0f} MiB" for name in peers)
        yield Result(
            "memory of a serving worker, compiled", "1/4 of MLflow's server", "MiB", memory["onnx"],
            memory["mlflow"][0] >= 4 * memory["onnx"][0], NAMES["mlflow"], memory["mlflow"],
            f"{told}; by XGBoost {memory['framework'][0]:.0f} MiB",
        )  # fmt: skip


def _from_zero(workspace: Workspace, table: pd.DataFrame) -> Iterator[Result]:
    """From a request to an endpoint without a worker to its answer."""
    policy = hosting.ScalingPolicy(min_workers=0, idle_seconds=1.5)
    for engine, what in (("framework", "by XGBoost"), ("onnx", "compiled")):
        endpoint = hosting.deploy("trees", engine=engine, name="asleep", scaling=policy, workspace=workspace)
        folder = workspace.folder("endpoints", "asleep")

        def wake() -> float:
            while find_servers(folder):  # noqa: B023  # called at once; a worker that drains would answer
                time.sleep(0.05)
            began = time.perf_counter()
            endpoint.predict(table[:1])  # noqa: B023  # called at once
            return time.perf_counter() - began

        samples = [float(f"{wake():.4g}") for _ in range(STARTS)]  # the first one too
        endpoint.delete()
        yield Result(
            f"scale from zero to the first answer, {what}", "under 1.5 s", "s", samples, max(samples) < 1.5, note="each"
        )


def _against_echo(compiled: Server, echo: Server) -> Result:
    """Processor time above that of the same HTTP server with nothing behind it, both at one rate of requests."""
    servers = {"onnx": compiled, "echo": echo}
    found: dict[str, list[float]] = {name: [] for name in servers}
    closed: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, server in servers.items():
            found[name].append(float(f"{server.load(CONNECTIONS, 250, RATE)['cpu_us']:.4g}"))
            closed[name].append(server.load(CONNECTIONS, 250)["cpu_us"])
    ratio = statistics.median(found["onnx"]) / statistics.median(found["echo"])
    told = (
        f"{ratio:.2f} of the echo at {RATE:,.0f} requests a second; as fast as each can: "
        f"{statistics.median(closed['onnx']):.0f} against {statistics.median(closed['echo']):.0f} µs"
    )
    return Result(
        "CPU of a request, compiled, against a bare echo", "under 2.5x", "µs", found["onnx"], ratio < 2.5,
        "echo by uvicorn", found["echo"], told,
    )  # fmt: skip


@contextmanager
def _endpoint(workspace: Workspace, engine: str, rows: Any) -> Iterator[Server]:
    endpoint = hosting.deploy("trees", engine=engine, name=engine, workspace=workspace)
    try:
        pid = endpoint.record.pid
        assert pid is not None
        yield Server(pid, int(urlsplit(endpoint.url).port or 0), json.dumps({"instances": rows}), 0.0)
    finally:
        endpoint.delete()


@contextmanager
def _echo(rows: Any) -> Iterator[Server]:
    port, body = free_port(), json.dumps({"instances": rows})
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.serving.echo_server", str(port)])
    try:
        await_answer(process, port, body)
        yield Server(process.pid, port, body, 0.0)
    finally:
        process.kill()
        process.wait()


def _register(workspace: Workspace, folder: Path) -> tuple[pd.DataFrame, Any]:
    import numpy as np
    import pandas as pd
    import xgboost

    values = np.random.default_rng(0).normal(size=(4000, 30))
    table = pd.DataFrame(values, columns=[f"f{number}" for number in range(30)])
    target = (table["f0"] * table["f1"] + table["f2"] > 0).astype(int)
    model = xgboost.XGBClassifier(n_estimators=300, max_depth=6, n_jobs=1).fit(table, target)
    model.save_model(folder / "model.ubj")
    version = registry.register("trees", model, sample_input=table.head(), workspace=workspace)
    version.approve()
    return table, version
