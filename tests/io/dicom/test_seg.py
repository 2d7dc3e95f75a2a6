"""Segmentations in DICOM: published masks voxel for voxel, frames by position, what is matched and refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.sequence import Sequence as Items

from radiomics_pipeline.errors import (
    BadGeometry,
    DamagedFile,
    DicomError,
    DoubledSlices,
    EmptyRegion,
    MissingRoi,
    OtherFrame,
    UnsupportedImage,
)
from radiomics_pipeline.imaging.regions import region_of, wanted_regions
from radiomics_pipeline.io.dicom.seg import read_seg, referenced, segment_names
from radiomics_pipeline.io.volumes import VolumeFile, read_file
from radiomics_pipeline.types import Grid
from tests.io.dicom.test_rtstruct import grid_of
from tests.rtstruct_files import Roi, Series, rectangle, rtstruct, seg, to_file

GRID = Grid((7, 11, 13), (3.0, 2.0, 1.5), (-17.25, 4.5, 100.0))
PET = Series(GRID)


def areas(seed: int = 0) -> dict[int, np.ndarray]:
    """Two overlapping areas, with empty slices before, between and behind."""
    rng = np.random.default_rng(seed)
    first, second = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    first[1:3, 2:8, 3:9] = rng.random((2, 6, 6)) < 0.6
    first[5, 2:8, 3:9] = True
    second[2:6, 5:10, 6:12] = rng.random((4, 5, 6)) < 0.6
    return {1: first, 3: second}


def separate() -> dict[int, np.ndarray]:
    first, second = areas().values()
    return {1: first, 3: second & ~first}


@pytest.mark.parametrize(
    ("file", "names", "voxels", "volumes"),
    [
        ("seg_small/liver.dcm", ["Liver"], [107098], ["seg_small/liver_seg.nrrd"]),
        ("seg_small/23x38x3/seg/label.seg", ["Liver"], [322], ["seg_small/23x38x3/nrrd/label.nrrd"]),
        ("seg_small/24x38x3/seg/label.seg", ["Liver"], [315], ["seg_small/24x38x3/nrrd/label.nrrd"]),
        (
            "seg_small/partial_overlaps.dcm",
            ["GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE"],
            [9602, 11888, 10743, 6693, 4713],
            [f"seg_small/partial_overlaps-{i}.nrrd" for i in (1, 2, 3)],
        ),
    ],
)
def test_segmentations_of_dcmqi_voxel_for_voxel(shared, file, names, voxels, volumes):
    labels = [sitk.ReadImage(str(shared / "nm_data" / volume)) for volume in volumes]
    grid = grid_of(labels[0])
    placed = read_seg(read_file(shared / "nm_data" / file), None, grid)
    alone = read_seg(read_file(shared / "nm_data" / file), None, None)
    assert [entry.name for entry in placed.entries] == names
    assert [int(alone.mask(entry.number).sum()) for entry in alone.entries] == voxels
    assert placed.grid is grid
    found = 0
    for image in labels:
        array = sitk.GetArrayFromImage(image)
        for number in np.unique(array[array > 0]):
            assert np.array_equal(placed.mask(int(number)), array == number)
            found += 1
    assert found == len(names)


def test_a_real_tumour_has_the_volume_of_its_published_report(shared):
    masks = read_seg(read_file(shared / "nm_data" / "qiicr_sr_seg" / "seg.dcm"), None, None)
    assert masks.mask(1).sum() == 795
    assert 795 * masks.grid.voxel_volume_mm3 / 1000 == pytest.approx(33.58241, abs=5e-6)
    assert masks.grid.shape == (13, 128, 128)
    assert masks.entries[0].name == "Neoplasm, Primary"
    assert masks.codes[1].meaning == "Neoplasm, Primary"


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("keep_empty", [False, True])
def test_frames_are_placed_by_position_whatever_their_order(shuffled, keep_empty):
    masks = areas()
    order = np.random.default_rng(3) if shuffled else None
    found = read_seg(to_file(seg(masks, GRID, PET, order=order, keep_empty=keep_empty)), PET, GRID)
    assert found.grid is GRID
    assert found.notes == ()
    for number, mask in masks.items():
        assert np.array_equal(found.mask(number), mask)
    assert [(e.number, e.name) for e in found.entries] == [(1, "segment 1"), (3, "segment 3")]
    assert found.codes[3] == ("108369006", "SCT", "Neoplasm")


def test_a_label_map_gives_each_of_its_segments():
    for bits in (8, 16):
        header = seg(separate(), GRID, PET, kind="LABELMAP", bits=bits, order=np.random.default_rng(1))
        found = read_seg(to_file(header), PET, GRID)
        for number, mask in separate().items():
            assert np.array_equal(found.mask(number), mask)


def test_the_background_of_a_label_map_is_no_segment():
    names = {0: "Background", 1: "tumour", 3: "node"}
    header = seg(separate(), GRID, PET, kind="LABELMAP", names=names)
    found = read_seg(to_file(header), PET, GRID)
    assert [(e.number, e.name) for e in found.entries] == [(1, "tumour"), (3, "node")]
    assert segment_names(to_file(header)) == ("tumour", "node")


def test_a_fractional_segmentation_is_cut_at_one_half_and_that_is_told():
    share = np.zeros(GRID.shape)
    share[2, 3, 3:8] = [0.2, 0.49, 0.5, 0.51, 1.0]
    found = read_seg(to_file(seg({1: share}, GRID, PET, kind="FRACTIONAL", maximum=200)), PET, GRID)
    assert np.argwhere(found.mask(1)).tolist() == [[2, 3, 5], [2, 3, 6], [2, 3, 7]]
    assert found.notes == (
        "SEG: segment 'segment 1': fractional, 4 voxels between 0 and 1; those of one half and more are taken",
    )
    whole = read_seg(to_file(seg({1: areas()[1]}, GRID, PET, kind="FRACTIONAL")), PET, GRID)
    assert np.array_equal(whole.mask(1), areas()[1])
    assert whole.notes == ()
    with pytest.raises(EmptyRegion, match="no segment has a voxel of one half or more"):
        read_seg(to_file(seg({1: share * 0.4}, GRID, PET, kind="FRACTIONAL")), PET, GRID)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_segmentations_that_highdicom_writes(tmp_path, kind):
    import highdicom
    from pydicom.sr.codedict import codes

    sources = images(tmp_path)
    described = [
        highdicom.seg.SegmentDescription(number, f"area {number}", codes.SCT.Tissue, codes.SCT.Liver,
                                         highdicom.seg.SegmentAlgorithmTypeValues.MANUAL)
        for number in (1, 2)
    ]  # fmt: skip
    first, second = separate().values()
    pixels = first + 2 * second.astype(np.uint8) if kind == "LABELMAP" else np.stack([first, second], axis=-1)
    pixels = pixels.astype(np.float32 if kind == "FRACTIONAL" else np.uint8)
    made = highdicom.seg.Segmentation(
        sources, pixels, kind, described, highdicom.UID(), 1, highdicom.UID(), 1, "maker", "model", "1", "0",
        omit_empty_frames=True,
    )  # fmt: skip
    found = read_seg(to_file(made), None, GRID)
    assert found.grid is GRID
    assert [e.name for e in found.entries] == ["area 1", "area 2"]
    assert np.array_equal(found.mask(1), first)
    assert np.array_equal(found.mask(2), second)


def images(folder: Path) -> list[pydicom.Dataset]:
    """A series of slices on GRID as highdicom wants its sources."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    found = []
    for z in range(GRID.shape[0]):
        header = pydicom.Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID, header.SOPInstanceUID, header.Modality = CTImageStorage, generate_uid(), "CT"
        header.StudyInstanceUID, header.SeriesInstanceUID, header.FrameOfReferenceUID = study, series, frame
        header.PatientName, header.PatientID, header.PatientBirthDate, header.PatientSex = "A^B", "1", "", ""
        header.StudyDate = header.StudyTime = header.AccessionNumber = header.StudyID = (
            header.ReferringPhysicianName
        ) = ""
        header.SeriesNumber = header.InstanceNumber = z + 1
        header.Rows, header.Columns = GRID.shape[1:]
        header.PixelSpacing, header.SliceThickness = list(GRID.spacing_mm[1:]), GRID.spacing_mm[0]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = GRID.position_mm((z, 0, 0)).tolist()
        header.PositionReferenceIndicator = ""
        found.append(header)
    return found


