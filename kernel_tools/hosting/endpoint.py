"""An endpoint as a person holds it: what it is doing, what it answers, and how it is ended."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.links import studio_url
from kernel_tools.hosting import lifecycle, lineage
from kernel_tools.hosting.asynchronous.records import DEFAULT_TIMEOUT_SECONDS, DEFAULT_TTL_SECONDS
from kernel_tools.hosting.choosing import AUTO, choose_variant
from kernel_tools.hosting.client import EndpointClient, encode_rows, label_array
from kernel_tools.hosting.counters import named_metrics, read_counters, sum_counters
from kernel_tools.hosting.custom_metrics import MetricValue, put_metric
from kernel_tools.hosting.doors import read_token
from kernel_tools.hosting.folder import EndpointFolder, ProductionVariant, current_time
from kernel_tools.hosting.records import MAX_WORKERS, EndpointRecord, EndpointState, ScalingMetric, ScalingPolicy
from kernel_tools.hosting.updates import UpdatePolicy, UpdateProgress
from kernel_tools.registry.records import VersionRecord

if TYPE_CHECKING:
    import os

    import numpy as np

    from kernel_tools.hosting.asynchronous import AsyncConfiguration, AsyncInference, AsyncMetrics, AsyncRecord, Notify

DEFAULT_TIMEOUT = 60.0


class Endpoint:
    """A model version that answers requests in a process of its own; made by `deploy` and `get`.

    The object holds no state: every property reads what is true now, whoever changed it.
    """

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._client = EndpointClient(folder.name, self._credentials)
        self._url: str | None = None

    def __repr__(self) -> str:
        try:
            record = self.record
        except NotFoundError:
            return f"<Endpoint {self.name!r}, deleted>"
        return f"<Endpoint {self.name!r}, {record.model} version {record.version}, {record.state.value}>"

    def _repr_html_(self) -> str:
        try:
            record = self.record
        except NotFoundError:
            return f"<p>Endpoint <b>{html.escape(self.name)}</b> is deleted.</p>"
        url, page = html.escape(record.url or ""), html.escape(self.page_url)
        rows = {
            "Endpoint": f'<a href="{page}" target="_blank">{html.escape(record.name)}</a>',
            "Model": f"{html.escape(record.model)}, version {record.version}",
            "State": html.escape(f"{record.state.value} {record.reason}".strip()),
            "URL": f"<code>{url}</code>",
        }
        row = '<tr><th style="text-align:left">{}</th><td>{}</td></tr>'
        return f"<table>{''.join(row.format(*item) for item in rows.items())}</table>"

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self._folder.name

    @property
    def record(self) -> EndpointRecord:
        """Everything about the endpoint, as it is now; NotFoundError once it is deleted."""
        return lineage.with_present_name(self._folder.workspace, self._folder.record())

    @property
    def served_version(self) -> VersionRecord:
        """The model version as it was when the endpoint was deployed; IntegrityError if that file is broken."""
        return self._folder.configuration().version

    @property
    def state(self) -> EndpointState:
        """What it is doing, in SageMaker's words."""
        return self._folder.current_status().state

    @property
    def url(self) -> str:
        """Where it answers: ``http://127.0.0.1:<port>``; UnavailableError if it is not in service."""
        record = self._folder.record()
        if record.url is None:
            reason = record.reason or f"It is {record.state.value}."
            raise UnavailableError(f"Endpoint {self.name!r} is not in service. {reason}")
        return record.url

    @property
    def lineage_node(self) -> str:
        """The id of the endpoint's node in lineage graphs."""
        return lineage.endpoint_node_id(self.name)

    @property
    def page_url(self) -> str:
        """The address of the endpoint's page in the studio."""
        return studio_url(f"endpoint/{self.name}")

    def predict(self, X: Any) -> np.ndarray:
        """Predict rows: labels of a classifier, values of a regressor.

        Parameters
        ----------
        X
            A DataFrame, a dict or Series (one row), a list of dicts, or an array with one row in each item. Missing
            values are sent as null. Rows beyond the size limit of one request (6 MB) are sent in several.

        Returns
        -------
        numpy.ndarray
            What the model's own `predict` returns; a prediction that is not finite is NaN.

        Raises
        ------
        InvalidDataError
            If values do not fit the model's signature; the message names row and column.
        ModelError
            If the model itself fails.
        UnavailableError
            If the endpoint is not in service.
        """
        replies = [self._send(body) for body in encode_rows(X)]
        return label_array([item for reply in replies for item in reply["predictions"]])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class, shape (rows, classes); arguments and errors as for `predict`.

        Raises
        ------
        InvalidArgumentError
            If the model gives no probabilities.
        """
        replies = [self._send(body) for body in encode_rows(X)]
        if "probabilities" not in replies[0]:
            raise InvalidArgumentError(f"The model of endpoint {self.name!r} gives no probabilities: use predict.")
        return label_array([item for reply in replies for item in reply["probabilities"]])

    def invoke(self, rows: Sequence[Mapping[str, Any]] | Sequence[object]) -> dict[str, Any]:
        """Send rows and return the reply: ``predictions`` and, for a classifier, ``probabilities`` and ``classes``.

        Rows are dictionaries of columns, or nested lists for a model that takes arrays.
        """
        bodies = encode_rows(list(rows))
        replies = [self._send(body) for body in bodies]
        joined = dict(replies[0])
        for name in ("predictions", "probabilities"):
            if name in joined:
                joined[name] = [item for reply in replies for item in reply[name]]
        return joined

    def wait(self, timeout: float = DEFAULT_TIMEOUT) -> Endpoint:
        """Wait until the endpoint is InService; UnavailableError if it fails or takes longer than `timeout` seconds."""
        lifecycle.wait_until_in_service(self._folder, timeout)
        return self

    def restart(self, timeout: float = DEFAULT_TIMEOUT) -> Endpoint:
        """Start the process anew, on the same port if it is free, whether it runs or not; then wait for it."""
        lifecycle.relaunch(self._folder)
        return self.wait(timeout) if timeout > 0 else self

    def update(
        self,
        version: int | None = None,
        *,
        variants: Sequence[ProductionVariant] | None = None,
        policy: UpdatePolicy | None = None,
        engine: str = AUTO,
        trust: bool = False,
        timeout: float = 600.0,
    ) -> Endpoint:
        """Serve another version, or several variants by weight, without dropping a request.

        Parameters
        ----------
        version
            The version of the same model that is to take all traffic; None is the newest approved one.
        variants
            Instead of a version: the production variants.
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
        UnavailableError
            If the update was rolled back, with the reason, or is not over in time.
        """
        wanted = tuple(variants or ())
        if not wanted:
            present = self._folder.configuration().production_variants[0]
            models = [*(item.model for item in present.before), self.record.model]
            versions = [*(item.version for item in present.before), version]
            options: dict[str, Any] = {"engine": engine, "command": present.command, "app": present.app}
            chosen = choose_variant(self._folder.workspace, models, versions, trust=trust, **options)
            wanted = (replace(chosen, name=present.name, workers=present.workers),)
        if len({variant.name for variant in wanted}) < len(wanted):
            raise InvalidArgumentError("Two variants have one name: name each once.")
        begun = lifecycle.update(self._folder, wanted, policy or UpdatePolicy())
        if timeout > 0:
            lifecycle.wait_until_updated(self._folder, begun.revision, timeout)
        return self

    def rollback(self, timeout: float = 600.0) -> Endpoint:
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
    ) -> Endpoint:
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

        Workers write what they count four times a second.
        """
        return named_metrics(sum_counters(read_counters(self._folder.metrics_path)))

    def put_metric(self, name: str, value: float) -> None:
        """Tell a value of a metric of your own, such as a drift, for an `Alarm` to watch.

        Raises
        ------
        InvalidArgumentError
            If the name cannot be used, or the value is not finite.
        """
        self._folder.require()
        put_metric(self._folder.custom_metrics_path, MetricValue(current_time(), name, float(value)))

    def invoke_async(
        self,
        payload: Any,
        *,
        content_type: str | None = None,
        accept: str | None = None,
        inference_id: str | None = None,
        ttl_seconds: int = DEFAULT_TTL_SECONDS,
        timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS,
        retries: int | None = None,
        output: str | os.PathLike[str] | None = None,
        notify: Notify | str | Sequence[str] | None = None,
    ) -> AsyncInference:
        """Queue a request, which is answered when its turn comes, also if this process is gone by then.

        Parameters
        ----------
        payload
            Bytes, up to 1 GB; a path or ``file://`` URI of a file, which is read when its turn comes and stays yours;
            or rows as for `predict`.
        content_type, accept
            What the payload is, and what the output should be. Default: by the end of a file's name, else JSON.
        inference_id
            Names the request; given twice with the same payload it is queued once. Default: a new one.
        ttl_seconds
            How long it may wait before it is Expired; 60 to 21,600.
        timeout_seconds
            How long the model may take for it; 1 to 3,600.
        retries
            How often it is tried again if the model fails; default the endpoint's, which is 3.
        output
            Path of the output; default a file in the endpoint's folder, which goes with the endpoint.
        notify
            Who is told when it is over: URLs, paths of files, or "event"; see `Notify`.

        Raises
        ------
        ConflictError
            If the inference id is known with another payload, or the output exists.
        UnavailableError
            If the disk is full.
        """
        from kernel_tools.hosting.asynchronous.submission import content_type_of, encode_payload, submit

        record = submit(
            self._folder,
            encode_payload(payload),
            content_type=content_type or content_type_of(payload),
            accept=accept or "",
            inference_id=inference_id,
            ttl_seconds=ttl_seconds,
            timeout_seconds=timeout_seconds,
            retries=retries,
            output=output,
            notify=notify,
        )
        return self.async_request(record.id)

    def async_request(self, inference_id: str) -> AsyncInference:
        """Return an asynchronous request by its id; it need not exist."""
        from kernel_tools.hosting.asynchronous.inference import AsyncInference

        return AsyncInference(self._folder, inference_id)

    def async_requests(self, state: str | None = None, limit: int = 100) -> list[AsyncRecord]:
        """Return asynchronous requests, the newest first; `state` is Queued, InProgress, Completed, Failed, ..."""
        return self.async_page(state, limit)[0]

    def async_page(
        self, state: str | None = None, limit: int = 100, page_token: str | None = None
    ) -> tuple[list[AsyncRecord], str | None]:
        """Return a page of asynchronous requests as `async_requests` does, and the token of the next page."""
        from kernel_tools.hosting.asynchronous.queue import AsyncQueue, has_queue
        from kernel_tools.hosting.asynchronous.records import as_state

        wanted = as_state(state)
        if not has_queue(self._folder):
            self._folder.require()
            return [], None
        with AsyncQueue(self._folder) as queue:
            return queue.page(wanted, limit, page_token)

    def async_metrics(self) -> AsyncMetrics:
        """Return the queue in numbers: backlog, age of the oldest request in seconds, requests by state."""
        from kernel_tools.hosting.asynchronous.queue import AsyncQueue, has_queue
        from kernel_tools.hosting.asynchronous.records import AsyncMetrics

        if not has_queue(self._folder):
            self._folder.require()
            return AsyncMetrics.of_nothing()
        instances = sum(worker.is_ready for worker in self._folder.current_status().workers)
        with AsyncQueue(self._folder) as queue:
            return queue.metrics(instances)

    def configure_async(self, configuration: AsyncConfiguration) -> Endpoint:
        """Set how many asynchronous requests are sent at a time, where outputs appear, and who is told."""
        from kernel_tools.hosting.asynchronous.configuration import write_configuration

        write_configuration(self._folder, configuration)
        return self

    def delete(self) -> None:
        """End the process after the requests that it is answering, and remove the endpoint."""
        lifecycle.delete(self._folder)

    def logs(self, tail: int = 200) -> str:
        """Return the last lines that the endpoint's process wrote."""
        if tail < 1:
            raise InvalidArgumentError(f"tail={tail} lines cannot be read: ask for at least 1.")
        return self._folder.log(tail)

    def _credentials(self) -> tuple[str, str]:
        return read_token(self._folder.token_path), self._folder.configuration().security.certificate

    def _send(self, body: bytes) -> dict[str, Any]:
        """Send to the last known address; look it up again if nobody answers there, for a restart may have moved it."""
        if self._url is None:
            self._url = self.url
        try:
            return self._client.invoke(self._url, body)
        except UnavailableError:
            known, self._url = self._url, None
            if self.url == known:
                raise
            self._url = self.url
            return self._client.invoke(self._url, body)
