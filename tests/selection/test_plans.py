"""What a plan's name means, what it is built of, and what is refused before anything is fitted."""

from __future__ import annotations

import numpy as np
import pytest

from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.params.selection import PlanParams, SelectionParams
from radiomics_pipeline.params.steps import HarmoniseParams, ResidualiseParams, RobustParams
from radiomics_pipeline.selection import plans
from radiomics_pipeline.selection.layout import layout_of
from radiomics_pipeline.selection.learners.tuned import Tuned
from radiomics_pipeline.selection.plans import DEFAULT, STANDARD, build, named_plan, plans_of, unused_notes
from radiomics_pipeline.types.outcome import Clinical
from radiomics_pipeline.types.side import Side

NAMES = ("PET_original_morphology_VolumeMesh", "PET_original_uptake_Max", "a", "b")
LAYOUT = layout_of(NAMES, volume=NAMES[0])


def asked(*found: str | PlanParams, **others: object) -> SelectionParams:
    return SelectionParams(plans=found, **others)


@pytest.mark.parametrize(
    ("name", "inputs", "select", "learner"),
    [
        ("volume", ("volume",), "", "ridge"),
        ("lasso", ("radiomics",), "", "lasso"),
        ("clinical+average", ("clinical", "radiomics"), "", "average"),
        ("clinical+volume", ("clinical", "volume"), "", "ridge"),
        ("mrmr>ridge", ("radiomics",), "mrmr", "ridge"),
        ("clinical+screen>svm", ("clinical", "radiomics"), "screen", "svm"),
        ("signature", ("radiomics",), "mrmr", "ridge"),
    ],
)
def test_a_name_says_inputs_selector_and_learner(name, inputs, select, learner):
    plan = named_plan(name)
    assert (plan.inputs, plan.select, plan.learner) == (inputs, select, learner)


def test_standard_plans_whose_inputs_are_absent_are_left_out():
    there = [plan.name for plan in plans_of(SelectionParams(), "binary", LAYOUT)]
    assert there == [name for name in STANDARD if "clinical" not in name]
    assert DEFAULT in there


@pytest.mark.parametrize(
    ("found", "kind", "message"),
    [
        ("lassso", "binary", "no learner 'lassso', did you mean 'lasso'"),
        ("mrmmr>ridge", "binary", "unknown method 'mrmmr', did you mean 'mrmr'"),
        ("omics+ridge", "binary", "no input 'omics'"),
        ("clinical", "binary", "needs clinical, without a column here"),
        ("volume+volume+ridge", "binary", r"plan 'volume\+volume\+ridge': input volume is named twice"),
        (PlanParams(name="x", inputs=("volume", "volume"), learner="ridge"), "binary", "input volume is named twice"),
        (
            PlanParams(name="x", inputs=("volume",), select="mrmr", learner="ridge"),
            "binary",
            "plan 'x': mrmr selects radiomic features, but radiomics is no input",
        ),
        (
            PlanParams(name="x", select_settings={"keep": 3}, learner="ridge"),
            "binary",
            "plan 'x': select_settings are given, but no selector",
        ),
        (PlanParams(name="x", learner="ridge", settings={"stepps": 1}), "binary", "'x': ridge: .*did you mean 'steps'"),
        (
            PlanParams(name="x", select="mrmr", select_settings={"kep": 1}, learner="ridge"),
            "survival",
            "'x': mrmr: .*did you mean 'keep'",
        ),
        (
            PlanParams(name="x", select="mrmr", select_settings={"keep": 0}, learner="ridge"),
            "binary",
            "'x': mrmr: keep",
        ),
        ("lda", "survival", "lda serves no survival outcome"),
        ("lasso", "multiclass", "lasso serves no multiclass outcome"),
        (PlanParams(name="x", learner="lda", tune="grid"), "binary", "of lda it has no settings to try"),
        (
            PlanParams(name="x", learner="xgboost", settings={"depth": 1, "rounds": 5, "columns": 1}, tune="grid"),
            "binary",
            "all that could be tried is set by hand",
        ),
    ],
)
def test_plans_that_cannot_be_are_refused(found, kind, message):
    with pytest.raises(ParamsError, match=message):
        plans_of(asked(found), kind, LAYOUT)


def test_optuna_is_asked_for_before_any_fit(monkeypatch):
    plan = PlanParams(name="x", learner="xgboost", tune="optuna")
    assert plans_of(asked(plan), "binary", LAYOUT)
    monkeypatch.setattr(plans, "find_spec", lambda _: None)
    with pytest.raises(ParamsError, match=r"pip install 'radiomics_pipeline\[tune\]'"):
        plans_of(asked(plan), "binary", LAYOUT)


def test_settings_given_by_hand_are_not_tuned_over():
    params = asked(PlanParams(name="x", learner="xgboost", settings={"depth": 2}, tune="grid"))
    (plan,) = plans_of(params, "binary", LAYOUT)
    learner = build(plan, LAYOUT, "binary", params).steps[-1][1]
    assert isinstance(learner, Tuned)
    assert set(learner.grid) == {"rounds", "columns"}
    assert learner.estimator.depth == 2


def test_steps_without_their_column_are_refused_before_any_fit():
    combat = SelectionParams(harmonise=HarmoniseParams(method="combat"))
    with pytest.raises(ParamsError, match="combat needs to know each row's centre"):
        plans_of(combat, "binary", LAYOUT)
    plans_of(combat, "binary", layout_of(NAMES, volume=NAMES[0], side=Side(centre=("A", "B"))))
    volume = SelectionParams(residualise=ResidualiseParams(method="volume"))
    with pytest.raises(ParamsError, match="volume needs a mesh volume among the features"):
        plans_of(volume, "binary", layout_of(NAMES))
    plans_of(volume, "binary", LAYOUT)


def test_a_plan_named_twice_is_refused():
    with pytest.raises(ParamsError, match="plan named twice: lasso"):
        plans_of(
            SelectionParams.model_construct(**{**dict(SelectionParams()), "plans": ("lasso", "lasso")}),
            "binary",
            LAYOUT,
        )


def test_clinical_texts_become_columns_of_their_own():
    layout = layout_of(NAMES, Clinical(("stage",), [[0.0], [1.0]], (("I", "II"),)))
    prepared = build(named_plan("clinical"), layout, "binary", SelectionParams()).steps[0][1]
    assert [name for name, _, _ in prepared.transformers] == ["clinical-text"]


def test_settings_of_steps_that_do_not_take_place_are_said():
    assert unused_notes(SelectionParams(), LAYOUT) == ()
    asked_for = SelectionParams(
        robust=RobustParams(threshold=0.9),
        harmonise=HarmoniseParams(parametric=False),
        residualise=ResidualiseParams(line="huber"),
    )
    assert [note.partition(":")[0] for note in unused_notes(asked_for, LAYOUT)] == [
        "robust",
        "harmonise",
        "residualise",
    ]
    side = Side(repeats=np.zeros((2, 1, len(NAMES))), row=np.arange(2), centre=("A", "B"))
    given = SelectionParams(
        robust=RobustParams(threshold=0.9),
        harmonise=HarmoniseParams(method="combat", parametric=False),
        residualise=ResidualiseParams(method="volume", line="huber"),
    )
    assert unused_notes(given, layout_of(NAMES, volume=NAMES[0], side=side)) == ()
