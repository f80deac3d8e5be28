"""Rules about processors, disks and GPUs, and what a machine of another size would cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.profiling.rules.base import MachineRule
from kernel_tools.debugger.profiling.steps import phases_of
from kernel_tools.debugger.profiling.system import SystemSeries, mean_of
from kernel_tools.debugger.rules.base import Found
from kernel_tools.debugger.trial import Trial

_UTILIZATION = {"figure": "utilization"}
_PERCENTILES = (50, 90, 95, 99)


def _highest(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the highest known value of each row, 0 where none is."""
    return np.nan_to_num(values, nan=0.0).max(axis=1) if values.shape[1] else np.zeros(len(values))


def _more_workers(series: SystemSeries, seconds: float | None) -> Advice:
    count = max(1, series.cores.shape[1] - 1)
    return Advice(
        f"Load data by {count} processes",
        "They prepare the next batches while this one is trained on.",
        f"loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, num_workers={count}, pin_memory=True,\n"
        "                                     persistent_workers=True, prefetch_factor=4)",
        seconds,
    )


class CPUBottleneck(MachineRule):
    """The GPU waits while a processor is at its limit.

    Parameters
    ----------
    threshold
        Percent of the samples in which that may be so.
    gpu_threshold, cpu_threshold
        The GPUs' load in percent below which they wait, and that of the busiest core above which it is at its limit.
    """

    needs_gpus = 1

    def __init__(
        self, *, threshold: float = 50, gpu_threshold: float = 10, cpu_threshold: float = 90, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.threshold, self.gpu_threshold, self.cpu_threshold = threshold, gpu_threshold, cpu_threshold

    def judge(self, trial: Trial) -> Found:
        """Count the samples in which the GPUs wait for a processor."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        is_waiting = (_highest(series.gpus) < self.gpu_threshold) & (_highest(series.cores) > self.cpu_threshold)
        share = 100 * float(is_waiting.mean())
        if share <= self.threshold:
            return None
        lost = float(is_waiting.sum()) * series.interval
        return self.finding(
            trial.steps()[-1] if trial.steps() else 0,
            f"In {share:.0f} % of the time the GPUs did less than {self.gpu_threshold:g} % while a processor was above "
            f"{self.cpu_threshold:g} %: they wait for it.",
            value=share,
            threshold=self.threshold,
            advice=[
                _more_workers(series, lost),
                Advice(
                    "Move the preparation of data to the GPU, or do it once and keep it",
                    "It is what keeps the processor busy.",
                    "",
                    lost,
                ),
                Advice("Take a machine with more processors for each GPU", "The GPU is paid for while it waits."),
            ],
            evidence=_UTILIZATION,
        )


class IOBottleneck(MachineRule):
    """The GPU waits while the machine waits for its disk.

    Parameters
    ----------
    threshold
        Percent of the samples in which that may be so.
    gpu_threshold, io_threshold
        The GPUs' load in percent below which they wait, and the percent of the time that a core waits for a disk above
        which that is the reason. (The original's documentation names 10 and 70 for the first; its code has 10.)
    """

    needs_gpus = 1

    def __init__(
        self, *, threshold: float = 50, gpu_threshold: float = 10, io_threshold: float = 50, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.threshold, self.gpu_threshold, self.io_threshold = threshold, gpu_threshold, io_threshold

    def judge(self, trial: Trial) -> Found:
        """Count the samples in which the GPUs wait for a disk."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        is_waiting = (_highest(series.gpus) < self.gpu_threshold) & (_highest(series.waiting) > self.io_threshold)
        share = 100 * float(is_waiting.mean())
        if share <= self.threshold:
            return None
        lost = float(is_waiting.sum()) * series.interval
        read = float(np.nanmean(series.disk_read)) / 1024**2
        return self.finding(
            trial.steps()[-1] if trial.steps() else 0,
            f"In {share:.0f} % of the time the GPUs did less than {self.gpu_threshold:g} % while processors waited for "
            f"the disk, which gave {read:.1f} MiB/s.",
            value=share,
            threshold=self.threshold,
            advice=[
                Advice(
                    "Copy the data to a local disk, or keep it in memory",
                    "Reading is what everything waits for.",
                    "dataset = [dataset[index] for index in range(len(dataset))]  # if it fits",
                    lost,
                ),
                _more_workers(series, lost),
                Advice("Keep the data in fewer, larger files", "Many small files cost a search each."),
            ],
            evidence=_UTILIZATION,
        )


class LowGPUUtilization(MachineRule):
    """The GPU is little used, or used by fits and starts.

    Parameters
    ----------
    threshold_p95
        Percent: a GPU whose 95th percentile is below it is little used.
    threshold_p5
        Percent: one whose 5th percentile is below it, though the 95th is high, stops again and again.
    window
        Seconds that are looked at, the last ones. (The original has 500 samples.)
    """

    needs_gpus = 1

    def __init__(
        self, *, threshold_p95: float = 70, threshold_p5: float = 10, window: float = 250, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.threshold_p95, self.threshold_p5, self.window = threshold_p95, threshold_p5, window

    def judge(self, trial: Trial) -> Found:
        """Look at the percentiles of each GPU."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        recent = series.last(self.window)
        found = []
        for gpu in range(recent.gpus.shape[1]):
            low, high = np.nanpercentile(recent.gpus[:, gpu], (5, 95))
            if high < self.threshold_p95:
                message = f"GPU {gpu} is little used: 95 % of the time it did at most {high:.0f} %."
                value, limit = high, self.threshold_p95
            elif low < self.threshold_p5:
                message = f"GPU {gpu} stops again and again: between {low:.0f} % and {high:.0f} %."
                value, limit = low, self.threshold_p5
            else:
                continue
            idle = float((1 - np.nan_to_num(recent.gpus[:, gpu]) / 100).sum()) * recent.interval
            found.append(
                self.finding(
                    trial.steps()[-1] if trial.steps() else 0,
                    message,
                    tensor=f"gpu {gpu}",
                    value=float(value),
                    threshold=limit,
                    advice=[
                        Advice(
                            "Double the batch size", "A small batch does not fill the GPU.", "batch_size *= 2", idle
                        ),
                        _more_workers(series, idle),
                        Advice("Take a smaller GPU, or fewer", "What is not used is paid for too."),
                    ],
                    evidence=_UTILIZATION,
                )
            )
        return found


class BatchSize(MachineRule):
    """Processors, GPUs and their memory are all little used: the batch is too small.

    Parameters
    ----------
    cpu_threshold_p95, gpu_threshold_p95, gpu_memory_threshold_p95
        Percent that the 95th percentiles must all be below.
    window
        Seconds that are looked at, the last ones. (The original has 500 samples, and patience 1,000 in the code but 100
        in its documentation.)
    """

    needs_gpus = 1

    def __init__(
        self,
        *,
        cpu_threshold_p95: float = 70,
        gpu_threshold_p95: float = 70,
        gpu_memory_threshold_p95: float = 70,
        window: float = 250,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cpu_threshold_p95, self.gpu_threshold_p95 = cpu_threshold_p95, gpu_threshold_p95
        self.gpu_memory_threshold_p95, self.window = gpu_memory_threshold_p95, window

    def judge(self, trial: Trial) -> Found:
        """Compare the three percentiles with their limits."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        recent = series.last(self.window)
        cpu, gpu, memory = (
            float(np.nanpercentile(values, 95)) for values in (mean_of(recent.cores), recent.gpus, recent.gpu_memory)
        )
        limits = (self.cpu_threshold_p95, self.gpu_threshold_p95, self.gpu_memory_threshold_p95)
        if not all(value < limit for value, limit in zip((cpu, gpu, memory), limits, strict=True)):
            return None
        factor = 2 ** max(1, int(np.log2(max(2.0, 90 / max(memory, 1.0)))))
        return self.finding(
            trial.steps()[-1] if trial.steps() else 0,
            f"95 % of the time processors did at most {cpu:.0f} %, GPUs {gpu:.0f} %, and {memory:.0f} % of the GPUs' "
            "memory was in use: a larger batch would fit.",
            value=gpu,
            threshold=self.gpu_threshold_p95,
            advice=[
                Advice(
                    f"Make the batch {factor} times as large",
                    "The memory has room, and a fuller GPU does more a second. Raise the learning rate with it.",
                    f"batch_size *= {factor}",
                ),
                Advice("Take a smaller machine", "What is not used is paid for too."),
            ],
            evidence=_UTILIZATION,
        )


class GPUMemoryIncrease(MachineRule):
    """The memory in use on a GPU grows and grows.

    Parameters
    ----------
    increase
        Points of percent that the mean of a window may be above that of the first one after the patience.
    window
        Samples of a window.
    """

    needs_gpus = 1

    def __init__(self, *, increase: float = 5, window: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.increase, self.window = increase, window

    def judge(self, trial: Trial) -> Found:
        """Compare the last window with the first, and see that it grew in between too."""
        series = self.series(trial)
        if self.is_too_early(series) or len(series) < 4 * self.window:
            return None
        warm = series.gpu_memory[len(series) // 4 :]
        found = []
        for gpu in range(warm.shape[1]):
            count = len(warm) // self.window
            means = np.nan_to_num(warm[: count * self.window, gpu]).reshape(count, self.window).mean(axis=1)
            grown = float(means[-1] - means[0])
            if grown > self.increase and (np.diff(means) >= -0.5).all():
                found.append(
                    self.finding(
                        trial.steps()[-1] if trial.steps() else 0,
                        f"The memory in use on GPU {gpu} has grown from {means[0]:.0f} % to {means[-1]:.0f} %, and "
                        "still grows.",
                        tensor=f"gpu {gpu}",
                        value=grown,
                        threshold=self.increase,
                        advice=[
                            Advice(
                                "Keep numbers of losses, not the tensors",
                                "A tensor that is kept keeps the graph that it came from.",
                                "total += float(loss.detach())",
                            ),
                            Advice(
                                "Do not keep outputs between steps",
                                "Lists of outputs hold their graphs too.",
                                "outputs.append(output.detach().cpu())",
                            ),
                        ],
                        evidence=_UTILIZATION,
                    )
                )
        return found


class LoadBalancing(MachineRule):
    """The GPUs are not equally busy.

    Parameters
    ----------
    threshold
        How far the histograms of two GPUs' loads may be apart: half the sum of the differences of ten classes, from 0
        to 1.
    """

    needs_gpus = 2

    def __init__(self, *, threshold: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold

    def judge(self, trial: Trial) -> Found:
        """Compare the histograms of each pair."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        loads = np.nan_to_num(series.gpus)
        shares = [np.histogram(loads[:, gpu], 10, (0, 100))[0] / len(loads) for gpu in range(loads.shape[1])]
        worst, pair = max(
            (float(np.abs(shares[one] - shares[other]).sum()) / 2, (one, other))
            for one in range(len(shares))
            for other in range(one)
        )
        if worst <= self.threshold:
            return None
        means = loads.mean(axis=0)
        return self.finding(
            trial.steps()[-1] if trial.steps() else 0,
            f"GPU {pair[0]} did {means[pair[0]]:.0f} % on average, GPU {pair[1]} {means[pair[1]]:.0f} %: the work is "
            "not shared equally.",
            value=worst,
            threshold=self.threshold,
            advice=[
                Advice(
                    "Use DistributedDataParallel instead of DataParallel",
                    "DataParallel gathers everything on the first GPU.",
                    "from torch.nn.parallel import DistributedDataParallel\n\n"
                    "model = DistributedDataParallel(model, device_ids=[rank])",
                ),
                Advice(
                    "Give each rank as many rows",
                    "The others wait for the slowest.",
                    "sampler = torch.utils.data.DistributedSampler(dataset, drop_last=True)",
                ),
            ],
            evidence=_UTILIZATION,
        )


class Dataloader(MachineRule):
    """Training waits for data, and the number of processes that load it does not fit the machine.

    Parameters
    ----------
    min_threshold, max_threshold
        Processes in percent of the cores: fewer are too few, if training waits for them; more are too many.
    waiting
        The share of the time spent waiting for data, in percent, from which few processes are too few.
    """

    def __init__(
        self, *, min_threshold: float = 70, max_threshold: float = 200, waiting: float = 25, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.min_threshold, self.max_threshold, self.waiting = min_threshold, max_threshold, waiting

    def judge(self, trial: Trial) -> Found:
        """Compare processes with cores, and waiting with training."""
        series = self.series(trial)
        if self.is_too_early(series):
            return None
        phases = phases_of(trial.tick_values("TRAIN"))
        total = float(phases.sum())
        waited = 100 * float(phases[:, 0].sum()) / total if total else 0.0
        cores = max(1, series.cores.shape[1])
        workers = float(np.nanmedian(series.workers)) if len(series) else 0.0
        share = 100 * workers / cores
        if share > self.max_threshold:
            count, message = cores, f"{workers:.0f} processes load data on {cores} cores: they are in each other's way."
        elif waited > self.waiting and share < self.min_threshold:
            count, message = (
                max(1, cores - 1),
                (
                    f"{waited:.0f} % of the time was spent waiting for data, which {workers:.0f} processes load on "
                    f"{cores} cores."
                ),
            )
        else:
            return None
        lost = float(phases[:, 0].sum())
        return self.finding(
            trial.steps()[-1] if trial.steps() else 0,
            message,
            value=share,
            threshold=self.max_threshold if share > self.max_threshold else self.min_threshold,
            advice=[
                Advice(
                    f"Load data by {count} processes",
                    "One core is left for the training itself.",
                    f"loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, num_workers={count},\n"
                    "                                     persistent_workers=True)",
                    lost,
                ),
                Advice(
                    "Prepare the data once and keep it", "What is done to every row in every epoch need be done once."
                ),
            ],
            evidence={"figure": "phases"},
        )


class OverallSystemUsage(MachineRule):
    """How much of the machine was used, in percentiles; it never fires, but says whether a smaller one would do."""

    severity = Severity.HINT

    def judge(self, trial: Trial) -> Found:
        """Say the percentiles, in what the board shows of the rule."""
        series = self.series(trial)
        if not len(series):
            return None
        columns = {
            "processors": mean_of(series.cores),
            "waiting for disks": mean_of(series.waiting),
            "memory": series.memory,
        }
        columns |= {f"GPU {gpu}": series.gpus[:, gpu] for gpu in range(series.gpus.shape[1])}
        parts = []
        for name, values in columns.items():
            if np.isfinite(values).any():
                numbers = ", ".join(f"{value:.0f}" for value in np.nanpercentile(values, _PERCENTILES))
                parts.append(f"{name} {numbers} %")
        self.conclusion = f"Percentiles 50, 90, 95 and 99: {'; '.join(parts)}.{_smaller_machine(trial, series)}"
        return None


def _smaller_machine(trial: Trial, series: SystemSeries) -> str:
    """Say what a machine with as many cores as were used would save, by the price sheet of the workspace's jobs."""
    cores = series.cores.shape[1]
    if not cores or trial.run is None:
        return ""
    used = float(np.nanpercentile(np.nan_to_num(series.cores).sum(axis=1) / 100, 95))
    enough = max(1, int(np.ceil(used)))
    if enough > cores // 2:
        return ""
    from kernel_tools.jobs.savings import read_prices

    prices = read_prices(trial.run._workspace.root / "jobs")
    cost = series.seconds / 3600 * prices.on_demand
    return (
        f" {enough} of {cores} cores were enough 95 % of the time: at {prices.on_demand:g} {prices.currency} an hour, "
        f"and a price that goes with the cores, {cost * (1 - enough / cores):.2g} of {cost:.2g} {prices.currency} "
        "would be saved."
    )
