"""Advice that changes the optimizer: a learning rate, or a limit of the gradient, as code that can be pasted."""

from __future__ import annotations

import math
from typing import Any

from kernel_tools.debugger.finding import Advice
from kernel_tools.debugger.trial import Trial

_KEPT = ("weight_decay", "momentum", "betas")


def rounded(value: float) -> float:
    """Return a number as 1, 2 or 5 times a power of ten, the nearest below."""
    if not value > 0 or not math.isfinite(value):
        return value
    above = value * (1 + 1e-6)  # a float32 that should be a power of ten may be just below it
    power = 10.0 ** math.floor(math.log10(above))
    digit = max(digit for digit in (1, 2, 5) if digit == 1 or digit <= above / power)
    return float(f"{digit * power:.1g}")


def learning_rate(trial: Trial, known: float = math.nan) -> float:
    """Return the learning rate that was last seen, else the optimizer's own; NaN if neither is known."""
    if math.isfinite(known):
        return known
    return float((trial.meta("optimizer") or {}).get("lr") or math.nan)


def change_rate(trial: Trial, rate: float, factor: float, reason: str) -> Advice:
    """Advise to multiply a learning rate; `rate` may be NaN."""
    if not math.isfinite(rate) or rate <= 0:
        patch = f'for group in optimizer.param_groups:\n    group["lr"] *= {factor:.1g}'
        return Advice(
            f"{'Lower' if factor < 1 else 'Raise'} the learning rate by a factor of about "
            f"{max(factor, 1 / factor):.0f}",
            reason,
            patch,
        )
    new = rounded(rate * factor)
    return Advice(
        f"{'Lower' if new < rate else 'Raise'} the learning rate from {rate:.3g} to {new:.3g}",
        reason,
        optimizer_patch(trial, new),
    )


def optimizer_patch(trial: Trial, rate: float) -> str:
    """Return code that makes the optimizer again, with another learning rate and what else is known of it."""
    known: dict[str, Any] = trial.meta("optimizer") or {}
    if not known.get("class"):
        return f'for group in optimizer.param_groups:\n    group["lr"] = {rate:.3g}'
    others = "".join(
        f", {name}={tuple(known[name]) if isinstance(known[name], list) else known[name]!r}"
        for name in _KEPT
        if known.get(name)
    )
    return f"optimizer = torch.optim.{known['class']}(model.parameters(), lr={rate:.3g}{others})"


def clip_gradient(value: float, reason: str) -> Advice:
    """Advise to limit the norm of the gradient."""
    shown = f"{value:.3g}" if value != int(value) else f"{value:.1f}"
    patch = f"loss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), {shown})\noptimizer.step()"
    return Advice(f"Limit the norm of the gradient to {shown}", reason, patch)


def warm_up(rate: float, steps: int, reason: str) -> Advice:
    """Advise to raise the learning rate slowly at the start."""
    patch = (
        "scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.01, "
        f"total_iters={steps})\n# after every optimizer.step():\nscheduler.step()"
    )
    return Advice(f"Raise the learning rate slowly over the first {steps} steps", reason, patch)
