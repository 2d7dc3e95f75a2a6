"""A saved model applied to a feature table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radiomics_pipeline.batch.selection.plausible import implausible
from radiomics_pipeline.errors import TableError, some
from radiomics_pipeline.io.clinical_columns import coded_like
from radiomics_pipeline.io.delimited import MISSING, TextTable, read_text_table, write_rows
from radiomics_pipeline.io.further_tables import same_columns
from radiomics_pipeline.io.model_file import check_features_digest, load_model, missing_columns
from radiomics_pipeline.io.tables import read_features
from radiomics_pipeline.types.model import ModelCard
from radiomics_pipeline.types.outcome import CLASSES, TIMED, Clinical
from radiomics_pipeline.types.side import codes_of
from radiomics_pipeline.types.table import KEYS, FeatureTable


@dataclass(frozen=True)
class Predictions:
    """What a model says of a table's rows.

    card : of the model; rows : how many; header, cells : as written; notes : what could not be checked
    """

    card: ModelCard
    header: tuple[str, ...]
    cells: tuple[tuple[object, ...], ...]
    notes: tuple[str, ...]


def predict_table(model: Path, table: Path, out: Path, *, id_column: str = "", centre: str = "") -> Predictions:
    """Write one prediction a row of a feature table.

    model : folder with model.skops and model.yaml; centre : column of the centres, where the model harmonises
    Raises TableError where the table lacks a column of the model, or its features were made by other parameters.
    """
    from radiomics_pipeline.selection.final import score_of

    if Path(out).resolve() == Path(table).resolve():
        raise TableError(f"{table.name} would be written over by its predictions; name another --out")
    fitted, card = load_model(model)
    notes = list(check_features_digest(card, table))
    source = read_text_table(table)
    for name in card.clinical:
        source.column(name)
    file = read_features(source, id_column=id_column if id_column in source.columns else "", not_features=card.clinical)
    _refuse_texts(card, source, file.table.columns)
    missing_columns(card, file.table.columns, source.name)
    rows = same_columns(file.table, card.features, source.name)
    clinical, unseen = _clinical(card, source)
    inputs = np.hstack([rows.values, clinical])
    notes += [*file.notes, *unseen, *implausible(card.ranges, (*card.features, *card.clinical), rows.case, inputs)]
    X = np.hstack([inputs, _side(card, source, rows, centre)])
    X.flags.writeable = False
    score = score_of(fitted, X, card.kind)  # type: ignore[arg-type]
    header, columns = _columns(fitted, card, X, score)
    blank = np.isnan(inputs).all(axis=1)  # nothing is known of such a row, so nothing is predicted
    columns = [[None if b else value for value, b in zip(column, blank, strict=True)] for column in columns]
    keys = zip(*(getattr(rows, key) for key in KEYS), strict=True)
    cells = tuple((*key, *(column[i] for column in columns)) for i, key in enumerate(keys))
    write_rows(out, (*KEYS, *header), cells)
    return Predictions(card, (*KEYS, *header), cells, tuple(notes))


def _columns(fitted: Any, card: ModelCard, X: np.ndarray, score: np.ndarray) -> tuple[list[str], list[Any]]:
    """What is written of each row after its keys."""
    header, columns = ["score"], [[float(s) for s in score]]
    grouped = score
    if card.kind in CLASSES and hasattr(fitted, "predict_proba"):
        shares = fitted.predict_proba(X)
        names = ["probability"] if card.kind == "binary" else [f"probability_{c}" for c in card.categories]
        chosen = shares[:, 1:] if card.kind == "binary" else shares
        grouped = chosen[:, 0]
        header += names
        columns += [[float(v) for v in column] for column in chosen.T]
    if card.kind in TIMED and card.horizon is not None:
        curves = _survival(fitted, X, card.horizon)
        if curves is not None:
            header.append(f"survival_at_{card.horizon:g}")
            columns.append([float(v) for v in curves])
    if card.cutpoints:
        header.append("group")
        columns.append([int(g) for g in np.searchsorted(np.array(card.cutpoints), grouped, side="left") + 1])
    return header, columns


def _survival(fitted: Any, X: np.ndarray, horizon: float) -> np.ndarray | None:
    from radiomics_pipeline.selection.validation.fitting import survival_curves

    curves = survival_curves(fitted, X, np.array([horizon]))
    return None if curves is None else curves[:, 0]


def _clinical(card: ModelCard, source: TextTable) -> tuple[np.ndarray, list[str]]:
    """The clinical columns as the model takes them, and notes on texts that it has not seen."""
    if not card.clinical:
        return np.empty((len(source), 0)), []
    known = tuple(card.clinical_texts.get(name) for name in card.clinical)
    trained = Clinical(card.clinical, np.empty((0, len(known))), known)
    notes: list[str] = []
    return coded_like(source, trained, notes).values, notes


def _refuse_texts(card: ModelCard, source: TextTable, numeric: tuple[str, ...]) -> None:
    """TableError where a column of the model is there, but holds texts."""
    numbers = set(numeric)
    for name in (c for c in card.features if c in source.columns and c not in numbers):
        _, texts = source.numbers(name)
        raise TableError(f"{source.name}: {name!r} holds {some(map(repr, texts), 3)}; the model needs numbers")


def _side(card: ModelCard, source: TextTable, rows: FeatureTable, centre: str) -> np.ndarray:
    """The side columns that the model takes, float64 [rows, side]."""
    columns = [np.empty((len(rows), 0))]
    for name in card.side:
        if name == "centre":
            if not centre:
                raise TableError("the model harmonises centres; name the column of the centres by --centre")
            place = {text: float(i) for i, text in enumerate(card.centres)}
            cells = source.column(centre)
            blank = [str(i) for i, cell in enumerate(cells, 1) if cell.lower() in MISSING]
            if blank:
                raise TableError(f"{source.name}: no {centre} in row {some(blank)}; every row needs its centre")
            others = sorted(set(cells) - set(place))
            if others and card.params.get("harmonise", {}).get("unseen", "refuse") == "refuse":
                raise TableError(
                    f"{source.name}: the model has no training row of {some(map(repr, others))} (column {centre!r}; it "
                    f"knows {some(card.centres)}), and cannot harmonise such rows"
                )
            place |= {text: float(len(card.centres) + i) for i, text in enumerate(others)}
            columns.append(np.array([[place[c]] for c in cells]))
        elif name == "patient":
            columns.append(codes_of(rows.patient)[:, None])
        else:
            columns.append(np.full((len(rows), 1), -1.0))
    return np.hstack(columns)
