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


_PYRADIOMICS = ("pyradiomics-bhklab", "PyWavelets", "trimesh")
_LEARNING = ("xgboost", "xgboost-cpu", "skops", "joblib")


def versions(*, learning: bool = False) -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that make numbers; `learning`: and models."""
    found = {"radiomics_pipeline": radiomics_pipeline.__version__, "python": platform.python_version()}
    found |= {name: metadata.version(name) for name in _LIBRARIES} | _where_installed(_PYRADIOMICS)
    return found | (_where_installed(_LEARNING) if learning else {})


def _where_installed(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
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
    """SHA-256 of each file by its name; of files of one name by that of their folder, too."""
    found: dict[str, str] = {}
    for path in filter(None, paths):
        name = path.name if path.name not in found else f"{path.parent.name}/{path.name}"
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_manifest(manifest: RunManifest, path: Path) -> None:
    """Write a manifest as JSON."""
    write_text(path, json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n")
