"""A recipe as a job: ``python -m kernel_tools.wrangler.job --recipe R --output O``; see `Recipe.run_as_job`."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.errors import ConflictError, ForbiddenError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.wrangler.files import format_recipe, read_recipe, write_recipe
from kernel_tools.wrangler.recipe import Recipe
from kernel_tools.wrangler.trust import code_steps

ENTRY = "-m kernel_tools.wrangler.job"
"""What runs."""


def job_parameters(
    recipe: Recipe, output: Path, memory_limit: str | None, workspace: Workspace | None = None
) -> dict[str, str]:
    """Keep a recipe in the workspace as it is now, and return the parameters of the job that runs it.

    Raises
    ------
    ConflictError
        If the rows of a source are only there in this process.
    ForbiddenError
        If it has steps with code, and is not trusted.
    """
    document = recipe.document
    if not recipe.is_trusted and code_steps(document):
        raise ForbiddenError(
            f"The recipe {document.name!r} runs code that came with it. Read it, and load it with is_trusted=True."
        )
    for source in document.sources:
        if source.kind == "frame" and source.uri is None:
            raise ConflictError(
                f"The rows of the source {source.id!r} are a table of this process, which a job cannot see. "
                "Write them to a file, and read that."
            )
    text = format_recipe(document)
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.recipe.json"
    kept = write_recipe(document, (workspace or current_workspace()).root / "wrangler" / "jobs" / name)
    base = recipe.base or Path.cwd()
    parameters = {"recipe": str(kept), "base": str(base.resolve()), "head": recipe.head, "output": str(output)}
    return parameters | ({"memory-limit": memory_limit} if memory_limit else {})


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn where that has not happened, write the rows, and write the recipe with what it has learned beside them."""
    parser = argparse.ArgumentParser(description="Run a recipe and write its rows.")
    parser.add_argument("--recipe", required=True, help="The file of the recipe.")
    parser.add_argument("--base", help="The folder that its relative paths start at.")
    parser.add_argument("--head", help="The step to end with.")
    parser.add_argument("--output", required=True, help="Where the rows go.")
    parser.add_argument("--memory-limit", help="How much memory the engine may use, as in 1GB.")
    given = parser.parse_args(arguments)
    base = Path(given.base) if given.base else Path(given.recipe).parent
    recipe = Recipe(read_recipe(given.recipe), base=base, is_trusted=True, head=given.head)
    written = recipe.run(given.output, memory_limit=given.memory_limit)
    fitted = write_recipe(recipe.document, written.with_name(f"{written.name}.recipe.json"))
    print(f"Rows: {written}\nRecipe with what it has learned: {fitted}")


if __name__ == "__main__":
    main()
