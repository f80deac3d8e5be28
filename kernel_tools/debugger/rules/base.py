"""What a rule is. Own rules derive from `Rule` too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.records import Mode, check_regex
from kernel_tools.debugger.trial import Trial

Found = bool | Finding | Iterable[Finding] | None


class Rule:
    """A rule looks at every sampled step of a trial, in their order, and says what is wrong.

    A subclass says what it looks for in the first line of its docstring, sets `severity` and `modes`, keeps what it
    needs from step to step in itself, and may only look at what was captured up to the step that it is invoked at. Its
    parameters are the keyword arguments of its ``__init__``, kept under the same names.

    Parameters
    ----------
    collection_names
        Look at the tensors of these collections instead of the rule's own.
    tensor_regex
        Look at the tensors whose names match one of these instead; with `collection_names`, at those of both.
    """

    severity: ClassVar[Severity] = Severity.WARNING
    modes: ClassVar[tuple[Mode, ...]] = (Mode.TRAIN,)
    kind: ClassVar[str] = "training"
    """training, or profiler for the rules that look at time and hardware."""
    collections: ClassVar[tuple[str, ...]] = ()
    """What it looks at unless told otherwise."""

    def __init__(
        self, *, collection_names: Sequence[str] | None = None, tensor_regex: Sequence[str] | str | None = None
    ) -> None:
        regexes = [tensor_regex] if isinstance(tensor_regex, str) else list(tensor_regex or ())
        for regex in regexes:
            check_regex(regex, f"{type(self).__name__}(tensor_regex=...)")
        self.collection_names = list(collection_names) if collection_names is not None else None
        self.tensor_regex = regexes or None
        self._kept: dict[tuple[tuple[int, ...], int, str | None], list[int]] = {}
        self._element_counts: dict[tuple[int, int], np.ndarray[Any, Any]] = {}
        self.conclusion = ""
        """What it says of a training that it has found nothing in; shown with its name."""
        self.mode = Mode.TRAIN
        """The mode of the step that the rule is invoked at."""

    @property
    def name(self) -> str:
        """The rule's name."""
        return type(self).__name__

    @property
    def summary(self) -> str:
        """What it looks for, in a sentence."""
        return (inspect.getdoc(type(self)) or self.name).partition("\n\n")[0].replace("\n", " ")

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of its parameters."""
        names = [
            name
            for kind in reversed(type(self).__mro__)
            if "__init__" in vars(kind) and kind is not object
            for name in inspect.signature(kind.__init__).parameters  # type: ignore[misc]  # of a class we hold
        ]
        kept = {name: getattr(self, name, None) for name in dict.fromkeys(names) if name not in ("self", "kwargs")}
        return {name: value for name, value in kept.items() if value is not None}

    def why_not(self, trial: Trial) -> str | None:
        """Return why the rule has nothing to look at, as a sentence; None if it has."""
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at a sampled step in the mode `self.mode`; return what is wrong, True for a finding without details."""
        raise NotImplementedError(f"{self.name} must define invoke_at_step(step, trial).")

    def finish(self, trial: Trial) -> Found:
        """Look once more when nothing will be captured any more."""
        return None

    def tick(self, trial: Trial, now: int) -> Found:
        """Look at the clock, a few times a second while the trial grows: `now` is milliseconds since 1970 UTC."""
        return None

    # ---- For subclasses ----

    def look(self, step: int, trial: Trial, collection: str | None = None) -> StepStatistics | None:
        """Return the statistics at the step of the tensors that the rule looks at; None if there are none."""
        block = trial.statistics(step, self.mode)
        if block is None:
            return None
        keep = self._keep(block, collection)
        return block.only(keep) if keep else None

    def counts(self, block: StepStatistics) -> np.ndarray[Any, Any]:
        """Return the number of elements of every tensor of what `look` has returned, as float64."""
        key = (id(block.tensors[0]), len(block.tensors))
        if key not in self._element_counts:
            self._element_counts[key] = np.array([max(tensor.count, 1) for tensor in block.tensors], "f8")
        return self._element_counts[key]

    def _keep(self, block: StepStatistics, collection: str | None) -> list[int]:
        key = (tuple(id(tensor) for tensor in block.tensors[:1]), len(block.tensors), collection)
        if key not in self._kept:
            self._kept[key] = [
                index
                for index, tensor in enumerate(block.tensors)
                if self.looks_at(tensor.name, tensor.collections, collection)
            ]
        return self._kept[key]

    def looks_at(self, name: str, collections: Sequence[str], collection: str | None = None) -> bool:
        """Whether the rule looks at a tensor."""
        if self.tensor_regex is not None:
            is_named = any(re.search(regex, name) for regex in self.tensor_regex)
            if is_named or self.collection_names is None:
                return is_named
        wanted = self.collection_names or ((collection,) if collection is not None else self.collections)
        return any(item in collections for item in wanted)

    def finding(
        self,
        step: int,
        message: str,
        *,
        tensor: str = "",
        value: float | None = None,
        threshold: float | None = None,
        advice: Sequence[Advice] = (),
        evidence: dict[str, Any] | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """Make a finding of this rule."""
        return Finding(
            rule=self.name,
            severity=severity or self.severity,
            step=step,
            mode=self.mode.name,
            message=message,
            tensor=tensor,
            value=None if value is None else float(value),
            threshold=None if threshold is None else float(threshold),
            advice=tuple(advice),
            evidence=evidence or {},
            last_step=step,
        )
