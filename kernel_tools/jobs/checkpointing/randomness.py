"""The states of the random generators that training uses: Python's, numpy's and torch's, as JSON values."""

from __future__ import annotations

import base64
import random
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def capture_randomness(generators: Sequence[np.random.Generator] = ()) -> dict[str, Any]:
    """Return the states of the global generators of libraries that are loaded, and of the numpy generators given."""
    version, words, gauss = random.getstate()
    found: dict[str, Any] = {"python": [version, list(words), gauss]}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        kind, keys, position, has_gauss, cached = numpy.random.get_state()
        found["numpy"] = [kind, keys.tolist(), int(position), int(has_gauss), float(cached)]
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = _encode(torch.get_rng_state())
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            found["cuda"] = [_encode(state) for state in torch.cuda.get_rng_state_all()]
    found["generators"] = [_plain(generator.bit_generator.state) for generator in generators]
    return found


def restore_randomness(states: dict[str, Any], generators: Sequence[np.random.Generator] = ()) -> None:
    """Set the generators to captured states."""
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    if "numpy" in states:
        import numpy as np

        kind, keys, position, has_gauss, cached = states["numpy"]
        np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    if "torch" in states:
        import torch

        torch.set_rng_state(_decode(states["torch"]))
        if "cuda" in states and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([_decode(text) for text in states["cuda"]])
    for generator, state in zip(generators, states["generators"], strict=True):
        generator.bit_generator.state = _arrays(state)


def _encode(state: Any) -> str:
    return base64.b64encode(state.cpu().numpy().tobytes()).decode()


def _decode(text: str) -> Any:
    import numpy as np
    import torch

    return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype=np.uint8).copy())


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return value


def _arrays(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict):
        if value.keys() == {"array", "dtype"}:
            return np.array(value["array"], dtype=value["dtype"])
        return {key: _arrays(item) for key, item in value.items()}
    return value
