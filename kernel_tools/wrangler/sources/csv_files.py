"""CSV and TSV files: parsed by DuckDB, in a dialect and with types that are found here; broken rows are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.wrangler.engine import first_line, quoted
from kernel_tools.wrangler.sources import rejects
from kernel_tools.wrangler.sources.columns import literal, unique_names
from kernel_tools.wrangler.sources.dialect import Dialect, find_dialect
from kernel_tools.wrangler.sources.encodings import find_encoding, longest_line, plain_text, read_head
from kernel_tools.wrangler.sources.inference import Inferred, converted, guarded, infer, reading_type
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.sources.locations import Located
from kernel_tools.wrangler.sources.partitions import new_place, partition_types

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine

SAMPLE_ROWS = 20_480
"""Rows from which types are inferred; a file with no more is read only once."""
LOOK_ROWS = 8_192
"""The same where only the first rows are wanted."""
MAX_LINE = 512 * 2**20
"""Bytes of the longest line; a file with a longer one is refused."""
_LONG_LINE = 64 * 2**20
"""What the parser is told when it rejects a row for its length."""
_USUAL_LINE = 2 * 2**20
_SMALL_FILE = 32 * 2**20
_SMALL_BUFFER = 8 * 2**20
"""For a sample of a big file; DuckDB's own buffer, 32 MiB, takes more than twice the time."""
_OPTIONS = ("delimiter", "quote", "escape", "header", "skip", "encoding", "types", "names", "missing", "short_rows")
_NAMED_TYPES = {
    "number": "DOUBLE",
    "float": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "text": "VARCHAR",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "datetime_tz": "TIMESTAMPTZ",
    "time": "TIME",
}


@dataclass
class _File:
    """A file to parse: its path in UTF-8, what it is called, its dialect and its columns."""

    path: str
    shown: str
    dialect: Dialect
    names: tuple[str, ...]


@dataclass
class _Table:
    """What is known while the files are parsed."""

    files: list[_File]
    names: list[str]
    given: dict[str, str]
    options: Mapping[str, Any]
    partitions: dict[str, str] = field(default_factory=dict)
    line_size: int = _USUAL_LINE
    quoted_missing: bool = False
    kinds: dict[str, Inferred] = field(default_factory=dict)


