"""What the loss of a step was, and which classes were taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

_CLASSIFICATION = {"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
_CLASSIFICATION |= {"CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss"}
MOST_CLASSES = 200
_MOST_ROWS = 8192


class LossMeter:
    """Collects the losses of a step, or of all batches of an evaluation.

    The loss of a training step is what ``backward`` was called on, or what the criterion that the user has named has
    returned; of several in a step, such as with gradient accumulation, the sum. The loss of an evaluation is the mean
    over its batches, weighted by their sizes.
    """

    def __init__(self) -> None:
        self.is_told = False
        self.was_seen = False
        self.is_new = False
        self.kind = ""
        self.confusion: np.ndarray[Any, Any] | None = None
        self._values: list[torch.Tensor] = []
        self._unscaled: torch.Tensor | None = None
        self._evaluated: list[tuple[float, int]] = []

    def take(
        self,
        kind: str,
        prediction: Any,
        target: Any,
        value: torch.Tensor,
        is_evaluating: bool,
        is_sampled: bool,
        is_told: bool,
    ) -> None:
        """Take what a loss function has returned."""
        if not self.kind and value.dim() == 0:
            self.kind = kind
        if is_evaluating and value.dim() == 0 and (is_told or not self.is_told):
            rows = len(target) if isinstance(target, torch.Tensor) and target.dim() else 1
            self._evaluated.append((float(value.detach()), rows))
            self._see()
        elif is_told and value.dim() == 0 and value.requires_grad:
            self._values.append(value.detach())
            self._see()
        if is_sampled and kind in _CLASSIFICATION:
            self._count(prediction, target)

    def take_unscaled(self, value: torch.Tensor) -> None:
        """Take a loss before it is multiplied for mixed precision."""
        self._unscaled = value.detach()

    def take_backward(self, tensor: torch.Tensor) -> None:
        """Take what a backward pass begins with."""
        if self.is_told or tensor.numel() != 1:
            return
        self._values.append(tensor.detach() if self._unscaled is None else self._unscaled)
        self._unscaled = None
        self._see()

    def end(self) -> float:
        """Return the loss of the step, NaN if none was seen."""
        values, self._values = self._values, []
        if not values:
            return float("nan")
        return (
            float(values[0])
            if len(values) == 1
            else float(torch.stack([value.float().reshape(()) for value in values]).sum())
        )

    def end_evaluation(self) -> float:
        """Return the mean loss of the batches of an evaluation, NaN if none was seen."""
        found, self._evaluated = self._evaluated, []
        rows = sum(count for _, count in found)
        return sum(value * count for value, count in found) / rows if rows else float("nan")

    def take_confusion(self) -> np.ndarray[Any, Any] | None:
        """Return how often each class (row) was taken for each class (column) since the last call."""
        found, self.confusion = self.confusion, None
        return found

    def _see(self) -> None:
        if not self.was_seen:
            self.was_seen = self.is_new = True

    def _count(self, prediction: Any, target: Any) -> None:
        if not isinstance(prediction, torch.Tensor) or not isinstance(target, torch.Tensor):
            return
        prediction, target = prediction.detach(), target.detach()
        if prediction.dim() >= 2 and target.dim() == prediction.dim() - 1 and not target.is_floating_point():
            classes = prediction.shape[1]
            if classes > MOST_CLASSES:
                return
            guessed, truth = prediction.argmax(1).reshape(-1), target.reshape(-1)
        elif prediction.shape == target.shape and (prediction.dim() == 1 or prediction.shape[-1] == 1):
            classes = 2
            guessed = (prediction > (0.5 if self.kind in ("binary_cross_entropy", "BCELoss") else 0)).reshape(-1)
            truth = (target > 0.5).reshape(-1)
        else:
            return
        pairs = torch.stack([truth[:_MOST_ROWS].long(), guessed[:_MOST_ROWS].long()]).cpu().numpy()
        pairs = pairs[:, (pairs[0] >= 0) & (pairs[0] < classes)]
        counts = np.bincount(pairs[0] * classes + pairs[1], minlength=classes * classes).reshape(classes, classes)
        if self.confusion is None or self.confusion.shape != counts.shape:
            self.confusion = counts
        else:
            self.confusion = self.confusion + counts
