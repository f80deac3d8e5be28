"""The Debugger's magic: ``%debugger``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from kernel_tools.core.errors import AtelierError
from kernel_tools.magics.arguments import parser

if TYPE_CHECKING:
    from kernel_tools.debugger import Findings

_DEBUGGER = parser("%debugger", ("run", {"nargs": "?"}))


@magics_class
class DebuggerMagics(Magics):
    """Show what the Debugger has found."""

    @line_magic
    def debugger(self, line: str) -> Findings:
        """Show what the rules have found in a run: ``%debugger [RUN]``.

        RUN is a variable that holds a run, a job or a hook, the id of a run, or the name of a job. Default: the active
        run, else the newest run.
        """
        from kernel_tools import debugger, experiments, jobs
        from kernel_tools.debugger.opening import find_named

        text = _DEBUGGER.parse_line(line).run
        try:
            if text is None:
                active = experiments.active_run()
                newest = experiments.search_run_records(limit=1)[0] if active is None else []
                if active is None and not newest:
                    raise UsageError("There is no run yet. Start one with kt.experiments.start_run(...).")
                return debugger.findings(active or newest[0].id)
            found = self.shell.user_ns.get(text)  # type: ignore[union-attr]  # there is a shell
            if isinstance(found, debugger.Hook):
                return found.findings
            if isinstance(found, (experiments.Run, jobs.Job)):
                return debugger.findings(found)
            return debugger.findings(find_named(text))
        except AtelierError as error:
            raise UsageError(str(error)) from error
