"""Frames of pandas, polars and pyarrow."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.sources import frame_source


def rows(engine, name="f"):
    return engine.connection.sql(f"SELECT * FROM {name}").to_arrow_table().to_pylist()


def test_nan_is_missing_and_infinity_stays(engine):
    values = [1.0, math.nan, math.inf]
    for frame in (
        pd.DataFrame({"x": values}),
        pl.DataFrame({"x": values}),
        pl.LazyFrame({"x": values}),
        pa.table({"x": values}),
        pd.DataFrame({"x": pd.array(values, dtype="Float64")}),
    ):
        loaded = frame_source(frame, engine, "f")
        assert [row["x"] for row in rows(engine)] == [1.0, None, math.inf]
        assert loaded.rows == 3 and loaded.columns[0].kind == "number"


def test_types_of_pandas_come_across(engine):
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "s": ["a", None],
            "c": pd.Categorical(["x", None]),
            "t": pd.to_datetime(["2024-01-01 10:00", None]),
            "z": pd.to_datetime(["2024-07-01 10:00", None]).tz_localize("Europe/Berlin"),
            "n": np.array(["2024-01-01T00:00:00.123456789", "NaT"], dtype="datetime64[ns]"),
            "d": [dt.date(1, 1, 1), dt.date(9999, 12, 31)],
            "m": [1, "a"],
            "e": [None, None],
        }
    )
    loaded = frame_source(frame, engine, "f")
    first = rows(engine)[0]
    assert first["t"] == dt.datetime(2024, 1, 1, 10)
    assert first["z"] == dt.datetime(2024, 7, 1, 8, tzinfo=dt.UTC)
    assert first["n"] == dt.datetime(2024, 1, 1, 0, 0, 0, 123457)
    assert (first["i"], first["s"], first["c"], first["d"], first["m"]) == (1, "a", "x", dt.date(1, 1, 1), "1")
    assert set(rows(engine)[1].values()) == {None, dt.date(9999, 12, 31), "a"}
    said = {column.name: " ".join(column.notes) for column in loaded.columns}
    assert "Europe/Berlin" in said["z"] and "microsecond" in said["n"]
    assert said["m"] == "Values of several Python types: kept as text."
    assert loaded.columns[-1].type == "string"


def test_an_index_that_says_something_becomes_columns(engine):
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    frame_source(frame, engine, "f")
    assert rows(engine)[0] == {"key": "a", "x": 1}
    frame_source(frame.reset_index()[["x"]].iloc[::-1], engine, "f")
    assert rows(engine) == [{"x": 2}, {"x": 1}]


def test_names_that_stand_twice_are_told_apart(engine):
    loaded = frame_source(pd.DataFrame([[1, 2, 3]], columns=["a", "A", "a"]), engine, "f")
    assert rows(engine) == [{"a": 1, "A_2": 2, "a_3": 3}]
    assert len(loaded.warnings) == 1


def test_the_fingerprint_is_that_of_the_content(engine):
    frame = pd.DataFrame({"x": [1.0, 2.0], "s": ["a", "b"]})
    one = frame_source(frame, engine, "f").fingerprint
    assert frame_source(frame.copy(), engine, "g").fingerprint[7:] == frame_source(frame, engine, "g").fingerprint[7:]
    assert frame_source(frame.assign(x=[1.0, 3.0]), engine, "f").fingerprint != one
    assert one.startswith("sha256:") and len(one) == 71


def test_types_that_duckdb_does_not_know_are_cast(engine):
    table = pa.table(
        {
            "h": pa.array([1.5], pa.float32()).cast(pa.float16()),
            "d": pa.array([None], pa.decimal256(50, 2)),
            "k": pa.array(["x"]).dictionary_encode(),
        }
    )
    frame_source(table, engine, "f")
    assert rows(engine) == [{"h": 1.5, "d": None, "k": "x"}]


def test_what_is_no_frame_is_refused(engine):
    for wrong in ([1, 2], pd.Series([1]), {"a": 1}, pl.Series([1])):
        with pytest.raises(InvalidArgumentError, match="is not a"):
            frame_source(wrong, engine, "f")
