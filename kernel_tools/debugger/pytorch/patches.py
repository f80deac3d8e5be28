"""What a hook listens to that torch has no hooks for: backward, functional losses, scaled losses, and data loaders.

The functions are wrapped while a hook is open and put back when the last one is closed. A wrapped function calls the
original one whatever the listeners do.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from torch.nn import functional
from torch.utils.data import dataloader

LOSSES = (
    *("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss"),
    *(
        "smooth_l1_loss",
        "huber_loss",
        "kl_div",
        "gaussian_nll_loss",
        "poisson_nll_loss",
        "multi_margin_loss",
        "ctc_loss",
    ),
    *("hinge_embedding_loss", "cosine_embedding_loss", "triplet_margin_loss", "margin_ranking_loss"),
)


class Listener(Protocol):
    """What is told of calls."""

    def on_loss(self, kind: str, prediction: Any, target: Any, value: torch.Tensor) -> None:
        """Hear of a loss that was worked out."""

    def on_scaled(self, value: torch.Tensor) -> None:
        """Hear of a loss that is about to be scaled for mixed precision."""

    def before_backward(self, tensor: torch.Tensor) -> None:
        """Hear of a backward pass that begins."""

    def after_backward(self, tensor: torch.Tensor) -> None:
        """Hear of a backward pass that has ended."""

    def on_batch(self, seconds: float) -> None:
        """Hear how long the user's loop has waited for a batch."""


_LISTENERS: tuple[Listener, ...] = ()
_ORIGINALS: list[tuple[Any, str, Any, bool]] = []


def listen(listener: Listener) -> None:
    """Tell a listener from now on."""
    global _LISTENERS
    if not _LISTENERS:
        _wrap_all()
    _LISTENERS = (*_LISTENERS, listener)


def stop_listening(listener: Listener) -> None:
    """Tell a listener nothing any more; with the last one, everything is as it was."""
    global _LISTENERS
    _LISTENERS = tuple(known for known in _LISTENERS if known is not listener)
    while _ORIGINALS and not _LISTENERS:
        owner, name, original, is_own = _ORIGINALS.pop()
        if is_own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


def _wrap_all() -> None:
    for name in LOSSES:
        _wrap(functional, name, partial(_tell_loss, kind=name))
    _wrap(torch.Tensor, "backward", _tell_backward)
    _wrap(torch.amp.GradScaler, "scale", _tell_scaled)
    _wrap(dataloader._BaseDataLoaderIter, "__next__", _tell_batch)


def _wrap(owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = getattr(owner, name, None)
    if original is not None:
        _ORIGINALS.append((owner, name, original, name in vars(owner)))
        setattr(owner, name, functools.wraps(original)(wrapper(original)))


def _tell_loss(original: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def loss(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        if not torch.compiler.is_compiling() and isinstance(value, torch.Tensor):
            prediction = args[0] if args else kwargs.get("input")
            target = args[1] if len(args) > 1 else kwargs.get("target")
            for listener in _LISTENERS:
                listener.on_loss(kind, prediction, target, value)
        return value

    return loss


def _tell_backward(original: Callable[..., Any]) -> Callable[..., Any]:
    def backward(self: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        for listener in _LISTENERS:
            listener.before_backward(self)
        try:
            return original(self, *args, **kwargs)
        finally:
            for listener in _LISTENERS:
                listener.after_backward(self)

    return backward


def _tell_scaled(original: Callable[..., Any]) -> Callable[..., Any]:
    def scale(self: Any, outputs: Any) -> Any:
        if isinstance(outputs, torch.Tensor):
            for listener in _LISTENERS:
                listener.on_scaled(outputs)
        return original(self, outputs)

    return scale


def _tell_batch(original: Callable[..., Any]) -> Callable[..., Any]:
    def __next__(self: Any) -> Any:
        began = time.perf_counter()
        batch = original(self)
        seconds = time.perf_counter() - began
        for listener in _LISTENERS:
            listener.on_batch(seconds)
        return batch

    return __next__
