"""Databases: SQLite, DuckDB and PostgreSQL for real."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime

import duckdb
import psycopg
import pytest

from kernel_tools.core.errors import InvalidArgumentError, MissingExtraError, NotFoundError, UnavailableError
from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.sources import load
from kernel_tools.wrangler.sources.queries import select_statement


@pytest.fixture
def asked(engine, tmp_path):
    def ask(uri, query, limit=None, **parameters):
        source = Source(id="s", kind="database", uri=uri, query=query)
        loaded = load(source, engine, parameters=parameters, name="t", base=tmp_path, limit=limit)
        return loaded, engine.connection.sql("SELECT * FROM t").to_arrow_table().to_pylist()

    return ask


@pytest.fixture
def shop(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE sales (id INTEGER, day DATE, at TIMESTAMP, price REAL, what TEXT, mixed)")
        connection.executemany(
            "INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)",
            [
                (1, "2024-01-01", "2024-01-01 10:00:00", 1.5, "é", 1),
                (2**62, "2024-01-02", None, 2, "o'x", "a"),
                (None, None, None, None, None, None),
            ],
        )
    connection.close()


def test_sqlite_is_read(asked, shop):
    loaded, rows = asked("sqlite:///shop.db", "sales")
    assert rows[0] == {
        "id": 1,
        "day": date(2024, 1, 1),
        "at": datetime(2024, 1, 1, 10),
        "price": 1.5,
        "what": "é",
        "mixed": "1",
    }
    assert rows[1]["id"] == 2**62 and set(rows[2].values()) == {None}
    assert "several types" in loaded.columns[-1].notes[0]
    assert asked("shop.db", "SELECT id FROM sales", limit=1)[1] == [{"id": 1}]
    assert asked("shop.db", "sales")[0].fingerprint == loaded.fingerprint


def test_parameters_are_values_never_sql(asked, shop):
    query = "SELECT what, '${what}' AS w FROM ${table} WHERE what = ${what} AND price > ${n} AND day >= '${day:%Y-%m}'"
    values = {"what": "o'x", "n": 1, "day": datetime(2024, 1, 1), "table": "sales"}
    assert asked("shop.db", query, **values)[1] == [{"what": "o'x", "w": "o'x"}]
    assert asked("shop.db", query, **{**values, "what": "x' OR 1=1 --"})[1] == []
    with pytest.raises(InvalidArgumentError, match="no such table: sales; DROP TABLE sales"):
        asked("shop.db", "${table}", table="sales; DROP TABLE sales")
    with pytest.raises(InvalidArgumentError, match="a range stands for several addresses"):
        asked("shop.db", "SELECT ${a..b:%d}")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM sales",
        "SELECT 1; DROP TABLE sales",
        "WITH d AS (DELETE FROM sales RETURNING *) SELECT * FROM d",
        "SELECT * INTO other FROM sales",
        "INSERT INTO sales SELECT * FROM sales",
        "ATTACH 'x' AS y",
        "PRAGMA writable_schema = 1",
        "COPY sales TO 'x'",
        "CREATE TABLE x AS SELECT 1",
        "SELECT * FROM sales FOR UPDATE",
        "EXPLAIN SELECT 1",
        "SELEC 1",
        "SELECT FROM WHERE",
        "",
        ";",
        "CALL f()",
        "VACUUM FULL t",
        "SET x = 1",
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "duckdb"])
def test_a_query_only_reads(query, dialect):
    with pytest.raises(InvalidArgumentError, match=r"may only read|one statement|is not SQL"):
        select_statement(query, dialect, {})


def test_selects_of_every_form_are_read(asked, shop):
    for query in ("WITH a AS (SELECT 1 AS x) SELECT * FROM a", "SELECT 1 AS x UNION SELECT 1 AS x", "SELECT 1 AS x;"):
        assert asked("shop.db", query)[1] == [{"x": 1}]


def test_duckdb_is_read(asked, tmp_path):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT 'nan'::DOUBLE AS x, [1, 2] AS l, {'a': 1} AS s, 1 AS X_2, 2 AS \"x y\""
        )
    assert asked("duckdb:///a.duckdb", "t")[1] == [{"x": None, "l": [1, 2], "s": {"a": 1}, "X_2": 1, "x y": 2}]
    with pytest.raises(InvalidArgumentError, match="nope"):
        asked("a.duckdb", "nope")


def test_postgresql_is_read(asked, postgres_url):
    url = postgres_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE counter")
        connection.execute(
            "CREATE TABLE t (i int, n numeric, m numeric(9, 2), z timestamptz, j jsonb, l text[], f float8, d date, "
            "p point)"
        )
        connection.execute(
            "INSERT INTO t VALUES (1, 1.5, 2.25, '2024-01-01 00:00+02', '{\"a\": 1}', '{x,y}', 'nan', '0001-01-01', "
            "'(1,2)'), (null, null, null, null, null, null, null, null, null)"
        )
    loaded, rows = asked(url, "public.t")
    assert (rows[0]["i"], rows[0]["n"], str(rows[0]["m"]), rows[0]["f"]) == (1, 1.5, "2.25", None)
    assert (rows[0]["z"], rows[0]["d"]) == (datetime(2023, 12, 31, 22, tzinfo=UTC), date(1, 1, 1))
    assert (rows[0]["j"], rows[0]["l"], rows[0]["p"]) == ('{"a": 1}', ["x", "y"], "(1,2)")
    assert set(rows[1].values()) == {None}
    assert loaded.columns[-1].notes == ("The type point is kept as text.",)
    many = asked(
        url,
        "SELECT n, ${day} + n * interval '1 day' AS at FROM generate_series(1, 45000) AS n",
        day=datetime(2024, 1, 1),
    )
    assert len(many[1]) == 45_000 and many[1][0]["at"] == datetime(2024, 1, 2)
    assert asked(url, "SELECT n FROM generate_series(1, 9) AS n", limit=2)[1] == [{"n": 1}, {"n": 2}]
    with pytest.raises(UnavailableError, match="read-only transaction"):
        asked(url, "SELECT nextval('counter')")
    with pytest.raises(InvalidArgumentError, match='relation "nope" does not exist'):
        asked(url, "SELECT * FROM nope")


def test_what_goes_wrong_is_said_without_secrets(asked, tmp_path):
    with pytest.raises(UnavailableError) as caught:
        asked("postgresql://me:s3cr3t%21@127.0.0.1:1/db?sslpassword=hush", "t")
    assert "me:***@127.0.0.1" in str(caught.value)
    assert not {"s3cr3t", "hush"} & set(str(caught.value).replace("=", " ").split())
    assert "s3cr3t" not in str(caught.value) and "hush" not in str(caught.value)
    with pytest.raises(MissingExtraError, match=r"jupyter-atelier\[mysql\]"):
        asked("mysql://me:secret@127.0.0.1/db", "t")
    with pytest.raises(InvalidArgumentError, match="oracle:// is not a database"):
        asked("oracle://me@x/db", "t")
    with pytest.raises(NotFoundError, match="There is no database file"):
        asked("gone.db", "t")
    (tmp_path / "no.db").write_text("this is no database" * 100)
    with pytest.raises(InvalidArgumentError, match="file is not a database"):
        asked("no.db", "t")
