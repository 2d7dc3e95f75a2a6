"""How far the statistics of a selection lie from those of other packages, on tables drawn with ties and gaps.

    python benchmarks/agreement.py [--out FILE]

Prints, for each number, the package it is compared with, how many comparisons there are, the largest absolute
difference, and the bound that the tests hold. Exit status 1 where one is exceeded. Figures published without their
data in a package (logistf, maxstat, pmsampsize, DeLong's and Pencina's examples) are compared by the tests of `stats`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pingouin
import statsmodels.api as sm
from lifelines.statistics import multivariate_logrank_test
from neuroCombat import neuroCombat
from scipy import stats
from sklearn.metrics import roc_auc_score
from sksurv import metrics as sksurv
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.multitest import multipletests

from radiomics_pipeline.stats.combat import apply_combat, fit_combat
from radiomics_pipeline.stats.competing import cumulative_incidence
from radiomics_pipeline.stats.concordance import harrell_c
from radiomics_pipeline.stats.correlation import spearman_columns
from radiomics_pipeline.stats.cox import cox_lrt
from radiomics_pipeline.stats.delong import auc_delong
from radiomics_pipeline.stats.holm import holm
from radiomics_pipeline.stats.icc import intraclass_correlation
from radiomics_pipeline.stats.kaplan_meier import kaplan_meier, log_rank
from radiomics_pipeline.stats.kruskal import kruskal_p
from radiomics_pipeline.stats.linear import linear_test
from radiomics_pipeline.stats.logistic import logistic_lrt
from radiomics_pipeline.stats.mannwhitney import mannwhitney_p
from radiomics_pipeline.stats.multiplicity import benjamini_hochberg
from radiomics_pipeline.stats.survival_metrics import FollowUp, auc_over_time, c_uno, integrated_brier

HEADER = ("number", "compared with", "comparisons", "largest difference", "bound")
Row = tuple[str, str, int, float, float]
ROWS, COLUMNS = 120, 40


def sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Columns with ties and gaps, and a risk that hangs on the first."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(ROWS, COLUMNS)), 1)
    risk = values[:, 0].copy()
    values[rng.random(values.shape) < 0.05] = np.nan
    return values, risk, rng


def row(number: str, package: str, ours: object, theirs: object, bound: float) -> Row:
    """One line of the table."""
    a, b = np.asarray(ours, np.float64).ravel(), np.asarray(theirs, np.float64).ravel()
    return number, f"{package} {version(package)}", len(a), float(np.abs(a - b).max()), bound


def binary() -> Iterator[Row]:
    """AUC, Mann-Whitney, logistic regression."""
    values, risk, rng = sample(1)
    y = risk + rng.logistic(size=ROWS) > 0
    columns = [(x[~np.isnan(x)], y[~np.isnan(x)]) for x in values.T]
    areas, fit = auc_delong(values, y), logistic_lrt(values, y.astype(int))
    yield row("AUC", "scikit-learn", areas.area, [roc_auc_score(e, x) for x, e in columns], 1e-12)
    tests = [stats.mannwhitneyu(x[e], x[~e], method="asymptotic").pvalue for x, e in columns]
    yield row("Mann-Whitney p", "scipy", mannwhitney_p(areas), tests, 1e-10)
    fits = [sm.Logit(e, sm.add_constant(x / x.std(ddof=1))).fit(disp=0, tol=1e-14) for x, e in columns]
    yield row("logistic coefficient", "statsmodels", fit.coefficient, [f.params[1] for f in fits], 1e-8)
    yield row("logistic standard error", "statsmodels", fit.standard_error, [f.bse[1] for f in fits], 1e-8)
    nulls = [sm.Logit(e, np.ones(len(e))).fit(disp=0, tol=1e-14).llf for _, e in columns]
    p = [stats.chi2.sf(2 * (f.llf - null), 1) for f, null in zip(fits, nulls, strict=True)]
    yield row("logistic likelihood ratio p", "statsmodels", fit.p, p, 1e-10)
    q = multipletests(fit.p, method="fdr_bh")[1]
    yield row("q (Benjamini, Hochberg)", "statsmodels", benjamini_hochberg(fit.p), q, 1e-12)
    yield row("Holm", "statsmodels", holm(fit.p), multipletests(fit.p, method="holm")[1], 1e-12)


def numbers_and_classes() -> Iterator[Row]:
    """Spearman, least squares, Kruskal and Wallis."""
    values, risk, rng = sample(2)
    y = np.round(risk + rng.normal(size=ROWS), 1)
    columns = [(x[~np.isnan(x)], y[~np.isnan(x)]) for x in values.T]
    found, fit = spearman_columns(values, y), linear_test(values, y)
    twins = [stats.spearmanr(x, e) for x, e in columns]
    yield row("Spearman rho", "scipy", found.rho, [t.statistic for t in twins], 1e-12)
    yield row("Spearman p", "scipy", found.p, [t.pvalue for t in twins], 1e-10)
    fits = [sm.OLS(e, sm.add_constant(x / x.std(ddof=1))).fit() for x, e in columns]
    yield row("slope", "statsmodels", fit.coefficient, [f.params[1] for f in fits], 1e-8)
    yield row("F test p", "statsmodels", fit.p, [f.f_pvalue for f in fits], 1e-10)
    classes = np.digitize(risk, [-0.5, 0.5])
    pairs = [[x[(~np.isnan(x)) & (classes == k)] for k in range(3)] for x in values.T]
    yield row("Kruskal-Wallis p", "scipy", kruskal_p(values, classes), [stats.kruskal(*p).pvalue for p in pairs], 1e-10)


def survival() -> Iterator[Row]:
    """Cox, concordance, curves, and what follows from them."""
    values, risk, rng = sample(3)
    time = np.round(rng.exponential(size=ROWS) * np.exp(-0.5 * risk), 1) + 0.1
    event = rng.random(ROWS) < 0.7
    columns = [(x[~np.isnan(x)], time[~np.isnan(x)], event[~np.isnan(x)]) for x in values.T]
    fit = cox_lrt(values, time, event)
    fits = [PHReg(t, (x / x.std(ddof=1))[:, None], e, ties="efron").fit(tol=1e-14) for x, t, e in columns]
    yield row("Cox coefficient (Efron)", "statsmodels", fit.coefficient, [f.params[0] for f in fits], 1e-8)
    yield row("Cox standard error", "statsmodels", fit.standard_error, [f.bse[0] for f in fits], 1e-8)
    nulls = [PHReg(t, (0 * x)[:, None], e, ties="efron").loglike(np.zeros(1)) for x, t, e in columns]
    p = [stats.chi2.sf(2 * (f.llf - null), 1) for f, null in zip(fits, nulls, strict=True)]
    yield row("Cox likelihood ratio p", "statsmodels", fit.p, p, 1e-10)
    c = [sksurv.concordance_index_censored(e, t, x)[0] for x, t, e in columns]
    yield row("Harrell's C", "scikit-survival", harrell_c(values, time, event).index, c, 1e-12)
    curve, twin = kaplan_meier(time, event), lifelines.KaplanMeierFitter().fit(time, event)
    yield row("Kaplan-Meier", "lifelines", curve.survival, twin.survival_function_at_times(curve.times), 1e-12)
    groups = np.digitize(risk, [-0.5, 0.5])
    tested = multivariate_logrank_test(time, groups, event).p_value
    yield row("log-rank p", "lifelines", log_rank(time, event, groups).p, tested, 1e-10)
    yield from weighted(risk, event, rng)


def weighted(risk: np.ndarray, event: np.ndarray, rng: np.random.Generator) -> Iterator[Row]:
    """Scores weighted for censoring, and competing events.

    Times differ here: where a censoring has the time of an event, scikit-survival weights the event by the rows that
    are left after it, and we by those before, as its theory has it.
    """
    time = rng.exponential(size=ROWS) * np.exp(-0.5 * risk) + 0.1
    train, test = np.arange(ROWS) < 80, np.arange(ROWS) >= 80
    y = np.array(list(zip(event, time, strict=True)), [("event", "?"), ("time", "f8")])
    part = FollowUp(time[train], event[train], time[test], event[test])
    until = float(np.quantile(time[train], 0.8))
    at = np.linspace(0.2, until * 0.9, 5)
    uno = sksurv.concordance_index_ipcw(y[train], y[test], risk[test], until)[0]
    yield row("Uno's C", "scikit-survival", c_uno(part, risk[test], until).value, uno, 1e-10)
    areas = sksurv.cumulative_dynamic_auc(y[train], y[test], risk[test], at)[0]
    yield row("time-dependent AUC", "scikit-survival", auc_over_time(part, risk[test], at).values, areas, 1e-10)
    foretold = np.exp(-np.outer(np.exp(0.5 * risk[test]), at))
    brier = sksurv.integrated_brier_score(y[train], y[test], foretold, at)
    yield row("integrated Brier score", "scikit-survival", integrated_brier(part, foretold, at).value, brier, 1e-10)
    cause = np.where(event, 1 + (rng.random(ROWS) < 0.3), 0)
    other = lifelines.AalenJohansenFitter(calculate_variance=False, jitter_level=0)
    found = cumulative_incidence(time, cause)
    theirs = other.fit(time, cause, 1).cumulative_density_.iloc[:, 0].reindex(found.times, method="ffill")
    yield row("Aalen-Johansen", "lifelines", found.incidence[0], theirs, 1e-10)


def reliability() -> Iterator[Row]:
    """Intraclass correlations with their intervals."""
    rng = np.random.default_rng(4)
    measured = rng.normal(size=(30, 1)) + 0.4 * rng.normal(size=(30, 3)) + [0.0, 0.1, 0.3]
    long = pd.DataFrame(measured).melt(ignore_index=False).reset_index(names="row")
    table = pingouin.intraclass_corr(long, "row", "variable", "value")
    for form, place in (("1,1", 0), ("2,1", 1), ("3,1", 2)):
        found = intraclass_correlation(measured[:, :, None], form)
        value = float(np.ravel(found.value)[0])
        yield row(f"ICC({form})", "pingouin", value, table["ICC"].iloc[place], 1e-10)


def harmonised() -> Iterator[Row]:
    """ComBat; neuroCombat ends its iterations at a change of 1e-4, we go on."""
    rng = np.random.default_rng(5)
    batch = np.arange(90) % 3
    values = rng.normal(size=(90, 30)) * (1 + 0.3 * batch[:, None]) + 0.5 * batch[:, None]
    with redirect_stdout(StringIO()):
        theirs = neuroCombat(values.T, pd.DataFrame({"batch": batch}), "batch")["data"].T
    yield row("ComBat", "neuroCombat", apply_combat(values, batch, fit_combat(values, batch)), theirs, 1e-4)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [line for part in (binary, numbers_and_classes, survival, reliability, harmonised) for line in part()]
    for name, package, n, difference, bound in rows:
        print(f"{name:<30} {package:<24} {n:>4}  {difference:8.1e}  {bound:.0e}{'' if difference <= bound else '  !'}")
    if asked.out:
        lines = [",".join(HEADER), *(f"{a},{b},{n},{d:.1e},{e:.0e}" for a, b, n, d, e in rows)]
        asked.out.write_text("\n".join(lines) + "\n", "utf-8")
    return int(any(not difference <= bound for *_, difference, bound in rows))


if __name__ == "__main__":
    sys.exit(main())
