"""Watching XGBoost and LightGBM: learning curves, trees, importances, predictions and SHAP values, round by round."""
