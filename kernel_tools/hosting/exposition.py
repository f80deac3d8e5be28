"""The metrics of an endpoint as Prometheus scrapes them, under SageMaker's names; latencies in microseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kernel_tools.hosting import counters
from kernel_tools.hosting.counters import Counters, sum_counters
from kernel_tools.hosting.wire import prometheus
from kernel_tools.hosting.wire.prometheus import Metric

_COUNTS = {
    "Invocations": ("invocations", "Requests sent to the model."),
    "Invocation4XXErrors": ("invocation_4xx_errors", "Requests that were answered with a status of 400 to 499."),
    "Invocation5XXErrors": ("invocation_5xx_errors", "Requests that were answered with a status of 500 and above."),
    "InvocationModelErrors": ("invocation_model_errors", "Requests on which the model itself failed."),
    "DataCaptureRecords": ("captured", "Requests that data capture has written."),
    "DataCaptureDropped": ("capture_dropped", "Sampled requests that data capture had to drop."),
}
_LATENCIES = {
    "ModelLatency": ("model_latency", "Microseconds that the model took, with reading and writing of the body."),
    "OverheadLatency": ("overhead_latency", "Microseconds of a request beside the model's."),
}


def render_metrics(endpoint: str, counted: list[Counters]) -> tuple[bytes, str]:
    """Return the text of what all workers of an endpoint counted, and its content type."""
    by_variant: dict[str, list[Counters]] = defaultdict(list)
    for item in counted:
        by_variant[item.variant].append(item)
    metrics: list[Metric] = []
    for variant, items in sorted(by_variant.items()):
        metrics += _of_variant(sum_counters(items), {"EndpointName": endpoint, "VariantName": variant})
    return prometheus.render(metrics), prometheus.CONTENT_TYPE


def _of_variant(counted: Counters, labels: dict[str, str]) -> Iterator[Metric]:
    for name, (field, text) in _COUNTS.items():
        yield prometheus.Counter(name, text, getattr(counted, field), labels)
    waiting = "Requests that are being answered."
    yield prometheus.Gauge("ConcurrentRequestsPerModel", waiting, counted.concurrent_requests, labels)
    for name, (field, text) in _LATENCIES.items():
        found: counters.Histogram = getattr(counted, field)
        yield prometheus.Histogram(name, text, counters.BOUNDS, found.buckets, found.total, labels)
