"""The folder of an endpoint, `endpoints/<name>/`: its configuration, its state, and what the two say about it now.

`endpoint.json` never changes after `deploy`. `state.json` is replaced whole, only by who holds the endpoint's lock.
The state that is shown also depends on whether the process lives, so it is worked out at every reading.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from kernel_tools.core.errors import ConflictError, IntegrityError, NotFoundError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.processes import ProcessIdentity
from kernel_tools.core.workspace import NAME_PATTERN, Workspace, atomic_write, sync_folder, validate_name
from kernel_tools.hosting.configuration import FORMAT_VERSION, EndpointConfiguration, EndpointStatus
from kernel_tools.hosting.records import EndpointRecord, EndpointState
from kernel_tools.hosting.scaling import EndpointScale
from kernel_tools.hosting.updates import UpdateProgress

HOST = "127.0.0.1"
_Document = TypeVar("_Document", EndpointConfiguration, EndpointStatus)
MAX_EVENTS_BYTES = 1024 * 1024
_EXPLAINED = (EndpointState.FAILED, EndpointState.OUT_OF_SERVICE, EndpointState.DELETING)


def current_time() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class EndpointFolder:
    """One endpoint's folder in a workspace; it need not exist."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = validate_name(name, "endpoint name")
        self.workspace = workspace
        self.path = workspace.folder("endpoints", name)
        self.log_path = self.path / "log.txt"
        self.routes_path = self.path / "routes.json"
        self.metrics_path = self.path / "metrics"
        self.modules_path = self.path / "modules.json"
        self.custom_metrics_path = self.path / "custom-metrics.jsonl"
        self.history_path = self.path / "history.jsonl"
        self.token_path = self.path / "token"
        self.captures_path = workspace.folder("captures", name)

    def exists(self) -> bool:
        """Whether there is an endpoint of this name, in whatever state."""
        return self.path.is_dir()

    def require(self) -> None:
        """Raise NotFoundError if there is no endpoint of this name."""
        if not self.exists():
            raise NotFoundError(
                f"There is no endpoint {self.name!r}. kernel_tools.hosting.list_endpoints() lists those that exist; "
                "deploy() makes one."
            )

    @contextmanager
    def lock(self, timeout: float = 30.0) -> Iterator[None]:
        """Hold the endpoint's lock: who changes its state does so alone."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(self.path.parent / f".{self.name}.lock", timeout):
            yield

    def create(self, configuration: EndpointConfiguration, status: EndpointStatus) -> None:
        """Make the folder with both its files appear at once.

        Raises
        ------
        ConflictError
            If the name is taken.
        """
        temporary = self.path.parent / f".{self.name}~{secrets.token_hex(4)}.new"
        temporary.mkdir(parents=True)
        try:
            _write(temporary / "endpoint.json", configuration)
            _write(temporary / "state.json", status)
            if self.exists():
                raise ConflictError(
                    f"There already is an endpoint {self.name!r}. Choose another name=, or delete it first: "
                    f"kernel_tools.hosting.get({self.name!r}).delete()."
                )
            temporary.rename(self.path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(self.path.parent)

    def remove(self) -> None:
        """Make the folder disappear at once, then free its space, and that of removals which were interrupted."""
        if self.exists():
            self.path.rename(self.path.parent / f".{self.name}~{secrets.token_hex(4)}.deleted")
            sync_folder(self.path.parent)
        for leftover in self.path.parent.glob(f".{self.name}~*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def configuration(self, revision: int | None = None) -> EndpointConfiguration:
        """Read `endpoint.json`, or an earlier revision; IntegrityError if broken, NotFoundError without endpoint."""
        self.require()
        present = _read(self.path / "endpoint.json", EndpointConfiguration)
        if revision in (None, present.revision):
            return present
        return _read(self.path / f"endpoint.{revision}.json", EndpointConfiguration)

    def write_configuration(self, configuration: EndpointConfiguration) -> None:
        """Replace `endpoint.json`, keeping the one before as a revision; the caller holds the lock."""
        before = self.configuration()
        _write(self.path / f"endpoint.{before.revision}.json", before)
        _write(self.path / "endpoint.json", configuration)

    def restore_configuration(self, revision: int) -> None:
        """Make an earlier revision the present one again; the caller holds the lock."""
        _write(self.path / "endpoint.json", self.configuration(revision))

    def update_progress(self) -> UpdateProgress | None:
        """Return how far the last update is; None if there never was one."""
        try:
            return msgspec.json.decode((self.path / "update.json").read_bytes(), type=UpdateProgress)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise IntegrityError(f"update.json of endpoint {self.name!r} cannot be read: {error}.") from error

    def write_update(self, progress: UpdateProgress) -> None:
        """Replace `update.json`; the caller holds the lock."""
        with atomic_write(self.path / "update.json") as file:
            file.write(msgspec.json.encode(progress))

    def scale(self) -> EndpointScale | None:
        """Return how the host scaled the endpoint; None if it never did."""
        try:
            return msgspec.json.decode((self.path / "scale.json").read_bytes(), type=EndpointScale)
        except (OSError, ValueError):
            return None  # it is decided anew

    def write_scale(self, scale: EndpointScale | None) -> None:
        """Replace `scale.json`, or remove it so that scaling begins anew; the caller holds the lock."""
        if scale is None:
            (self.path / "scale.json").unlink(missing_ok=True)
            return
        with atomic_write(self.path / "scale.json") as file:
            file.write(msgspec.json.encode(scale))

    def record_event(self, event: str, details: dict[str, object]) -> None:
        """Append to `events.jsonl` what the panel shows as progress; the caller holds the lock."""
        path = self.path / "events.jsonl"
        if path.exists() and path.stat().st_size > MAX_EVENTS_BYTES:
            path.replace(self.path / "events.1.jsonl")
        with path.open("ab") as file:
            file.write(msgspec.json.encode({"time": current_time(), "event": event, **details}) + b"\n")

    def events(self, limit: int) -> list[dict[str, object]]:
        """Return the last events, the newest first; a line that a crash tore off is left out."""
        try:
            lines = (self.path / "events.jsonl").read_bytes().splitlines()[-limit:]
        except FileNotFoundError:
            return []
        found = []
        for line in reversed(lines):
            try:
                found.append(msgspec.json.decode(line, type=dict[str, object]))
            except ValueError:
                continue
        return found

    def status(self) -> EndpointStatus:
        """Read `state.json` as it was written; IntegrityError if it is broken, NotFoundError without endpoint."""
        self.require()
        return _read(self.path / "state.json", EndpointStatus)

    def write_status(self, status: EndpointStatus) -> None:
        """Replace `state.json`; the caller holds the lock."""
        _write(self.path / "state.json", status)

    def current_status(self) -> EndpointStatus:
        """Return the state as it is now: what was written, unless the process that it speaks of is dead."""
        try:
            status = self.status()
        except IntegrityError as error:
            return EndpointStatus(EndpointState.FAILED, "", 0, reason=f"{error} {self._way_out}")
        is_served = any(process.is_alive() for process in status.processes) or host_is_alive(self.workspace)
        has_served = status.state.is_serving or status.in_service_at > 0
        if status.state not in (EndpointState.FAILED, EndpointState.DELETING) and has_served and not is_served:
            reason = f"The processes of endpoint {self.name!r} are gone (killed, or the machine was restarted)."
        elif status.state is EndpointState.CREATING and not is_served and not _is_alive(status.starter):
            reason = f"Endpoint {self.name!r} was never started: the process that deployed it ended before that."
        elif status.state is EndpointState.DELETING and not _is_alive(status.starter):
            return replace(status, reason=f"The deletion of {self.name!r} was interrupted. Call .delete() again.")
        elif status.state is EndpointState.FAILED:
            reason = status.reason
        else:
            return status
        return replace(status, state=EndpointState.FAILED, reason=f"{reason} {self._way_out}")

    def record(self) -> EndpointRecord:
        """Return the endpoint as the panels show it; a broken file makes it Failed, with the reason."""
        status = self.current_status()
        address = f"http://{HOST}:{status.port}" if status.state.is_serving else None
        pid = next((process.pid for process in status.processes if process.is_alive()), None) if address else None
        try:
            configuration = self.configuration()
            if address and configuration.security.certificate:
                address = address.replace("http:", "https:")
        except IntegrityError as error:
            return EndpointRecord(
                self.name, "", 0, EndpointState.FAILED, status.changed_at, "", address, pid,
                f"{error} Delete the endpoint and deploy it again.",
            )  # fmt: skip
        return EndpointRecord(
            name=self.name,
            model=configuration.version.model,
            version=configuration.version.version,
            state=status.state,
            created_at=configuration.created_at,
            created_by=configuration.created_by,
            url=address,
            pid=pid,
            reason=status.reason if status.state in _EXPLAINED else "",
            version_id=configuration.version.id,
        )

    def log(self, lines: int) -> str:
        """Return the last lines of the process's log, reading only its end."""
        try:
            with self.log_path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1000 * lines))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            self.require()
            return ""
        return "\n".join(text.splitlines()[-lines:])

    @property
    def _way_out(self) -> str:
        endpoint = f"kernel_tools.hosting.get({self.name!r})"
        return f"Start it again with {endpoint}.restart(), or remove it with {endpoint}.delete()."


