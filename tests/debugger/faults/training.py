"""A training as people write it, watched: what is trained on what, how, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from kernel_tools import debugger
from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.finding import Finding, Findings, Severity
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.trial import Trial
from tests.debugger.faults.data import Data, load

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """How to train: `model` makes the network for some data; a fault changes a part of it."""

    name: str
    data: str
    model: Callable[[Data], nn.Module]
    optimizer: str = "Adam"
    rate: float = 1e-3
    options: dict[str, Any] = field(default_factory=dict)
    schedule: str = ""
    batch: int = 32
    epochs: int = 6
    clip: float | None = None
    loss: Loss = nn.CrossEntropyLoss()
    change_data: Callable[[Data, torch.Generator], Data] = lambda data, _: data
    change_model: Callable[[nn.Module], None] = lambda _: None
    change_optimizer: Callable[[torch.optim.Optimizer], None] = lambda _: None
    other_model: bool = False
    zero_grad: bool = True

    def having(self, **changed: Any) -> Recipe:
        """Return the recipe with some parts changed."""
        return replace(self, **changed)


def train(recipe: Recipe, seed: int, folder: Path, every: int | None = 5) -> None:
    """Train, watched; what is captured is in the folder."""
    torch.manual_seed(seed)
    data = recipe.change_data(load(recipe.data, seed), torch.Generator().manual_seed(seed))
    model = recipe.model(data)
    recipe.change_model(model)
    updated = recipe.model(data) if recipe.other_model else model
    optimizer = getattr(torch.optim, recipe.optimizer)(updated.parameters(), lr=recipe.rate, **recipe.options)
    steps = recipe.epochs * -(-len(data.train) // recipe.batch)
    schedule = _schedule(recipe, optimizer, steps)
    with debugger.watch(model, optimizer, rules="none", save=debugger.SaveConfig(every=every), run=folder):
        for _ in range(recipe.epochs):
            model.train()
            for rows in torch.randperm(len(data.train)).split(recipe.batch):
                if recipe.zero_grad:
                    optimizer.zero_grad()
                loss = recipe.loss(model(data.train[rows]), data.train_labels[rows])
                loss.backward()
                if recipe.clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
                optimizer.step()
                if schedule is not None:
                    schedule.step()
            model.eval()
            with torch.no_grad():
                for start in range(0, len(data.test), 256):
                    scores = model(data.test[start : start + 256])
                    recipe.loss(scores, data.test_labels[start : start + 256])


def judge(folder: Path, rules: Any = "default") -> Findings:
    """Evaluate rules over what was captured."""
    trial = Trial(folder)
    try:
        return evaluate_trial(trial, make_rules(rules))
    finally:
        trial.close()


def alarms(found: Findings) -> list[Finding]:
    """Return the findings that ask for something to be done: errors and warnings."""
    return [finding for finding in found.findings if finding.severity in (Severity.ERROR, Severity.WARNING)]


def _schedule(recipe: Recipe, optimizer: torch.optim.Optimizer, steps: int) -> Any:
    from torch.optim import lr_scheduler

    if recipe.schedule == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, steps)
    if recipe.schedule == "one cycle":
        return lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps)
    if recipe.schedule == "steps":
        return lr_scheduler.StepLR(optimizer, max(1, steps // 3), 0.3)
    if recipe.schedule == "warm-up":
        warm = max(1, steps // 10)
        return lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / warm, (steps - step) / (steps - warm))
        )
    return None
