"""Names of labels, from the file and from tables beside it."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from radiomics_pipeline.errors import BadMask, DamagedFile, UnsupportedImage
from radiomics_pipeline.imaging.regions import wanted_regions
from radiomics_pipeline.io.labels import candidates, label_names, read_label_image
from radiomics_pipeline.io.volumes import VolumeFile, read_file
from tests.images import write

LABELS = np.array([[[0, 1, 1, 2], [0, 5, 2, 2]]], np.uint8)

SLICER = """# Color table file C:/somewhere/Segmentation-label_ColorTable.ctbl
# 4 values
0 Background 0 0 0 0
1 artery 216 101 79 255
2 connective_tissue 111 184 210 255
5 bone 241 214 145 255
"""
SNAP = """################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "liver, left (l1)"
    2     0  255    0     0.55  1  1    "spleen"
"""
XML = (
    '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>'
    '   <VolumeInformation Index="0">   <LabelTable>\n'
    '<Label Key="1" Red="0.1" Green="0.2" Blue="0.3" Alpha="1"><![CDATA[spleen]]></Label>\n'
    '<Label Key="2" Red="0.1" Green="0.2" Blue="0.3" Alpha="1">vertebrae_L1 &amp; disc</Label>\n'
    "  </LabelTable>  <StudyMetaDataLinkSet>  </StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>"
    "   </VolumeInformation></CaretExtension>\n              "
)


def mask(folder: Path, name: str = "CT_mask.nii.gz") -> VolumeFile:
    return read_file(write(folder / name, LABELS))


def beside(**files: str | bytes) -> Callable[[str], bytes | None]:
    """Files by name, a dot written as two underscores."""
    found = {name.replace("__", "."): text for name, text in files.items()}

    def read(name: str) -> bytes | None:
        text = found.get(name)
        return text.encode() if isinstance(text, str) else text

    return read


def nifti(folder: Path, xml: str, *, code: int = 0, version: type = nib.Nifti1Image, suffix: str = ".nii.gz"):
    image = version(LABELS.T, np.diag([-2.0, -2.0, 3.0, 1.0]))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"a remark"))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(code, xml.encode()))
    path = folder / f"totalseg{suffix}"
    nib.save(image, path)
    return read_file(path)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("CT_mask.ctbl", SLICER, {1: "artery", 2: "connective_tissue", 5: "bone"}),
        ("CT_mask_ColorTable.ctbl", SLICER, {1: "artery", 2: "connective_tissue", 5: "bone"}),
        ("CT_mask.txt", SLICER, {1: "artery", 2: "connective_tissue", 5: "bone"}),
        ("CT_mask.txt", SNAP, {1: "liver, left (l1)", 2: "spleen"}),
        ("CT_mask.label", SNAP, {1: "liver, left (l1)", 2: "spleen"}),
        ("CT_mask.csv", 'LabelValue,Name,Color_R\n1,"node, left",3\n2,liver,4\n', {1: "node, left", 2: "liver"}),
        ("CT_mask.tsv", "index\tname\tabbreviation\n1\tLeft Region\tL\n2\tRight\tR\n", {1: "Left Region", 2: "Right"}),
        ("CT_mask.json", '{"1": "liver", "2": "spleen", "0": "background"}', {1: "liver", 2: "spleen"}),
        ("CT_mask.json", '{"labels": {"background": 0, "liver": 1, "spleen": 2}}', {1: "liver", 2: "spleen"}),
        ("dataset.json", '{"labels": {"0": "background", "1": "liver"}, "name": "x"}', {1: "liver"}),
        ("dataset.json", '{"labels": {"background": 0, "liver": 2}, "numTraining": 4}', {2: "liver"}),
        ("CT_mask.ctbl", "\ufeff1 lymph node 1 2 3 255\r\n", {1: "lymph node"}),
        ("CT_mask.ctbl", "1 (none) 1 2 3 255\n2 a\u0142ta 1 2 3 255\n", {2: "a\u0142ta"}),
    ],
)
def test_tables_beside_the_mask_name_its_labels(tmp_path, name, text, expected):
    assert label_names(mask(tmp_path), beside(**{name: text})) == expected
    (tmp_path / name).write_text(text, "utf-8")
    assert read_label_image(mask(tmp_path)).names == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CT_mask.txt", "Drawn by two readers on 3 May.\n"),
        ("CT_mask.json", '{"Threshold": 4, "RawSources": ["x"]}'),
        ("CT_mask.json", '{"Threshold": 4}'),
        ("CT_mask.json", "[1, 2]"),
        ("CT_mask.csv", "case,volume\na,3\n"),
        ("dataset.json", '{"name": "x", "labels": {"whole": [1, 2], "core": [2]}}'),
        ("other.ctbl", SLICER),
        ("dseg.tsv", "index\tname\n1\tL\n"),
    ],
)
def test_other_files_beside_the_mask_are_left_alone(tmp_path, name, text):
    assert label_names(mask(tmp_path), beside(**{name: text})) == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("CT_mask.ctbl", SLICER + "7 half 1 2\n", r"CT_mask.ctbl, line 7: neither a label of 3D Slicer nor"),
        ("CT_mask.label", SNAP.replace('"spleen"', "spleen"), r"CT_mask.label, line 8"),
        ("CT_mask.txt", SNAP.replace('"spleen"', "spleen"), r"CT_mask.txt, line 8"),
        ("CT_mask.ctbl", SLICER + "1 vein 1 2 3 4\n", "line 7: label 1 is 'vein', but 'artery' before"),
        ("CT_mask.ctbl", "# Color procedural file x\n0 0 0 0\n", "continuous colour scale"),
        ("CT_mask.json", '{"1": "liver"', "CT_mask.json: not JSON"),
        ("CT_mask.json", '{"labels": {"liver": "one"}}', "'labels' gives neither"),
        ("CT_mask.tsv", "index\tcolor\n1\tred\n", "a column 'index', but none 'name'"),
        ("CT_mask.tsv", "index\tname\none\tliver\n", "row 2: 'one' is no whole number"),
        ("CT_mask.txt", b"\0\1\2\0" * 9, "not a text file"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, name, text, message):
    with pytest.raises(DamagedFile, match=message):
        label_names(mask(tmp_path), beside(**{name: text}))


def test_two_tables_may_agree_but_not_contradict_each_other(tmp_path):
    agreeing = {"CT_mask.ctbl": "1 Lymph_Node 1 2 3 255", "CT_mask.json": '{"1": "lymph node", "2": "spleen"}'}
    assert label_names(mask(tmp_path), beside(**agreeing)) == {1: "Lymph_Node", 2: "spleen"}
    with pytest.raises(BadMask, match=r"label 1 is 'artery' by CT_mask.ctbl, but 'liver' by CT_mask.json"):
        label_names(mask(tmp_path), beside(**{"CT_mask.ctbl": SLICER, "CT_mask.json": '{"1": "liver"}'}))


def test_where_tables_are_looked_for():
    assert candidates("sub-1_dseg.nii.gz")[-1] == "dseg.tsv"
    assert "sub-1_dseg.tsv" in candidates("sub-1_dseg.nii.gz")
    assert "Case.ctbl" in candidates("Case.seg.nrrd")
    assert "Segmentation-label_ColorTable.ctbl" in candidates("Segmentation-label.nrrd")


@pytest.mark.parametrize("version", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
@pytest.mark.parametrize("code", [0, 30])
def test_totalsegmentator_names_in_the_header(tmp_path, version, suffix, code):
    found = read_label_image(nifti(tmp_path, XML, code=code, version=version, suffix=suffix), beside())
    assert found.names == {1: "spleen", 2: "vertebrae_L1 & disc"}
    assert np.array_equal(found.labels, LABELS)
    assert wanted_regions(found, None, "VERTEBRAE_.*disc") == [("", 2)]
    assert wanted_regions(found, None, "all") == [("spleen", 1), ("vertebrae_L1 & disc", 2), ("5", 5)]


def test_big_endian_headers_are_read(tmp_path):
    image = nib.Nifti1Image(LABELS.T.astype(">i2"), np.eye(4), nib.Nifti1Header(endianness=">"))
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, XML.encode()))
    data = image.to_bytes()
    if struct.unpack(">i", data[:4])[0] != 348:
        pytest.skip("nibabel wrote the machine's own order")
    assert label_names(VolumeFile(tmp_path / "m.nii", "m", data), beside()) == {1: "spleen", 2: "vertebrae_L1 & disc"}


@pytest.mark.parametrize("xml", ["<LabelTable><Label Key='1'>a</Label>", "<LabelTable><Label>a</Label></LabelTable>",
                                 "<!DOCTYPE x [<!ENTITY a 'b'>]><LabelTable/>",
                                 "<LabelTable><Label Key='x'>a</Label></LabelTable>"])  # fmt: skip
def test_a_damaged_label_table_in_the_header_is_refused(tmp_path, xml):
    with pytest.raises(DamagedFile, match="the label table in its header"):
        label_names(nifti(tmp_path, xml), beside())


def test_other_extensions_and_cut_headers_name_nothing(tmp_path):
    assert label_names(nifti(tmp_path, "<AFNI_attributes/>"), beside()) == {}
    data = gzip.decompress(nifti(tmp_path, XML).data)
    for length in (0, 10, 100, 347, 351, 356, 370):
        assert label_names(VolumeFile(tmp_path / "m.nii", "m", data[:length]), beside()) == {}
        packed = gzip.compress(data[:length])
        assert label_names(VolumeFile(tmp_path / "m.nii.gz", "m", packed), beside()) == {}


def seg_nrrd(folder: Path, layers: np.ndarray, fields: dict[str, str], *, space: str = "left-posterior-superior",
             encoding: str = "gzip", endian: str = "little", type_: str = "unsigned char") -> VolumeFile:  # fmt: skip
    """A file as 3D Slicer writes it. layers : [layer, z, y, x] or [z, y, x]"""
    listed = layers.ndim == 4
    voxels = np.moveaxis(layers, 0, -1) if listed else layers
    sizes = " ".join(map(str, voxels.shape[::-1]))
    kind = {"unsigned char": "u1", "short": "i2"}[type_]
    data = voxels.astype((">" if endian == "big" else "<") + kind).tobytes()
    lines = [
        "NRRD0005", "# Complete NRRD file format specification at:", f"type: {type_}", f"dimension: {layers.ndim}",
        f"space: {space}", f"sizes: {sizes}",
        f"space directions: {'none ' if listed else ''}(2,0,0) (0,2,0) (0,0,3)",
        f"kinds: {'list ' if listed else ''}domain domain domain", f"endian: {endian}", f"encoding: {encoding}",
        "space origin: (-10,20,30)", *(f"{key}:={value}" for key, value in fields.items()),
    ]  # fmt: skip
    folder.mkdir(exist_ok=True)
    path = folder / "Case.seg.nrrd"
    packed = gzip.compress(data, mtime=0) if encoding == "gzip" else data
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + packed)
    return read_file(path)


def segment(i: int, name: str, value: int | None = None, layer: int | None = None) -> dict[str, str]:
    fields = {f"Segment{i}_ID": f"Segment_{i + 1}", f"Segment{i}_Name": name}
    fields |= {} if value is None else {f"Segment{i}_LabelValue": str(value)}
    return fields | ({} if layer is None else {f"Segment{i}_Layer": str(layer)})


def test_segments_of_3d_slicer_have_their_names(tmp_path):
    fields = segment(0, "tumour", 2, 0) | segment(1, "Leber, rechts", 5, 0) | segment(10, "artery", 1, 0)
    found = read_label_image(seg_nrrd(tmp_path, LABELS, fields), beside())
    assert found.names == {1: "artery", 2: "tumour", 5: "Leber, rechts"}
    assert np.array_equal(found.labels, LABELS)
    assert found.grid.origin_mm == (-10, 20, 30)


@pytest.mark.parametrize("encoding", ["gzip", "raw"])
@pytest.mark.parametrize(("type_", "endian"), [("unsigned char", "little"), ("short", "big"), ("short", "little")])
def test_overlapping_segments_lie_in_layers(tmp_path, encoding, type_, endian):
    layers = np.stack([LABELS, np.where(LABELS > 1, 1, 0)])
    fields = segment(0, "artery", 1, 0) | segment(1, "bone", 5, 0) | segment(2, "node", 1, 1)
    found = read_label_image(seg_nrrd(tmp_path, layers, fields, encoding=encoding, type_=type_, endian=endian),
                             beside())  # fmt: skip
    assert [(e.number, e.name) for e in found.entries] == [(1, "artery"), (2, "bone"), (3, "node")]
    for number, expected in ((1, LABELS == 1), (2, LABELS == 5), (3, LABELS > 1)):
        assert np.array_equal(found.mask(number), expected)
    assert found.grid.spacing_mm == (3, 2, 2)


def test_layers_lie_where_itk_has_them(tmp_path):
    layers = np.stack([LABELS, LABELS])
    for space in ("left-posterior-superior", "right-anterior-superior", "RAS", "left-anterior-superior"):
        file = seg_nrrd(tmp_path, layers, segment(0, "a", 1, 0), space=space)
        image = sitk.ReadImage(str(file.path))
        grid = read_label_image(file, beside()).grid
        assert np.allclose(grid.origin_mm, image.GetOrigin()[-3:] if image.GetDimension() == 4 else image.GetOrigin())
        assert np.allclose(np.array(grid.direction).reshape(3, 3), np.array(image.GetDirection()).reshape(3, 3))


def test_older_files_have_one_layer_of_ones_a_segment(tmp_path):
    layers = np.stack([LABELS == 1, LABELS >= 1]).astype(np.uint8)
    found = read_label_image(seg_nrrd(tmp_path, layers, segment(0, "a") | segment(1, "b")), beside())
    assert [int(found.mask(e.number).sum()) for e in found.entries] == [2, 6]


def test_damaged_layers_are_refused(tmp_path):
    layers = np.stack([LABELS, LABELS])
    with pytest.raises(BadMask, match="segment 'a' lies in layer 4 of 2"):
        read_label_image(seg_nrrd(tmp_path, layers, segment(0, "a", 1, 4)), beside())
    with pytest.raises(DamagedFile, match="layer or label value of segment 0"):
        read_label_image(seg_nrrd(tmp_path, layers, segment(0, "a") | {"Segment0_Layer": "one"}), beside())
    with pytest.raises(UnsupportedImage, match="space 'scanner-xyz'"):
        read_label_image(seg_nrrd(tmp_path, layers, segment(0, "a", 1, 0), space="scanner-xyz"), beside())
    file = seg_nrrd(tmp_path, layers, segment(0, "a", 1, 0), encoding="raw")
    with pytest.raises(DamagedFile, match="bytes of voxels"):
        read_label_image(VolumeFile(file.path, "m", file.data[:-3]), beside())
    with pytest.raises(UnsupportedImage, match="one scalar 3D volume"):
        read_label_image(seg_nrrd(tmp_path, layers, {}), beside())


def test_names_that_cannot_be_printed_become_one_line(tmp_path):
    table = json.dumps({"1": "left\n\tnode\x07 ", "2": "\u200b"})
    assert label_names(mask(tmp_path), beside(**{"CT_mask.json": table})) == {1: "left node"}
