"""Endpoints: from deploy to the first answer, and the time of one row over HTTP."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.harness import Result, measure, wall_seconds
from kernel_tools import hosting, registry
from kernel_tools.core.workspace import Workspace
from kernel_tools.launch import notebooks_folder

LIBRARIES = ("jupyter-atelier", "xgboost", "uvicorn", "pandas")
BAR_DEPLOY_S = 4
BAR_PREDICT_MS = 5
REQUESTS = 1000


def run() -> Iterator[Result]:
    """Deploy the quickstart's kind of model, again and again, and ask it for single rows."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        version, sample = _register(workspace)

        def deploy() -> float:
            started = time.perf_counter()
            endpoint = hosting.deploy("census", version=version, name="benchmark", workspace=workspace)
            endpoint.invoke(sample[:1])
            seconds = time.perf_counter() - started
            endpoint.delete()
            return seconds

        samples, _ = measure(deploy)
        met = statistics.median(samples) < BAR_DEPLOY_S
        yield Result("deploy to first answer", f"under {BAR_DEPLOY_S} s", "s", samples, met)

        endpoint = hosting.deploy("census", version=version, name="benchmark", workspace=workspace)
        try:
            samples = _ask(str(endpoint.url), sample[0])
            median = statistics.median(samples)
            ordered = sorted(samples)
            note = f"p99 {ordered[int(len(ordered) * 0.99)]:.2f} ms; one connection, kept alive"
            yield Result(
                "POST /invocations, one row",
                f"median under {BAR_PREDICT_MS} ms",
                "ms",
                samples,
                median < BAR_PREDICT_MS,
                note=note,
            )
            samples, _ = measure(lambda: 1000 * wall_seconds(lambda: endpoint.invoke(sample[:1])), repeat=200)
            yield Result("endpoint.invoke, one row", "", "ms", samples, True)
        finally:
            endpoint.delete()


def _register(workspace: Workspace) -> tuple[int, list[dict[str, object]]]:
    import pandas as pd
    from xgboost import XGBClassifier

    table = pd.read_parquet(notebooks_folder() / "data" / "adult.parquet")
    features = table.drop(columns=["income", "split"])
    for column in features.select_dtypes(include=["object", "str"]):
        features[column] = features[column].astype("category")
    model = XGBClassifier(n_estimators=300, max_depth=6, enable_categorical=True)
    model.fit(features, (table["income"] == ">50K").astype(int))
    version = registry.register("census", model, sample_input=features.head(), workspace=workspace)
    return version.version, version.record.sample  # type: ignore[return-value]  # the sample of a table has dictionaries


def _ask(url: str, row: dict[str, object]) -> list[float]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    body = json.dumps({"dataframe_records": [row]})
    samples = []
    for number in range(REQUESTS + 50):
        started = time.perf_counter()
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"The endpoint answered {reply.status}.")
        if number >= 50:
            samples.append(1000 * (time.perf_counter() - started))
    connection.close()
    return samples
