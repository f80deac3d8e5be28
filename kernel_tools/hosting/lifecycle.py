"""What happens to an endpoint: it is created, launched, watched, stopped and removed; each step survives a crash.

The endpoint's lock is held for every step that changes its state, and never while a model loads.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import replace

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, IntegrityError, NotFoundError, UnavailableError
from kernel_tools.core.processes import current_process, identify_process
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import EndpointConfiguration, EndpointFolder, EndpointStatus, current_time
from kernel_tools.hosting.process import find_servers, start_server, stop_process
from kernel_tools.hosting.records import EndpointState
from kernel_tools.registry.records import VersionRecord, VersionStatus

POLL_SECONDS = 0.01


def choose_version(workspace: Workspace, model: str, version: int | None) -> VersionRecord:
    """Return the version to deploy: the one asked for unless it is rejected, else the newest approved one.

    Raises
    ------
    NotFoundError
        If there is no such version, or none is approved.
    ConflictError
        If the version is rejected.
    """
    from kernel_tools import registry

    if version is None:
        try:
            return registry.get(model, status=VersionStatus.APPROVED, workspace=workspace).record
        except NotFoundError as error:
            newest = registry.get(model, workspace=workspace).version  # a clearer error if there is no such model
            raise NotFoundError(
                f"Model {model!r} has no approved version. Approve one with "
                f"kernel_tools.registry.get({model!r}, version={newest}).approve(note=...), or name a version."
            ) from error
    record = registry.get(model, version, workspace=workspace).record
    if record.status is VersionStatus.REJECTED:
        note = f" ({record.note})" if record.note else ""
        raise ConflictError(
            f"Version {version} of {model!r} is rejected{note}. Deploy another version, or approve this one first."
        )
    return record


def create(folder: EndpointFolder, version: VersionRecord, trust: bool) -> None:
    """Make the endpoint and start its process.

    Raises
    ------
    ConflictError
        If the name is taken.
    """
    user = current_user()
    configuration = EndpointConfiguration(folder.name, current_time(), user, version, trust)
    with folder.lock():
        status = _new_launch()
        folder.create(configuration, status)
        details = {"model": version.model, "version": version.version} | ({"trust": True} if trust else {})
        folder.workspace.audit.record("endpoint.deploy", folder.name, details)
        _start(folder, status)


def relaunch(folder: EndpointFolder) -> None:
    """Stop the endpoint's process if it runs, and start a new one on the same port.

    Raises
    ------
    ConflictError
        If the endpoint is being deleted.
    """
    with folder.lock():
        folder.configuration()
        status = _written_status(folder)
        if status is not None and status.state is EndpointState.DELETING:
            raise ConflictError(f"Endpoint {folder.name!r} is being deleted. Deploy it again after that.")
        _stop(folder, status)
        launched = _new_launch(port=status.port if status else None)
        folder.write_status(launched)
        folder.workspace.audit.record("endpoint.restart", folder.name)
        _start(folder, launched)


def delete(folder: EndpointFolder) -> None:
    """Let the process finish its requests and end, then remove the folder; completes an interrupted deletion."""
    with folder.lock():
        folder.require()
        status = _written_status(folder)
        deleting = _new_launch(port=status.port if status else None)
        folder.write_status(replace(deleting, state=EndpointState.DELETING, process=status.process if status else None))
        folder.workspace.audit.record("endpoint.delete", folder.name)
        _stop(folder, status)
        folder.remove()
        folder.workspace.audit.record("endpoint.deleted", folder.name)


def wait_until_in_service(folder: EndpointFolder, timeout: float) -> None:
    """Wait until the endpoint is InService.

    Raises
    ------
    UnavailableError
        If it becomes Failed, with the reason and the last lines of its log, or is not in service in time.
    NotFoundError
        If it is deleted meanwhile.
    """
    end = time.monotonic() + timeout
    while True:
        status = folder.current_status()
        if status.state is EndpointState.IN_SERVICE:
            return
        if status.state is EndpointState.FAILED:
            log = folder.log(15)
            raise UnavailableError(
                f"Endpoint {folder.name!r} failed to start. {status.reason}"
                + (f"\nLast lines of its log:\n{log}" if log else "")
            )
        if time.monotonic() > end:
            raise UnavailableError(
                f"Endpoint {folder.name!r} is not in service after {timeout:g} s (it is {status.state.value}). "
                "Wait longer with .wait(), read .logs(), or .delete() it."
            )
        time.sleep(POLL_SECONDS)


def _new_launch(port: int | None = None) -> EndpointStatus:
    return EndpointStatus(
        EndpointState.CREATING, secrets.token_hex(8), current_time(), starter=current_process(), port=port
    )


def _start(folder: EndpointFolder, status: EndpointStatus) -> None:
    environment = {**os.environ, "ATELIER_HOME": str(folder.workspace.root)}
    environment["ATELIER_ARTIFACT_ROOT"] = folder.workspace.artifacts.root_url
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait for the next request burn no processor
    process = identify_process(start_server(folder.path, status.launch, folder.log_path, environment))
    if process is not None:
        folder.write_status(replace(status, process=process))
    else:
        reason = f"The process of endpoint {folder.name!r} ended at once; its log says more."
        folder.write_status(replace(status, state=EndpointState.FAILED, reason=reason))


def _written_status(folder: EndpointFolder) -> EndpointStatus | None:
    try:
        return folder.status()
    except IntegrityError:
        return None


def _stop(folder: EndpointFolder, status: EndpointStatus | None) -> None:
    """Stop the process that the state names; without one, any that serves this folder."""
    if status is not None and status.process is not None:
        stop_process(status.process)
    else:
        for process in find_servers(folder.path):
            stop_process(process)
