"""Files that say their types themselves, remote addresses, and fingerprints."""

from __future__ import annotations

import os
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, orc

from kernel_tools.core.errors import (
    InvalidArgumentError,
    InvalidDataError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.sources import formats, load
from kernel_tools.wrangler.sources.formats import format_of

TABLE = pa.table({"x": [1.0, float("nan"), None], "s": ["a", None, "ü"], "l": [[1], [], None]})
ROWS = [{"x": 1.0, "s": "a", "l": [1]}, {"x": None, "s": None, "l": []}, {"x": None, "s": "ü", "l": None}]


def write_all(folder):
    pq.write_table(TABLE, folder / "a.parquet")
    feather.write_feather(TABLE, folder / "a.feather")
    with pa.OSFile(str(folder / "a.arrow"), "wb") as sink, pa.ipc.new_stream(sink, TABLE.schema) as stream:
        stream.write_table(TABLE)
    orc.write_table(TABLE, folder / "a.orc")


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.arrow", "a.orc"])
def test_columnar_files_are_read(opened, tmp_path, name):
    write_all(tmp_path)
    loaded, rows = opened(name)
    assert rows == ROWS and loaded.rows == 3
    loaded, rows = opened(name, limit=2)
    assert rows == ROWS[:2] and loaded.rows is None
    os.rename(tmp_path / name, tmp_path / "plain")
    assert opened("plain")[1] == ROWS


def test_a_parquet_file_is_read_in_place(opened, engine, tmp_path):
    write_all(tmp_path)
    opened("a.parquet")
    kinds = engine.connection.execute("SELECT table_type FROM information_schema.tables WHERE table_name = 'table'")
    assert kinds.fetchall() == [("VIEW",)]
    opened("b.csv", "x\n1\n")
    opened("a.parquet")


def test_parquet_files_are_matched_by_name(opened, tmp_path):
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["y"], "c": [2.5]}), tmp_path / "2.parquet")
    assert opened("*.parquet")[1] == [{"a": 1, "b": "x", "c": None}, {"a": None, "b": "y", "c": 2.5}]


def test_json_is_read_in_every_form(opened):
    for name, content in {
        "list.json": '[{"a": 1, "o": {"x": [1, 2]}}, {"a": 2.5, "s": "2024-01-01 10:00:00", "m": 1}, {"m": "x"}]',
        "lines.jsonl": '{"a": 1, "o": {"x": [1, 2]}}\n{"a": 2.5, "s": "2024-01-01 10:00:00", "m": 1}\n{"m": "x"}\n',
    }.items():
        loaded, rows = opened(name, content)
        assert rows[0] == {"a": 1.0, "o": {"x": [1, 2]}, "s": None, "m": None}
        assert [row["m"] for row in rows] == [None, "1", "x"]
        assert loaded.columns[1].kind == "struct"
    assert opened("one.json", '{"a": 1}')[1] == [{"a": 1}]


def test_a_key_that_comes_late_is_a_column(opened):
    loaded, rows = opened("a.jsonl", '{"a": 1}\n' * 25_000 + '{"a": "x", "b": 2}\n')
    assert rows[-1] == {"a": "x", "b": 2} and rows[0] == {"a": "1", "b": None}


def test_broken_files_are_told(opened):
    for name in ("a.parquet", "a.arrow", "a.orc", "a.xlsx", "a.json"):
        with pytest.raises(InvalidDataError, match=rf"{name}' cannot be read as"):
            opened(name, b"{this is none")


def test_a_remote_file_is_read(opened):
    files = fsspec.filesystem("memory")
    for day in (1, 2):
        with files.open(f"/in/day{day}.csv", "wb") as file:
            file.write(f"x\n{day}\n".encode())
    with files.open("/in/a.parquet", "wb") as file:
        pq.write_table(TABLE, file)
    assert opened("memory://in/day*.csv")[1] == [{"x": 1}, {"x": 2}]
    assert opened("memory://in/day1.csv", limit=1)[1] == [{"x": 1}]
    assert opened("memory://in/a.parquet")[1] == ROWS
    with pytest.raises(NotFoundError, match="memory://in/gone.csv"):
        opened("memory://in/gone.csv")
    files.rm("/in", recursive=True)


def test_a_file_of_a_site_is_read(opened, tmp_path):
    (tmp_path / "web.csv").write_text("x\n1\n")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        assert opened(f"{address}/web.csv?key=secret")[1] == [{"x": 1}]
        with pytest.raises(NotFoundError) as caught:
            opened(f"{address}/gone.csv?key=secret")
        assert "secret" not in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(UnavailableError) as unreachable:
        opened(f"http://user:secret@127.0.0.1:{server.server_port}/web.csv?key=secret")
    assert "secret" not in str(unreachable.value)


def test_a_store_without_its_driver_names_the_extra(opened):
    with pytest.raises(MissingExtraError, match=r"pip install 'jupyter-atelier\[s3\]'"):
        opened("s3://bucket/a.csv")
    with pytest.raises(InvalidArgumentError, match="is no address of files"):
        opened("nothing://x/a.csv")


def test_fingerprints_follow_the_content_and_the_reading(opened, tmp_path):
    one = opened("a.csv", "x\n1\n")[0].fingerprint
    os.utime(tmp_path / "a.csv", (1, 1))
    assert opened("a.csv")[0].fingerprint == opened("b.csv", "x\n1\n")[0].fingerprint == one
    assert opened("a.csv", "x\n2\n")[0].fingerprint != one
    assert opened("b.csv", options={"skip": 0})[0].fingerprint != one


def test_a_frame_that_was_only_in_memory_says_so(engine):
    with pytest.raises(NotFoundError, match="was a frame in memory"):
        load(Source(id="s", kind="frame"), engine, name="t")


def test_formats_are_told_by_their_ending():
    known = formats()
    assert (known[".csv"], known[".csv.gz"], known[".xlsx"], known[".ndjson"]) == ("csv", "csv", "excel", "jsonl")
    assert ".parquet.gz" not in known
    assert [format_of(name) for name in ("A.CSV", "x.json.zst", "dir.csv/x.PQ")] == ["csv", "json", "parquet"]
