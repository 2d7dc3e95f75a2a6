"""Small made-up studies as files: features, outcomes of every kind, centres, dates, experts, several rows a patient."""

import csv
import math
from dataclasses import replace

import numpy as np

from radiomics_pipeline.batch.selection.study import Beside, select_study
from radiomics_pipeline.io.delimited import write_rows
from radiomics_pipeline.io.outcomes import OutcomeColumns
from radiomics_pipeline.params.selection import SelectionParams
from radiomics_pipeline.params.validation import ValidationParams

QUICK = SelectionParams(
    validation=ValidationParams(folds=2, repeats=1, inner_folds=2),
    plans=("clinical+lasso", "lasso"),
    combination=None,
)
COLUMNS = {
    "binary": OutcomeColumns("died"),
    "continuous": OutcomeColumns("score", kind="continuous"),
    "multiclass": OutcomeColumns("type", kind="multiclass"),
    "ordinal": OutcomeColumns("grade", kind="ordinal", order=("low", "middle", "high")),
    "survival": OutcomeColumns("", "days", "event"),
    "competing": OutcomeColumns("", "days", "cause", kind="competing"),
}
NAMES = ("PET_uptake_Max", "f1", "f2", "f3", "f4", "PET_original_shape_MeshVolume")


def quick(**validation):
    """QUICK with other settings of the validation."""
    return QUICK.model_copy(update={"validation": ValidationParams(**{**dict(QUICK.validation), **validation})})


def rows(path):
    """The lines of a table by column."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def column(path, name):
    """A column as numbers; a blank cell is NaN."""
    return np.array([float(row[name] or "nan") for row in rows(path)])


class Study:
    """One made-up study: `n` patients with `each` rows; the first feature goes with every outcome.

    first : number of the first patient; effect : of that feature; offsets : added to it, by centre
    """

    def __init__(self, n=60, each=1, seed=0, first=0, effect=2.0, offsets=(0.0, 0.0, 0.0)):
        rng = np.random.default_rng(seed)
        patient = np.repeat(np.arange(n), each)
        self.case = [f"c{first * each + i:04d}" for i in range(n * each)]
        self.patient = [f"p{first + i:04d}" for i in patient]
        known = rng.normal(size=n)
        site = np.arange(n) % 3
        values = rng.normal(size=(n * each, len(NAMES)))
        values[:, 0] = known[patient] + 0.2 * values[:, 0]
        values[:, -1] = np.exp(values[:, -1])
        values[:, 0] += np.asarray(offsets)[site[patient]]
        self.values = values
        risk = effect * known
        z = risk + rng.logistic(size=n)
        time, lost = rng.exponential(size=n) * np.exp(-risk), 3 * rng.exponential(size=n)
        other = 2 * rng.exponential(size=n)
        grade = np.digitize(z, [-1.0, 1.0])
        first_of = np.argmin([lost, time, other], axis=0)
        self.outcomes = {
            "died": (z > 0).astype(int),
            "score": np.round(z, 6),
            "type": np.array(["a", "b", "c"])[grade],
            "grade": np.array(["low", "middle", "high"])[grade],
            "days": np.round(100 * np.minimum.reduce([time, lost, other]) + 0.01, 4),
            "event": ((time <= lost) & (time <= other)).astype(int),
            "cause": first_of,
            "age": np.round(60 + 8 * rng.normal(size=n)),
            "sex": np.array(["f", "m"])[rng.integers(0, 2, n)],
            "site": np.array(["A", "B", "C"])[site],
            "year": 2001 + np.arange(n) * 20 // n,
            "seen": np.array([f"{2001 + i * 20 // n}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)]),
            "expert": np.round(0.7 * known + rng.normal(size=n), 2),
            "index": np.round(values[:: max(each, 1), 0], 4),
        }
        self.ids = [f"p{first + i:04d}" for i in range(n)]

    def features(self, path, names=NAMES, order=None):
        """Write the features, in another order of columns where one is given."""
        at = range(len(names)) if order is None else order
        cells = [
            (case, patient, *(float(row[i]) for i in at))
            for case, patient, row in zip(self.case, self.patient, self.values, strict=True)
        ]
        write_rows(path, ("case", "patient", *(names[i] for i in at)), cells)
        return path

    def answers(self, path, **other):
        """Write the outcomes, one line a patient, with columns of one's own in place of others."""
        columns = {**self.outcomes, **other}
        cells = [
            (name, *(v.item() if isinstance(v, np.generic) else v for v in line))
            for name, *line in zip(self.ids, *columns.values(), strict=True)
        ]
        write_rows(path, ("patient", *columns), cells)
        return path


def run(folder, kind="binary", study=None, params=QUICK, beside=None, n_jobs=1, order=None, answers=None, **columns):
    """A selection from files to files; its folder of results and its summary."""
    study = study or Study()
    folder.mkdir(parents=True, exist_ok=True)
    told = replace(COLUMNS[kind], **{"clinical": ("age", "sex"), **columns})
    summary = select_study(
        study.features(folder / "features.csv", order=order),
        columns=told,
        out=folder / "out",
        outcomes=study.answers(folder / "outcomes.csv", **(answers or {})),
        params=params,
        beside=beside or Beside(),
        n_jobs=n_jobs,
    )
    return folder / "out", summary


def unexplained(out, allowed=()):
    """Cells that are infinite, or blank in every line of their column without being `allowed`, and empty tables."""
    found = []
    for path in sorted(out.glob("*.csv")):
        lines = rows(path)
        if not lines:
            found.append(f"{path.name}: empty")
            continue
        for name in lines[0]:
            cells = [line[name] for line in lines]
            infinite = [c for c in cells if c.lower().lstrip("+-") in ("inf", "infinity")]
            if infinite or any(_is_infinite(c) for c in cells):
                found.append(f"{path.name}: {name} is infinite")
            if all(c.lower() in ("", "nan") for c in cells) and (path.name, name) not in allowed:
                found.append(f"{path.name}: {name} has no value")
    return found


def _is_infinite(cell):
    try:
        return math.isinf(float(cell))
    except ValueError:
        return False
