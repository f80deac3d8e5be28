"""From the bytes of an invocation to those of its reply, in the words of whoever asks; no sockets, no event loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from kernel_tools.core.errors import AtelierError, NotFoundError
from kernel_tools.hosting.engines.protocol import Engine, Payload, PayloadEngine
from kernel_tools.hosting.wire import JSON_TYPE
from kernel_tools.hosting.wire.contents import decode_json, normalise, read_body
from kernel_tools.hosting.wire.dispatch import Operation, Route
from kernel_tools.hosting.wire.errors import ModelError, error_body, error_headers, error_status
from kernel_tools.hosting.wire.replies import plain_values, write_reply

_log = logging.getLogger("atelier.endpoint")

Headers = list[tuple[bytes, bytes]]

MOST_TOGETHER = 32
"""Requests that are joined into one call of the model."""
MOST_ROWS_TOGETHER = 2048
_JOINED_FORMS = ("dataframe_records", "instances")
_SAGEMAKER_PREFIX = b"x-amzn-sagemaker-"
_BATCH_GAIN = 0.5
"""Joining pays if eight rows at once take less than this part of what eight single rows take."""


@dataclass(slots=True)
class Request:
    """An invocation: what its path asks for, its headers by name in lower case, and its body."""

    route: Route
    headers: Mapping[bytes, bytes]
    body: bytes


@dataclass(slots=True)
class Reply:
    """A status, headers and a body; `model_seconds` is what the model took of the time."""

    status: int
    headers: Headers
    body: bytes
    model_seconds: float = 0.0


@dataclass(slots=True)
class Subject:
    """What an endpoint tells of itself: its name, which version answers as which variant, and where its log is."""

    endpoint: str
    model: str = ""
    version: int = 0
    variant: str = ""
    log: str = ""
    classes: Sequence[str] | None = None


@dataclass(slots=True)
class _Asked:
    """The rows of a request, and how their predictions are written: as a body and its content type."""

    form: Any
    write: Callable[[Mapping[str, Any]], tuple[bytes, str]]
    custom_attributes: str | None = None
    is_stream: bool = False


@dataclass(slots=True)
class Answerer:
    """Answers invocations by one engine; may be called by several threads if the engine may.

    Parameters
    ----------
    subject
        What it tells of itself.
    engine
        The model.
    joins
        Whether requests that come together are given to the model together.
    """

    subject: Subject
    engine: Engine | PayloadEngine
    joins: bool = False
    _columns: Any = field(init=False, default=None)
    _passes: PayloadEngine | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._passes = self.engine if isinstance(self.engine, PayloadEngine) else None  # once: it takes microseconds
        signature = self.engine.signature if isinstance(self.engine, Engine) else None
        self._columns = signature.columns if signature is not None and signature.columns else None

    def answer(self, requests: list[Request]) -> list[Reply]:
        """Answer requests that came together."""
        if len(requests) > 1 and self.joins:
            joined = self._answer_joined(requests)
            if joined is not None:
                return joined
        return [self.answer_one(request) for request in requests]

    def answer_one(self, request: Request) -> Reply:
        """Answer one request; nothing is raised."""
        began = time.perf_counter()
        try:
            if self._passes is not None:
                reply = self._pass_on(self._passes, request)
            else:
                engine: Engine = self.engine  # type: ignore[assignment]  # one or the other
                asked = self._read(request)
                reply = self._written(asked, engine.predict(engine.read(asked.form)))
        except Exception as error:
            reply = self.refuse(request.route.operation, error)
        reply.model_seconds = time.perf_counter() - began
        return reply

    def warm_up(self, sample: Sequence[Any]) -> None:
        """Answer the sample before the first client does, and see whether joining requests pays for this model."""
        if not sample or not isinstance(self.engine, Engine):
            return
        form = "dataframe_records" if isinstance(sample[0], dict) else "instances"
        try:
            self._time(form, list(sample[:1]))
            one = self._time(form, list(sample[:1]))
            eight = self._time(form, (list(sample) * 8)[:8])
        except AtelierError as error:
            _log.warning("The sample row of the model version is refused: %s", error)
            return
        self.joins = not self.engine.is_quick and eight < _BATCH_GAIN * 8 * one

    def describe(self, route: Route) -> Reply:
        """Answer what is asked about the endpoint; NotFoundError for another model."""
        subject, operation = self.subject, route.operation
        if operation is Operation.PING:
            told = {"status": "InService", "endpoint": subject.endpoint}
            return _json_reply(told | {"model": subject.model, "version": subject.version})
        if operation in (Operation.V2_LIVE, Operation.V2_READY):
            return _json_reply({"live" if operation is Operation.V2_LIVE else "ready": True})
        from kernel_tools import __version__
        from kernel_tools.hosting.wire import open_inference as v2

        if operation is Operation.V2_SERVER_METADATA:
            return _reply(v2.server_metadata(__version__))
        self._check_model(route)
        if operation is Operation.V2_MODEL_READY:
            return _json_reply({"name": route.parameters["model"], "ready": True})
        signature = self.engine.signature if isinstance(self.engine, Engine) else None
        tensor = signature.tensor if signature is not None else None
        body = v2.model_metadata(
            route.parameters["model"],
            [str(subject.version)],
            self._columns or (),
            None if tensor is None else (tensor.dtype, tensor.shape),
            subject.classes,
        )
        return _reply(body)

    def refuse(self, operation: Operation | None, error: Exception) -> Reply:
        """Return the reply to an error, in the shape of the dialect; what nobody raised on purpose tells nothing."""
        if not isinstance(error, AtelierError):
            _log.exception("A request failed inside Atelier; please report this", exc_info=error)
        if operation is not None and operation.is_sagemaker:
            from kernel_tools.hosting.wire.sagemaker import error_reply

            status, headers, body = error_reply(error, self.subject.log)
            return Reply(status, headers, body)
        if isinstance(error, AtelierError):
            status, code, message = error_status(error), type(error).__name__, str(error)
            headers = error_headers(error)
        else:
            status, code, headers = 500, "InternalError", []
            message = (
                f"Endpoint {self.subject.endpoint!r} failed on this request inside Atelier. Its log has the details."
            )
        message = message.encode("utf-8", "replace").decode()
        if operation is not None and operation.is_v2:
            return _json_reply({"error": message}, status, headers)
        told: dict[str, Any] = error_body(code, message)
        if isinstance(error, ModelError):
            told["error"]["original_status"] = error.original_status
        return _json_reply(told, status, headers)

    def _time(self, form: str, rows: list[Any]) -> float:
        assert isinstance(self.engine, Engine)
        read = self.engine.read({form: rows})
        began = time.perf_counter()
        self.engine.predict(read)
        return time.perf_counter() - began

    def _check_model(self, route: Route) -> None:
        name, version = route.parameters["model"], route.parameters.get("version")
        if name not in (self.subject.endpoint, self.subject.model):
            raise NotFoundError(f"There is no model {name[:80]!r} here: this endpoint serves {self.subject.model!r}.")
        if version not in (None, str(self.subject.version)):
            raise NotFoundError(
                f"Version {version[:20]!r} of {name!r} is not served here: this is {self.subject.version}."
            )

    def _read(self, request: Request) -> _Asked:
        operation = request.route.operation
        if operation is Operation.INVOKE and _SAGEMAKER_PREFIX not in b" ".join(request.headers):
            kind = request.headers.get(b"content-type", b"").decode("latin-1")
            accept = request.headers.get(b"accept", b"*/*").decode("latin-1")
            form = self._form(request.body, kind)
            return _Asked(form, write_reply if accept == "*/*" else partial(write_reply, accept=accept))
        if operation is Operation.V2_INFER:
            return self._read_v2(request)
        from kernel_tools.hosting.wire.sagemaker import read_headers

        self._check_endpoint(request.route)
        asked = read_headers(operation, _texts(request.headers))
        is_stream = operation is Operation.SAGEMAKER_INVOKE_STREAM
        write = partial(write_reply, accept=asked.accept)
        return _Asked(self._form(request.body, asked.content_type), write, asked.custom_attributes, is_stream)

    def _form(self, body: bytes, content_type: str) -> Any:
        if content_type in ("", JSON_TYPE):
            return normalise(decode_json(body))
        return read_body(body, content_type, self._columns)

    def _read_v2(self, request: Request) -> _Asked:
        from kernel_tools.hosting.wire.open_inference import read_infer, write_infer

        self._check_model(request.route)
        asked = read_infer(request.body, self._columns, _texts(request.headers))
        name, version = request.route.parameters["model"], str(self.subject.version)
        return _Asked(asked.rows, lambda reply: (write_infer(reply, asked, name, version), JSON_TYPE))

    def _check_endpoint(self, route: Route) -> None:
        name = route.parameters.get("endpoint", self.subject.endpoint)
        if name != self.subject.endpoint:
            raise NotFoundError(f"Endpoint {name[:80]!r} is not served here: this is {self.subject.endpoint!r}.")

    def _written(self, asked: _Asked, predicted: Mapping[str, Any]) -> Reply:
        body, kind = asked.write(predicted)
        if asked.is_stream:
            return self._stream(Payload(body, kind), asked.custom_attributes)
        headers: Headers = [(b"content-type", kind.encode("latin-1"))]
        if asked.custom_attributes is not None:
            headers.append(
                (b"x-amzn-sagemaker-custom-attributes", asked.custom_attributes.encode("latin-1", "replace"))
            )
        return Reply(200, headers, body)

    def _stream(self, payload: Payload, custom_attributes: str | None) -> Reply:
        from kernel_tools.hosting.wire.event_stream import payload_parts
        from kernel_tools.hosting.wire.sagemaker import stream_headers

        headers = stream_headers(payload.content_type, self.subject.variant, custom_attributes)
        kept = [item for item in headers if item[0] != b"x-amzn-invoked-production-variant"]
        return Reply(200, kept, b"".join(payload_parts([payload.body])))

    def _pass_on(self, engine: PayloadEngine, request: Request) -> Reply:
        from kernel_tools.hosting.wire.sagemaker import read_headers

        operation = request.route.operation
        if operation is Operation.V2_INFER:
            raise NotFoundError("This model's own code answers: POST to /invocations what it takes.")
        self._check_endpoint(request.route)
        asked = read_headers(operation, _texts(request.headers))
        given = engine.invoke(Payload(request.body, asked.content_type or JSON_TYPE), asked.accept or JSON_TYPE)
        is_stream = operation is Operation.SAGEMAKER_INVOKE_STREAM
        write: Any = lambda _: (given.body, given.content_type)  # noqa: E731  # it is a field, not a name
        return self._written(_Asked(None, write, asked.custom_attributes, is_stream), {})

    def _answer_joined(self, requests: list[Request]) -> list[Reply] | None:
        """Answer by one call of the model; None if they do not fit together, or one of them is wrong."""
        began = time.perf_counter()
        engine = self.engine
        assert isinstance(engine, Engine)
        try:
            asked = [self._read(request) for request in requests]
            rows = [_rows(item.form) for item in asked]
            if None in rows or len({key for key, _ in rows}) > 1:  # type: ignore[misc]  # none is None
                return None
            lists = [values for _, values in rows]  # type: ignore[misc]
            if sum(map(len, lists)) > MOST_ROWS_TOGETHER:
                return None
            whole = engine.predict(engine.read({rows[0][0]: [row for values in lists for row in values]}))  # type: ignore[index]
            if any(len(whole[name]) != sum(map(len, lists)) for name in whole if name != "classes"):
                return None
            replies, start = [], 0
            for item, values in zip(asked, lists, strict=True):
                stop = start + len(values)
                part = {name: found if name == "classes" else found[start:stop] for name, found in whole.items()}
                replies.append(self._written(item, part))
                start = stop
        except Exception:
            return None  # each is answered alone, and the wrong ones are told
        seconds = time.perf_counter() - began
        for reply in replies:
            reply.model_seconds = seconds
        return replies


def _rows(form: Any) -> tuple[str, list[Any]] | None:
    if isinstance(form, dict) and len(form) == 1:
        key, values = next(iter(form.items()))
        if key in _JOINED_FORMS and isinstance(values, list) and values:
            return key, values
    return None


def _texts(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


def _reply(body: bytes, status: int = 200, headers: Headers | None = None) -> Reply:
    return Reply(status, [(b"content-type", JSON_TYPE.encode()), *(headers or [])], body)


def _json_reply(told: Any, status: int = 200, headers: Headers | None = None) -> Reply:
    return _reply(msgspec.json.encode(plain_values(told)), status, headers)
