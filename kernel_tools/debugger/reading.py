"""Reading one rank's file, while it grows or afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kernel_tools.debugger.records import COLUMN, COLUMNS, TICK
from kernel_tools.debugger.store import connect

_KEPT_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor that was captured: its shape when it was first seen; `layer` is the module that it belongs to."""

    id: int
    name: str
    collections: tuple[str, ...]
    shape: tuple[int, ...]
    kind: str
    layer: str

    @property
    def count(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class StepStatistics:
    """The statistics of many tensors at one step: `values` has a row for each tensor and a column for each of
    `COLUMNS`."""

    step: int
    mode: int
    at: int
    tensors: tuple[TensorInfo, ...]
    values: np.ndarray[Any, Any]

    @property
    def names(self) -> list[str]:
        """The tensors' names."""
        return [tensor.name for tensor in self.tensors]

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return one statistic of every tensor."""
        return self.values[:, COLUMN[name]]

    def only(self, keep: list[int]) -> StepStatistics:
        """Return some of the tensors, by their position."""
        tensors = tuple(self.tensors[index] for index in keep)
        return StepStatistics(self.step, self.mode, self.at, tensors, self.values[keep])


class StoreReader:
    """One rank's file. `refresh` looks for what is new; everything else answers from what is known then."""

    def __init__(self, path: Path, worker: str) -> None:
        self.worker = worker
        self._connection = connect(path)
        self.tensors: dict[str, TensorInfo] = {}
        self._by_id: dict[int, TensorInfo] = {}
        self._layouts: dict[int, np.ndarray[Any, Any]] = {}
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}
        self._last_row = 0
        self._blocks: OrderedDict[tuple[int, int], StepStatistics] = OrderedDict()
        self._ticks: list[np.ndarray[Any, Any]] = []
        self._last_tick = 0
        self._has_chunks_read = False
        self.refresh()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def refresh(self) -> list[tuple[int, int]]:
        """Take in what was written since; returns the new sampled steps as pairs of mode and step, in their order."""
        rows = self._connection.execute(
            "SELECT id, name, collections, shape, kind, layer FROM tensors WHERE id > ? ORDER BY id",
            (max(self._by_id, default=0),),
        ).fetchall()
        for row in rows:
            info = TensorInfo(row[0], row[1], tuple(json.loads(row[2])), tuple(json.loads(row[3])), row[4], row[5])
            self.tensors[info.name] = self._by_id[info.id] = info
        new: list[tuple[int, int, int, int]] = []
        if not self._has_chunks_read or self._is_behind():
            for mode, last_row, steps, ats in self._connection.execute(
                "SELECT mode, last_row, steps, ats FROM chunks WHERE last_row > ? ORDER BY id", (self._last_row,)
            ).fetchall():
                for step, at in zip(
                    np.frombuffer(steps, "<i8").tolist(), np.frombuffer(ats, "<i8").tolist(), strict=True
                ):
                    if (mode, step) not in self._steps:
                        new.append((at, mode, step, last_row))
            self._has_chunks_read = True
        rows = self._connection.execute(
            "SELECT id, mode, step, at FROM steps WHERE id > ? ORDER BY id", (self._last_row,)
        ).fetchall()
        new += [(at, mode, step, row) for row, mode, step, at in rows if (mode, step) not in self._steps]
        new.sort()
        for at, mode, step, row in new:
            self._steps[mode, step] = (at, row)
            self._last_row = max(self._last_row, row)
        for row, block in self._connection.execute(
            "SELECT id, block FROM ticks WHERE id > ? ORDER BY id", (self._last_tick,)
        ).fetchall():
            self._ticks.append(np.frombuffer(block, "<f8").reshape(-1, len(TICK)))
            self._last_tick = row
        return [(mode, step) for _, mode, step, _ in new]

    def _is_behind(self) -> bool:
        """Whether steps were turned round before this reader saw them."""
        found = self._connection.execute("SELECT MAX(last_row) FROM chunks").fetchone()[0]
        return found is not None and found > self._last_row

    def meta(self, key: str) -> Any:
        """Return something about the whole file; None if it is not there."""
        found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def steps(self, mode: int | None = None) -> list[int]:
        """Return the sampled steps of a mode, or of all."""
        return sorted({step for found, step in self._steps if mode is None or found == mode})

    def at(self, mode: int, step: int) -> int | None:
        """Return when a sampled step ended, in milliseconds since 1970 UTC."""
        found = self._steps.get((mode, step))
        return None if found is None else found[0]

    def ticks(self) -> np.ndarray[Any, Any]:
        """Return what is kept of every step: float64 of shape (steps, columns of TICK)."""
        if len(self._ticks) > 1:
            self._ticks = [np.concatenate(self._ticks)]
        return self._ticks[0] if self._ticks else np.empty((0, len(TICK)))

    def statistics(self, mode: int, step: int) -> StepStatistics | None:
        """Return the statistics of all tensors of a sampled step; None if it was not sampled, or thinned out."""
        known = self._blocks.get((mode, step))
        if known is not None:
            self._blocks.move_to_end((mode, step))
            return known
        found = self._connection.execute(
            "SELECT at, layout, block FROM steps WHERE mode = ? AND step = ? ORDER BY id", (mode, step)
        ).fetchall()
        if found:
            layouts = [self._layout(layout) for _, layout, _ in found]
            values = np.concatenate([np.frombuffer(row[2], "<f4").reshape(-1, len(COLUMNS)) for row in found])
            return self._keep_block(mode, step, found[-1][0], np.concatenate(layouts), values)
        self._read_chunk(mode, step)
        return self._blocks.get((mode, step))

    def series(self, tensor: str, mode: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps of a tensor (int64) and its statistics at them (float32, a row for each step)."""
        info = self.tensors[tensor]
        steps: list[np.ndarray[Any, Any]] = []
        values: list[np.ndarray[Any, Any]] = []
        for numbers, block in self._connection.execute(
            "SELECT chunks.steps, series.block FROM series JOIN chunks ON chunks.id = series.chunk "
            "WHERE series.tensor = ? AND chunks.mode = ? ORDER BY series.chunk",
            (info.id, mode),
        ):
            steps.append(np.frombuffer(numbers, "<i8"))
            values.append(np.frombuffer(block, "<f4").reshape(-1, len(COLUMNS)))
        width = 4 * len(COLUMNS)
        for layout, position in self._positions(info.id):
            rows = self._connection.execute(
                "SELECT step, substr(block, ?, ?) FROM steps WHERE mode = ? AND layout = ? ORDER BY id",
                (position * width + 1, width, mode, layout),
            ).fetchall()
            if rows:
                steps.append(np.array([row[0] for row in rows], "<i8"))
                values.append(np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(-1, len(COLUMNS)))
        if not steps:
            return np.empty(0, "<i8"), np.empty((0, len(COLUMNS)), "<f4")
        order = np.argsort(np.concatenate(steps), kind="stable")
        return np.concatenate(steps)[order], np.concatenate(values)[order]

    def scalars(self, tensor: str, mode: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps of a single number (int64) and its values (float64)."""
        rows = self._connection.execute(
            "SELECT step, value FROM scalars WHERE tensor = ? AND mode = ? ORDER BY step",
            (self.tensors[tensor].id, mode),
        ).fetchall()
        values = [float("nan") if value is None else value for _, value in rows]
        return np.array([step for step, _ in rows], "<i8"), np.array(values, "<f8")

    def array_steps(self, tensor: str, mode: int | None = None) -> list[int]:
        """Return the steps at which the elements of a tensor were saved."""
        rows = self._connection.execute(
            "SELECT step FROM arrays WHERE tensor = ? AND (?2 IS NULL OR mode = ?2) ORDER BY step",
            (self.tensors[tensor].id, mode),
        )
        return [row[0] for row in rows]

    def array(self, tensor: str, mode: int, step: int) -> np.ndarray[Any, Any] | None:
        """Return the elements of a tensor at a step; None if they were not saved."""
        found = self._connection.execute(
            "SELECT dtype, shape, data FROM arrays WHERE tensor = ? AND mode = ? AND step = ?",
            (self.tensors[tensor].id, mode, step),
        ).fetchone()
        return None if found is None else np.frombuffer(found[2], np.dtype(found[0])).reshape(json.loads(found[1]))

    def modes_of(self, tensor: str) -> list[int]:
        """Return the modes in which a single number or elements were saved."""
        tensor_id = self.tensors[tensor].id
        rows = self._connection.execute(
            "SELECT DISTINCT mode FROM scalars WHERE tensor = ?1 "
            "UNION SELECT DISTINCT mode FROM arrays WHERE tensor = ?1",
            (tensor_id,),
        )
        return sorted({row[0] for row in rows} | {mode for mode, _ in self._steps})

    def _layout(self, layout: int) -> np.ndarray[Any, Any]:
        if layout not in self._layouts:
            row = self._connection.execute("SELECT tensors FROM layouts WHERE id = ?", (layout,)).fetchone()
            self._layouts[layout] = np.frombuffer(row[0], "<i4")
        return self._layouts[layout]

    def _positions(self, tensor: int) -> list[tuple[int, int]]:
        layouts = [row[0] for row in self._connection.execute("SELECT id FROM layouts")]
        places = [(layout, np.flatnonzero(self._layout(layout) == tensor)) for layout in layouts]
        return [(layout, int(found[0])) for layout, found in places if len(found)]

    def _read_chunk(self, mode: int, step: int) -> None:
        """Read all steps of the chunk that holds a step, so that a walk over the steps reads each chunk once."""
        for chunk, layout, steps, ats in self._connection.execute(
            "SELECT id, layout, steps, ats FROM chunks WHERE mode = ? AND first <= ? AND last >= ?", (mode, step, step)
        ).fetchall():
            numbers = np.frombuffer(steps, "<i8")
            if step not in numbers:
                continue
            rows = dict(
                self._connection.execute("SELECT tensor, block FROM series WHERE chunk = ?", (chunk,)).fetchall()
            )
            ids = self._layout(layout)
            turned = np.frombuffer(b"".join(rows[tensor] for tensor in ids.tolist()), "<f4")
            blocks = turned.reshape(len(ids), len(numbers), len(COLUMNS))
            start = int(np.flatnonzero(numbers == step)[0])
            for index in range(start, min(len(numbers), start + _KEPT_BLOCKS)):
                at = int(np.frombuffer(ats, "<i8")[index])
                self._keep_block(mode, int(numbers[index]), at, ids, blocks[:, index])
            self._blocks.move_to_end((mode, step))

    def _keep_block(
        self, mode: int, step: int, at: int, ids: np.ndarray[Any, Any], values: np.ndarray[Any, Any]
    ) -> StepStatistics:
        tensors = tuple(self._by_id[tensor] for tensor in ids.tolist())
        block = self._blocks[mode, step] = StepStatistics(step, mode, at, tensors, values)
        while len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block


def open_readers(folder: Path, known: dict[str, StoreReader]) -> None:
    """Open the files of ranks that are not in `known` yet."""
    for path in sorted(folder.glob("rank-*.db")):
        worker = path.stem
        if worker not in known:
            try:
                known[worker] = StoreReader(path, worker)
            except sqlite3.OperationalError:
                continue  # it is being made
