"""The Data Wrangler's magic: ``%wrangle``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from kernel_tools.core.errors import AtelierError
from kernel_tools.magics.arguments import parser

if TYPE_CHECKING:
    from kernel_tools.wrangler.looking import RecipeLink

_WRANGLE = parser("%wrangle", ("frame", {}))


@magics_class
class WranglerMagics(Magics):
    """Open a table of the notebook in the studio."""

    @line_magic
    def wrangle(self, line: str) -> RecipeLink:
        """Begin a recipe on a variable that holds a frame, and show the link that opens it: ``%wrangle df``."""
        from kernel_tools import wrangler

        name = _WRANGLE.parse_line(line).frame
        variables = self.shell.user_ns  # type: ignore[union-attr]  # there is a shell
        if name not in variables:
            raise UsageError(f"There is no variable {name!r}. Run the cell that makes it first.")
        try:
            return wrangler.wrangle(variables[name], name)
        except AtelierError as error:
            raise UsageError(str(error)) from error
