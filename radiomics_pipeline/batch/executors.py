"""Many independent tasks over the cores, each guarded: a crash, a hang or a kill costs only the task in hand."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as LateError
from concurrent.futures import as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool
from threadpoolctl import threadpool_limits

from radiomics_pipeline.errors import ParamsError, WorkerLost

T = TypeVar("T")
R = TypeVar("R")

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


def default_jobs() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def on_dask(address: str) -> Iterator[None]:
    """Whatever joblib runs inside with n_jobs=-1 goes to the workers of a Dask scheduler.

    Raises ParamsError where Dask is not installed or no scheduler answers.
    """
    try:
        from dask.distributed import Client
    except ImportError:
        raise ParamsError("Dask is not installed; pip install 'radiomics_pipeline[dask]'") from None
    from joblib import parallel_config

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as e:
        raise ParamsError(
            f"no Dask scheduler answers at {address!r} ({e}); give an address such as tcp://host:8786"
        ) from e
    with client:
        if not client.nthreads():
            raise ParamsError(f"the Dask scheduler at {address!r} has no workers; start some: dask worker {address}")
        with parallel_config(backend="dask"):
            yield


def run_tasks(
    function: Callable[[T], R], tasks: Sequence[T], *, jobs: int, timeout_s: float
) -> Iterator[tuple[int, R | WorkerLost]]:
    """Results as they come, each with its task's position; WorkerLost for a task whose process died or hung.

    function : importable by name; it must not raise
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPool(max_workers=jobs, initializer=_one_thread, context=context)
    try:
        positions: dict[Any, int] = {
            pool.schedule(function, args=(task,), timeout=timeout_s): i for i, task in enumerate(tasks)
        }
        for future in as_completed(positions):
            yield positions[future], _result(future, timeout_s)
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


def _result(future: Any, timeout_s: float) -> Any:
    try:
        return future.result()
    except LateError:
        return WorkerLost(
            f"no result after {timeout_s:g} s, the process was ended; raise --timeout or use larger voxels"
        )
    except ProcessExpired as e:
        return WorkerLost(
            f"the process died (exit code {e.exitcode}): out of memory, or a crash in a library; use fewer --jobs or "
            "larger voxels, and report this where it comes again"
        )
    except Exception as e:  # noqa: BLE001 - a result that cannot travel is one task's loss, too
        reason = e.strerror if isinstance(e, OSError) else e
        return WorkerLost(f"the process gave no result: {type(e).__name__}: {reason}; please report this")


def _one_thread() -> None:
    """Cases run side by side, so each works on one thread; that also keeps sums in one order."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    threadpool_limits(1)  # for libraries that the caller's own script has loaded
