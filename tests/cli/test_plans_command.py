"""What `radiomics-pipeline plans` says is what the tables of methods hold."""

import subprocess
import sys
from itertools import takewhile

import pytest
from typer.testing import CliRunner

from radiomics_pipeline.cli.main import app
from radiomics_pipeline.errors import ParamsError
from radiomics_pipeline.selection.plans import DEFAULT, LEARNERS, STANDARD, learner_of, named_plan
from radiomics_pipeline.selection.steps.table import SELECTORS
from radiomics_pipeline.types.outcome import KINDS


def said(command):
    return CliRunner().invoke(app, f"plans {command}", catch_exceptions=False).output


def names_of(output):
    return [line.split()[0] for line in output.splitlines()]


def test_the_standard_plans_are_listed_with_their_steps_and_the_default():
    lines = said("list").splitlines()
    assert [line.split()[0] for line in lines] == list(STANDARD)
    assert [line.split()[0] for line in lines if line.endswith("(default)")] == [DEFAULT]
    assert "radiomics > mrmr > ridge" in next(line for line in lines if line.startswith("signature"))


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_learners_and_selectors_of_a_kind_are_those_that_serve_it(kind):
    for command, table in (("learners", LEARNERS), ("selectors", SELECTORS)):
        found = names_of(said(f"{command} --kind {kind}" if kind else command))
        assert found == list(dict.fromkeys(row.name for row in table if not kind or kind in row.kinds))
    for name in names_of(said(f"learners --kind {kind}")) if kind else ():
        assert kind in learner_of(named_plan(name), kind).kinds


@pytest.mark.parametrize("row", [*LEARNERS, *SELECTORS], ids=lambda row: f"{row.name}-{row.kinds[0]}")
def test_every_setting_of_a_method_is_shown_with_its_default_and_described(row):
    output = said(f"show {row.name}")
    (first,) = [line for line in output.splitlines() if f"for {', '.join(row.kinds)} outcomes: {row.doc}" in line]
    shown = [line.split() for line in takewhile(lambda x: x[0] == " ", output.split(first)[1].strip("\n").splitlines())]
    for (name, field), words in zip(row.params.model_fields.items(), shown, strict=False):
        assert field.description, f"{row.name}: {name} has no description"
        assert words[0] == name
        assert " ".join(words[1:]) == f"{field.get_default(call_default_factory=True)} {field.description}"
    tried = [f"tune: grid tries {name} = {', '.join(map(str, values))}" for name, values in row.grid.items()]
    assert [" ".join(words) for words in shown[len(row.params.model_fields) :]] == tried


@pytest.mark.parametrize(
    ("name", "steps", "methods"),
    [
        ("signature", "radiomics > mrmr > ridge", ["mrmr, selector", "ridge, learner", "ridge, learner"]),
        (
            "clinical+stability>lasso",
            "clinical + radiomics > stability > lasso",
            ["stability, s", "lasso, l", "lasso, l"],
        ),
        ("volume", "volume > ridge", ["ridge, learner", "ridge, learner"]),
    ],
)
def test_of_a_plan_the_steps_and_all_their_settings_are_shown(name, steps, methods):
    first, *others = said(f"show {name}").splitlines()
    assert first == f"{name}: {steps}"
    for line, start in zip([line for line in others if line[0] != " "], methods, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize("row", [row for row in LEARNERS if row.grid], ids=lambda row: f"{row.name}-{row.kinds[0]}")
def test_what_is_tried_are_settings_that_the_method_has(row):
    for name, values in row.grid.items():
        for value in values:
            for kind in row.kinds:
                assert row.make({name: value}, kind, 0).get_params()[name] == value


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show mrmrr>ridge", "unknown method 'mrmrr', did you mean 'mrmr'"),
        ("show mrmrr", "no learner or selector 'mrmrr', did you mean 'mrmr'"),
        ("learners --kind surv", "--kind 'surv', did you mean 'survival'"),
        ("selectors --kind x", "there are binary, continuous, multiclass, ordinal, survival, competing"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_the_nearest(command, message):
    with pytest.raises(ParamsError, match=message):
        said(command)


def test_the_command_loads_no_heavy_library_before_it_runs():
    code = (
        "import sys, radiomics_pipeline.cli.plans;"
        "print([m for m in ('numpy', 'sklearn', 'sksurv', 'xgboost', 'numba') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
