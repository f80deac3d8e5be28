"""What happens to an endpoint: it is created, launched, watched, stopped and removed; each step survives a crash.

The host does the work: these steps write what is wanted and nudge it. The endpoint's lock is held for every step that
changes its state, and never while a model loads.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, IntegrityError, NotFoundError, UnavailableError
from kernel_tools.core.processes import current_process
from kernel_tools.hosting.configuration import EndpointConfiguration, EndpointStatus, ProductionVariant, require_weights
from kernel_tools.hosting.doors import write_token
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.hosts import ask_host, nudge_host
from kernel_tools.hosting.process import find_servers, stop_processes
from kernel_tools.hosting.records import CaptureConfig, EndpointState, Limits, ScalingPolicy, Security
from kernel_tools.hosting.updates import UpdatePolicy, UpdateProgress

POLL_SECONDS = 0.01


def create(
    folder: EndpointFolder,
    variant: ProductionVariant,
    limits: Limits | None = None,
    security: Security | None = None,
    capture: CaptureConfig | None = None,
    scaling: ScalingPolicy | None = None,
) -> None:
    """Make the endpoint and have its workers started.

    Raises
    ------
    ConflictError
        If the name is taken.
    """
    version, now = variant.version, current_time()
    configuration = EndpointConfiguration(
        folder.name, now, current_user(), version, variant.trust, (variant,), limits=limits or Limits(),
        scaling=scaling, security=security or Security(), capture=capture,
    )  # fmt: skip
    with folder.lock():
        folder.create(configuration, _new_launch())
        if configuration.security.auth != "none":
            write_token(folder.token_path)
        details = {"model": version.model, "version": version.version} | ({"trust": True} if variant.trust else {})
        folder.workspace.audit.record("endpoint.deploy", folder.name, details)
    nudge_host(folder.workspace)


def update(folder: EndpointFolder, variants: tuple[ProductionVariant, ...], policy: UpdatePolicy) -> UpdateProgress:
    """Have the host pass from the present configuration to one with other variants.

    Raises
    ------
    ConflictError
        If the endpoint is not in service, or another update is under way.
    """
    with folder.lock():
        before, progress = folder.configuration(), folder.update_progress()
        if progress is not None and not progress.is_over:
            raise ConflictError(f"Endpoint {folder.name!r} is being updated. Wait until that is over.")
        if not (state := folder.current_status().state).is_serving:
            raise ConflictError(f"Endpoint {folder.name!r} is {state.value}: only one that is InService is updated.")
        revision = max(before.revision, progress.revision if progress is not None else 0) + 1
        first = variants[0]
        configuration = replace(
            before, version=first.version, trust=first.trust, variants=variants, revision=revision, format_version=2
        )
        now = current_time()
        begun = UpdateProgress(before.revision, revision, policy, "starting", now, began_at=now)
        folder.write_update(begun)  # before the configuration: nothing is shifted without a plan
        folder.write_configuration(configuration)
        folder.write_status(replace(folder.status(), state=EndpointState.UPDATING, changed_at=current_time()))
        folder.record_event("update", {"phase": begun.phase, "share": 0.0, "reason": ""})
        folder.workspace.audit.record("endpoint.update", folder.name, {"revision": revision, "kind": policy.kind})
    nudge_host(folder.workspace)
    return begun


def roll_back(folder: EndpointFolder) -> UpdateProgress:
    """End an update that is under way, so that the revision before takes all traffic again; or begin one back to it.

    Raises
    ------
    ConflictError
        If the endpoint was never updated, or the last update was rolled back already.
    """
    with folder.lock():
        progress = folder.update_progress()
        if progress is None or progress.phase == "rolled_back":
            raise ConflictError(f"Endpoint {folder.name!r} has no update to roll back.")
        before = folder.configuration(progress.previous).production_variants
        if not progress.is_over:
            reason = "It was rolled back by hand."
            ended = replace(progress, phase="rolled_back", share=0.0, since=current_time(), reason=reason)
            folder.restore_configuration(progress.previous)
            folder.write_update(ended)
            folder.record_event("update", {"phase": ended.phase, "share": 0.0, "reason": reason})
            folder.workspace.audit.record("endpoint.update_rolled_back", folder.name)
    if progress.is_over:
        present = {item.name: item.workers for item in folder.configuration().production_variants}
        scaled = tuple(replace(item, workers=present.get(item.name, item.workers)) for item in before)
        return update(folder, scaled, UpdatePolicy())
    nudge_host(folder.workspace)
    return ended


def scale(
    folder: EndpointFolder, variant: str | None, change: int | Callable[[ScalingPolicy | None], ScalingPolicy]
) -> None:
    """Have a variant, or each one, served by so many workers; or by as many as the policy says that `change` returns.

    Raises
    ------
    ConflictError
        If the endpoint is being updated.
    NotFoundError
        If it has no such variant.
    """
    with _settled(folder) as configuration:
        present = configuration.production_variants
        _require_variants(folder, present, [variant] if variant else [])
        details: dict[str, object]
        if isinstance(change, int):
            scaled = tuple(replace(item, workers=change) if variant in (None, item.name) else item for item in present)
            changed = replace(configuration, variants=scaled, scaling=None)
            folder.write_scale(None)
            details = {"workers": change, "variant": variant, "ends_autoscaling": configuration.scaling is not None}
        else:
            policy = change(configuration.scaling)
            changed = replace(configuration, scaling=policy)
            details = {"min_workers": policy.min_workers, "max_workers": policy.max_workers, "target": policy.target}
        folder.write_configuration(replace(changed, format_version=2))
        status = folder.status()
        if status.state is EndpointState.IN_SERVICE:
            folder.write_status(replace(status, state=EndpointState.SYSTEM_UPDATING, changed_at=current_time()))
        folder.record_event("scale", details)
        folder.workspace.audit.record("endpoint.scale", folder.name, details)
    nudge_host(folder.workspace)


def set_weights(folder: EndpointFolder, weights: Mapping[str, float]) -> None:
    """Share the requests among the variants by other weights; the workers stay.

    Raises
    ------
    ConflictError
        If the endpoint is being updated.
    InvalidArgumentError
        If a weight cannot be.
    NotFoundError
        If it has no such variant.
    """
    with _settled(folder) as configuration:
        present = configuration.production_variants
        _require_variants(folder, present, weights)
        changed = tuple(replace(item, weight=weights.get(item.name, item.weight)) for item in present)
        shares = {item.name: item.weight for item in changed}
        require_weights(shares)
        folder.write_configuration(replace(configuration, variants=changed, format_version=2))
        folder.record_event("weights", {"weights": shares})
        folder.workspace.audit.record("endpoint.weights", folder.name, {"weights": shares})
    nudge_host(folder.workspace)


@contextmanager
def _settled(folder: EndpointFolder) -> Iterator[EndpointConfiguration]:
    """Hold the endpoint's lock over its configuration; ConflictError while it is being updated."""
    with folder.lock():
        configuration, progress = folder.configuration(), folder.update_progress()
        if progress is not None and not progress.is_over:
            raise ConflictError(f"Endpoint {folder.name!r} is being updated. Change it when that is over.")
        yield configuration


