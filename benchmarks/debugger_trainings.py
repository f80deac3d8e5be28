"""The trainings that the Debugger's cost is measured on, and a process that runs one of them plain, watched by us, or
watched by wandb: ``python -m benchmarks.debugger_trainings MODEL STEPS SIDE...`` prints the CPU seconds of each side.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

Batch = Callable[[int], tuple[torch.Tensor, torch.Tensor]]


class SmallCNN(nn.Module):
    """Two convolutions and two dense layers on images of 28 x 28."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 32, 3)
        self.fc1 = nn.Linear(32 * 25, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        result: torch.Tensor = self.fc2(functional.relu(self.fc1(x.flatten(1))))
        return result


class SmallTransformer(nn.Module):
    """Two encoder layers of width 64 over 32 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 64)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.encoder(self.embedding(x)).mean(1))
        return result


def make(name: str) -> tuple[nn.Module, Batch]:
    """Return a model and what makes its batches of 64."""
    torch.manual_seed(0)
    labels = torch.randint(0, 10, (64,))
    if name == "cnn":
        images = torch.randn(8, 64, 1, 28, 28)
        return SmallCNN(), lambda step: (images[step % 8], labels)
    if name == "mlp":
        layers: list[nn.Module] = []
        for _ in range(12):
            layers += [nn.Linear(256, 256), nn.ReLU()]
        rows = torch.randn(8, 64, 256)
        return nn.Sequential(*layers, nn.Linear(256, 10)), lambda step: (rows[step % 8], labels)
    tokens = torch.randint(0, 1000, (8, 64, 32))
    return SmallTransformer(), lambda step: (tokens[step % 8], labels)


def train(model: nn.Module, batch: Batch, steps: int, after: Callable[[int], None] | None = None) -> None:
    """Train for some steps."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    for step in range(steps):
        x, y = batch(step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        if after is not None:
            after(step)


def cpu() -> float:
    """Return the CPU seconds of this process and of the children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def plain(name: str, steps: int) -> dict[str, float]:
    """Train and nothing else."""
    model, batch = make(name)
    began = cpu()
    train(model, batch, steps)
    return {"cpu": cpu() - began}


def watched(
    name: str, steps: int, every: int | None = None, collections: Sequence[str] | None = None
) -> dict[str, float]:
    """Train as a user would who watches; with `every`, all tensors of every so many steps, and the end counted too."""
    import kernel_tools as kt

    model, batch = make(name)
    with kt.experiments.start_run("benchmark"):
        hook = kt.debugger.watch(
            model,
            rules="default" if every is None else "none",
            collections=collections,
            save=kt.debugger.SaveConfig(every=every),
        )
        began = cpu()
        train(model, batch, steps)
        trained = cpu()
        tensors = len(hook.trial.tensor_names())
        sampled = len(hook.trial.steps("TRAIN"))
        ended = cpu()
        hook.close()
    closed = cpu() - ended
    return {
        "cpu": trained - began + (closed if every is not None else 0.0),
        "closing": closed,
        "measured": hook.overhead,
        "sampled": sampled,
        "tensors": tensors,
    }


def every_step(name: str, steps: int) -> dict[str, float]:
    """Watch every tensor at every step."""
    return watched(name, steps, every=1)


def like_wandb(name: str, steps: int) -> dict[str, float]:
    """Watch what wandb watches at every step: parameters and gradients."""
    return watched(name, steps, every=1, collections=["weights", "biases", "gradients"])


def wandb_every_step(name: str, steps: int) -> dict[str, float]:
    """Watch every parameter and gradient at every step by wandb, offline."""
    import wandb

    model, batch = make(name)
    with tempfile.TemporaryDirectory() as folder:
        began = cpu()
        run = wandb.init(mode="offline", project="benchmark", dir=folder, settings=wandb.Settings(silent=True))
        run.watch(model, log="all", log_freq=1)
        train(model, batch, steps, lambda step: run.log({"step": step}))
        run.finish()
        return {"cpu": cpu() - began, "tensors": 2 * len(list(model.parameters()))}


def nothing_by_wandb(name: str, steps: int) -> dict[str, float]:
    """What wandb costs without watching: subtracted from what it costs with it."""
    import wandb

    model, batch = make(name)
    with tempfile.TemporaryDirectory() as folder:
        began = cpu()
        run = wandb.init(mode="offline", project="benchmark", dir=folder, settings=wandb.Settings(silent=True))
        train(model, batch, steps, lambda step: run.log({"step": step}))
        run.finish()
        return {"cpu": cpu() - began}


SIDES = {
    "plain": plain,
    "control": plain,
    "watched": watched,
    "every_step": every_step,
    "like_wandb": like_wandb,
    "wandb": wandb_every_step,
    "wandb_alone": nothing_by_wandb,
}


def main(name: str, steps: int, sides: list[str]) -> None:
    """Warm up, run each side once, and print what each has taken."""
    torch.set_num_threads(1)
    plain(name, 200)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATELIER_HOME"] = str(Path(folder) / "home")
        found = {}
        for side in sides:
            began = time.perf_counter()
            found[side] = SIDES[side](name, steps)
            found[side]["wall"] = time.perf_counter() - began
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
