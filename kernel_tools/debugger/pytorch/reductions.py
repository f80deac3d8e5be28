"""Statistics of many tensors in one pass: small ones together in one flat array, bigger ones each while it is in the
cache, those on another device by size, with one copy to the host at the end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from kernel_tools.debugger.records import COLUMN, COLUMNS, QUANTILES

SMALL = 4096
"""Tensors of so many elements on the CPU are reduced together: a call for each would cost more than its work."""
MOST_TOGETHER = 1 << 20
"""Elements that are reduced together at most; it bounds the memory."""
SAMPLE = 128
"""Elements that quantiles are estimated from."""
_GRID = np.linspace(0.0, 1.0, SAMPLE)
_RANKS = [round(quantile * (SAMPLE - 1)) for quantile in QUANTILES]
_WIDTH = len(COLUMNS)
_FIRST_QUANTILE = COLUMN["q01"]


class Batch:
    """The tensors of one step, as their statistics."""

    def __init__(self) -> None:
        self._flat = torch.empty(0)
        self._used = 0
        self._small: list[tuple[int, int]] = []
        self._parts: list[tuple[list[int], np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self._waiting = 0
        self._ids: list[np.ndarray[Any, Any]] = []
        self._blocks: list[np.ndarray[Any, Any]] = []
        self._scratch = torch.empty(0)
        self._row_ids: list[int] = []
        self._rows: list[tuple[Any, ...]] = []
        self._samples: list[np.ndarray[Any, Any]] = []
        self._mended: dict[int, float | np.ndarray[Any, Any]] = {}
        self._big: dict[tuple[int, torch.device], list[tuple[int, torch.Tensor]]] = {}
        self._groups: list[tuple[list[int], int, torch.Tensor]] = []
        self._units: dict[int, tuple[float, float]] = {}

    def add(self, tensor_id: int, tensor: torch.Tensor, dead: float = np.nan, saturated: float = np.nan) -> None:
        """Add a tensor whose elements may be changed after this call."""
        tensor = _plain(tensor)
        count = tensor.numel()
        if count == 0:
            return
        if dead == dead or saturated == saturated:
            self._units[tensor_id] = (dead, saturated)
        if tensor.device.type != "cpu":
            self._add_elsewhere(tensor_id, tensor.reshape(-1).clone())
            return
        if count > SMALL:
            self._reduce_big(tensor_id, tensor.reshape(-1))
            return
        if self._used + count > len(self._flat):
            self._make_room(count)
        self._flat[self._used : self._used + count].copy_(tensor.reshape(-1))
        self._small.append((tensor_id, self._used))
        self._used += count

    def add_all(self, ids: list[int], tensors: list[torch.Tensor]) -> None:
        """Add many tensors that stay as they are until `finish`."""
        together: list[torch.Tensor] = []
        of: list[int] = []
        count = 0
        for tensor_id, tensor in zip(ids, tensors, strict=True):
            size = tensor.numel()
            if (
                0 < size <= SMALL
                and tensor.dtype is torch.float32
                and tensor.device.type == "cpu"
                and tensor.layout is torch.strided
            ):
                if count + size > MOST_TOGETHER:
                    self._reduce_together(of, together)
                    together, of, count = [], [], 0
                together.append(tensor)
                of.append(tensor_id)
                count += size
            elif size and tensor.device.type != "cpu":
                self._add_elsewhere(tensor_id, _plain(tensor).reshape(-1))
            elif size:
                self.add(tensor_id, tensor)
        self._reduce_together(of, together)
        self._reduce_elsewhere()

    def finish(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the ids (int32) and the block (float32, a row for each id), and begin anew."""
        self._flush()
        self._reduce()
        self._finish_big()
        self._reduce_elsewhere()
        self._finish_elsewhere()
        if not self._ids:
            return np.empty(0, "i4"), np.empty((0, _WIDTH), "f4")
        ids, block = np.concatenate(self._ids), np.concatenate(self._blocks)
        for row, tensor_id in enumerate(ids.tolist()) if self._units else ():
            if tensor_id in self._units:
                block[row, COLUMN["dead"]], block[row, COLUMN["saturated"]] = self._units[tensor_id]
        self._ids, self._blocks, self._units = [], [], {}
        return ids, block

    def _make_room(self, count: int) -> None:
        if self._used + count <= MOST_TOGETHER:
            bigger = torch.empty(min(MOST_TOGETHER, max(1 << 14, 2 * (self._used + count))))
            bigger[: self._used].copy_(self._flat[: self._used])
            self._flat = bigger
        else:
            self._flush()
            if len(self._flat) < count:
                self._flat = torch.empty(count)

    def _flush(self) -> None:
        if self._small:
            starts = np.array([start for _, start in self._small])
            self._keep([tensor_id for tensor_id, _ in self._small], self._flat[: self._used].numpy().copy(), starts)
            self._small, self._used = [], 0

    def _reduce_together(self, ids: list[int], tensors: list[torch.Tensor]) -> None:
        if tensors:
            flat = torch._C._nn.flatten_dense_tensors(tensors).detach().numpy()
            if len(tensors) == 1:
                flat = flat.copy()  # of one tensor it is the tensor itself
            self._keep(ids, flat, np.cumsum([0, *(tensor.numel() for tensor in tensors[:-1])]))

    def _keep(self, ids: list[int], flat: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> None:
        if self._waiting + len(flat) > MOST_TOGETHER:
            self._reduce()
        self._parts.append((ids, flat, starts + self._waiting))
        self._waiting += len(flat)

    def _reduce(self) -> None:
        if self._parts:
            self._ids.append(np.array([tensor_id for ids, _, _ in self._parts for tensor_id in ids], "i4"))
            flat = np.concatenate([flat for _, flat, _ in self._parts])
            self._blocks.append(reduce_flat(flat, np.concatenate([starts for _, _, starts in self._parts])))
            self._parts, self._waiting = [], 0

    def _reduce_big(self, tensor_id: int, flat: torch.Tensor) -> None:
        """Reduce a tensor on the CPU by the fastest kernel for each number, while its elements are in the cache."""
        count = len(flat)
        if len(self._scratch) < count:
            self._scratch = torch.empty(count)
        array = flat.numpy()
        total, squares = float(flat.sum()), float(torch.dot(flat, flat))
        l1 = float(torch.abs(flat, out=self._scratch[:count]).sum())
        nonzero = np.count_nonzero(array != 0)
        self._rows.append((count, total, squares, l1, nonzero, array.min(), array.max()))
        self._samples.append(array[np.rint(_GRID * (count - 1)).astype("i8")])
        if len(self._scratch) > MOST_TOGETHER:
            self._scratch = torch.empty(0)
        if not math.isfinite(squares):
            self._mended[len(self._row_ids)] = array.copy()
        elif squares - total * total / count < 0.02 * squares:  # far from zero: float32 sums do not say how they vary
            self._mended[len(self._row_ids)] = float(flat.std(correction=0))
        self._row_ids.append(tensor_id)

    def _finish_big(self) -> None:
        if not self._row_ids:
            return
        columns = np.array(self._rows, "f8").T
        sums = dict(zip(("sum", "squares", "l1", "nonzero", "min", "max"), columns[1:], strict=True))
        block = np.full((len(self._row_ids), _WIDTH), np.nan, "f4")
        with np.errstate(all="ignore"):
            _fill(block, columns[0], sums, np.sort(np.stack(self._samples), axis=1))
        for row, found in self._mended.items():
            if isinstance(found, float):
                block[row, COLUMN["std"]] = found
            else:
                _fill_finite(block[row], found)
        self._ids.append(np.array(self._row_ids, "i4"))
        self._blocks.append(block)
        self._row_ids, self._rows, self._samples, self._mended = [], [], [], {}

    # ---- Tensors on another device ----

    def _add_elsewhere(self, tensor_id: int, flat: torch.Tensor) -> None:
        group = self._big.setdefault((len(flat), flat.device), [])
        if len(flat) * (len(group) + 1) > MOST_TOGETHER:
            self._reduce_group(group)
            group.clear()
        group.append((tensor_id, flat))

    def _reduce_elsewhere(self) -> None:
        for group in self._big.values():
            self._reduce_group(group)
        self._big = {}

    def _reduce_group(self, group: list[tuple[int, torch.Tensor]]) -> None:
        """Reduce tensors of one size; the numbers stay where the tensors are until `finish`."""
        if not group:
            return
        flats = [flat for _, flat in group]
        table = flats[0][None] if len(flats) == 1 else torch.stack(flats)
        norm = torch.linalg.vector_norm(table, 2, dim=1)
        mean = table.mean(1, keepdim=True)
        parts = (
            norm,
            torch.linalg.vector_norm(table, 1, dim=1),
            torch.count_nonzero(table, dim=1).to(table.dtype),
            *torch.aminmax(table, dim=1),
            mean[:, 0],
            (table - mean).square().mean(1),
            torch.isnan(table).sum(1).to(table.dtype),
            torch.isinf(table).sum(1).to(table.dtype),
        )
        places = torch.from_numpy(np.rint(_GRID * (table.shape[1] - 1)).astype("i8")).to(table.device)
        numbers = torch.cat([torch.stack(parts, dim=1), table[:, places]], dim=1)
        self._groups.append(([tensor_id for tensor_id, _ in group], table.shape[1], numbers))

    def _finish_elsewhere(self) -> None:
        if not self._groups:
            return
        device = self._groups[0][2].device
        table = torch.cat([numbers.to(device) for *_, numbers in self._groups]).cpu().numpy()
        counts = np.concatenate([np.full(len(ids), count) for ids, count, _ in self._groups])
        norm, l1, nonzero, smallest, largest, mean, variance, nans, infinities = table[:, :9].T
        columns = (nans, infinities, 1 - nonzero / counts, smallest, largest, mean, np.sqrt(variance), l1, norm)
        block = np.full((len(table), _WIDTH), np.nan, "f4")
        block[:, :9] = np.stack(columns, axis=1)
        block[:, _FIRST_QUANTILE:] = np.sort(table[:, 9:], axis=1)[:, _RANKS]
        is_spoilt = (nans + infinities) > 0
        block[is_spoilt, 3:] = np.nan  # of the finite elements alone nothing was worked out there
        self._ids.append(np.concatenate([np.array(ids, "i4") for ids, _, _ in self._groups]))
        self._blocks.append(block)
        self._groups = []


def reduce_flat(flat: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the statistics of the parts of a flat float32 array: float32 of shape (parts, `COLUMNS`).

    Sums are taken in float64, so that the deviation of values far from zero is right.
    """
    counts = np.diff(starts, append=len(flat))
    with np.errstate(all="ignore"):
        wide = flat.astype("f8")
        squares = np.add.reduceat(wide * wide, starts)
        sums = {
            "sum": np.add.reduceat(wide, starts),
            "squares": squares,
            "l1": np.add.reduceat(np.abs(wide), starts),
            "nonzero": np.add.reduceat((flat != 0).view("i1"), starts, dtype="i8"),
            "min": np.minimum.reduceat(flat, starts),
            "max": np.maximum.reduceat(flat, starts),
        }
        places = starts[:, None] + np.rint(_GRID * (counts[:, None] - 1)).astype("i8")
        block = np.full((len(starts), _WIDTH), np.nan, "f4")
        _fill(block, counts.astype("f8"), sums, np.sort(flat[places], axis=1))
        for row in np.flatnonzero(~np.isfinite(squares)):
            _fill_finite(block[row], flat[starts[row] : starts[row] + counts[row]])
    return block


def _fill(
    block: np.ndarray[Any, Any],
    counts: np.ndarray[Any, Any],
    sums: dict[str, np.ndarray[Any, Any]],
    sample: np.ndarray[Any, Any],
) -> None:
    """Fill a block from sums and sorted samples."""
    mean = sums["sum"] / counts
    variance = np.maximum(sums["squares"] / counts - mean * mean, 0.0)
    columns = (0, 0, 1 - sums["nonzero"] / counts, sums["min"], sums["max"], mean, np.sqrt(variance), sums["l1"])
    for index, column in enumerate((*columns, np.sqrt(sums["squares"]))):
        block[:, index] = column
    block[:, _FIRST_QUANTILE:] = sample[:, _RANKS]


def _fill_finite(row: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
    """Fill the row of a tensor that holds NaN or infinities (or whose squares overflow) from its finite elements."""
    is_nan = np.isnan(values)
    finite = values[np.isfinite(values)].astype("f8")
    nans = int(is_nan.sum())
    row[:] = np.nan
    row[0], row[1] = nans, len(values) - nans - len(finite)
    row[COLUMN["zeros"]] = float(np.mean(values == 0))
    if len(finite):
        row[3:9] = [
            finite.min(),
            finite.max(),
            finite.mean(),
            finite.std(),
            np.abs(finite).sum(),
            np.sqrt(np.square(finite).sum()),
        ]
        row[_FIRST_QUANTILE:] = np.quantile(finite, QUANTILES)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor as strided floats without history; half precision becomes float32."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.coalesce().values() if tensor.layout is torch.sparse_coo else tensor.to_dense()
    if tensor.is_complex():
        tensor = tensor.abs()
    return tensor if tensor.dtype is torch.float32 else tensor.float()