def read_csv(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make the rows of CSV files a table.

    Parameters
    ----------
    options
        ``delimiter``, ``quote``, ``escape`` (characters), ``encoding``, ``header`` (whether there is one), ``skip``
        (lines before it), ``names`` (of the columns, instead of the header's), ``types`` ({column: type}, types of
        `_NAMED_TYPES`; rows that do not fit are rejected), ``missing`` (texts that mean a missing value),
        ``short_rows`` (``reject``, or ``fill`` those with too few fields). What is not given is found.
    limit
        Take only the first rows; types are those of the first `LOOK_ROWS` rows.

    Raises
    ------
    InvalidArgumentError
        If an option is not usable.
    InvalidDataError
        If the file cannot be parsed at all.
    """
    reading = Reading()
    table = _prepare(located, options, reading, within=None if limit is None else 2 * _SMALL_BUFFER)
    if not table.names:
        raise InvalidDataError(f"{located.files[0].shown!r} is empty: it has no header and no rows.")
    with rejects.collected(engine, name, reading) as book:
        for file in table.files:
            book.skipped(file.shown, file.dialect.skipped)
        _parse(table, engine, name, book, reading, located.folder, limit)
    for column, inferred in table.kinds.items():
        reading.inferred_from[column] = inferred.values
        for note in inferred.notes:
            reading.note(column, note)
    return reading


def _prepare(located: Located, options: Mapping[str, Any], reading: Reading, within: int | None) -> _Table:
    unknown = [key for key in options if key not in _OPTIONS]
    if unknown:
        raise InvalidArgumentError(f"{unknown[0]!r} is no option of CSV files: the options are {', '.join(_OPTIONS)}.")
    files: list[_File] = []
    encodings = set()
    longest = 0
    for given in located.files:
        head = read_head(given.path)
        encoding = find_encoding(head, options.get("encoding"))
        encodings.add(encoding)
        dialect = find_dialect(head.decode(encoding, "replace"), options, given.shown)
        path = plain_text(given.path, encoding, located.folder)
        longest = max(longest, longest_line(path, dialect.newline[-1].encode(), within))
        if longest > MAX_LINE:
            raise InvalidDataError(
                f"{given.shown!r} has a line of {longest:,} bytes, more than {MAX_LINE:,}: is it a CSV file?"
            )
        files.append(_File(str(path), given.shown, dialect, tuple(unique_names(dialect.names, Reading()))))
    if encodings - {"utf-8"} and not options.get("encoding"):
        reading.warnings.append(f"Read as {', '.join(sorted(encodings))}; set the encoding if letters look wrong.")
    filled = [file for file in files if file.names]
    given_names = options.get("names")
    if given_names is not None:
        if not isinstance(given_names, (list, tuple)) or not all(isinstance(one, str) for one in given_names):
            raise InvalidArgumentError("The option names must be a list of names, one for each column.")
        for file in filled:
            if len(given_names) != len(file.names):
                raise InvalidArgumentError(
                    f"The option names has {len(given_names)} names, but {file.shown!r} has {len(file.names)} columns."
                )
            file.dialect = replace(file.dialect, names=tuple(given_names))
    if not filled:
        return _Table([], [], {}, options)
    # Names that stand twice in a file are told once, those of the first file.
    filled[0].names = tuple(unique_names(filled[0].dialect.names, reading))
    by_name: dict[str, str] = {}
    for file in filled:
        file.names = tuple(
            by_name.setdefault(one.casefold(), one) for one in unique_names(file.dialect.names, Reading())
        )
    if len({file.names for file in filled}) > 1:
        reading.warnings.append("The files have different columns: they are matched by name, and missing where absent.")
    names = list(dict.fromkeys(name for file in filled for name in file.names))
    types = _given_types(options.get("types"), names)
    taken = {name.casefold() for name in names}
    partitions = {name: kind for name, kind in partition_types(located).items() if name.casefold() not in taken}
    size = _USUAL_LINE if longest == 0 else longest + 2**20
    return _Table(filled, [*names, *partitions], {**partitions, **types}, options, partitions, size)


def _given_types(types: object, names: Sequence[str]) -> dict[str, str]:
    if types is None:
        return {}
    if not isinstance(types, Mapping):
        raise InvalidArgumentError("The option types must be an object of columns and their types.")
    given = {}
    for column, kind in types.items():
        if column not in names:
            raise InvalidArgumentError(
                f"The option types names {column!r}, but the columns are {', '.join(names[:20])}."
            )
        if kind not in _NAMED_TYPES:
            raise InvalidArgumentError(
                f"The option types gives {column!r} the type {kind!r}: the types are {', '.join(_NAMED_TYPES)}."
            )
        given[column] = _NAMED_TYPES[kind]
    return given


def _parse(
    table: _Table, engine: Engine, name: str, book: rejects.Book, reading: Reading, folder: Path, limit: int | None
) -> None:
    """Parse a sample as text, infer the types, and read all with them: anew with looser ones until every row fits."""
    sample = engine.new_name("sample")
    try:
        is_small = limit is None and all(Path(file.path).stat().st_size < _SMALL_FILE for file in table.files)
        buffer = None if is_small else _SMALL_BUFFER
        most = SAMPLE_ROWS if limit is None else max(limit, LOOK_ROWS)
        rows = _read_text(table, engine, sample, book, reading, folder, most, buffer)
        texts = [column for column in table.names if column not in table.given]
        table.kinds = infer(engine, sample, texts)
        if limit is not None or rows < most:
            _convert(table, engine, sample, name, texts, limit)
            return
        raw: set[str] = set()
        while (misfits := _stream(table, engine, name, book, raw)) is not None:
            raw |= misfits
            if len(raw) > 3:
                raw |= {column for column, kind in table.kinds.items() if kind.type != "text"}
        if raw:
            _settle(table, engine, name, [column for column in table.names if column in raw])
    finally:
        with engine.running():
            engine.connection.execute(f"DROP TABLE IF EXISTS {quoted(sample)}")


def _read_text(
    table: _Table,
    engine: Engine,
    target: str,
    book: rejects.Book,
    reading: Reading,
    folder: Path,
    most: int,
    buffer: int | None,
) -> int:
    """Read at most so many first rows with every column as text; return how many there are."""
    types = {column: table.given.get(column, "VARCHAR") for column in table.names}
    while True:
        book.begin()
        origin = _origin(table, types, book, buffer)
        statement = f"CREATE OR REPLACE TEMP TABLE {quoted(target)} AS SELECT * FROM {origin} LIMIT {most}"
        try:
            _execute(engine, statement, table)
        except _LineEndsError:
            _even_line_ends(table, folder, reading)
            continue
        if _needs_longer_lines(table, book):
            continue
        with engine.running():
            rows = engine.connection.execute(f"SELECT count(*) FROM {quoted(target)}").fetchall()
        return int(rows[0][0])


def _stream(table: _Table, engine: Engine, name: str, book: rejects.Book, raw: set[str]) -> set[str] | None:
    """Read all rows with the inferred types; return the columns in which a value does not fit, None if all do."""
    types = dict(table.given)
    parts = []
    for position, column in enumerate(table.names):
        value = quoted(column)
        if column in raw:
            types[column] = "VARCHAR"
        elif column not in table.given:
            kind = table.kinds[column].type
            types[column] = reading_type(kind)
            value = guarded(position, column, kind)
        parts.append(f"{value} AS {quoted(column)}")
    book.begin()
    origin = _origin(table, types, book)
    try:
        _execute(engine, f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT {', '.join(parts)} FROM {origin}", table)
    except _MisfitError as error:
        return {table.names[error.position]}
    if _needs_longer_lines(table, book):
        return set()
    return (book.misfits() & set(table.kinds)) - raw or None


def _settle(table: _Table, engine: Engine, name: str, columns: list[str]) -> None:
    """Give the columns that the sample had told wrong the types that all of their values fit."""
    found = infer(engine, name, columns)
    for column in columns:
        before, after = table.kinds[column], found[column]
        if before.type != after.type:
            note = f"The first {before.values:,} values looked like {before.type}, later ones do not."
            after = replace(after, notes=(*after.notes, note))
        table.kinds[column] = after
    _convert(table, engine, name, name, columns, None)


def _convert(table: _Table, engine: Engine, origin: str, name: str, texts: Iterable[str], limit: int | None) -> None:
    """Make table `name` of table `origin`, with the columns that are texts as their types."""
    typed = set(texts)
    values = [
        converted(column, table.kinds[column].type) if column in typed else quoted(column) for column in table.names
    ]
    parts = ", ".join(f"{value} AS {quoted(column)}" for value, column in zip(values, table.names, strict=True))
    source = quoted(origin) if limit is None else f"(SELECT * FROM {quoted(origin)} LIMIT {limit})"
    with engine.running():
        engine.connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT {parts} FROM {source}")


def _origin(table: _Table, types: Mapping[str, str], book: rejects.Book, buffer: int | None = None) -> str:
    """Return the FROM item that parses the files: at once if they are alike, else matched by name."""
    groups: dict[tuple[object, ...], list[_File]] = {}
    for file in table.files:
        one = file.dialect
        groups.setdefault((file.names, one.delimiter, one.quote, one.escape, one.skip), []).append(file)
    if len(groups) == 1:
        return _call(table, table.files, types, book, buffer)
    parts = " UNION ALL BY NAME ".join(
        f"SELECT * FROM {_call(table, [file], types, book, buffer)}" for file in table.files
    )
    columns = ", ".join(quoted(column) for column in table.names)
    return f"(SELECT {columns} FROM ({parts}))"


def _call(
    table: _Table, files: Sequence[_File], types: Mapping[str, str], book: rejects.Book, buffer: int | None
) -> str:
    dialect = files[0].dialect
    missing = table.options.get("missing") or []
    if not isinstance(missing, list) or not all(isinstance(one, str) for one in missing):
        raise InvalidArgumentError("The option missing must be a list of texts.")
    short_rows = table.options.get("short_rows", "reject")
    if short_rows not in ("reject", "fill"):
        raise InvalidArgumentError(f"The option short_rows must be reject or fill, not {short_rows!r}.")
    arguments: dict[str, object] = {
        "auto_detect": False,
        "delim": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.escape,
        "header": False,
        "skip": dialect.skip,
        "columns": {column: types[column] for column in files[0].names},
        "nullstr": ["", *missing],
        "allow_quoted_nulls": table.quoted_missing or bool(missing),
        "null_padding": short_rows == "fill",
        "max_line_size": table.line_size,
        "hive_partitioning": bool(table.partitions),
        "store_rejects": True,
        **book.new_tables(files[0].shown if len(files) == 1 else None),
    }
    if table.partitions:
        arguments["hive_types"] = table.partitions
    if table.line_size > _USUAL_LINE:
        buffer = 2 * table.line_size
    if buffer:
        arguments["buffer_size"] = buffer
    given = ", ".join(f"{key} = {literal(value)}" for key, value in arguments.items())
    return f"read_csv({literal([file.path for file in files])}, {given})"


def _needs_longer_lines(table: _Table, book: rejects.Book) -> bool:
    """Say whether to read again because a line is longer than the parser was told."""
    if table.line_size < _LONG_LINE and book.has("LINE SIZE OVER MAXIMUM"):
        table.line_size = _LONG_LINE
        return True
    return False


def _even_line_ends(table: _Table, folder: Path, reading: Reading) -> None:
    """Replace files whose line ends are mixed, which DuckDB refuses, by copies with one kind."""
    reading.warnings.append("The file mixes kinds of line ends; all are read as line ends.")
    for file in table.files:
        copy = new_place(folder, Path(file.path)) / "even-line-ends.txt"
        with open(file.path, "rb") as source, copy.open("wb") as target:
            while block := source.read(2**20):
                if block.endswith(b"\r"):
                    block += source.read(1)
                target.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        file.path = str(copy)


class _LineEndsError(Exception):
    pass


class _MisfitError(Exception):
    def __init__(self, position: int) -> None:
        self.position = position


def _execute(engine: Engine, statement: str, table: _Table) -> None:
    import duckdb

    try:
        with engine.running():
            engine.connection.execute(statement)
    except (duckdb.Error, InvalidDataError) as error:
        text = str(error)
        if found := re.search(r"misfit:(\d+)", text):
            raise _MisfitError(int(found.group(1))) from error
        if "reached an invalid state" in text and not any(
            file.path.endswith("even-line-ends.txt") for file in table.files
        ):
            raise _LineEndsError from error
        if isinstance(error, InvalidDataError):
            raise
        raise InvalidDataError(f"{table.files[0].shown!r} cannot be read as CSV: {first_line(error)}") from error
