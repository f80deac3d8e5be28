"""The autoscaling of one endpoint in the host: what its workers counted lately, and the decisions that follow."""

from __future__ import annotations

from dataclasses import replace

from kernel_tools.hosting.asynchronous.dispatchers import backlog_of
from kernel_tools.hosting.configuration import EndpointConfiguration, Worker
from kernel_tools.hosting.counters import counters_by_worker, sum_counters
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.scaling import EndpointScale, LoadWindow, next_scale


class Autoscaler:
    """Decides how many workers the variants of an endpoint are to have; the supervisor does what it decides."""

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._windows: dict[str, LoadWindow] = {}
        self._invocations = -1
        self.scale: EndpointScale | None = None
        """What was decided last; None if nothing was."""
        self.is_called = False
        """Set when a connection waits that no worker takes."""

    @property
    def is_asleep(self) -> bool:
        """Whether no variant is to have a worker."""
        return self.scale is not None and self.scale.is_asleep

    def next_scale(
        self, configuration: EndpointConfiguration, workers: list[Worker], is_steady: bool
    ) -> EndpointScale | None:
        """Return how the endpoint is to be scaled; None if its configuration says how many workers it has.

        `workers` are those that live; `is_steady` says that all that ought to be ready are, without which nothing is
        taken away for lack of requests.
        """
        policy = configuration.scaling
        if policy is None:
            self.scale, self.is_called = None, False
            return None
        now = current_time()
        if self.scale is None:
            known = self._folder.scale() or EndpointScale(now)
            self.scale = replace(known, busy_at=now)
        counted = counters_by_worker(self._folder.metrics_path)
        alive = {worker.id for worker in workers}
        invocations = sum(item.invocations for item in counted.values())
        in_flight = sum(item.concurrent_requests for name, item in counted.items() if name in alive)
        is_busy = self.is_called or in_flight > 0 or invocations != self._invocations or not is_steady
        self._invocations = invocations
        self.is_called = False
        busy_at = now if is_busy else self.scale.busy_at
        backlog = backlog_of(self._folder) if policy.metric == "backlog" else 0
        weights = sum(variant.weight for variant in configuration.production_variants) or 1.0
        variants = []
        for variant in configuration.production_variants:
            mine = {name: item for name, item in counted.items() if item.variant == variant.name}
            whole = sum_counters(mine.values())
            whole.concurrent_requests = sum(item.concurrent_requests for name, item in mine.items() if name in alive)
            load = self._windows.setdefault(variant.name, LoadWindow()).add(now, whole)
            load = replace(load, backlog=backlog * variant.weight / weights)
            present = self.scale.of(variant.name, variant.workers, now)
            variants.append(next_scale(policy, present, load, now, busy_at))
        self.scale = EndpointScale(busy_at, tuple(variants))
        return self.scale
