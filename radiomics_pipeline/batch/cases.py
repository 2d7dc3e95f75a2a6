"""The cases of a study, whichever way it is laid out: as a table, or as folders."""

from __future__ import annotations

from pathlib import Path

from radiomics_pipeline.batch.case_folders import study_of_folders
from radiomics_pipeline.batch.case_tables import study_of_table
from radiomics_pipeline.batch.study import Study
from radiomics_pipeline.errors import StudyError

TABLE = "cases.csv"


def find_study(path: Path) -> Study:
    """The cases of a study, a folder or a table; StudyError where it has none or its table cannot be used."""
    try:
        study = _study_at(path)
    except OSError as e:
        raise StudyError(
            f"{path.absolute().name}: cannot be read ({e.strerror}); ask for the right to read it"
        ) from None
    for text in (text for case in study.cases for text in (case.name, case.patient)):
        if not text.isprintable():
            raise StudyError(f"{study.name}: the name {text!r} holds characters that no table can; rename it")
    if not study.cases:
        raise StudyError(
            f"{study.name}: no case found; expected {TABLE}, or one folder a case with <SERIES>_image.nii.gz and "
            "<SERIES>_mask.nii.gz (or image.* and mask.*), or with a folder of DICOM files named as the series; of any "
            "other pile of DICOM files 'radiomics-pipeline index' makes a table"
        )
    return study


def _study_at(path: Path) -> Study:
    if path.is_file():
        return study_of_table(path, path.name, batch=True)
    if not path.is_dir():
        raise StudyError(f"{path}: no such folder or table of cases")
    if (path / TABLE).is_file():
        return study_of_table(path / TABLE, path.absolute().name)
    return study_of_folders(path)
