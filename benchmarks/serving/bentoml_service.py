"""BentoML, one worker: ``bentoml serve bentoml_service:Service``; the model is ``model.ubj`` of ``MODEL_FOLDER``."""

import os

import bentoml
import numpy as np
import xgboost


@bentoml.service(workers=1)
class Service:
    """Rows of numbers to probabilities."""

    def __init__(self) -> None:
        self.model = xgboost.XGBClassifier()
        self.model.load_model(os.path.join(os.environ["MODEL_FOLDER"], "model.ubj"))

    @bentoml.api(route="/invocations")
    def predict(self, instances: list[list[float]]) -> list[list[float]]:
        """Return the probabilities."""
        return self.model.predict_proba(np.asarray(instances, dtype=np.float32)).tolist()
