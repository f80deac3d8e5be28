"""Chunks: steps turned round into one row for each tensor, and thinned out when the file grows too large."""

from __future__ import annotations

import sqlite3

from kernel_tools.debugger.records import COLUMNS

MOST_STEPS = 256
MOST_BYTES = 8 * 1024**2
"""Steps, or bytes of blocks, after which steps are turned round."""
_KEPT_STEPS = 8
"""A chunk is not thinned out below so many steps."""


def turn_round(connection: sqlite3.Connection, mode: int, layout: int) -> None:
    """Turn the steps of a mode and layout into a chunk, in one transaction."""
    import numpy as np

    rows = connection.execute(
        "SELECT id, step, at, block FROM steps WHERE mode = ? AND layout = ? ORDER BY id", (mode, layout)
    ).fetchall()
    if not rows:
        return
    content = connection.execute("SELECT tensors FROM layouts WHERE id = ?", (layout,)).fetchone()[0]
    tensors = np.frombuffer(content, "<i4")
    blocks = np.frombuffer(b"".join(row[3] for row in rows), "<f4").reshape(len(rows), len(tensors), len(COLUMNS))
    turned = np.ascontiguousarray(blocks.transpose(1, 0, 2))
    steps, ats = (np.array([row[index] for row in rows], "<i8") for index in (1, 2))
    connection.execute("BEGIN")
    try:
        cursor = connection.execute(
            "INSERT INTO chunks (mode, layout, first, last, last_row, stride, steps, ats) "
            "VALUES (?, ?, ?, ?, ?, 1, ?, ?)",
            (mode, layout, int(steps.min()), int(steps.max()), rows[-1][0], steps.tobytes(), ats.tobytes()),
        )
        chunk = cursor.lastrowid
        connection.executemany(
            "INSERT INTO series (tensor, chunk, block) VALUES (?, ?, ?)",
            ((int(tensor), chunk, turned[index].tobytes()) for index, tensor in enumerate(tensors)),
        )
        connection.execute("DELETE FROM steps WHERE mode = ? AND layout = ? AND id <= ?", (mode, layout, rows[-1][0]))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def keep_in_bounds(connection: sqlite3.Connection, max_disk: int) -> None:
    """Drop elements of tensors, then every second step of the oldest chunks, until the file's content fits."""
    while used_bytes(connection) > max_disk:
        dropped = connection.execute(
            "DELETE FROM arrays WHERE rowid IN (SELECT rowid FROM arrays WHERE tensor IN "
            "(SELECT id FROM tensors WHERE collections NOT LIKE '%\"predictions\"%') ORDER BY rowid LIMIT 64)"
        ).rowcount
        if not dropped and not _thin_one(connection):
            return


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of a store's file that hold something; the others are used again before the file grows."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _thin_one(connection: sqlite3.Connection) -> bool:
    """Drop every second step of the oldest of the least thinned chunks; returns whether there was one."""
    import numpy as np

    found = connection.execute(
        "SELECT id, steps, ats, stride FROM chunks WHERE length(steps) >= ? ORDER BY stride, id LIMIT 1",
        (8 * _KEPT_STEPS,),
    ).fetchone()
    if found is None:
        return False
    chunk, steps, ats, stride = found
    kept = [np.frombuffer(values, "<i8")[::2].tobytes() for values in (steps, ats)]
    connection.execute("BEGIN")
    try:
        connection.execute("UPDATE chunks SET steps = ?, ats = ?, stride = ? WHERE id = ?", (*kept, stride * 2, chunk))
        for row, block in connection.execute("SELECT rowid, block FROM series WHERE chunk = ?", (chunk,)).fetchall():
            thinner = np.frombuffer(block, "<f4").reshape(-1, len(COLUMNS))[::2].tobytes()
            connection.execute("UPDATE series SET block = ? WHERE rowid = ?", (thinner, row))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return True
