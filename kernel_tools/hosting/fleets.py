"""The workers that an endpoint ought to have, by revision, and how the traffic is shared among them.

Outside of an update there is one fleet, that of the present configuration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kernel_tools.hosting.configuration import EndpointConfiguration, ProductionVariant, Worker
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.routing import Route
from kernel_tools.hosting.updates import UpdateProgress


@dataclass(frozen=True, slots=True)
class Fleet:
    """The workers of one revision.

    Parameters
    ----------
    configuration
        What they serve.
    share
        Their part of the traffic.
    capacity
        How many there ought to be, as part of the configured workers.
    scaled
        How many workers a variant has that autoscaling decides on.
    may_sleep
        Whether autoscaling may leave a variant without any worker.
    """

    configuration: EndpointConfiguration
    share: float = 1.0
    capacity: float = 1.0
    scaled: Mapping[str, int] = field(default_factory=dict)
    may_sleep: bool = False

    @property
    def revision(self) -> int:
        """The revision of the configuration."""
        return self.configuration.revision

    def wanted(self, variant: ProductionVariant) -> int:
        """How many workers a variant ought to have now."""
        count = self.scaled.get(variant.name, variant.workers)
        if count == 0 and self.may_sleep:
            return 0
        return max(1, math.ceil(count * self.capacity - 1e-9))

    def workers(self, alive: list[Worker], variant: ProductionVariant) -> list[Worker]:
        """The living workers of one variant, those that are ready first; without those that are to be replaced."""
        mine = [item for item in alive if (item.variant, item.revision) == (variant.name, self.revision)]
        return sorted((item for item in mine if not item.is_worn), key=lambda item: not item.is_ready)

    def worn(self, alive: list[Worker], variant: ProductionVariant) -> list[Worker]:
        """The workers of one variant that are to end as soon as others can answer."""
        mine = [item for item in alive if (item.variant, item.revision) == (variant.name, self.revision)]
        return [item for item in mine if item.is_worn]

    def is_full(self, alive: list[Worker], variant: ProductionVariant) -> bool:
        """Whether a variant has all workers that it ought to have, and they can answer."""
        return sum(item.is_ready for item in self.workers(alive, variant)) >= self.wanted(variant)

    def is_ready(self, alive: list[Worker]) -> bool:
        """Whether every variant has all workers that it ought to have, and they can answer."""
        return all(self.is_full(alive, variant) for variant in self.configuration.production_variants)


def read_fleets(folder: EndpointFolder, progress: UpdateProgress | None) -> list[Fleet]:
    """Return the fleets of an endpoint: the present one first, and during an update the previous one."""
    configuration = folder.configuration()
    scale = folder.scale() if configuration.scaling is not None else None
    scaled = scale.workers() if scale is not None else {}
    if progress is None or progress.is_over or progress.revision != configuration.revision:
        return [Fleet(configuration, scaled=scaled, may_sleep=True)]
    previous = folder.configuration(progress.previous)
    share, capacity, rest = progress.share, 1.0, 1.0
    if progress.policy.kind == "rolling":
        capacity, rest = progress.policy.next_share(share), 1 - share
    return [Fleet(configuration, share, capacity, scaled), Fleet(previous, 1 - share, rest, scaled)]


def missing(fleets: list[Fleet], alive: list[Worker]) -> list[tuple[ProductionVariant, int]]:
    """Return the variant and revision of each worker that is to be started."""
    found = []
    for fleet in fleets:
        for variant in fleet.configuration.production_variants:
            found += [(variant, fleet.revision)] * (fleet.wanted(variant) - len(fleet.workers(alive, variant)))
    return found


def surplus(fleets: list[Fleet], alive: list[Worker]) -> list[Worker]:
    """Return the workers that are to end: beyond the wanted number, or of no fleet once the present one is ready."""
    found: list[Worker] = []
    for fleet in fleets:
        for variant in fleet.configuration.production_variants:
            found += fleet.workers(alive, variant)[fleet.wanted(variant) :]
            if fleet.is_full(alive, variant):
                found += fleet.worn(alive, variant)
    if fleets[0].is_ready(alive):
        known = {
            (variant.name, fleet.revision) for fleet in fleets for variant in fleet.configuration.production_variants
        }
        found += [item for item in alive if (item.variant, item.revision) not in known]
    return found


def route_table(fleets: list[Fleet], workers: list[Worker], address: Callable[[str], str]) -> tuple[Route, ...]:
    """Return the routes to all ready workers; those of no fleet take traffic only while no other can."""
    weights: dict[tuple[str, int], float] = {}
    for fleet in fleets:
        variants = fleet.configuration.production_variants
        whole = sum(variant.weight for variant in variants) or 1.0
        for variant in variants:
            weights[variant.name, fleet.revision] = fleet.share * variant.weight / whole
    ready = [worker for worker in workers if worker.is_ready]
    keys = sorted({(worker.variant, worker.revision) for worker in ready})
    is_served = any(weights.get(key, 0.0) > 0 for key in keys)
    return tuple(
        Route(
            variant,
            revision,
            weights.get((variant, revision), 0.0) if is_served else 1.0,
            tuple(sorted(address(item.id) for item in ready if (item.variant, item.revision) == (variant, revision))),
        )
        for variant, revision in keys
    )
