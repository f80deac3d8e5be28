"""An estimator that skops does not know."""

from sklearn.base import BaseEstimator, TransformerMixin


class Doubler(TransformerMixin, BaseEstimator):
    """Doubles its input."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return 2 * X
