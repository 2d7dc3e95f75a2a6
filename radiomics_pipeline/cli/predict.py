"""radiomics-pipeline predict: a saved model applied to a feature table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radiomics_pipeline.cli.options import IdColumn


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a model: model.skops and model.yaml.")],
    table: Annotated[Path, typer.Argument(metavar="FEATURES", help="Feature table made with the same parameters.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="CSV of the predictions.")],
    id_column: IdColumn = "",
    centre: Annotated[str, typer.Option("--centre", metavar="COLUMN", help="Column of the centres.")] = "",
) -> None:
    """Predict the outcome of new patients with a model that `select` has saved.

    Refuses a table that lacks a column of the model, or whose features were made with other parameters.
    """
    from radiomics_pipeline.batch.selection.predict import predict_table

    found = predict_table(model, table, out, id_column=id_column, centre=centre)
    for note in found.notes:
        print(f"note: {note}")
    performance = found.card.performance
    print(
        f"{len(found.cells)} rows by the plan {found.card.plan}, fitted to {found.card.patients} patients; out of fold "
        f"its {performance['metric']} was {performance['mean']:.3f} "
        f"[{performance['lower']:.3f}, {performance['upper']:.3f}]"
    )
    print(f"predictions: {out}")
