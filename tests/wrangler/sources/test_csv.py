"""CSV files that are as they should be: dialects, types, options, several files."""

from __future__ import annotations

import bz2
import gzip
from datetime import UTC, date, datetime, time

import pytest

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.sources import csv_files


def types(loaded) -> dict[str, str]:
    return {column.name: column.type for column in loaded.columns}


def notes(loaded, name: str) -> str:
    return " ".join(next(column for column in loaded.columns if column.name == name).notes)


@pytest.mark.parametrize("limit", [None, 10])
def test_every_type_is_found_by_a_quick_look_and_in_full(opened, limit):
    loaded, rows = opened(
        "a.csv",
        "i,f,b,d,t,z,c,s\n"
        "1,1.5,true,2024-02-29,2024-02-29 12:30:00.25,2024-02-29T12:30:00+02:00,12:30,x\n"
        "-2,1e3,FALSE,0001-01-01,9999-12-31T23:59,2024-02-29 12:30:00Z,23:59:59,\n"
        ",,,,,,,y\n",
        limit=limit,
    )
    assert rows == [
        {
            "i": 1,
            "f": 1.5,
            "b": True,
            "d": date(2024, 2, 29),
            "t": datetime(2024, 2, 29, 12, 30, 0, 250_000),
            "z": datetime(2024, 2, 29, 10, 30, tzinfo=UTC),
            "c": time(12, 30),
            "s": "x",
        },
        {
            "i": -2,
            "f": 1000.0,
            "b": False,
            "d": date(1, 1, 1),
            "t": datetime(9999, 12, 31, 23, 59),
            "z": datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
            "c": time(23, 59, 59),
            "s": None,
        },
        {**dict.fromkeys("ifbdtzc"), "s": "y"},
    ]
    assert types(loaded)["z"] == "timestamp('UTC', 6)"
    assert [column.inferred_from for column in loaded.columns] == [2] * 8
    assert loaded.rows == (3 if limit is None else None)
    assert not loaded.warnings and loaded.rejected == 0


def test_the_report_says_why_a_type_is_no_stricter(opened):
    loaded, rows = opened("a.csv", "n,zip,id,d\n" + "1,01234,12345678901234567890,2024-01-01\n" * 9 + "n/a,1,1,soon\n")
    assert set(types(loaded).values()) == {"string"}
    assert notes(loaded, "n") == "1 of 10 values is not a number: 'n/a'."
    assert notes(loaded, "zip") == "Digits with leading zeros: kept as text, so that none is lost."
    assert notes(loaded, "id") == "Whole numbers of more than 18 digits: kept as text, so that no digit is lost."
    assert notes(loaded, "d") == "1 of 10 values is not a date: 'soon'."
    assert rows[0]["id"] == "12345678901234567890"


@pytest.mark.parametrize(
    ("late", "expected", "note"),
    [
        ("1.5", "float64", "later ones do not"),
        ("n/a", "string", "is not a number: 'n/a'"),
        ("9007199254740993", "int64", ""),
    ],
)
def test_a_value_after_the_sample_widens_the_type_and_changes_no_value(opened, monkeypatch, late, expected, note):
    monkeypatch.setattr(csv_files, "SAMPLE_ROWS", 50)
    loaded, rows = opened("a.csv", "n,x\n" + "1,a\n" * 60 + f"{late},b\n")
    assert types(loaded)["n"] == expected
    assert note in notes(loaded, "n")
    assert str(rows[-1]["n"]) == late and len(rows) == 61 and loaded.rejected == 0


@pytest.mark.parametrize("late", ["2024-01-01 10:00", "2024-01-01T10:00:00+02:00", "2024-02-30"])
def test_a_date_keeps_the_time_that_comes_after_the_sample(opened, monkeypatch, late):
    monkeypatch.setattr(csv_files, "SAMPLE_ROWS", 50)
    loaded, rows = opened("a.csv", "d\n" + "2024-01-01\n" * 60 + f"{late}\n")
    if late == "2024-01-01 10:00":
        assert rows[-1]["d"] == datetime(2024, 1, 1, 10)
    else:
        assert rows[-1]["d"] == late
    assert len(rows) == 61


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(opened, delimiter, newline):
    lines = [("name", "n"), ("x; y, z | a", "1"), ("two\nlines", "2"), ('"quoted"', "3")]
    content = newline.join(delimiter.join('"' + field.replace('"', '""') + '"' for field in line) for line in lines)
    _, rows = opened("a.csv", content + newline)
    assert [(row["name"], row["n"]) for row in rows] == [(name, int(n)) for name, n in lines[1:]]


