"""The final models of a selection: the default plan and the signature, refitted to all rows and saved."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from radiomics_pipeline.batch.selection.plausible import ranges_of
from radiomics_pipeline.io.manifest_file import versions
from radiomics_pipeline.io.model_file import features_digest, save_model
from radiomics_pipeline.types.model import ModelCard

if TYPE_CHECKING:
    from radiomics_pipeline.selection.analysis import Analysis
    from radiomics_pipeline.selection.final import FinalModel
    from radiomics_pipeline.selection.study import Study

FOLDERS = ("model", "signature")
"""Folder of the default plan's model, and of the signature's."""


def save_models(out: Path, analysis: Analysis, digests: Mapping[str, str], *, features: Path) -> tuple[Path, ...]:
    """Write the models; of a plan that was not run, none is left of an earlier run."""
    written: list[Path] = []
    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
    for folder, final in zip(FOLDERS, analysis.final, strict=False):
        card = _card(analysis, final, digests, features)
        written += save_model(final.model, card, out / folder)
    return tuple(written)


def _card(analysis: Analysis, final: FinalModel, digests: Mapping[str, str], features: Path) -> ModelCard:
    study = analysis.study
    clinical, outcome = study.clinical, study.outcome.rows(study.own)
    row = next(r for r in analysis.ranking.performance if r.plan == final.plan)
    texts = {} if clinical is None else dict(zip(clinical.columns, clinical.categories, strict=True))
    own = [study.table.patient[int(i)] for i in study.own]
    return ModelCard(
        plan=final.plan,
        kind=outcome.kind,
        outcome=outcome.names,
        categories=outcome.categories,
        features=study.table.columns,
        clinical=() if clinical is None else clinical.columns,
        clinical_texts={name: known for name, known in texts.items() if known is not None},
        side=study.side.names,
        centres=study.side.centres,
        features_digest=features_digest(features),
        table_digest=digests,
        rows=len(own),
        patients=len(set(own)),
        events=int(outcome.event.sum()) if outcome.kind in ("binary", "survival", "competing") else None,
        performance={"metric": row.metric, "mean": row.mean, "lower": row.lower, "upper": row.upper},
        horizon=final.horizon,
        cutpoints=final.cutpoints,
        formula=final.formula,
        versions=versions(learning=True),
        params=study.params.model_dump(mode="json"),
        ranges=_ranges(study),
        notes=(
            "performance is that of the plan on rows left out, not of this model on other patients",
            "for research; a model must be tested on patients of the place where it is to be used",
        ),
    )


def _ranges(study: Study) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of our own rows in every feature and clinical column of numbers."""
    found = ranges_of(study.table.columns, study.table.values[study.own])
    if study.clinical is None:
        return found
    numbers = [c for c, known in enumerate(study.clinical.categories) if known is None]
    return found | ranges_of([study.clinical.columns[c] for c in numbers], study.clinical.values[study.own][:, numbers])
