"""What endpoints did over time, over HTTP; counted and drawn in `kernel_tools.hosting`."""

from __future__ import annotations

import math
from dataclasses import asdict

from pydantic import Field, FiniteFloat

from kernel_tools import hosting
from kernel_tools.core.errors import AtelierError, NotFoundError
from kernel_tools.core.figures import figure_json
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Name, PlotlyFigure, Query, Reply

GLANCE_SECONDS, GLANCE_POINTS = 900.0, 30
MOST_AT_A_GLANCE = 100


class EndpointHistoryQuery(Query):
    """How far back."""

    seconds: float = Field(900.0, ge=60, le=7 * 86_400)


class EndpointHistory(Reply):
    """What an endpoint did: figures by name, none if nothing is known of the time, and the numbers of all of it.

    `numbers` has rates in 1/s and latencies in milliseconds; null is not known.
    """

    figures: dict[str, PlotlyFigure]
    numbers: dict[str, FiniteFloat | None]


class GlanceRequest(Body):
    """Which endpoints."""

    names: list[Name] = Field(max_length=MOST_AT_A_GLANCE)


class Glance(Reply):
    """An endpoint in the last quarter of an hour: requests a second over time, latencies of all of it in milliseconds.

    `share` is the part of the requests that each variant is to get, `workers` and `ready` are numbers of workers.
    """

    name: str
    requests: list[FiniteFloat | None]
    requests_per_second: FiniteFloat | None
    latency_p50: FiniteFloat | None
    latency_p99: FiniteFloat | None
    share: dict[str, FiniteFloat]
    workers: int
    ready: int


class Glances(Reply):
    """Endpoints at a glance; those that are gone or broken are left out."""

    glances: list[Glance]


class HistoryHandler(StudioHandler):
    """The history of one endpoint."""

    path = "/endpoints/{name}/history"
    auth_resource = "hosting"

    @operation("get_endpoint_history", "Draw what an endpoint did over time", raises=(NotFoundError,))
    def get(self, name: Name, query: EndpointHistoryQuery) -> EndpointHistory:
        """Answer the figures and the numbers."""
        endpoint = hosting.get(name, workspace=self.workspace)
        drawn = hosting.history_figures(endpoint.history(query.seconds))
        plain = {key: figure_json(figure) for key, figure in drawn.items()}
        window = endpoint.recently(query.seconds)
        numbers = asdict(window.whole) | {"cpu": window.cpu, "memory": window.memory, "backlog": window.backlog}
        return EndpointHistory(
            figures={key: PlotlyFigure(data=figure["data"], layout=figure["layout"]) for key, figure in plain.items()},
            numbers={key: _known(value) for key, value in numbers.items()},
        )


class GlancesHandler(StudioHandler):
    """Many endpoints at a glance."""

    path = "/endpoint-glances"
    auth_resource = "hosting"

    @operation("glance_at_endpoints", "Show what endpoints did lately", action="read")
    def post(self, body: GlanceRequest) -> Glances:
        """Answer those that there are."""
        found = []
        for name in body.names:
            try:
                found.append(_glance(hosting.get(name, workspace=self.workspace)))
            except AtelierError:
                continue  # the list says what is wrong with it
        return Glances(glances=found)


def _glance(endpoint: hosting.Endpoint) -> Glance:
    variants, ready = endpoint.variants, endpoint.ready_workers()
    weights = {variant.name: variant.weight for variant in variants}
    window = endpoint.recently(GLANCE_SECONDS).whole
    return Glance(
        name=endpoint.name,
        requests=[_known(item.whole.requests_per_second) for item in endpoint.history(GLANCE_SECONDS, GLANCE_POINTS)],
        requests_per_second=_known(window.requests_per_second),
        latency_p50=_known(window.latency_p50),
        latency_p99=_known(window.latency_p99),
        share={name: weight / sum(weights.values()) for name, weight in weights.items()},
        workers=sum(variant.workers for variant in variants),
        ready=sum(ready.values()),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


HANDLERS: list[type[StudioHandler]] = [HistoryHandler, GlancesHandler]
