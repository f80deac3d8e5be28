"""How an endpoint passes from one configuration to the next: the plan, how far it is, and the next step. Pure.

Times are milliseconds since 1970 UTC, shares are parts of one.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import validate_name
from kernel_tools.hosting.counters import Counters

Kind = Literal["all_at_once", "canary", "linear", "rolling"]
Phase = Literal["starting", "shifting", "baking", "finished", "rolled_back"]

_KINDS = ("all_at_once", "canary", "linear", "rolling")
_METRICS = ("error_rate", "p99_latency_ms", "mean_latency_ms")
_BAKE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """Rolls an update back if a metric is above a value.

    Parameters
    ----------
    metric
        Of the new revision since the update began: "error_rate", "p99_latency_ms" or "mean_latency_ms". Any other name
        is that of a metric of your own, whose last value since then is watched: see `Endpoint.put_metric`.
    above
        The value.
    """

    metric: str
    above: float

    def __post_init__(self) -> None:
        if self.metric not in _METRICS:
            validate_name(self.metric, "metric")
            if meant := difflib.get_close_matches(self.metric, _METRICS, 1, 0.75):
                raise InvalidArgumentError(
                    f"metric={self.metric!r} is close to {meant[0]!r}: write that, or name your own metric otherwise."
                )

    def complaint(self, counted: Counters, custom: Mapping[str, float] = MappingProxyType({})) -> str:
        """Say what is wrong; empty if nothing is, or nothing was counted yet.

        `counted` is what the new revision's workers counted, `custom` the last values of metrics of the user's own.
        """
        if self.metric not in _METRICS:
            value = custom.get(self.metric, math.nan)
            return f"{self.metric} is {value:.4g}, above {self.above:g}." if value > self.above else ""
        if not counted.invocations:
            return ""
        errors = counted.invocation_5xx_errors + counted.invocation_model_errors
        latency = counted.model_latency
        values = {
            "error_rate": errors / counted.invocations,
            "p99_latency_ms": latency.quantile(0.99) / 1000,
            "mean_latency_ms": latency.total / max(latency.count, 1) / 1000,
        }
        value = values[self.metric]
        return f"{self.metric} is {value:.4g}, above {self.above:g}." if value > self.above else ""


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """How traffic shifts: sizes are parts of one, waits are seconds.

    Alarms are watched until `bake_seconds` after the last shift: unless said otherwise 60 s if there are any, else 0.
    """

    kind: Kind = "all_at_once"
    canary_size: float = 0.1
    step_size: float = 0.1
    wait_seconds: float = 0.0
    bake_seconds: float | None = None
    alarms: tuple[Alarm, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InvalidArgumentError(f"kind={self.kind!r} is no way to update: use one of {', '.join(_KINDS)}.")
        for name in ("canary_size", "step_size"):
            if not 0 < getattr(self, name) <= 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} is no part of the traffic: 0 < size <= 1.")
        for name, seconds in (("wait_seconds", self.wait_seconds), ("bake_seconds", self.watched_seconds)):
            if not 0 <= seconds <= 3600:
                raise InvalidArgumentError(f"{name}={seconds!r} is out of range: 0 to 3600 s.")

    @property
    def watched_seconds(self) -> float:
        """How long alarms are watched once all traffic has shifted."""
        if self.bake_seconds is None:
            return _BAKE_SECONDS if self.alarms else 0.0
        return self.bake_seconds

    def next_share(self, share: float) -> float:
        """The part of the traffic that the new revision takes after one more step."""
        if self.kind == "all_at_once" or (self.kind == "canary" and share > 0):
            return 1.0
        step = self.canary_size if self.kind == "canary" else self.step_size
        return 1.0 if share + step > 1 - 1e-9 else share + step


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """How far an update is; `share` is the part of the traffic that `revision` takes, `since` when that began.

    `began_at` is when the update did.
    """

    previous: int
    revision: int
    policy: UpdatePolicy
    phase: Phase
    since: int
    share: float = 0.0
    reason: str = ""
    began_at: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in ("finished", "rolled_back")

    def next_step(
        self,
        now: int,
        is_ready: bool,
        counted: Counters,
        failure: str = "",
        custom: Mapping[str, float] = MappingProxyType({}),
    ) -> UpdateProgress:
        """Return the progress as it is now to be.

        Parameters
        ----------
        now
            The time.
        is_ready
            Whether the new revision's workers that take the next share of the traffic can answer.
        counted
            What the new revision's workers counted.
        failure
            Why the new revision cannot be started; empty if it can.
        custom
            The last values of metrics of the user's own since the update began.
        """
        if self.is_over:
            return self
        complaints = [failure, *(alarm.complaint(counted, custom) for alarm in self.policy.alarms)]
        if reason := next(filter(None, complaints), ""):
            return replace(self, phase="rolled_back", share=0.0, since=now, reason=reason)
        waited = (now - self.since) / 1000
        if self.phase == "baking":
            return replace(self, phase="finished", since=now) if waited >= self.policy.watched_seconds else self
        if not is_ready or (self.phase == "shifting" and waited < self.policy.wait_seconds):
            return self
        share = self.policy.next_share(self.share)
        return replace(self, phase="baking" if share == 1.0 else "shifting", share=share, since=now)
