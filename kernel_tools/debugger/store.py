"""The file that a rank of a run writes what was captured to: SQLite in WAL mode, read by others while it grows.

A sampled step is one row with a block of float32: a row for each tensor, a column for each statistic of `COLUMNS`. When
enough of them have gathered they are turned round into one row for each tensor (see `chunks.py`), so that the history
of one tensor is read without the others'. What is written is in the operating system's hands when the call returns.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import IntegrityError
from kernel_tools.debugger.chunks import MOST_BYTES, MOST_STEPS, keep_in_bounds, turn_round

if TYPE_CHECKING:
    import numpy as np

STORE_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tensors (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, collections TEXT NOT NULL, shape TEXT NOT NULL,
    kind TEXT NOT NULL, layer TEXT NOT NULL
);
CREATE TABLE layouts (id INTEGER PRIMARY KEY, tensors BLOB NOT NULL);
CREATE TABLE steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, mode INTEGER NOT NULL, at INTEGER NOT NULL,
    layout INTEGER NOT NULL, block BLOB NOT NULL
);
CREATE INDEX steps_step ON steps (mode, step);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, mode INTEGER NOT NULL, layout INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, last_row INTEGER NOT NULL, stride INTEGER NOT NULL, steps BLOB NOT NULL, ats BLOB NOT NULL
);
CREATE TABLE series (tensor INTEGER NOT NULL, chunk INTEGER NOT NULL, block BLOB NOT NULL);
CREATE UNIQUE INDEX series_tensor ON series (tensor, chunk);
CREATE INDEX series_chunk ON series (chunk);
CREATE TABLE scalars (
    tensor INTEGER NOT NULL, mode INTEGER NOT NULL, step INTEGER NOT NULL, at INTEGER NOT NULL, value REAL,
    PRIMARY KEY (tensor, mode, step)
) WITHOUT ROWID;
CREATE TABLE arrays (
    tensor INTEGER NOT NULL, mode INTEGER NOT NULL, step INTEGER NOT NULL, at INTEGER NOT NULL, dtype TEXT NOT NULL,
    shape TEXT NOT NULL, data BLOB NOT NULL
);
CREATE UNIQUE INDEX arrays_tensor ON arrays (tensor, mode, step);
CREATE TABLE ticks (id INTEGER PRIMARY KEY AUTOINCREMENT, count INTEGER NOT NULL, block BLOB NOT NULL);
"""


def store_path(folder: Path, rank: int) -> Path:
    """Return the path of a rank's file in the Debugger's folder of a run."""
    return folder / f"rank-{rank}.db"


