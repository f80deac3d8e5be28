"""Files as tables of some rows at a time, read and written without holding more than those."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.signature import Column, ColumnType, Signature
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.batch.plan import Format, InputFile
from kernel_tools.hosting.batch.recording import FailedRow, json_rows

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_BYTES = 2 * 1024 * 1024
"""Arrow reads 32 blocks of CSV ahead; no row may be larger than one."""
_COPY_BYTES = 4 * 1024 * 1024


def read_tables(
    file: InputFile,
    signature: Signature | None,
    rows: int,
    skip: set[int],
    failed: list[FailedRow] | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[int, Any]]:
    """Return the tables of `rows` rows of a file with their numbers, but those of `skip`; the last one may be shorter.

    Parameters
    ----------
    failed
        Takes lines that are no rows; with it values of CSV and JSON that are not of their column's type are left to
        whoever predicts. None raises instead.
    on_bytes
        Is told how far into the file, as it lies there, reading is.

    Raises
    ------
    InvalidDataError
        If the file cannot be read, or a value of CSV or JSON is not of its column's type.
    """
    import pyarrow as pa

    waiting: list[pa.Table] = []
    count, number = 0, 0
    try:
        for table in _blocks(file, signature, failed, on_bytes):
            while table.num_rows:
                part = table.slice(0, rows - count)
                table = table.slice(part.num_rows)
                waiting.append(part)
                count += part.num_rows
                if count == rows:
                    if number not in skip:
                        yield number, pa.concat_tables(waiting)
                    waiting, count, number = [], 0, number + 1
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        told = str(error)[:500]
        if "straddles two block boundaries" in told:
            told = f"a row is larger than {_BLOCK_BYTES:,} bytes. Leave out its long texts, or write Parquet."
        raise InvalidDataError(f"{file.path!r}, after row {number * rows + count}: {told}") from error
    if waiting and number not in skip:
        yield number, pa.concat_tables(waiting)


def _blocks(
    file: InputFile, signature: Signature | None, failed: list[FailedRow] | None, on_bytes: Callable[[int], None]
) -> Iterator[pa.Table]:
    import pyarrow as pa

    if file.format == "parquet":
        import pyarrow.parquet as pq

        source = pq.ParquetFile(file.path)
        total, done = max(source.metadata.num_rows, 1), 0
        for batch in source.iter_batches(batch_size=65_536):
            done += batch.num_rows
            on_bytes(file.size * done // total)
            yield pa.Table.from_batches([batch])
        return
    types = _column_types(signature)
    with Path(file.path).open("rb") as raw, _opened(file.path, raw) as stream:
        if file.format == "csv":
            for batch in _read_csv(stream, types, failed):
                on_bytes(raw.tell())
                yield pa.Table.from_batches([batch])
            return
        for block in _line_blocks(stream):
            on_bytes(raw.tell())
            yield json_rows(block, types) if failed is not None else _json_table(block, types)


def _opened(path: str, raw: Any) -> Any:
    """Return the stream of a file that may be packed, over its open file."""
    import pyarrow as pa

    source = pa.PythonFile(raw, mode="r")
    codec = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}.get(Path(path).suffix.lower())
    return pa.CompressedInputStream(source, codec) if codec else source


def _read_csv(stream: Any, types: dict[str, Any], failed: list[FailedRow] | None) -> Any:
    import pyarrow as pa
    import pyarrow.csv as reader

    def skip(row: Any) -> str:
        assert failed is not None
        reason = f"The line has {row.actual_columns} fields instead of {row.expected_columns}."
        failed.append(FailedRow(None, reason, row.text[:1000]))
        return "skip"

    return reader.open_csv(
        stream,
        read_options=reader.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=reader.ParseOptions(
            newlines_in_values=True, invalid_row_handler=skip if failed is not None else None
        ),
        convert_options=reader.ConvertOptions(
            column_types=types if failed is None else dict.fromkeys(types, pa.string()), strings_can_be_null=True
        ),
    )


def _line_blocks(stream: Any) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(_BLOCK_BYTES):
        block = rest + block
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if block[:end].strip():
            yield block[:end]
    if rest.strip():
        yield rest


def _json_table(block: bytes, types: dict[str, Any]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.json as reader

    options = reader.ParseOptions(explicit_schema=pa.schema(types)) if types else None
    read = reader.ReadOptions(block_size=max(len(block) + 1, 1024))
    return reader.read_json(pa.BufferReader(block), read_options=read, parse_options=options)


def _column_types(signature: Signature | None) -> dict[str, Any]:
    """The types of a signature's columns, so that what a file holds is not guessed."""
    columns = signature.columns if signature is not None else []
    return {column.name: arrow_type(column) for column in columns}


def arrow_type(column: Column) -> Any:
    """Return the type in which a column is read from text."""
    import pyarrow as pa

    kinds = {ColumnType.DOUBLE: pa.float64(), ColumnType.LONG: pa.int64(), ColumnType.BOOLEAN: pa.bool_()}
    return kinds.get(column.type, pa.string())


def write_part(table: pa.Table, path: Path, kind: Format) -> None:
    """Write a part of an output, whole or not at all; CSV without its header."""
    with atomic_write(path) as file:
        if kind == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, file)
        elif kind == "csv":
            import pyarrow.csv as writer

            writer.write_csv(table, file, writer.WriteOptions(include_header=False))
        else:
            encoder = msgspec.json.Encoder(enc_hook=str)
            file.writelines(encoder.encode(row) + b"\n" for row in table.to_pylist())


def join_parts(parts: Sequence[Path], names: Sequence[str], path: Path, kind: Format) -> None:
    """Make an output of its parts, in their order; it appears whole or not at all."""
    with atomic_write(path) as file:
        if kind == "parquet":
            _join_parquet(parts, file)
            return
        if kind == "csv":
            file.write((",".join(_quoted(name) for name in names) + "\n").encode())
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(_COPY_BYTES):
                    file.write(block)


def _join_parquet(parts: Sequence[Path], file: Any) -> None:
    import pyarrow.parquet as pq

    writer = None
    try:
        for part in parts:
            table = pq.read_table(part)
            writer = writer or pq.ParquetWriter(file, table.schema)
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
