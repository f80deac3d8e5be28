"""Real data for small trainings: handwritten digits, incomes of the census, and lines of Python's standard library."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

_ADULT = Path(__file__).parents[3] / "notebooks" / "data" / "adult.parquet"
_MODULES = ("argparse", "_pydecimal", "datetime", "typing", "turtle", "mailbox")
LENGTH = 32
VOCABULARY = 128


@dataclass(frozen=True)
class Data:
    """Rows for training and for evaluation, with their labels (int64)."""

    name: str
    classes: int
    train: torch.Tensor
    train_labels: torch.Tensor
    test: torch.Tensor
    test_labels: torch.Tensor

    def having(self, **changed: torch.Tensor) -> Data:
        """Return the data with other rows or labels."""
        return replace(self, **changed)


def load(name: str, seed: int) -> Data:
    """Return a data set, split anew for every seed."""
    rows, labels, test_rows = {"digits": _digits, "adult": _adult, "text": _text}[name]()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    rows, labels = rows[order], labels[order]
    cut = len(rows) - test_rows
    return Data(name, int(labels.max()) + 1, rows[:cut], labels[:cut], rows[cut:], labels[cut:])


@cache
def _digits() -> tuple[torch.Tensor, torch.Tensor, int]:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16.0 - 0.3053) / 0.3765  # as one does with MNIST: minus the mean, by the deviation
    return torch.tensor(images, dtype=torch.float32)[:, None], torch.tensor(found.target), 400


@cache
def _adult() -> tuple[torch.Tensor, torch.Tensor, int]:
    import pandas as pd

    frame = pd.read_parquet(_ADULT).sample(5000, random_state=0)
    labels = frame.pop("income").astype(str).str.startswith(">50K").to_numpy("int64")
    frame = frame.drop(columns=[name for name in ("split", "fnlwgt", "native_country", "education") if name in frame])
    numbers = frame.select_dtypes("number")
    scaled = (numbers - numbers.mean()) / numbers.std()
    dummies = pd.get_dummies(frame.drop(columns=list(numbers)).astype(str))
    table = np.column_stack([scaled.to_numpy("f4"), dummies.to_numpy("f4")])
    return torch.tensor(table), torch.tensor(labels), 1200


@cache
def _text() -> tuple[torch.Tensor, torch.Tensor, int]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    rows, labels = [], []
    for label, module in enumerate(_MODULES):
        content = (folder / f"{module}.py").read_bytes().replace(b"    ", b" ")
        lines = np.frombuffer(content, "u1").astype("int64") % VOCABULARY
        pieces = lines[: len(lines) // LENGTH * LENGTH].reshape(-1, LENGTH)[:600]
        rows.append(pieces)
        labels.append(np.full(len(pieces), label))
    return torch.tensor(np.concatenate(rows)), torch.tensor(np.concatenate(labels)), 600
