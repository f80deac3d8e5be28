"""How many workers a variant is to have, from what its workers counted. Pure. Times are milliseconds since 1970 UTC."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.records import ScalingPolicy

WINDOW_MS = 3000
"""Loads are means over so long, so that one moment decides nothing."""

LEAST_IDLE_SECONDS = 1.5
"""A worker that was just started has time to take the request that called for it, and to count it."""

_SPARE = 0.9
"""Workers are taken away only if the others stay below this part of the target."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a variant has to do, all its workers together: requests in hand, requests each second, and its part of the
    asynchronous requests that are not over."""

    requests_in_flight: float = 0.0
    requests_per_second: float = 0.0
    backlog: float = 0.0

    def of(self, policy: ScalingPolicy) -> float:
        """The metric of a policy."""
        value: float = getattr(self, policy.metric)
        return value


class LoadWindow:
    """What one variant's workers counted in the last seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int, int, float]] = deque()

    def add(self, now: int, counted: Counters) -> Load:
        """Note the counters of all its workers as they are now; returns the mean load of the window.

        Requests in flight are their rate times the time that each takes (Little's law), which also sees those that are
        answered between two looks; or what was seen in flight, if that is more, for those that take long.
        """
        taken = counted.model_latency.total + counted.overhead_latency.total
        self._samples.append((now, counted.concurrent_requests, counted.invocations, taken))
        while now - self._samples[0][0] > WINDOW_MS:
            self._samples.popleft()
        first, seconds = self._samples[0], max(now - self._samples[0][0], WINDOW_MS / 3) / 1000
        seen = sum(sample[1] for sample in self._samples) / len(self._samples)
        in_flight = max(seen, (taken - first[3]) / 1e6 / seconds)
        return Load(in_flight, max(counted.invocations - first[2], 0) / seconds)


@dataclass(frozen=True, slots=True)
class VariantScale:
    """How many workers a variant is to have, and what the next decision depends on.

    `grown_at` is when workers were last added; `low_since` is since when fewer would suffice, and `peak` how many
    were needed at most since then.
    """

    variant: str
    workers: int
    grown_at: int = 0
    low_since: int = 0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class EndpointScale:
    """How an endpoint is scaled; `busy_at` is when a request was last seen."""

    busy_at: int
    variants: tuple[VariantScale, ...] = ()

    def workers(self) -> dict[str, int]:
        """How many workers each variant is to have."""
        return {item.variant: item.workers for item in self.variants}

    @property
    def is_asleep(self) -> bool:
        """Whether no variant is to have a worker."""
        return bool(self.variants) and not any(item.workers for item in self.variants)

    def of(self, variant: str, workers: int, now: int) -> VariantScale:
        """The scale of one variant; one that was never scaled has `workers`."""
        known = (item for item in self.variants if item.variant == variant)
        return next(known, VariantScale(variant, workers, 0, now))


def next_scale(policy: ScalingPolicy, present: VariantScale, load: Load, now: int, busy_at: int) -> VariantScale:
    """Return how many workers a variant is to have now.

    Target tracking: the load over the target is how many workers are needed. More are added at once, but not twice
    within `scale_out_cooldown`; fewer are kept once fewer have sufficed for the whole of `scale_in_cooldown`, and then
    as many as were needed at most in that time. The last one goes only when no request was seen for `idle_seconds`.
    """
    needed = math.ceil(load.of(policy) / policy.target - 1e-9)
    idle = max(policy.idle_seconds, LEAST_IDLE_SECONDS)
    if policy.min_workers == 0 and now - busy_at >= idle * 1000 and needed == 0:
        return VariantScale(present.variant, 0, present.grown_at)
    low, high = max(policy.min_workers, 1), policy.max_workers
    if present.workers < low:
        return VariantScale(present.variant, max(low, min(needed, high)), now, now)
    if present.workers > high:
        return VariantScale(present.variant, high, present.grown_at, now)
    if min(needed, high) > present.workers:
        if now - present.grown_at < policy.scale_out_cooldown * 1000:
            return replace(present, low_since=now, peak=0)
        return VariantScale(present.variant, min(needed, high), now, now)
    sufficient = max(low, math.ceil(load.of(policy) / (policy.target * _SPARE) - 1e-9))
    if sufficient >= present.workers:
        return replace(present, low_since=now, peak=0)
    peak = max(present.peak, sufficient)
    if now - max(present.low_since, present.grown_at) < policy.scale_in_cooldown * 1000:
        return replace(present, peak=peak)
    return VariantScale(present.variant, peak, present.grown_at, now)
