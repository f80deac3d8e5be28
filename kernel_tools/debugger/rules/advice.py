"""What can be done about what the rules find: each with its reason and code to paste for the training at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kernel_tools.debugger.finding import Advice
from kernel_tools.debugger.rules.knowledge import SQUASHING, Knowledge
from kernel_tools.debugger.rules.optimizer_advice import change_rate, clip_gradient, learning_rate
from kernel_tools.debugger.trial import Trial

_MOST_LINES = 8


def change_learning_rate(trial: Trial, step: int, factor: float, reason: str) -> Advice:
    """Multiply the learning rate that a step had."""
    rates = Knowledge.of(trial).rates(step)
    return change_rate(trial, learning_rate(trial, float(rates[-1]) if len(rates) else math.nan), factor, reason)


def clip_gradients() -> Advice:
    """Limit the norm of the gradient."""
    return clip_gradient(
        1.0, "One batch with a huge gradient can throw the weights far away; this keeps its direction and bounds it."
    )


def initialise(trial: Trial, reason: str) -> Advice:
    """Initialise weights for the activations that the model has."""
    is_squashed = bool(Knowledge.of(trial).kinds() & SQUASHING)
    function = "xavier_normal_(module.weight)" if is_squashed else 'kaiming_normal_(module.weight, nonlinearity="relu")'
    return Advice(
        f"Initialise the weights with {function.partition('(')[0]}",
        reason,
        "for module in model.modules():\n"
        "    if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)):\n"
        f"        torch.nn.init.{function}\n"
        "        if module.bias is not None:\n"
        "            torch.nn.init.zeros_(module.bias)",
    )


def normalise_between(trial: Trial) -> Advice:
    """Normalise between layers."""
    is_convolution = any(kind.startswith("Conv") for kind in Knowledge.of(trial).kinds())
    layer = "torch.nn.BatchNorm2d(channels)" if is_convolution else "torch.nn.LayerNorm(features)"
    return Advice(
        f"Put {layer.partition('(')[0].rpartition('.')[2]} between the layers",
        "It brings what each layer gets back to unit variance, whatever the layers before it do.",
        f"# after each {'convolution' if is_convolution else 'linear layer'}, before its activation:\n{layer}",
    )


def replace_activations(trial: Trial, kinds: frozenset[str], by: str, reason: str) -> Advice:
    """Put another activation in the place of those of some kinds."""
    modules = [
        layer.layer
        for layer in Knowledge.of(trial).layers()
        if layer.kind in kinds and layer.layer and f"{layer.layer}.output_0" == layer.name
    ]
    lines = [f'model.set_submodule("{name}", torch.nn.{by})' for name in dict.fromkeys(modules)][:_MOST_LINES]
    old = " and ".join(sorted(kinds & Knowledge.of(trial).kinds())) or "the activations"
    patch = "\n".join(lines) or f"# in forward(), instead of {old}:\ntorch.nn.functional.{_function(by)}"
    return Advice(f"Use {by.partition('(')[0]} instead of {old}", reason, patch)


def stop_early(step: int, seconds: float | None = None) -> Advice:
    """Stop training once the validation loss no longer improves, and keep the best weights."""
    return Advice(
        "Stop early and keep the best weights",
        f"The best validation loss was at step {step}; what came after it has not made the model better.",
        "best, waited = float('inf'), 0\n"
        "for epoch in range(epochs):\n"
        "    train_one_epoch()\n"
        "    loss = validate()\n"
        "    if loss < best:\n"
        "        best, waited = loss, 0\n"
        "        torch.save(model.state_dict(), 'best.pt')\n"
        "    else:\n"
        "        waited += 1\n"
        "        if waited >= 5:\n"
        "            break\n"
        "model.load_state_dict(torch.load('best.pt', weights_only=True))",
        seconds,
    )


def regularise(trial: Trial) -> list[Advice]:
    """Keep the model from learning the training data by heart."""
    optimizer = trial.meta("optimizer") or {}
    decay = optimizer.get("weight_decay") or 0.0
    rate = optimizer.get("lr")
    more = max(1e-2, 10 * decay)
    name = "AdamW" if str(optimizer.get("class", "Adam")).startswith("Adam") else optimizer["class"]
    lr = f", lr={rate:g}" if isinstance(rate, int | float) else ""
    found = [
        Advice(
            f"Raise weight_decay from {decay:g} to {more:g}",
            "Smaller weights make a smoother function, which follows single examples less.",
            f"optimizer = torch.optim.{name}(model.parameters(){lr}, weight_decay={more:g})",
        )
    ]
    if not any(kind.startswith("Dropout") for kind in Knowledge.of(trial).kinds()):
        found.insert(
            0,
            Advice(
                "Add dropout before the last layers",
                "The model has none; it keeps units from relying on single others.",
                "torch.nn.Dropout(p=0.3)  # after the activations of the wide layers",
            ),
        )
    return found


def weigh_classes(counts: Sequence[int]) -> Advice:
    """Let rare classes count more in the loss."""
    known = [max(int(count), 1) for count in counts]
    total = sum(known)
    weights = ", ".join(f"{total / (len(known) * count):.2g}" for count in known[:64])
    ending = "" if len(known) <= 64 else ", ..."
    return Advice(
        "Weigh the classes in the loss",
        "Each class then counts for the same in the gradient, however rare it is.",
        f"weight = torch.tensor([{weights}{ending}])\nloss_function = torch.nn.CrossEntropyLoss(weight=weight)",
    )


def _function(by: str) -> str:
    name = by.partition("(")[0]
    return {"LeakyReLU": "leaky_relu(x, 0.01)", "ReLU": "relu(x)", "GELU": "gelu(x)"}.get(name, f"{name.lower()}(x)")
