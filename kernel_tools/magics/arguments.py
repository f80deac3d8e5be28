"""Arguments of magics, written as in a shell: quotes around what has spaces."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, NoReturn

from IPython.core.error import UsageError


class MagicParser(argparse.ArgumentParser):
    """Parses the line of a magic; what it does not understand is a UsageError, never the end of the process.

    Parameters
    ----------
    magic
        The magic as it is typed, such as ``%best``.
    """

    def __init__(self, magic: str) -> None:
        super().__init__(prog=magic, add_help=False, allow_abbrev=False)

    def parse_line(self, line: str) -> argparse.Namespace:
        """Parse a line.

        Raises
        ------
        UsageError
            If it is not understood; the message shows how the magic is used.
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.error(f"{error}: close the quotes")
        return self.parse_args(words)

    def error(self, message: str) -> NoReturn:
        """Refuse the line."""
        raise UsageError(f"{message}. {self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Refuse the line."""
        raise UsageError(message or self.format_usage().strip())


def parser(magic: str, *arguments: tuple[str, dict[str, Any]]) -> MagicParser:
    """Return a parser with arguments, each a name and the keywords of `add_argument`."""
    made = MagicParser(magic)
    for name, keywords in arguments:
        made.add_argument(name, **keywords)
    return made
