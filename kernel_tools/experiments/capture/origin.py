"""What `start_run` records about where a run came from, at the cost of a few milliseconds.

Files are stored once per content and process; a run only refers to them.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass, field

from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.capture.environment import PACKAGES_PATH, describe_environment, environment_text
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.source import read_source
from kernel_tools.experiments.records import ArtifactRecord
from kernel_tools.experiments.run_files import now

SWITCH = "ATELIER_CAPTURE_SOURCE"
"""Environment variable; ``0`` keeps source and environment out of the runs."""

_MAX_STORED = 1000
_FRESH = 1800.0
"""Seconds after which content is stored again: garbage collection spares what was stored within the last hour."""
_LOCK = threading.Lock()
_stored: dict[tuple[Workspace, str], float] = {}
"""When this process stored some content, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The system tags and the artifacts that a new run begins with."""

    tags: dict[str, str] = field(default_factory=dict)
    artifacts: list[ArtifactRecord] = field(default_factory=list)


def describe_origin(workspace: Workspace) -> Origin:
    """Describe source and environment of the calling code and keep their files; what cannot be had is left out."""
    origin = Origin()
    if os.environ.get(SWITCH) == "0":
        return origin
    with guarded("the source of runs"):
        source = read_source()
        origin.tags.update(source.tags)
        for path, content in source.files.items():
            origin.artifacts.append(_keep(workspace, path, content, _media_type(path)))
    with guarded("the environment of runs"):
        text = environment_text(describe_environment()).encode()
        origin.artifacts.append(_keep(workspace, PACKAGES_PATH, text, "text/plain"))
    return origin


def _keep(workspace: Workspace, path: str, content: bytes, media_type: str) -> ArtifactRecord:
    sha256 = hashlib.sha256(content).hexdigest()
    with _LOCK:
        stored_at = _stored.get((workspace, sha256))
        is_fresh = stored_at is not None and time.monotonic() - stored_at < _FRESH
        if not (is_fresh and workspace.artifacts.exists(sha256)):
            workspace.artifacts.put_bytes(content)
            if len(_stored) >= _MAX_STORED:
                _stored.clear()
            _stored[workspace, sha256] = time.monotonic()
    return ArtifactRecord(path, len(content), sha256, media_type, now())


def _media_type(path: str) -> str:
    return "text/x-python" if path.endswith(".py") else "text/x-diff"
