"""The bytes of text files: unpacked where DuckDB cannot, in UTF-8 where they are not.

An encoding that is not given is found from the first MiB: a byte order mark; else UTF-16 if every other byte is NUL;
else UTF-8 unless most lines with other characters than ASCII break its rules; else Windows-1252, the superset of
Latin-1 that files without a declaration are in practice. Single lines of a UTF-8 file that break its rules are rejected
rows.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.wrangler.sources.formats import compression_of
from kernel_tools.wrangler.sources.partitions import new_place

HEAD_SIZE = 2**20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8 = ("utf-8", "ascii")


def read_head(path: Path, size: int = HEAD_SIZE) -> bytes:
    """Return the first bytes of a file, unpacked.

    Raises
    ------
    InvalidDataError
        If it is not packed the way that its name says.
    """
    try:
        with _unpacked(path) as file:
            head: bytes = file.read(size)
            return head
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise _broken(path, error) from error


def find_encoding(head: bytes, given: str | None) -> str:
    """Return the Python name of the encoding of a text that begins with `head`.

    Raises
    ------
    InvalidArgumentError
        If Python does not know the encoding `given`.
    """
    if given:
        try:
            name = codecs.lookup(given).name
        except LookupError as error:
            raise InvalidArgumentError(
                f"{given!r} is not an encoding: take for example utf-8, utf-16, latin-1 or windows-1252."
            ) from error
        return "utf-8" if name in ("utf-8-sig", "ascii") else name
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) >= 4:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) < 0.05 * len(head) / 2:
            return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8" if _is_mostly_utf8(head) else "cp1252"


def plain_text(path: Path, encoding: str, folder: Path) -> Path:
    """Return a file with the same text that DuckDB reads: `path` itself, or a copy of it in `folder`.

    Bytes that mean nothing in the encoding become the replacement character.
    """
    compression = compression_of(path.name)
    if encoding in _UTF8 and compression in (None, "gzip", "zstd"):
        return path
    copy = new_place(folder, path) / f"{path.stem.split('.')[0]}.txt"
    try:
        with _unpacked(path) as source, copy.open("wb") as target:
            if encoding in _UTF8:
                _pump(source, target.write)
                return copy
            decode = codecs.getincrementaldecoder(encoding)("replace").decode
            _pump(source, lambda block: target.write(decode(block).encode("utf-8", "replace")))
            target.write(decode(b"", True).encode("utf-8", "replace"))
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise _broken(path, error) from error
    return copy


def longest_line(path: Path, newline: bytes, within: int | None = None) -> int:
    """Return the length of the longest line of more than 2 MiB of a file, 0 if there is none.

    DuckDB loses rows that are longer than its buffer without a word, so it has to be told. Looks at one line of each
    MiB only, `within` the first bytes; a packed file is not looked at.
    """
    size = path.stat().st_size
    if size < HEAD_SIZE or compression_of(path.name):
        return 0
    longest = start = 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        while start + HEAD_SIZE <= min(size, within or size):
            end = start + HEAD_SIZE
            if text.find(newline, start, end) < 0:
                begin = text.rfind(newline, 0, start) + 1
                end = text.find(newline, end)
                end = size if end < 0 else end
                longest = max(longest, end - begin)
            start = end
    return longest


def _pump(source: IO[bytes], write: Callable[[bytes], object]) -> None:
    while block := source.read(HEAD_SIZE):
        write(block)


def _unpacked(path: Path) -> Any:
    import pyarrow as pa

    compression = compression_of(path.name)
    if compression == "bz2":
        return bz2.open(path, "rb")
    if compression == "xz":
        return lzma.open(path, "rb")
    if compression:
        return pa.CompressedInputStream(pa.OSFile(str(path)), compression)
    return path.open("rb")


def _is_mostly_utf8(head: bytes) -> bool:
    try:
        head[: head.rfind(b"\n") + 1 or None].decode()
        return True
    except UnicodeDecodeError:
        pass
    fitting = broken = 0
    for line in head.split(b"\n")[:-1] or [head]:
        if not line.isascii():
            try:
                line.decode()
                fitting += 1
            except UnicodeDecodeError:
                broken += 1
    return fitting > broken


def _broken(path: Path, error: BaseException) -> InvalidDataError:
    return InvalidDataError(
        f"{path.name!r} cannot be unpacked as {compression_of(path.name) or 'a file'}: {error}. "
        "Was it copied whole, and does its name end as it should?"
    )