def test_an_empty_text_is_not_a_missing_one(opened):
    _, rows = opened("a.csv", 's,n\n"",1\n,2\nx,""\n')
    assert [row["s"] for row in rows] == ["", None, "x"]
    assert [row["n"] for row in rows] == [1, 2, None]


def test_lines_before_the_header_are_kept_apart(opened, rejected):
    loaded, rows = opened("a.csv", "Report of sales\n\nmade by me\na,b,c\n1,2,3\n4,5,6\n7,8,9\n")
    assert rows[0] == {"a": 1, "b": 2, "c": 3} and len(rows) == 3
    assert rejected(loaded) == [
        (1, "Report of sales", "stands before the header"),
        (3, "made by me", "stands before the header"),
    ]


def test_a_file_without_a_header_gets_names(opened):
    _, rows = opened("a.csv", "1,x\n2,y\n")
    assert rows == [{"column_1": 1, "column_2": "x"}, {"column_1": 2, "column_2": "y"}]
    _, rows = opened("a.csv", options={"names": ["n", "s"]})
    assert rows[1] == {"n": 2, "s": "y"}
    _, rows = opened("a.csv", options={"header": True})
    assert rows == [{"1": 2, "x": "y"}]


def test_options_are_followed(opened, rejected):
    content = "skip me\na/'b c'/d\n1/'x/y'/-\nno/z/2\n"
    loaded, rows = opened(
        "a.csv",
        content,
        options={"delimiter": "/", "quote": "'", "skip": 1, "missing": ["-"], "types": {"a": "integer"}},
    )
    assert rows == [{"a": 1, "b c": "x/y", "d": None}]
    assert rejected(loaded)[1] == (4, "no/z/2", "column 'a': \"no\" is no BIGINT")


@pytest.mark.parametrize(
    "options",
    [
        {"delim": ","},
        {"delimiter": ""},
        {"quote": "ab"},
        {"encoding": "klingon"},
        {"skip": -1},
        {"types": {"z": "integer"}},
        {"types": {"a": "DOUBLE); DROP TABLE x"}},
        {"types": []},
        {"names": ["one"]},
        {"missing": "NA"},
        {"short_rows": "drop"},
    ],
)
def test_an_option_that_cannot_be_followed_is_named(opened, options):
    with pytest.raises(InvalidArgumentError, match=next(iter(options)) if "encoding" not in options else "klingon"):
        opened("a.csv", "a,b\n1,2\n", options=options)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
def test_encodings_are_found(opened, encoding):
    loaded, rows = opened("a.csv", "naïve,city\n1,Zürich\n2,Málaga\n".encode(encoding))
    assert rows == [{"naïve": 1, "city": "Zürich"}, {"naïve": 2, "city": "Málaga"}]
    assert bool(loaded.warnings) == (encoding not in ("utf-8", "utf-8-sig"))


def test_an_encoding_that_is_given_is_believed(opened):
    _, rows = opened("a.csv", "a\nпривет\n".encode("koi8-r"), options={"encoding": "koi8-r", "header": True})
    assert rows == [{"a": "привет"}]


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_packed_files_are_unpacked(opened, ending):
    import lzma

    import pyarrow as pa

    content = b"a,b\n1,x\n2,y\n"
    pack = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
        "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
    }
    _, rows = opened(f"a.csv.{ending}", pack[ending](content))
    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_files_of_a_pattern_are_matched_by_name(opened, tmp_path):
    (tmp_path / "b.csv").write_text("s;n\nx;1.5\n")
    (tmp_path / "c.csv").write_text("n;z\n7;2024-01-01\n")
    loaded, rows = opened("*.csv", None)
    assert rows == [{"s": "x", "n": 1.5, "z": None}, {"s": None, "n": 7.0, "z": date(2024, 1, 1)}]
    assert "different columns" in loaded.warnings[0]


def test_a_range_of_days_reads_the_files_that_exist(opened, tmp_path):
    for day in (1, 2, 4):
        (tmp_path / f"2024-01-0{day}.csv").write_text(f"day\n{day}\n")
    values = {"since": datetime(2024, 1, 1), "until": datetime(2024, 1, 4)}
    loaded, rows = opened("${since..until:%Y-%m-%d}.csv", None, parameters=values)
    assert [row["day"] for row in rows] == [1, 2, 4]
    assert "1 of 4 files of the range do not exist" in loaded.warnings[0]
