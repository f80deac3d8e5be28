"""What can be done about what the rules find: each with its reason and code to paste for the training at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel_tools.debugger.finding import Advice
from kernel_tools.debugger.rules.knowledge import SQUASHING, Knowledge
from kernel_tools.debugger.trial import Trial

_MOST_LINES = 8


def optimizer_of(trial: Trial) -> dict[str, Any]:
    """Return what is known of the (first) optimizer: its class, lr, weight_decay, ..."""
    found = trial.meta("optimizer")
    if isinstance(found, list):
        found = found[0] if found else None
    return found if isinstance(found, dict) else {}


def learning_rate_of(trial: Trial, step: int) -> float | None:
    """Return the learning rate at a step; None if nothing tells it."""
    rates = Knowledge.of(trial).rates(step)
    if len(rates) and rates[-1] > 0:
        return float(rates[-1])
    rate = optimizer_of(trial).get("lr")
    return float(rate) if isinstance(rate, int | float) else None


def change_learning_rate(trial: Trial, step: int, factor: float, reason: str) -> Advice:
    """Multiply the learning rate, now and where the optimizer is made."""
    rate = learning_rate_of(trial, step)
    verb = "Lower" if factor < 1 else "Raise"
    goal = f" to {_short(rate * factor)}" if rate else f" by a factor of {_short(max(factor, 1 / factor))}"
    value = _short(rate * factor) if rate else f'group["lr"] * {factor:g}'
    patch = f'for group in optimizer.param_groups:\n    group["lr"] = {value}'
    return Advice(f"{verb} the learning rate{goal}", reason, patch)


def clip_gradients(limit: float = 1.0) -> Advice:
    """Clip gradients by their norm."""
    return Advice(
        f"Clip gradients to a norm of {limit:g}",
        "One batch with a huge gradient can throw the weights far away; clipping keeps its direction and bounds it.",
        f"loss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), max_norm={limit:g})\noptimizer.step()",
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
    optimizer = optimizer_of(trial)
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
    weights = ", ".join(_short(total / (len(known) * count)) for count in known[:64])
    ending = "" if len(known) <= 64 else ", ..."
    return Advice(
        "Weigh the classes in the loss",
        "Each class then counts for the same in the gradient, however rare it is.",
        f"weight = torch.tensor([{weights}{ending}])\nloss_function = torch.nn.CrossEntropyLoss(weight=weight)",
    )


def _function(by: str) -> str:
    name = by.partition("(")[0]
    return {"LeakyReLU": "leaky_relu(x, 0.01)", "ReLU": "relu(x)", "GELU": "gelu(x)"}.get(name, f"{name.lower()}(x)")


def _short(value: float) -> str:
    return f"{value:.2g}"
