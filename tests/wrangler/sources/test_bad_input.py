"""Bad input: each kind is defined, and nothing of it is dropped in silence."""

from __future__ import annotations

import csv
import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidDataError, NotFoundError
from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.sources import csv_files, load


@pytest.mark.parametrize("sample", [csv_files.SAMPLE_ROWS, 2])
def test_ragged_rows_are_kept_apart(opened, rejected, monkeypatch, sample):
    monkeypatch.setattr(csv_files, "SAMPLE_ROWS", sample)
    loaded, rows = opened("a.csv", "a,b,c\n1,2,3\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert [row["a"] for row in rows] == [1, 1, 10]
    assert rejected(loaded) == [(4, "4,5", "2 of 3 fields"), (5, "6,7,8,9", "4 fields instead of 3")]
    assert loaded.rejected == 2
    assert loaded.warnings == ("2 rows do not fit and are kept apart; the first: line 4, 2 of 3 fields.",)


def test_short_rows_can_be_filled(opened):
    loaded, rows = opened("a.csv", "a,b,c\n1,2,3\n4,5\n", options={"short_rows": "fill"})
    assert rows[1] == {"a": 4, "b": 5, "c": None} and loaded.rejected == 0


def test_lines_in_another_encoding_are_kept_apart(opened, rejected):
    loaded, rows = opened("a.csv", b"n,s\n1,\xc3\xa9\n2,\xe9t\xe9\n3,ok\n4,\xc3\xa0\n")
    assert [row["s"] for row in rows] == ["é", "ok", "à"]
    assert [(line, reason) for line, _, reason in rejected(loaded)] == [(3, "not valid in the encoding of the file")]


def test_nul_bytes_stay_in_the_text(opened):
    _, rows = opened("a.csv", b"n,s\n1,x\x00y\n2,z\n")
    assert [row["s"] for row in rows] == ["x\0y", "z"]


def test_a_cell_of_ten_megabytes_is_read(opened):
    loaded, rows = opened("a.csv", "n,s\n1," + "x" * 10_000_000 + "\n2,y\n")
    assert [len(row["s"]) for row in rows] == [10_000_000, 1]
    assert loaded.rejected == 0


def test_five_thousand_columns_are_read(opened):
    names = [f"c{number}" for number in range(5000)]
    content = ",".join(names) + "\n" + (",".join(map(str, range(5000))) + "\n") * 3
    loaded, rows = opened("a.csv", content, limit=2)
    assert list(rows[0]) == names and rows[0]["c4999"] == 4999 and len(rows) == 2
    assert loaded.columns[7].type == "int64"


def test_names_that_stand_twice_are_told_apart(opened):
    loaded, rows = opened("a.csv", "a,a,A,a_2,,\n1,2,3,4,5,6\n")
    assert list(rows[0]) == ["a", "a_3", "A_4", "a_2", "column_5", "column_6"]
    assert loaded.warnings == ("Columns with the same name were renamed: 'a' -> 'a_3', 'A' -> 'A_4'.",)


def test_a_column_without_a_value_is_text(opened):
    loaded, rows = opened("a.csv", "a,b\n1,\n2,\n")
    assert rows[0]["b"] is None
    assert (loaded.columns[1].type, loaded.columns[1].notes) == ("string", ("No value is known: kept as text.",))


def test_the_largest_numbers_stay_and_nan_is_missing(opened):
    _, rows = opened("a.csv", "x\n1e308\n-1e308\n1e309\n-inf\nnan\n5e-324\n")
    assert [row["x"] for row in rows] == [1e308, -1e308, math.inf, -math.inf, None, 5e-324]


def test_emoji_and_quotes_stay(opened):
    _, rows = opened("😀.csv", 'a,😀\n1,"👩‍👩‍👧 ""hi"""\n')
    assert rows == [{"a": 1, "😀": '👩‍👩‍👧 "hi"'}]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.parquet", "a.arrow", "a.orc", "a.xlsx", "a"])
def test_an_empty_file_is_refused_by_its_name(opened, name):
    with pytest.raises(InvalidDataError, match=rf"{name}' (is empty|cannot be read)"):
        opened(name, b"")


def test_a_header_alone_is_an_empty_table(opened):
    loaded, rows = opened("a.csv", "a,b\n")
    assert rows == [] and [column.name for column in loaded.columns] == ["a", "b"]


def test_mixed_line_ends_are_read(opened):
    loaded, rows = opened("a.csv", 'a,b\r\n1,2\n3,"x\ny"\r\n5,6\n')
    assert [row["a"] for row in rows] == [1, 3, 5]
    assert "line ends" in loaded.warnings[0]


def test_an_open_quote_takes_its_lines_into_the_rejects(opened, rejected):
    loaded, rows = opened("a.csv", 'a,b\n1,x\n2,"y\n3,z\n')
    assert rows == [{"a": 1, "b": "x"}]
    line, text, reason = rejected(loaded)[0]
    assert (line, text.rstrip()) == (3, '2,"y\n3,z') and "quote is not closed" in reason


def test_a_file_that_is_not_there_is_named(opened):
    for name in ("gone.csv", "*.csv", "folder/"):
        with pytest.raises(NotFoundError, match="gone.csv|matches|folder"):
            opened(name)


def test_a_broken_pack_is_told(opened):
    with pytest.raises(InvalidDataError, match="cannot be unpacked as gzip"):
        opened("a.csv.gz", b"this is not packed")


def test_a_broken_line_of_json_is_kept_apart(opened, rejected):
    loaded, rows = opened("a.jsonl", '{"a": 1}\n{"a": 2\n[3]\n\n{"a": 4, "b": {"c": [1]}}\n')
    assert rows == [{"a": 1, "b": None}, {"a": 4, "b": {"c": [1]}}]
    assert [(line, text) for line, text, _ in rejected(loaded)] == [(2, '{"a": 2'), (3, "[3]")]


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[FIELD] * width), min_size=1, max_size=6)))
def test_every_field_of_every_file_comes_back(tmp_path_factory, table):
    """What Python's csv module writes is read again, field by field; empty texts are quoted, so none is missing."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([f"name {number}" for number in range(len(table[0]))])
    writer.writerows(table)
    path.write_bytes(text.getvalue().encode())
    options = {
        "delimiter": ",",
        "encoding": "utf-8",
        "skip": 0,
        "header": True,
        "types": {f"name {number}": "text" for number in range(len(table[0]))},
    }
    with Engine() as engine:
        loaded = load(Source(id="s", uri=str(path), options=options), engine, name="t")
        rows = engine.connection.sql("SELECT * FROM t").to_arrow_table().to_pylist()
    assert loaded.rejected == 0
    assert [tuple(row.values()) for row in rows] == table


LINES = st.lists(st.text(st.sampled_from(list('ab1,;"\n\r\t |.-é\0')), max_size=12), max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_any_text_is_a_table_or_refused_in_words(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes("\n".join(lines).encode())
    with Engine() as engine:
        try:
            loaded = load(Source(id="s", uri=str(path)), engine, name="t")
        except InvalidDataError as error:
            assert "a.csv" in str(error)
        else:
            assert loaded.rows is not None and len(loaded.columns) > 0
