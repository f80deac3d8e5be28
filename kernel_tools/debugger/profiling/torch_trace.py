"""The recording of a range of steps by `torch.profiler`, as a Chrome trace."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    import torch

FILE = "trace.json.gz"
STEP_PREFIX = "step "
MODULE_PREFIX = "module "
"""What the marks of steps and of modules in a trace begin with."""
MOST_STEPS = 1000


def check_range(steps: tuple[int, int]) -> None:
    """Raise InvalidArgumentError unless it is the first and the last of at most `MOST_STEPS` steps."""
    if len(steps) != 2 or not 0 <= steps[0] <= steps[1] or steps[1] - steps[0] >= MOST_STEPS:
        raise InvalidArgumentError(
            f"profile={steps!r}: give the first and the last step, from 0, of at most {MOST_STEPS:,} steps."
        )


class TorchTrace:
    """Records all steps from `first` to `last`, both included, once. Nothing of it can hurt the training: what fails is
    in `problem`, and the recording is over.

    Parameters
    ----------
    first, last
        Steps. Recording costs time at each of them; a handful says as much as a thousand.
    folder
        Where `trace.json.gz` goes.
    models
        Modules whose submodules are marked in the trace, so that it says where the forward pass spends its time. A
        compiled module is not looked into.

    Raises
    ------
    InvalidArgumentError
        If there is no such range, or it has more than 1,000 steps.
    """

    def __init__(self, first: int, last: int, folder: Path, models: Iterable[torch.nn.Module] = ()) -> None:
        check_range((first, last))
        self.path = folder / FILE
        self.problem = ""
        self._first = first
        self._last = last
        self._models = list(models)
        self._profiler: Any = None
        self._step_mark: Any = None
        self._marks: list[Any] = []
        self._handles: list[Any] = []
        self._is_over = False
        if first == 0:
            self._guard(self._start, 0)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be recorded."""
        return self._is_over

    def on_step(self, step: int) -> None:
        """Say that a step has ended."""
        if self._is_over:
            return
        if self._profiler is None:
            if step + 1 > self._last:
                self._is_over = True
            elif step + 1 >= self._first:
                self._guard(self._start, step + 1)
        elif step >= self._last:
            self._guard(self._stop)
        else:
            self._guard(self._mark_step, step + 1)

    def close(self) -> None:
        """End the recording, if it still goes on, and write what there is."""
        if not self._is_over and self._profiler is not None:
            self._guard(self._stop)
        self._is_over = True

    def _guard(self, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except Exception as error:
            self.problem = f"torch.profiler has failed: {type(error).__name__}: {error}"
            self._is_over = True
            self._unhook()

    def _start(self, step: int) -> None:
        import torch

        profiler = torch.profiler.profile(acc_events=True)
        profiler.start()
        self._profiler = profiler
        for model in self._models:
            if not isinstance(model, torch._dynamo.eval_frame.OptimizedModule):
                self._hook(model)
        self._mark_step(step)

    def _stop(self) -> None:
        self._end_mark()
        self._unhook()
        self._is_over = True
        self._profiler.stop()
        temporary = self.path.with_name(f"{os.getpid()}-{FILE}")
        self._profiler.export_chrome_trace(str(temporary))
        os.replace(temporary, self.path)
        self._profiler = None

    def _mark_step(self, step: int) -> None:
        import torch

        self._end_mark()
        self._step_mark = torch.profiler.record_function(f"{STEP_PREFIX}{step}")
        self._step_mark.__enter__()

    def _end_mark(self) -> None:
        mark, self._step_mark = self._step_mark, None
        if mark is not None:
            mark.__exit__(None, None, None)

    def _hook(self, model: torch.nn.Module) -> None:
        import torch

        for name, module in model.named_modules():
            label = f"{MODULE_PREFIX}{name or type(module).__name__} ({type(module).__name__})"

            def enter(*_: Any, label: str = label) -> None:
                mark = torch.profiler.record_function(label)
                mark.__enter__()  # type: ignore[no-untyped-call]  # torch has no types for it
                self._marks.append(mark)

            def leave(*_: Any) -> None:
                if self._marks:
                    self._marks.pop().__exit__(None, None, None)

            self._handles.append(module.register_forward_pre_hook(enter))
            self._handles.append(module.register_forward_hook(leave, always_call=True))

    def _unhook(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
