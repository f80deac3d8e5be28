"""Recipes as versions of models: kept fitted, given back as they were, refused before they have learned."""

from __future__ import annotations

import pandas as pd
import pytest

import kernel_tools as kt
from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace

PEOPLE = pd.DataFrame({"age": [20.0, None, 40.0], "job": ["a", "b", "a"]})


def test_a_fitted_recipe_is_a_version(tmp_path):
    workspace = Workspace(tmp_path)
    recipe = kt.wrangler.read(PEOPLE).impute(["age"]).one_hot(["job"])
    with pytest.raises(InvalidArgumentError, match=r"recipe\.fit"):
        kt.registry.register("prepare", recipe, workspace=workspace)
    version = kt.registry.register("prepare", recipe.fit(), sample_input=PEOPLE, workspace=workspace)
    assert (version.record.format, version.record.has_code) == ("recipe", False)
    loaded = version.load()
    pd.testing.assert_frame_equal(loaded.transform(PEOPLE), recipe.transform(PEOPLE))


def test_the_file_of_a_recipe_is_a_version_too(tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    path = kt.wrangler.read(PEOPLE).impute(["age"]).fit().save(tmp_path / "prepare")
    version = kt.registry.register_files("prepare", path, workspace=workspace)
    assert version.load().transform(PEOPLE)["age"].tolist() == [20, 30, 40]


def test_steps_of_code_run_only_when_they_are_trusted(tmp_path):
    workspace = Workspace(tmp_path)
    recipe = kt.wrangler.read(PEOPLE).step("custom_pandas", source="df['x'] = 1").fit()
    version = kt.registry.register("prepare", recipe, workspace=workspace)
    assert version.record.has_code
    with pytest.raises(ForbiddenError):
        version.load().transform(PEOPLE)
    assert version.load(trust=True).transform(PEOPLE)["x"].tolist() == [1, 1, 1]
