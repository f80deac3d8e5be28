"""Saves ``model.ubj`` of a folder in MLflow's own flavour: ``python mlflow_model.py FOLDER``."""

import shutil
import sys
from pathlib import Path

import mlflow.xgboost
import xgboost

model = xgboost.XGBClassifier()
model.load_model(Path(sys.argv[1]) / "model.ubj")
path = Path(sys.argv[1]) / "mlflow-model"
shutil.rmtree(path, ignore_errors=True)
mlflow.xgboost.save_model(model, path)