def endpoint_folders(workspace: Workspace) -> list[EndpointFolder]:
    """Return all endpoint folders of a workspace, by name."""
    root = workspace.root / "endpoints"
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [EndpointFolder(workspace, name) for name in names if NAME_PATTERN.fullmatch(name)]


def host_file(workspace: Workspace) -> Path:
    """The file that names the process of the workspace's host."""
    return workspace.root / "endpoints" / ".host.json"


def host_is_alive(workspace: Workspace) -> bool:
    """Whether a host watches over the workspace's endpoints, so that what crashed is started again."""
    try:
        return msgspec.json.decode(host_file(workspace).read_bytes(), type=ProcessIdentity).is_alive()
    except (OSError, ValueError):
        return False


def _is_alive(process: ProcessIdentity | None) -> bool:
    return process is not None and process.is_alive()


def _write(path: Path, document: EndpointConfiguration | EndpointStatus) -> None:
    with atomic_write(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(document), indent=1))


def _read(path: Path, kind: type[_Document]) -> _Document:
    try:
        document = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        if not path.parent.is_dir():
            raise NotFoundError(f"There is no endpoint {path.parent.name!r} any more.") from error
        raise IntegrityError(f"Endpoint {path.parent.name!r} has no {path.name}.") from error
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{path.name} of endpoint {path.parent.name!r} cannot be read: {error}.") from error
    if document.format_version > FORMAT_VERSION:
        raise IntegrityError(
            f"{path.name} of endpoint {path.parent.name!r} was written by a newer Atelier "
            f"(format {document.format_version}, this one knows {FORMAT_VERSION}). Update Atelier."
        )
    return document