def connect(path: Path, *, is_writer: bool = False) -> sqlite3.Connection:
    """Open a store; IntegrityError if it is none of ours or a newer Atelier wrote it."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    try:
        if is_writer:
            connection.execute("PRAGMA page_size=16384")
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and is_writer:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={STORE_VERSION}; COMMIT;")
            version = STORE_VERSION
    except sqlite3.DatabaseError as error:
        connection.close()
        raise IntegrityError(f"{path} does not hold what a Debugger has captured ({error}).") from error
    if not 0 < version <= STORE_VERSION:
        connection.close()
        raise IntegrityError(
            f"{path} has format version {version}; this Atelier reads {STORE_VERSION}. Update Atelier."
            if version
            else f"{path} was never finished being made: its process was killed. Delete it."
        )
    return connection


class StoreWriter:
    """Writes one rank's file. Not for several threads at once."""

    def __init__(self, path: Path, *, framework: str, max_disk: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.connection = connect(path, is_writer=True)
        self._max_disk = max_disk
        self._ids: dict[str, int] = {
            name: tensor for tensor, name in self.connection.execute("SELECT id, name FROM tensors")
        }
        self._layouts: dict[bytes, int] = {
            bytes(tensors): layout for layout, tensors in self.connection.execute("SELECT id, tensors FROM layouts")
        }
        self._pending: dict[tuple[int, int], tuple[int, int]] = {}
        for mode, layout, size in self.connection.execute("SELECT mode, layout, length(block) FROM steps"):
            self._count(mode, layout, size)
        self.set_meta("framework", framework)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything of the block, or nothing of it."""
        self.connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def set_meta(self, key: str, value: Any) -> None:
        """Keep something about the whole file, as JSON."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def forget_meta(self, key: str) -> None:
        """Keep something no more."""
        self.connection.execute("DELETE FROM meta WHERE key = ?", (key,))

    def define(
        self, name: str, collections: Sequence[str], shape: Sequence[int] = (), kind: str = "", layer: str = ""
    ) -> int:
        """Return the id of a tensor, which is made known first if it is new.

        `kind` is what it is of: the class of a layer or activation, such as Conv2d or ReLU, or an own word.
        """
        known = self._ids.get(name)
        if known is not None:
            return known
        row = (name, json.dumps(list(collections)), json.dumps(list(shape)), kind, layer)
        cursor = self.connection.execute(
            "INSERT INTO tensors (name, collections, shape, kind, layer) VALUES (?, ?, ?, ?, ?)", row
        )
        self._ids[name] = int(cursor.lastrowid or 0)
        return self._ids[name]

    def layout(self, tensors: np.ndarray[Any, Any]) -> int:
        """Return the id of a list of tensors (int32), in the order in which blocks hold them."""
        content = tensors.astype("<i4").tobytes()
        known = self._layouts.get(content)
        if known is None:
            cursor = self.connection.execute("INSERT INTO layouts (tensors) VALUES (?)", (content,))
            known = self._layouts[content] = int(cursor.lastrowid or 0)
        return known

    def write_step(self, step: int, mode: int, at: int, layout: int, block: np.ndarray[Any, Any]) -> None:
        """Write a sampled step: `block` is float32 of shape (tensors of the layout, columns); then `tidy` is due."""
        content = block.astype("<f4", copy=False).tobytes()
        self.connection.execute(
            "INSERT INTO steps (step, mode, at, layout, block) VALUES (?, ?, ?, ?, ?)",
            (step, mode, at, layout, content),
        )
        self._count(mode, layout, len(content))

    def write_scalars(self, step: int, mode: int, at: int, values: Sequence[tuple[int, float]]) -> None:
        """Write single numbers: pairs of a tensor's id and its value."""
        self.write_scalar_rows([(tensor, mode, step, at, value) for tensor, value in values])

    def write_scalar_rows(self, rows: Sequence[tuple[int, int, int, int, float]]) -> None:
        """Write single numbers of many steps: rows of a tensor's id, mode, step, milliseconds, and value."""
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT OR REPLACE INTO scalars VALUES (?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def write_array(self, tensor: int, step: int, mode: int, at: int, array: np.ndarray[Any, Any]) -> None:
        """Write the elements of a tensor."""
        plain = array.astype(array.dtype.newbyteorder("<"), copy=False)
        row = (tensor, mode, step, at, plain.dtype.str, json.dumps(list(plain.shape)), plain.tobytes())
        self.connection.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def write_ticks(self, ticks: np.ndarray[Any, Any]) -> None:
        """Write what is kept of every step: float64 of shape (steps, columns of TICK)."""
        self.connection.execute(
            "INSERT INTO ticks (count, block) VALUES (?, ?)", (len(ticks), ticks.astype("<f8", copy=False).tobytes())
        )

    def close(self) -> None:
        """Close the file; what is pending stays as it is."""
        self.connection.close()

    def tidy(self) -> None:
        """Turn pending steps round into one row for each tensor if there are enough, and keep the file in bounds."""
        for (mode, layout), (count, size) in list(self._pending.items()):
            if count >= MOST_STEPS or size >= MOST_BYTES:
                del self._pending[mode, layout]
                turn_round(self.connection, mode, layout)
                keep_in_bounds(self.connection, self._max_disk)

    def _count(self, mode: int, layout: int, size: int) -> None:
        count, known = self._pending.get((mode, layout), (0, 0))
        self._pending[mode, layout] = (count + 1, known + size)
