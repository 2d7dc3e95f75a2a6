"""run.json, select.json, redundancy.json: manifests of what a command did."""

from __future__ import annotations

import hashlib
import json
import platform
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import radiomics_pipeline
from radiomics_pipeline.io.delimited import write_text
from radiomics_pipeline.types.manifest import RunManifest

_LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "SimpleITK",
    "nibabel",
    "pydicom",
    "scikit-image",
    "scikit-learn",
    "scikit-survival",
)


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that make numbers."""
    found = {"radiomics_pipeline": radiomics_pipeline.__version__, "python": platform.python_version()}
    return found | {name: metadata.version(name) for name in _LIBRARIES} | _of_pyradiomics()


def _of_pyradiomics() -> dict[str, str]:
    """Versions of PyRadiomics and what its filters rest on, where they are installed."""
    found = {}
    for name in ("pyradiomics-bhklab", "PyWavelets", "trimesh"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def program_digest() -> str:
    """SHA-256 of this package's source and of the libraries' versions: another program, other records."""
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    root = Path(radiomics_pipeline.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def file_digests(*paths: Path | None) -> dict[str, str]:
    """SHA-256 of each file by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path}


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_manifest(manifest: RunManifest, path: Path) -> None:
    """Write a manifest as JSON."""
    write_text(path, json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n")
