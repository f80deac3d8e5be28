"""A recipe as a scikit-learn pipeline: a transformer for each step, a sampler for each that chooses rows.

Steps that choose, order or make rows (filter, drop_missing, outliers with remove, sort, balance ...) are samplers, as
imbalanced-learn calls them: they change the rows that a pipeline is fitted with, and leave rows alone that are
transformed or predicted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, MissingExtraError
from kernel_tools.wrangler.lowering import statements
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.sources.frames import arrow_table
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.states import decode_state, encode_state

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kernel_tools.wrangler.document import Node
    from kernel_tools.wrangler.execution import Execution
    from kernel_tools.wrangler.operators.base import Operator
    from kernel_tools.wrangler.recipe import Recipe


class Step(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the two kinds of steps.

    Parameters
    ----------
    op
        The name of the operator, as in `kernel_tools.wrangler.operators()`.
    params
        Its parameters.
    target
        What the step calls the ``y`` that it is fitted with; None takes the step's own word for it, or the name of
        ``y``.

    Attributes
    ----------
    state_ : dict
        What was learned, as JSON can hold it.
    types_ : dict of str to str
        The columns that it was fitted with, and their types.
    feature_names_in_, n_features_in_
        The columns of the rows that it takes.
    """

    def __init__(self, op: str, params: dict[str, Any] | None = None, target: str | None = None) -> None:
        self.op = op
        self.params = params
        self.target = target

    def _operator(self) -> Operator:
        operator = make_operator(self.op, dict(self.params or {}))
        if operator.arity[0] > 1:
            raise UnsupportedError(f"{operator.title} takes several tables, a step of scikit-learn only one.")
        if operator.runs_code:
            raise UnsupportedError(
                f"{operator.title} runs code that somebody wrote, and a pipeline that was loaded from a file must not. "
                "Write it as a FunctionTransformer of scikit-learn."
            )
        return operator

    def _learn(self, X: Any, y: Any) -> pa.Table:
        """Learn from rows, and return them with ``y`` as a column."""
        from kernel_tools.wrangler.execution import frame_of

        operator = self._operator()
        frame = _frame(X)
        self.feature_names_in_ = np.array([str(name) for name in frame.columns], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.target_ = None
        if y is not None:
            own = getattr(operator, "target", None)
            name = self.target or own or getattr(y, "name", None) or "y"
            if name not in frame.columns:
                frame, self.target_ = _with_column(frame, name, y), name
        rows = arrow_table(frame, Reading())
        table = statements.shown(rows)
        operator.check(table.schema())
        statements.forget(self)
        state: dict[str, Any] = {}
        if operator.learns and operator.is_eager:
            state = operator.learn_frame(frame_of(statements.engine(), table))
        elif operator.learns:
            state = operator.learn(table)
        self.state_ = encode_state(state)
        self.types_ = {name: str(dtype) for name, dtype in table.schema().items() if name != self.target_}
        return rows

    def _run(self, rows: pa.Table, *, is_training: bool) -> pa.Table:
        from kernel_tools.wrangler.execution import arrow_of, frame_of

        operator, state = self._operator(), decode_state(self.state_)
        if operator.is_eager:
            apply = operator.apply_training if is_training else operator.apply
            table = statements.shown(rows)
            return arrow_of(apply(frame_of(statements.engine(), table), state=state))
        build = operator.build_training if is_training else operator.build
        return statements.run(self, rows, lambda table: build(table, state=state))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "state_")


