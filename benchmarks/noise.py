"""Every plan on pure noise: 1000 columns, 60 patients, seeds fixed beforehand. A plan that leaks lies above chance.

    python benchmarks/noise.py [--seeds 200] [--kinds binary,survival] [--plans lasso,average] [--out FILE]

Prints, for every plan, the mean of the primary metric over the seeds, its standard error, and how many standard
errors it lies from chance. Plans that take longer get fewer seeds (--seconds for each), never fewer than 20.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.layout import layout_of
from radiomics_pipeline.selection.plans import LEARNERS, build, named_plan
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.selection.validation.evaluate import evaluate
from radiomics_pipeline.selection.validation.folds import draw_folds
from radiomics_pipeline.types.outcome import Kind, Outcome
from radiomics_pipeline.types.table import FeatureTable

ROWS, COLUMNS, FIRST_SEED, FEWEST = 60, 1000, 1000, 20
CHANCE = {"auc": 0.5, "c_index": 0.5, "somers_d": 0.0}
HEADER = "kind,plan,metric,seeds,mean,standard_error,z,seconds_a_seed"


def noise(kind: Kind, seed: int) -> tuple[FeatureTable, Outcome]:
    """A table and an outcome that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    names = tuple(f"P{i:03d}" for i in range(ROWS))
    blank = ("",) * ROWS
    values = rng.normal(size=(ROWS, COLUMNS))
    table = FeatureTable(names, names, blank, blank, tuple(f"f{c:04d}" for c in range(COLUMNS)), values)
    if kind == "binary":
        return table, Outcome.binary(rng.permutation(np.arange(ROWS) % 2).astype(float))
    if kind == "survival":
        return table, Outcome.survival(
            rng.exponential(size=ROWS), rng.permutation(np.arange(ROWS) % 3 > 0).astype(float)
        )
    classes = [str(c) for c in rng.permutation(np.arange(ROWS) % 3)]
    return table, Outcome.multiclass(classes) if kind == "multiclass" else Outcome.ordinal(classes)


def score(kind: Kind, plan: str, seed: int) -> tuple[str, float]:
    """The primary metric of one plan on one noise table."""
    params = SelectionParams(validation=ValidationParams(folds=5, repeats=1), seed=seed)
    table, outcome = noise(kind, seed)
    layout = layout_of(table.columns)
    folds = draw_folds(table, outcome, folds=5, repeats=1, seed=seed)
    pipeline = build(named_plan(plan), layout, kind, params)
    found = evaluate(pipeline, table, outcome, folds, plan=plan, params=params.validation, seed=seed)
    return found.metric, found.performance.mean


def plans(kind: Kind) -> list[str]:
    """Every learner and every selector that serves the outcome."""
    after = "ordinal" if kind == "ordinal" else "ridge"
    learners = sorted({row.name for row in LEARNERS if kind in row.kinds} - {"ordinal"})
    learners = ["mrmr>firth" if name == "firth" else name for name in learners]  # it takes no more columns than rows
    return [*learners, *(f"{row.name}>{after}" for row in SELECTORS if kind in row.kinds)]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--kinds", default="binary,survival")
    parser.add_argument("--plans", default="")
    parser.add_argument("--seconds", type=float, default=400.0, help="of CPU for each plan")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    lines = [HEADER]
    print(HEADER)
    with threadpool_limits(1):
        for kind in asked.kinds.split(","):
            for plan in asked.plans.split(",") if asked.plans else plans(kind):
                started, values, metric = time.process_time(), [], ""
                for seed in range(FIRST_SEED, FIRST_SEED + asked.seeds):
                    metric, value = score(kind, plan, seed)
                    values.append(value)
                    if len(values) >= FEWEST and time.process_time() - started > asked.seconds:
                        break
                mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
                z = (mean - CHANCE[metric]) / error if error else 0.0
                seconds = (time.process_time() - started) / len(values)
                lines.append(f"{kind},{plan},{metric},{len(values)},{mean:.4f},{error:.4f},{z:.2f},{seconds:.2f}")
                print(lines[-1], flush=True)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