def _require_variants(folder: EndpointFolder, present: Iterable[ProductionVariant], names: Iterable[str]) -> None:
    known = [item.name for item in present]
    for name in names:
        if name not in known:
            raise NotFoundError(f"Endpoint {folder.name!r} has no variant {name!r}. It has {', '.join(known)}.")


def wait_until_scaled(folder: EndpointFolder, timeout: float) -> None:
    """Wait until the workers that are ready are those that are wanted; UnavailableError if not in time."""
    end = time.monotonic() + timeout
    while True:
        configuration, present = folder.configuration(), folder.status().workers
        variants, policy = configuration.production_variants, configuration.scaling
        numbers = Counter(item.variant for item in present)
        if policy is None:
            is_reached = numbers == Counter({item.name: item.workers for item in variants})
        else:
            is_reached = all(policy.min_workers <= numbers[item.name] <= policy.max_workers for item in variants)
        if is_reached and all(item.is_ready for item in present):
            return
        if time.monotonic() > end:
            raise UnavailableError(f"Endpoint {folder.name!r} is not scaled after {timeout:g} s. Read .logs().")
        time.sleep(POLL_SECONDS)


def wait_until_updated(folder: EndpointFolder, revision: int, timeout: float) -> None:
    """Wait until an update is over.

    Raises
    ------
    UnavailableError
        If it was rolled back, with the reason, or is not over in time.
    """
    end = time.monotonic() + timeout
    while True:
        progress = folder.update_progress()
        if progress is None or progress.revision != revision:
            return
        if progress.phase == "finished" and folder.status().state is not EndpointState.UPDATING:
            return
        if progress.phase == "rolled_back":
            raise UnavailableError(f"The update of endpoint {folder.name!r} was rolled back. {progress.reason}")
        if time.monotonic() > end:
            raise UnavailableError(
                f"The update of endpoint {folder.name!r} is not over after {timeout:g} s (it is {progress.phase})."
            )
        time.sleep(POLL_SECONDS)


def relaunch(folder: EndpointFolder) -> None:
    """Stop the endpoint's workers if they run, and have new ones started on the same port.

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
        launched = _new_launch(port=status.port if status else None)
        folder.write_status(launched)
        _stop(folder, status)
        folder.workspace.audit.record("endpoint.restart", folder.name)
    nudge_host(folder.workspace)


def delete(folder: EndpointFolder) -> None:
    """Let the process finish its requests and end, then remove the folder; completes an interrupted deletion."""
    with folder.lock():
        folder.require()
        status = _written_status(folder)
        deleting = _new_launch(port=status.port if status else None)
        folder.write_status(replace(deleting, state=EndpointState.DELETING, workers=status.workers if status else ()))
        folder.workspace.audit.record("endpoint.delete", folder.name)
        _stop(folder, status)
        folder.remove()
        ask_host(folder.workspace, "nudge")
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
        if status.state.is_serving:
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


def _written_status(folder: EndpointFolder) -> EndpointStatus | None:
    try:
        return folder.status()
    except IntegrityError:
        return None


def _stop(folder: EndpointFolder, status: EndpointStatus | None) -> None:
    """Stop the processes that the state names; without one, any that serves this folder."""
    stop_processes(status.processes if status is not None else find_servers(folder.path))
