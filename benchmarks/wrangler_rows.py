"""One row through ten steps: the recipe in ONNX, and the same by a scikit-learn pipeline."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

import kernel_tools as kt
from kernel_tools.wrangler.lowering.onnx import feeds_of
from kernel_tools.wrangler.recipe import Recipe

ROWS = 5_000
CALLS = {"onnx": 2_000, "sklearn": 200}
JOBS, CITIES = ("clerk", "guard", "nurse", "pilot"), ("Bern", "Lima", "Oslo")


def one_row_samples(repeat: int) -> tuple[list[float], list[float], float]:
    """Return microseconds a row of ONNX and of scikit-learn, in turn, and the greatest difference of their results."""
    frame = _frame()
    steps = _recipe(frame)
    pipeline = _pipeline().fit(frame)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = steps.to_onnx(matrix=True).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    row = frame.iloc[[7]]
    plain = row.iloc[0].to_dict()
    (all_rows,) = session.run(None, feeds_of(frame, session))
    worst = float(np.abs(all_rows - pipeline.transform(frame)).max())
    assert worst < 1e-5, worst
    ours, theirs = [], []
    for number in range(repeat + 1):
        one = _time(lambda: session.run(None, feeds_of(plain, session)), CALLS["onnx"])
        other = _time(lambda: pipeline.transform(row), CALLS["sklearn"])
        if number:
            ours.append(one)
            theirs.append(other)
    return ours, theirs, worst


def _time(call: Callable[[], object], calls: int) -> float:
    gc.collect()
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return float(f"{(time.perf_counter() - started) / calls * 1e6:.4g}")


def _frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({name: generator.normal(size=ROWS) * 10 for name in ("a", "b", "c", "d")})
    frame["e"] = generator.lognormal(size=ROWS)
    frame["job"], frame["city"] = generator.choice(JOBS, ROWS), generator.choice(CITIES, ROWS)
    return frame.mask(generator.random(frame.shape) < 0.05)


def _recipe(frame: pd.DataFrame) -> Recipe:
    recipe: Recipe = (
        kt.wrangler.read(frame)
        .impute(["a", "b"], strategy="median")
        .impute(["c", "d", "e"], strategy="mean")
        .impute(["job", "city"], strategy="mode")
        .log(["e"])
        .standardize(["a", "e"])
        .min_max_scale(["b"])
        .robust_scale(["c"])
        .max_abs_scale(["d"])
        .one_hot(["job"])
        .ordinal(["city"])
    )
    columns = ["a", "e", "b", "c", "d", *[f"job_{job}" for job in JOBS], "city"]
    return recipe.fit().select(columns).fit()


def _pipeline() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("a", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["a"]),
            ("e", make_pipeline(SimpleImputer(), FunctionTransformer(np.log), StandardScaler()), ["e"]),
            ("b", make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler()), ["b"]),
            ("c", make_pipeline(SimpleImputer(), RobustScaler()), ["c"]),
            ("d", make_pipeline(SimpleImputer(), MaxAbsScaler()), ["d"]),
            (
                "job",
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False)),
                ["job"],
            ),
            ("city", make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), ["city"]),
        ]
    )
