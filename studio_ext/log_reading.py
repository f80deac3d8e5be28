"""Which part of a log a reader asks for, and what to look for in it: the same for everything that prints."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from kernel_tools.jobs import log_pages
from kernel_tools.jobs.log_pages import LogMatches, LogPage
from studio_ext.schema import Query

MAX_OFFSET = 2**53


class LogQuery(Query):
    """Which part of the log: from an offset on, before one, or around one; by default its end."""

    offset: int | None = Field(None, ge=0, le=MAX_OFFSET, description="Where a line begins, in bytes.")
    before: int | None = Field(None, ge=0, le=MAX_OFFSET, description="Where the last line ends.")
    near: int | None = Field(None, ge=0, le=MAX_OFFSET, description="Anywhere in the first line.")
    limit: int = Field(log_pages.MAX_PAGE, ge=64, le=log_pages.MAX_PAGE, description="Bytes.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.offset, self.before, self.near)) > 1:
            raise ValueError("give one of offset, before and near")
        return self

    def read(self, log: Path) -> LogPage:
        """Return that part of a log, the folder of an attempt or a file."""
        if self.offset is not None:
            return log_pages.read_page(log, self.limit, offset=self.offset)
        if self.near is not None:
            return log_pages.read_page_near(log, self.limit, near=self.near)
        return log_pages.read_page_before(log, self.limit, before=self.before)


class LogSearchQuery(Query):
    """What to look for, and from where."""

    text: str = Field(min_length=1, max_length=250)
    offset: int | None = Field(None, ge=0, le=MAX_OFFSET, description="By default the beginning; backwards, the end.")
    is_backwards: bool = False
    limit: int = Field(log_pages.MAX_FOUND, ge=1, le=log_pages.MAX_FOUND)

    def search(self, log: Path) -> LogMatches:
        """Return where lines that hold the text begin in a log, the folder of an attempt or a file."""
        offset = self.offset if self.offset is not None else MAX_OFFSET if self.is_backwards else 0
        return log_pages.search_log(log, self.text, offset=offset, is_backwards=self.is_backwards, limit=self.limit)
