"""How the benchmarks measure: repeated runs, their median and spread, and where they ran."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def one_thread() -> None:
    """Let numerical libraries use one thread; to be called before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"


@dataclass(frozen=True)
class Timing:
    """Median of several runs in seconds, and the spread of their middle half over it."""

    seconds: float
    spread: float


def timed(function: Callable[..., object], *arguments: object, times: int = 5) -> Timing:
    """Time a call `times` times."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    if len(seconds) < 3:
        return Timing(median, 0.0)
    low, _, high = statistics.quantiles(seconds, n=4)
    return Timing(median, (high - low) / median)


def machine() -> dict[str, str]:
    """Processor, system and the versions of what is compared."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"processor": _processor(), "cores": str(os.cpu_count()), "python": platform.python_version()}
    for name in ("radiomics_pipeline", "numpy", "scipy", "numba", "SimpleITK", "pyradiomics-bhklab"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def save(name: str, rows: list[dict[str, object]], summary: list[str]) -> None:
    """Write the rows, the summary and the machine to results/<name>.json, and print the summary."""
    RESULTS.mkdir(exist_ok=True)
    tree = {"machine": machine(), "summary": summary, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary))
