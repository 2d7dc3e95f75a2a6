"""What is a slice of a tomogram, and what only looks like one: localisers, projections, renderings, screenshots."""

from __future__ import annotations

from pydicom.dataset import Dataset

from radiomics_pipeline.errors import NotTomographic, WrongModality
from radiomics_pipeline.io.dicom.headers import text

NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
"""SOP class of nuclear medicine images."""
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_TOMOGRAMS = ("RECON TOMO", "RECON GATED TOMO")
_PROJECTIONS = ("STATIC", "WHOLE BODY", "DYNAMIC", "GATED", "TOMO", "GATED TOMO")
_PICTURES = frozenset(
    {
        "LOCALIZER", "SCOUT", "MIP", "MINIP", "MAX_IP", "MIN_IP", "CSA MIP", "PROJECTION", "PROJECTION IMAGE",
        "REPROJECTION", "VOLUME_RENDER", "SURFACE_RENDER", "SURFACE_PROCESSING", "VOLUME_RENDERING", "VRT", "CSA VRT",
        "SSD", "CSA SSD", "CURVED_MPR", "CSA CPR", "SCREEN SAVE", "REPORT", "DOSE_INFO", "COLLAGE",
    }
)  # fmt: skip
"""Values of Image Type (0008,0008) and Frame Type (0008,9007), from the third on, that no slice of a tomogram has:
terms of PS3.3, C.8.2.1.1.1 and C.8.16.1, and of scanners."""


def require_tomogram(header: Dataset, name: str) -> None:
    """NotTomographic for an image, or a frame, that is no slice of a tomogram; WrongModality for a transmission map."""
    sop_class = text(header, "SOPClassUID")
    if sop_class == _SECONDARY or sop_class.startswith(f"{_SECONDARY}."):
        _refuse(name, "a secondary capture (a screenshot or a report)")
    words = [_words(header, keyword) for keyword in ("ImageType", "FrameType")]
    for word in (*words[0][2:], *words[1][2:]):
        if word in _PICTURES:
            _refuse(name, f"an image of type {word}")
    if text(header, "Modality") == "PT" and "REPROJECTION" in _words(header, "SeriesType")[1:]:
        _refuse(name, "a reprojection (Series Type (0054,1000))")
    if sop_class == NUCLEAR:
        _require_reconstructed(words[0], name)


def _words(header: Dataset, keyword: str) -> list[str]:
    return [word.strip().upper() for word in text(header, keyword).split("\\")]


def _require_reconstructed(words: list[str], name: str) -> None:
    kind, content = [*words, "", "", "", ""][2:4]
    if kind not in _TOMOGRAMS:
        shown = kind if kind in _PROJECTIONS else "unknown"
        raise NotTomographic(
            f"{name}: an NM image of type {shown}; features are of reconstructed tomograms ({' or '.join(_TOMOGRAMS)})"
        )
    if content == "TRANSMISSION":
        raise WrongModality(
            f"{name}: a tomogram of a transmission scan, of attenuation instead of uptake; choose the emission series"
        )


def _refuse(name: str, what: str) -> None:
    raise NotTomographic(f"{name}: holds {what}, which is no slice of a tomogram; take it out of the folder")
