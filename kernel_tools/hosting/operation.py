"""How an endpoint runs, as a person sets it: what it serves, by how many workers, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import validate_name
from kernel_tools.hosting import lifecycle
from kernel_tools.hosting.choosing import AUTO, choose_variant
from kernel_tools.hosting.configuration import ProductionVariant, require_weights
from kernel_tools.hosting.counters import named_metrics, read_counters, sum_counters
from kernel_tools.hosting.custom_metrics import MetricValue, put_metric
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.history import Window, read_samples, require_seconds, windows
from kernel_tools.hosting.lineage import present_name
from kernel_tools.hosting.records import MAX_WORKERS, CaptureConfig, ScalingMetric, ScalingPolicy
from kernel_tools.hosting.updates import UpdatePolicy, UpdateProgress

if TYPE_CHECKING:
    from kernel_tools.hosting.wire.capture_reader import CapturePage

DEFAULT_TIMEOUT = 60.0


class EndpointOperation:
    """What an `Endpoint` serves, by how many workers, and what it counts."""

    _folder: EndpointFolder

    def update(
        self,
        version: int | None = None,
        *,
        variant: str | None = None,
        weight: float | None = None,
        variants: Sequence[ProductionVariant] | None = None,
        policy: UpdatePolicy | None = None,
        engine: str = AUTO,
        trust: bool = False,
        timeout: float = 600.0,
    ) -> Self:
        """Serve another version, or several variants by weight, without dropping a request.

        Parameters
        ----------
        version
            The version of the same model that is to answer; None is the newest approved one.
        variant
            Which variant is to have that version, if there are several: the others stay. With `weight` it may be a new
            name: that variant then answers beside those that are there.
        weight
            The variant's part of the requests is its weight over the sum of all; default that which it has.
        variants
            Instead of a version: all production variants.
        policy
            How traffic shifts, and what rolls it back; default all at once.
        engine, trust
            As for `deploy`.
        timeout
            How long to wait until the update is over, in seconds; 0 returns at once.

        Raises
        ------
        ConflictError
            If the endpoint is not in service or being updated, or the version is rejected.
        InvalidArgumentError
            If it has several variants and none is named, or a weight cannot be.
        NotFoundError
            If it has no such variant, or the model no such version.
        UnavailableError
            If the update was rolled back, with the reason, or is not over in time.
        """
        wanted = tuple(variants or ()) or self._with_version(version, variant, weight, engine, trust)
        require_weights({item.name: item.weight for item in wanted})
        if len({item.name for item in wanted}) < len(wanted):
            raise InvalidArgumentError("Two variants have one name: name each once.")
        begun = lifecycle.update(self._folder, wanted, policy or UpdatePolicy())
        if timeout > 0:
            lifecycle.wait_until_updated(self._folder, begun.revision, timeout)
        return self

    def set_weights(self, weights: Mapping[str, float]) -> Self:
        """Share the requests otherwise: a variant's part is its weight over the sum of all. No worker is started.

        Parameters
        ----------
        weights
            By variant; one that is not named keeps its weight, one of 0 gets only requests that name it as their
            target variant.

        Raises
        ------
        ConflictError
            If the endpoint is being updated.
        InvalidArgumentError
            If a weight is negative or not finite, or all are 0.
        NotFoundError
            If it has no such variant.
        """
        lifecycle.set_weights(self._folder, weights)
        return self

    def remove_variant(self, name: str, *, policy: UpdatePolicy | None = None, timeout: float = 600.0) -> Self:
        """Serve without a variant: the others share its requests. Waits unless `timeout` is 0.

        Raises
        ------
        ConflictError
            If it is the only one, or the endpoint is not in service or being updated.
        NotFoundError
            If it has no such variant.
        """
        left = [item for item in self.variants if item.name != name]
        if len(left) == len(self.variants):
            known = ", ".join(item.name for item in left)
            raise NotFoundError(f"Endpoint {self._folder.name!r} has no variant {name!r}. It has {known}.")
        if not left:
            raise ConflictError(f"{name!r} is the only variant of endpoint {self._folder.name!r}: delete the endpoint.")
        return self.update(variants=left, policy=policy, timeout=timeout)

    def _with_version(
        self, version: int | None, name: str | None, weight: float | None, engine: str, trust: bool
    ) -> tuple[ProductionVariant, ...]:
        """Return the variants, of which one has another version; with a weight it may be a new one."""
        known = {item.name: item for item in self.variants}
        if name is None and len(known) > 1:
            raise InvalidArgumentError(
                f"Endpoint {self._folder.name!r} has the variants {', '.join(known)}: say with variant= which one is "
                "to have the version, or give all of them with variants=."
            )
        if name is not None and name not in known and weight is None:
            raise NotFoundError(
                f"Endpoint {self._folder.name!r} has no variant {name!r}; it has {', '.join(known)}. To add it, give "
                "its weight= too."
            )
        first = next(iter(known.values()))
        asked = name or first.name
        present = known.get(asked) or replace(first, name=validate_name(asked, "variant"), workers=1)
        served = [*(item.model for item in present.before), present_name(self._folder.workspace, present.version)]
        versions = [*(item.version for item in present.before), version]
        options: dict[str, Any] = {"engine": engine, "command": present.command, "app": present.app}
        chosen = choose_variant(self._folder.workspace, served, versions, trust=trust, **options)
        known[present.name] = replace(
            chosen, name=present.name, workers=present.workers, weight=present.weight if weight is None else weight
        )
        return tuple(known.values())

    def rollback(self, timeout: float = 600.0) -> Self:
        """Serve what was served before the last update, whether that is over or not; waits unless `timeout` is 0.

        Raises
        ------
        ConflictError
            If the endpoint was never updated, or the last update was rolled back already.
        """
        begun = lifecycle.roll_back(self._folder)
        if timeout > 0 and not begun.is_over:
            lifecycle.wait_until_updated(self._folder, begun.revision, timeout)
        return self

    @property
    def variants(self) -> tuple[ProductionVariant, ...]:
        """The production variants that share its requests now."""
        return self._folder.configuration().production_variants

    def events(self, limit: int = 50) -> list[dict[str, object]]:
        """Return the last updates and scalings, the newest first: `time` in milliseconds, `event`, details."""
        return self._folder.events(limit)

    def ready_workers(self) -> dict[str, int]:
        """Return how many workers of each variant can answer now."""
        counted = {variant.name: 0 for variant in self.variants}
        for worker in self._folder.status().workers:
            counted[worker.variant] = counted.get(worker.variant, 0) + int(worker.is_ready)
        return counted

    @property
    def update_progress(self) -> UpdateProgress | None:
        """How far the last update is; None if there never was one."""
        return self._folder.update_progress()

    def scale(
        self,
        workers: int | None = None,
        variant: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        metric: ScalingMetric | None = None,
        target: float | None = None,
        min_workers: int | None = None,
        max_workers: int | None = None,
        scale_in_cooldown: float | None = None,
        scale_out_cooldown: float | None = None,
        idle_seconds: float | None = None,
    ) -> Self:
        """Answer with so many workers, or with as many as are needed within bounds. Waits for them.

        Parameters
        ----------
        workers
            A fixed number, 1 to 64: autoscaling ends.
        variant
            With `workers`, the only variant that is scaled; None is each one.
        timeout
            How long to wait, in seconds; 0 returns at once.
        metric, target, min_workers, max_workers, scale_in_cooldown, scale_out_cooldown, idle_seconds
            Instead of `workers`: what changes of the endpoint's `ScalingPolicy`, or of the default one if it has none.

        Raises
        ------
        ConflictError
            If the endpoint is being updated.
        NotFoundError
            If it has no such variant.
        UnavailableError
            If the workers are not ready in time.
        """
        given = {
            "metric": metric,
            "target": target,
            "min_workers": min_workers,
            "max_workers": max_workers,
            "scale_in_cooldown": scale_in_cooldown,
            "scale_out_cooldown": scale_out_cooldown,
            "idle_seconds": idle_seconds,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if (workers is None) == (not changes):
            raise InvalidArgumentError("Give workers=, or what changes of the scaling policy, such as max_workers=.")
        if workers is None:
            lifecycle.scale(self._folder, None, lambda policy: replace(policy or ScalingPolicy(), **changes))
        elif 1 <= workers <= MAX_WORKERS:
            lifecycle.scale(self._folder, variant, workers)
        else:
            raise InvalidArgumentError(
                f"workers={workers} is out of range: 1 to {MAX_WORKERS}. With min_workers=0 an endpoint has none while "
                "it is not used."
            )
        if timeout > 0:
            lifecycle.wait_until_scaled(self._folder, timeout)
        return self

    @property
    def scaling(self) -> ScalingPolicy | None:
        """The policy by which workers are added and taken away; None if their number is fixed."""
        return self._folder.configuration().scaling

    def metrics(self) -> dict[str, float]:
        """Return SageMaker's metrics, summed over all workers since the endpoint was deployed; times in microseconds.

        Workers write what they count four times a second. `history` has them over time.
        """
        return named_metrics(sum_counters(read_counters(self._folder.metrics_path)))

    def history(self, seconds: float = 900.0, points: int = 120) -> list[Window]:
        """Return what it did lately, window by window, the oldest first.

        The host notes it every five seconds, so the last few are not in it yet.

        Parameters
        ----------
        seconds
            How far back, 5 to 604,800; what is older than about a day may be gone.
        points
            At most so many windows, 1 to 1,000.

        Raises
        ------
        InvalidArgumentError
            If one of them is out of range.
        """
        if not 1 <= points <= 1000:
            raise InvalidArgumentError(f"points={points!r} is out of range: 1 to 1,000.")
        self._folder.require()
        now = current_time()
        since = now - round(1000 * require_seconds(seconds))
        return windows(read_samples(self._folder.history_path, since, now), since, now, points)

    def recently(self, seconds: float = 900.0) -> Window:
        """Return what it did in the last seconds, as one window; arguments and errors as for `history`."""
        return self.history(seconds, 1)[0]

    def captures(self, limit: int = 50, cursor: str | None = None) -> CapturePage:
        """Return captured requests and replies, the newest first; `cursor` is that of the page before.

        Raises
        ------
        InvalidArgumentError
            If the cursor is not one of a page.
        IntegrityError
            If a file is damaged, or encrypted by another key.
        """
        from kernel_tools.core.encryption import load_encryption_key
        from kernel_tools.hosting.wire.capture_reader import read_captures

        self._folder.require()
        key = load_encryption_key(self._folder.workspace.root)
        return read_captures(self._folder.captures_path, key, cursor, limit)

    @property
    def capture(self) -> CaptureConfig | None:
        """What is captured of its requests; None if nothing is."""
        return self._folder.configuration().capture

    def put_metric(self, name: str, value: float) -> None:
        """Tell a value of a metric of your own, such as a drift, for an `Alarm` to watch.

        Raises
        ------
        InvalidArgumentError
            If the name cannot be used, or the value is not finite.
        """
        self._folder.require()
        put_metric(self._folder.custom_metrics_path, MetricValue(current_time(), name, float(value)))
