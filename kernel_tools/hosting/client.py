"""The client of an endpoint: one kept connection for each thread, and tables and arrays as JSON rows."""

from __future__ import annotations

import http.client
import math
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, UnavailableError
from kernel_tools.hosting.wire import INVOCATIONS_PATH, JSON_TYPE, MAX_BODY_BYTES, error_of_reply

if TYPE_CHECKING:
    import numpy as np

TIMEOUT_SECONDS = 60.0


class EndpointClient:
    """Sends requests to an endpoint; may be used by many threads.

    Parameters
    ----------
    name
        The endpoint's name, for messages.
    credentials
        Returns the endpoint's own token and the path of its certificate, each empty if it has none; asked for every new
        connection.
    """

    def __init__(self, name: str, credentials: Callable[[], tuple[str, str]] = lambda: ("", "")) -> None:
        self._name, self._credentials = name, credentials
        self._local = threading.local()

    def invoke(self, url: str, body: bytes) -> dict[str, Any]:
        """Post a body and return the reply.

        A connection that the endpoint closed while it was unused is opened anew, once: predicting twice does no harm.

        Raises
        ------
        AtelierError
            The error that the endpoint answered with; UnavailableError if it cannot be reached.
        """
        try:
            status, content = self._post(url, body)
        except TimeoutError as error:
            self._close()
            raise UnavailableError(
                f"Endpoint {self._name!r} did not answer within {TIMEOUT_SECONDS:g} s. "
                "Send fewer rows, or read .logs()."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            self._close()
            raise UnavailableError(f"Endpoint {self._name!r} cannot be reached at {url}: {error}.") from error
        try:
            reply = msgspec.json.decode(content)
        except ValueError:
            reply = None
        if status != 200 or not isinstance(reply, dict):
            raise error_of_reply(status, reply, self._name)
        return reply

    def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        connection, is_kept = self._connection(url)
        headers = self._local.headers
        try:
            return _exchange(connection, body, headers)
        except (ConnectionError, http.client.HTTPException):
            connection.close()
            if not is_kept:
                raise
            return _exchange(connection, body, headers)

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, bool]:
        kept = getattr(self._local, "connection", None)
        if kept is not None and self._local.url == url:
            return kept, kept.sock is not None
        self._close()
        address, host = urlsplit(url), urlsplit(url).hostname or ""
        token, certificate = self._credentials()
        connection: http.client.HTTPConnection
        if address.scheme == "https":
            context = ssl.create_default_context(cafile=certificate or None)
            connection = http.client.HTTPSConnection(host, address.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(host, address.port, timeout=TIMEOUT_SECONDS)
        self._local.connection, self._local.url = connection, url
        self._local.headers = {"Content-Type": JSON_TYPE} | ({"Authorization": f"Bearer {token}"} if token else {})
        return connection, False

    def _close(self) -> None:
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
            self._local.connection = None


def _exchange(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("POST", INVOCATIONS_PATH, body, headers)
    response = connection.getresponse()
    return response.status, response.read()


def encode_rows(rows: Any) -> list[bytes]:
    """Write rows as one or more request bodies, each below the limit of a request's size.

    Parameters
    ----------
    rows
        A DataFrame, a Series (one row), a dict (one row), a list of dicts, a NumPy array or a torch tensor (the first
        dimension counts the rows), or nested lists. NaN, NaT and None are sent as null, dates in ISO 8601.

    Raises
    ------
    InvalidArgumentError
        If it is none of these, or empty.
    InvalidDataError
        If it holds an infinite number, which JSON does not have.
    """
    form, values, columns = _rows_of(rows)
    if not values:
        raise InvalidArgumentError("There are no rows to predict: give at least one.")
    return _encode_parts(form, values, columns)


def encode_whole(rows: Any) -> bytes:
    """Write rows as one body, however large; rows and errors as for `encode_rows`."""
    form, values, columns = _rows_of(rows)
    if not values:
        raise InvalidArgumentError("There are no rows to predict: give at least one.")
    return _encode({form: {"columns": columns, "data": values} if form == "dataframe_split" else values})


def _rows_of(rows: Any) -> tuple[str, list[Any], list[str]]:
    if hasattr(rows, "detach"):
        rows = rows.detach().cpu().numpy()
    if isinstance(rows, Mapping):
        rows = [rows]
    elif hasattr(rows, "to_dict") and getattr(rows, "ndim", 0) == 1:
        rows = [rows.to_dict()]
    if hasattr(rows, "columns") and hasattr(rows, "itertuples"):
        names = [str(name) for name in rows.columns]
        cells = rows.to_numpy(dtype=object)
        columns = [_plain_values(cells[:, index].tolist(), name) for index, name in enumerate(names)]
        return "dataframe_split", [list(row) for row in zip(*columns, strict=True)], names
    if hasattr(rows, "tolist") and getattr(rows, "ndim", 0) >= 1:
        return "instances", _plain_values(rows.tolist(), "array"), []
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes):
        if all(isinstance(row, Mapping) for row in rows):
            records = [dict(zip(row, _plain_values(list(row.values()), "row"), strict=True)) for row in rows]
            return "dataframe_records", records, []
        return "instances", _plain_values(list(rows), "array"), []
    raise InvalidArgumentError(
        f"A {type(rows).__name__} cannot be predicted: give a DataFrame, a dict, a list of dicts or an array."
    )


def _encode_parts(form: str, values: list[Any], columns: list[str]) -> list[bytes]:
    body = _encode({form: {"columns": columns, "data": values} if form == "dataframe_split" else values})
    if len(body) <= MAX_BODY_BYTES or len(values) == 1:
        return [body]
    half = len(values) // 2
    return [*_encode_parts(form, values[:half], columns), *_encode_parts(form, values[half:], columns)]


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body, enc_hook=_plain_object)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(f"The rows cannot be written as JSON: {error}.") from error


def _plain_object(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")


_PLAIN_TYPES = frozenset({int, str, bool, type(None)})


def _plain_values(values: list[Any], where: str) -> list[Any]:
    if _PLAIN_TYPES.issuperset(map(type, values)):
        return values
    return [_plain_value(value, where) for value in values]


def _plain_value(value: Any, where: str) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        if math.isnan(value):
            return None
        raise InvalidDataError(f"{where!r} holds an infinite number, which JSON does not have: replace or drop it.")
    if isinstance(value, list | tuple):
        return _plain_values(list(value), where)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _plain_value(value.item(), where) if hasattr(value, "item") else value


def label_array(predictions: Sequence[Any]) -> np.ndarray:
    """Return predictions as an array; a missing number is NaN."""
    import numpy as np

    array = np.asarray(predictions)
    if array.dtype.kind == "O" and all(value is None or isinstance(value, int | float) for value in array.ravel()):
        return array.astype(np.float64)
    return array
