"""What the Debugger does for a job: a hook in the job's process, and a process beside it that evaluates the rules.

Jobs ask this at the seam ``job_companion``. Standard library only: supervisors ask too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kernel_tools.jobs.companions import Companion
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.spec import JobSpec

CONFIG_VARIABLE = "ATELIER_DEBUGGER"


def check_settings(settings: Any) -> dict[str, Any]:
    """Return a job's setting for the Debugger as plain JSON types; InvalidArgumentError if it cannot be used."""
    from kernel_tools.core.errors import InvalidArgumentError
    from kernel_tools.debugger.actions import make_actions
    from kernel_tools.debugger.records import Config
    from kernel_tools.debugger.rules import make_rules

    if settings is True:
        settings = Config()
    if isinstance(settings, Mapping):
        settings = Config.from_dict(settings)
    if not isinstance(settings, Config):
        raise InvalidArgumentError(f"debugger={settings!r}: use kernel_tools.debugger.Config(...), or True.")
    make_rules(settings.rules)
    make_actions(settings.actions)
    return settings.to_dict()


def companion_of(folder: JobFolder, spec: JobSpec) -> Companion | None:
    """Return what runs in and beside a job that has the setting; None if it has not."""
    if spec.debugger is None or spec.run_id is None:
        return None
    run = folder.root.parent / "runs" / spec.run_id
    return Companion(
        prelude="kernel_tools.debugger.automatic:install",
        environment={CONFIG_VARIABLE: json.dumps(spec.debugger), "ATELIER_DEBUGGER_EVALUATED": "1"},
        argv=(spec.python, "-m", "kernel_tools.debugger.beside_job", str(run / "debugger")),
    )
