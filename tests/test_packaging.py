"""What is installed elsewhere is what the checkout has: the parameter files travel in the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from radiomics_pipeline.io.params_file import tracer_folder, tracers

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("radiomics_pipeline", "params", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def test_a_checkout_finds_its_own_parameter_files():
    assert tracer_folder() == ROOT / "params"
    assert {"fdg", "ct", "ibsi/C"} <= set(tracers())


def test_a_wheel_brings_the_parameter_files_nested_ones_too(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "-w", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "from radiomics_pipeline.io.params_file import tracer_folder, tracers, load_params; "
        "print(tracer_folder().parts[-2:], *tracers()); load_params('ibsi/C')"
    )
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": ""}
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
    ).stdout.split()
    folders = {p.parent.relative_to(ROOT).as_posix() for p in (ROOT / "radiomics_pipeline").rglob("*.py")}
    assert all((tmp_path / "site" / folder / "__init__.py").is_file() for folder in folders)
    assert shown[:2] == ["('radiomics_pipeline',", "'tracers')"]
    assert shown[2:] == list(tracers())
