"""Models with code of their own: SageMaker's functions, their defaults, and all that such code may do wrong."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from kernel_tools.core.errors import InvalidDataError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.engines.program import ProgramEngine
from kernel_tools.hosting.engines.protocol import Payload
from kernel_tools.hosting.engines.script import ScriptEngine
from kernel_tools.hosting.wire import ModelError, UnsupportedContentError

DOUBLE = """
import sys
def model_fn(model_dir):
    print("loaded from", model_dir)
    return lambda rows: rows * 2
"""
JSON = "application/json"


@contextmanager
def engine(tmp_path: Path, code: str, *, timeout: float = 30.0, place: str = "code") -> Iterator[ScriptEngine]:
    folder = tmp_path / "model"
    (folder / place).mkdir(parents=True)
    (folder / place / "inference.py").write_text(code)
    made = ScriptEngine(folder, Workspace(tmp_path / "workspace"), timeout)
    try:
        yield made
    finally:
        made.close()


def test_missing_functions_read_and_write_arrays(tmp_path: Path) -> None:
    with engine(tmp_path, DOUBLE) as model:
        found = model.invoke(Payload(b'{"instances": [[1, 2.5]]}', JSON), JSON)
        assert (json.loads(found.body), found.content_type) == ({"predictions": [[2, 5.0]]}, JSON)
        assert model.invoke(Payload(b"1,2\n3,4\n", "text/csv"), "text/csv").body == b"2.0,4.0\n6.0,8.0\n"
        stream = io.BytesIO()
        np.save(stream, np.array([[0.1]]))
        found = model.invoke(Payload(stream.getvalue(), "application/x-npy"), "application/x-npy")
        assert np.load(io.BytesIO(found.body)) == 0.2
        with pytest.raises(UnsupportedContentError, match="input_fn"):
            model.invoke(Payload(b"x", "image/png"), JSON)
        with pytest.raises(UnsupportedContentError, match="output_fn"):
            model.invoke(Payload(b"[1]", JSON), "image/png")


def test_all_four_functions_are_called(tmp_path: Path) -> None:
    code = """
def model_fn(model_dir, context):
    return open(model_dir + "/code/word").read()
def input_fn(body, content_type):
    assert isinstance(body, str), type(body)
    return body.split(","), content_type
def predict_fn(data, model):
    return [model + one for one in data[0]]
def output_fn(prediction, accept):
    return "|".join(prediction), "text/plain"
"""
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "word").write_text("w")
    (tmp_path / "model" / "code" / "inference.py").write_text(code)
    model = ScriptEngine(tmp_path / "model", Workspace(tmp_path / "workspace"))
    assert model.invoke(Payload(b"a,b", "text/csv"), JSON) == Payload(b"wa|wb", "text/plain")
    model.close()


def test_transform_fn_takes_the_place_of_three(tmp_path: Path) -> None:
    code = "def transform_fn(model, body, content_type, accept):\n    return body[::-1]"
    with engine(tmp_path, code, place=".") as model:
        assert model.invoke(Payload(b"\x00\x01", "image/png"), "image/png").body == b"\x01\x00"


def test_code_that_raises_prints_hangs_or_ends_leaves_an_engine_that_answers(tmp_path: Path) -> None:
    code = """
import os, time
def model_fn(model_dir): return None
def input_fn(body, content_type): return body
def output_fn(found, accept): return found
def predict_fn(data, model):
    print("noise")
    if data == "raise": raise KeyError("x")
    if data == "hang": time.sleep(600)
    if data == "end": os._exit(3)
    return data
"""
    with engine(tmp_path, code, timeout=2.0) as model:
        for word, message in (("raise", "KeyError: 'x'"), ("hang", "within 2 s"), ("end", "exit code 3")):
            with pytest.raises(ModelError, match=message):
                model.invoke(Payload(word.encode(), "text/csv"), JSON)
            assert model.invoke(Payload(b"good", "text/csv"), "text/csv").body == b"good"
        large = b"x" * 3_000_000
        assert model.invoke(Payload(large, "text/csv"), "text/csv").body == large


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def model_fn(d): raise ValueError('no weights')", "ValueError: no weights"),
        ("def model_fn(d: pass", "SyntaxError"),
        ("import os; os._exit(7)", "exit code 7"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message), engine(tmp_path, code):
        pass


def test_requirements_make_an_environment_once(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "model", Workspace(tmp_path / "workspace")
    folder.mkdir()
    code = "import sys\ndef transform_fn(model, body, content_type, accept):\n    return sys.prefix"
    (folder / "inference.py").write_text(code)
    (folder / "requirements.txt").write_text("# nothing but an environment of its own\n")
    prefixes = set()
    for _ in range(2):
        model = ScriptEngine(folder, workspace)
        prefixes.add(model.invoke(Payload(b"", "text/csv"), "text/plain").body.decode())
        model.close()
    (prefix,) = prefixes
    assert Path(prefix).parent == workspace.folder("environments", "x").parent
    (folder / "requirements.txt").write_text("./no-such-folder\n")
    with pytest.raises(UnavailableError, match=r"requirements.txt.*no-such-folder"):
        ScriptEngine(folder, workspace)


PROGRAM = """
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self): self.reply(200, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"bad": return self.reply(500, b"no such row")
        if body == b"type": return self.reply(415, b"")
        self.reply(200, body[::-1])
    def reply(self, status, body):
        self.send_response(status); self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/plain"); self.end_headers(); self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""


def test_any_program_that_keeps_the_contract_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(PROGRAM)
    model = ProgramEngine([sys.executable, "serve.py"], tmp_path)
    try:
        assert model.invoke(Payload(b"abc", "text/csv"), JSON) == Payload(b"cba", "text/plain")
        with pytest.raises(ModelError, match="no such row"):
            model.invoke(Payload(b"bad", "text/csv"), JSON)
        with pytest.raises(UnsupportedContentError):
            model.invoke(Payload(b"type", "text/csv"), JSON)
    finally:
        model.close()
    with pytest.raises(ModelError, match="does not answer"):
        model.invoke(Payload(b"abc", "text/csv"), JSON)


def test_a_program_that_ends_or_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="code 4"):
        ProgramEngine([sys.executable, "-c", "raise SystemExit(4)"], tmp_path)
    with pytest.raises(InvalidDataError, match="no-such-program"):
        ProgramEngine(["no-such-program"], tmp_path)
