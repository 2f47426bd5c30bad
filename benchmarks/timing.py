"""How the benchmarks measure: ratios of two callables in one process, one thread, fair memory.

A ratio says how many times longer ``ours`` takes than ``theirs``. Both run in turn, so that a busy
machine slows both, and the clock is the thread's own, so that other processes do not count.
"""

import gc
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

FAIR = {
    # Memory that is freed stays with the process. Without this, torch returns large outputs to the
    # system and pays page faults at every call, which flatters NumPy.
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "OMP_WAIT_POLICY": "passive",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class Case(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    operation, shape : str
        What is measured, and on what.
    target : float or None
        The largest ratio that passes; ``None`` where the line only informs.
    ours, theirs : callable
        Called without arguments.
    measure : callable
        ``measure(ours, theirs)`` gives the ratio.
    reason : str
        Printed where the target is missed: what holds our side back.
    """

    operation: str
    shape: str
    target: float | None
    ours: Callable[[], object]
    theirs: Callable[[], object]
    measure: Callable[[Callable, Callable], float] | None = None
    reason: str = ""


PINS = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
)
"""Settings that hold one library back to older instructions than the processor has."""


def run_fairly() -> None:
    """Start this program again with the fair settings, unless it already has them."""
    pins = [f"{name}={os.environ[name]}" for name in PINS if name in os.environ]
    if pins:
        print(f"left out    {' '.join(pins)}: each library chooses its own kernels", flush=True)
    if pins or any(os.environ.get(name) != value for name, value in FAIR.items()):
        environment = {name: v for name, v in os.environ.items() if name not in PINS}
        os.execve(sys.executable, sys.orig_argv, environment | FAIR)


def thread_time_ratio(
    ours: Callable[[], object], theirs: Callable[[], object], seconds: float = 3.0
) -> float:
    """Ratio of the medians of thread time, the two called in turn for about `seconds`."""
    repeats = [_repeats(function) for function in (ours, theirs)]
    samples: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples[0]) < 5:
        for function, count, times in zip((ours, theirs), repeats, samples, strict=True):
            times.append(_thread_seconds(function, count))
    return statistics.median(samples[0]) / statistics.median(samples[1])


def peak_memory(function: Callable[[], object]) -> int:
    """Bytes that a NumPy computation holds at most, beyond what existed before; its result included."""
    function()
    gc.collect()
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _thread_seconds(function: Callable[[], object], count: int) -> float:
    start = time.thread_time_ns()
    for _ in range(count):
        function()
    return (time.thread_time_ns() - start) / count / 1e9


def _repeats(function: Callable[[], object]) -> int:
    """Calls for one sample: enough for two milliseconds, so that the clock's own cost vanishes."""
    function()
    return max(1, round(0.002 / max(_thread_seconds(function, 1), 1e-7)))


# --- the report -------------------------------------------------------------------------------------


def print_conditions() -> None:
    import numpy
    import torch

    torch.set_num_threads(1)
    print(f"processor   {_cpu('model name') or platform.processor()}, {platform.system()}")
    print(f"python      {platform.python_version()}")
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    print(f"numpy       {numpy.__version__}, {blas['name']} {blas['version']}")
    print(f"torch       {torch.__version__}, kernels: {torch.backends.cpu.get_cpu_capability()}")
    print("threads     1 for both; medians of thread time, the two sides in turn")
    print("memory      " + " ".join(f"{k}={v}" for k, v in FAIR.items() if k.startswith("MALLOC")))
    print("load        " + ", ".join(f"{load:.1f}" for load in os.getloadavg()), flush=True)


def report(cases: Iterable[Case]) -> int:
    """Measure each case, print its line at once and the reasons at the end; return the number missed."""
    line = "{:<32} {:<40} {:>9} {:>9}  {}"
    print("\n" + line.format("operation", "shape", "ratio", "target", "verdict"))
    missed, reasons = 0, {}
    for case in cases:
        ratio = (case.measure or thread_time_ratio)(case.ours, case.theirs)
        verdict = "–" if case.target is None else "ok" if ratio <= case.target else "MISSED"
        if verdict == "MISSED":
            missed += 1
            number = reasons.setdefault(case.reason or "no reason known yet", len(reasons) + 1)
            verdict += f" ({number})"
        target = "" if case.target is None else f"{case.target:.2f} ×"
        print(
            line.format(case.operation, case.shape, f"{_short(ratio)} ×", target, verdict),
            flush=True,
        )
    if reasons:
        print("\nWhy a target is missed")
        for reason, number in reasons.items():
            print(f"({number}) {reason}")
    return missed


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"


def _cpu(field: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), "")
