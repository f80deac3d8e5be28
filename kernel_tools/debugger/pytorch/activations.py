"""What the layers of a model return in one forward pass, and how many of their units are at rest or saturated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RECTIFIERS = {"ReLU", "ReLU6", "Threshold"}
SATURATED_BEYOND = {
    "Tanh": (-9.4999, 9.4999),
    "Sigmoid": (-23.0, 16.99999),
    "Hardtanh": (-1.0, 1.0),
    "Hardsigmoid": (-3.0, 3.0),
}
"""Inputs beyond which the activation is flat; those of Tanh and Sigmoid as SageMaker Debugger documents them."""
REST = 0.01
"""A unit is at rest, or saturated, if at most this share of its values in a batch is not."""
MOST_ELEMENTS = 1 << 20
"""Of a bigger activation, as many samples of the batch as fit are looked at, and at least one."""
_FUNCTIONS = {
    functional.relu: "ReLU",
    torch.relu: "ReLU",
    torch.Tensor.relu: "ReLU",
    torch.relu_: "ReLU",
    torch.Tensor.relu_: "ReLU",
    functional.relu6: "ReLU6",
    torch.tanh: "Tanh",
    torch.Tensor.tanh: "Tanh",
    functional.tanh: "Tanh",
    torch.sigmoid: "Sigmoid",
    torch.Tensor.sigmoid: "Sigmoid",
    functional.sigmoid: "Sigmoid",
    functional.gelu: "GELU",
    functional.silu: "SiLU",
    functional.leaky_relu: "LeakyReLU",
    functional.elu: "ELU",
    functional.hardtanh: "Hardtanh",
}
_KINDS = set(_FUNCTIONS.values())
_LEFT_OUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Identity, nn.Flatten, nn.Unflatten)

Keep = Callable[[str, str, torch.Tensor, float, float], None]
"""Takes the name of a layer, its kind, what it returned, and the shares of units at rest and saturated."""


class ForwardCapture(TorchFunctionMode):
    """Captures one forward pass of a model; hangs hooks on its leaf modules for as long as that lasts."""

    def __init__(self, model: nn.Module, leaves: list[tuple[str, nn.Module]], keep: Keep) -> None:
        super().__init__()
        self._leaves = leaves
        self._keep = keep
        self._handles: list[Any] = []
        self._last = ""
        self._counts: dict[str, int] = {}
        self._in_module = False
        self._units = (torch.nan, torch.nan)

    def start(self) -> None:
        """Begin to listen."""
        for name, module in self._leaves:
            if not isinstance(module, _LEFT_OUT):
                if type(module).__name__ in _KINDS:
                    self._handles.append(module.register_forward_pre_hook(self._enter_module))
                self._handles.append(module.register_forward_hook(self._tap(name)))
        self.__enter__()  # type: ignore[no-untyped-call]  # torch has no types for it

    def stop(self) -> None:
        """Take everything off again."""
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]  # torch has no types for it
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function of torch, and look at what it returned if it is an activation."""
        kwargs = kwargs or {}
        kind = _FUNCTIONS.get(func)
        if kind is None:
            return func(*args, **kwargs)
        limits = SATURATED_BEYOND.get(kind)
        saturated = torch.nan
        if limits is not None and args and isinstance(args[0], torch.Tensor):
            saturated = _at_rest(_inside(args[0], limits), self._is_channels_first(args[0]))
        output = func(*args, **kwargs)
        if isinstance(output, torch.Tensor):
            self._units = (self._dead(kind, output), saturated)
            if not self._in_module:
                name = f"{self._last}.{kind.lower()}" if self._last else kind.lower()
                self._counts[name] = self._counts.get(name, 0) + 1
                if self._counts[name] > 1:
                    name = f"{name}_{self._counts[name] - 1}"
                self._keep(name, kind, _rows(output), *self._units)
        return output

    def _enter_module(self, module: nn.Module, inputs: Any) -> None:
        self._in_module, self._units = True, (torch.nan, torch.nan)

    def _tap(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, (tuple, list)):
                output = next((item for item in output if isinstance(item, torch.Tensor)), None)
            if not isinstance(output, torch.Tensor) or not output.is_floating_point():
                return
            kind = type(module).__name__
            units = self._units if self._in_module else (torch.nan, torch.nan)
            self._in_module, self._last = False, name
            self._keep(name, kind, _rows(output), *units)

        return look

    def _dead(self, kind: str, output: torch.Tensor) -> float:
        if kind not in RECTIFIERS:
            return torch.nan
        return _at_rest(_rows(output.detach()) > 0, self._is_channels_first(output))

    def _is_channels_first(self, tensor: torch.Tensor | None) -> bool:
        return tensor is not None and (tensor.dim() >= 4 or "conv" in self._last.lower() and tensor.dim() == 3)


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    """Return so many samples of a batch that `MOST_ELEMENTS` is kept."""
    count = tensor.numel()
    if count <= MOST_ELEMENTS or tensor.dim() < 2:
        return tensor
    return tensor[: max(1, MOST_ELEMENTS * tensor.shape[0] // count)]


def _inside(tensor: torch.Tensor, limits: tuple[float, float]) -> torch.Tensor:
    values = _rows(tensor.detach())
    return (values > limits[0]) & (values < limits[1])


def _at_rest(is_active: torch.Tensor, is_channels_first: bool) -> float:
    """Return the share of units that are active in at most `REST` of their values.

    A unit is a channel of images (batch, channel, ...), else an element of the last dimension.
    """
    if is_active.dim() < 2:
        return torch.nan
    unit = 1 if is_channels_first else is_active.dim() - 1
    others = [dimension for dimension in range(is_active.dim()) if dimension != unit]
    values = is_active.numel() // is_active.shape[unit]
    if values < 1:
        return torch.nan
    active = is_active.sum(dim=others)
    return float((active <= REST * values).float().mean())
