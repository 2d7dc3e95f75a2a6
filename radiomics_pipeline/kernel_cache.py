"""A place where compiled kernels can be kept, wherever the package is installed.

numba keeps them beside their source, else in the home folder, and fails to import a kernel where it may write to
neither, as in a container that runs without a home.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def make_cache_writable() -> None:
    """Give numba a temporary folder where it could write to neither of its own; worker processes inherit it."""
    if VARIABLE in os.environ or _writable(Path(__file__).parent / "kernels") or _writable_home():
        return
    folder = tempfile.mkdtemp(prefix="radiomics_pipeline_")
    os.environ[VARIABLE] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _writable(folder: Path) -> bool:
    kept = folder / "__pycache__"
    return os.access(kept if kept.is_dir() else folder, os.W_OK)


def _writable_home() -> bool:
    try:
        return os.access(Path.home(), os.W_OK)
    except RuntimeError:
        return False
