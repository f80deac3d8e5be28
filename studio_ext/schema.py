"""The bases of requests and replies: how they are read and written. What is in them is said in `studio_ext.routes`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from kernel_tools.core.workspace import NAME_PATTERN

Name = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{NAME_PATTERN.pattern}$"})]
"""A name in Atelier. The pattern is for the document; `kernel_tools.core.workspace.validate_name` checks it."""

ModelName = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[^/:]{1,256}$"})]
"""The name of a model. The pattern is for the document; `kernel_tools.registry.names` checks it."""

AMBIENT_NAMES = frozenset({"_xsrf", "no_track_activity", "token"})
"""Names that any query string may hold: they are for the Jupyter server."""

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""The number of a model version."""


class Reply(BaseModel):
    """Base of replies: a number that JSON cannot write is the string ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``."""

    model_config = ConfigDict(ser_json_inf_nan="strings", defer_build=True)


class PlotlyFigure(Reply):
    """A figure as Plotly draws it."""

    data: list[dict[str, object]]
    layout: dict[str, object]


class FigureReply(Reply):
    """A figure, and the Python that makes it in a notebook."""

    figure: PlotlyFigure
    code: str | None = None


class Body(BaseModel):
    """Base of request bodies: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)


class Query(BaseModel):
    """Base of query strings: no unknown names but `AMBIENT_NAMES`, so that a misspelt filter is not taken for none."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class PageQuery(Query):
    """Which part of a list to answer."""

    limit: int | None = Field(None, ge=1, le=1000, description="Items on a page; by default the server's page_size.")
    page_token: str | None = Field(None, max_length=200, description="`next_page_token` of the page before.")


class ErrorDetail(Reply):
    """What went wrong: name of the error, message for the user; of a filter also where, from 1; of a form the field."""

    code: str
    message: str
    position: int | None = None
    field: str | None = None


class ErrorReply(Reply):
    """The reply to every request that failed."""

    error: ErrorDetail
