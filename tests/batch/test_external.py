"""Programs of others: what they are given, and everything that may be wrong with what comes back."""

from __future__ import annotations

import os
import sys
import time

import numpy as np
import pytest

from radiomics_pipeline.batch.delineate import delineate
from radiomics_pipeline.batch.external import run_command
from radiomics_pipeline.errors import ExternalError, MissingFile, SegmentationError
from radiomics_pipeline.io.images import Image
from radiomics_pipeline.params.segmentation import Command, Fixed
from radiomics_pipeline.types import Grid, Region, Volume
from radiomics_pipeline.types.context import Context

OBLIQUE = (0.0, 0.8, -0.6, -1.0, 0.0, 0.0, 0.0, 0.6, 0.8)
READ = (
    "import sys, numpy as np, SimpleITK as sitk\n"
    "image = sitk.ReadImage(sys.argv[1])\na = sitk.GetArrayFromImage(image)\n"
)
WRITE = "m = sitk.GetImageFromArray(mask)\nm.CopyInformation(image)\nsitk.WriteImage(m, sys.argv[2])\n"


@pytest.fixture
def volume() -> Volume:
    array = np.random.default_rng(0).random((5, 6, 7))
    array[2:4, 2:4, 2:5] = 5.0
    array[1, 1, 6] = 9.0
    return Volume(array, Grid(array.shape, (3.0, 1.5, 2.0), (5.5, -7.25, 100.0), OBLIQUE), "SUV")


def tool(source: str, *more: str, timeout_s: float = 60.0, **given) -> Command:
    """A program in Python; {image} and {mask} are its first arguments."""
    words = (sys.executable, "-c", source, "{image}", "{mask}", *more)
    return Command(method="command", command=words, timeout_s=timeout_s, **given)


def test_a_program_gets_the_image_and_its_labels_come_back(volume):
    said = "assert a.dtype == np.float64 and sys.argv[3:] == ['case 7', 'x{mask', '--a=case 7']\n"
    params = tool(READ + said + "mask = (a >= 4).astype(np.uint8) * 3\n" + WRITE, "{case}", "x{mask", "--a={case}")
    labels = run_command(volume, params, "case 7")
    assert np.array_equal(labels, (volume.array >= 4) * 3)


def test_intensities_arrive_to_the_last_digit(volume, tmp_path):
    kept = tmp_path / "kept.npy"
    params = tool(READ + "np.save(sys.argv[3], a)\nmask = (a >= 4).astype(np.uint8)\n" + WRITE, str(kept))
    run_command(volume, params)
    assert np.array_equal(np.load(kept), volume.array)


def test_a_mask_whose_axes_run_otherwise_lies_on_the_same_voxels(volume):
    turn = "m = sitk.GetImageFromArray(mask)\nm.CopyInformation(image)\n"
    turn += "m = sitk.PermuteAxes(sitk.Flip(m, [True, False, True]), [2, 0, 1])\nsitk.WriteImage(m, sys.argv[2])\n"
    labels = run_command(volume, tool(READ + "mask = (a >= 4).astype(np.uint8)\n" + turn))
    assert np.array_equal(labels, volume.array >= 4)


def test_a_case_that_looks_like_a_placeholder_is_not_looked_into(volume):
    source = READ + "assert sys.argv[3] == '{' + 'image}'\nmask = (a >= 4).astype(np.uint8)\n" + WRITE
    assert run_command(volume, tool(source, "{case}"), "{image}").any()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys; print('no weights', file=sys.stderr); sys.exit(3)", "exit code 3; it said: no weights"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9; it said nothing"),
        ("import sys; print('said aloud'); sys.exit(1)", "exit code 1; it said: said aloud"),
        ("pass", "wrote no mask"),
        ("import sys; open(sys.argv[2], 'wb')", "its mask cannot be used: mask.nii.gz: the file is empty"),
        ("import sys; open(sys.argv[2], 'wb').write(b'x' * 400)", "its mask cannot be used: mask.nii.gz: not a NIfTI"),
        (READ + "mask = a\n" + WRITE, "its mask cannot be used: .* no whole labels"),
        (READ + "mask = (a >= 4).astype(np.int16) * -1\n" + WRITE, "negative label -1"),
        (READ + "mask = (a >= 99).astype(np.uint8)\n" + WRITE, "its mask is empty"),
        (
            READ + "m = sitk.GetImageFromArray((a[1:] >= 4).astype(np.uint8)); sitk.WriteImage(m, sys.argv[2])",
            "7 x 6 x 4 voxels .x, y, z., the image has 7 x 6 x 5",
        ),
        (
            READ + "m = sitk.GetImageFromArray((a >= 4).astype(np.uint8)); sitk.WriteImage(m, sys.argv[2])",
            "of a voxel beside those of the image",
        ),
    ],
)
def test_what_is_no_mask_of_the_image_is_refused(volume, source, message):
    with pytest.raises(ExternalError, match=message):
        run_command(volume, tool(source))


