"""Recipes that are open in the studio, over HTTP: their steps, and the rows after each. The work is done in the process
of the session; long work is a task that is asked for until it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import join_inside
from kernel_tools.wrangler import trust
from kernel_tools.wrangler.document import RecipeDocument
from kernel_tools.wrangler.files import SUFFIX, parse_recipe
from kernel_tools.wrangler.operators import OPERATORS, operator_class, schema_of
from studio_ext.handlers import StudioHandler
from studio_ext.open_recipes import REFUSED, ColumnDetail, TaskReply, WranglerHandler, begin, checked_document, told
from studio_ext.operations import operation
from studio_ext.schema import Body, Reply
from studio_ext.wrangling import OpenRecipe


class OperatorDetail(Reply):
    """An operator: what the studio calls it, its family, and the JSON Schema of its parameters."""

    op: str
    version: int
    title: str
    family: str
    description: str
    learns: bool
    row_effect: str
    least_inputs: int
    most_inputs: int
    runs_code: bool
    parameters: dict[str, object]


class OperatorList(Reply):
    """All operators, in the order in which they are offered."""

    items: list[OperatorDetail]


class OpenRequest(Body):
    """Which recipe to open: its path below the server's root, and its content as the editor has it."""

    path: str = Field(max_length=4000)
    content: str = Field("", max_length=5_000_000)


class SessionReply(Reply):
    """A session: its id for all that follows, the recipe brought up to date, the steps that run code."""

    session: str
    document: dict[str, object]
    is_trusted: bool
    code_steps: list[str]


class RecipeRequest(Body):
    """The recipe as it is now."""

    document: dict[str, Any]


class PartReport(Reply):
    """What is known of a source or step: what it does, what comes out on the first rows, what is wrong with it.

    `blocked_by` is the step that has to be mended first; `is_whole` says that the source has no more rows than these.
    """

    id: str
    kind: Literal["source", "step"]
    family: str | None
    title: str
    sentence: str
    columns: list[ColumnDetail]
    rows: int | None
    is_whole: bool
    error: str | None
    error_field: str | None
    blocked_by: str | None
    is_enabled: bool
    learns: bool
    is_fitted: bool
    row_effect: str
    warnings: list[str]
    rejected: int


class RecipeReply(Reply):
    """All sources and steps, in their order."""

    parts: list[PartReport]


class CompareRequest(Body):
    """The recipe with the step as it is being edited, and the step."""

    document: dict[str, Any]
    node: str = Field(max_length=100)


class CompareReply(Reply):
    """What a step changes on the first rows; `changed` counts cells by column, null if the rows are not the same."""

    parts: list[PartReport]
    before: str | None
    after: str | None
    rows_before: int
    rows_after: int
    is_whole: bool
    added: list[str]
    removed: list[str]
    changed: dict[str, int] | None


def update(handler: WranglerHandler, recipe: OpenRecipe, document: dict[str, Any]) -> list[PartReport]:
    """Give the session the recipe as it is, and return what it says of the parts."""
    checked = checked_document(document)
    recipe.is_trusted = trust.is_trusted(checked, handler.workspace)
    content = checked.model_dump(mode="json")
    reply = recipe.process.ask("update", document=content, base=str(recipe.base), is_trusted=recipe.is_trusted)
    return [PartReport(**part) for part in reply["parts"]]


class OperatorsHandler(WranglerHandler):
    """The operators."""

    path = "/wrangler/operators"

    @operation("list_operators", "List the operators of recipes")
    def get(self) -> OperatorList:
        """Answer all of them with their schemas."""
        items = []
        for op in OPERATORS:
            kind = operator_class(op)
            items.append(
                OperatorDetail(
                    op=op,
                    version=kind.version,
                    title=kind.title,
                    family=kind.family,
                    description=(kind.__doc__ or "").strip(),
                    learns=kind.learns,
                    row_effect=kind.row_effect,
                    least_inputs=kind.arity[0],
                    most_inputs=kind.arity[1],
                    runs_code=kind.runs_code,
                    parameters=schema_of(op),
                )
            )
        return OperatorList(items=items)


