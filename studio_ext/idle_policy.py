"""The idle policy: what is stopped when nobody uses it. Kept in the workspace, applied in `studio_ext.idle`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from kernel_tools.core.errors import IntegrityError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import Workspace, atomic_write

SETTINGS_FILE = "settings.json"
SETTINGS_VERSION = 1
LONGEST = 30 * 24 * 3600
"""Seconds that a timeout may have."""


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """When kernels and terminals are stopped.

    Attributes
    ----------
    cull_idle_timeout
        Seconds without a message after which a kernel is stopped, as Jupyter's own setting says; 0 for never.
    cull_interval
        Seconds between two looks of that rule.
    cull_connected
        Whether kernels that a browser is connected to are stopped too, by either rule.
    cull_busy
        Whether Jupyter's rule stops kernels that execute something; the quiet rule never does.
    cull_inactive_timeout
        Seconds without output after which a terminal is stopped; 0 for never.
    quiet_minutes
        Minutes without processor time, I/O and execution after which a kernel is stopped; 0 for never.
    """

    cull_idle_timeout: Annotated[int, Field(ge=0, le=LONGEST)] = 0
    cull_interval: Annotated[int, Field(ge=1, le=24 * 3600)] = 300
    cull_connected: bool = False
    cull_busy: bool = False
    cull_inactive_timeout: Annotated[int, Field(ge=0, le=LONGEST)] = 0
    quiet_minutes: Annotated[int, Field(ge=0, le=LONGEST // 60)] = 0


def read_policy(root: Path) -> IdlePolicy | None:
    """Return the policy of a workspace, None if none was set.

    Raises
    ------
    IntegrityError
        If it is not what Atelier wrote, or a newer Atelier wrote it.
    """
    plain = _read(root / SETTINGS_FILE).get("idle")
    if plain is None:
        return None
    try:
        known = {field.name: plain[field.name] for field in fields(IdlePolicy) if field.name in plain}
        return TypeAdapter(IdlePolicy).validate_json(json.dumps(known), strict=True)
    except (TypeError, ValidationError) as error:
        raise IntegrityError(
            f"The idle policy in {root / SETTINGS_FILE} cannot be used: {error}. Set it anew under Running resources."
        ) from error


def write_policy(workspace: Workspace, policy: IdlePolicy) -> None:
    """Keep a policy; what else is in the workspace's settings stays."""
    path = workspace.root / SETTINGS_FILE
    with hold_lock(workspace.root / "settings.lock"):
        settings = {**_read(path), "version": SETTINGS_VERSION, "idle": asdict(policy)}
        with atomic_write(path) as file:
            file.write(json.dumps(settings, indent=1).encode())
    workspace.audit.record("idle.policy", "settings/idle", asdict(policy))


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_bytes())
        if settings["version"] <= SETTINGS_VERSION:
            return dict(settings)
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not what Atelier wrote ({error}). Restore it from a backup, or remove it."
        ) from error
    raise IntegrityError(f"{path} was written by a newer Atelier. Update Atelier.")
