"""Rows that do not fit: kept with file, line, text and reason, so that nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernel_tools.wrangler.engine import quoted

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine
    from kernel_tools.wrangler.sources.loaded import Reading

_REASONS = {
    "INVALID ENCODING": "not valid in the encoding of the file",
    "UNQUOTED VALUE": "a quote is not closed, or text follows the closing quote",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 64 MiB",
}


@contextmanager
def collected(engine: Engine, name: str, reading: Reading) -> Iterator[Book]:
    """Collect the rejects of a parser during the block, and keep those of its last attempt in ``<name>_rejects``."""
    book = Book(engine)
    try:
        yield book
        book.keep(f"{name}_rejects", reading)
    finally:
        book.begin()


class Book:
    """The rejected rows of one source."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tables: list[tuple[str, str, str | None]] = []
        self._rows: list[tuple[str, int | None, str, str]] = []

    def new_tables(self, shown: str | None) -> dict[str, str]:
        """Return the arguments of ``read_csv`` for the rejects of one call; `shown` is the file's name if it is one."""
        table, scan = self._engine.new_name("rejects"), self._engine.new_name("scans")
        self._tables.append((table, scan, shown))
        return {"rejects_table": table, "rejects_scan": scan}

    def skipped(self, shown: str, lines: Sequence[str]) -> None:
        """Add the lines before a header; blank ones are nothing."""
        self._rows += [
            (shown, number, line, "stands before the header") for number, line in enumerate(lines, 1) if line.strip()
        ]

    def add(self, shown: str, line: int, text: str, reason: str) -> None:
        """Add a row."""
        self._rows.append((shown, line, text, reason))

    def begin(self) -> None:
        """Forget what the parser has rejected so far: it starts anew."""
        for table, scan, _ in self._tables:
            with self._engine.running():
                self._engine.connection.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
                self._engine.connection.execute(f"DROP TABLE IF EXISTS {quoted(scan)}")
        self._tables = []

    def has(self, kind: str) -> bool:
        """Say whether a row was rejected for a reason, in DuckDB's words."""
        return any(
            self._query(f"SELECT 1 FROM {quoted(table)} WHERE error_type = ? LIMIT 1", kind) for table in self._all()
        )

    def misfits(self) -> set[str]:
        """Return the columns in which a value did not fit the type."""
        sql = "SELECT DISTINCT column_name FROM {} WHERE error_type = 'CAST'"
        return {row[0] for table in self._all() for row in self._query(sql.format(quoted(table)))}

    def keep(self, name: str, reading: Reading) -> None:
        """Make the table of all rejected rows, if there are any, and tell `reading`."""
        with self._engine.running():
            self._engine.connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        if not self._rows and not any(self._query(f"SELECT 1 FROM {quoted(table)} LIMIT 1") for table in self._all()):
            return
        with self._engine.running():
            connection = self._engine.connection
            connection.execute(f"CREATE TABLE {quoted(name)} (file VARCHAR, line BIGINT, text VARCHAR, reason VARCHAR)")
            if self._rows:
                connection.executemany(f"INSERT INTO {quoted(name)} VALUES (?, ?, ?, ?)", self._rows)
            for table, scan, shown in self._tables:
                connection.execute(_insertion(name, table, scan), [shown])
        row = self._query(f"SELECT count(*) FROM {quoted(name)}")[0]
        reading.rejected = int(row[0])
        reading.rejects_table = name
        do = "row does not fit and is" if reading.rejected == 1 else "rows do not fit and are"
        reading.warnings.append(f"{reading.rejected:,} {do} kept apart; the first: {self._first(name)}")

    def _first(self, name: str) -> str:
        line, reason = self._query(f"SELECT line, reason FROM {quoted(name)} ORDER BY file, line LIMIT 1")[0]
        return f"line {line:,}, {reason}."

    def _all(self) -> list[str]:
        """Return the tables of rejects that are there: DuckDB makes them when a scan begins."""
        known = {row[0] for row in self._query("SELECT table_name FROM duckdb_tables() WHERE temporary")}
        self._tables = [one for one in self._tables if one[0] in known and one[1] in known]
        return [table for table, _, _ in self._tables]

    def _query(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        with self._engine.running():
            rows: list[tuple[str, ...]] = self._engine.connection.execute(sql, list(values)).fetchall()
            return rows


def _insertion(name: str, table: str, scan: str) -> str:
    """Return the INSERT of DuckDB's rejects, one row a line, in our words."""
    cases = " ".join(f"WHEN '{kind}' THEN '{reason}'" for kind, reason in _REASONS.items())
    return f"""
        INSERT INTO {quoted(name)}
        SELECT coalesce(?, any_value(s.file_path)), r.line, any_value(r.csv_line),
            string_agg(DISTINCT CASE r.error_type {cases}
                WHEN 'MISSING COLUMNS' THEN 
                    regexp_replace(r.error_message, '.*: (\\d+) Found: (\\d+)', '\\2 of \\1 fields')
                WHEN 'TOO MANY COLUMNS'
                    THEN regexp_replace(r.error_message, '.*: (\\d+) Found: (\\d+)', '\\2 fields instead of \\1')
                WHEN 'CAST' THEN concat(
                    'column ''', r.column_name, ''': ', regexp_extract(r.error_message, 'string (".*") to', 1),
                    ' is no ', regexp_extract(r.error_message, 'to ''(.*)''', 1))
                ELSE r.error_message END, '; ')
        FROM {quoted(table)} AS r JOIN {quoted(scan)} AS s USING (scan_id, file_id)
        GROUP BY r.scan_id, r.file_id, r.line ORDER BY r.scan_id, r.file_id, r.line"""
