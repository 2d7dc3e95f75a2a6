"""A task that crashes, hangs or is killed costs itself and no other."""

from __future__ import annotations

import os
import signal
import time

import pytest

from radiomics_pipeline.batch.executors import run_tasks
from radiomics_pipeline.errors import WorkerLost


def work(task: str) -> str:
    if task == "exit":
        os._exit(7)
    if task == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if task == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "hang":
        time.sleep(600)
    if task == "raise":
        raise ValueError("a fault")
    if task == "unpicklable":
        return lambda: None  # type: ignore[return-value]
    if task == "threads":
        import numpy
        from threadpoolctl import threadpool_info

        numpy.ones((2, 2)) @ numpy.ones((2, 2))
        return str(max(pool["num_threads"] for pool in threadpool_info()))
    return task


@pytest.mark.parametrize("jobs", [1, 2])
def test_only_the_task_in_hand_is_lost(jobs):
    bad = ["exit", "segfault", "killed", "hang", "raise", "unpicklable"]
    tasks = [t for pair in zip("abcdef", bad, strict=True) for t in pair] + ["g", "threads"]
    results = dict(run_tasks(work, tasks, jobs=jobs, timeout_s=6))
    assert sorted(results) == list(range(len(tasks)))
    for i, task in enumerate(tasks):
        if task in bad:
            assert isinstance(results[i], WorkerLost), task
        else:
            assert results[i] == ("1" if task == "threads" else task)
    reasons = [str(results[tasks.index(t)]) for t in bad]
    assert "exit code 7" in reasons[0]
    assert "no result after 6 s, the process was ended; raise --timeout" in reasons[3]
    assert all("use fewer --jobs" in reason for reason in reasons[:3])
    assert "a fault" in reasons[4]
