"""The log of all plans that were ever tried in a folder."""

import csv
from dataclasses import dataclass

import pytest

from radiomics_pipeline.batch.selection.tried import HEADER, MANY, log_tried
from radiomics_pipeline.types.performance import PerformanceRow

FILES = {"features.csv": "aa", "outcomes.csv": "bb"}


@dataclass
class Found:
    """What the log reads of a selection."""

    performance: tuple
    outcome_names: tuple = ("died",)


def found(*plans, outcome=("died",), mean=0.7):
    return Found(tuple(PerformanceRow(p, "auc", mean, 0.6, 0.8, 25, p == plans[0]) for p in plans), outcome)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tried.csv"


def test_the_first_analysis_is_logged_and_nothing_is_said(path):
    assert log_tried(path, found("lasso", "volume, alone"), FILES, "d" * 64, "2026-01-01T10:00") == ()
    first, second = rows(path)
    assert tuple(first) == HEADER
    assert (first["plan"], first["default"], first["analysis"]) == ("lasso", "true", "d" * 12)
    assert (second["plan"], second["default"], second["mean"]) == ("volume, alone", "false", "0.7")


def test_the_same_analysis_again_counts_once_and_keeps_its_first_start(path):
    log_tried(path, found("lasso", "forest"), FILES, "d1", "monday")
    assert log_tried(path, found("lasso", "forest"), FILES, "d1", "tuesday") == ()
    assert [r["started"] for r in rows(path)] == ["monday", "monday"]


def test_other_parameters_count_and_are_said(path):
    log_tried(path, found("lasso", "forest"), FILES, "d1", "monday")
    notes = log_tried(path, found("lasso"), FILES, "d2", "tuesday")
    assert notes == ("3 plans have been tried on these tables in this folder (tried.csv)",)
    assert len(rows(path)) == 3


def test_other_tables_and_other_outcomes_are_counted_by_themselves(path):
    log_tried(path, found("lasso", "forest"), FILES, "d1", "monday")
    assert log_tried(path, found("lasso"), {"features.csv": "cc"}, "d1", "tuesday") == ()
    assert log_tried(path, found("lasso", outcome=("t", "e")), FILES, "d1", "wednesday") == ()
    assert len(rows(path)) == 4
    assert rows(path)[3]["outcome"] == "t and e"


def test_renamed_files_are_the_same_tables(path):
    log_tried(path, found("lasso"), FILES, "d1", "monday")
    assert "2 plans" in log_tried(path, found("ridge"), {"b.csv": "bb", "a.csv": "aa"}, "d1", "tuesday")[0]


def test_many_plans_are_warned_of_whether_at_once_or_one_by_one(path, tmp_path):
    names = [f"plan{i}" for i in range(MANY)]
    for i, name in enumerate(names[:-1]):
        notes = log_tried(path, found(name), FILES, f"d{i}", "monday")
        assert not any("flattered" in note for note in notes)
    assert "the best of so many is flattered" in log_tried(path, found(names[-1]), FILES, "d", "tuesday")[0]
    at_once = log_tried(tmp_path / "other.csv", found(*names), FILES, "d", "monday")
    assert f"{MANY} plans have been tried" in at_once[0]
    assert "flattered" in at_once[0]
    again = log_tried(tmp_path / "other.csv", found(*names), FILES, "d", "tuesday")
    assert again == at_once


def test_undefined_scores_are_empty_cells(path):
    log_tried(path, found("lasso", mean=float("nan")), FILES, "d", "monday")
    assert rows(path)[0]["mean"] == ""
    log_tried(path, found("forest"), FILES, "d", "monday")
    assert [r["plan"] for r in rows(path)] == ["lasso", "forest"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\x00", b"a,b\n1,2\n", b"started,analysis\nx\n", ",".join(HEADER).encode() + b"\nx,y\n"]
)
def test_a_damaged_log_is_kept_aside_and_said(path, content):
    path.write_bytes(content)
    notes = log_tried(path, found("lasso"), FILES, "d", "monday")
    kept = path.with_name("tried-unreadable-1.csv")
    assert kept.read_bytes() == content
    assert "cannot be read" in notes[0]
    assert kept.name in notes[0]
    assert [r["plan"] for r in rows(path)] == ["lasso"]


def test_a_second_damaged_log_does_not_replace_the_first(path):
    for content in ("one", "two"):
        path.write_text(content)
        log_tried(path, found("lasso"), FILES, "d", "monday")
    kept = [path.with_name(f"tried-unreadable-{i}.csv").read_text() for i in (1, 2)]
    assert kept == ["one", "two"]
