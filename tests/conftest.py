"""What tests share: PyRadiomics where it is installed, reference data where they lie beside the repository."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pyradiomics():
    """The module `radiomics`; the test is skipped without it, or fails with RADIOMICS_REQUIRE_PYRADIOMICS set."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import radiomics
            import radiomics.featureextractor
    except ImportError as e:
        message = f"PyRadiomics is not installed (pip install radiomics_pipeline[pyradiomics]): {e}"
        if os.environ.get("RADIOMICS_REQUIRE_PYRADIOMICS"):
            pytest.fail(message)
        pytest.skip(message)
    radiomics.setVerbosity(logging.CRITICAL)
    return radiomics


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference data: RADIOMICS_SHARED, or `shared` beside the repository; skipped where absent."""
    folder = Path(os.environ.get("RADIOMICS_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "ibsi").is_dir():
        pytest.skip(f"no reference data in {folder.name}; set RADIOMICS_SHARED to their folder")
    return folder
