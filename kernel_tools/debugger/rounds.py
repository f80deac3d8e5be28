"""Recording a training that goes by rounds or passes rather than by steps of an optimizer: boosting, scikit-learn.

Single numbers and the time of every round are kept, and written a few times a second. Everything else is gathered only
in the rounds that the sampler wants.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import copy, deepcopy
from typing import Any

import numpy as np

from kernel_tools.debugger.array_statistics import statistics_of
from kernel_tools.debugger.finding import now
from kernel_tools.debugger.loss_metrics import is_loss
from kernel_tools.debugger.records import TICK, Chooser, Config, Mode, SaveConfig, matches, own_collections
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.session import Session

clock = time.perf_counter
FLUSH_SECONDS = 0.2
MOST_ROWS = 65_536
"""Rows that statistics of predictions are taken of; of more, those evenly spaced."""


class RoundRecorder:
    """Writes the rounds of one training. Step n is the n-th round, counted on if the run was trained before.

    Parameters
    ----------
    session
        The open capture.
    collections
        Own collections, by name.
    """

    def __init__(self, session: Session, collections: Mapping[str, Callable[[str], bool]]) -> None:
        self.session = session
        self._own = dict(collections)
        self._ids: dict[str, int] = {}
        self._begun = self._mark = self._flushed = clock()
        self._waited = 0.0
        self._ticks: list[tuple[float, ...]] = []
        self._scalars: list[tuple[int, int, int, int, float]] = []
        self._points: list[tuple[str, int, int, float]] = []
        self._rows: dict[Mode, dict[int, np.ndarray[Any, Any]]] = {}
        self._loggable: dict[str, bool] = {}
        self.step = session.first_step - 1
        self.is_sampled = False
        session.on_close(self.flush)

    @property
    def allowance(self) -> float:
        """Seconds that the budget still leaves, so far; infinite if a fixed number of rounds is saved."""
        save = self.session.config.save
        if save.every is not None:
            return math.inf
        return save.budget * (clock() - self._begun) - self.session.sampler.spent

    def begin_round(self) -> None:
        """Begin a round: what has passed since the one before belongs to nobody we know."""
        moment = clock()
        self._waited, self._mark = moment - self._mark, moment

    def end_round(
        self,
        metrics: Mapping[tuple[Mode, str], float],
        save: Callable[[], None],
        *,
        loss: float = math.nan,
        rate: float = math.nan,
        rows: int = 0,
    ) -> None:
        """End a round.

        Parameters
        ----------
        metrics
            What was evaluated, by mode and name.
        save
            Gathers the rest by `add_scalar`, `add_values` and `add_array`, if the sampler wants this round.
        loss, rate, rows
            The loss of training, the learning rate, the rows that were learned from.
        """
        began = clock()
        self.step += 1
        at = now()
        for (mode, name), value in metrics.items():
            in_collections = ("metrics", "losses") if is_loss(name, mode) else ("metrics",)
            self.add_scalar(name, in_collections, value, mode)
            self._points.append((name, self.step, at, value))
        self.is_sampled = self.session.sampler.wants(self.step, Mode.TRAIN)
        if self.is_sampled:
            save()
            self._write_sample(at)
        cost = clock() - began
        if self.is_sampled:
            self.session.sampler.took(Mode.TRAIN, self.step, cost)
        if clock() - self._flushed > FLUSH_SECONDS:
            self.flush()
            cost = clock() - began
        self.session.sampler.spent += cost
        phases = (0.0, 0.0, 0.0, began - self._mark, self._waited, cost)
        self._ticks.append((self.step, Mode.TRAIN, at, *phases, loss, rate, rows))
        self._mark = clock()

    def add_last(self, save: Callable[[], None]) -> None:
        """Gather once more what the last round has left, when the training ends."""
        began = clock()
        if self.step >= self.session.first_step:
            save()
            if self.is_sampled:
                self._rows.clear()  # the statistics of this round are written already
            self._write_sample(now())
        self.flush()
        self.session.sampler.spent += clock() - began

    def add_scalar(self, name: str, collections: Sequence[str], value: float, mode: Mode = Mode.TRAIN) -> None:
        """Keep a single number of this round."""
        self._scalars.append((self._define(name, collections, (), "scalar"), mode, self.step, now(), float(value)))

    def add_values(
        self,
        name: str,
        collections: Sequence[str],
        values: np.ndarray[Any, Any],
        mode: Mode = Mode.TRAIN,
        kind: str = "",
    ) -> None:
        """Keep the statistics of an array, and its elements if `SaveConfig.raw` asks for them."""
        if mode.name not in self.session.config.save.modes:
            return
        tensor = self._define(name, collections, values.shape, kind)
        self._rows.setdefault(mode, {})[tensor] = statistics_of(values)
        save = self.session.config.save
        if save.raw and values.size <= save.raw_elements and matches(name, collections, save.raw):
            self.session.writer.write_array(tensor, self.step, mode, now(), values)

    def add_array(
        self,
        name: str,
        collections: Sequence[str],
        values: np.ndarray[Any, Any],
        mode: Mode = Mode.TRAIN,
        kind: str = "",
    ) -> None:
        """Keep the elements of an array."""
        if mode.name not in self.session.config.save.modes:
            return
        tensor = self._define(name, collections, values.shape, kind)
        self.session.writer.write_array(tensor, self.step, mode, now(), values)

    def flush(self) -> None:
        """Write what is kept of the last rounds."""
        self._flushed = clock()
        if self._scalars:
            self.session.writer.write_scalar_rows(self._scalars)
            self._scalars = []
        if self._ticks:
            self.session.writer.write_ticks(np.array(self._ticks).reshape(-1, len(TICK)))
            self._ticks = []
        if self._points:
            points, self._points = self._points, []
            self._log(points)

    def _write_sample(self, at: int) -> None:
        """Write the statistics last: rules that see them find everything else there."""
        self.flush()
        writer = self.session.writer
        for mode, rows in self._rows.items():
            if rows:
                layout = writer.layout(np.fromiter(rows, "i4", len(rows)))
                writer.write_step(self.step, mode, at, layout, np.stack(list(rows.values())))
        self._rows.clear()

    def _define(self, name: str, collections: Sequence[str], shape: Sequence[int], kind: str) -> int:
        known = self._ids.get(name)
        if known is None:
            own = [collection for collection, chooses in self._own.items() if chooses(name)]
            known = self.session.writer.define(name, [*collections, *own], shape, kind)
            self._ids[name] = known
        return known

    def _log(self, points: list[tuple[str, int, int, float]]) -> None:
        """Log the curves to the run too, unless somebody else logs under their names."""
        from kernel_tools.experiments.segment import Point

        run = self.session.run
        if run is None or not run.status.is_open:
            return
        if not self._loggable:
            present = run.metrics
            self._loggable = {name: self.session.first_step > 0 or name not in present for name, *_ in points}
        made = [Point(name, value, step, at) for name, step, at, value in points if self._loggable.get(name, True)]
        if made:
            run.log_points(made)


class Watcher:
    """What hooks on trainings by rounds share: their settings, and the promise that none of them ends a training.

    Parameters
    ----------
    framework
        xgboost, lightgbm or sklearn.
    run, rules, save, collections, actions
        As of `kernel_tools.debugger.watch`.
    """

    def __init__(
        self,
        framework: str,
        run: Any = None,
        rules: str | Iterable[Any] = "default",
        save: SaveConfig | None = None,
        collections: Mapping[str, Chooser] | None = None,
        actions: Iterable[Any] = (),
    ) -> None:
        self._framework = framework
        self._run = run
        self._rules = make_rules(rules)
        self._config = Config(save=save or SaveConfig())
        self._own = own_collections(collections or {})
        self._actions = list(actions)
        self.recorder: RoundRecorder | None = None
        self.failure: str | None = None

    def fresh(self) -> Watcher:
        """Return another one of the same settings, which records nothing yet."""
        other = copy(self)
        other.recorder, other.failure = None, None
        return other

    @property
    def is_open(self) -> bool:
        """Whether a training is being recorded."""
        return self.recorder is not None and self.recorder.session.is_open

    @property
    def stop_reason(self) -> str | None:
        """Why an action wants the training to stop."""
        return None if self.recorder is None else self.recorder.session.stop_reason

    def open(self) -> RoundRecorder:
        """Begin the record of a training; one under way is ended first. Rules begin with an empty memory."""
        self.close()
        self.failure = None
        session = Session.open(
            self._run,
            framework=self._framework,
            config=self._config,
            rules=deepcopy(self._rules),
            actions=self._actions,
        )
        self.recorder = RoundRecorder(session, self._own)
        return self.recorder

    def close(self) -> None:
        """End the record."""
        if self.recorder is not None:
            recorder, self.recorder = self.recorder, None
            recorder.session.close()

    def guard(self, call: Callable[..., None], *arguments: Any) -> None:
        """Call something; if it fails the hook detaches itself, says so once, and the training goes on."""
        if self.failure is not None:
            return
        try:
            call(*arguments)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            with suppress(Exception):  # warnings may be errors here
                warnings.warn(
                    "The Debugger has detached itself because of an error of its own, and the training goes on "
                    f"without it: {self.failure}",
                    RuntimeWarning,
                    stacklevel=3,
                )
            with suppress(Exception):  # the file itself may be what failed
                if self.recorder is not None:
                    self.recorder.session.writer.set_meta("failure", self.failure)
            with suppress(Exception):
                self.close()


def some_rows(count: int, most: int = MOST_ROWS) -> np.ndarray[Any, Any] | None:
    """Return the positions of at most so many rows, evenly spaced; None for all."""
    return None if count <= most else np.linspace(0, count - 1, most).astype("i8")
