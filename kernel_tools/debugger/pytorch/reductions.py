"""Statistics of many tensors in one pass: small ones together in one flat array, big ones each by a few kernels.

Everything of a step is turned into one block at its end, so that a device is asked for a copy once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kernel_tools.debugger.records import COLUMN, COLUMNS, QUANTILES

SMALL = 8192
"""Tensors of so many elements on the CPU are reduced together: a call for each would cost more than its work."""
MOST_TOGETHER = 1 << 20
"""Elements that are reduced together at most; it bounds the memory."""
SAMPLE = 128
"""Elements that quantiles are estimated from."""
_GRID = np.linspace(0.0, 1.0, SAMPLE)
_RANKS = [round(quantile * (SAMPLE - 1)) for quantile in QUANTILES]
_WIDTH = len(COLUMNS)
_FIRST_QUANTILE = COLUMN["q01"]
_SUMS = ("sum", "squares", "l1", "nonzero", "min", "max")


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
        self._big: list[tuple[int, torch.Tensor]] = []
        self._big_parts: list[torch.Tensor] = []
        self._units: dict[int, tuple[float, float]] = {}

    def add(self, tensor_id: int, tensor: torch.Tensor, dead: float = np.nan, saturated: float = np.nan) -> None:
        """Add a tensor whose elements may be changed after this call."""
        tensor = _plain(tensor)
        count = tensor.numel()
        if count == 0:
            return
        if dead == dead or saturated == saturated:
            self._units[tensor_id] = (dead, saturated)
        if count > SMALL or tensor.device.type != "cpu":
            self._add_big(tensor_id, tensor)
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
            elif size:
                self.add(tensor_id, tensor)
        self._reduce_together(of, together)

    def finish(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the ids (int32) and the block (float32, a row for each id), and begin anew."""
        self._flush()
        self._reduce()
        self._finish_big()
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

    def _add_big(self, tensor_id: int, tensor: torch.Tensor) -> None:
        flat = tensor.reshape(-1)
        smallest, largest = torch.aminmax(flat)
        parts = (
            flat.sum(),
            torch.dot(flat, flat),
            torch.linalg.vector_norm(flat, 1),
            torch.count_nonzero(flat).to(flat.dtype),
            smallest,
            largest,
        )
        places = np.rint(_GRID * (len(flat) - 1)).astype("i8")
        sample = flat[torch.from_numpy(places).to(flat.device)]
        self._big.append((tensor_id, flat))
        self._big_parts.append(torch.cat([torch.stack(parts), sample]))

    def _finish_big(self) -> None:
        if not self._big:
            return
        table = (
            torch.stack([parts.to(self._big_parts[0].device) for parts in self._big_parts]).cpu().numpy().astype("f8")
        )
        block = np.full((len(table), _WIDTH), np.nan, "f4")
        sums = dict(zip(_SUMS, table[:, : len(_SUMS)].T, strict=True))
        counts = np.array([len(flat) for _, flat in self._big], "f8")
        with np.errstate(all="ignore"):
            variance = _fill(block, counts, sums, np.sort(table[:, len(_SUMS) :], axis=1))
        doubtful = ~np.isfinite(sums["squares"]) | (variance < 1e-4 * sums["squares"] / counts)
        for row in np.flatnonzero(doubtful):
            flat = self._big[row][1]
            if np.isfinite(sums["squares"][row]):
                block[row, COLUMN["std"]] = float(flat.std(correction=0))
            else:
                block[row] = reduce_flat(flat.cpu().numpy(), np.zeros(1, "i8"))[0]
        self._ids.append(np.array([tensor_id for tensor_id, _ in self._big], "i4"))
        self._blocks.append(block)
        self._big, self._big_parts = [], []


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
) -> np.ndarray[Any, Any]:
    """Fill a block from sums and sorted samples; returns the variances."""
    mean = sums["sum"] / counts
    variance: np.ndarray[Any, Any] = np.maximum(sums["squares"] / counts - mean * mean, 0.0)
    block[:, :9] = np.stack(
        [
            np.zeros(len(counts)),
            np.zeros(len(counts)),
            1 - sums["nonzero"] / counts,
            sums["min"],
            sums["max"],
            mean,
            np.sqrt(variance),
            sums["l1"],
            np.sqrt(sums["squares"]),
        ],
        axis=1,
    )
    block[:, _FIRST_QUANTILE:] = sample[:, _RANKS]
    return variance


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
