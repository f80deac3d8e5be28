"""The hook on a training in PyTorch: it follows the steps, and saves those that the sampler wants."""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import nn

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Findings, read_findings
from kernel_tools.debugger.pytorch import patches
from kernel_tools.debugger.pytorch.activations import ForwardCapture
from kernel_tools.debugger.pytorch.losses import LossMeter
from kernel_tools.debugger.pytorch.models import Watched, describe, watch_models
from kernel_tools.debugger.pytorch.saving import StepSaver
from kernel_tools.debugger.pytorch.taps import Tap
from kernel_tools.debugger.pytorch.timing import BACKWARD, FORWARD, OPTIMIZER, OTHER, StepClock, clock
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.session import Session
from kernel_tools.debugger.trial import Trial


class TrainingStopped(KeyboardInterrupt):
    """A rule's action has stopped the training; the message says which rule and why.

    Raised in the training loop as Ctrl+C would be, so that loops which catch exceptions end too.
    """


class Hook:
    """What watches a training; `kernel_tools.debugger.watch` makes it. A context manager that closes itself.

    A step is one update of the weights: it ends when the last of the optimizers has stepped. A forward pass with the
    model in evaluation mode belongs to an evaluation, which lasts until the next forward pass in training mode.
    """

    def __init__(
        self,
        session: Session,
        models: Mapping[str, nn.Module],
        optimizers: Sequence[torch.optim.Optimizer],
        losses: Sequence[nn.Module],
        collections: Mapping[str, Callable[[str], bool]],
        saved: Sequence[str],
        trace: Any = None,
    ) -> None:
        self._session = session
        self._watched: list[Watched] = watch_models(models)
        self._optimizers = list(optimizers)
        self._is_told_optimizers = bool(self._optimizers)
        self._ours = {id(optimizer) for optimizer in self._optimizers}
        self._clock = StepClock(session.writer, session.first_step)
        self._meter = LossMeter()
        self._saver = StepSaver(session, collections, saved)
        self._trace = trace
        self._step = session.first_step
        self._mode: Mode | None = None
        self._forced_mode: Mode | None = None
        self._is_sampled = False
        self._is_forced = False
        self._forwards: list[tuple[Watched, ForwardCapture | None]] = []
        self._stepped: set[int] = set()
        self._has_backward = False
        self._cost = 0.0
        self._thread = threading.get_ident()
        self._taps: list[Tap] = []
        self._handles: list[Any] = []
        self._failure: str | None = None
        self._is_closed = False
        self._attach(losses)
        describe(session.writer, self._watched, self._optimizers)
        session.on_close(self._detach_all)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Hook:
        return self

    # ---- For the user ----

    @property
    def run(self) -> Any:
        """The run that the capture belongs to; None if it was given a folder."""
        return self._session.run

    @property
    def overhead(self) -> float:
        """The share of the time since the first step that the hook has taken, measured."""
        return self._session.sampler.overhead

    @property
    def is_attached(self) -> bool:
        """Whether it still watches; after an error in it, or `close`, it does not."""
        return not self._is_closed and self._failure is None

    @property
    def trial(self) -> Trial:
        """Everything that was captured so far."""
        self._clock.flush()
        return Trial(self._session.folder, self._session.run)

    @property
    def findings(self) -> Findings:
        """What the rules have found so far."""
        return read_findings(self._session.folder)

    def set_mode(self, mode: Mode | str | None) -> None:
        """Say what the model is used for from now on, such as PREDICT; None to tell by ``model.training`` again."""
        from kernel_tools.debugger.records import to_mode

        self._forced_mode = to_mode(mode)

    def register_loss(self, loss: nn.Module) -> None:
        """Take what a criterion of one's own returns for the loss."""
        self._hang(loss.register_forward_hook, self._on_criterion)

    def save_scalar(self, name: str, value: float, collection: str = "metrics") -> None:
        """Save a single number at the current step."""
        if self.is_attached:
            self._guard(self._saver.save_scalar, name, float(value), collection, self._step, self._mode or Mode.TRAIN)

    def save_tensor(self, name: str, tensor: Any, collection: str = "metrics") -> None:
        """Save the elements of a tensor at the current step."""
        if self.is_attached:
            self._guard(self._saver.save_tensor, name, tensor, collection, self._step, self._mode or Mode.TRAIN)

    def close(self) -> None:
        """Take everything off the model, write what is left, and let the rules look once more."""
        self._session.close()
        self._is_closed = True

    # ---- Attaching ----

    def _attach(self, losses: Sequence[nn.Module]) -> None:
        for watched in self._watched:
            self._hang(watched.model.register_forward_pre_hook, partial(self._before_forward, watched))
            after = partial(watched.model.register_forward_hook, always_call=True)
            self._hang(after, partial(self._after_forward, watched))
        if self._is_told_optimizers:
            for optimizer in self._optimizers:
                self._hang(optimizer.register_step_pre_hook, self._before_update)
                self._hang(optimizer.register_step_post_hook, self._after_update)
        else:
            from torch.optim import optimizer as registry

            self._hang(registry.register_optimizer_step_pre_hook, self._before_update)
            self._hang(registry.register_optimizer_step_post_hook, self._after_update)
        for loss in losses:
            self.register_loss(loss)
        patches.listen(self)

    def _hang(self, register: Callable[[Any], Any], call: Callable[..., Any]) -> None:
        tap = Tap(call, self._fail)
        self._taps.append(tap)
        self._handles.append(register(tap))

    def _detach_all(self) -> None:
        """Take everything off, and write what is known of the step under way."""
        patches.stop_listening(self)
        for _, capture in self._forwards:
            if capture is not None:
                capture.stop()
        self._forwards = []
        for tap in self._taps:
            tap.cut()
        for handle in self._handles:
            handle.remove()
        self._taps, self._handles = [], []
        if self._trace is not None:
            self._trace.close()
            self._session.writer.set_meta("trace_problem", self._trace.problem)
        if self._mode is not None and self._mode is not Mode.TRAIN:
            self._end_evaluation()
        self._clock.flush()
        self._session.writer.set_meta("has_loss", self._meter.was_seen)

    def _fail(self, error: Exception) -> None:
        """An error in the hook ends the hook, never the training; it is said once."""
        if self._failure is not None or self._is_closed:
            return
        self._failure = f"{type(error).__name__}: {error}"
        with contextlib.suppress(Exception):  # the file itself may be what failed; the warning says it
            self._session.writer.set_meta("failure", self._failure)
        warnings.warn(
            f"The Debugger has detached itself at step {self._step} because of an error of its own, and the training "
            f"goes on without it: {self._failure}",
            RuntimeWarning,
            stacklevel=2,
        )
        try:
            self._session.close()
        except Exception as second:
            warnings.warn(f"The Debugger could not close its file: {second}", RuntimeWarning, stacklevel=2)

    def _guard(self, call: Callable[..., Any], *args: Any) -> None:
        if threading.get_ident() != self._thread or self._failure is not None or self._is_closed:
            return
        try:
            call(*args)
        except Exception as error:
            self._fail(error)

    # ---- A step ----

    def _before_forward(self, watched: Watched, *_: Any) -> None:
        mode = self._forced_mode or (Mode.TRAIN if watched.model.training else Mode.EVAL)
        if mode is not self._mode:
            self._change_mode(mode)
        if self._has_backward and not self._optimizers and mode is Mode.TRAIN and not self._stepped:
            self._end_step()  # the user updates the weights without an optimizer
        if not self._clock.is_running:
            self._start_step(mode)
        began = self._clock.enter_forward()
        if self._is_sampled:
            capture = None
            is_first = not any(of is watched for of, _ in self._forwards)
            if is_first and self._saver.wants_layers and not watched.is_compiled:
                capture = ForwardCapture(watched.model, watched.leaves, self._saver.keeper(watched))
                capture.start()
            self._forwards.append((watched, capture))
        self._clock.leave(began)

    def _start_step(self, mode: Mode) -> None:
        self._clock.start()
        self._is_sampled = self._is_forced or self._session.sampler.wants(self._step, mode)
        self._is_forced = False

    def _start_unseen_step(self) -> None:
        """Start a step whose forward pass runs in compiled code, which calls no hooks."""
        if not self._clock.is_running and any(watched.model.training for watched in self._watched):
            if self._mode is not Mode.TRAIN:
                self._change_mode(Mode.TRAIN)
            self._start_step(Mode.TRAIN)

    def _after_forward(self, watched: Watched, _: nn.Module, inputs: Any, output: Any) -> None:
        began = self._clock.enter(FORWARD)
        self._clock.see_batch(inputs)
        if self._forwards:
            self._end_capture(watched, inputs, output)
        self._clock.leave(began)

    def _end_capture(self, watched: Watched, inputs: Any, output: Any) -> None:
        """End the capture of the innermost forward pass of a model."""
        position = next((index for index, (of, _) in reversed(list(enumerate(self._forwards))) if of is watched), None)
        if position is not None:
            capture = self._forwards[position][1]
            if capture is not None:
                capture.stop()
            if not any(of is watched for of, _ in self._forwards[:position]):
                self._saver.save_forward(watched, inputs, output)
            self._forwards[position] = (watched, None)

    def on_loss(self, kind: str, prediction: Any, target: Any, value: torch.Tensor) -> None:
        """Hear of a loss that was worked out."""
        if self._mode is Mode.TRAIN and not self._is_sampled and self._meter.kind:
            return  # what counts is what `backward` is called on
        if self._mode is not None:
            self._guard(self._take_loss, kind, prediction, target, value)

    def _on_criterion(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and self._mode is not None:
            pair = (*inputs, None, None)[:2] if isinstance(inputs, tuple) else (None, None)
            self._meter.is_told = True
            self._take_loss(type(module).__name__, pair[0], pair[1], output, is_told=True)

    def _take_loss(self, kind: str, prediction: Any, target: Any, value: torch.Tensor, is_told: bool = False) -> None:
        began = clock()
        is_evaluating = self._mode is not Mode.TRAIN
        self._meter.take(kind, prediction, target, value, is_evaluating, self._is_sampled or is_evaluating, is_told)
        self._clock.leave(began)

    def on_scaled(self, value: torch.Tensor) -> None:
        """Hear of a loss that is about to be scaled for mixed precision."""
        self._guard(self._meter.take_unscaled, value)

    def before_backward(self, tensor: torch.Tensor) -> None:
        """Hear of a backward pass that begins."""
        if not self._clock.is_running or threading.get_ident() != self._thread:
            return
        began = self._clock.enter(OTHER)
        try:
            if self._mode is Mode.TRAIN:
                self._meter.take_backward(tensor)
        except Exception as error:
            self._fail(error)
        self._clock.leave(began)

    def after_backward(self, tensor: torch.Tensor) -> None:
        """Hear of a backward pass that has ended."""
        if not self._clock.is_running or threading.get_ident() != self._thread:
            return
        began = self._clock.enter(BACKWARD)
        self._has_backward = True
        if self._is_sampled and not self._optimizers and self._mode is Mode.TRAIN:
            self._guard(self._saver.save_gradients, self._watched)
        self._clock.leave(began)

    def on_batch(self, seconds: float) -> None:
        """Hear how long the user's loop has waited for a batch."""
        if threading.get_ident() == self._thread:
            self._clock.waited(seconds)

    def _before_update(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if id(optimizer) not in self._ours and not self._is_ours(optimizer):
            return
        if not self._clock.is_running:
            self._start_unseen_step()
        if not self._clock.is_running:
            return
        began = self._clock.enter(OTHER)
        if self._is_sampled:
            self._saver.save_before_update(self._watched, optimizer)
        self._clock.leave(began)

    def _after_update(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if not self._clock.is_running or id(optimizer) not in self._ours:
            return
        began = self._clock.enter(OPTIMIZER)
        if self._is_sampled:
            self._saver.save_after_update(self._watched, optimizer)
        self._stepped.add(id(optimizer))
        self._clock.leave(began)
        if optimizer is self._optimizers[-1]:
            self._end_step()

    def _is_ours(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether an optimizer updates a watched model; those that were not told are found as they step."""
        if self._is_told_optimizers:
            return False
        ours = {id(parameter) for watched in self._watched for parameter in watched.parameters}
        if any(id(parameter) in ours for group in optimizer.param_groups for parameter in group["params"]):
            self._optimizers.append(optimizer)
            self._ours.add(id(optimizer))
            describe(self._session.writer, self._watched, self._optimizers)
            return True
        return False

    def _end_step(self) -> None:
        began = clock()
        rate = float(self._optimizers[0].param_groups[0]["lr"]) if self._optimizers else math.nan
        loss = self._meter.end()
        if self._is_sampled:
            self._saver.save_untouched(self._watched, self._optimizers)
            self._saver.save_confusion(self._meter)
            self._saver.finish(self._step, Mode.TRAIN)
        self._is_forced = not math.isfinite(loss) and self._meter.was_seen  # the next step is looked at closely
        if self._meter.is_new:
            self._session.writer.set_meta("has_loss", True)
            self._session.writer.set_meta("loss_kind", self._meter.kind)
            self._meter.is_new = False
        self._clock.leave(began)
        sampler = self._session.sampler
        if self._is_sampled:
            sampler.took(Mode.TRAIN, self._step, self._clock.cost)
            self._is_sampled, self._forwards = False, []
        sampler.spent += self._clock.cost
        has_written = self._clock.end(self._step, Mode.TRAIN, loss, rate)
        if self._trace is not None:
            self._trace.on_step(self._step)
        self._step += 1
        self._has_backward = False
        self._stepped.clear()
        if has_written and self._session.stop_reason is not None:
            self._stop(self._session.stop_reason)

    def _stop(self, reason: str) -> None:
        self.close()
        raise TrainingStopped(reason)

    # ---- Evaluations ----

    def _change_mode(self, mode: Mode) -> None:
        if self._mode is not None and self._mode is not Mode.TRAIN:
            self._end_evaluation()
        elif self._mode is Mode.TRAIN and self._clock.is_running:
            self._abandon_step()
        self._mode = mode

    def _abandon_step(self) -> None:
        """Forget a step that was not ended, such as a forward pass in training mode without an update."""
        self._saver.forget()
        self._meter.end()
        self._clock.abandon()
        self._forwards, self._is_sampled, self._has_backward = [], False, False
        self._stepped.clear()

    def _end_evaluation(self) -> None:
        """Write one record for all batches of an evaluation, at the step that the training has come to."""
        mode, step = self._mode or Mode.EVAL, max(self._step - 1, 0)
        loss = self._meter.end_evaluation()
        began = clock()
        self._saver.save_confusion(self._meter)
        self._saver.finish(step, mode, is_empty_kept=True)
        self._clock.leave(began)
        if self._is_sampled:
            self._session.sampler.took(mode, step, self._clock.cost)
        self._session.sampler.spent += self._clock.cost
        if self._clock.is_running:
            self._clock.end(step, mode, loss, math.nan)
        self._forwards, self._is_sampled = [], False


def watched_models(model: nn.Module | Mapping[str, nn.Module] | Iterable[nn.Module]) -> dict[str, nn.Module]:
    """Return models by the prefix of their tensors' names; InvalidArgumentError if one is none."""
    if isinstance(model, nn.Module):
        return {"": model}
    found = dict(model) if isinstance(model, Mapping) else {f"model{index}": each for index, each in enumerate(model)}
    for name, each in found.items():
        if not isinstance(each, nn.Module):
            raise InvalidArgumentError(f"{name}: {type(each).__name__} is no torch.nn.Module.")
    if not found:
        raise InvalidArgumentError("There is no model to watch.")
    return found
