"""How the limits of a job are held: cgroup v2 where this user may make groups, else rlimit and CPU affinity.

Standard library only: supervisors use this.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from kernel_tools.jobs.spec import Resources

CGROUPS = Path("/sys/fs/cgroup")


def hold_limits(resources: Resources, name: str, cgroups: Path = CGROUPS) -> dict[str, Any]:
    """Return the part of a plan that holds the limits.

    Returns
    -------
    dict
        cgroup (a folder), memory (bytes) and cpus (processor numbers), each if it is used, and `limits`, which says in
        words what holds the memory and the processors.
    """
    if resources.memory is None and resources.cpus is None:
        return {"limits": {}}
    group = _make_group(resources, name, cgroups)
    if group is not None:
        words = {key: "cgroup" for key in ("memory", "cpus") if getattr(resources, key) is not None}
        return {"cgroup": str(group), "limits": words}
    plan: dict[str, Any] = {"limits": {}}
    if resources.memory is not None:
        plan["memory"] = resources.memory
        plan["limits"]["memory"] = "rlimit (of each process)"
    if resources.cpus is not None:
        allowed = sorted(os.sched_getaffinity(0))
        first = hash(name) % len(allowed)
        count = min(resources.cpus, len(allowed))
        plan["cpus"] = sorted((allowed + allowed)[first : first + count])
        plan["limits"]["cpus"] = f"affinity to {count} of {len(allowed)} processors"
    return plan


def release_group(plan: dict[str, Any]) -> None:
    """Remove the cgroup of a plan, once its processes are gone."""
    if plan.get("cgroup"):
        with contextlib.suppress(OSError):  # a process is still going away; an empty group costs nothing
            os.rmdir(plan["cgroup"])


def _make_group(resources: Resources, name: str, cgroups: Path) -> Path | None:
    """Make a cgroup with the limits; None where that is not permitted or the controllers are not delegated."""
    try:
        if not (cgroups / "cgroup.controllers").exists():
            return None
        own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        group = (cgroups / own.lstrip("/")).parent / f"atelier-{name[:80]}"
        group.mkdir(exist_ok=True)
        try:
            if resources.memory is not None:
                (group / "memory.max").write_text(str(resources.memory))
                (group / "memory.swap.max").write_text("0")
            if resources.cpus is not None:
                (group / "cpu.max").write_text(f"{resources.cpus * 100_000} 100000")
            if not os.access(group / "cgroup.procs", os.W_OK):
                raise PermissionError
        except OSError:
            group.rmdir()
            return None
    except (OSError, StopIteration):
        return None
    return group
