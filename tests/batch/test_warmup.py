"""Warming up compiles every kernel, each for one signature, so that no later command compiles anything."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import radiomics_pipeline

KERNELS = Path(radiomics_pipeline.__file__).parent / "kernels"
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "fdg_lesions"


def called_from_outside():
    """Names of the kernels that other modules import."""
    found = set()
    for path in KERNELS.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("radiomics_pipeline.kernels."):
                module = (node.module or "").rsplit(".", maxsplit=1)[1]
                found |= {f"{module}.{alias.name}" for alias in node.names if alias.name.islower()}
    return found


def compiled(cache):
    """How many compiled forms each kernel has in a cache folder."""
    forms = {}
    for path in cache.rglob("*.nbc"):
        name = path.name.split("-")[0]
        forms[name] = forms.get(name, 0) + 1
    return forms


def command(cache, *arguments):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    line = [sys.executable, "-m", "radiomics_pipeline.cli.main", *map(str, arguments)]
    return subprocess.run(line, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_nothing_is_compiled_after_warming_up(tmp_path):
    cache = tmp_path / "cache"
    assert "compiled in" in command(cache, "warmup", "--jobs", "2")
    first = compiled(cache)
    kernels = called_from_outside()
    assert kernels <= set(first)
    assert {name: first[name] for name in kernels if first[name] != 1} == {}
    case = ("--case", "FDG_001", "--case", "FDG_002", "--jobs", "1")
    command(cache, "extract", SAMPLE, "--params", "fdg", *case, "--out", tmp_path / "ibsi")
    theirs = tmp_path / "Params.yaml"
    theirs.write_text("imageType: {Original: {}}\nsetting: {binWidth: 0.25, resampledPixelSpacing: [3, 3, 3]}\n")
    command(cache, "extract", SAMPLE, "--params", theirs, *case, "--out", tmp_path / "pyradiomics")
    assert compiled(cache) == first
