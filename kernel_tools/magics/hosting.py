"""Magics of endpoints: ``%deploy`` and ``%predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from kernel_tools.magics.arguments import parser

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.hosting import Endpoint

_DEPLOY = parser(
    "%deploy",
    ("model", {}),
    ("version", {"nargs": "?", "type": int}),
    ("--name", {}),
    ("--engine", {"default": "auto"}),
    ("--trust", {"action": "store_true"}),
)
_PREDICT = parser("%predict", ("endpoint", {}), ("rows", {}), ("--proba", {"action": "store_true"}))


@magics_class
class HostingMagics(Magics):
    """Deploy a version; predict the rows of a variable."""

    @line_magic
    def deploy(self, line: str) -> Endpoint:
        """Serve a model version: ``%deploy MODEL [VERSION] [--name NAME] [--engine ENGINE] [--trust]``.

        Without a version the newest approved one. An endpoint of this name that is there already is updated to it.
        """
        from kernel_tools import hosting

        given = _DEPLOY.parse_line(line)
        name = given.name or given.model
        known = {endpoint.name: endpoint for endpoint in hosting.list_endpoints()}
        if name not in known:
            return hosting.deploy(given.model, given.version, name, engine=given.engine, trust=given.trust)
        served = known[name].record.model
        if served != given.model:
            raise UsageError(f"The endpoint {name!r} serves the model {served!r}: give another --name, or delete it.")
        return known[name].update(given.version, engine=given.engine, trust=given.trust)

    @line_magic
    def predict(self, line: str) -> pd.DataFrame:
        """Predict the rows of a variable: ``%predict ENDPOINT VARIABLE [--proba]``; the rows with their predictions."""
        import pandas as pd

        from kernel_tools import hosting

        given = _PREDICT.parse_line(line)
        variables: dict[str, Any] = self.shell.user_ns  # type: ignore[union-attr]  # there is a shell
        if given.rows not in variables:
            raise UsageError(f"There is no variable {given.rows!r} in this notebook.")
        rows = variables[given.rows]
        endpoint = hosting.get(given.endpoint)
        table = rows.copy() if isinstance(rows, pd.DataFrame) else pd.DataFrame({"row": list(rows)})
        found = endpoint.predict(rows)
        table["prediction"] = list(found) if found.ndim > 1 else found
        if given.proba:
            for place, column in enumerate(endpoint.predict_proba(rows).T):
                table[f"probability_{place}"] = column
        return table
