"""Faults to plant: what each changes in a training, and which rules are right to fire. Written before any was run."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from tests.debugger.faults.data import Data
from tests.debugger.faults.healthy import HEALTHY, healthy, inputs
from tests.debugger.faults.models import Cnn, mlp
from tests.debugger.faults.training import Recipe


@dataclass(frozen=True)
class Fault:
    """A kind of fault: `plant` makes the training of a seed with it; one of `right` must fire."""

    name: str
    right: frozenset[str]
    plant: Callable[[int], Recipe]


def _some(*indices: int) -> Callable[[int], Recipe]:
    """Return a chooser of one of some healthy recipes, by the seed."""

    def choose(seed: int) -> Recipe:
        of = indices[seed % len(indices)]
        return healthy(seed - seed % len(HEALTHY) + of)

    return choose


_DENSE = _some(0, 2, 5)
_ANY = _some(0, 1, 2, 3, 5, 6, 8, 9)
_CLASSES = _some(0, 1, 2, 3)


def _rate_too_high(seed: int) -> Recipe:
    recipe = _ANY(seed)
    return recipe.having(rate=recipe.rate * 1000, clip=None, schedule="")


def _rate_too_low(seed: int) -> Recipe:
    recipe = _ANY(seed)
    return recipe.having(rate=recipe.rate * 1e-4, schedule="")


def _missing_values(seed: int) -> Recipe:
    def spoil(data: Data, chance: torch.Generator) -> Data:
        rows = data.train.clone()
        for row in torch.randperm(len(rows), generator=chance)[:5].tolist():
            flat = rows[row].view(-1)
            flat[int(torch.randint(len(flat), (1,), generator=chance))] = float("nan")
        return data.having(train=rows)

    return _some(0, 1, 2, 3, 5, 6)(seed).having(change_data=spoil)


def _log_of_zero(seed: int) -> Recipe:
    def loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        shares = torch.softmax(scores * 2000, 1)
        return -(nn.functional.one_hot(labels, scores.shape[1]) * shares.log()).sum(1).mean()

    return _DENSE(seed).having(loss=loss)


def _too_large_weights(seed: int) -> Recipe:
    def enlarge(model: nn.Module) -> None:
        for parameter in model.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=1.0)

    depth = random.Random(seed).choice((4, 6, 8))
    return _DENSE(seed).having(
        model=lambda data: mlp(inputs(data), data.classes, depth=depth), change_model=enlarge, optimizer="SGD",
        options={}, rate=0.01,
    )  # fmt: skip


def _vanishing(seed: int) -> Recipe:
    depth = random.Random(seed).choice((10, 12, 14))
    return _DENSE(seed).having(
        model=lambda data: mlp(inputs(data), data.classes, hidden=32, depth=depth, activation="sigmoid")
    )


def _dead_relus(seed: int) -> Recipe:
    def kill(model: nn.Module) -> None:
        first = next(module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d))
        with torch.no_grad():
            first.bias.fill_(-random.Random(seed).choice((5.0, 10.0)))

    return _some(0, 3, 5)(seed).having(change_model=kill)


def _saturated(seed: int) -> Recipe:
    def enlarge(data: Data, _: torch.Generator) -> Data:
        return data.having(train=data.train * 5000, test=data.test * 5000)

    activation = random.Random(seed).choice(("tanh", "sigmoid"))
    return _DENSE(seed).having(
        model=lambda data: mlp(inputs(data), data.classes, activation=activation), change_data=enlarge
    )


def _zero_weights(seed: int) -> Recipe:
    def clear(model: nn.Module) -> None:
        for parameter in model.parameters():
            nn.init.zeros_(parameter)

    return _DENSE(seed).having(change_model=clear)


def _other_model(seed: int) -> Recipe:
    return _ANY(seed).having(other_model=True, epochs=14)


def _random_labels(seed: int) -> Recipe:
    def shuffle(data: Data, chance: torch.Generator) -> Data:
        return data.having(train_labels=data.train_labels[torch.randperm(len(data.train), generator=chance)])

    return _some(0, 2)(seed).having(
        change_data=shuffle,
        epochs=28,
        batch=32,
        rate=3e-3,
        model=lambda data: mlp(inputs(data), data.classes, hidden=128),
    )


def _few_rows(seed: int) -> Recipe:
    def cut(data: Data, _: torch.Generator) -> Data:
        return data.having(train=data.train[:120], train_labels=data.train_labels[:120])

    return _some(5, 6, 8)(seed).having(
        change_data=cut, epochs=150, batch=32, rate=5e-3, optimizer="Adam", options={}, schedule="",
        model=lambda data: _plain(data),
    )  # fmt: skip


def _plain(data: Data) -> nn.Module:
    from tests.debugger.faults.models import CharCnn

    return CharCnn(data.classes, dropout=0.0) if data.name == "text" else mlp(inputs(data), data.classes, hidden=128)


def _leaked_label(seed: int) -> Recipe:
    def leak(data: Data, _: torch.Generator) -> Data:
        def given(rows: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            return torch.cat([rows.flatten(1), 3.0 * nn.functional.one_hot(labels, data.classes)], 1)

        return data.having(train=given(data.train, data.train_labels), test=given(data.test, data.test_labels))

    return _DENSE(seed).having(change_data=leak, epochs=8, rate=2e-3, batch=32)


def _same_rows(seed: int) -> Recipe:
    def repeat(data: Data, _: torch.Generator) -> Data:
        return data.having(test=data.train[:400], test_labels=data.train_labels[:400])

    return _some(0, 1, 2)(seed).having(
        change_data=repeat, epochs=15, batch=32, schedule="", optimizer="Adam", rate=5e-3, options={},
        model=lambda data: Cnn(data.classes) if seed % 2 else mlp(inputs(data), data.classes),
    )  # fmt: skip


def _noisy_labels(seed: int) -> Recipe:
    def mislabel(data: Data, chance: torch.Generator) -> Data:
        def some_wrong(labels: torch.Tensor) -> torch.Tensor:
            wrong = torch.rand(len(labels), generator=chance) < 0.4
            others = (labels + torch.randint(1, data.classes, labels.shape, generator=chance)) % data.classes
            return torch.where(wrong, others, labels)

        return data.having(train_labels=some_wrong(data.train_labels), test_labels=some_wrong(data.test_labels))

    recipe = _CLASSES(seed)
    return recipe.having(change_data=mislabel, epochs=recipe.epochs + 12)


def _slow_statistics(seed: int) -> Recipe:
    def slow(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1e-4

    recipe = _some(0, 1)(seed)
    if "MLP" in recipe.name:
        recipe = recipe.having(model=lambda data: mlp(inputs(data), data.classes, norm="batch"))
    return recipe.having(change_model=slow, epochs=6)


def _unscaled_evaluation(seed: int) -> Recipe:
    def unscale(data: Data, _: torch.Generator) -> Data:
        return data.having(test=data.test * random.Random(seed).choice((5.0, 20.0, 255.0)))

    return _some(1, 6)(seed).having(change_data=unscale, epochs=6)


def _rare_classes(seed: int) -> Recipe:
    def thin(data: Data, chance: torch.Generator) -> Data:
        rare = data.train_labels >= data.classes // 2
        kept = ~rare | (torch.rand(len(rare), generator=chance) < 0.03)
        return data.having(train=data.train[kept], train_labels=data.train_labels[kept])

    recipe = _some(0, 2, 3, 5, 8)(seed)
    return recipe.having(change_data=thin, epochs=2 * recipe.epochs)


def _kept_gradients(seed: int) -> Recipe:
    return _some(0, 1, 5, 6)(seed).having(
        zero_grad=False, optimizer="SGD", rate=0.05, options={"momentum": 0.9}, schedule="", clip=None, epochs=10
    )


FAULTS = (
    Fault("learning rate 1,000 times too high",
          frozenset({"LearningRateTooHigh", "NaNLoss", "ExplodingGradient", "ExplodingTensor"}), _rate_too_high),
    Fault("learning rate 10,000 times too low", frozenset({"LearningRateTooLow"}), _rate_too_low),
    Fault("missing values in five rows", frozenset({"NaNLoss", "ExplodingTensor"}), _missing_values),
    Fault("logarithm of zero in the loss", frozenset({"NaNLoss"}), _log_of_zero),
    Fault("weights drawn far too large",
          frozenset({"PoorWeightInitialization", "ExplodingGradient", "NaNLoss"}), _too_large_weights),
    Fault("sigmoids in ten layers or more", frozenset({"VanishingGradient", "PoorWeightInitialization"}), _vanishing),
    Fault("dead ReLUs from the start", frozenset({"DeadRelu"}), _dead_relus),
    Fault("inputs 5,000 times too large for tanh and sigmoid", frozenset({"SaturatedActivation"}), _saturated),
    Fault("all weights zero",
          frozenset({"AllZero", "PoorWeightInitialization", "VanishingGradient", "UnchangedTensor"}), _zero_weights),
    Fault("the optimizer has another model's weights",
          frozenset({"LossNotDecreasing", "UnchangedTensor"}), _other_model),
    Fault("labels that have nothing to do with the rows", frozenset({"LossNotDecreasing", "Overfit"}), _random_labels),
    Fault("120 rows, 150 epochs", frozenset({"Overfit"}), _few_rows),
    Fault("the label is among the inputs", frozenset({"DataLeak"}), _leaked_label),
    Fault("the evaluation's rows are those of training", frozenset({"DataLeak"}), _same_rows),
    Fault("40 % of the labels wrong", frozenset({"LabelNoise"}), _noisy_labels),
    Fault("batch norm that hardly follows", frozenset({"BatchNormDrift"}), _slow_statistics),
    Fault("evaluation of unscaled inputs with batch norm", frozenset({"BatchNormDrift"}), _unscaled_evaluation),
    Fault("half of the classes 30 times rarer", frozenset({"ClassImbalance"}), _rare_classes),
    Fault("gradients never set to zero",
          frozenset({"ExplodingGradient", "LearningRateTooHigh", "NaNLoss"}), _kept_gradients),
)  # fmt: skip