def test_a_segment_without_a_voxel_is_no_entry_and_is_refused_by_name():
    masks = {**areas(), 2: np.zeros(GRID.shape, bool)}
    found = read_seg(to_file(seg(masks, GRID, PET)), PET, GRID)
    assert [e.number for e in found.entries] == [1, 3]
    with pytest.raises(EmptyRegion, match="segment 'segment 2' has no voxel"):
        wanted_regions(found, None, "segment 2")
    with pytest.raises(MissingRoi, match="2 areas fit"):
        wanted_regions(found, None, "segment .*")
    assert region_of(found, "node", 3).morphology.sum() == areas()[3].sum()


def test_a_segment_that_is_not_described_has_no_name():
    found = read_seg(to_file(seg(separate(), GRID, PET, kind="LABELMAP", names={1: "tumour"})), PET, GRID)
    assert [(e.number, e.name) for e in found.entries] == [(1, "tumour"), (3, "")]
    assert found.notes == ("SEG: segments 3 are not described in it and have no names",)


def test_frames_on_other_voxels_keep_their_own_grid():
    coarse = Grid((4, 6, 7), (6.0, 4.0, 3.0), (-16.5, 5.5, 101.5))
    mask = np.zeros(coarse.shape, bool)
    mask[1:3, 2:4, 2:5] = True
    for grid in (GRID, None):
        found = read_seg(to_file(seg({1: mask}, coarse, PET)), PET, grid)
        assert found.grid.shape == (2, 6, 7)
        assert found.grid.spacing_mm == coarse.spacing_mm
        assert np.allclose(found.grid.origin_mm, coarse.position_mm((1, 0, 0)))
        assert np.array_equal(found.mask(1), mask[1:3])


