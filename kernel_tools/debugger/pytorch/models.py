"""The models that a hook watches: their parameters and layers, and what is said of them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kernel_tools.debugger.store import StoreWriter

_WRAPPERS = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before every name."""
_MOST_LAYERS = 1000


@dataclass(slots=True, eq=False)
class Watched:
    """One model: its parameters by name, the leaf modules, and the buffers that training changes."""

    prefix: str
    model: nn.Module
    names: list[str]
    parameters: list[torch.Tensor]
    kinds: list[str]
    leaves: list[tuple[str, nn.Module]]
    buffers: list[tuple[str, torch.Tensor]]
    is_compiled: bool

    def refresh(self) -> None:
        """Look again for parameters: lazy ones have come to be, layers were added."""
        owners = {id(parameter): module for module in self.model.modules() for parameter in module.parameters(False)}
        found = [
            (plain_name(self.prefix, name), parameter)
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad and not isinstance(parameter, nn.UninitializedParameter)
        ]
        self.names = [name for name, _ in found]
        self.parameters = [parameter for _, parameter in found]
        self.kinds = [type(owners[id(parameter)]).__name__ for _, parameter in found]
        self.leaves = [
            (plain_name(self.prefix, name), module)
            for name, module in self.model.named_modules()
            if name and not any(True for _ in module.children())
        ]
        self.buffers = [
            (plain_name(self.prefix, name), buffer)
            for name, buffer in self.model.named_buffers()
            if name.rpartition(".")[2] in ("running_mean", "running_var")
        ]
        inner = getattr(self.model, "module", self.model)
        self.is_compiled = any(
            hasattr(each, "_orig_mod") or getattr(each, "_compiled_call_impl", None) is not None
            for each in (self.model, inner)
        )


def watch_models(models: Mapping[str, nn.Module]) -> list[Watched]:
    """Prepare models for watching."""
    found = [
        Watched(f"{prefix}." if prefix else "", model, [], [], [], [], [], False) for prefix, model in models.items()
    ]
    for watched in found:
        watched.refresh()
    return found


def plain_name(prefix: str, name: str) -> str:
    """Return a name without what wrappers have put before it."""
    changed = True
    while changed:
        changed = False
        for wrapper in _WRAPPERS:
            if name.startswith(wrapper):
                name, changed = name[len(wrapper) :], True
    return prefix + name


def describe(writer: StoreWriter, models: Sequence[Watched], optimizers: Sequence[torch.optim.Optimizer]) -> None:
    """Write what rules and readers want to know of the models and the first optimizer."""
    layers: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": type(module).__name__,
            "parameters": sum(p.numel() for p in module.parameters() if not isinstance(p, nn.UninitializedParameter)),
        }
        for watched in models
        for name, module in watched.leaves[:_MOST_LAYERS]
    ]
    writer.set_meta("model", " and ".join(_class_name(watched.model) for watched in models))
    writer.set_meta("layers", layers)
    writer.set_meta("compiled", any(watched.is_compiled for watched in models))
    writer.set_meta("parameters", sum(parameter.numel() for watched in models for parameter in watched.parameters))
    if optimizers:
        first, group = optimizers[0], optimizers[0].param_groups[0]
        shown = {name: group[name] for name in ("lr", "weight_decay", "momentum", "betas") if name in group}
        plain = {name: float(value) if name == "lr" else value for name, value in shown.items()}
        writer.set_meta("optimizer", {"class": type(first).__name__, **plain})


def _class_name(model: nn.Module) -> str:
    inner = getattr(model, "_orig_mod", getattr(model, "module", model))
    return type(inner).__name__
