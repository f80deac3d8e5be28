"""What other rooms run in and beside a job; they provide it at the seam ``job_companion``. Standard library only.

A provider has ``check_settings(settings)``, which makes what a spec keeps, and ``companion_of(folder, spec)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel_tools.core.seams import providers
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.spec import JobSpec

SEAM = "job_companion"
PRELUDE_VARIABLE = "ATELIER_PRELUDE"


@dataclass(frozen=True, slots=True)
class Companion:
    """A function that a workload in Python calls before the user's code (``module:function``), variables of the
    workload, and the command of a process that lives beside it."""

    prelude: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    argv: tuple[str, ...] = ()


def companions_of(folder: JobFolder, spec: JobSpec) -> list[Companion]:
    """Return what the other rooms run in and beside a job."""
    found = [provider.companion_of(folder, spec) for provider in providers(SEAM).values()]
    return [companion for companion in found if companion is not None]


def companion_environment(folder: JobFolder, spec: JobSpec) -> dict[str, str]:
    """Return the variables that a workload gets for its companions."""
    found = companions_of(folder, spec)
    preludes = ",".join(companion.prelude for companion in found if companion.prelude)
    variables = {name: value for companion in found for name, value in companion.environment.items()}
    return {**variables, PRELUDE_VARIABLE: preludes} if preludes else variables


def debugger_settings(settings: Any) -> dict[str, Any] | None:
    """Return what a spec keeps of the setting ``debugger=``; InvalidArgumentError if it cannot be used."""
    if settings is None or settings is False:
        return None
    plain: dict[str, Any] = providers(SEAM)["debugger"].check_settings(settings)
    return plain
