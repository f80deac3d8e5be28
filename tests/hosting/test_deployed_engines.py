"""Endpoints of every kind of engine: compiled packages, pipelines, folders with code, programs and applications."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError


@pytest.fixture
def deployed(workspace):
    """Deploys endpoints that are deleted after the test."""
    made = []

    def deploy(*arguments, **options):
        made.append(kt.hosting.deploy(*arguments, workspace=workspace, **options))
        return made[-1]

    yield deploy
    for endpoint in made:
        endpoint.delete()


def test_a_compiled_version_is_answered_by_its_package_without_the_library(workspace, census, deployed):
    numbers = census.X[["age", "hours"]].fillna(0.0).astype("float64")
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=10, max_depth=3, n_jobs=1).fit(numbers, census.y)
    version = kt.registry.register("plain", model, sample_input=numbers.head(), workspace=workspace)
    version.approve()
    with pytest.raises(NotFoundError, match=r"not compiled to 'onnx', but to nothing\. Compile it first"):
        kt.hosting.deploy("plain", engine="onnx", workspace=workspace)
    kt.compiler.compile(version, "onnx", numbers)
    endpoint = deployed("plain", name="compiled")
    assert np.allclose(endpoint.predict_proba(numbers), model.predict_proba(numbers), atol=1e-5)
    libraries = {Path(item.path).name for item in psutil.Process(endpoint.record.pid).memory_maps()}
    assert not any("xgboost" in name or "pandas" in name or "sqlite" in name for name in libraries)
    assert any("onnxruntime" in name for name in libraries)
    endpoint.update(engine="framework")
    assert (endpoint.predict_proba(numbers[:9]) == model.predict_proba(numbers[:9]).astype(float)).all()
    with pytest.raises(Exception, match="Column 'hours' is missing"):
        endpoint.predict([{"age": 1.0}])


def test_a_fitted_recipe_and_a_model_answer_as_one_pipeline(workspace, census, deployed):
    from sklearn.linear_model import LogisticRegression

    table = census.X[["age", "hours"]].astype("float64")
    recipe = kt.wrangler.read(table).impute(["hours"], strategy="median").standardize(["age", "hours"])
    recipe.fit()
    prepared = recipe.transform(table)
    model = LogisticRegression().fit(prepared, census.y)
    kt.registry.register("prepare", recipe, sample_input=table.head(), workspace=workspace).approve()
    kt.registry.register("decide", model, sample_input=prepared.head(), workspace=workspace).approve()
    endpoint = deployed(["prepare", "decide"], name="pipeline")
    assert np.allclose(endpoint.predict_proba(table[:9]), model.predict_proba(prepared)[:9], atol=1e-12)
    alone = deployed("prepare", name="preparation")
    reply = alone.invoke([{"age": 40.0, "hours": None}])
    assert reply["predictions"][0].keys() == {"age", "hours"}
    with pytest.raises(InvalidArgumentError, match="1 to 15 models; these are 16"):
        kt.hosting.deploy(["prepare"] * 16, name="long", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="2 models and 3 versions"):
        kt.hosting.deploy(["prepare", "decide"], [1, 1, 1], name="odd", workspace=workspace)


SCRIPT = """
import json

def model_fn(model_dir):
    return 10

def input_fn(body, content_type):
    return json.loads(body)["n"]

def predict_fn(data, model):
    if data < 0:
        raise ValueError("negative")
    return data * model

def output_fn(prediction, accept):
    return json.dumps({"result": prediction}), "application/json"
"""

PROGRAM = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(418 if b"tea" in body else 200)
        self.send_header("Content-Type", "text/plain"); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body[::-1])
    def log_message(self, *arguments):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

APPLICATION = """
async def app(scope, receive, send):
    body = (scope["method"] + " " + scope["path"]).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""


def post(endpoint, body, path="/invocations", kind="application/json"):
    asked = urllib.request.Request(endpoint.url + path, data=body, headers={"Content-Type": kind})
    try:
        with urllib.request.urlopen(asked) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_code_programs_and_applications_are_models_too(workspace, deployed, tmp_path: Path):
    for name, file, text in (("code", "inference.py", SCRIPT), ("files", "serve.py", PROGRAM + "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    (tmp_path / "files" / "application.py").write_text(APPLICATION)
    kt.registry.register_files("code", tmp_path / "code", workspace=workspace).approve()
    kt.registry.register_files("files", tmp_path / "files", format="files", workspace=workspace).approve()

    with pytest.raises(UnavailableError, match="trust=True"):
        kt.hosting.deploy("code", name="refused", workspace=workspace)
    kt.hosting.get("refused", workspace=workspace).delete()
    code = deployed("code", trust=True)
    assert post(code, b'{"n": 4}') == (200, b'{"result": 40}')
    status, said = post(code, b'{"n": -1}')
    assert status == 424 and "ValueError: negative" in json.loads(said)["error"]["message"]

    program = deployed("files", name="program", command=[sys.executable, "serve.py"], trust=True)
    assert post(program, b"abc", kind="text/plain") == (200, b"cba")
    status, said = post(program, b"tea", kind="text/plain")
    assert (status, json.loads(said)["error"]) == (
        424,
        {"code": "ModelError", "message": "aet", "original_status": 418},
    )

    application = deployed("files", name="application", app="application", trust=True)
    assert post(application, b"", "/anything/else")[1] == b"POST /anything/else"
    with pytest.raises(InvalidArgumentError, match="not both"):
        kt.hosting.deploy("files", app="a", command=["b"], workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="'module:attribute'"):
        kt.hosting.deploy("files", app="a b", workspace=workspace)
