"""Figures of a classifier's results: confusion matrix, ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from numpy.typing import ArrayLike


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, labels: Sequence[object] | None = None) -> go.Figure:
    """Draw how often each true class was predicted as each class.

    Parameters
    ----------
    y_true, y_pred
        True and predicted classes, shape (n_samples,).
    labels
        Names of the classes, in the order of their sorted values. Default: the values.

    Notes
    -----
    Counts are printed in the cells; the colour is the share of the true class (each row sums to 1), so that a small
    class is as visible as a large one.
    """
    import numpy as np
    import plotly.graph_objects as go
    from sklearn.metrics import confusion_matrix as count_confusions
    from sklearn.utils.multiclass import unique_labels

    from kernel_tools.core.figures import register_templates

    register_templates()
    counts = count_confusions(y_true, y_pred)
    names = [str(label) for label in (labels if labels is not None else unique_labels(y_true, y_pred))]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            text=[
                [f"{count:,}<br>{share:.1%}" for count, share in zip(*row, strict=True)]
                for row in zip(counts, shares, strict=True)
            ],
            texttemplate="%{text}",
            hovertemplate="true %{y}, predicted %{x}<br>%{text}<extra></extra>",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={"title": "share of<br>true class", "tickformat": ".0%"},
        )
    )
    figure.update_layout(template="atelier", xaxis_title="predicted class", yaxis_title="true class")
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def roc_curve(y_true: ArrayLike, y_score: ArrayLike, positive: object = 1) -> go.Figure:
    """Draw the receiver operating characteristic of a binary classifier, with its area in the title.

    Parameters
    ----------
    y_true
        True classes, shape (n_samples,).
    y_score
        Scores or probabilities of the positive class, shape (n_samples,).
    positive
        The positive class.

    Notes
    -----
    Points on a straight line between their neighbours are left out, which changes neither the curve nor its area.
    """
    import numpy as np
    import plotly.graph_objects as go
    from sklearn.metrics import roc_auc_score
    from sklearn.metrics import roc_curve as trace_roc

    from kernel_tools.core.figures import register_templates

    register_templates()
    is_positive = np.asarray(y_true) == positive
    false_rate, true_rate, _ = trace_roc(is_positive, y_score, drop_intermediate=True)
    area = roc_auc_score(is_positive, y_score)
    figure = go.Figure()
    figure.add_scatter(x=false_rate, y=true_rate, mode="lines", name="model", hovertemplate="%{x:.1%} → %{y:.1%}")
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="chance",
        line={"dash": "dot", "color": "gray", "width": 1},
        hoverinfo="skip",
    )
    figure.update_layout(
        template="atelier",
        title=f"AUC {area:.4f}",
        xaxis_title="false positive rate",
        yaxis_title="true positive rate",
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.005], tickformat=".0%")
    return figure


def precision_recall_curve(y_true: ArrayLike, y_score: ArrayLike, positive: object = 1) -> go.Figure:
    """Draw precision over recall of a binary classifier, with the average precision in the title.

    Parameters
    ----------
    y_true
        True classes, shape (n_samples,).
    y_score
        Scores or probabilities of the positive class, shape (n_samples,).
    positive
        The positive class; the dotted line is its share, which a classifier by chance reaches.
    """
    import numpy as np
    import plotly.graph_objects as go
    from sklearn.metrics import average_precision_score
    from sklearn.metrics import precision_recall_curve as trace_precision

    from kernel_tools.core.figures import register_templates

    register_templates()
    is_positive = np.asarray(y_true) == positive
    precision, recall, _ = trace_precision(is_positive, y_score, drop_intermediate=True)
    figure = go.Figure()
    figure.add_scatter(x=recall, y=precision, mode="lines", name="model", hovertemplate="%{x:.1%} → %{y:.1%}")
    figure.add_hline(y=float(is_positive.mean()), line={"dash": "dot", "color": "gray", "width": 1})
    figure.update_layout(
        template="atelier",
        title=f"average precision {average_precision_score(is_positive, y_score):.4f}",
        xaxis_title="recall",
        yaxis_title="precision",
        showlegend=False,
    )
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.005], tickformat=".0%")
    return figure
