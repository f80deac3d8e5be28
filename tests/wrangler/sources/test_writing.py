"""What is written is read again, and appears whole or not at all."""

from __future__ import annotations

import datetime as dt
import os

import pyarrow as pa
import pytest

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, TooLargeError
from kernel_tools.wrangler.sources import frame_source, write, writing

TABLE = pa.table(
    {
        "i": [1, 2, None],
        "s": ["", 'é😀,\n"q"', None],
        "d": [dt.date(1900, 3, 1), dt.date(9999, 12, 31), None],
        "t": pa.array([dt.datetime(2020, 1, 1, 5, tzinfo=dt.UTC), None, None], pa.timestamp("us", "UTC")),
        "f": [1e300, -2.5, None],
        "b": [True, False, None],
        "g": ["x", "=1+1", "y=/z"],
    }
)
NAMES = ("x.parquet", "x.csv", "x.tsv", "x.csv.gz", "x.csv.zst", "x.jsonl", "x.jsonl.gz", "x.arrow", "x.xlsx")


@pytest.fixture
def table(engine):
    frame_source(TABLE, engine, "frame")
    return engine.table("frame")


@pytest.mark.parametrize("name", NAMES)
def test_every_format_comes_back(engine, opened, table, tmp_path, name):
    assert write(table, engine, tmp_path / "new folder" / name) == tmp_path / "new folder" / name
    _, rows = opened(f"new folder/{name}")
    expected = TABLE.to_pylist()
    if name == "x.xlsx":
        expected[0]["s"] = None  # a cell is empty or not
        expected[0]["t"] = dt.datetime(2020, 1, 1, 5)
    assert rows == expected
    assert os.listdir(tmp_path / "new folder") == [name]


@pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
def test_folders_of_partitions_come_back(engine, opened, table, tmp_path, format):
    for _ in range(2):  # the second replaces the first
        write(table, engine, tmp_path / "out", format=format, partition_by=["g", "i"])
    _, rows = opened("out")
    expected = {row["g"]: row for row in TABLE.to_pylist()}
    assert {row["g"]: row for row in rows} == expected
    assert os.listdir(tmp_path) == ["out"]


def test_what_cannot_be_written_is_refused(engine, table, tmp_path):
    for name, given in {
        "x.orc": {},
        "x": {},
        "x.xls": {},
        "x.csv": {"compression": "snappy"},
        "x.arrow": {"partition_by": ["g"]},
        "y": {"partition_by": ["nope"]},
        "z": {"partition_by": TABLE.column_names},
    }.items():
        with pytest.raises(InvalidArgumentError):
            write(table, engine, tmp_path / name, **given)
    assert os.listdir(tmp_path) == []


def test_a_folder_with_other_things_is_left_alone(engine, table, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    with pytest.raises(ConflictError, match="no folder of partitions"):
        write(table, engine, tmp_path / "out", partition_by=["g"])
    with pytest.raises(ConflictError, match="is a folder"):
        write(table, engine, tmp_path / "out", format="csv")
    assert os.listdir(tmp_path / "out") == ["precious.txt"]


def test_a_write_that_fails_leaves_the_old_file(engine, table, tmp_path, monkeypatch):
    write(table, engine, tmp_path / "x.xlsx")
    before = (tmp_path / "x.xlsx").read_bytes()
    monkeypatch.setattr(writing, "EXCEL_TEXT", 1)
    with pytest.raises(TooLargeError, match="A cell holds"):
        write(table, engine, tmp_path / "x.xlsx")
    assert (tmp_path / "x.xlsx").read_bytes() == before and os.listdir(tmp_path) == ["x.xlsx"]


def test_sheets_are_chosen(engine, opened, tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, "x"])
    book.active.append([2.5, 3])
    book.create_sheet("second").append([7, 8])
    book.create_sheet("empty")
    book.save(tmp_path / "a.xlsx")
    loaded, rows = opened("a.xlsx")
    assert rows == [{"a": 1.0, "b": "x"}, {"a": 2.5, "b": "3"}]
    assert "3 sheets" in loaded.warnings[0] and loaded.columns[1].notes
    assert opened("a.xlsx", options={"sheet": "second"})[1] == [{"column_1": 7, "column_2": 8}]
    assert opened("a.xlsx", options={"sheet": 0}, limit=1)[1] == [{"a": 1, "b": "x"}]
    with pytest.raises(InvalidArgumentError, match="the sheets are Sheet, second, empty"):
        opened("a.xlsx", options={"sheet": "third"})
