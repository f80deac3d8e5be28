"""Data capture: samples of requests and replies on disk, in SageMaker's layout of JSON Lines.

``<endpoint>/<variant>/yyyy/mm/dd/hh/<mm-ss-ms>-<id>.jsonl``, in UTC. A thread of its own writes whole files, one after
some seconds or megabytes; what still waits for its file when the process is killed is lost. The request only puts the
bytes into a bounded queue: when that is full, or the disk is, the sample is dropped and counted. Where the workspace is
encrypted, a file is an encrypted blob (`core.encryption`) and ends with ``.jsonl.enc``.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import queue
import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kernel_tools.core.encryption import CHUNK_SIZE, write_encrypted
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.records import CaptureConfig

_log = logging.getLogger(__name__)

SUFFIXES = (".jsonl", ".jsonl.enc")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its reply. `time` is seconds since 1970 UTC."""

    input: bytes
    input_type: str
    output: bytes
    output_type: str
    time: float
    inference_id: str = ""
    custom_attributes: str = ""

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, about."""
        return len(self.input) + len(self.output) + 512


class CaptureWriter:
    """Writes samples of one variant's traffic; `offer` may be called by many threads.

    Parameters
    ----------
    folder
        Where the variant's captures lie: ``<capture root>/<endpoint>/<variant>``.
    config
        What is captured.
    key
        The workspace's encryption key; None writes plain files.
    """

    def __init__(self, folder: Path, config: CaptureConfig, key: bytes | None = None) -> None:
        self._folder, self._config, self._key = folder, config, key
        self._queue: queue.SimpleQueue[Exchange | threading.Event | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._is_closed = False
        self._lines: list[bytes] = []
        self._size = 0
        self._first = 0.0
        self.captured = 0
        """Samples that were written."""
        self.dropped = 0
        """Samples that were not, because the queue was full or the disk refused."""
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def offer(self, exchange: Exchange) -> None:
        """Capture an exchange if it is sampled. Never waits, and never raises."""
        if random.random() * 100 >= self._config.sampling_percentage:  # noqa: S311  # a sample, not a secret
            return
        with self._lock:
            if self._is_closed or self._waiting + exchange.size > self._config.max_waiting_bytes:
                self.dropped += 1
                return
            self._waiting += exchange.size
        self._queue.put(exchange)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until what was offered so far is on disk; False if that takes longer than `timeout` seconds."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits, and end."""
        with self._lock:
            self._is_closed = True
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            wait = self._first + self._config.flush_seconds - time.monotonic() if self._lines else None
            try:
                item = self._queue.get(timeout=None if wait is None else max(wait, 0.001))
            except queue.Empty:
                self._write()
                continue
            if isinstance(item, Exchange):
                self._add(item)
                continue
            self._write()
            if item is None:
                return
            item.set()

    def _add(self, exchange: Exchange) -> None:
        try:
            line = encode_event(exchange, self._config)
        except Exception:
            _log.exception("A request could not be captured")
            line = b""
        with self._lock:
            self._waiting -= exchange.size
            self.dropped += not line
        if not line:
            return
        if not self._lines:
            self._first = time.monotonic()
        self._lines.append(line)
        self._size += len(line)
        if self._size >= self._config.max_file_bytes:
            self._write()

    def _write(self) -> None:
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        try:
            write_file(self._folder, lines, self._key)
            self.captured += len(lines)
            remove_oldest(self._folder, self._config.max_disk_bytes)
        except Exception as error:
            with self._lock:
                self.dropped += len(lines)
            _log.warning("%d captured requests could not be written: %s", len(lines), error)


def encode_event(exchange: Exchange, config: CaptureConfig) -> bytes:
    """Return the line of an exchange, in SageMaker's words."""
    data = {}
    if config.inputs:
        data["endpointInput"] = _side(exchange.input, exchange.input_type, "INPUT", config)
    if config.outputs:
        data["endpointOutput"] = _side(exchange.output, exchange.output_type, "OUTPUT", config)
    metadata: dict[str, object] = {"eventId": str(uuid.uuid4())}
    if exchange.custom_attributes:
        metadata["customAttributes"] = [exchange.custom_attributes]
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    metadata["inferenceTime"] = datetime.fromtimestamp(exchange.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return msgspec.json.encode(event) + b"\n"


def _side(body: bytes, content_type: str, mode: str, config: CaptureConfig) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    encoding = "CSV" if kind in config.csv_types else "JSON" if kind in config.json_types else "BASE64"
    text = ""
    if encoding != "BASE64":
        try:
            text = body.decode()
        except UnicodeDecodeError:
            encoding = "BASE64"
    data = base64.b64encode(body).decode() if encoding == "BASE64" else text
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def write_file(folder: Path, lines: list[bytes], key: bytes | None) -> Path:
    """Write a whole file of captured lines, named by the present hour, and return its path."""
    now = datetime.now(UTC)
    name = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4().hex[:12]}"
    path = folder / now.strftime("%Y/%m/%d/%H") / (name + SUFFIXES[key is not None])
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        if key is None:
            file.writelines(lines)
        else:
            write_encrypted(_blocks(b"".join(lines)), file, key)  # type: ignore[arg-type]  # IO[bytes] seeks as well
    return path


def _blocks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK_SIZE):
        yield content[start : start + CHUNK_SIZE]


def capture_files(folder: Path) -> list[Path]:
    """Return the files of a folder and those below it, the oldest first."""
    paths = (path for path in folder.rglob("*") if path.name.endswith(SUFFIXES))
    return sorted(paths, key=lambda path: (path.parts[-5:], path.parts))


def remove_oldest(folder: Path, max_bytes: int) -> int:
    """Remove the oldest files until the rest is within `max_bytes`, and return how many were; the newest stays."""
    sizes = []
    for path in capture_files(folder):
        with contextlib.suppress(FileNotFoundError):
            sizes.append((path, path.stat().st_size))
    total, removed = sum(size for _, size in sizes), 0
    for path, size in sizes[:-1]:
        if total <= max_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size
        removed += 1
        with contextlib.suppress(OSError):  # the folders of other hours are not empty
            for parent in list(path.parents)[:4]:
                parent.rmdir()
    return removed
