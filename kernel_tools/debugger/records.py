"""What the Debugger speaks of: modes, collections, the statistics of a tensor, and the settings of a hook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.spec import to_bytes

FOLDER = "debugger"
"""The folder of a run that everything of the Debugger is in."""


class Mode(IntEnum):
    """What a model is used for while a step is recorded; the words and numbers of smdebug."""

    TRAIN = 1
    EVAL = 2
    PREDICT = 3
    GLOBAL = 4


def to_mode(mode: Mode | str | int | None) -> Mode | None:
    """Read a mode; InvalidArgumentError if it is none."""
    if mode is None or isinstance(mode, Mode):
        return mode
    try:
        return Mode[mode.rpartition(".")[2].upper()] if isinstance(mode, str) else Mode(mode)
    except (KeyError, ValueError) as error:
        raise InvalidArgumentError(f"{mode!r} is no mode. The modes are {', '.join(Mode.__members__)}.") from error


COLUMNS = (
    *("nan", "inf", "zeros", "min", "max", "mean", "std", "l1", "l2", "dead", "saturated"),
    *("q01", "q05", "q10", "q25", "q50", "q75", "q90", "q95", "q99"),
)
"""The statistics of a tensor at a step, one float32 each, in the order in which they are stored.

nan and inf are counts; zeros is a share; min to l2 are of the finite elements, std with divisor n; dead is the share of
units of an activation that are at rest in at least 99 % of a batch, and saturated the share of those at their ends (NaN
where that means nothing); q01 to q99 are quantiles, estimated from 128 elements that are evenly spaced in memory."""
COLUMN = {name: index for index, name in enumerate(COLUMNS)}
QUANTILES = tuple(int(name[1:]) / 100 for name in COLUMNS if name.startswith("q"))

COLLECTIONS = (
    *("weights", "biases", "gradients", "updates", "losses", "metrics", "inputs", "outputs", "layers"),
    *("optimizer_variables", "hyperparameters", "predictions", "labels", "feature_importance", "shap", "trees"),
)
"""The built-in collections. updates holds what a step has changed in each weight; layers what each layer returns."""

TICK = (
    *("step", "mode", "at", "data", "forward", "backward", "optimizer", "other", "capture"),
    *("loss", "learning_rate", "batch_size"),
)
"""What is kept of every step, sampled or not: its number and mode, milliseconds since 1970 UTC at its end, seconds
spent waiting for data, in the forward pass, in the backward pass, in the optimizer, in anything else, and in the hook;
the loss and learning rate of the first parameter group (NaN if unknown); rows of the batch (0 if unknown)."""


@dataclass(frozen=True, slots=True)
class SaveConfig:
    """When and what a hook saves.

    Parameters
    ----------
    every
        Save every so many steps. Default: as often as `budget` allows.
    budget
        The share of the time of training that saving may take, when `every` is not given. A few steps of a short
        training are saved in any case: see `sampling.GROWTH`.
    first
        So many first steps are always saved.
    start, end
        The first step to save, and the first that is not saved any more.
    modes
        The modes to save in.
    raw
        Collections and regular expressions of tensor names whose elements are saved too, not only their statistics.
    raw_elements
        The largest number of elements of a tensor that is saved whole; bigger ones are refused.
    max_disk
        Bytes, or a text such as ``"256MiB"``; when the file is larger, old steps are thinned out: every second one is
        dropped, the oldest first. Elements of tensors are dropped before any statistics.
    """

    every: int | None = None
    budget: float = 0.01
    first: int = 10
    start: int = 0
    end: int | None = None
    modes: tuple[str, ...] = ("TRAIN", "EVAL", "PREDICT")
    raw: tuple[str, ...] = ()
    raw_elements: int = 1_000_000
    max_disk: int | str = "256MiB"

    def __post_init__(self) -> None:
        if self.every is not None and (
            not isinstance(self.every, int) or isinstance(self.every, bool) or self.every < 1
        ):
            raise InvalidArgumentError(f"SaveConfig(every={self.every!r}): use a whole number of steps, 1 or more.")
        if not isinstance(self.budget, int | float) or not 0 < self.budget <= 1:
            raise InvalidArgumentError(
                f"SaveConfig(budget={self.budget!r}): use a share above 0, such as 0.01 for 1 %."
            )
        for name in ("first", "start"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 0:
                raise InvalidArgumentError(
                    f"SaveConfig({name}={getattr(self, name)!r}): use a whole number, 0 or more."
                )
        if self.end is not None and self.end <= self.start:
            raise InvalidArgumentError(f"SaveConfig(start={self.start}, end={self.end}): end must come after start.")
        object.__setattr__(self, "modes", tuple(Mode(to_mode(mode) or Mode.TRAIN).name for mode in self.modes))
        object.__setattr__(self, "raw", tuple(self.raw))
        for pattern in self.raw:
            check_regex(pattern, "SaveConfig(raw=...)")
        object.__setattr__(self, "max_disk", to_bytes(self.max_disk, "SaveConfig(max_disk=...)"))


@dataclass(frozen=True, slots=True)
class Config:
    """The Debugger as a setting of a job: ``submit(..., debugger=kt.debugger.Config(...))``; no change of code.

    Parameters
    ----------
    rules
        ``"default"``, ``"none"``, or names of built-in rules, or pairs of a name and its parameters such as
        ``("LossNotDecreasing", {"num_steps": 20})``.
    save
        When and what is saved.
    collections
        Own collections: a name, and a regular expression that the names of its tensors match.
    actions
        What happens when a rule fires: see `kernel_tools.debugger.actions`, as the dicts that `Action.to_dict` gives.
    profile
        Steps ``(first, last)`` that `torch.profiler` records; None for none.
    """

    rules: str | tuple[Any, ...] = "default"
    save: SaveConfig = field(default_factory=SaveConfig)
    collections: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[Any, ...] = ()
    profile: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON types."""
        plain = asdict(self)
        plain["actions"] = [action if isinstance(action, dict) else action.to_dict() for action in self.actions]
        found: dict[str, Any] = json.loads(json.dumps(plain))
        return found

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Config:
        """Read what `to_dict` has made."""
        rules = plain.get("rules", "default")
        profile = plain.get("profile")
        return cls(
            rules=rules if isinstance(rules, str) else tuple(rules),
            save=SaveConfig(**plain.get("save", {})),
            collections=dict(plain.get("collections", {})),
            actions=tuple(plain.get("actions", ())),
            profile=None if profile is None else (int(profile[0]), int(profile[1])),
        )


