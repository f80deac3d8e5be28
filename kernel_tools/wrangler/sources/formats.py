"""The formats of files that can be opened, how they are told by name, or else by their first bytes."""

from __future__ import annotations

import re
from typing import Literal, cast

from kernel_tools.core.errors import InvalidArgumentError

Format = Literal["csv", "parquet", "json", "jsonl", "orc", "arrow", "excel"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".orc": "orc",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
_NAMES = ("csv", "parquet", "json", "jsonl", "orc", "arrow", "excel")
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
_COMPRESSIBLE = ("csv", "json", "jsonl")


def formats() -> dict[str, Format]:
    """Return what can be opened: extension, also compressed as in ``.csv.gz``, to format."""
    packed: dict[str, Format] = {
        extension + ending: name
        for extension, name in _FORMATS.items()
        if name in _COMPRESSIBLE
        for ending in _COMPRESSIONS
    }
    return {**_FORMATS, **packed}


def compression_of(path: str) -> str | None:
    """Return gzip, zstd, bz2 or xz as the name of a file says, None for none of them."""
    return _COMPRESSIONS.get(_ending(path))


def format_of(path: str, head: bytes = b"") -> Format:
    """Return the format of a file by its name, else by its first bytes; what is nothing else is CSV."""
    if compression_of(path):
        path = path.rsplit(".", 1)[0]
    known = _FORMATS.get(_ending(path))
    if known:
        return known
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    if head.startswith(b"ORC"):
        return "orc"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        return "jsonl" if re.match(rb"\{[^\n]*\}\s*\n\s*\{", text) else "json"
    return "csv"


def checked_format(name: str) -> Format:
    """Return the name of a format that is known here.

    Raises
    ------
    InvalidArgumentError
    """
    name = {"tsv": "csv", "ndjson": "jsonl", "feather": "arrow", "xlsx": "excel"}.get(name.lower(), name.lower())
    if name not in _NAMES:
        raise InvalidArgumentError(f"{name!r} is not a format of tables: take one of {', '.join(_NAMES)}.")
    return cast(Format, name)


def _ending(path: str) -> str:
    base = re.split(r"[/\\]", path)[-1]
    dot = base.rfind(".")
    return base[dot:].lower() if dot >= 0 else ""
