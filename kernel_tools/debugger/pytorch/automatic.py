"""Finding the models of a training that says nothing of the Debugger, and watching them."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as registry
from torch.optim import optimizer as optimizers

from kernel_tools.debugger.records import Config
from kernel_tools.debugger.session import Session

_handles: list[Any] = []


def install(config: Config) -> None:
    """Watch the models that are called, as outermost ones and in training mode, until the first optimizer steps.

    That first step is not captured: only then is it known what is trained.
    """
    found: dict[int, nn.Module] = {}
    depth = 0

    def before(module: nn.Module, inputs: Any) -> None:
        nonlocal depth
        if depth == 0 and module.training and any(parameter.requires_grad for parameter in module.parameters()):
            found[id(module)] = module
        depth += 1

    def after(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal depth
        depth -= 1

    def on_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        _remove()
        if not Session._OPEN:
            try:
                _watch(list(found.values()), config)
            except Exception as error:  # the job goes on without the Debugger
                warnings.warn(f"The Debugger cannot watch this job: {type(error).__name__}: {error}", stacklevel=2)

    _handles.append(registry.register_module_forward_pre_hook(before))
    _handles.append(registry.register_module_forward_hook(after, always_call=True))
    _handles.append(optimizers.register_optimizer_step_pre_hook(on_step))


def _watch(models: list[nn.Module], config: Config) -> None:
    from kernel_tools.debugger.watching import watch

    if not models:
        return
    names = [type(model).__name__.lower() for model in models]
    named = {
        name if names.count(name) == 1 else f"{name}{place}": model
        for place, (name, model) in enumerate(zip(names, models, strict=True))
    }
    watch(
        models[0] if len(models) == 1 else named,
        rules="none",
        collections=dict(config.collections) or None,
        save=config.save,
        profile=config.profile,
    )


def _remove() -> None:
    while _handles:
        _handles.pop().remove()
