"""Rows in every content type: what goes in comes out to the last bit, and what does not fit is named."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, InvalidDataError
from kernel_tools.core.forms import InputReader
from kernel_tools.hosting.wire import NotAcceptableError, UnsupportedContentError, media_types
from kernel_tools.hosting.wire.contents import read_body
from kernel_tools.hosting.wire.media_types import choose_type
from kernel_tools.hosting.wire.replies import write_reply
from kernel_tools.registry.signature import Column, ColumnType, Signature, Tensor

COLUMNS = [
    Column("age", ColumnType.LONG),
    Column("hours", ColumnType.DOUBLE, nullable=True),
    Column("job", ColumnType.STRING, nullable=True),
    Column("is_married", ColumnType.BOOLEAN),
]
READER = InputReader(Signature(COLUMNS))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
ROWS = st.lists(
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.none() | FLOATS, st.none() | TEXT, st.booleans()), min_size=1
)


def encode(rows: list[tuple[object, ...]], kind: str) -> bytes:
    names = [column.name for column in COLUMNS]
    if kind == media_types.JSON:
        return msgspec.json.encode({"dataframe_split": {"columns": names, "data": rows}})
    if kind == media_types.JSON_LINES:
        return b"\n".join(msgspec.json.encode(dict(zip(names, row, strict=True))) for row in rows)
    if kind == media_types.CSV:
        return write_reply({"predictions": [list(row) for row in rows]}, "text/csv")[0]
    types = [pa.int64(), pa.float64(), pa.string(), pa.bool_()]
    table = pa.table([pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)], names=names)
    sink = io.BytesIO()
    if kind == media_types.PARQUET:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


@given(ROWS, st.sampled_from([kind for kind in media_types.TYPES if kind != media_types.NPY]))
def test_rows_are_read_to_the_last_bit(rows: list[tuple[object, ...]], kind: str) -> None:
    frame = READER.read(read_body(encode(rows, kind), kind, COLUMNS))
    given = [tuple(None if pd.isna(v) else v for v in row) for row in frame.itertuples(index=False)]
    assert repr([(int(a), h if h is None else float(h), j, bool(m)) for a, h, j, m in given]) == repr(rows)


@given(
    st.lists(st.lists(st.floats(allow_infinity=False), min_size=2, max_size=2), min_size=1),
    st.sampled_from(["<f8", ">f8", "<f4"]),
)
def test_an_array_is_read_to_the_last_bit(rows: list[list[float]], dtype: str) -> None:
    with np.errstate(over="ignore"):
        array = np.array(rows).astype(dtype)
    array[np.isinf(array)] = 0
    file = io.BytesIO()
    np.save(file, array)
    reader = InputReader(Signature(tensor=Tensor("float64", [-1, 2])))
    np.testing.assert_array_equal(reader.read(read_body(file.getvalue(), "application/x-npy")), array)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1))
def test_a_reply_is_read_back_exactly_in_every_type(rows: list[tuple[float, float]]) -> None:
    reply = {"predictions": np.array([a for a, _ in rows]), "probabilities": np.array(rows), "classes": ["no", "yes"]}
    expected = [[a, a, b] for a, b in rows]
    answers = {kind: write_reply(reply, kind)[0] for kind in media_types.TYPES}
    lines = [[float(cell) for cell in line.split(",")] for line in answers[media_types.CSV].decode().splitlines()]
    objects = [msgspec.json.decode(line) for line in answers[media_types.JSON_LINES].splitlines()]
    arrow = pa.ipc.open_stream(answers[media_types.ARROW]).read_all()
    parquet = pq.read_table(io.BytesIO(answers[media_types.PARQUET]))
    assert parquet.column_names == ["prediction", "probability_no", "probability_yes"]
    assert repr(lines) == repr(expected)
    assert repr([[row["prediction"], *row["probabilities"]] for row in objects]) == repr(expected)
    for table in (arrow, parquet):
        assert repr([list(row.values()) for row in table.to_pylist()]) == repr(expected)
    assert repr(np.load(io.BytesIO(answers[media_types.NPY])).tolist()) == repr([row[0] for row in expected])
    assert repr(msgspec.json.decode(answers[media_types.JSON])["predictions"]) == repr([row[0] for row in expected])


@given(st.binary(max_size=300), st.sampled_from(media_types.TYPES), st.booleans())
def test_any_bytes_are_rows_or_refused_on_purpose(body: bytes, kind: str, has_columns: bool) -> None:
    prefix = {media_types.NPY: b"\x93NUMPY\x01\x00", media_types.PARQUET: b"PAR1"}.get(kind, b"")
    for content in (body, prefix + body):
        try:
            READER.read(read_body(content, kind, COLUMNS if has_columns else None))
        except AtelierError:
            continue


def test_sagemakers_features_are_rows_of_values() -> None:
    body = b'{"instances": [{"features": [39, 1.5, "tech", true]}]}'
    lines = b'{"features": [39, 1.5, "tech", true]}\n{"features": [40, null, null, false]}\n'
    assert READER.read(read_body(body)).iloc[0].tolist() == [39, 1.5, "tech", True]
    assert len(READER.read(read_body(lines, "application/jsonlines"))) == 2


def test_a_csv_may_have_a_header_in_any_order() -> None:
    body = b"\xef\xbb\xbfjob,age,is_married,hours,id\r\ntech,39,true,,7\r\n"
    frame = READER.read(read_body(body, "text/csv; charset=UTF-8", COLUMNS))
    assert frame.iloc[0].isna().tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"39,1.5,tech,true\n39,inf,tech,true", "text/csv", "Row 1, column 'hours': inf is an infinite number"),
        (b"39,1.5,tech,true\n3x,1,tech,true", "text/csv", "Row 1, column 'age': '3x' does not fit. Send a whole"),
        (b"39,1.5,tech\n", "text/csv", "Row 0 has 3 values, but there are 4 columns"),
        (b'{"age": 1}\n{"age": NaN}', "application/jsonlines", "Line 1: The body is not valid JSON"),
    ],
)
def test_what_does_not_fit_is_named_by_row_and_column(body: bytes, kind: str, said: str) -> None:
    with pytest.raises((InvalidDataError, InvalidArgumentError)) as caught:
        READER.read(read_body(body, kind, COLUMNS))
    assert said in str(caught.value)


def test_an_infinite_number_in_a_parquet_column_is_named() -> None:
    body = encode([(1, 1.0, "a", True), (1, float("inf"), "a", True)], media_types.PARQUET)
    with pytest.raises(InvalidDataError, match="Row 1, column 'hours': inf"):
        read_body(body, "application/x-parquet", COLUMNS)
    assert read_body(body, "application/x-parquet", COLUMNS, allow_infinite=True)["inputs"]["hours"] == [1.0, np.inf]


def test_nan_is_missing_in_a_parquet_column() -> None:
    body = encode([(1, float("nan"), "a", True)], media_types.PARQUET)
    assert READER.read(read_body(body, "application/x-parquet", COLUMNS))["hours"].isna().all()


def test_a_pickled_array_is_refused() -> None:
    file = io.BytesIO()
    np.save(file, np.array([SimpleNamespace()], dtype=object))
    with pytest.raises(InvalidArgumentError, match="not an NPY array of plain values"):
        read_body(file.getvalue(), "application/x-npy")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", media_types.JSON),
        ("*/*", media_types.JSON),
        ("text/*", media_types.CSV),
        ("application/json;q=0.5, text/csv", media_types.CSV),
        ("*/*;q=0.1, application/json;q=0, application/x-npy", media_types.NPY),
        ("Application/X-NDJSON", media_types.JSON_LINES),
    ],
)
def test_accept_is_negotiated(accept: str, chosen: str) -> None:
    assert choose_type(accept) == chosen


def test_what_is_not_taken_is_answered_with_what_is() -> None:
    with pytest.raises(UnsupportedContentError, match="'image/png' is not supported: send application/json"):
        read_body(b"", "image/png")
    with pytest.raises(NotAcceptableError, match="accept one of application/json"):
        write_reply({"predictions": [1]}, "image/*")


def test_the_wire_is_small() -> None:
    """A worker of a compiled model imports it without what makes the other rooms large."""
    code = """
