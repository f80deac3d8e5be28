"""Load and memory of the machine's GPUs, from NVML where the driver brings it."""

from __future__ import annotations

import ctypes
import math


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gpus:
    """The GPUs that NVML lists; none if there is no NVML."""

    def __init__(self) -> None:
        self._handles: list[ctypes.c_void_p] = []
        try:
            self._library = ctypes.CDLL("libnvidia-ml.so.1")
            count = ctypes.c_uint()
            if self._library.nvmlInit_v2() == 0 and self._library.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0:
                for index in range(count.value):
                    handle = ctypes.c_void_p()
                    if self._library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)) == 0:
                        self._handles.append(handle)
        except (OSError, AttributeError):
            self._handles = []

    def __len__(self) -> int:
        return len(self._handles)

    def read(self) -> list[tuple[float, int, int]]:
        """Return of each GPU the load in percent, and the used and all bytes of its memory; NaN and 0 if unknown."""
        found = []
        for handle in self._handles:
            utilization, memory = _Utilization(), _Memory()
            has_load = self._library.nvmlDeviceGetUtilizationRates(handle, ctypes.byref(utilization)) == 0
            has_memory = self._library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) == 0
            load = float(utilization.gpu) if has_load else math.nan
            found.append((load, memory.used if has_memory else 0, memory.total if has_memory else 0))
        return found