def test_slices_of_double_thickness_are_not_taken_for_every_second_slice():
    thick = Grid((3, *GRID.shape[1:]), (6.0, *GRID.spacing_mm[1:]), GRID.origin_mm)
    mask = np.ones(thick.shape, bool)
    found = read_seg(to_file(seg({1: mask}, thick, PET)), PET, GRID)
    assert found.grid.spacing_mm[0] == 6


@pytest.mark.parametrize("flip", [(1, 1, -1), (-1, 1, 1), (1, -1, 1), (-1, -1, -1)])
def test_frames_that_run_against_the_image_are_turned(flip):
    """Columns, rows or slices in the opposite direction, on the same voxels."""
    z, y, x = GRID.shape
    corner = [(n - 1) if f < 0 else 0 for n, f in zip((x, y, z), flip, strict=True)]
    origin = GRID.position_mm((corner[2], corner[1], corner[0]))
    turned = Grid(GRID.shape, GRID.spacing_mm, tuple(origin.tolist()), tuple(np.diag(flip).astype(float).ravel()))
    masks = {n: m[:: flip[2], :: flip[1], :: flip[0]] for n, m in areas().items()}
    found = read_seg(to_file(seg(masks, turned, PET)), PET, GRID)
    assert found.grid is GRID
    for number, mask in areas().items():
        assert np.array_equal(found.mask(number), mask)


def test_coronal_frames_on_the_voxels_of_the_image():
    z, y, x = GRID.shape
    axes = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]], float)
    coronal = Grid((y, z, x), (GRID.spacing_mm[1], GRID.spacing_mm[0], GRID.spacing_mm[2]), GRID.origin_mm,
                   tuple(axes.ravel()))  # fmt: skip
    found = read_seg(to_file(seg({n: m.swapaxes(0, 1) for n, m in areas().items()}, coronal, PET)), PET, GRID)
    assert found.grid is GRID
    for number, mask in areas().items():
        assert np.array_equal(found.mask(number), mask)


def test_an_oblique_image():
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    axes[:, 2] *= np.sign(np.linalg.det(axes))
    grid = Grid(GRID.shape, GRID.spacing_mm, GRID.origin_mm, tuple(axes.ravel().tolist()))
    found = read_seg(to_file(seg(areas(), grid, PET)), PET, grid)
    assert found.grid is grid
    assert np.array_equal(found.mask(3), areas()[3])
    alone = read_seg(to_file(seg(areas(), grid, PET)), None, None)
    assert np.array_equal(alone.mask(1), areas()[1][1:6])
    assert np.allclose(alone.grid.origin_mm, grid.position_mm((1, 0, 0)))


def test_what_lies_outside_the_image_is_told():
    larger = Grid((9, 11, 13), GRID.spacing_mm, tuple(GRID.position_mm((-2, 0, 0)).tolist()))
    mask = np.zeros(larger.shape, bool)
    mask[1:4, 4, 5] = True
    other = np.zeros(larger.shape, bool)
    other[0, 0, 0] = True
    found = read_seg(to_file(seg({1: mask, 2: other}, larger, PET)), PET, GRID)
    assert np.argwhere(found.mask(1)).tolist() == [[0, 4, 5], [1, 4, 5]]
    assert found.notes == ("SEG: segment 'segment 1': 1 of its voxels lie outside the image and are left out",)
    with pytest.raises(EmptyRegion, match="its 1 voxels lie outside the image"):
        found.mask(2)


def test_a_single_slice_needs_its_thickness():
    mask = np.zeros(GRID.shape, bool)
    mask[3, 2:5, 2:5] = True
    alone = read_seg(to_file(seg({1: mask}, GRID, PET)), None, None)
    assert alone.grid.shape == (1, 11, 13)
    with pytest.raises(BadGeometry, match="neither distance nor thickness of slices is stated"):
        read_seg(to_file(seg({1: mask}, GRID, PET, state_spacing=False)), None, None)
    assert read_seg(to_file(seg({1: mask}, GRID, PET, state_spacing=False)), None, GRID).grid is GRID


