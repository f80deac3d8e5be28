"""The compiler: one row by the compiled package against the framework's own predict."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from benchmarks.harness import Result, measure
from kernel_tools import compiler

LIBRARIES = ("jupyter-atelier", "onnxruntime", "scikit-learn", "xgboost", "torch", "pandas")
BARS = {"XGBoost": 10, "RandomForest": 100, "pipeline": 50, "CNN": 3}
MAX_END_TO_END_US = 60
ROWS = 2000
CALLS = 300


def run() -> Iterator[Result]:
    """Compile each model, and ask it and the original for single rows in turn."""
    for name, make in (
        ("XGBoost, 300 trees, 30 features", _xgboost),
        ("RandomForest, 200 trees, 30 features", _forest),
        ("scikit-learn pipeline: one-hot, scale, logistic", _pipeline),
        ("CNN, 28 x 28 pixels", _network),
    ):
        model, sample, predict = make()
        package = compiler.compile(model, "onnx", sample, measure_memory=True)
        loaded = package.load()
        row = sample[:1]
        body = msgspec.json.encode(_body(row))
        times = measure(_microseconds(partial(_answer, loaded, body)), _microseconds(partial(predict, row)))
        bar = next(value for word, value in BARS.items() if word in name)
        ratio = statistics.median(times[1]) / statistics.median(times[0])
        parity, compiled, original = package.manifest.parity, package.manifest.compiled, package.manifest.original
        note = (
            f"{_mib(compiled.memory_mib)} against {_mib(original.memory_mib)}; greatest difference "
            f"{parity.max_difference:.1g}, {parity.labels_changed} labels changed in {parity.rows:,} rows"
        )
        yield Result(
            f"one row from JSON, {name}", f"{bar}x", "µs", times[0], ratio >= bar, "its own predict", times[1], note
        )
        if name.startswith("XGBoost"):
            whole, _ = measure(_microseconds(partial(_serve, loaded, body)))
            met = statistics.median(whole) <= MAX_END_TO_END_US
            yield Result("one row from JSON to JSON", f"under {MAX_END_TO_END_US} µs", "µs", whole, met)


def _answer(model: Any, body: bytes) -> object:
    return model.answer(msgspec.json.decode(body))


def _serve(model: Any, body: bytes) -> bytes:
    answer = model.answer(msgspec.json.decode(body))
    return msgspec.json.encode({name: values.tolist() for name, values in answer.items()})


def _microseconds(call: Callable[[], object]) -> Callable[[], float]:
    """The median of many calls."""

    def timed() -> float:
        samples = []
        for _ in range(CALLS):
            started = time.perf_counter_ns()
            call()
            samples.append((time.perf_counter_ns() - started) / 1000)
        return statistics.median(samples)

    return timed


def _body(row: Any) -> dict[str, Any]:
    if not hasattr(row, "to_dict"):
        return {"instances": row.tolist()}
    [values] = row.to_dict("records")
    return {"dataframe_records": [{name: None if value != value else value for name, value in values.items()}]}


def _mib(memory: float | None) -> str:
    return "?" if memory is None else f"{memory:.0f} MiB"


def _table() -> tuple[Any, Any]:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(ROWS, 30)), columns=[f"feature_{place}" for place in range(30)])
    return table, (table.feature_0 + table.feature_1**2 + rng.normal(size=ROWS) > 1).astype(int)


def _xgboost() -> tuple[Any, Any, Callable[[Any], Any]]:
    from xgboost import XGBClassifier

    table, target = _table()
    model = XGBClassifier(n_estimators=300, max_depth=6).fit(table, target)
    return model, table, model.predict


def _forest() -> tuple[Any, Any, Callable[[Any], Any]]:
    from sklearn.ensemble import RandomForestClassifier

    table, target = _table()
    model = RandomForestClassifier(200, max_depth=12, random_state=0).fit(table, target)
    return model, table, model.predict


def _pipeline() -> tuple[Any, Any, Callable[[Any], Any]]:
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    table, target = _table()
    table = table.iloc[:, :6].assign(job=np.random.default_rng(1).choice(["clerk", "boss", "cook"], ROWS))
    columns = make_column_transformer(
        (StandardScaler(), list(table.columns[:6])), (OneHotEncoder(handle_unknown="ignore"), ["job"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(table, target)
    return model, table, model.predict


def _network() -> tuple[Any, Any, Callable[[Any], Any]]:
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(32, 10),
    ).eval()  # fmt: skip
    images = np.random.default_rng(0).normal(size=(64, 1, 28, 28)).astype(np.float32)

    def predict(rows: Any) -> Any:
        with torch.inference_mode():
            return network(torch.as_tensor(rows))

    return network, images, predict
