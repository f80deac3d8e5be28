"""A capture that is written by hand: a small CNN that trains 400 steps and goes wrong in ways that rules find.

The tests of figures, of the server and of the panel show it; no framework is needed to make it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import (
    Advice,
    Finding,
    Findings,
    RuleState,
    RuleStatus,
    Severity,
    TakenAction,
    write_findings,
)
from kernel_tools.debugger.records import COLUMN, COLUMNS, TICK, Mode
from kernel_tools.debugger.store import StoreWriter, store_path

STEPS = 400
CLASSES = 10
BATCH = 64
LAYERS = {
    "conv1": ("Conv2d", (16, 1, 3, 3)),
    "conv2": ("Conv2d", (32, 16, 3, 3)),
    "fc1": ("Linear", (64, 800)),
    "fc2": ("Linear", (CLASSES, 64)),
}
ACTIVATIONS = {"conv1.relu": (BATCH, 16, 26, 26), "conv2.relu": (BATCH, 32, 24, 24), "fc1.relu": (BATCH, 64)}
_BEGAN = 1_790_000_000_000
_LEVELS = (-2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326)
"""The normal quantiles of the columns q01 to q99."""


def write_capture(folder: Path, *, seed: int = 0, is_closed: bool = True) -> None:
    """Write what a hook would have captured into the Debugger's folder of a run."""
    rng = np.random.default_rng(seed)
    writer = StoreWriter(store_path(folder, 0), framework="pytorch", max_disk=1 << 28)
    _write_meta(writer)
    tensors = _define(writer)
    layout = writer.layout(np.array([identity for identity, _, _ in tensors.values()], "<i4"))
    rate = writer.define("learning_rate", ["metrics"], kind="scalar")
    confusion = writer.define("confusion", ["predictions"], (CLASSES, CLASSES))
    counts = writer.define("labels/count", ["labels"], (CLASSES,))
    loss = _losses(rng)
    for step in [*range(10), *range(10, STEPS, 10)]:
        at = _BEGAN + 40 * step
        block = np.stack([_statistics(name, size, step, rng) for name, (_, size, _) in tensors.items()])
        writer.write_step(step, Mode.TRAIN, at, layout, block.astype("<f4"))
        writer.write_scalars(step, Mode.TRAIN, at, [(rate, 0.05)])
        writer.write_array(counts, step, Mode.TRAIN, at, rng.multinomial(BATCH, [1 / CLASSES] * CLASSES))
        if step % 50 == 0:
            writer.write_array(confusion, step, Mode.EVAL, at, _confusion(step, rng))
    ticks = np.full((STEPS, len(TICK)), np.nan)
    steps = np.arange(STEPS)
    seconds = {"data": 0.006, "forward": 0.011, "backward": 0.017, "optimizer": 0.003, "other": 0.001}
    columns = {"step": steps, "mode": int(Mode.TRAIN), "at": _BEGAN + 40 * steps, "capture": 0.0003, "loss": loss}
    for name, values in (columns | {"learning_rate": 0.05, "batch_size": BATCH}).items():
        ticks[:, TICK.index(name)] = values
    for name, usual in seconds.items():
        ticks[:, TICK.index(name)] = usual * rng.lognormal(0, 0.15, STEPS)
    writer.write_ticks(ticks)
    evaluations = np.full((STEPS // 50, len(TICK)), 0.0)
    evaluations[:, TICK.index("step")] = steps[::50]
    evaluations[:, TICK.index("mode")] = int(Mode.EVAL)
    evaluations[:, TICK.index("at")] = _BEGAN + 40 * steps[::50]
    evaluations[:, TICK.index("loss")] = loss[::50] * 1.05 + 0.08
    writer.write_ticks(evaluations)
    if is_closed:
        writer.set_meta("closed", _BEGAN + 40 * STEPS)
    writer.close()


def write_recorded_run(folder: Path, *, seed: int = 0, is_closed: bool = True) -> None:
    """Write a capture, and beside it what rules have found in it."""
    write_capture(folder, seed=seed, is_closed=is_closed)
    write_findings(folder, recorded_findings(is_over=is_closed))


def recorded_findings(*, is_over: bool = True) -> Findings:
    """Return what rules say of the capture, with advice and evidence."""
    watching = {
        "ExplodingTensor": "NaN or infinity in any tensor.",
        "LossNotDecreasing": "The loss does not fall over a number of steps.",
        "VanishingGradient": "Gradients whose mean absolute value is too small to learn from.",
        "Overfit": "A validation loss that is well above that of the training.",
    }
    rules = [
        RuleStatus(
            "DeadRelu",
            RuleState.FIRING,
            summary="Units of a ReLU that are at rest for the whole batch.",
            parameters={"threshold_inactivity": 1.0, "threshold_layer": 50.0},
            findings=1,
        ),  # fmt: skip
        RuleStatus(
            "WeightUpdateRatio",
            RuleState.FIRED,
            summary="Updates that are too large or too small for their weights.",
            parameters={"large_threshold": 10.0, "small_threshold": 1e-8},
            findings=1,
        ),  # fmt: skip
        RuleStatus(
            "Confusion",
            RuleState.FIRING,
            summary="Classes that are taken for each other.",
            parameters={"min_diag": 0.9, "max_off_diag": 0.1},
            findings=1,
        ),  # fmt: skip
        *(RuleStatus(name, RuleState.WATCHING, summary=summary) for name, summary in watching.items()),
        RuleStatus(
            "SaturatedActivation",
            RuleState.NOT_APPLICABLE,
            "The model has no tanh and no sigmoid.",
            "Units of tanh and sigmoid at their ends.",
        ),  # fmt: skip
        RuleStatus(
            "NLPSequenceRatio",
            RuleState.NOT_APPLICABLE,
            "The inputs are no token numbers.",
            "A token's share of the inputs, such as that of padding.",
        ),  # fmt: skip
        RuleStatus(
            "OwnRule", RuleState.FAILED, "It failed and is left out from now on: KeyError: 'fc9'", "My own rule."
        ),  # fmt: skip
        RuleStatus(
            "Dataloader", RuleState.WATCHING, summary="Too few or too many workers that load data.", kind="profiler"
        ),  # fmt: skip
    ]
    sent = TakenAction("Notify", "DeadRelu:conv2.relu.output_0", "Shown on the desktop.", True, _BEGAN + 4900)
    return Findings(tuple(rules), _findings(), step=STEPS - 1, at=_BEGAN + 40 * STEPS, is_over=is_over, actions=(sent,))


def _findings() -> tuple[Finding, ...]:
    lower_rate = Advice(
        "Lower the learning rate to 0.005",
        "The updates of fc1 were a tenth of its weights; ten times less is usual.",
        "for group in optimizer.param_groups:\n    group['lr'] = 0.005",
    )
    leaky = Advice(
        "Use a LeakyReLU after conv2",
        "It has a gradient on both sides, so that units at rest come back.",
        "import torch\n\nmodel.relu2 = torch.nn.LeakyReLU(0.01)",
    )
    return (
        Finding(
            rule="WeightUpdateRatio",
            severity=Severity.ERROR,
            step=4,
            last_step=40,
            count=8,
            at=_BEGAN + 160,
            tensor="fc1.weight",
            value=12.3,
            threshold=10.0,
            message="The update of fc1.weight at step 4 is 12.3 times as large as the weight; 10 is the limit.",
            advice=(lower_rate, Advice("Warm the learning rate up", "The first steps of Adam are its largest.")),
            evidence={"figure": "update_ratios"},
        ),
        Finding(
            rule="DeadRelu",
            severity=Severity.WARNING,
            step=120,
            last_step=STEPS - 10,
            count=28,
            at=_BEGAN + 4800,
            tensor="conv2.relu.output_0",
            value=62.5,
            threshold=50.0,
            message="In conv2.relu, 20 of 32 units (62.5 %) were at rest in the whole batch at step 120.",
            advice=(leaky, lower_rate),
            evidence={"figure": "series", "tensors": ["conv2.relu.output_0"], "reduction": "dead", "threshold": 0.5},
        ),
        Finding(
            rule="Confusion",
            severity=Severity.HINT,
            step=350,
            last_step=350,
            mode="EVAL",
            at=_BEGAN + 14000,
            message="Class 8 was taken for class 3 in 21 % of its samples.",
            value=0.21,
            threshold=0.1,
            advice=(Advice("Look at samples of the classes 3 and 8", "They may be labelled wrongly."),),
            evidence={"figure": "confusion", "step": 350, "mode": "EVAL"},
        ),
    )


def _write_meta(writer: StoreWriter) -> None:
    layers = [{"name": name, "kind": kind, "parameters": int(np.prod(shape))} for name, (kind, shape) in LAYERS.items()]
    for key, value in {
        "model": "SmallCNN",
        "layers": layers,
        "optimizer": {"class": "Adam", "lr": 0.05, "weight_decay": 0.0},
        "has_loss": True,
        "loss_kind": "cross_entropy",
        "classes": CLASSES,
        "overhead": 0.0071,
        "batch_size": BATCH,
        "compiled": False,
    }.items():
        writer.set_meta(key, value)


def _define(writer: StoreWriter) -> dict[str, tuple[int, int, str]]:
    """Define all tensors; return, by name, the id, the number of elements and the kind."""
    found: dict[str, tuple[int, int, str]] = {}

    def define(name: str, collection: str, shape: tuple[int, ...], kind: str, layer: str) -> None:
        found[name] = (writer.define(name, [collection], shape, kind, layer), int(np.prod(shape)), kind)

    for name, (kind, shape) in LAYERS.items():
        define(f"{name}.weight", "weights", shape, kind, name)
        define(f"{name}.bias", "biases", shape[:1], kind, name)
    for name, (kind, shape) in LAYERS.items():
        for prefix, collection in (("gradient", "gradients"), ("update", "updates")):
            define(f"{prefix}/{name}.weight", collection, shape, kind, name)
            define(f"{prefix}/{name}.bias", collection, shape[:1], kind, name)
    for name, shape in ACTIVATIONS.items():
        define(f"{name}.output_0", "layers", shape, "ReLU", name)
    define("input_0", "inputs", (BATCH, 1, 28, 28), "", "")
    define("output_0", "outputs", (BATCH, CLASSES), "", "")
    return found


def _statistics(name: str, count: int, step: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return a row of plausible statistics of a tensor."""
    progress = step / STEPS
    depth = next((place for place, layer in enumerate(LAYERS) if layer in name), 2)
    if name.startswith("gradient/"):
        std, mean = 1e-2 * 0.4 ** (3 - depth) * (1 - 0.8 * progress), 0.0
    elif name.startswith("update/"):
        std, mean = (0.4 if step <= 40 and "fc1" in name else 4e-4) * (1 - 0.6 * progress), 0.0
    else:
        std, mean = 0.08 * (1 + progress), 0.01 * progress
    std *= float(rng.lognormal(0, 0.1))
    mean += 0.02 * std * float(rng.normal())
    row = np.full(len(COLUMNS), np.nan)
    values = {
        "nan": 0.0,
        "inf": 0.0,
        "zeros": 0.4 if ".relu" in name else 0.0,
        "min": 0.0 if ".relu" in name else mean - 3.4 * std,
        "max": mean + 3.6 * std,
        "mean": mean,
        "std": std,
        "l1": 0.8 * std * count,
        "l2": (std**2 + mean**2) ** 0.5 * count**0.5,
    }
    if ".relu" in name:
        values["dead"] = min(0.65, 0.02 + (0.62 if "conv2" in name else 0.1) * min(1.0, step / 130))
    for column, value in values.items():
        row[COLUMN[column]] = value
    quantiles = mean + std * np.array(_LEVELS)
    row[COLUMN["q01"] :] = np.maximum(quantiles, 0) if ".relu" in name else quantiles
    return row


def _losses(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    steps = np.arange(STEPS)
    losses = 0.35 + 2.0 * np.exp(-steps / 60) + 0.6 * np.exp(-(((steps - 120) / 12) ** 2))
    return losses * rng.lognormal(0, 0.05, STEPS)


def _confusion(step: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    right = 0.2 + 0.72 * min(1.0, step / 250)
    shares = np.full((CLASSES, CLASSES), (1 - right) / (CLASSES - 1))
    np.fill_diagonal(shares, right)
    shares[8, 3] += 0.2
    shares /= shares.sum(axis=1, keepdims=True)
    return np.stack([rng.multinomial(100, row) for row in shares])
