"""What a source held, in one short text, so that a step knows whether it was fitted on the same.

``sha256:<64 digits>`` of how it was read (format, options, query, sampling) and of what was there:

- a file of at most 64 MiB: its bytes;
- a bigger one: its path, size, time of change in nanoseconds, first and last MiB. Touching it changes the fingerprint;
- a remote file: its address and what the store says of its version (ETag, checksum, time of change, size);
- a frame or the result of a query: its columns and values, as an Arrow stream.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.wrangler.document import Source

WHOLE_SIZE = 64 * 2**20
"""Files up to this many bytes are hashed whole."""
_END_SIZE = 2**20
_STREAM_ROWS = 65_536


def of_parts(source: Source, parts: Iterable[str]) -> str:
    """Return the fingerprint of a source whose pieces have the given digests."""
    how = source.model_dump(mode="json", include={"kind", "format", "options", "sampling"})
    digest = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return f"sha256:{digest.hexdigest()}"


def of_file(path: Path) -> str:
    """Return the digest of a local file."""
    status = path.stat()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if status.st_size <= WHOLE_SIZE:
            while block := file.read(_END_SIZE):
                digest.update(block)
        else:
            digest.update(f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
            digest.update(file.read(_END_SIZE))
            file.seek(-_END_SIZE, 2)
            digest.update(file.read(_END_SIZE))
    return digest.hexdigest()


def of_table(table: pa.Table) -> str:
    """Return the digest of the columns and values of a table."""
    import pyarrow as pa

    sink = _Digest()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema.remove_metadata()) as stream:
        stream.write_table(table.replace_schema_metadata(None), max_chunksize=_STREAM_ROWS)
    return sink.digest.hexdigest()


class _Digest:
    """A file that keeps nothing of what is written but its digest."""

    closed = False

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass
