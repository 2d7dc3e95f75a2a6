"""MetaImage files (.mha, .mhd): the checks that SimpleITK does not make.

It reads a file whose header promises fewer voxels than there are, drops the sign of a spacing, skips bytes that
are not there, and goes on with wrong voxels after "Uncompress failed" (seen with 2.5.7).
"""

from __future__ import annotations

from collections.abc import Callable

from radiomics_pipeline.errors import BadGeometry, DamagedFile, UnsupportedImage
from radiomics_pipeline.io.compressed import inflate, require_length
from radiomics_pipeline.io.raw import numbers, whole_numbers

_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 4, "ULONG": 4}
_BYTES |= {"LONG_LONG": 8, "ULONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}
_SIZES = {f"MET_{name}": size for name, size in _BYTES.items()}


def check(data: bytes, name: str, read_sibling: Callable[[str], bytes]) -> None:
    """Raise the error of a MetaImage file that must not be used.

    data : of the header file; read_sibling(file name) gives the bytes of the voxels' own file
    """
    fields, payload = _header(data, name)
    if fields.get("ElementNumberOfChannels", "1") != "1":
        raise UnsupportedImage(f"{name}: {fields['ElementNumberOfChannels']} values a voxel; a scalar image is needed")
    sizes = whole_numbers(fields["DimSize"], name)
    if any(n > 1 for n in sizes[3:]):
        raise UnsupportedImage(f"{name}: sizes {' x '.join(map(str, sizes))}; one 3D volume is needed")
    if "ElementSpacing" not in fields:
        raise BadGeometry(f"{name}: no ElementSpacing in the header; the size of a voxel is not known")
    if fields.get("DistanceUnits", "mm").lower() not in ("mm", "?"):
        raise BadGeometry(f"{name}: DistanceUnits {fields['DistanceUnits']}; export the file again in mm")
    if fields.get("ElementToIntensityFunctionSlope", "1") != "1" or (
        fields.get("ElementToIntensityFunctionOffset", "0") != "0"
    ):
        raise UnsupportedImage(f"{name}: intensities are scaled by the header; store them as they are")
    for value in numbers(fields["ElementSpacing"], name):
        if not value > 0:
            raise BadGeometry(f"{name}: ElementSpacing is {fields['ElementSpacing']}; it must be above 0")
    element = _SIZES.get(fields["ElementType"])
    if element is None:
        raise UnsupportedImage(f"{name}: element type {fields['ElementType']} is not one of {', '.join(_SIZES)}")
    sibling = _voxel_file(fields, name)
    if sibling:
        payload = read_sibling(sibling)
    if fields.get("HeaderSize", "0") != "0":
        raise UnsupportedImage(f"{name}: HeaderSize {fields['HeaderSize']}; store the volume as .mha or .nii.gz")
    if fields.get("CompressedData", "False").lower() == "true":
        stored = fields.get("CompressedDataSize", "none")
        if stored != str(len(payload)):
            raise DamagedFile(
                f"{name}: CompressedDataSize is {stored}, but {len(payload)} compressed bytes follow; copy or "
                "export the file again"
            )
        payload = inflate(payload, name)
    require_length(payload, sizes, element, name)


def voxel_file(data: bytes, name: str) -> str:
    """Name of the file beside it that holds the voxels; empty where they follow the header."""
    return _voxel_file(_header(data, name)[0], name)


def _voxel_file(fields: dict[str, str], name: str) -> str:
    where = fields["ElementDataFile"]
    if where == "LOCAL":
        return ""
    if not where:
        raise DamagedFile(f"{name}: the header ends too early; copy or export the file again")
    if where == "LIST" or "%" in where or "/" in where or "\\" in where:
        raise UnsupportedImage(f"{name}: voxels in {where!r}; store the volume as one file")
    return where


def _header(data: bytes, name: str) -> tuple[dict[str, str], bytes]:
    fields: dict[str, str] = {}
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)]
        at = end + 1 if end >= 0 else len(data)
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals or len(line) > 4096:
            break
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            break
    for key in ("DimSize", "ElementType", "ElementDataFile"):
        if key not in fields:
            raise DamagedFile(f"{name}: no {key} in the header; not a MetaImage, or damaged")
    return fields, data[at:]
