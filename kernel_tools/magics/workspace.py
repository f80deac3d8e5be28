"""``%atelier`` shows the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_magic, magics_class

from kernel_tools.core.workspace import current_workspace

if TYPE_CHECKING:
    import pandas as pd


@magics_class
class WorkspaceMagics(Magics):
    """The magic that shows the workspace."""

    @line_magic
    def atelier(self, line: str) -> pd.Series:
        """Show the workspace: where it is, and how many runs, models and endpoints it has."""
        import pandas as pd

        from kernel_tools import experiments, hosting, registry

        workspace = current_workspace()
        counts = experiments.count_runs(workspace=workspace)
        endpoints = hosting.list_endpoints(workspace=workspace)
        in_service = sum(endpoint.state.is_serving for endpoint in endpoints)
        pending = registry.count_versions(registry.VersionStatus.PENDING, workspace=workspace)
        rows = {
            "workspace": str(workspace.root),
            "runs": f"{sum(counts.values()):,} ({counts[experiments.RunStatus.RUNNING]:,} running)",
            "model versions": f"{registry.count_versions(workspace=workspace):,} ({pending:,} waiting for approval)",
            "endpoints": f"{len(endpoints):,} ({in_service:,} in service)",
        }
        return pd.Series(rows, name="Atelier")