def test_a_program_that_is_not_there():
    params = Command(method="command", command=("/no/such/place/tool-7", "{image}", "{mask}"))
    with pytest.raises(ExternalError, match=r"^tool-7: cannot be started \(No such file or directory\)"):
        run_command(Volume(np.ones((2, 2, 2)), Grid((2, 2, 2), (1, 1, 1))), params)


def test_messages_hold_the_end_of_what_was_said_without_paths(volume, tmp_path):
    source = (
        "import sys\nfor i in range(5000): print('line', i, file=sys.stderr)\n"
        "print(sys.argv[3], sys.argv[1], file=sys.stderr)\n"
        "print('ratio 3/4 at 5 m/s\\x1b[0m', file=sys.stderr)\nsys.exit(1)"
    )
    with pytest.raises(ExternalError) as caught:
        run_command(volume, tool(source, rf"""lost '{tmp_path}/patient 1/x.pt', "C:\Users\me\w.pt" and ~/me/y.pt at"""))
    message = str(caught.value)
    assert "line 4999" in message
    assert "line 4990" not in message
    assert "image.nii.gz" in message
    assert """lost 'x.pt', "w.pt" and y.pt at image.nii.gz""" in message
    assert "ratio 3/4 at 5 m/s" in message
    assert not any(
        part in message for part in (str(tmp_path), "Users", "patient", "me/", os.sep + "tmp", "\x1b", "[0m")
    )


def test_a_program_that_takes_too_long_is_ended_with_all_it_started(volume, tmp_path):
    alive = tmp_path / "alive"
    child = f"import time\nwhile True:\n    open({str(alive)!r}, 'a').write('x'); time.sleep(0.05)"
    source = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(60)"
    started = time.monotonic()
    with pytest.raises(ExternalError, match="not done after 2 s, and was ended"):
        run_command(volume, tool(source, timeout_s=2))
    assert time.monotonic() - started < 20
    size = alive.stat().st_size
    assert size > 0
    time.sleep(0.3)
    assert alive.stat().st_size == size


def test_nothing_is_left_of_the_folder(volume, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ExternalError):
        run_command(volume, tool("import sys; open(sys.argv[2] + '.more', 'w').close(); sys.exit(1)"))
    run_command(volume, tool(READ + "mask = (a >= 4).astype(np.uint8)\n" + WRITE))
    assert list(tmp_path.iterdir()) == []


def fixed(**given) -> Fixed:
    return Fixed(method="fixed", threshold=4.0, **given)


def test_regions_have_the_name_and_label_of_where_they_were_searched(volume):
    image = Image(volume, "PET")
    everywhere = np.ones(volume.grid.shape, bool)
    search = Region(everywhere, everywhere, volume.grid, "tumour", 5)
    ((region, notes),) = delineate(image, fixed(), search, Context())
    assert (region.name, region.label) == ("tumour", 5)
    assert np.array_equal(region.morphology, volume.array >= 4)
    assert notes[0].startswith("delineated (fixed, at or above 4 SUV): 0.117 ml, maximum 9 SUV; ends at the border")
    assert len(notes) == 1
    split = delineate(image, fixed(lesions="split", min_volume_ml=0.02), search, Context())
    assert [(r.name, r.label) for r, _ in split] == [("tumour-1", 1)]
    assert split[0][1][1] == "1 of 2 connected parts left out (0.009 ml)"


def test_regions_without_a_search_region(volume):
    image = Image(volume, "PET")
    click = np.zeros(volume.grid.shape, bool)
    click[1, 1, 6] = True
    ((region, _),) = delineate(image, fixed(search="image"), None, Context())
    assert (region.name, region.label) == ("", 1)
    split = delineate(image, fixed(search="image", lesions="split"), None, Context())
    assert [(r.name, r.label) for r, _ in split] == [("lesion-1", 1), ("lesion-2", 2)]
    only = fixed(search="image", only_seeded=True)
    ((region, _),) = delineate(image, only, None, Context(), seeds=click)
    assert np.array_equal(region.intensity, click)
    with pytest.raises(MissingFile, match="no mask to search in"):
        delineate(image, fixed(), None, Context())
    with pytest.raises(SegmentationError) as caught:
        delineate(image, fixed(search="image", min_volume_ml=9), None, Context())
    assert caught.value.stage == "segment"


def test_a_command_delineates_like_any_method(volume):
    source = READ + "mask = np.where(a == 9, 4, (a >= 4) * 2).astype(np.uint8)\n" + WRITE
    image = Image(volume, "PET")
    found = delineate(image, tool(source, search="image", lesions="split"), None, Context(), case="x")
    assert [(r.name, r.label, int(r.morphology.sum())) for r, _ in found] == [("lesion-2", 2, 12), ("lesion-4", 4, 1)]
    inside = volume.array == 5
    search = Region(inside, inside, volume.grid, "tumour", 1)
    ((region, notes),) = delineate(image, tool(source), search, Context())
    assert np.array_equal(region.morphology, inside)
    assert notes[1] == "0.009 ml of its mask lie outside the search volume and are left out"
