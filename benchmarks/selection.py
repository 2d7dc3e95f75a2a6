"""The default plan and the signature on tables of public radiomics studies, beside published baselines.

    python benchmarks/selection.py FOLDER [--tables A,B] [--plans average,signature] [--jobs 1]

FOLDER holds tables/NAME.gz (columns ID and Target) and baseline_dev.csv (the mean AUC of a baseline named `ensemble`
over the same folds). Runs what `select` runs; every step is inside the folds. Prints AUC, Brier skill and CPU seconds
of 15 outer fits with what is computed before them, and the mean gain over the baseline with a bootstrap interval over
tables.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from radiomics_pipeline.io.delimited import read_text_table
from radiomics_pipeline.io.outcomes import OutcomeColumns, own_outcomes
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams
from radiomics_pipeline.selection.analysis import select_features

SEED, FOLDS, REPEATS = 20261122, 5, 3
CHANCE = ("QIN-HEADNECK",)
"""Tables whose honest AUC is 0.5; left out of the mean."""


def scores(path: Path, plans: list[str], jobs: int) -> dict[str, tuple[float, float, float]]:
    """Of each plan AUC, Brier skill and CPU seconds."""
    source = read_text_table(path)
    columns = OutcomeColumns(target="Target", id="ID")
    table = read_features(source, id_column="ID", not_features=columns.named).table
    aligned = own_outcomes(table, source, columns)
    folds = ValidationParams(folds=FOLDS, repeats=REPEATS)
    params = SelectionParams(validation=folds, seed=SEED, combination=None, final=False)
    found = {}
    for plan in plans:
        own = params.model_copy(update={"plans": (plan,)})
        started = time.process_time()
        ranking = select_features(aligned.table, aligned.outcome, params=own, n_jobs=jobs).ranking
        skill = next(row.mean for row in ranking.metrics if row.metric == "brier_skill")
        found[plan] = (ranking.performance[0].mean, skill, time.process_time() - started)
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default="")
    parser.add_argument("--plans", default="average,signature")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    with (asked.folder / "baseline_dev.csv").open() as file:
        baseline = {row["dataset"]: float(row["auc"]) for row in csv.DictReader(file) if row["model"] == "ensemble"}
    plans = asked.plans.split(",")
    gains: dict[str, list[float]] = {plan: [] for plan in plans}
    skills: dict[str, list[float]] = {plan: [] for plan in plans}
    with threadpool_limits(1):
        for name in asked.tables.split(",") if asked.tables else baseline:
            found = scores(asked.folder / "tables" / f"{name}.gz", plans, asked.jobs)
            for plan, (auc, skill, seconds) in found.items():
                beside = f"baseline {baseline[name]:.4f} skill {skill:+.3f} {seconds:.1f} s"
                print(f"{name:20s} {plan:12s} {auc:.4f} {beside}", flush=True)
                if name not in CHANCE:
                    gains[plan].append(auc - baseline[name])
                    skills[plan].append(skill)
    rng = np.random.default_rng(0)
    for plan in plans:
        gain = np.array(gains[plan])
        drawn = [gain[rng.integers(0, len(gain), len(gain))].mean() for _ in range(4000)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        print(f"{plan:12s} gain {gain.mean():+.4f} [{low:+.4f}, {high:+.4f}], Brier skill {np.mean(skills[plan]):.3f}")


if __name__ == "__main__":
    main()
