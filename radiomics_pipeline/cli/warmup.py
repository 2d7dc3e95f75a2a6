"""radiomics-pipeline warmup: compile once what every later command uses."""

from __future__ import annotations

import time

import typer

from radiomics_pipeline.cli.options import Jobs


def warmup(jobs: Jobs = None) -> None:
    """Compile all kernels now, so that the first study does not wait for it; to be run after an installation."""
    from radiomics_pipeline.batch.executors import default_jobs
    from radiomics_pipeline.batch.warmup import warm_up

    started = time.perf_counter()
    problems = warm_up(jobs or default_jobs())
    for problem in problems:
        print(problem)
    print(f"kernels {'compiled' if not problems else 'not all compiled'} in {time.perf_counter() - started:.0f} s")
    raise typer.Exit(1 if problems else 0)