import importlib, pkgutil, sys, types
import kernel_tools
package = types.ModuleType("kernel_tools.hosting")
package.__path__ = [kernel_tools.__path__[0] + "/hosting"]
sys.modules["kernel_tools.hosting"] = package  # its face is large still
wire = importlib.import_module("kernel_tools.hosting.wire")
for module in pkgutil.iter_modules(wire.__path__, "kernel_tools.hosting.wire."):
    importlib.import_module(module.name)
print([name for name in ("pandas", "numpy", "pyarrow", "sqlalchemy", "pydantic", "botocore") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_small_parquet_file_cannot_fill_the_memory() -> None:
    """One text of a megabyte in 2,000 rows takes some bytes on the wire, and no more than one object here."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"job": pa.array(["x" * 1_000_000]).dictionary_encode().take([0] * 2_000)}), sink)
    values = read_body(sink.getvalue(), "application/x-parquet")["inputs"]["job"]
    assert len(values) == 2_000
    assert len({id(value) for value in values}) == 1
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": np.zeros(4_000_001, dtype=np.int8)}), sink)
    with pytest.raises(InvalidArgumentError, match="4,000,001 rows"):
        read_body(sink.getvalue(), "application/x-parquet")


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1], pa.duration("s")),
        pa.array([2**60], pa.timestamp("s")),
        pa.array([[1]]),
        pa.array([b"\xff"], pa.binary()),
        pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"], pa.binary()).buffers()),
    ],
    ids=["duration", "far date", "list", "binary", "broken text"],
)
def test_a_column_of_another_kind_is_named(array: pa.Array) -> None:
    sink = io.BytesIO()
    table = pa.table({"when": array})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(AtelierError):
        read_body(sink.getvalue(), media_types.ARROW)
