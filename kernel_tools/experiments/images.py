"""Images as PNG files, from Matplotlib, Pillow or plain arrays."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""Number of channels, and what PNG calls it: grey, RGB, RGB with opacity."""


def to_png(image: Any) -> bytes:
    """Return an image as a PNG file; see `Run.log_image` for what may be one."""
    buffer = io.BytesIO()
    if hasattr(image, "savefig"):
        image.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()
    if hasattr(image, "save") and hasattr(image, "getbands"):
        image.save(buffer, format="PNG")
        return buffer.getvalue()
    return _encode(image)


def _encode(image: Any) -> bytes:
    """Write an array as PNG (ISO/IEC 15948), eight bits a channel, without filters."""
    import numpy as np

    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in _COLOUR_TYPES or 0 in pixels.shape:
        raise InvalidArgumentError(
            f"An array of shape {np.shape(image)} is no image: use (height, width) or (height, width, 1, 3 or 4)."
        )
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels).clip(0, 1) * 255
    elif pixels.dtype == bool:
        pixels = pixels * 255
    elif pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > 255:
        raise InvalidArgumentError("The values of an image must be floats from 0 to 1 or whole numbers from 0 to 255.")
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # the first byte of a row says that it has no filter
    rows[:, 1:] = np.rint(pixels).astype(np.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