def test_slices_at_uneven_distances_are_refused():
    header = seg({1: np.ones(GRID.shape, bool)}, GRID, PET)
    position = header.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[0]
    position.ImagePositionPatient = [-17.25, 4.5, 110.3]
    with pytest.raises(BadGeometry, match="fits no even distance"):
        read_seg(to_file(header), PET, GRID)


def test_two_frames_of_one_segment_at_one_place_are_refused():
    header = seg({1: np.ones(GRID.shape, bool)}, GRID, PET)
    groups = header.PerFrameFunctionalGroupsSequence
    groups[3].PlanePositionSequence = groups[2].PlanePositionSequence
    with pytest.raises(DoubledSlices, match="segment 1 has two frames at one place"):
        read_seg(to_file(header), PET, GRID)


def test_frames_of_several_orientations_are_refused():
    header = seg({1: np.ones(GRID.shape, bool)}, GRID, PET)
    orientation = pydicom.Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    header.PerFrameFunctionalGroupsSequence[2].PlaneOrientationSequence = Items([orientation])
    with pytest.raises(UnsupportedImage, match="several orientations"):
        read_seg(to_file(header), PET, GRID)


def test_it_is_matched_by_uids():
    file = to_file(seg(areas(), GRID, PET))
    assert referenced(file) == ({PET.series_uid}, {PET.sop_uids[0]}, PET.frame_of_reference_uid)
    same_frame = Series(GRID, "CT", frame_of_reference_uid=PET.frame_of_reference_uid)
    assert "drawn on another image in the frame of reference of CT" in read_seg(file, same_frame, GRID).notes[0]
    with pytest.raises(OtherFrame, match="refers to other images than CT") as error:
        read_seg(file, Series(GRID, "CT"), GRID)
    assert "1.2.826" not in str(error.value)
    with pytest.raises(OtherFrame, match="names neither an image nor a frame"):
        read_seg(to_file(seg(areas(), GRID)), PET, GRID)


def test_damaged_files_are_refused():
    def without(keyword):
        header = seg(areas(), GRID, PET)
        del header[keyword]
        return to_file(header)

    for keyword in ("Rows", "PixelData", "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        with pytest.raises(DamagedFile, match=r"^SEG: "):
            read_seg(without(keyword), PET, GRID)
    short = seg(areas(), GRID, PET)
    short.PixelData = short.PixelData[:40]
    with pytest.raises(DamagedFile, match="40 bytes of voxels, but 7 frames of 13 x 11 pixels need 126"):
        read_seg(to_file(short), PET, GRID)
    twice = seg(areas(), GRID, PET)
    twice.SegmentSequence[1].SegmentNumber = 1
    with pytest.raises(DamagedFile, match="two segments have the number 1"):
        read_seg(to_file(twice), PET, GRID)


def test_other_kinds_are_refused():
    for change, message in [({"SegmentationType": "SURFACE"}, "type SURFACE"), ({"BitsAllocated": 32}, "32 bits")]:
        header = seg(areas(), GRID, PET)
        for keyword, value in change.items():
            setattr(header, keyword, value)
        with pytest.raises(UnsupportedImage, match=message):
            read_seg(to_file(header), PET, GRID)
    with pytest.raises(DicomError, match="not a DICOM Segmentation"):
        read_seg(rtstruct([Roi("GTV", [rectangle(GRID, 1, 2, 2, 5, 5)])], PET), PET, GRID)


@pytest.mark.parametrize("kind", ["rtstruct", "seg"])
def test_a_file_that_ends_too_early_is_refused_wherever_it_ends(kind):
    from radiomics_pipeline.io.dicom.rtstruct import read_rtstruct

    whole = (
        rtstruct([Roi("GTV", [rectangle(GRID, z, 2, 2, 6, 7) for z in (1, 2)])], PET)
        if kind == "rtstruct"
        else to_file(seg(areas(), GRID, PET))
    )
    for length in range(140, len(whole.data) - 1, 7):
        cut = VolumeFile(Path("x.dcm"), "mask", whole.data[:length])
        with pytest.raises((DamagedFile, DicomError), match=r"^mask: "):
            (read_rtstruct if kind == "rtstruct" else read_seg)(cut, None, GRID)


def test_compressed_voxels():
    header = seg(separate(), GRID, PET, kind="LABELMAP")
    from pydicom.uid import RLELossless

    header.compress(RLELossless)
    found = read_seg(to_file(header), PET, GRID)
    assert np.array_equal(found.mask(3), separate()[3])
    broken = pydicom.dcmread(BytesIO(to_file(header).data))
    broken.PixelData = broken.PixelData[:40]
    with pytest.raises(UnsupportedImage, match=r"compressed \(RLE Lossless\) and cannot be decoded"):
        read_seg(to_file(broken), PET, GRID)
