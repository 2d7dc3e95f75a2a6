"""Settings of the preparation, each with every standard plan and combination on a table with gaps."""

import numpy as np
import pytest

from radiomics_pipeline.params.combination import CombinationParams
from tests.batch.selection.small_files import QUICK, Study, column, rows, run

EVERYTHING = QUICK.model_copy(
    update={
        "plans": ("clinical", "lasso", "signature", "ridge", "best-subset", "xgboost"),
        "combination": CombinationParams(candidates=3, largest=2, bootstrap=5, importance_repeats=1),
    }
)


def gappy():
    study = Study()
    study.values[:, :-1][np.random.default_rng(5).random((60, 5)) < 0.1] = np.nan  # the volume is whole
    return study


@pytest.mark.parametrize("kind", ["binary", "survival"])
@pytest.mark.parametrize(
    "settings",
    [
        {"impute": {"indicator": True}},
        {"residualise": {"method": "volume"}},
        {"scale": {"method": "yeo-johnson"}},
        {"scale": {"method": "robust", "clip": None}},
        {"harmonise": {"method": "combat"}, "impute": {"indicator": True}, "residualise": {"method": "volume"}},
    ],
    ids="-".join,
)
def test_every_plan_runs_with_every_setting(tmp_path, settings, kind):
    params = EVERYTHING.model_validate({**EVERYTHING.model_dump(), **settings})
    centre = {"centre": "site"} if "harmonise" in settings else {}
    out, _ = run(tmp_path, kind, gappy(), params, **centre)
    assert {row["plan"] for row in rows(out / "performance.csv")} == set(EVERYTHING.plans)
    assert np.isfinite(column(out / "performance.csv", "mean")).all()
    assert len(rows(out / "dominance.csv")) > 0
