"""RT Structure Sets: published masks voxel for voxel, what is matched, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset

from radiomics_pipeline.errors import BadContour, DamagedFile, DicomError, EmptyRegion, MissingRoi, OtherFrame
from radiomics_pipeline.imaging.regions import region_of, wanted_regions
from radiomics_pipeline.io.dicom.rtstruct import read_rtstruct, referenced, roi_names
from radiomics_pipeline.io.dicom.series import read_series
from radiomics_pipeline.io.volumes import VolumeFile, read_file
from radiomics_pipeline.types import Grid
from tests.rtstruct_files import Roi, Series, rectangle, rtstruct, seg, short_uid, to_file

GRID = Grid((6, 20, 24), (3.0, 2.0, 1.5), (-17.25, 4.5, 100.0))
PET = Series(GRID)
SQUARE = [rectangle(GRID, z, 2.5, 3.5, 8.5, 9.5) for z in (1, 2, 3)]


def grid_of(image: sitk.Image) -> Grid:
    return Grid(tuple(image.GetSize()[::-1]), image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())


def series_grid(folder: Path) -> Grid:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return grid_of(reader.Execute())


@pytest.mark.parametrize("modality", ["PET", "CT"])
@pytest.mark.parametrize("patient", ["STS_008", "STS_019", "STS_025"])
def test_sarcoma_masks_of_the_ibsi_voxel_for_voxel(shared, patient, modality):
    folder = shared / "ibsi" / "dicom" / patient / modality
    published = sitk.ReadImage(str(shared / "ibsi" / "sts" / "nifti" / patient / f"{modality}_mask.nii.gz"))
    masks = read_rtstruct(read_file(folder / "rtstruct" / "RS.dcm"), None, series_grid(folder / "image"))
    assert [entry.name for entry in masks.entries] == [f"GTV_Mass_{modality}"]
    mask = masks.mask(masks.entries[0].number)
    assert mask.any()
    assert np.array_equal(mask, sitk.GetArrayFromImage(published) > 0)
    assert masks.notes == ()


@pytest.mark.parametrize(
    ("place", "image", "structures", "voxels"),
    [
        ("sts_001_pet_bqml/STS_001_FDG_PET.zip", "image", "mask/1-1.dcm", {"GTV_Mass": 5095, "GTV_Edema": 8058}),
        ("sts_001_pet_gml_ibsi/STS_001_PET_GML.zip", "dicom/image", "dicom/mask/RS.dcm", {"GTV_Mass_PET": 5095}),
    ],
)
def test_counts_of_a_whole_body_pet_and_of_its_published_part(shared, tmp_path, place, image, structures, voxels):
    with zipfile.ZipFile(shared / "nm_data" / place) as archive:
        archive.extractall(tmp_path)
    grid = series_grid(tmp_path / image)
    masks = read_rtstruct(read_file(tmp_path / structures), None, grid)
    assert {entry.name: int(masks.mask(entry.number).sum()) for entry in masks.entries} == voxels
    assert 5095 * grid.voxel_volume_mm3 / 1000 == pytest.approx(366.0787, abs=5e-5)


@pytest.mark.parametrize("place", ["dicom/STS_008/PET", "dicom/STS_025/CT"])
def test_a_published_series_and_its_structure_set_belong_together(shared, place):
    folder = shared / "ibsi" / place
    files = [read_file(path, f"file {i}") for i, path in enumerate(sorted((folder / "image").iterdir()), 1)]
    image = read_series(files, "PET")
    masks = read_rtstruct(read_file(folder / "rtstruct" / "RS.dcm"), image, image.grid)
    patient, modality = place.split("/")[1:]
    published = sitk.ReadImage(str(shared / "ibsi" / "sts" / "nifti" / patient / f"{modality}_mask.nii.gz"))
    assert np.array_equal(masks.mask(1), sitk.GetArrayFromImage(published) > 0)
    assert masks.notes == ()
    with pytest.raises(OtherFrame):
        read_rtstruct(read_file(shared / "ibsi/dicom/STS_019/CT/rtstruct/RS.dcm"), image, image.grid)


def test_the_ct_phantom_of_the_ibsi_voxel_for_voxel(shared):
    folder = shared / "ibsi" / "ibsi1" / "ct_phantom"
    (structures,) = (folder / "dicom" / "rtstruct").iterdir()
    published = sitk.ReadImage(str(folder / "mask.nii.gz"))
    mask = read_rtstruct(read_file(structures), None, series_grid(folder / "dicom" / "image")).mask(1)
    assert mask.sum() == 125256
    assert np.array_equal(mask, sitk.GetArrayFromImage(published) > 0)


def test_a_roi_is_found_by_name_and_drawn():
    masks = read_rtstruct(rtstruct([Roi("GTV", SQUARE), Roi("Liver", SQUARE[:1])], PET), PET, GRID)
    assert [(entry.number, entry.name) for entry in masks.entries] == [(1, "GTV"), (2, "Liver")]
    assert wanted_regions(masks, None, "gtv") == [("", 1)]
    assert region_of(masks, "gtv", 1).morphology.sum() == 3 * 36
    assert wanted_regions(masks, None, "all") == [("GTV", 1), ("Liver", 2)]
    with pytest.raises(MissingRoi, match=r"no area fits roi 'heart'; there are: 1 \(GTV\), 2 \(Liver\)"):
        wanted_regions(masks, None, "heart")
    with pytest.raises(KeyError):
        masks.mask(7)


def test_a_hole_by_xor():
    ring = [SQUARE[1], rectangle(GRID, 2, 4.5, 5.5, 6.5, 7.5)]
    for kind in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
        masks = read_rtstruct(rtstruct([Roi("GTV", ring, kind)], PET), PET, GRID)
        assert masks.mask(1).sum() == 36 - 4


def test_contours_that_cancel_by_xor_are_an_empty_region_and_elsewhere_a_repetition():
    twice = [SQUARE[0], SQUARE[0]]
    masks = read_rtstruct(rtstruct([Roi("a", twice), Roi("b", twice, "CLOSEDPLANAR_XOR")], PET), PET, GRID)
    assert masks.mask(1).sum() == 36
    assert masks.notes == ("RTSTRUCT: ROI 'a': 1 contours stand there twice and are taken once",)
    with pytest.raises(EmptyRegion, match="ROI 'b'"):
        masks.mask(2)


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", "OPEN_SPLINE"])
def test_rois_without_areas_are_no_entries_and_are_refused_by_name(kind):
    masks = read_rtstruct(rtstruct([Roi("GTV", SQUARE), Roi("marks", SQUARE[:2], kind)], PET), PET, GRID)
    assert [entry.name for entry in masks.entries] == ["GTV"]
    assert wanted_regions(masks, None, None) == [("", 1)]
    with pytest.raises(BadContour, match=f"ROI 'marks' is no area: its contours are 2 {kind}"):
        wanted_regions(masks, None, "marks")


def test_points_among_closed_contours_are_told_and_open_contours_refused():
    rois = [Roi("a", SQUARE, ["CLOSED_PLANAR", "CLOSED_PLANAR", "POINT"]),
            Roi("b", SQUARE, ["CLOSED_PLANAR", "OPEN_PLANAR", "OPEN_PLANAR"])]  # fmt: skip
    masks = read_rtstruct(rtstruct(rois, PET), PET, GRID)
    assert masks.mask(1).sum() == 72
    assert masks.notes == ("RTSTRUCT: ROI 'a': 1 of its 3 contours are points and enclose nothing",)
    with pytest.raises(BadContour, match="ROI 'b': of its 3 contours 2 OPEN_PLANAR enclose no area"):
        masks.mask(2)


def test_a_roi_without_contours_is_an_empty_region():
    masks = read_rtstruct(rtstruct([Roi("GTV"), Roi("CTV")], PET), PET, GRID)
    assert masks.entries == ()
    with pytest.raises(EmptyRegion, match="ROI 'GTV' has no contours"):
        wanted_regions(masks, None, "GTV")
    with pytest.raises(EmptyRegion, match="none of its ROIs is an area: 'GTV', 'CTV'"):
        wanted_regions(masks, None, None)


def test_two_rois_of_one_name_are_not_chosen_between():
    masks = read_rtstruct(rtstruct([Roi("GTV", SQUARE), Roi("GTV", SQUARE[:1])], PET), PET, GRID)
    with pytest.raises(MissingRoi, match=r"2 areas fit roi 'GTV': 1 \(GTV\), 2 \(GTV\)"):
        wanted_regions(masks, None, "GTV")
    assert wanted_regions(masks, None, "all") == [("GTV (1)", 1), ("GTV (2)", 2)]


def test_a_tilted_roi_and_one_between_slices_are_refused():
    tilted = SQUARE[0].copy()
    tilted[:2, 2] += 2
    between = [rectangle(GRID, 1.5, 2.5, 3.5, 8.5, 9.5)]
    masks = read_rtstruct(rtstruct([Roi("tilted", [tilted]), Roi("between", between)], PET), PET, GRID)
    with pytest.raises(BadContour, match="ROI 'tilted': contour 1 of 1 is tilted"):
        masks.mask(1)
    with pytest.raises(BadContour, match=r"ROI 'between': 1 of 1 contours lie between slices, the worst 1.5 mm"):
        masks.mask(2)
    loose = read_rtstruct(rtstruct([Roi("between", between)], PET), PET, GRID, tolerance=0.5)
    assert loose.mask(1).sum() == 36


@pytest.mark.parametrize("refer", ["contours", "series"])
def test_a_structure_set_of_the_image_is_taken(refer):
    file = rtstruct([Roi("GTV", SQUARE)], PET, refer=refer)
    found = referenced(file)
    assert found.series_uids == {PET.series_uid}
    assert found.sop_uids == ({PET.sop_uids[0]} if refer == "contours" else frozenset())
    assert found.frame_uid == PET.frame_of_reference_uid
    assert read_rtstruct(file, PET, GRID).notes == ()


def test_one_of_another_image_in_the_same_frame_is_taken_with_a_note():
    ct = Series(GRID, "CT", frame_of_reference_uid=PET.frame_of_reference_uid)
    for refer in ("contours", "frame"):
        masks = read_rtstruct(rtstruct([Roi("GTV", SQUARE)], ct, refer=refer), PET, GRID)
        assert masks.notes == (
            "RTSTRUCT: drawn on another image in the frame of reference of PET, and placed by its coordinates",
        )
        assert masks.mask(1).sum() == 108


def test_contours_on_another_image_are_told_where_the_file_names_both():
    ct = Series(GRID, "CT", frame_of_reference_uid=PET.frame_of_reference_uid, series_uid=PET.series_uid + ".7")
    drawn_on_ct = Series(GRID, "PET", PET.series_uid, PET.frame_of_reference_uid, ct.sop_uids)
    assert read_rtstruct(rtstruct([Roi("GTV", SQUARE)], drawn_on_ct), PET, GRID).notes == (), "a part, or sent anew"

    def name_ct_too(header):
        study = header.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        study.RTReferencedSeriesSequence.append(Dataset())
        study.RTReferencedSeriesSequence[1].SeriesInstanceUID = ct.series_uid

    masks = read_rtstruct(broken(name_ct_too, drawn_on_ct), PET, GRID)
    assert "ROI 'GTV', 'CTV': drawn on another image in the frame of reference of PET" in masks.notes[0]


@pytest.mark.parametrize("refer", ["contours", "series", "frame", "none"])
def test_one_of_another_frame_of_reference_is_refused(refer):
    with pytest.raises(OtherFrame) as error:
        read_rtstruct(rtstruct([Roi("GTV", SQUARE)], Series(GRID, "CT"), refer=refer), PET, GRID)
    assert "1.2.826" not in str(error.value), "no UID in a message"
    assert read_rtstruct(rtstruct([Roi("GTV", SQUARE)], Series(GRID, "CT"), refer=refer), None, GRID).mask(1).any()


def test_a_roi_of_another_frame_in_a_file_of_several_is_refused_by_name():
    rois = [Roi("GTV", SQUARE), Roi("MR lesion", SQUARE, frame_uid=short_uid())]
    masks = read_rtstruct(rtstruct(rois, PET, refer="series"), PET, GRID)
    assert [entry.name for entry in masks.entries] == ["GTV"]
    with pytest.raises(OtherFrame, match="ROI 'MR lesion' lies in another frame of reference than PET"):
        wanted_regions(masks, None, "MR lesion")


def test_an_oblique_image_has_its_own_planes():
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    grid = Grid(GRID.shape, GRID.spacing_mm, GRID.origin_mm, tuple(axes.ravel().tolist()))
    contours = [rectangle(grid, z, 2.5, 3.5, 8.5, 9.5) for z in (1, 2, 3)]
    upright = read_rtstruct(rtstruct([Roi("GTV", SQUARE)], PET), None, GRID).mask(1)
    assert np.array_equal(read_rtstruct(rtstruct([Roi("GTV", contours)]), None, grid).mask(1), upright)


def test_names_of_all_rois_by_number():
    rois = [Roi("b", SQUARE, number=7), Roi("points", SQUARE, "POINT", number=2)]
    assert roi_names(rtstruct(rois, PET)) == ("points", "b")


def test_a_roi_is_drawn_when_it_is_asked_for_and_once():
    masks = read_rtstruct(rtstruct([Roi("GTV", SQUARE), Roi("bad", SQUARE, number=9)], PET), PET, GRID)
    assert masks._drawn == {}
    first = masks.mask(1)
    assert list(masks._drawn) == [1]
    first[...] = False
    assert masks.mask(1).sum() == 108


def broken(change, image: Series = PET) -> VolumeFile:
    """A structure set that was changed."""
    from io import BytesIO

    import pydicom

    header = pydicom.dcmread(BytesIO(rtstruct([Roi("GTV", SQUARE), Roi("CTV", SQUARE)], image).data))
    change(header)
    return to_file(header, "RTSTRUCT")


def test_damaged_structure_sets_are_refused():
    def same_number(header):
        header.StructureSetROISequence[1].ROINumber = 1

    def unknown_number(header):
        header.ROIContourSequence[1].ReferencedROINumber = 5

    def no_number(header):
        del header.StructureSetROISequence[0].ROINumber

    for change, message in [(same_number, "two ROIs have the number 1"), (unknown_number, "contours of ROI 5"),
                            (no_number, "list of ROIs cannot be read")]:  # fmt: skip
        with pytest.raises(DamagedFile, match=message):
            read_rtstruct(broken(change), PET, GRID)


def test_damaged_contours_are_refused():
    def odd_count(header):
        header.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2", "3", "4"]

    def shifted(header):
        header.ROIContourSequence[0].ContourSequence[0].ContourOffsetVector = ["0", "0", "3"]

    for change, message in [(odd_count, "no triples of numbers"), (shifted, "Contour Offset Vector")]:
        masks = read_rtstruct(broken(change), PET, GRID)
        with pytest.raises(BadContour, match=message):
            masks.mask(1)


def test_other_files_are_no_structure_sets():
    with pytest.raises(DicomError, match="mask: not an RT Structure Set"):
        read_rtstruct(to_file(seg({1: np.ones(GRID.shape, bool)}, GRID), "mask"), None, GRID)
    for data in (b"nonsense" * 40, b"\0" * 128 + b"DICM", rtstruct([Roi("GTV", SQUARE)], PET).data[:400]):
        with pytest.raises((DicomError, DamagedFile), match=r"^mask: "):
            read_rtstruct(VolumeFile(Path("secret.dcm"), "mask", data), None, GRID)
