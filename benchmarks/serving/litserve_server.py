"""LitServe, one worker: ``python litserve_server.py FOLDER PORT``; the model is ``model.ubj`` of the folder."""

import os
import sys

import litserve
import numpy as np
import xgboost

os.environ.setdefault("MODEL_FOLDER", sys.argv[1] if len(sys.argv) > 1 else ".")


class Api(litserve.LitAPI):
    """Rows of numbers to probabilities."""

    def setup(self, device):
        """Load the model."""
        self.model = xgboost.XGBClassifier()
        self.model.load_model(os.path.join(os.environ["MODEL_FOLDER"], "model.ubj"))

    def decode_request(self, request):
        """Read rows."""
        return np.asarray(request["instances"], dtype=np.float32)

    def predict(self, rows):
        """Predict."""
        return self.model.predict_proba(rows)

    def encode_response(self, output):
        """Write predictions."""
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(api_path="/invocations"), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), host="127.0.0.1", generate_client_file=False, log_level="warning")