class StepTransformer(TransformerMixin, Step):  # type: ignore[misc]  # scikit-learn has no types
    """A step of a recipe as a transformer of scikit-learn.

    Takes and returns frames of pandas or polars; an array gets the columns ``x0``, ``x1``, ... What it learns it learns
    on DuckDB from all rows, and the rows that it is fitted with by `fit_transform` are training rows: cross-fitted
    encodings give them values that were learned without them.

    Attributes
    ----------
    names_out_ : list of str
        The columns that come out.

    Examples
    --------
    >>> import pandas as pd
    >>> step = StepTransformer("impute", {"columns": ["age"], "strategy": "mean"})
    >>> step.fit_transform(pd.DataFrame({"age": [20.0, None, 40.0]}))["age"].tolist()
    [20.0, 30.0, 40.0]
    """

    def fit(self, X: Any, y: Any = None) -> StepTransformer:
        """Learn from rows.

        Raises
        ------
        StepError
            If the step does not fit the table.
        UnsupportedError
            If the step is one for a sampler, or takes several tables.
        """
        self._require_transformer()
        self._finish(self._learn(X, y))
        return self

    def fit_transform(self, X: Any, y: Any = None, **_: Any) -> Any:
        """Learn from rows and return them, as the training rows that they are."""
        self._require_transformer()
        result = self._finish(self._learn(X, y))
        return self._wrapped(result, X)

    def transform(self, X: Any) -> Any:
        """Apply what was learned to rows.

        Raises
        ------
        InvalidDataError
            If a column is missing.
        """
        check_is_fitted(self)
        names = [str(name) for name in self.feature_names_in_]
        rows = statements.arrow_of_rows(_frame(X, names), self.types_)
        return self._wrapped(self._run(rows, is_training=False), X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the names of the columns that come out."""
        check_is_fitted(self)
        return np.array(self.names_out_, dtype=object)

    def _require_transformer(self) -> None:
        if is_sampler(self._operator()):
            raise UnsupportedError(f"{self.op} chooses, orders or makes rows. Use StepSampler({self.op!r}, ...).")

    def _finish(self, rows: pa.Table) -> pa.Table:
        result = self._run(rows, is_training=True)
        statements.forget(self)
        if self.target_ in result.column_names:
            result = result.drop_columns([self.target_])
        self.names_out_ = list(result.column_names)
        return result

    def _wrapped(self, table: pa.Table, X: Any) -> Any:
        """Return a table in the container that is set by `set_output`, else that of the rows given."""
        from sklearn.utils._set_output import _get_output_config

        wanted = _get_output_config("transform", self)["dense"]
        return _as_container(table, X, wanted)


class StepSampler(Step):
    """A step that chooses, orders or makes rows, as a sampler of imbalanced-learn.

    It works on the rows that a pipeline is fitted with; ``y`` is one of the columns while it does.
    """

    _estimator_type = "sampler"

    def fit(self, X: Any, y: Any = None) -> StepSampler:
        """Learn from rows."""
        self._learn(X, y)
        return self

    def fit_resample(self, X: Any, y: Any = None) -> tuple[Any, Any]:
        """Learn from rows, and return those that the step leaves, orders or makes, with their ``y``."""
        result = self._run(self._learn(X, y), is_training=True)
        statements.forget(self)
        if self.target_ is None:
            return _as_container(result, None if _is_array(X) else X, "default"), y
        labels = result.column(self.target_).to_pandas()
        kept = _as_container(result.drop_columns([self.target_]), X, "default")
        return kept, labels.to_numpy() if _is_array(y) else labels


def is_sampler(operator: Operator) -> bool:
    """Whether a step chooses, orders or makes rows."""
    if operator.op == "outliers":  # the one operator whose effect depends on its parameters
        return bool(getattr(operator, "fix", "") == "remove")
    return operator.row_effect != "same" or operator.op == "sort" or not operator.applies_to_new


def to_sklearn(recipe: Recipe, *, target: str | None = None) -> Any:
    """Return the steps of a recipe as a pipeline; fitted, if the recipe is.

    Parameters
    ----------
    recipe
        Each step has one input.
    target
        The column of the recipe's table that is ``y`` in scikit-learn.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Of imbalanced-learn, if a step chooses rows. An estimator is added by ``pipeline.steps.append``, or by putting
        the pipeline into another one.

    Raises
    ------
    UnsupportedError
        If a step takes several tables, or makes other rows, such as an aggregation.
    MissingExtraError
        If a step chooses rows and imbalanced-learn is not installed.
    """
    nodes = [node for node in recipe.steps if node.enabled]
    if not nodes:
        raise InvalidArgumentError("The recipe has no steps.")
    steps = [(f"{node.id}_{node.op}".replace("__", "_"), _step(node, target)) for node in nodes]
    try:
        with recipe._execution(None, limit=1000, is_training=False, may_learn=False) as (execution, _):
            for node, (_name, step) in zip(nodes, steps, strict=True):
                _set_learned(step, node, execution, target)
    except ConflictError:  # not fitted, or the rows are not there: the pipeline can be fitted
        steps = [(name, _step(node, target)) for node, (name, _) in zip(nodes, steps, strict=True)]
    if not any(isinstance(step, StepSampler) for _, step in steps):
        from sklearn.pipeline import Pipeline

        return Pipeline(steps)
    try:
        from imblearn.pipeline import Pipeline as SamplingPipeline
    except ImportError as error:
        raise MissingExtraError("imbalanced-learn", "wrangler") from error
    return SamplingPipeline(steps)


def _step(node: Node, target: str | None) -> Step:
    operator = make_operator(node.op, node.params)
    if len(node.inputs) > 1 or (operator.row_effect == "other" and operator.applies_to_new):
        raise UnsupportedError(
            f"The step {node.id!r} ({operator.sentence()}) makes other rows, which a pipeline cannot. Put the pipeline "
            "behind it."
        )
    kind = StepSampler if is_sampler(operator) else StepTransformer
    return kind(node.op, dict(node.params), target)


def _set_learned(step: Step, node: Node, execution: Execution, target: str | None) -> None:
    """Give a step what the recipe has learned."""
    before, after = execution.table(node.inputs[0]).schema(), execution.table(node.id).schema()
    step.state_ = encode_state(execution.state(node.id))
    step.types_ = {name: str(dtype) for name, dtype in before.items() if name != target}
    step.target_ = target if target in before else None
    step.feature_names_in_ = np.array(list(step.types_), dtype=object)
    step.n_features_in_ = len(step.types_)
    if isinstance(step, StepTransformer):
        step.names_out_ = [name for name in after if name != target]


def _is_array(rows: Any) -> bool:
    return isinstance(rows, (np.ndarray, list, tuple))


def _frame(X: Any, names: list[str] | None = None) -> Any:
    """Return rows as a frame of pandas or polars."""
    import pandas as pd

    if not _is_array(X):
        return X.reset_index(drop=True) if isinstance(X, pd.DataFrame) else X
    array = np.asarray(X)
    if array.ndim != 2:
        raise InvalidArgumentError(f"The rows are an array of {array.ndim} dimensions instead of 2.")
    if names is not None and array.shape[1] != len(names):
        raise InvalidArgumentError(f"The rows have {array.shape[1]} columns, the step was fitted with {len(names)}.")
    return pd.DataFrame(array, columns=names or [f"x{place}" for place in range(array.shape[1])])


def _with_column(frame: Any, name: str, y: Any) -> Any:
    if type(frame).__module__.startswith("polars"):
        import polars as pl

        return frame.with_columns(pl.Series(name, y))
    return frame.assign(**{name: np.asarray(y)})


def _as_container(table: pa.Table, X: Any, wanted: str) -> Any:
    """Return a table as a frame of the library that is wanted, or that the rows are of."""
    is_polars = type(X).__module__.startswith("polars")
    if wanted == "polars" or (wanted == "default" and is_polars):
        import polars as pl

        return pl.from_arrow(table)
    frame: pd.DataFrame = table.to_pandas()
    index = getattr(X, "index", None)
    if index is not None and len(index) == len(frame):
        frame.index = index
    return frame
