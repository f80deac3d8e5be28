"""Figures of runs, made once for notebooks, panels and dashboards; nothing here imports Plotly before it draws."""

from __future__ import annotations

from kernel_tools.experiments.figures.comparison import bars, boxes, parallel_coordinates, scatter
from kernel_tools.experiments.figures.curves import CHART_POINTS, compare_curves, compare_metric, metric_history
from kernel_tools.experiments.figures.evaluation import confusion_matrix, precision_recall_curve, roc_curve

__all__ = [
    "CHART_POINTS",
    "bars",
    "boxes",
    "compare_curves",
    "compare_metric",
    "confusion_matrix",
    "metric_history",
    "parallel_coordinates",
    "precision_recall_curve",
    "roc_curve",
    "scatter",
]
