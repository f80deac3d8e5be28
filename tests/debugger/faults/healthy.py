"""Trainings with nothing wrong: ten ways of training, each with other settings for every seed."""

from __future__ import annotations

import random

from tests.debugger.faults.data import Data
from tests.debugger.faults.models import CharCnn, Cnn, Recurrent, Transformer, mlp
from tests.debugger.faults.training import Recipe


def inputs(data: Data) -> int:
    """Return the numbers in a row."""
    return data.train[0].numel()


HEALTHY = (
    Recipe("digits, MLP with dropout, Adam", "digits",
           lambda data: mlp(inputs(data), data.classes, dropout=0.2)),
    Recipe("digits, CNN with batch norm, SGD with momentum and cosine schedule", "digits",
           lambda data: Cnn(data.classes), "SGD", 0.05, {"momentum": 0.9, "weight_decay": 5e-4}, "cosine"),
    Recipe("digits, tanh MLP, Adam", "digits",
           lambda data: mlp(inputs(data), data.classes, activation="tanh")),
    Recipe("digits, CNN without norm, AdamW in one cycle", "digits",
           lambda data: Cnn(data.classes, norm=False), "AdamW", 5e-3, {}, "one cycle", epochs=5),
    Recipe("digits, deep MLP with layer norm, AdamW with warm-up", "digits",
           lambda data: mlp(inputs(data), data.classes, depth=5, activation="gelu", norm="layer"),
           "AdamW", 1e-3, {}, "warm-up", epochs=5),
    Recipe("adult, MLP with dropout, Adam", "adult",
           lambda data: mlp(inputs(data), 2, dropout=0.3), "Adam", 1e-3, {"weight_decay": 1e-4}, epochs=4),
    Recipe("adult, MLP with batch norm, SGD in steps", "adult",
           lambda data: mlp(inputs(data), 2, norm="batch"), "SGD", 0.05, {"momentum": 0.9}, "steps", epochs=3),
    Recipe("text, transformer, AdamW with warm-up and a limit of the gradient", "text",
           lambda data: Transformer(data.classes), "AdamW", 2e-3, {"weight_decay": 0.01}, "warm-up", 64, 5, 1.0),
    Recipe("text, convolutions, Adam", "text", lambda data: CharCnn(data.classes), "Adam", 2e-3, epochs=3),
    Recipe("text, recurrent, Adam with a limit of the gradient", "text",
           lambda data: Recurrent(data.classes), "Adam", 3e-3, {}, "", 64, 5, 1.0),
)  # fmt: skip


def healthy(seed: int) -> Recipe:
    """Return the recipe of a seed: the rate, the batch and the epochs differ from those of the others."""
    chance = random.Random(seed)
    recipe = HEALTHY[seed % len(HEALTHY)]
    return recipe.having(
        rate=recipe.rate * chance.choice((0.5, 1.0, 2.0)),
        batch=chance.choice((recipe.batch, 2 * recipe.batch)),
        epochs=recipe.epochs + chance.choice((0, 1, 2)),
    )