Chooser = str | Callable[[str], bool]
"""How the tensors of an own collection are chosen: a regular expression, or a function of a tensor's name."""


def check_regex(pattern: str, what: str) -> re.Pattern[str]:
    """Compile a regular expression; InvalidArgumentError says what is wrong with it."""
    try:
        return re.compile(pattern)
    except (re.error, TypeError) as error:
        raise InvalidArgumentError(f"{what}: {pattern!r} is no regular expression ({error}).") from error


def own_collections(choosers: Mapping[str, Chooser]) -> dict[str, Callable[[str], bool]]:
    """Return, of every own collection, a function that says whether a tensor of a name is in it."""
    found: dict[str, Callable[[str], bool]] = {}
    for name, chooser in choosers.items():
        if name in COLLECTIONS:
            raise InvalidArgumentError(f"The collection {name!r} is built in. Choose another name for yours.")
        if callable(chooser):
            found[name] = chooser
        else:
            found[name] = partial(_is_found, check_regex(chooser, f"The collection {name!r}"))
    return found


def _is_found(regex: re.Pattern[str], tensor: str) -> bool:
    return regex.search(tensor) is not None


def matches(name: str, collections: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a tensor is in one of the wanted collections, or its name matches one of the expressions."""
    return any(item in collections or re.search(item, name) for item in wanted)
