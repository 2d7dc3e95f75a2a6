"""Every feature alone against an outcome, beside a loop over statsmodels.

    python benchmarks/screen.py [--rows 500] [--columns 5000] [--theirs 100]

Made-up tables, one cell in a hundred missing where the name says so, five adjusting columns. Ours: `rank_alone` whole,
with the models given the adjusting columns, and once more with permutations. Theirs: for each feature scipy's
Mann-Whitney test and scikit-learn's area (binary) or scikit-survival's C (survival), statsmodels' model of the feature
and that of the feature with the adjusting columns; no interval of the area or of C, no permutations. A part of the
columns stands for all. One thread, kernels compiled. Memory is the highest resident set of the process (Linux only),
measured before anything else than ours was loaded.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measure import one_thread, save, timed

one_thread()

import numpy as np

from radiomics_pipeline.selection.alone import rank_alone
from radiomics_pipeline.types.outcome import Outcome
from radiomics_pipeline.types.table import FeatureTable

PERMUTATIONS = 200


def study(rows: int, columns: int, share_missing: float) -> tuple[np.ndarray, np.ndarray, dict[str, Outcome]]:
    """Features, adjusting columns and outcomes; the first feature and the first adjusting column go with them."""
    rng = np.random.default_rng(20)
    values, adjust = rng.normal(size=(rows, columns)), rng.normal(size=(rows, 5))
    risk = values[:, 0] + adjust[:, 0]
    values[rng.random(values.shape) < share_missing] = np.nan
    time = np.ceil(300 * rng.exponential(size=rows) * np.exp(-risk))
    event = (rng.random(rows) < 0.5).astype(float)
    outcomes = {
        "binary": Outcome.binary((risk + rng.logistic(size=rows) > 0).astype(float)),
        "survival": Outcome.survival(time, event),
    }
    return values, adjust, outcomes


def table_of(values: np.ndarray) -> FeatureTable:
    """The features as a table of one row a patient."""
    case = tuple(f"case{i}" for i in range(len(values)))
    blank = ("",) * len(values)
    return FeatureTable(case, case, blank, blank, tuple(f"f{c}" for c in range(values.shape[1])), values)


def their_binary(values: np.ndarray, outcome: Outcome, adjust: np.ndarray) -> np.ndarray:
    """Coefficients of the logistic models; what a loop computes for each feature."""
    sm = importlib.import_module("statsmodels.api")
    stats, metrics = importlib.import_module("scipy.stats"), importlib.import_module("sklearn.metrics")
    found = []
    for column in values.T:
        kept = ~np.isnan(column)
        x, y = column[kept] / column[kept].std(ddof=1), outcome.event[kept]
        metrics.roc_auc_score(y, x)
        stats.mannwhitneyu(x[y], x[~y])
        alone = sm.Logit(y, sm.add_constant(x)).fit(disp=0)
        given = sm.Logit(y, sm.add_constant(np.column_stack([x, adjust[kept]]))).fit(disp=0)
        sm.Logit(y, sm.add_constant(adjust[kept])).fit(disp=0)
        found.append((alone.params[1], given.params[1]))
    return np.array(found)


def their_survival(values: np.ndarray, outcome: Outcome, adjust: np.ndarray) -> np.ndarray:
    """Coefficients of the Cox models; what a loop computes for each feature."""
    phreg = importlib.import_module("statsmodels.duration.hazard_regression").PHReg
    metrics = importlib.import_module("sksurv.metrics")
    found = []
    for column in values.T:
        kept = ~np.isnan(column)
        x, time, event = column[kept] / column[kept].std(ddof=1), outcome.time[kept], outcome.event[kept]
        metrics.concordance_index_censored(event, time, x)
        alone = phreg(time, x, status=event.astype(int), ties="efron").fit()
        given = phreg(time, np.column_stack([x, adjust[kept]]), status=event.astype(int), ties="efron").fit()
        phreg(time, adjust[kept], status=event.astype(int), ties="efron").fit()
        found.append((alone.params[0], given.params[0]))
    return np.array(found)


THEIRS: dict[str, Callable[[np.ndarray, Outcome, np.ndarray], np.ndarray]] = {
    "binary": their_binary,
    "survival": their_survival,
}


def peak_mb() -> float:
    """Highest resident set of this process so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def ours(rows: int, columns: int) -> list[dict[str, object]]:
    """Seconds and memory of our screens."""
    found: list[dict[str, object]] = []
    for missing in (0.0, 0.01):
        values, adjust, outcomes = study(rows, columns, missing)
        for kind, outcome in outcomes.items():
            rank_alone(table_of(values[:, :2]), outcome, adjust, permutations=2)
            table = table_of(values)
            alone = timed(rank_alone, table, outcome, times=3)
            given = timed(rank_alone, table, outcome, adjust, times=3)
            permuted = timed(partial(rank_alone, permutations=PERMUTATIONS), table, outcome, adjust, times=3)
            found.append(
                {
                    "kind": kind,
                    "missing": missing,
                    "rows": rows,
                    "columns": columns,
                    "alone_s": alone.seconds,
                    "with_adjusting_s": given.seconds,
                    "with_permutations_s": permuted.seconds,
                    "spread": given.spread,
                    "peak_mb": peak_mb(),
                }
            )
    return found


def compare(row: dict[str, object], columns: int) -> None:
    """Add the loop's seconds for all columns, and the largest difference of a coefficient."""
    values, adjust, outcomes = study(int(str(row["rows"])), int(str(row["columns"])), float(str(row["missing"])))
    kind = str(row["kind"])
    part = np.ascontiguousarray(values[:, :columns])
    theirs = THEIRS[kind](part, outcomes[kind], adjust)
    seconds = timed(THEIRS[kind], part, outcomes[kind], adjust, times=1).seconds
    own = rank_alone(table_of(part), outcomes[kind], adjust)
    found = np.array([(r.coefficient, np.log(r.partial_effect)) for r in own])
    row["their_columns"] = columns
    row["their_s"] = seconds * values.shape[1] / columns
    row["largest_difference"] = float(np.abs(found - theirs).max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--columns", type=int, default=5000)
    parser.add_argument("--theirs", type=int, default=100, help="columns that stand for all in the loop")
    parser.add_argument("--name", default="screen", help="of the file in results/")
    arguments = parser.parse_args()
    rows = ours(arguments.rows, arguments.columns)
    summary = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in rows:
            compare(row, arguments.theirs)
            summary.append(
                f"{row['kind']:<9}{100 * row['missing']:>3.0f} % missing: alone {row['alone_s']:.2f} s, with adjusting "
                f"columns {row['with_adjusting_s']:.2f} s, with {PERMUTATIONS} permutations too "
                f"{row['with_permutations_s']:.2f} s, at most {row['peak_mb']:.0f} MB; the loop takes "
                f"{row['their_s']:.0f} s, {row['their_s'] / row['with_adjusting_s']:.0f} times as long as the second; "
                f"coefficients differ by {row['largest_difference']:.1e} at most"
            )
    save(arguments.name, rows, summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
