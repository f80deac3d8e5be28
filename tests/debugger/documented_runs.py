"""Small real trainings, of which most have something wrong, with every element saved at every step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import kernel_tools as kt
from kernel_tools.debugger.trial import Trial

STEPS = 40
BATCH = 32


def digits(scale: float = 1 / 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Return 8 by 8 images of digits and what they show."""
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images, dtype=torch.float32) * scale, torch.tensor(labels)


def layers(activation: Callable[[], nn.Module], depth: int = 3) -> nn.Sequential:
    """Return a plain network with some hidden layers."""
    sizes = [64, *([24] * depth)]
    hidden = [part for a, b in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(a, b), activation())]
    return nn.Sequential(*hidden, nn.Linear(24, 10))


def scaled(model: nn.Module, weights: float, biases: float = 0.0) -> nn.Module:
    """Return the model with other weights to begin with."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.fill_(biases)
            else:
                parameter.mul_(weights)
    return model


class Texts(nn.Module):
    """Judges token sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.out = nn.Linear(8, 10)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a score for each class."""
        return self.out(self.embedding(tokens).mean(dim=1))


def record(folder: Path, name: str) -> Trial:
    """Train, captured into a folder, and return what was captured."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, inputs, labels, rate = RUNS[name]()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    save = kt.debugger.SaveConfig(every=1, raw=(".*",))
    hook = kt.debugger.watch(model, optimizer, rules="none", save=save, run=folder)
    for step in range(STEPS):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % (len(inputs) - 200)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
        optimizer.step()
        if step % 10 == 9 and name != "a training without validation":
            model.eval()
            with torch.no_grad():
                nn.functional.cross_entropy(model(inputs[-200:]), labels[-200:])
            model.train()
    hook.close()
    return kt.debugger.open(folder)


Made = tuple[nn.Module, torch.Tensor, torch.Tensor, float]


def _healthy() -> Made:
    return layers(nn.ReLU), *digits(), 0.05


def _images() -> Made:
    images, labels = digits(1.0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    return model, images.reshape(-1, 1, 8, 8), labels, 0.001


def _normal_images() -> Made:
    images, labels = digits()
    images = (images - images.mean()) / images.std()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    return model, images.reshape(-1, 1, 8, 8), labels, 0.02


def _texts(padding: int) -> Made:
    tokens = torch.randint(1, 50, (1000, 20))
    tokens[:, 20 - padding :] = 0
    return Texts(), tokens, tokens[:, 0] % 10, 0.1


def _imbalanced() -> Made:
    images, labels = digits()
    keep = (labels > 0) | (torch.arange(len(labels)) % 200 == 0)
    return layers(nn.ReLU), images[keep], labels[keep], 0.05


def _by_heart() -> Made:
    images, labels = digits()
    images, labels = torch.cat([images[:32], images[-200:]]), torch.cat([labels[:32], torch.randint(0, 10, (200,))])
    return layers(nn.ReLU, 1), images, labels, 0.2


RUNS: dict[str, Callable[[], Made]] = {
    "a training that goes well": _healthy,
    "a training without validation": _healthy,
    "weights that begin at zero": lambda: (scaled(layers(nn.ReLU), 0.0), *digits(), 0.05),
    "small weights before sigmoids": lambda: (scaled(layers(nn.Sigmoid, 6), 0.05), *digits(), 0.05),
    "large weights before tanh": lambda: (scaled(layers(nn.Tanh), 500.0), *digits(), 0.001),
    "biases far below zero": lambda: (scaled(layers(nn.ReLU), 1.0, -50.0), *digits(), 0.05),
    "a learning rate far too high": lambda: (layers(nn.ReLU), *digits(), 1e6),
    "a learning rate of zero": lambda: (layers(nn.ReLU), *digits(), 0.0),
    "images as they are in the file": _images,
    "images that are normalised": _normal_images,
    "texts of padding": lambda: _texts(14),
    "texts without padding": lambda: _texts(2),
    "a class that is rare": _imbalanced,
    "few examples, learned by heart": _by_heart,
}
