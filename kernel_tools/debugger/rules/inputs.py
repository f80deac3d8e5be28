"""Rules about what a model is given: images that are not normalised, texts that are mostly padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.reading import TensorInfo
from kernel_tools.debugger.records import COLUMN, Mode, check_regex
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import Knowledge
from kernel_tools.debugger.rules.patience import Patience
from kernel_tools.debugger.trial import Trial

_CHANNELS = (1, 2, 3, 4)
_UNSCALED = 2.0
"""A mean beyond this is of pixels as they are in files."""


class CheckInputImages(Rule):
    """Images that are not normalised: their mean is far from zero.

    It is a hint for images in 0 to 1, which most models learn from well enough, and a warning beyond that.

    Parameters
    ----------
    threshold_mean
        How far the mean may be from zero.
    threshold_samples
        So many images must have been seen at sampled steps.
    regex
        The names of the images. Default: what the model is given, if it has four dimensions and at most four channels;
        the original's own default fits models of MXNet only.
    channel
        The position of the channel in their shape. If their elements are saved, each channel is judged by itself.
    """

    severity = Severity.HINT
    collections = ("inputs",)

    def __init__(
        self,
        *,
        threshold_mean: float = 0.2,
        threshold_samples: int = 500,
        regex: str | None = None,
        channel: int = 1,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        if regex is not None:
            check_regex(regex, "CheckInputImages(regex=...)")
        super().__init__(collection_names=collection_names, tensor_regex=[regex] if regex is not None else tensor_regex)
        self.threshold_mean = threshold_mean
        self.threshold_samples = threshold_samples
        self.regex = regex
        self.channel = channel
        self._seen: dict[str, tuple[int, np.ndarray[Any, Any], float]] = {}

    def why_not(self, trial: Trial) -> str | None:
        known = Knowledge.of(trial)
        if not known.has("inputs"):
            return "What the model is given was not captured."
        if self.tensor_regex is None and not any(
            self._is_image(trial.tensor(name).info) for name in known.names("inputs")
        ):
            return "The model is given no images (batch, channels, height, width)."
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        found = []
        for index, tensor in enumerate(block.tensors):
            if self.tensor_regex is not None or self._is_image(tensor):
                row = block.values[index]
                mean, worst, images = self._follow(tensor, row, step, trial)
                if images >= self.threshold_samples and abs(worst) > self.threshold_mean:
                    found.append(self._tell(step, tensor.name, worst, mean, images))
        return found

    def _follow(
        self, tensor: TensorInfo, row: np.ndarray[Any, Any], step: int, trial: Trial
    ) -> tuple[np.ndarray[Any, Any], float, int]:
        """Take in a batch; returns the means so far, of all or of each channel, the worst one, and how many images."""
        array = trial.readers()[0].array(tensor.name, self.mode, step)
        if array is not None and array.ndim > self.channel:
            axes = tuple(axis for axis in range(array.ndim) if axis != self.channel)
            now, rows = array.mean(axis=axes, dtype="f8"), len(array)
        else:
            now, rows = np.array([float(row[COLUMN["mean"]])]), tensor.shape[0] if tensor.shape else 1
        images, means, spread = self._seen.get(tensor.name, (0, np.zeros_like(now), 0.0))
        if len(means) != len(now):
            images, means = 0, np.zeros_like(now)
        images += rows
        means = means + (now - means) * rows / images
        spread += (float(row[COLUMN["std"]]) - spread) * rows / images
        self._seen[tensor.name] = (images, means, spread)
        return means, float(means[np.abs(means).argmax()]), images

    def _tell(self, step: int, name: str, worst: float, means: np.ndarray[Any, Any], images: int) -> Finding:
        spread = self._seen[name][2]
        mean = ", ".join(f"{value:.3g}" for value in means)
        std = ", ".join([f"{spread:.3g}"] * len(means))
        return self.finding(
            step,
            f"The images in {name} have a mean of {worst:.3g} and a standard deviation of {spread:.3g} ({images:,} of "
            f"them up to step {step}); the mean should be within {self.threshold_mean:g} of 0.",
            tensor=name,
            value=worst,
            threshold=self.threshold_mean,
            advice=[
                Advice(
                    "Normalise the images",
                    "Weights are initialised for inputs of mean 0 and variance 1; the first layer then learns faster.",
                    f"transform = torchvision.transforms.Normalize(mean=[{mean}], std=[{std}])\n"
                    f"# or, without torchvision:\nimages = (images - {worst:.3g}) / {spread:.3g}",
                )
            ],
            evidence={"figure": "series", "tensors": [name], "reduction": "mean", "threshold": self.threshold_mean},
            severity=Severity.WARNING if abs(worst) > _UNSCALED else None,
        )

    def _is_image(self, tensor: TensorInfo) -> bool:
        return len(tensor.shape) == 4 and tensor.shape[self.channel] in _CHANNELS


class NLPSequenceRatio(Rule):
    """Token sequences that consist to a large part of certain tokens, such as padding or unknown words.

    Of token 0 the share is always known. The shares of others need the elements:
    ``SaveConfig(raw=["input_0"])``. By default it looks at what a model with an embedding is given; the original's own
    default fits models of MXNet only.

    Parameters
    ----------
    token_values
        The tokens, such as ``"0"`` or ``"3, 0"``, or a list.
    token_thresholds_percent
        The largest percentage of each. If there are fewer of them than tokens, the last one holds for the rest; the
        original's defaults, one token and in one place two limits, do not fit together otherwise.
    """

    severity = Severity.HINT
    modes = (Mode.TRAIN, Mode.EVAL)
    collections = ("inputs",)

    def __init__(
        self,
        *,
        token_values: str | Sequence[int] = "0",
        token_thresholds_percent: str | Sequence[float] = "50",
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.token_values = token_values
        self.token_thresholds_percent = token_thresholds_percent
        tokens = [int(value) for value in _numbers(token_values, "token_values")]
        limits = _numbers(token_thresholds_percent, "token_thresholds_percent")
        if not tokens or not limits:
            raise InvalidArgumentError("NLPSequenceRatio needs a token and a percentage at least.")
        self._limits = dict(zip(tokens, limits + limits[-1:] * (len(tokens) - len(limits)), strict=False))
        self._patience = Patience(0)

    def why_not(self, trial: Trial) -> str | None:
        known = Knowledge.of(trial)
        if self.tensor_regex is None and self.collection_names is None and "Embedding" not in known.kinds():
            return "The model has no embedding, so what it is given are no tokens."
        return None if known.has("inputs") or self.tensor_regex else "What the model is given was not captured."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        found = []
        for index, tensor in enumerate(block.tensors):
            if not _are_tokens(block.values[index]):
                continue
            array = trial.readers()[0].array(tensor.name, self.mode, step) if set(self._limits) != {0} else None
            for token, limit in self._limits.items():
                share = _share(token, block.values[index], array)
                if share is not None and share > limit:
                    found.append(self._tell(step, tensor.name, token, share, limit))
        return found

    def _tell(self, step: int, name: str, token: int, share: float, limit: float) -> Finding:
        what = "padding" if token == 0 else "the same token"
        return self.finding(
            step,
            f"{share:.0f} % of the tokens in {name} are {token} at step {step}; {limit:g} % is the limit.",
            tensor=name if token == 0 else f"{name}:{token}",
            value=share,
            threshold=limit,
            advice=[
                Advice(
                    "Put sequences of like length into one batch",
                    f"Time is spent on {what}; sorted by length, batches need less of it.",
                    "order = sorted(range(len(texts)), key=lambda index: len(texts[index]))\n"
                    "batches = [order[start : start + 64] for start in range(0, len(order), 64)]\n"
                    "loader = torch.utils.data.DataLoader(dataset, batch_sampler=batches, collate_fn=pad_batch)",
                ),
                Advice("Look at the vocabulary", "If the token stands for unknown words, the vocabulary is too small."),
            ],
            evidence={"figure": "series", "tensors": [name], "reduction": "zeros", "threshold": limit / 100},
        )


def _are_tokens(row: np.ndarray[Any, Any]) -> bool:
    """Whether the statistics can be those of whole numbers from 0."""
    low, high = float(row[COLUMN["min"]]), float(row[COLUMN["max"]])
    return low >= 0 and high > 1 and low.is_integer() and high.is_integer()


def _share(token: int, row: np.ndarray[Any, Any], array: np.ndarray[Any, Any] | None) -> float | None:
    if token == 0:
        return 100.0 * float(row[COLUMN["zeros"]])
    return None if array is None else 100.0 * float((array == token).mean())


def _numbers(given: str | Sequence[float], name: str) -> list[float]:
    try:
        return [float(item) for item in (given.split(",") if isinstance(given, str) else given)]
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"NLPSequenceRatio({name}={given!r}): use numbers between commas, such as '3, 0'."
        ) from error
