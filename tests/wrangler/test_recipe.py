"""The recipe in Python: built step by step, fitted, applied, refitted, kept, run as a job and said in SQL."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kernel_tools import wrangler
from kernel_tools.core.errors import ConflictError, ForbiddenError, InvalidArgumentError
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.operators.base import StepError

FRAME = pd.DataFrame(
    {"age": [39.0, None, 38.0, 53.0], "job": ["clerk", "cook", "clerk", None], "pay": [1.0, 2.0, 3.0, 4.0]}
)
NEW = pd.DataFrame({"age": [None, 20.0], "job": ["pilot", "clerk"], "pay": [5.0, 6.0]})


def recipe() -> wrangler.Recipe:
    return wrangler.read(FRAME, name="people").impute(["age"], strategy="median").one_hot(["job"], max_categories=2)


def test_steps_are_fitted_and_applied_to_new_rows() -> None:
    fitted = recipe().fit()
    result = fitted.transform(NEW)
    assert list(result.columns) == ["age", "pay", "job_clerk", "job_cook"]
    assert result["age"].tolist() == [39.0, 20.0] and result["job_clerk"].tolist() == [0, 1]


def test_new_rows_before_the_fit_are_refused() -> None:
    with pytest.raises(ConflictError, match="Fit the recipe first"):
        recipe().transform(NEW)


def test_a_column_that_has_vanished_is_named() -> None:
    with pytest.raises(StepError, match="no column 'age'"):
        recipe().fit().transform(NEW.drop(columns="age"))


def test_a_kept_recipe_does_the_same(tmp_path: Path) -> None:
    fitted = recipe().fit()
    again = wrangler.load(fitted.save(tmp_path / "people"))
    pd.testing.assert_frame_equal(again.transform(NEW), fitted.transform(NEW))
    with pytest.raises(ConflictError, match="not kept in the recipe"):
        again.fit()


def test_refit_says_what_is_different() -> None:
    refit = recipe().fit().refit(NEW)
    changes = refit.changes.set_index("what")
    assert changes.loc["values.age", "before"] == 39.0 and changes.loc["values.age", "after"] == 20.0
    assert refit.recipe.transform(NEW)["age"].tolist() == [20.0, 20.0]


def test_recipes_are_joined_and_a_source_is_taken_once(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "people.parquet")
    table = wrangler.read(tmp_path / "people.parquet")
    totals = table.aggregate(group_by=["job"], aggregations=[{"function": "sum", "column": "pay", "name": "total"}])
    joined = table.join(totals, how="left", keys=["job"])
    assert len(joined.document.sources) == 1
    assert joined.fit_transform()["total"].tolist()[:3] == [4.0, 2.0, 4.0]


def test_sql_says_the_same() -> None:
    fitted = recipe().fit()
    with duckdb.connect() as connection:
        connection.register("s1", NEW)
        found = connection.sql(fitted.to_sql()).df()
    pd.testing.assert_frame_equal(found, fitted.transform(NEW), check_dtype=False)


def test_python_builds_the_same_recipe(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "people.csv", index=False)
    made = wrangler.read(tmp_path / "people.csv").impute(["age"]).filter("pay > 1").one_hot(["job"])
    names: dict = {}
    exec(made.to_python("atelier"), names)
    pd.testing.assert_frame_equal(names["recipe"].fit_transform(), made.fit_transform())


@pytest.mark.parametrize("dialect", ["pandas", "polars", "sql"])
def test_python_alone_gives_the_same_table(tmp_path: Path, dialect: str) -> None:
    FRAME.to_parquet(tmp_path / "people.parquet")
    made = wrangler.read(tmp_path / "people.parquet").impute(["age"]).filter("pay > 1").one_hot(["job"])
    made = made.standardize(["age"]).fit()
    names: dict = {}
    code = made.to_python(dialect)
    assert "kernel_tools" not in code
    exec(code, names)
    df = names["df"]
    found = (df.to_pandas() if dialect == "polars" else df).astype("float64")
    pd.testing.assert_frame_equal(found.reset_index(drop=True), made.transform().astype("float64"))


@pytest.mark.parametrize("dialect", ["pandas", "polars"])
def test_python_of_frames_takes_frames_of_all_kinds(dialect: str) -> None:
    made = wrangler.read(FRAME).impute(["age"]).sort(["pay"]).fit()
    code = made.to_python(dialect)
    tables = []
    for frame in (FRAME, pl.from_pandas(FRAME), FRAME.set_axis([7] * len(FRAME))):
        names: dict = {"frame": frame}
        exec(code, names)
        found = names["df"].to_arrow() if dialect == "polars" else pa.Table.from_pandas(names["df"])
        tables.append(found.replace_schema_metadata(None).to_pandas())
    for table in tables:
        pd.testing.assert_frame_equal(table, made.transform(), check_dtype=False)


def test_rows_are_written_and_a_job_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    FRAME.to_csv(tmp_path / "people.csv", index=False)
    made = wrangler.read(tmp_path / "people.csv").impute(["age"]).sort(["pay"])
    made.run(tmp_path / "direct.parquet")
    job = made.run_as_job(tmp_path / "by_job.parquet")
    job.wait()
    assert str(job.status.value) == "Completed", job.logs()
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "by_job.parquet"), pd.read_parquet(tmp_path / "direct.parquet")
    )
    assert wrangler.load(tmp_path / "by_job.parquet.recipe.json").document.nodes[0].fit is not None


def test_a_job_runs_no_code_that_is_not_trusted(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "people.csv", index=False)
    made = wrangler.read(tmp_path / "people.csv").custom_pandas('df["x"] = 1')
    loaded = wrangler.load(made.save(tmp_path / "people"))
    with pytest.raises(ForbiddenError, match="is_trusted=True"):
        loaded.run_as_job(tmp_path / "out.parquet")
    with pytest.raises(ForbiddenError, match="trust"):
        loaded.fit()


def test_a_variable_becomes_a_recipe_with_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    link = wrangler.wrangle(FRAME, "people")
    assert link.path == tmp_path / "people.recipe.json" and "people.recipe.json" in link._repr_html_()
    assert wrangler.wrangle(FRAME, "people").path.name == "people-2.recipe.json"
    assert len(wrangler.load(link.path).fit_transform()) == 4


def test_a_table_is_profiled_and_every_suggestion_is_a_step() -> None:
    profile = wrangler.profile(FRAME)
    assert profile.loc["age", "missing"] == 1
    for finding in wrangler.insights(FRAME):
        for suggestion in finding.suggestions:
            make_operator(suggestion.op, suggestion.params)


def test_a_frame_is_analyzed() -> None:
    result = wrangler.analyze(FRAME, "histogram", column="pay")
    assert result.exact and result.n == 4 and result.figure is not None


@pytest.mark.parametrize(
    "build",
    [
        lambda: wrangler.read(FRAME).impute(["age"], "median", "x", 1, 2, 3, 4, 5, 6),
        lambda: wrangler.read(FRAME).impute(["age"], columns=["age"]),
        lambda: wrangler.read(FRAME).impute(["age"], strategy="medial"),
        lambda: wrangler.read(FRAME).impute(),
        lambda: wrangler.read(FRAME).impute(["age"], colour="red"),
    ],
)
def test_wrong_parameters_are_refused_when_the_step_is_added(build) -> None:
    with pytest.raises(InvalidArgumentError):
        build()


def test_a_step_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(AttributeError, match="has no step or method 'imputee'"):
        wrangler.read(FRAME).imputee(["age"])
    assert "impute" in dir(wrangler.read(FRAME)) and "columns" in (wrangler.read(FRAME).impute.__doc__ or "")
