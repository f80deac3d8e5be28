"""An endpoint as a person holds it: what it is doing, what it answers, and how it is ended."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.links import studio_url
from kernel_tools.hosting import lifecycle, lineage
from kernel_tools.hosting.asynchronous.requests import AsyncRequests
from kernel_tools.hosting.client import EndpointClient, encode_rows, label_array
from kernel_tools.hosting.doors import read_token
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.operation import DEFAULT_TIMEOUT, EndpointOperation
from kernel_tools.hosting.records import EndpointRecord, EndpointState, Security
from kernel_tools.registry.records import VersionRecord

if TYPE_CHECKING:
    import numpy as np


class Endpoint(EndpointOperation, AsyncRequests):
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
    def security(self) -> Security:
        """Who may call it, and whether it speaks TLS."""
        return self._folder.configuration().security

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

    def delete(self) -> None:
        """End the process after the requests that it is answering, and remove the endpoint."""
        lifecycle.delete(self._folder)

    def logs(self, tail: int = 200) -> str:
        """Return the last lines that the endpoint's process wrote."""
        if tail < 1:
            raise InvalidArgumentError(f"tail={tail} lines cannot be read: ask for at least 1.")
        return self._folder.log(tail)

    @property
    def log_path(self) -> Path:
        """The file that the endpoint's processes print to; none before they have begun."""
        return self._folder.log_path

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