class SessionsHandler(WranglerHandler):
    """Opening recipes."""

    path = "/wrangler/sessions"

    @operation("open_recipe", "Open a recipe", status=201, raises=REFUSED, action="execute")
    def post(self, body: OpenRequest) -> SessionReply:
        """Read it and start its process."""
        file = join_inside(self.root, body.path)
        name = Path(body.path).name
        document = parse_recipe(body.content, name=name) if body.content.strip() else _new(name)
        recipe = self.studio.wrangling.open(body.path, file.parent)
        recipe.is_trusted = trust.is_trusted(document, self.workspace)
        return SessionReply(
            session=recipe.id,
            document=document.model_dump(mode="json", exclude_none=True),
            is_trusted=recipe.is_trusted,
            code_steps=[node.id for node in trust.code_steps(document)],
        )


class SessionHandler(WranglerHandler):
    """One open recipe."""

    path = "/wrangler/sessions/{session}"

    @operation("update_recipe", "Say what the steps of a recipe give", raises=REFUSED, action="execute")
    def put(self, session: str, body: RecipeRequest) -> RecipeReply:
        """Run the steps on the first rows."""
        return RecipeReply(parts=update(self, self.recipe(session), body.document))

    @operation("close_recipe", "Close a recipe", status=204, action="execute")
    def delete(self, session: str) -> None:
        """End its process."""
        self.studio.wrangling.close(session)


class TrustHandler(WranglerHandler):
    """Trust in the code of a recipe."""

    path = "/wrangler/sessions/{session}/trust"

    @operation("trust_recipe", "Let the code in a recipe run", raises=REFUSED, action="execute")
    def put(self, session: str, body: RecipeRequest) -> RecipeReply:
        """Remember the code, and run the steps."""
        recipe = self.recipe(session)
        trust.trust(checked_document(body.document), self.workspace)
        return RecipeReply(parts=update(self, recipe, body.document))


class CompareHandler(WranglerHandler):
    """What a step changes."""

    path = "/wrangler/sessions/{session}/comparison"

    @operation("compare_step", "Say what a step changes, before it is applied", raises=REFUSED, action="execute")
    def post(self, session: str, body: CompareRequest) -> CompareReply:
        """Run the recipe with the step on the first rows."""
        recipe = self.recipe(session)
        parts = update(self, recipe, body.document)
        wrong = next((one for one in parts if one.id == body.node and (one.error or one.blocked_by)), None)
        if wrong is not None:
            return CompareReply(parts=parts, before=None, after=None, rows_before=0, rows_after=0, is_whole=False,
                                added=[], removed=[], changed=None)  # fmt: skip
        return CompareReply(parts=parts, **recipe.process.ask("compare", node=body.node))


class FitRequest(Body):
    """Up to which step."""

    node: str = Field(max_length=100)


class FitHandler(WranglerHandler):
    """Learning."""

    path = "/wrangler/sessions/{session}/fit"

    @operation("fit_recipe", "Let the steps of a recipe learn from all rows", raises=REFUSED, action="execute")
    def post(self, session: str, body: FitRequest) -> TaskReply:
        """Fit, as a task; the result has the fits by the id of the step."""
        return begin(self.recipe(session), "fit", node=body.node)


def _new(name: str) -> RecipeDocument:
    return RecipeDocument(name=name.removesuffix(SUFFIX) or "recipe")


class TaskHandler(WranglerHandler):
    """Work under way."""

    path = "/wrangler/sessions/{session}/tasks/{task}"

    @operation("wait_for_task", "Ask how far work is", raises=(*REFUSED, AtelierError))
    def get(self, session: str, task: str) -> TaskReply:
        """Answer at once; what the work raised is raised here."""
        return told(self.recipe(session).task(task))

    @operation("stop_task", "Stop work", status=204, raises=REFUSED, action="execute")
    def delete(self, session: str, task: str) -> None:
        """Stop it; if it does not stop by itself, the session's process is started anew."""
        self.recipe(session).task(task).call.stop()


HANDLERS: list[type[StudioHandler]] = [
    OperatorsHandler,
    SessionsHandler,
    SessionHandler,
    TrustHandler,
    CompareHandler,
    FitHandler,
    TaskHandler,
]
