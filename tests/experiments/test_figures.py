"""Figures of runs and of a classifier's results."""

import numpy as np
import pytest

from kernel_tools.core.figures import figure_json
from kernel_tools.experiments.figures import confusion_matrix, roc_curve


def test_a_confusion_matrix_counts_and_colours_by_the_share_of_the_true_class():
    figure = confusion_matrix([0, 0, 0, 1], [0, 0, 1, 1], labels=["no", "yes"])
    heat = figure.data[0]
    np.testing.assert_allclose(heat.z, [[2 / 3, 1 / 3], [0, 1]])
    assert list(heat.x) == ["no", "yes"]
    assert heat.text[0][0] == "2<br>66.7%"


def test_a_roc_curve_tells_its_area():
    figure = roc_curve(["b", "a", "a", "b"], [0.1, 0.4, 0.35, 0.8], positive="a")
    assert figure.layout.title.text == "AUC 0.5000"
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("figure", [confusion_matrix([0, 1], [1, 1]), roc_curve([0, 1], [0.2, 0.7])])
def test_figures_are_plain_json(figure):
    assert figure_json(figure)["data"]
